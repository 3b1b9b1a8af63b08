//! What a study minimises or maximises.

use crate::{Error, Settings};

/// A part of a trial: from where it is, or its start, to an epoch.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// The number of the trial, counted from 0.
    pub number: u64,
    /// What is tried.
    pub settings: &'a Settings,
    /// The epoch, counted from the start of the trial, at which it is judged.
    pub until: u64,
    pub(crate) interrupted: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Job<'a> {
    /// A job outside of a study: `settings` up to the epoch `until`, given up once `interrupted` says so.
    pub fn new(
        number: u64,
        settings: &'a Settings,
        until: u64,
        interrupted: &'a (dyn Fn() -> bool + Sync),
    ) -> Self {
        Self { number, settings, until, interrupted }
    }

    /// Whether the study is to stop: the job is then given up, and made again when the study goes on.
    pub fn is_interrupted(&self) -> bool {
        (self.interrupted)()
    }
}

/// What a job came to.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It came to its epoch, or to the trial's end.
    Reached {
        /// The value of what the trial keeps; a trial whose value is no finite number has failed.
        value: f64,
        /// How many epochs the trial has made.
        epochs: u64,
        /// Whether it is over.
        done: bool,
        /// What a person should know of it.
        note: Option<String>,
        /// What it takes to go on from there, in this process or another.
        paused: Option<Vec<u8>>,
    },
    /// It was given up because the study is to stop.
    Interrupted,
}

/// What a study minimises or maximises: any function of settings, or something that is made in parts, as a
/// training is.
///
/// A study can be repeated if the value is a function of the settings, the epochs and the number of the
/// trial.
pub trait Objective: Sync {
    /// Makes a job, from what an earlier one of the trial returned to go on from. That may be lost: then it
    /// is made from the start of the trial.
    ///
    /// # Errors
    ///
    /// If the study cannot go on. Settings that come to nothing are no error, but a value that is no number.
    fn make(&self, job: Job<'_>, paused: Option<Vec<u8>>) -> Result<Outcome, Error>;
}

impl<F: Fn(&Settings) -> f64 + Sync> Objective for F {
    fn make(&self, job: Job<'_>, _: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let value = self(job.settings);
        Ok(Outcome::Reached { value, epochs: job.until, done: true, note: None, paused: None })
    }
}
