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

impl Job<'_> {
    /// Whether the study is to stop: the job is then given up, and made again when the study goes on.
    pub fn is_interrupted(&self) -> bool {
        (self.interrupted)()
    }
}

/// What a job came to.
#[derive(Clone, Debug)]
pub enum Outcome<P> {
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
        /// What it takes to go on.
        paused: Option<P>,
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
    /// What a trial that is paused goes on from. It may be lost: then the trial is made again from its start.
    type Paused: Send;

    /// Makes a job.
    ///
    /// # Errors
    ///
    /// If the study cannot go on. Settings that come to nothing are no error, but a value that is no number.
    fn make(&self, job: Job<'_>, paused: Option<Self::Paused>) -> Result<Outcome<Self::Paused>, Error>;
}

impl<F: Fn(&Settings) -> f64 + Sync> Objective for F {
    type Paused = ();

    fn make(&self, job: Job<'_>, _: Option<()>) -> Result<Outcome<()>, Error> {
        let value = self(job.settings);
        Ok(Outcome::Reached { value, epochs: job.until, done: true, note: None, paused: None })
    }
}
