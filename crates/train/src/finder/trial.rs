//! Short trainings that are thrown away.

use downhill_data::{Dataset, Examples};
use downhill_schedule::{Position, Schedule};

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

    /// One step at each of these rates: the losses before them, up to where the loss has clearly blown up: the smoothed
    /// one has come to four times the first guess's.
    ///
    /// A batch may be easy or hard whatever the weights are, so each loss is given by how far it is from what the first
    /// guess costs on the same rows, on top of what that costs on all: the noise that both share drops out.
    pub fn sweep(&mut self, rates: &[f64], whole: Position) -> Result<Vec<f64>, Error> {
        let (beta, mut average) = (curve::beta(rates.len()), Average::default());
        let baseline = self.session.baseline();
        let mut losses: Vec<f64> = Vec::new();
        for &lr in rates {
            let guess = self.session.first_guess_of_next_step()?;
            let loss = self.step(lr, whole)? - guess + baseline;
            if !loss.is_finite() {
                break;
            }
            losses.push(loss);
            if average.take(loss, beta) > 4.0 * baseline {
                break;
            }
        }
        Ok(losses)
    }

    /// All of a schedule in so many steps, its rates multiplied by `scale`; whether the loss was a finite number all the
    /// way.
    pub fn rehearse(
        &mut self,
        schedule: &Schedule,
        scale: f64,
        steps: u64,
        whole: Position,
    ) -> Result<bool, Error> {
        for step in 0..steps {
            // The middle of the part of the run that the step stands for.
            let at = ((step as f64 + 0.5) / steps as f64 * whole.total_steps as f64) as u64;
            let at = Position { step: at, ..whole };
            if !self.step(scale * schedule.at(at), at)?.is_finite() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The mean losses of so many groups of rows, or of each row if they are fewer; none if one is no finite number.
    pub fn losses(&mut self, rows: &Examples, groups: usize) -> Result<Option<Vec<f64>>, Error> {
        let losses = self.session.losses_of_groups(rows, groups)?;
        Ok(Some(losses).filter(|losses| losses.iter().all(|loss| loss.is_finite())))
    }

    /// The beginning of the run that it is for.
    pub fn whole(&self) -> Position {
        self.session.position()
    }

    /// The number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.session.parameters()
    }
}
