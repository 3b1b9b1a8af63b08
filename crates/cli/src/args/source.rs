//! The flags of the data that is trained on.

use clap::builder::TypedValueParser;
use clap::{Args, ValueEnum};
use downhill::train::Validation;

use super::read::ReadArgs;
use super::value::{held, path_as_text};

#[derive(Args)]
#[command(next_help_heading = "Data")]
pub struct SourceArgs {
    /// The target column, by name or by number. Numbers count from 0; -1 is the last one, which is the
    /// default.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub target: Option<String>,

    /// Classes or a number to predict. Chosen by the values of the target unless given.
    #[arg(long, value_enum)]
    pub task: Option<TaskName>,

    /// A column that says how much each row counts in training and validation losses: a number from 0 on. By
    /// name or number, as --target; it is no input of the network. [default: all rows count the same]
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub weights: Option<String>,

    /// The validation data: a share of the rows, or a file. [default: 0.2]
    #[arg(long, value_name = "SHARE|FILE", allow_negative_numbers = true)]
    #[arg(value_parser = path_as_text().try_map(|text| held(&text)))]
    pub valid: Option<Validation>,

    #[command(flatten)]
    pub read: ReadArgs,

    /// Columns to take as categories, whatever they hold: names, or numbers from 0, between commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub categorical: Vec<String>,

    /// Columns to take as numbers; text in them is an error. Named as for --categorical.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub numeric: Vec<String>,

    /// Columns to leave out. Named as for --categorical.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub drop: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TaskName {
    Classification,
    Regression,
}
