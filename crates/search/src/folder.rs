//! Where a study is kept on one machine: a folder.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use downhill_run::{Lines, durable, explain, file, is_name};

use crate::store::{Bell, LEASE, Turn};
use crate::{Error, Event, Plan, Store};

/// A plan has no more bytes than these.
const MOST_BYTES: u64 = 1 << 20;

/// How often a process looks whether another has appended something.
const LOOKS: Duration = Duration::from_millis(20);

/// The folder of a study: `search.toml`, its [plan](Plan), and `trials.jsonl`, its [events](Event). While it
/// is under way there are besides `claims`, a file for each job that is made, which whoever makes it has
/// locked and touches now and then, and `paused`, what trials go on from.
#[derive(Clone, Debug)]
pub struct StudyFolder {
    path: PathBuf,
    lease: Duration,
}

impl StudyFolder {
    /// Makes a new folder inside `studies`, called `name`, or `name-2` and so on if there is one.
    ///
    /// # Errors
    ///
    /// If the plan makes no study, the name is not that of a folder, or it cannot be made and written.
    pub fn create(studies: &Path, name: &str, plan: &Plan) -> Result<Self, Error> {
        plan.check()?;
        check_name(name)?;
        let text = plan.to_toml()?;
        if studies.exists() && !studies.is_dir() {
            return Err(Error::Mismatch(format!(
                "{} is not a folder, so no study can be kept in it; give another place",
                studies.display()
            )));
        }
        fs::create_dir_all(studies).map_err(failed("make the study's folder", studies))?;
        // Made aside, so that a crash leaves either no study or one that opens.
        let aside = new_folder(|number| studies.join(format!(".new-{}-{number}", std::process::id())))?;
        let made = durable::write("write the plan", &aside.join(PLAN), text.as_bytes())
            .map_err(Error::from)
            .and_then(|()| rename_to_a_free_name(&aside, studies, name));
        if made.is_err() {
            let _ = fs::remove_dir_all(&aside); // the first error is the one to tell
        }
        made.map(|path| Self { path, lease: LEASE })
    }

    /// Opens the folder of a study.
    ///
    /// # Errors
    ///
    /// If it is not one.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let folder = Self { path: path.to_path_buf(), lease: LEASE };
        match folder.plan_path().is_file() {
            true => Ok(folder),
            false => Err(Error::Mismatch(format!(
                "{} is not a study: it has no search.toml; give a folder that a search has made",
                path.display()
            ))),
        }
    }

    /// How long a job is somebody's whose process is there and does not say that it goes on, because it was
    /// stopped; that is said three times as often. Default 60 s. The jobs of a process that has ended are free
    /// at once.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where its plan is.
    pub fn plan_path(&self) -> PathBuf {
        self.path.join(PLAN)
    }

    /// Where its log is.
    pub fn log_path(&self) -> PathBuf {
        self.path.join("trials.jsonl")
    }

    /// Its plan, as it was when the study began.
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

    /// The study as something to be worked on.
    pub fn store(&self) -> impl Store + 'static {
        Open { folder: self.clone(), read: 0, bytes: 0, claims: BTreeMap::new() }
    }
}

const PLAN: &str = "search.toml";

/// Fails if a study cannot be called so.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    if is_name(name) {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "{name:?} cannot be the name of a study, which is that of a folder: leave out slashes and a dot in front"
    )))
}

fn new_folder(name: impl Fn(u64) -> PathBuf) -> Result<PathBuf, Error> {
    for number in 0.. {
        let path = name(number);
        match fs::create_dir(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(failed("make the study's folder", &path)(error)),
        }
    }
    unreachable!("numbers do not end")
}

/// Renaming fails where something is in the way, so that two studies that begin at once cannot take the same
/// name.
fn rename_to_a_free_name(aside: &Path, studies: &Path, name: &str) -> Result<PathBuf, Error> {
    let names = std::iter::once(name.to_string()).chain((2..).map(|number| format!("{name}-{number}")));
    for name in names {
        let path = studies.join(name);
        // An empty folder in the way would be replaced.
        if path.exists() {
            continue;
        }
        match fs::rename(aside, &path) {
            Ok(()) => {
                durable::sync_folder(studies).map_err(failed("make the study's folder", &path))?;
                return Ok(path);
            }
            Err(_) if path.exists() => {}
            Err(error) => return Err(failed("make the study's folder", &path)(error)),
        }
    }
    unreachable!("numbers do not end")
}

fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.to_path_buf();
    move |source| downhill_run::Error::Io { doing, path, source }.into()
}

/// A study's folder that is worked on.
struct Open {
    folder: StudyFolder,
    /// How many events were read, and where the next one begins.
    read: u64,
    bytes: u64,
    /// The jobs that this process makes, with the files that are locked for it.
    claims: BTreeMap<u64, File>,
}

impl Open {
    fn claims_path(&self) -> PathBuf {
        self.folder.path.join("claims")
    }

    fn paused_path(&self) -> PathBuf {
        self.folder.path.join("paused")
    }

    fn state_path(&self, trial: u64, epochs: u64) -> PathBuf {
        self.paused_path().join(format!("{trial}-{epochs}"))
    }

