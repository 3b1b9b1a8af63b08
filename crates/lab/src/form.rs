//! What can be set of a run that is begun from the page, as whoever has a command line describes it.

use serde::Serialize;

/// What can be set of a run, and what it can be trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Form {
    /// The settings, in the order in which they are shown.
    pub fields: Vec<Field>,
    /// Data that is there without a file.
    pub data: Vec<Data>,
}

/// A setting, as it is spelt behind `--`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Field {
    /// Its name: `epochs`.
    pub name: String,
    /// What it does, in a sentence or a few.
    pub help: String,
    /// What it is if it is not given, in words or as it is spelt.
    pub default: Option<String>,
    /// What its value is called: `N`; none of one that is only there or not.
    pub value: Option<String>,
    /// The values that it can have, where they can be counted.
    pub choices: Vec<String>,
    /// What it belongs to: `Network`.
    pub group: String,
}

/// Data that has a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Data {
    /// Its name.
    pub name: String,
    /// What it is, in a few words.
    pub about: String,
}
