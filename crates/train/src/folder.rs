//! A run's folder: its configuration, its log, its checkpoints, and what it came to.

mod tidy;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::log::Log;
use downhill_data::Dataset;

use crate::{Config, Error, Parent, Source, checkpoint, durable, file, fingerprint, log, older, toml_error};

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
        let wrong = |why: String| Error::Config { path: path.to_path_buf(), why };
        if path.is_dir() {
            return Err(wrong("this is a folder; name the file in it, such as run.toml".into()));
        }
        let bytes = file::read_at_most("read the configuration", path, MOST_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            wrong("this is not UTF-8 text; a configuration is TOML, such as a run's run.toml".into())
        })?;
        let text = older::upgraded(&text).unwrap_or(text);
        let config: Self =
            toml::from_str(&text).map_err(|error| wrong(toml_error::explain(&text, &error)))?;
        config.training.check().map_err(|invalid| wrong(invalid.to_string()))?;
        Ok(config)
    }

    fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self)
            .map_err(|error| Error::Mismatch(format!("the configuration cannot be written as TOML: {error}")))
    }
}

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

impl RunFolder {
    /// Makes a new folder inside `runs` for a run of this configuration.
    ///
    /// It is called `name`; if there is one already, `name-2`, `name-3` and so on. Without a name it is called after
    /// the data, with a number.
    ///
    /// # Errors
    ///
    /// If the name is not one, or the folder cannot be made and written.
    pub fn create(runs: &Path, name: Option<&str>, config: &RunConfig) -> Result<Self, Error> {
        let toml = config.to_toml()?;
        if let Some(name) = name
            && (name.is_empty()
                || name.starts_with('.')
                || name.contains(|c: char| c.is_control() || "/\\".contains(c)))
        {
            return Err(Error::Mismatch(format!(
                "{name:?} cannot be the name of a run, which is that of a folder: leave out slashes and a dot in front; \
                 --runs says where the folder is made"
            )));
        }
        if runs.exists() && !runs.is_dir() {
            return Err(Error::Mismatch(format!(
                "could not make the run's folder in {}: that is a file; --runs names a folder",
                runs.display()
            )));
        }
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| Error::Io { doing: "make the run's folder", path, source }
        };
        fs::create_dir_all(runs).map_err(failed(runs))?;
        tidy::abandoned_folders(runs);
        // Made aside, so that a crash leaves either no run or one that opens.
        let mut names =
            (0..).map(|number| runs.join(format!("{}{}-{number}", tidy::NEW, std::process::id())));
        let aside = loop {
            let path = names.next().expect("numbers do not end");
            match fs::create_dir(&path) {
                Ok(()) => break Self { path },
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(&path)(error)),
            }
        };
        // Held until it has its name, so that no other process takes it for one that was left.
        let _lock = tidy::lock(&aside.path);
        let made = fs::create_dir(aside.checkpoints())
            .map_err(failed(&aside.path))
            .and_then(|()| durable::write("write the configuration", &aside.config_path(), toml.as_bytes()))
            .and_then(|()| aside.rename_to_a_free_name(runs, name, &config.data.name()));
        if made.is_err() {
            let _ = fs::remove_dir_all(&aside.path);
        }
        made
    }

    fn rename_to_a_free_name(&self, runs: &Path, name: Option<&str>, data: &str) -> Result<Self, Error> {
        // A file's name may have what the name of a run may not.
        let data: String =
            data.chars().map(|c| if c.is_control() || "/\\".contains(c) { '-' } else { c }).collect();
        let data = data.trim_start_matches('.');
        let data = if data.is_empty() { "data" } else { data };
        let mut names = (2..).map(|number| format!("{}-{number}", name.unwrap_or(data)));
        let mut next = name.map_or_else(|| format!("{data}-1"), str::to_string);
        loop {
            let path = runs.join(&next);
            // Renaming fails where something is in the way, so two runs that start at once cannot take the same name.
            match if path.exists() {
                Err(io::ErrorKind::AlreadyExists.into())
            } else {
                fs::rename(&self.path, &path)
            } {
                Ok(()) => {
                    durable::sync_folder(runs).map_err(|source| Error::Io {
                        doing: "make the run's folder",
                        path: path.clone(),
                        source,
                    })?;
                    return Ok(Self { path });
                }
                Err(_) if path.exists() => next = names.next().expect("numbers do not end"),
                Err(source) => return Err(Error::Io { doing: "make the run's folder", path, source }),
            }
        }
    }

    /// Opens the folder of a run.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let folder = Self { path: path.to_path_buf() };
        if folder.config_path().is_file() {
            return Ok(folder);
        }
        let what = match path {
            _ if path.is_dir() => "has no run.toml: it is not a run's folder",
            _ if path.is_file() => "is a file, not a run's folder",
            _ if path.exists() => "is no folder",
            _ => "is not there",
        };
        Err(Error::Mismatch(format!("the run {} {what}", path.display())))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its name.
    pub fn name(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// The whole configuration, `run.toml`.
    pub fn config(&self) -> Result<RunConfig, Error> {
        RunConfig::read(&self.config_path())
    }

    /// The file of the best weights, once the run has stopped.
    pub fn model_path(&self) -> PathBuf {
        self.path.join("model.safetensors")
    }

    /// The file of the log.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("events.jsonl")
    }

    /// The socket at which the run listens as long as it is under way.
    pub fn control_path(&self) -> PathBuf {
        self.path.join("control.sock")
    }

    /// Whether a process is making the run.
    pub fn is_under_way(&self) -> bool {
        log::is_held(&self.log_path())
    }

    /// Writes the report, `report.html`, in place of the one there may be, and returns where it is.
    ///
    /// # Errors
    ///
    /// If it cannot be written; the one that was there is then untouched.
    pub fn write_report(&self, html: &str) -> Result<PathBuf, Error> {
        let path = self.path.join("report.html");
        durable::write("write the report", &path, html.as_bytes())?;
        Ok(path)
    }

    /// Reads the data of the run, whose configuration is `config`.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not what the run was trained with.
    pub(crate) fn load_data(&self, config: &RunConfig) -> Result<Dataset, Error> {
        let data = config.data.load(config.training.seed).map_err(|error| {
            let run = self.path.display();
            Error::Mismatch(format!("the data of the run {run} cannot be read as it was: {error}"))
        })?;
        match self.data_fingerprint() {
            Some(then) if then != fingerprint(&data) => Err(Error::DataChanged { run: self.path.clone() }),
            _ => Ok(data),
        }
    }

    /// The fingerprint of the data that the run was trained with: by its log, or, where that is of a version that did not
    /// log it, by a checkpoint. None if neither is there; whatever else is wrong with them is for others to say.
    pub(crate) fn data_fingerprint(&self) -> Option<String> {
        log::data_fingerprint(&self.log_path()).or_else(|| {
            let latest_first = self.steps().unwrap_or_default().into_iter().map(|step| self.checkpoint(step));
            let mut all = latest_first.chain([self.start_path()]);
            all.find_map(|path| checkpoint::data_fingerprint(&path).ok())
        })
    }

    /// The state that a branch begins with.
    pub(crate) fn start_path(&self) -> PathBuf {
        self.path.join("start.safetensors")
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("run.toml")
    }

    /// The folder of checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Opens the log, to go on with the run.
    pub(crate) fn log(&self) -> Result<Log, Error> {
        let log = Log::open(self.log_path())?;
        tidy::files_aside(&self.path, false);
        Ok(log)
    }

    /// The steps of the checkpoints there are, the latest first.
    pub(crate) fn steps(&self) -> Result<Vec<u64>, Error> {
        let path = self.checkpoints();
        let run = self.path.display();
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_dir() => {}
            // Checkpoints would be written, and others removed, wherever it leads.
            Ok(about) if about.is_symlink() => {
                return Err(Error::Mismatch(format!(
                    "the folder of checkpoints of the run {run} is a link to elsewhere, which is not followed; put a \
                     folder in its place"
                )));
            }
            _ => {
                return Err(Error::Mismatch(format!(
                    "the run {run} has lost its folder of checkpoints; train again with --config {run}/run.toml"
                )));
            }
        }
        let failed = |source| Error::Io { doing: "look for checkpoints in", path: path.clone(), source };
        let mut steps = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            steps.extend(entry.map_err(failed)?.file_name().to_str().and_then(checkpoint::step_of));
        }
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// Where the checkpoint of a step is.
    pub(crate) fn checkpoint(&self, step: u64) -> PathBuf {
        self.checkpoints().join(checkpoint::file_name(step))
    }

    /// Removes all checkpoints but those of these steps, and what a crash left half-written.
    pub(crate) fn keep(&self, steps: &[u64]) -> Result<(), Error> {
        let path = self.checkpoints();
        let failed = |source| Error::Io { doing: "tidy up", path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let step = name.to_str().and_then(checkpoint::step_of);
            let torn = name.to_str().is_some_and(checkpoint::is_aside);
            if torn || step.is_some_and(|step| !steps.contains(&step)) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}
