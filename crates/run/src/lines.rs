//! A file of lines that is only ever appended to, by one process at a time: the log of a run; or by several
//! in turns: that of a study.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::{Error, file};

/// Nobody has the file for himself as long as this where all take turns.
const LONGEST_TURN: Duration = Duration::from_secs(30);

/// Such a file, open and locked: as long as this is there, no other process can open it for writing.
#[derive(Debug)]
pub struct Lines {
    path: PathBuf,
    file: File,
    /// What the lines are of, for messages: a `run`, a `study`.
    of: &'static str,
}

/// What opening the file came to.
#[derive(Debug)]
pub enum Opened {
    /// It is open.
    Open {
        /// The file.
        lines: Lines,
        /// What is in it: whole lines, each with its end.
        text: Vec<u8>,
        /// Whether a last line that was not written to its end was cut off.
        torn: bool,
    },
    /// Another process has it open.
    Held,
}

impl Lines {
    /// Opens the file, making it if it is not there, and cuts off a last line that was not written to its
    /// end. `of` says what the lines are of, for messages.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or is no file; a link to one is not followed.
    pub fn open(path: PathBuf, of: &'static str) -> Result<Opened, Error> {
        let open = || -> io::Result<Option<(File, Vec<u8>, bool)>> {
            let mut file = file::append(&path)?;
            match lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let mut text = Vec::new();
            file.read_to_end(&mut text)?;
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            file.set_len(whole as u64)?;
            let torn = whole < text.len();
            text.truncate(whole);
            Ok(Some((file, text, torn)))
        };
        match open() {
            Ok(Some((file, text, torn))) => Ok(Opened::Open { lines: Self { path, file, of }, text, torn }),
            Ok(None) => Ok(Opened::Held),
            Err(source) => Err(Error::Io { doing: "open the log", path, source }),
        }
    }

    /// Opens the file for as long as it takes to look at its end and append to it, among several processes
    /// that do so in turns. Returns what is in it from the byte `from` on, in whole lines; a last line that
    /// was not written to its end is cut off.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open); if the file has fewer bytes than it had, or another process has it for itself
    /// and does not end its turn.
    pub fn turn(path: PathBuf, of: &'static str, from: u64) -> Result<(Self, Vec<u8>), Error> {
        let gone = |path: &Path| Self::gone(path, of);
        if from > 0 && !path.exists() {
            return Err(gone(&path));
        }
        let began = Instant::now();
        let open = || -> io::Result<Option<(File, Option<Vec<u8>>)>> {
            let mut file = file::append(&path)?;
            loop {
                match file.try_lock() {
                    Ok(()) => break,
                    Err(TryLockError::WouldBlock) if began.elapsed() > LONGEST_TURN => return Ok(None),
                    Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(2)),
                    Err(TryLockError::Error(error)) => return Err(error),
                }
            }
            if file.metadata()?.len() < from {
                return Ok(Some((file, None)));
            }
            let mut text = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            file.read_to_end(&mut text)?;
            let whole = text.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            if whole < text.len() {
                file.set_len(from + whole as u64)?;
                text.truncate(whole);
            }
            Ok(Some((file, Some(text))))
        };
        match open() {
            Ok(Some((file, Some(text)))) => Ok((Self { path, file, of }, text)),
            Ok(Some((_, None))) => Err(gone(&path)),
            Ok(None) => Err(Error::Mismatch(format!(
                "the log {} has been locked by another process for {} s; end that process, which seems to \
                 hang, or to be of an older version",
                path.display(),
                LONGEST_TURN.as_secs()
            ))),
            Err(source) => Err(Error::Io { doing: "open the log", path, source }),
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends lines, each with its end, all at once.
    ///
    /// # Errors
    ///
    /// If they cannot be written, or the file was deleted or replaced meanwhile.
    pub fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        // What is written into a file that has no name any more is lost.
        if !file::is_at(&self.file, &self.path).map_err(|source| self.failed(source))? {
            return Err(Self::gone(&self.path, self.of));
        }
        self.file.write_all(lines).map_err(|source| self.failed(source))
    }

    /// Makes what was appended last.
    ///
    /// # Errors
    ///
    /// If the system cannot.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync_data().map_err(|source| self.failed(source))
    }

    fn gone(path: &Path, of: &str) -> Error {
        Error::Mismatch(format!(
            "the log {} was deleted or replaced while the {of} was under way, which ends it here; what was \
             saved before is untouched",
            path.display()
        ))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io { doing: "write the log", path: self.path.clone(), source }
    }
}

/// Takes the lock that a process holds while it writes a log. Whoever only looks whether it is held has it
/// for a moment, so that it is tried for a little longer.
fn lock(file: &File) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            done => return done,
        }
    }
    file.try_lock()
}
