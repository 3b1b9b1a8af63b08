//! The log of a run: one event a line, only ever appended to.

use std::fs::{self, TryLockError};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::lines::{Lines, Opened};
use crate::{Error, Event, durable, file};

/// The line that a log begins with has no more bytes than these.
const MOST_OF_START: u64 = 1 << 16;

/// An event and when it happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Seconds since 1970, UTC.
    pub time: f64,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// A log open for appending.
#[derive(Debug)]
pub struct Log {
    file: Lines,
    /// Whether a last line was cut off when it was opened.
    torn: bool,
    /// The number of lines it had when it was opened.
    lines: u64,
}

impl Log {
    /// Opens a log, making it if it is not there, and cuts off a last line that was not written to its end.
    ///
    /// As long as it is open, no other process can open it: it stands for the whole run.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        match Lines::open(path.clone(), "run")? {
            Opened::Open { lines: file, text, torn } => {
                sign(&path);
                let lines = text.iter().filter(|&&byte| byte == b'\n').count() as u64;
                Ok(Self { file, torn, lines })
            }
            Opened::Held => {
                let run = path.parent().unwrap_or(&path).to_path_buf();
                Err(Error::UnderWay { run, holder: holder(&path) })
            }
        }
    }

    /// The number of lines it had when it was opened.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// A note on the line that was cut off when the log was opened, if there was one.
    pub fn torn(&self) -> Option<String> {
        let path = self.file.path().display();
        self.torn.then(|| format!("the last line of {path} was torn by a crash and is left out"))
    }

    /// Appends an event, with the time of now.
    ///
    /// # Errors
    ///
    /// If it cannot be written, or the log was deleted or replaced meanwhile.
    pub fn append(&mut self, event: &Event) -> Result<(), Error> {
        let mut line =
            serde_json::to_vec(&Record { time: now(), event: event.clone() }).expect("events are plain data");
        line.push(b'\n');
        self.file.append(&line)
    }

    /// Makes what was appended last.
    ///
    /// # Errors
    ///
    /// If the system cannot.
    pub fn sync(&self) -> Result<(), Error> {
        self.file.sync()
    }
}

/// Whether a process is writing this log.
pub(crate) fn is_held(path: &Path) -> bool {
    file::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The file `holder` beside a log, which names the process that writes it. The lock is what counts; this is
/// for people.
#[derive(Serialize, Deserialize)]
struct Holder {
    pid: u32,
    /// Seconds since 1970, UTC.
    since: f64,
}

/// Two numbers take less.
const MOST_OF_A_HOLDER: u64 = 1000;

fn holder_path(log: &Path) -> PathBuf {
    log.with_file_name("holder")
}

fn sign(log: &Path) {
    let holder = Holder { pid: std::process::id(), since: now() };
    let holder = serde_json::to_vec(&holder).expect("two numbers are plain data");
    // A run need not fail for want of it.
    let _ = durable::write_unsynced(&holder_path(log), &holder);
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = fs::remove_file(holder_path(self.file.path()));
    }
}

/// The process that writes the log at `path`, for a message: `process 1234 (for 5 minutes)`.
pub(crate) fn holder(path: &Path) -> Option<String> {
    let text = file::read_at_most("read", &holder_path(path), MOST_OF_A_HOLDER).ok()?;
    let holder: Holder = serde_json::from_slice(&text).ok()?;
    let minutes = ((now() - holder.since) / 60.0).max(0.0);
    let age = match minutes {
        ..1.0 => "less than a minute".into(),
        ..120.0 => format!("{minutes:.0} min"),
        ..2880.0 => format!("{:.0} hours", minutes / 60.0),
        _ => format!("{:.0} days", minutes / 1440.0),
    };
    Some(format!("process {} (for {age})", holder.pid))
}

/// Seconds since 1970, UTC.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Whether a log tells how its run began.
pub fn begins(records: &[Record]) -> bool {
    matches!(records.first(), Some(Record { event: Event::Start { .. }, .. }))
}

/// The fingerprint of the data that a run was trained with, if its log says it where it begins.
pub fn data_fingerprint(path: &Path) -> Option<String> {
    let mut line = Vec::new();
    BufReader::new(file::open(path).ok()?).take(MOST_OF_START).read_until(b'\n', &mut line).ok()?;
    match serde_json::from_slice::<Record>(&line).ok()?.event {
        Event::Start { data_fingerprint, .. } => data_fingerprint,
        _ => None,
    }
}

