//! A run's folder: its configuration, its log, its checkpoints, and what it came to.

mod tidy;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::log::Log;
use crate::{Error, durable, log};

/// The folder of one run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// Whether a text can be the name of a run, which is that of its folder: it is not empty, does not begin with
/// a dot, and has no slashes or control characters.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.starts_with('.') && text.chars().all(is_of_a_name)
}

fn is_of_a_name(character: char) -> bool {
    !character.is_control() && !"/\\".contains(character)
}

impl RunFolder {
    /// Makes a new folder inside `runs`, with this text as its `run.toml`.
    ///
    /// It is called `name`; if there is one already, `name-2`, `name-3` and so on. Without a name it is
    /// called after the data, with a number.
    ///
    /// # Errors
    ///
    /// If the name is not one, or the folder cannot be made and written.
    pub fn create(runs: &Path, name: Option<&str>, data: &str, toml: &str) -> Result<Self, Error> {
        if let Some(name) = name
            && !is_name(name)
        {
            return Err(Error::Name(name.to_string()));
        }
        if runs.exists() && !runs.is_dir() {
            return Err(Error::NotAFolder { path: runs.to_path_buf() });
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
            .and_then(|()| aside.rename_to_a_free_name(runs, name, data));
        if made.is_err() {
            let _ = fs::remove_dir_all(&aside.path);
        }
        made
    }

    fn rename_to_a_free_name(&self, runs: &Path, name: Option<&str>, data: &str) -> Result<Self, Error> {
        // A file's name may have what the name of a run may not.
        let data: String = data.chars().map(|c| if is_of_a_name(c) { c } else { '-' }).collect();
        let data = data.trim_start_matches('.');
        let data = if data.is_empty() { "data" } else { data };
        let mut names = (2..).map(|number| format!("{}-{number}", name.unwrap_or(data)));
        let mut next = name.map_or_else(|| format!("{data}-1"), str::to_string);
        loop {
            let path = runs.join(&next);
            // Renaming fails where something is in the way, so two runs that start at once cannot take the
            // same name.
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

    /// The state that a branch begins with.
    pub fn start_path(&self) -> PathBuf {
        self.path.join("start.safetensors")
    }

    /// The file of the configuration, `run.toml`.
    pub fn config_path(&self) -> PathBuf {
        self.path.join("run.toml")
    }

    /// The folder of the runs that this one consists of, if it is of several networks.
    pub fn members(&self) -> PathBuf {
        self.path.join("members")
    }

    /// The folder of one of them, counted from 0.
    pub fn member(&self, number: usize) -> PathBuf {
        self.members().join(number.to_string())
    }

    /// The folder of checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    /// Opens the log, to go on with the run.
    ///
    /// # Errors
    ///
    /// If it is open in another process, or cannot be opened.
    pub fn log(&self) -> Result<Log, Error> {
        let log = Log::open(self.log_path())?;
        tidy::files_aside(&self.path, false);
        Ok(log)
    }

    /// The steps of the checkpoints there are, the latest first.
    ///
    /// # Errors
    ///
    /// If the folder of checkpoints is not there or cannot be read.
    pub fn steps(&self) -> Result<Vec<u64>, Error> {
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
            _ => return Err(Error::NoCheckpoints { run: self.path.clone() }),
        }
        let failed = |source| Error::Io { doing: "look for checkpoints in", path: path.clone(), source };
        let mut steps = Vec::new();
        for entry in fs::read_dir(&path).map_err(failed)? {
            steps.extend(entry.map_err(failed)?.file_name().to_str().and_then(step_of));
        }
        steps.sort_unstable_by(|a, b| b.cmp(a));
        Ok(steps)
    }

    /// Where the checkpoint of a step is.
    pub fn checkpoint(&self, step: u64) -> PathBuf {
        self.checkpoints().join(checkpoint_name(step))
    }

    /// Removes all checkpoints but those of these steps, and what a crash left half-written.
    ///
    /// # Errors
    ///
    /// If one cannot be removed.
    pub fn keep(&self, steps: &[u64]) -> Result<(), Error> {
        let path = self.checkpoints();
        let failed = |source| Error::Io { doing: "tidy up", path: path.clone(), source };
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let step = name.to_str().and_then(step_of);
            let torn = name.to_str().is_some_and(is_aside);
            if torn || step.is_some_and(|step| !steps.contains(&step)) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(())
    }
}

/// The file name of the checkpoint in front of a step.
pub fn checkpoint_name(step: u64) -> String {
    format!("step-{step:08}.safetensors")
}

/// The step of the file name of a checkpoint.
pub fn step_of(file_name: &str) -> Option<u64> {
    file_name.strip_prefix("step-")?.strip_suffix(".safetensors")?.parse().ok()
}

/// Whether a file was being written in place of a checkpoint.
fn is_aside(file_name: &str) -> bool {
    const END: &str = ".safetensors";
    let checkpoint = file_name.find(END).map(|at| &file_name[..at + END.len()]);
    checkpoint.is_some_and(|name| step_of(name).is_some() && durable::is_aside(file_name, name))
}
