//! The flags of a model and the data that it is used on.

use std::path::PathBuf;

use clap::Args;
use downhill::data::{ReadOptions, Table, bundled};
use downhill::prelude::Predictor;
use downhill::train::{Error, Source};

use super::read::ReadArgs;
use super::recorded::RunsArgs;
use super::value::path_as_text;

#[derive(Args)]
pub struct UseArgs {
    /// The run's folder, its name inside --runs, or a model file.
    pub run: PathBuf,

    /// A table, `-` for one on standard input, a folder of images, or the name of a bundled data set.
    #[arg(required_unless_present = "images", value_parser = path_as_text())]
    pub data: Option<String>,

    #[command(flatten)]
    pub read: ReadArgs,

    #[command(flatten)]
    pub runs: RunsArgs,
}

impl UseArgs {
    /// Reads the data, to use a model on.
    pub fn table(&self, predictor: &Predictor) -> Result<Table, Error> {
        if let Some(images) = &self.read.images {
            let options = ReadOptions { any_size: self.read.any_size, ..ReadOptions::default() };
            return Ok(Table::images_with(images, self.read.labels.as_deref(), &options)?);
        }
        let mut source = Source::default();
        self.read.apply(self.data.as_deref(), &mut source);
        source.table(predictor.known())
    }

    /// Whether the data is one that comes with the program.
    pub fn is_bundled(&self) -> bool {
        let data = self.data.as_deref();
        bundled::catalogue().iter().any(|bundled| Some(bundled.name) == data)
    }

    /// Some columns of the same data as they are written.
    pub fn columns(&self, predictor: &Predictor, names: &[String]) -> Result<Table, Error> {
        let mut source = Source::default();
        self.read.apply(self.data.as_deref(), &mut source);
        let read = &mut source.read;
        (read.categorical, read.missing) = (names.to_vec(), Some(Vec::new()));
        source.table(predictor.known())
    }
}
