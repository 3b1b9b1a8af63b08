//! Where a study is kept: a folder with its plan and its log.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use downhill_run::{Lines, Opened, durable, explain, file, is_name};

use crate::{Error, Event, Plan};

/// A plan has no more bytes than these.
const MOST_BYTES: u64 = 1 << 20;

/// The folder of a study: `search.toml`, its [plan](Plan), and `trials.jsonl`, its [events](Event).
#[derive(Clone, Debug)]
pub struct StudyFolder {
    path: PathBuf,
}

impl StudyFolder {
    /// Makes a new folder inside `studies`, called `name`, or `name-2` and so on if there is one.
    ///
    /// # Errors
    ///
    /// If the plan makes no study, the name is not that of a folder, or it cannot be made and written.
    pub fn create(studies: &Path, name: &str, plan: &Plan) -> Result<Self, Error> {
        plan.check()?;
        if !is_name(name) {
            return Err(Error::Mismatch(format!(
                "{name:?} cannot be the name of a study, which is that of a folder: leave out slashes and \
                 a dot in front"
            )));
        }
        let text = toml::to_string(plan)
            .map_err(|error| Error::Mismatch(format!("the plan cannot be written as TOML: {error}")))?;
        fs::create_dir_all(studies).map_err(failed("make the study's folder", studies))?;
        let mut names =
            std::iter::once(name.to_string()).chain((2..).map(|number| format!("{name}-{number}")));
        let path = loop {
            let path = studies.join(names.next().expect("numbers do not end"));
            match fs::create_dir(&path) {
                Ok(()) => break path,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed("make the study's folder", &path)(error)),
            }
        };
        let folder = Self { path };
        durable::write("write the plan", &folder.plan_path(), text.as_bytes())?;
        Ok(folder)
    }

    /// Opens the folder of a study.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let folder = Self { path: path.to_path_buf() };
        match folder.plan_path().is_file() {
            true => Ok(folder),
            false => Err(Error::Mismatch(format!(
                "{} is not a study: it has no search.toml; give a folder that a search has made",
                path.display()
            ))),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its plan is.
    pub fn plan_path(&self) -> PathBuf {
        self.path.join("search.toml")
    }

    /// Where its log is.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("trials.jsonl")
    }

    /// Its plan.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or makes no study.
    pub fn plan(&self) -> Result<Plan, Error> {
        let path = self.plan_path();
        let wrong = |why: String| Error::Mismatch(format!("{}: {why}", path.display()));
        let bytes = file::read_at_most("read the plan", &path, MOST_BYTES)?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("this is not UTF-8 text".into()))?;
        let plan: Plan = toml::from_str(&text).map_err(|error| wrong(explain(&text, &error)))?;
        plan.check()?;
        Ok(plan)
    }

    /// Opens the log, and reads what is in it. No other process can open it meanwhile. A last line that a
    /// crash has cut off is taken away.
    pub(crate) fn log(&self) -> Result<(Log, Vec<Event>), Error> {
        let path = self.log_path();
        let (file, text) = match Lines::open(path.clone(), "study")? {
            Opened::Open { lines, text, .. } => (lines, text),
            Opened::Held => {
                return Err(Error::Mismatch(format!(
                    "the study {} is under way in another process; wait for it, or stop it",
                    self.path.display()
                )));
            }
        };
        let lines = text.split(|&byte| byte == b'\n').enumerate();
        let events = lines
            .filter(|(_, line)| !line.is_empty())
            .map(|(at, line)| {
                serde_json::from_slice(line).map_err(|error| Error::Log {
                    path: path.clone(),
                    line: at + 1,
                    why: format!("this is no event of a study: {error}"),
                })
            })
            .collect::<Result<_, _>>()?;
        Ok((Log { file }, events))
    }
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| downhill_run::Error::Io { doing, path, source }.into()
}

/// The log of a study that is under way, locked as long as this is there.
pub(crate) struct Log {
    file: Lines,
}

impl Log {
    /// Appends events, all at once.
    pub fn append(&mut self, events: &[&Event]) -> Result<(), Error> {
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, event)
                .map_err(|error| Error::Mismatch(format!("an event cannot be written: {error}")))?;
            text.push(b'\n');
        }
        Ok(self.file.append(&text)?)
    }

    /// Makes what was written last.
    pub fn sync(&self) -> Result<(), Error> {
        Ok(self.file.sync()?)
    }
}
