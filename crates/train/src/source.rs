//! Where the data of a run comes from, so that it can be read again.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use downhill_data::{Dataset, Excess, Folds, Known, ReadOptions, Table, Target, Task, TooLarge, bundled};
use downhill_run::{data_name, path_text};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use xxhash_rust::xxh3::Xxh3;

use crate::Error;

/// The data of a run: where it is, what is learnt from it, and which rows are held out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Source {
    /// A bundled data set's name, a table's file, `-` for a table on standard input, a file of images, or a
    /// folder with files of images and labels; a path that is not UTF-8 as [`path_text`] spells it.
    pub from: String,
    /// The labels of the images, where `from` is a file of images.
    #[serde(skip_serializing_if = "Option::is_none", with = "path_text::option", default)]
    pub labels: Option<PathBuf>,
    /// The column that is learnt, by name or number; the last one unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Classes or a number; told from the target unless given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// What is held out to measure on. Default: the test images of a folder that has them, else a fifth of
    /// the rows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid: Option<Validation>,
    /// The seed of the rows that are held out, where it is another than the run's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_seed: Option<u64>,
    /// The fold of a cross-validation that the data is, instead of rows held out once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fold: Option<Fold>,
    /// The column that says how much each row counts, by name or number, which is then no feature; all the
    /// same unless given. See [`Target::weights`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// How the table is read.
    pub read: ReadOptions,
}

/// One fold of a cross-validation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Fold {
    /// Which one, counted from 0.
    pub number: usize,
    /// How the rows are divided.
    pub of: Folds,
}

/// What is held out: a share of the rows, or a file of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Validation {
    /// A share, between 0 and 1.
    Share(f64),
    /// A table with the same columns.
    File(#[serde(serialize_with = "path_text::serialize")] PathBuf),
}

impl<'de> Deserialize<'de> for Validation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValidationVisitor;

        impl Visitor<'_> for ValidationVisitor {
            type Value = Validation;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a share of the rows such as 0.2, or a file's path in quotes")
            }

            fn visit_f64<E: de::Error>(self, share: f64) -> Result<Validation, E> {
                Ok(Validation::Share(share))
            }

            fn visit_i64<E: de::Error>(self, share: i64) -> Result<Validation, E> {
                Ok(Validation::Share(share as f64))
            }

            fn visit_u64<E: de::Error>(self, share: u64) -> Result<Validation, E> {
                Ok(Validation::Share(share as f64))
            }

            fn visit_str<E: de::Error>(self, file: &str) -> Result<Validation, E> {
                Ok(Validation::File(path_text::from_text(file)))
            }
        }

        deserializer.deserialize_any(ValidationVisitor)
    }
}

/// What data is called that is in no file.
const MEMORY: &str = "memory";

/// What standard input is called.
const STDIN: &str = "-";

/// And for people.
const PIPED: &str = "standard input";

/// The most bytes of standard input that are kept unless any size is asked for.
const MOST_PIPED: u64 = 4 << 30;

/// The share of the rows that is held out unless something else is said.
const SHARE: f64 = 0.2;

impl Source {
    /// A bundled data set's name or a path, with nothing said about it.
    pub fn new(from: impl Into<String>) -> Self {
        Self { from: from.into(), ..Self::default() }
    }

    /// Data that is in memory alone: a run that is made of it is kept, but cannot be resumed from its folder.
    pub fn in_memory() -> Self {
        Self::new(MEMORY)
    }

    /// Makes relative paths absolute, so that the run can be resumed from anywhere.
    pub fn absolute(mut self) -> Self {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        // A mere word that is no file is taken for a misspelt name, and shown as it was written.
        let is_word = !self.from.contains(['/', '\\']) && !self.path().exists();
        if !self.is_bundled() && !is_word && self.from != STDIN {
            self.from = path_text::to_text(&absolute(&self.path()));
        }
        self.labels = self.labels.as_deref().map(absolute);
        if let Some(Validation::File(file)) = self.valid.as_ref().filter(|_| !self.validates_on_stdin()) {
            self.valid = Some(Validation::File(absolute(file)));
        }
        self
    }

    /// The same with the share that is held out written down, and what becomes of row numbers. A target and a
    /// task that are found in the data are not: they would stand in the way of using the settings on other
    /// data.
    pub(crate) fn spelled_out(&self) -> Self {
        let mut source = self.clone();
        source.read.row_numbers.get_or_insert_default();
        // A folder of images may have some to validate on, and a share would be taken of the others instead.
        if source.valid.is_none() && source.fold.is_none() && !self.path().is_dir() {
            source.valid = Some(Validation::Share(SHARE));
        }
        source
    }