/// Reads a log.
///
/// Of a last line that was not written to its end, a warning is all that is left.
///
/// # Errors
///
/// If the file cannot be read, or a line before the last is no event; the line is named.
pub fn read(path: &Path) -> Result<(Vec<Record>, Option<String>), Error> {
    let text = file::read("read the log", path)?;
    let mut records = Vec::new();
    let mut warning = None;
    for (number, line) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        if line.last() != Some(&b'\n') {
            warning = Some(format!("the last line of {} is torn and was left out", path.display()));
            break;
        }
        let record = serde_json::from_slice(line).map_err(|error| Error::Damaged {
            path: path.to_path_buf(),
            why: format!(
                "line {} is no event ({}); take it out, if nobody can mend it",
                number + 1,
                // Where in its one line is said by the column.
                error.to_string().replace(" at line 1 column", " at column")
            ),
        })?;
        records.push(record);
    }
    Ok((records, warning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_left_out_and_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let events = [
            Event::Resume { step: 3, steps_executed: 3, total_steps: 10, steps_per_epoch: 5 },
            Event::Note { text: "two\nlines".into() },
        ];
        let mut log = Log::open(path.clone()).unwrap();
        events.iter().for_each(|event| log.append(event).unwrap());
        drop(log);
        let whole = fs::read(&path).unwrap();
        for end in 0..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let (records, warning) = read(&path).unwrap();
            let lines = whole[..end].iter().filter(|&&byte| byte == b'\n').count();
            assert_eq!(records.len(), lines);
            assert_eq!(warning.is_some(), end > 0 && whole[end - 1] != b'\n');

            let mut log = Log::open(path.clone()).unwrap();
            log.append(&events[0]).unwrap();
            let (records, warning) = read(&path).unwrap();
            assert_eq!(records.len(), lines + 1);
            assert_eq!(records.last().unwrap().event, events[0]);
            assert_eq!(warning, None);
        }
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_log_is_not_written_into_and_what_is_gone_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let victim = folder.path().join("victim");
        fs::write(&victim, "mine").unwrap();
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        let error = Log::open(path.clone()).unwrap_err().to_string();
        assert!(error.ends_with("it is a link to elsewhere, not a file"), "{error}");
        fs::remove_file(&path).unwrap();

        std::os::unix::fs::symlink(&victim, folder.path().join("holder")).unwrap();
        let mut log = Log::open(path.clone()).unwrap();
        assert_eq!(fs::read(&victim).unwrap(), b"mine");
        assert!(holder(&path).is_some_and(|holder| holder.starts_with("process ")));
        let note = Event::Note { text: "x".into() };
        log.append(&note).unwrap();
        fs::rename(&path, folder.path().join("moved")).unwrap();
        let error = log.append(&note).unwrap_err().to_string();
        assert!(error.contains("was deleted or replaced"), "{error}");
        fs::write(&path, "").unwrap();
        assert!(log.append(&note).is_err(), "another file is in its place");
    }

    /// As an older version wrote them, and as this one does: a log that was gone on with has both.
    #[test]
    fn steps_executed_and_commands_are_read_by_their_old_names_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        let events = [
            r#""event":"resume","step":3,"made":7,"total_steps":9,"steps_per_epoch":3"#,
            r#""event":"cut","step":3,"made":7,"scale":0.5,"back_to":null"#,
            r#""event":"rollback","step":3,"made":7,"to":2,"scale":0.5,"cause":"spike""#,
            r#""event":"command","step":3,"made":7,"told":{"command":"undo"},"lr_before":0.1,"lr":0.2"#,
            r#""event":"refused","step":3,"made":7,"told":{"command":"undo"},"why":"no""#,
            r#""event":"stop","step":3,"made":7,"reason":"finished""#,
        ];
        let old: String = events.iter().map(|event| format!("{{\"time\":1.0,{event}}}\n")).collect();
        fs::write(&path, &old).unwrap();
        let (records, _) = read(&path).unwrap();
        let mut log = Log::open(path.clone()).unwrap();
        records.iter().for_each(|record| log.append(&record.event).unwrap());
        let text = fs::read_to_string(&path).unwrap();
        let new = text.strip_prefix(&old).unwrap();
        assert_eq!(new.matches(r#""steps_executed":7"#).count(), events.len(), "{new}");
        assert!(!new.contains("made") && !new.contains("told"), "{new}");
        let (both, _) = read(&path).unwrap();
        let events =
            |records: &[Record]| records.iter().map(|record| record.event.clone()).collect::<Vec<_>>();
        assert_eq!(events(&both), [events(&records), events(&records)].concat());
    }

    #[test]
    fn a_damaged_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl");
        fs::write(&path, "{\"time\":1.0,\"event\":\"resume\",\"step\":3,\"total_steps\":9,\"steps_per_epoch\":3}\nrubbish\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 2"));
    }
}
