//! Where a study is kept while it is under way.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::{Error, Event};

/// How long a job is somebody's who does not say that he is alive, unless told otherwise.
pub(crate) const LEASE: Duration = Duration::from_secs(60);

/// What is done with the events that were not read before, while nobody else appends any: it returns those
/// that are to be appended.
pub type Turn<'a> = dyn FnMut(Vec<Event>) -> Result<Vec<Event>, Error> + 'a;

/// Waits until something may have been appended, but no longer than this; returns whether it may.
pub type Bell = Box<dyn FnMut(Duration) -> bool + Send>;

/// Where a study is kept while it is under way: its log of events, to which any number of processes append in
/// turns; claims, which say who makes which job; and what paused trials go on from.
///
/// A log that several processes read is the whole truth: each of them folds it into the same
/// [`History`](crate::History). Claims only save work: if a job is made twice, the first result that is
/// appended counts, and is the same as the second.
pub trait Store: Send {
    /// What the log is called in messages.
    fn log_name(&self) -> String;

    /// Reads the events from the place `from` on, the first having the place 0, and appends what `turn`
    /// returns; nobody else appends anything meanwhile. After an error it may or may not have been appended.
    ///
    /// # Errors
    ///
    /// If the log cannot be read or written, or `turn` fails.
    fn turn(&mut self, from: u64, turn: &mut Turn<'_>) -> Result<(), Error>;

    /// Takes one of the jobs at these places of the logical order that nobody has, the first if it can; none
    /// if all are taken. Whether it is still to be made is only known after the log was read again.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    fn claim(&mut self, open: &[u64]) -> Result<Option<u64>, Error>;

    /// Gives a job back, made or not.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    fn release(&mut self, slot: u64) -> Result<(), Error>;

    /// Keeps the state of a trial after some epochs, from which it may go on.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn save(&mut self, trial: u64, epochs: u64, state: &[u8]) -> Result<(), Error>;

    /// The state of a trial after some epochs, if it is kept.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    fn load(&mut self, trial: u64, epochs: u64) -> Result<Option<Vec<u8>>, Error>;

    /// Forgets the states of trials after fewer epochs than these.
    ///
    /// # Errors
    ///
    /// If they cannot be removed.
    fn forget(&mut self, below: &[(u64, u64)]) -> Result<(), Error>;

    /// How to hear of what other processes append; none where there are no others.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    fn bell(&self) -> Result<Option<Bell>, Error>;

    /// Says that whoever has claimed jobs here is alive, if others take them over otherwise.
    ///
    /// # Errors
    ///
    /// If the store cannot be reached.
    fn renew(&mut self) -> Result<(), Error>;

    /// How often that is to be said.
    fn renewed_every(&self) -> Option<Duration>;
}

/// A study that is kept in memory, by one process.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    events: Vec<Event>,
    states: BTreeMap<(u64, u64), Vec<u8>>,
}

impl Store for Memory {
    fn log_name(&self) -> String {
        "the events of the study".into()
    }

    fn turn(&mut self, from: u64, turn: &mut Turn<'_>) -> Result<(), Error> {
        let new = turn(self.events[from as usize..].to_vec())?;
        self.events.extend(new);
        Ok(())
    }

    fn claim(&mut self, open: &[u64]) -> Result<Option<u64>, Error> {
        Ok(open.first().copied())
    }

    fn release(&mut self, _: u64) -> Result<(), Error> {
        Ok(())
    }

    fn save(&mut self, trial: u64, epochs: u64, state: &[u8]) -> Result<(), Error> {
        self.states.insert((trial, epochs), state.to_vec());
        Ok(())
    }

    fn load(&mut self, trial: u64, epochs: u64) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.states.get(&(trial, epochs)).cloned())
    }

    fn forget(&mut self, below: &[(u64, u64)]) -> Result<(), Error> {
        for &(trial, epochs) in below {
            self.states.retain(|&(other, at), _| other != trial || at >= epochs);
        }
        Ok(())
    }

    fn bell(&self) -> Result<Option<Bell>, Error> {
        Ok(None)
    }

    fn renew(&mut self) -> Result<(), Error> {
        Ok(())
    }

    fn renewed_every(&self) -> Option<Duration> {
        None
    }
}