    fn is_bundled(&self) -> bool {
        bundled::catalogue().iter().any(|data| data.name == self.from)
    }

    /// A short name for the data: the bundled name, or the file's without its extension.
    pub fn name(&self) -> String {
        data_name(&self.from)
    }

    /// Where it is, unless it is bundled.
    fn path(&self) -> PathBuf {
        path_text::from_text(&self.from)
    }

    fn validates_on_stdin(&self) -> bool {
        matches!(&self.valid, Some(Validation::File(file)) if file == Path::new(STDIN))
    }

    /// Reads the table, whose columns may be known; a folder of images may have a second one, to validate on.
    fn tables(&self, known: Option<Known>) -> Result<(Table, Option<Table>), Error> {
        let path = self.path();
        // Images may be read whatever their size.
        let for_tables = ReadOptions { any_size: false, row_numbers: None, ..self.read.clone() };
        if self.from.is_empty() {
            Err(Error::NoData)
        } else if self.from == MEMORY && !path.exists() {
            Err(Error::InMemory)
        } else if for_tables != ReadOptions::default()
            && (self.is_bundled() || self.labels.is_some() || path.is_dir())
        {
            Err(Error::NotReadAsTable { from: self.from.clone() })
        } else if self.is_bundled() {
            Ok((Table::bundled(&self.from)?, None))
        } else if let Some(labels) = &self.labels {
            Ok((Table::images_with(&path, Some(labels), &self.read)?, None))
        } else if path.is_dir() {
            images_in(&path, &self.read)
        } else {
            Ok((read(&path, &ReadOptions { known, ..self.read.clone() })?, None))
        }
    }

    /// Reads the table, to use a model on that [knows](crate::Predictor::known) its columns: a first line that
    /// names the columns learnt from is a header, and what is in them is read as it was in training.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn table(&self, known: Option<Known>) -> Result<Table, Error> {
        Ok(self.tables(known)?.0)
    }

    /// The target of the table.
    fn target_of<'t>(&self, table: &'t Table) -> Target<'t> {
        let target = match &self.target {
            Some(target) => table.target(target),
            None => table.default_target(),
        };
        match self.task {
            Some(task) => target.task(task),
            None => target,
        }
    }

    /// Reads, splits and encodes the data. The split is a function of `seed`.
    ///
    /// # Errors
    ///
    /// If it cannot be read or learnt from.
    pub fn load(&self, seed: u64) -> Result<Dataset, Error> {
        let seed = self.split_seed.unwrap_or(seed);
        if let Some(Fold { number, of }) = &self.fold {
            let mut table = self.table_of_folds()?;
            let weights = self.weights_of(&mut table)?;
            return Ok(weighted(self.target_of(&table), weights).fold(of, *number, seed)?);
        }
        let (mut table, beside) = self.tables(None)?;
        let known = Some(Known::of(&table));
        let weights = self.weights_of(&mut table)?;
        let target = weighted(self.target_of(&table), weights);
        Ok(match (&self.valid, beside) {
            (Some(Validation::File(file)), _) => {
                let mut valid = read(file, &ReadOptions { known, ..self.read.clone() })?;
                let target = match self.weights_of(&mut valid)? {
                    Some(weights) => target.valid_weights(weights),
                    None => target,
                };
                target.validate_on(&valid)?
            }
            (Some(Validation::Share(share)), _) => target.split(*share, seed)?,
            (None, Some(beside)) => target.validate_on(&beside)?,
            (None, None) => target.split(SHARE, seed)?,
        })
    }

    /// Reads the data, and divides and encodes it for cross-validation, a data set for each fold: a function
    /// of `seed`. See [`Folds`].
    ///
    /// # Errors
    ///
    /// If it cannot be read, divided or learnt from, or it is said what to validate on.
    pub fn load_folds(&self, folds: &Folds, seed: u64) -> Result<Vec<Dataset>, Error> {
        let mut table = self.table_of_folds()?;
        let weights = self.weights_of(&mut table)?;
        Ok(weighted(self.target_of(&table), weights).folds(folds, self.split_seed.unwrap_or(seed))?)
    }

    /// Takes the weights of its rows out of a table, where a column is named for them.
    fn weights_of(&self, table: &mut Table) -> Result<Option<Vec<f32>>, Error> {
        Ok(self.weights.as_ref().map(|column| table.take_weights(column)).transpose()?)
    }

    /// The table whose rows are divided for cross-validation.
    fn table_of_folds(&self) -> Result<Table, Error> {
        match self.valid {
            None => Ok(self.tables(None)?.0),
            Some(_) => Err(Error::ValidationOfFolds),
        }
    }
}

