//! Everything that decides what a run comes to: its `run.toml`.

use std::path::Path;

use downhill_data::Dataset;
use downhill_run::{RunFolder, explain, file, log, upgraded};
use serde::{Deserialize, Serialize};

use crate::{Config, Ensemble, Error, Source, checkpoint, fingerprint};

/// A configuration has no more bytes than these: it has a few hundred.
const MOST_BYTES: u64 = 1 << 20;

/// Everything that decides what a run comes to: `run.toml`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// What it is trained on.
    pub data: Source,
    /// How it is trained.
    pub training: Config,
    /// The networks whose predictions are averaged, if they are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<Ensemble>,
    /// The run that it is a branch of, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<Parent>,
}

impl RunConfig {
    /// Reads a configuration file.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or does not say what it should: the line, the column and the key.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let wrong = |why: String| Error::from(downhill_run::Error::Config { path: path.to_path_buf(), why });
        if path.is_dir() {
            return Err(wrong("this is a folder; name the file in it, such as run.toml".into()));
        }
        let bytes = file::read_at_most("read the configuration", path, MOST_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            wrong("this is not UTF-8 text; a configuration is TOML, such as a run's run.toml".into())
        })?;
        if toml::from_str::<toml::Table>(&text).is_ok_and(|table| table.contains_key("session")) {
            return Err(wrong(
                "this run is made by a training loop of its own, as by a session of the Python package: only that \
                 loop can resume, branch or repeat it; it can be watched, steered, listed and reported"
                    .into(),
            ));
        }
        let text = upgraded(&text).unwrap_or(text);
        let config: Self = toml::from_str(&text).map_err(|error| wrong(explain(&text, &error)))?;
        config.training.check().map_err(|invalid| wrong(invalid.to_string()))?;
        config.ensemble.as_ref().map_or(Ok(()), Ensemble::check).map_err(|error| wrong(error.to_string()))?;
        Ok(config)
    }

    /// Of a new run of one network.
    pub(crate) fn of_new(source: &Source, training: &Config) -> Self {
        Self { data: source.spelled_out(), training: training.clone(), ensemble: None, parent: None }
    }

    /// The text of the file.
    ///
    /// # Errors
    ///
    /// If it has a number that TOML has no word for.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self)
            .map_err(|error| Error::Mismatch(format!("the configuration cannot be written as TOML: {error}")))
    }

    /// The configuration of a run that is kept in this folder.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn of(folder: &RunFolder) -> Result<Self, Error> {
        Self::read(&folder.config_path())
    }

    /// The configuration of a run of one network that is kept in this folder.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read), and if the run is of several networks.
    pub(crate) fn of_one(folder: &RunFolder) -> Result<Self, Error> {
        let config = Self::of(folder)?;
        match config.ensemble {
            None => Ok(config),
            Some(_) => Err(Error::Several { run: folder.path().to_path_buf(), one: folder.member(0) }),
        }
    }

    /// Makes a folder inside `runs` for a run of this configuration; see [`RunFolder::create`] for its name.
    ///
    /// # Errors
    ///
    /// If the name is not one, or the folder cannot be made and written.
    pub fn create_folder(&self, runs: &Path, name: Option<&str>) -> Result<RunFolder, Error> {
        Ok(RunFolder::create(runs, name, &self.data.name(), &self.to_toml()?)?)
    }

    /// Reads the data of a run of this configuration that is kept in a folder.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not what the run was trained with.
    pub(crate) fn load_data(&self, folder: &RunFolder) -> Result<Dataset, Error> {
        let data = self.data.load(self.training.seed).map_err(|error| unreadable(folder, &error))?;
        unchanged(folder, &data)?;
        Ok(data)
    }

    /// The same of a run of several networks: the data of each, or one for all.
    pub(crate) fn load_data_of(
        &self,
        folder: &RunFolder,
        ensemble: &Ensemble,
    ) -> Result<Vec<Dataset>, Error> {
        let Ensemble::Folds(folds) = ensemble else { return Ok(vec![self.load_data(folder)?]) };
        let folds = self.data.load_folds(folds, self.training.seed);
        let data = folds.map_err(|error| unreadable(folder, &error))?;
        data.last().map_or(Ok(()), |last| unchanged(folder, last))?;
        Ok(data)
    }
}