    /// Locks the file of a job, unless somebody has who was heard of since the lease began.
    fn lock(&self, slot: u64) -> io::Result<Option<File>> {
        let path = self.claims_path().join(slot.to_string());
        let open = || OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let mut file = open()?;
        let mut locked = try_lock(&file)?;
        if !locked && self.is_left(&file)? {
            // Only the file that was looked at is moved out of the way, so that two who take a job over at
            // once do not take it from each other. If they do, it is made twice, and the first result counts.
            let aside = self.claims_path().join(format!(".{slot}-{}", std::process::id()));
            match fs::rename(&path, &aside) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                moved => moved?,
            }
            if !is_there(&file, &aside)? {
                fs::rename(&aside, &path)?;
                return Ok(None);
            }
            let _ = fs::remove_file(&aside); // one that stays harms nobody
            file = open()?;
            locked = try_lock(&file)?;
        }
        // Whoever had it may have removed it in between.
        if !locked || !is_there(&file, &path)? {
            return Ok(None);
        }
        file.set_modified(SystemTime::now())?;
        Ok(Some(file))
    }

    /// Whether nobody has said for longer than the lease that the job goes on.
    fn is_left(&self, file: &File) -> io::Result<bool> {
        let said = file.metadata()?.modified()?;
        Ok(said.elapsed().is_ok_and(|since| since > self.folder.lease))
    }

    fn parse(&self, text: &[u8]) -> Result<Vec<Event>, Error> {
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let read = |(at, line): (usize, &[u8])| {
            serde_json::from_slice(line).map_err(|error| Error::Log {
                log: self.log_name(),
                line: self.read as usize + at + 1,
                why: format!("this is no event of a study: {error}"),
            })
        };
        lines.enumerate().map(read).collect()
    }
}

fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(unix)]
fn is_there(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_there(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

impl Store for Open {
    fn log_name(&self) -> String {
        self.folder.log_path().display().to_string()
    }

    fn turn(&mut self, from: u64, turn: &mut Turn<'_>) -> Result<(), Error> {
        if from != self.read {
            (self.read, self.bytes) = (0, 0);
        }
        let (mut lines, text) = Lines::turn(self.folder.log_path(), "study", self.bytes)?;
        let mut events = self.parse(&text)?;
        let skipped = (from - self.read).min(events.len() as u64);
        self.read += events.len() as u64;
        self.bytes += text.len() as u64;
        events.drain(..skipped as usize);
        let new = turn(events)?;
        let mut text = Vec::new();
        for event in &new {
            serde_json::to_writer(&mut text, event)
                .map_err(|error| Error::Mismatch(format!("an event cannot be written: {error}")))?;
            text.push(b'\n');
        }
        if !text.is_empty() {
            lines.append(&text)?;
        }
        self.read += new.len() as u64;
        self.bytes += text.len() as u64;
        Ok(())
    }

    fn claim(&mut self, open: &[u64]) -> Result<Option<u64>, Error> {
        let claims = self.claims_path();
        fs::create_dir_all(&claims).map_err(failed("make the folder", &claims))?;
        for &slot in open {
            if let Some(file) = self.lock(slot).map_err(failed("lock a job in", &claims))? {
                self.claims.insert(slot, file);
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    fn release(&mut self, slot: u64) -> Result<(), Error> {
        if let Some(file) = self.claims.remove(&slot) {
            let path = self.claims_path().join(slot.to_string());
            // Unless somebody has taken it over. Removed while it is locked: whoever waits for it then finds
            // that it is gone.
            if is_there(&file, &path).is_ok_and(|own| own) {
                let _ = fs::remove_file(path); // one that stays harms nobody
            }
            drop(file);
        }
        Ok(())
    }

    fn save(&mut self, trial: u64, epochs: u64, state: &[u8]) -> Result<(), Error> {
        let folder = self.paused_path();
        fs::create_dir_all(&folder).map_err(failed("make the folder", &folder))?;
        let path = self.state_path(trial, epochs);
        Ok(durable::write("keep a paused trial", &path, state)?)
    }

    fn load(&mut self, trial: u64, epochs: u64) -> Result<Option<Vec<u8>>, Error> {
        let path = self.state_path(trial, epochs);
        match path.exists() {
            true => Ok(Some(file::read("read a paused trial", &path)?)),
            false => Ok(None),
        }
    }

    fn forget(&mut self, below: &[(u64, u64)]) -> Result<(), Error> {
        let below: BTreeMap<u64, u64> = below.iter().copied().collect();
        let folder = self.paused_path();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed("look into the folder", &folder)(error)),
        };
        for entry in entries.flatten() {
            let goes = parts(&entry.file_name())
                .is_some_and(|(trial, epochs)| below.get(&trial).is_some_and(|&below| epochs < below));
            if goes {
                let _ = fs::remove_file(entry.path()); // another process may have done so
            }
        }
        Ok(())
    }

    fn bell(&self) -> Result<Option<Bell>, Error> {
        let (path, mut length) = (self.folder.log_path(), 0);
        Ok(Some(Box::new(move |most| {
            std::thread::sleep(LOOKS.min(most));
            let now = fs::metadata(&path).map_or(0, |about| about.len());
            std::mem::replace(&mut length, now) != now
        })))
    }

    fn renew(&mut self) -> Result<(), Error> {
        for (slot, file) in &self.claims {
            let path = || self.claims_path().join(slot.to_string());
            file.set_modified(SystemTime::now())
                .map_err(|error| failed("touch a job's file", &path())(error))?;
        }
        Ok(())
    }

    /// The system gives the lock of a process that has ended back at once, but not that of one that is
    /// stopped.
    fn renewed_every(&self) -> Option<Duration> {
        Some(self.folder.lease / 3)
    }
}

impl Drop for Open {
    /// A study that is over leaves no empty folders behind.
    fn drop(&mut self) {
        for slot in self.claims.keys().copied().collect::<Vec<_>>() {
            let _ = self.release(slot);
        }
        let _ = fs::remove_dir(self.claims_path());
        let _ = fs::remove_dir(self.paused_path());
    }
}

/// The trial and the epochs in the name of a state's file.
fn parts(name: &OsStr) -> Option<(u64, u64)> {
    let (trial, epochs) = name.to_str()?.split_once('-')?;
    Some((trial.parse().ok()?, epochs.parse().ok()?))
}