fn weighted(target: Target<'_>, weights: Option<Vec<f32>>) -> Target<'_> {
    match weights {
        Some(weights) => target.weights(weights),
        None => target,
    }
}

/// Reads a table from a file, or from standard input, which is kept so that it can be read again.
fn read(path: &Path, options: &ReadOptions) -> Result<Table, Error> {
    static GIVEN: OnceLock<Vec<u8>> = OnceLock::new();
    if path != Path::new(STDIN) {
        return Ok(Table::read(path, options)?);
    }
    let given = match GIVEN.get() {
        Some(given) => given,
        None => {
            let limit = if options.any_size { u64::MAX } else { MOST_PIPED };
            let bytes = read_piped(std::io::stdin().lock(), limit)?;
            GIVEN.get_or_init(|| bytes)
        }
    };
    Ok(Table::parse(PIPED, given, options)?)
}

/// Reads standard input to its end, which may be no more than `limit` bytes away.
fn read_piped(input: impl Read, limit: u64) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    let io = |source| downhill_run::Error::Io { doing: "read", path: PIPED.into(), source };
    // One more than there may be tells that there is more.
    input.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        let large = TooLarge { file: PIPED.into(), what: Excess::Piped, limit };
        return Err(downhill_data::Error::from(large).into());
    }
    Ok(bytes)
}

/// The images in a folder, and those to validate on, where there are two pairs of files as in MNIST.
fn images_in(folder: &Path, options: &ReadOptions) -> Result<(Table, Option<Table>), Error> {
    let io = |source| downhill_run::Error::Io { doing: "look into", path: folder.to_path_buf(), source };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        files.push(entry.map_err(io)?.path());
    }
    files.sort();
    let named =
        |path: &Path, part: &str| path.file_name().is_some_and(|name| name.to_string_lossy().contains(part));
    let pair = |part: &str| -> Option<(&PathBuf, &PathBuf)> {
        let find = |what: &str| files.iter().find(|path| named(path, part) && named(path, what));
        Some((find("images-idx3")?, find("labels-idx1")?))
    };
    let table = |(images, labels): (&PathBuf, &PathBuf)| Table::images_with(images, Some(labels), options);
    match (pair("train"), pair("t10k")) {
        (Some(train), Some(test)) => Ok((table(train)?, Some(table(test)?))),
        (Some(only), None) | (None, Some(only)) => Ok((table(only)?, None)),
        (None, None) => Err(Error::Mismatch(format!(
            "{} is a folder, and there are no images and labels in it (such as train-images-idx3-ubyte.gz and \
             train-labels-idx1-ubyte.gz); for a table, name its file",
            folder.display()
        ))),
    }
}

/// A fingerprint of what a network is trained and measured on, to see whether data has changed between two
/// runs: XXH3 of 128 bits, which reads a large table as fast as memory does. It is no proof against somebody
/// who wants it not to change.
pub fn fingerprint(data: &Dataset) -> String {
    let mut hash = Xxh3::new();
    for examples in [&data.train, &data.valid] {
        hash.update(&(examples.features as u64).to_le_bytes());
        hash.update(bytemuck::cast_slice::<f32, u8>(&examples.x));
        match &examples.y {
            downhill_data::Targets::Classes { labels, classes } => {
                hash.update(&(*classes as u64).to_le_bytes());
                hash.update(bytemuck::cast_slice::<u32, u8>(labels));
            }
            downhill_data::Targets::Values(values) => hash.update(bytemuck::cast_slice::<f32, u8>(values)),
        }
        if let Some(weights) = &examples.weights {
            hash.update(bytemuck::cast_slice::<f32, u8>(weights));
        }
    }
    format!("{:032x}", hash.digest128())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn standard_input_has_an_end() {
        assert_eq!(read_piped(&b"a,b\n1,2\n"[..], 8).unwrap(), b"a,b\n1,2\n");
        let large = read_piped(&b"a,b\n1,2\n"[..], 7).unwrap_err();
        let Error::Data(downhill_data::Error::TooLarge(large)) = large else { panic!("{large}") };
        assert_eq!((large.what, large.limit), (Excess::Piped, 7));
        // One that never ends is not read on.
        assert!(read_piped(std::io::repeat(b'x'), 1 << 20).is_err());
        assert_eq!(read_piped(&b"x"[..], u64::MAX).unwrap(), b"x");
    }
}
