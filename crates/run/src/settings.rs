//! The settings of a run as the text of its `run.toml`, for who looks at a run without knowing what made it.

use serde::Deserialize;
use toml::{Table, Value};

use crate::toml_error::explain;
use crate::{Error, RunFolder, file, older, path_text};

/// A configuration has no more bytes than these: it has a few hundred.
const MOST_BYTES: u64 = 1 << 20;

/// The settings of a run, every one with its name; none needs to be there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    text: String,
    table: Table,
}

/// The settings that must be numbers, where they are there.
#[derive(Deserialize)]
struct Lengths {
    #[serde(default)]
    training: Training,
}

#[derive(Default, Deserialize)]
struct Training {
    epochs: Option<u64>,
}

impl Settings {
    /// Those of a run that is kept in this folder; what an older version left out is as it was then.
    ///
    /// # Errors
    ///
    /// If its `run.toml` cannot be read, is no TOML, or has a length that no run has.
    pub fn of(folder: &RunFolder) -> Result<Self, Error> {
        let path = folder.config_path();
        let wrong = |why: String| Error::Config { path: path.clone(), why };
        let bytes = file::read_at_most("read the configuration", &path, MOST_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            wrong("this is not UTF-8 text; a configuration is TOML, such as a run's run.toml".into())
        })?;
        let upgraded = older::upgraded(&text);
        let read = upgraded.as_ref().unwrap_or(&text);
        let explained = |error| wrong(explain(read, &error));
        let table = toml::from_str(read).map_err(explained)?;
        // Read on its own, so that an error knows its place.
        let Lengths { training } = toml::from_str(read).map_err(explained)?;
        if training.epochs == Some(0) {
            return Err(wrong("`epochs` of `training` must be at least 1".into()));
        }
        Ok(Self { text, table })
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// A setting by its path: `training.epochs`.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let mut keys = path.split('.');
        let first = self.table.get(keys.next()?)?;
        keys.try_fold(first, |value, key| value.get(key))
    }

    /// A setting that is text.
    pub fn text_of(&self, path: &str) -> Option<&str> {
        self.get(path)?.as_str()
    }

    /// The number of epochs that were asked for when the run began.
    pub fn epochs(&self) -> Option<u64> {
        u64::try_from(self.get("training.epochs")?.as_integer()?).ok()
    }

    /// Whether the weights of the last epoch are kept, not those of the best.
    pub fn keeps_last(&self) -> bool {
        self.text_of("training.keep") == Some("last")
    }

    /// The number of networks whose predictions are averaged, if they are several, and whether each has rows of
    /// its own to validate on.
    pub fn networks(&self) -> Option<(u64, bool)> {
        let members = self.get("ensemble.members").map(|count| (count, false));
        let (count, folds) = members.or_else(|| Some((self.get("ensemble.folds.count")?, true)))?;
        Some((u64::try_from(count.as_integer()?).ok()?, folds))
    }

    /// A short name for the data; see [`data_name`].
    pub fn data_name(&self) -> Option<String> {
        self.text_of("data.from").map(data_name)
    }

    /// The name of the run that it is a branch of, if it is one.
    pub fn parent(&self) -> Option<String> {
        let path = path_text::from_text(self.text_of("parent.run")?);
        Some(path.file_name()?.to_string_lossy().into_owned())
    }

    /// All of it as a tree.
    pub fn tree(&self) -> serde_json::Value {
        serde_json::to_value(&self.table).unwrap_or_default()
    }
}

/// A short name for the data that is read from here: the bundled name, or the file's without its extension;
/// `stdin` for `-`.
pub fn data_name(from: &str) -> String {
    if from == "-" {
        return "stdin".into();
    }
    let path = path_text::from_text(from);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| if stem.is_empty() { name } else { stem });
    if stem.is_empty() { "data".into() } else { stem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(toml: &str) -> Result<Settings, Error> {
        let runs = tempfile::tempdir().unwrap();
        Settings::of(&RunFolder::create(runs.path(), Some("run"), "data", toml)?)
    }

    #[test]
    fn settings_are_found_by_their_path_and_none_needs_to_be_there() {
        let all =
            settings("[data]\nfrom = \"/a/b.csv.gz\"\n[training]\nepochs = 3\n[parent]\nrun = \"x/y\"\n");
        let all = all.unwrap();
        assert_eq!((all.data_name().as_deref(), all.epochs()), (Some("b"), Some(3)));
        assert_eq!((all.parent().as_deref(), all.text_of("training.epochs")), (Some("y"), None));
        assert_eq!(all.tree()["training"]["epochs"], 3);
        let none = settings("").unwrap();
        assert_eq!((none.data_name(), none.epochs(), none.parent()), (None, None, None));
        for (toml, why) in [
            ("[training]\nepochs = 0\n", "at least 1"),
            ("a = = 3", "line 1, column 5"),
            ("[training]\nepochs = \"x\"", "line 2"),
            ("[a", "run.toml"),
        ] {
            let error = settings(toml).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn what_an_older_version_left_out_is_as_it_was_then() {
        let runs = "../train/tests/older";
        let keep = |run: &str| {
            let folder = RunFolder::open(&std::path::Path::new(runs).join(run)).unwrap();
            Settings::of(&folder).unwrap().text_of("training.keep").map(str::to_string)
        };
        assert_eq!((keep("last").as_deref(), keep("best").as_deref()), (Some("last"), Some("best")));
    }

    #[test]
    fn data_is_called_after_its_file() {
        let names = ["-", "wine", "/x/iris.csv", "a/.hidden", "x.tar.gz", ""].map(data_name);
        assert_eq!(names, ["stdin", "wine", "iris", ".hidden", "x", "data"]);
    }
}
