//! Short trainings that are thrown away.

use downhill_data::Dataset;
use downhill_optim::{Position, Schedule};

use super::curve::{self, Average};
use crate::session::{self, Session};
use crate::{Config, Error};

/// A training of a few steps from new weights, which are those of the run itself if the seed is.
pub struct Trial<'a> {
    session: Session<'a>,
    config: &'a Config,
    /// Whether a person wants no more of it.
    asked: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Trial<'a> {
    pub fn new(
        config: &'a Config,
        data: &'a Dataset,
        parallel: bool,
        asked: &'a (dyn Fn() -> bool + Sync),
    ) -> Result<Self, Error> {
        Ok(Self { session: Session::new(config, data, parallel)?, config, asked })
    }

    fn step(&mut self, lr: f64, at: Position) -> Result<f64, Error> {
        if (self.asked)() {
            return Err(Error::Interrupted);
        }
        self.session.try_step(lr, session::momentum(self.config, at, (self.session.schedule(), at)))
    }

    /// One step at each of these rates: the losses before them, up to where the loss has clearly blown up: the smoothed one
    /// has come to four times the first.
    pub fn sweep(&mut self, rates: &[f64], whole: Position) -> Result<Vec<f64>, Error> {
        let (beta, mut average) = (curve::beta(rates.len()), Average::default());
        let mut losses: Vec<f64> = Vec::new();
        for &lr in rates {
            let loss = self.step(lr, whole)?;
            if !loss.is_finite() {
                break;
            }
            losses.push(loss);
            if average.take(loss, beta) > 4.0 * losses[0] {
                break;
            }
        }
        Ok(losses)
    }

    /// All of a schedule in so many steps, its rates multiplied by `scale`; the validation loss at the end, if it is a
    /// finite number.
    pub fn rehearse(
        &mut self,
        schedule: &Schedule,
        scale: f64,
        steps: u64,
        whole: Position,
    ) -> Result<Option<f64>, Error> {
        for step in 0..steps {
            // The middle of the part of the run that the step stands for.
            let at = ((step as f64 + 0.5) / steps as f64 * whole.total_steps as f64) as u64;
            let at = Position { step: at, ..whole };
            if !self.step(scale * schedule.at(at), at)?.is_finite() {
                return Ok(None);
            }
        }
        Ok(Some(self.session.validation_loss()?).filter(|loss| loss.is_finite()))
    }

    /// The beginning of the run that it is for.
    pub fn whole(&self) -> Position {
        self.session.position()
    }

    /// The mean training loss of the first guess, which knows nothing.
    pub fn baseline(&self) -> f64 {
        self.session.baseline()
    }

    /// The number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.session.parameters()
    }
}
