//! The flags of a command line as they were given, to be given again to another command.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Error};

/// A flag or an argument that was given.
pub struct Given {
    pub id: String,
    /// None of an argument without a flag.
    pub long: Option<String>,
    /// Whether it has values.
    pub takes_values: bool,
    pub values: Vec<OsString>,
}

impl Given {
    /// The words of a command line that say it.
    pub fn words(&self) -> Vec<OsString> {
        let Some(long) = &self.long else { return self.values.clone() };
        if !self.takes_values {
            return vec![format!("--{long}").into()];
        }
        let word = |value: &OsString| {
            let mut word = OsString::from(format!("--{long}="));
            word.push(value);
            word
        };
        self.values.iter().map(word).collect()
    }
}

/// What was given of a command's flags and arguments, in the command's order.
pub fn given(matches: &ArgMatches, command: &Command) -> Vec<Given> {
    let is_given =
        |flag: &&clap::Arg| matches.value_source(flag.get_id().as_str()) == Some(ValueSource::CommandLine);
    let read = |flag: &clap::Arg| Given {
        id: flag.get_id().to_string(),
        long: flag.get_long().map(str::to_string),
        takes_values: flag.get_action().takes_values(),
        values: matches.get_raw(flag.get_id().as_str()).into_iter().flatten().map(OsString::from).collect(),
    };
    command.get_arguments().filter(is_given).map(read).collect()
}

/// An error of the values that a command was given, with the usage of that command.
pub fn wrong(mut command: Command, message: &str) -> Error {
    Error::raw(ErrorKind::ValueValidation, format!("{message}\n")).format(&mut command)
}