fn unreadable(folder: &RunFolder, error: &Error) -> Error {
    let run = folder.path().display();
    Error::Mismatch(format!("the data of the run {run} cannot be read as it was: {error}"))
}

/// Fails if data is not what the run in a folder was trained with.
fn unchanged(folder: &RunFolder, data: &Dataset) -> Result<(), Error> {
    match data_fingerprint(folder) {
        Some(then) if then != fingerprint(data) => {
            Err(Error::DataChanged { run: folder.path().to_path_buf() })
        }
        _ => Ok(()),
    }
}

/// The fingerprint of the data that a run was trained with: by its log, or, where that is of a version that
/// did not log it, by a checkpoint. None if neither is there; whatever else is wrong with them is for others
/// to say.
pub(crate) fn data_fingerprint(folder: &RunFolder) -> Option<String> {
    log::data_fingerprint(&folder.log_path()).or_else(|| {
        let latest_first = folder.steps().unwrap_or_default().into_iter().map(|step| folder.checkpoint(step));
        let mut all = latest_first.chain([folder.start_path()]);
        all.find_map(|path| checkpoint::data_fingerprint(&path).ok())
    })
}

/// The run that a branch began in, and where: the `[parent]` of its `run.toml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parent {
    /// Its folder, as [`path_text`](downhill_run::path_text) spells it.
    pub run: String,
    /// The first step that the branch made for itself, counted as its parent counts.
    pub step: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        explain(text, &toml::from_str::<RunConfig>(text).unwrap_err())
    }

    #[test]
    fn the_place_and_the_nearest_word() {
        assert_eq!(
            error("[training]\nepoch = 3\n"),
            "line 2, column 1: unknown key `epoch`; did you mean `epochs`?\n  epoch = 3\n  ^^^^^"
        );
        assert_eq!(
            error("[training]\n\tlr = \"cosine(0.1, ovr=3)\"\n"),
            "line 2, column 20: unknown key `ovr`; did you mean `over`?\n   lr = \"cosine(0.1, ovr=3)\"\n                     ^^^"
        );
        assert_eq!(
            error("[training]\nlr = 0.1\nepochs = \"ä\"\n"),
            "line 3, column 10: expected a whole number, 0 or above, found `\"ä\"`\n  epochs = \"ä\"\n           ^^^"
        );
        assert!(
            error("[data]\nvalid = true\n").contains("expected a share"),
            "{}",
            error("[data]\nvalid = true\n")
        );
        assert!(error("[data]\nfrom = 3\n").contains("expected text in quotes, found `3`"));
        assert!(
            error("[training.network]\nlayer = []\n")
                .contains("unknown word `layer`; did you mean `layers`?")
        );
        assert!(error("a = = 3").starts_with("line 1, column 5: "));
    }

    #[test]
    fn a_loop_of_ones_own_is_told_from_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.toml");
        std::fs::write(&path, "[data]\nfrom = \"loop\"\n[session]\nsteps = 3\n").unwrap();
        let error = RunConfig::read(&path).unwrap_err().to_string();
        assert!(error.contains("run.toml: this run is made by a training loop of its own"), "{error}");
    }

    #[test]
    fn long_lines_are_shown_around_the_place() {
        let long = "x".repeat(200_000);
        for text in [
            format!("{long} = 1"),
            format!("[training]\nlr = \"{long}\""),
            format!("[training]\nlr = \"cosine({long}=1)\""),
            format!("[training]\nepochs = \"{long}\""),
            format!("[data]\nvalid = true # {long}"),
            format!("[training]\nlr = \"cosine(0.1, {}ovr=3)\"", " ".repeat(200_000)),
            format!("[{long}"),
            format!("a = {}", "[".repeat(200_000)),
        ] {
            let shown = error(&text);
            assert!(shown.chars().count() < 1500 && shown.contains("\n  "), "{}", shown.chars().count());
        }
        let spaces = " ".repeat(200_000);
        let shown = error(&format!("[training]\nlr = \"cosine(0.1, {spaces}ovr=3)\""));
        assert!(shown.starts_with("line 2, column 200019: unknown key `ovr`"), "{shown}");
        assert!(shown.contains("ovr=3)\"\n") && shown.ends_with(" ^^^"), "{shown}");
    }
}
