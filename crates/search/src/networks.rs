//! The objective that trains networks.

use downhill_data::{Dataset, Task};
use downhill_run::{Classification, Keep, Metrics, Monitor, Regression, Stop};
use downhill_schedule::Schedule;
use downhill_train::{Config, Epoch, Run, Trainer};

use crate::{Error, Goal, Job, Objective, Outcome, Settings};

/// Trains a network with the settings, and gives a metric of the weights that are kept, over the validation
/// rows.
///
/// A trial that is paused is a checkpoint, and goes on with the same bits as if it had never been.
pub struct Networks<'a, C> {
    data: &'a Dataset,
    metric: Monitor,
    configure: C,
}

/// A training that is paused: the schedule, which was found if none was given, and the state of the run.
fn paused(lr: &Schedule, state: &[u8]) -> Vec<u8> {
    let lr = lr.to_string();
    [&(lr.len() as u32).to_le_bytes(), lr.as_bytes(), state].concat()
}

/// The two again, unless the bytes are something else.
fn from_paused(bytes: &[u8]) -> Option<(Schedule, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (lr, state) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    Some((std::str::from_utf8(lr).ok()?.parse().ok()?, state))
}

impl<'a, C: Fn(&Settings) -> Result<Config, Error> + Sync> Networks<'a, C> {
    /// Trains on this data, as `configure` says for some settings.
    ///
    /// # Errors
    ///
    /// If the task has no such metric.
    pub fn new(data: &'a Dataset, metric: Monitor, configure: C) -> Result<Self, Error> {
        // Whether there is such a metric does not depend on its value.
        let some = match data.task() {
            Task::Classification => Metrics::Classification(Classification {
                accuracy: 0.0,
                top_3_accuracy: None,
                balanced_accuracy: 0.0,
                macro_precision: 0.0,
                macro_recall: 0.0,
                macro_f1: 0.0,
                roc_auc: Some(0.0),
                positive: None,
                by_class: None,
                confusion: None,
            }),
            Task::Regression => Metrics::Regression(Regression { rmse: 0.0, mae: 0.0, r2: Some(0.0) }),
        };
        metric.check("the search", &some)?;
        Ok(Self { data, metric, configure })
    }

    /// What is better of its metric.
    pub fn goal(&self) -> Goal {
        if self.metric.gain(1.0, 0.0) > 0.0 { Goal::Maximise } else { Goal::Minimise }
    }

    /// The configuration of a trial, with all that is left to be chosen chosen, and a rate found unless one
    /// is given.
    fn config(&self, settings: &Settings, lr: Option<Schedule>) -> Result<Config, Error> {
        let mut config = (self.configure)(settings)?.resolve(self.data)?.0;
        if lr.is_some() {
            config.lr = lr;
        }
        if config.lr.is_none() {
            config.lr = Some(Trainer::from_config(config.clone()).threads(1).find_lr(self.data)?.schedule);
        }
        Ok(config)
    }

    /// The metric of the weights that are kept if the run stops here.
    fn value(&self, run: &Run<'_>, keep: Keep) -> Result<f64, Error> {
        let kept: Option<&Epoch> = match keep {
            Keep::Best => run.state().best.as_ref().map(|best| &best.epoch),
            Keep::Last => run.last_epoch(),
        };
        let Some(epoch) = kept else { return Ok(f64::NAN) };
        self.metric.check("the search", &epoch.metrics)?;
        Ok(self.metric.of(epoch.valid_loss, &epoch.metrics).unwrap_or(f64::NAN))
    }
}

impl<C: Fn(&Settings) -> Result<Config, Error> + Sync> Objective for Networks<'_, C> {
    fn make(&self, job: Job<'_>, from: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let (lr, state) = from.as_deref().and_then(from_paused).unzip();
        let mut config = self.config(job.settings, lr)?;
        let mut run = Run::new(&config, self.data, false)?;
        if state.is_some_and(|state| run.restore_bytes(state).is_err()) {
            // One that is damaged is made from its start, with the same bits.
            config = self.config(job.settings, None)?;
            run = Run::new(&config, self.data, false)?;
        }
        let steps_per_epoch = run.position().steps_per_epoch;
        let failed = |note: String, epochs| Outcome::Reached {
            value: f64::NAN,
            epochs,
            done: true,
            note: Some(note),
            paused: None,
        };
        let mut stop = None;
        while stop.is_none() && run.state().step < job.until * steps_per_epoch {
            if job.is_interrupted() {
                return Ok(Outcome::Interrupted);
            }
            match run.advance() {
                Ok(over) => stop = over,
                Err(error @ downhill_train::Error::Diverged { .. }) => {
                    let why = error.to_string();
                    let why = why.split(';').next().unwrap_or_default().to_string();
                    return Ok(failed(why, run.state().step / steps_per_epoch));
                }
                Err(error) => return Err(error.into()),
            }
        }
        let note = match stop {
            Some(Stop::EarlyStopping) => Some("stopped early".to_string()),
            Some(Stop::Diverged { lr }) => Some(format!("diverged at a learning rate of {lr:.3e}")),
            Some(Stop::Ended | Stop::Finished | Stop::Interrupted) | None => None,
        };
        // Of one that blew up, the best epoch is kept, whatever else would be.
        let keep = if matches!(stop, Some(Stop::Diverged { .. })) { Keep::Best } else { config.keep };
        let done = stop.is_some() || job.until >= config.epochs;
        let state = match done {
            true => None,
            false => Some(paused(config.lr.as_ref().expect("it was found or given"), &run.to_bytes()?)),
        };
        Ok(Outcome::Reached {
            value: self.value(&run, keep)?,
            epochs: run.state().step / steps_per_epoch,
            done,
            note,
            paused: state,
        })
    }
}
