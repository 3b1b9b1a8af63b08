//! The other end: a process that steers or watches a run.

use std::io::{self, BufReader, ErrorKind, Write};
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::line::read_line;
use super::protocol::{Status, Took, Watching, read_answer};
use super::socket::{self, Stream};
use crate::error::reason;
use crate::log::{self, Record};
use crate::{Command, Error, RunFolder};

/// A connection with a run that another process makes.
#[derive(Debug)]
pub struct Remote {
    stream: BufReader<Stream>,
    folder: RunFolder,
}

/// What happens in a run, as it does. It ends with the run, or with its process.
#[derive(Debug)]
pub struct Happening(Remote);

impl Remote {
    /// Connects with the process that makes a run; none if there is no such process.
    ///
    /// # Errors
    ///
    /// If there is one, and it does not listen.
    pub fn connect(folder: &RunFolder) -> Result<Option<Self>, Error> {
        match socket::connect(&folder.control_path()) {
            Ok(stream) => Ok(Some(Self { stream: BufReader::new(stream), folder: folder.clone() })),
            // A socket that nobody listens at was left by a process that was killed.
            Err(_) if !folder.is_under_way() => Ok(None),
            Err(error) => Err(Error::Mismatch(format!(
                "the run {} is under way in {}, which cannot be reached by its control.sock: {}",
                folder.path().display(),
                log::holder(&folder.log_path()).unwrap_or_else(|| "another process".into()),
                reason(&error)
            ))),
        }
    }

    /// Tells the run something, and waits for what becomes of it.
    ///
    /// # Errors
    ///
    /// If it refuses, ends before, or does not come to it in time; then it still does it when it comes to it.
    pub fn tell(&mut self, command: &Command, patience: Duration) -> Result<Took, Error> {
        self.ask(&serde_json::to_string(command).expect("commands are plain data"), patience)
    }

    /// Where the run is.
    ///
    /// # Errors
    ///
    /// If it does not answer.
    pub fn status(&mut self, patience: Duration) -> Result<Status, Error> {
        self.ask(r#"{"status":true}"#, patience)
    }

    /// What has happened in the run so far, and what will.
    ///
    /// # Errors
    ///
    /// If it does not answer, or its log cannot be read.
    pub fn watch(mut self, patience: Duration) -> Result<(Vec<Record>, Happening), Error> {
        let Watching { logged } = self.ask(r#"{"watch":true}"#, patience)?;
        let (mut records, _) = log::read(&self.folder.log_path())?;
        records.truncate(logged as usize);
        self.patience(None)?;
        Ok((records, Happening(self)))
    }

    /// Where a view sends what a person tells the run. Nobody waits for it: what becomes of it is an event.
    pub fn sender(folder: &RunFolder, patience: Duration) -> Sender<Command> {
        let (sender, inbox) = mpsc::channel::<Command>();
        let folder = folder.clone();
        std::thread::spawn(move || {
            for command in inbox {
                // One that is not used for long is closed, so each has its own.
                if let Ok(Some(mut run)) = Self::connect(&folder) {
                    let _ = run.tell(&command, patience);
                }
            }
        });
        sender
    }

    fn ask<T: for<'a> Deserialize<'a>>(&mut self, request: &str, patience: Duration) -> Result<T, Error> {
        self.patience(Some(patience))?;
        // One that is refused before it asks still reads why.
        let _ = self.stream.get_mut().write_all(format!("{request}\n").as_bytes());
        let read = read_line(&mut self.stream, Some(Instant::now() + patience));
        let run = self.folder.path().display();
        match read {
            Ok(line) if line.is_empty() => {
                Err(Error::Mismatch(format!("the process of the run {run} ended without an answer")))
            }
            Ok(line) => match read_answer(&line) {
                Ok(answer) => answer.map_err(|why| Error::Mismatch(format!("the run {run}: {why}"))),
                Err(error) => Err(Error::Mismatch(format!(
                    "the process of the run {run} gives an answer that cannot be read ({error}); is it of another version?"
                ))),
            },
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Error::Mismatch(format!(
                    "the run {run} has not come to it in {} s: its steps take long, or its process is suspended; it does it \
                     as soon as it comes to its next step",
                    patience.as_secs()
                )))
            }
            Err(source) => Err(self.failed(source)),
        }
    }

    fn patience(&self, patience: Option<Duration>) -> Result<(), Error> {
        self.stream.get_ref().set_read_timeout(patience).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::Io { doing: "ask the run at", path: self.folder.control_path(), source }
    }
}

impl Iterator for Happening {
    type Item = Result<Record, Error>;

    /// The next event. An error is the last: the run goes on without being watched.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = match read_line(&mut self.0.stream, None) {
                Ok(line) if line.is_empty() => return None,
                Ok(line) => line,
                // A process that is killed may take the connection down with it.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return None,
                Err(source) => return Some(Err(self.0.failed(source))),
            };
            if let Ok(record) = serde_json::from_slice(&line) {
                return Some(Ok(record));
            }
            if let Ok(Err(why)) = read_answer::<Watching>(&line) {
                return Some(Err(Error::Mismatch(why)));
            }
            // An event of a later version is left out.
        }
    }
}
