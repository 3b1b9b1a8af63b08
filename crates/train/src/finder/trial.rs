//! Short trainings that are thrown away.

use downhill_data::{Dataset, Examples};
use downhill_schedule::Position;

use super::curve::{self, Average};
use crate::run::{Run, StepRates};
use crate::{Config, Error};

/// A training of a few steps from new weights, which are those of the run itself if the seed is.
pub struct Trial<'a> {
    run: Run<'a>,
    /// Whether a person wants no more of it.
    asked: &'a (dyn Fn() -> bool + Sync),
}

impl<'a> Trial<'a> {
    pub fn new(
        config: &Config,
        data: &'a Dataset,
        parallel: bool,
        asked: &'a (dyn Fn() -> bool + Sync),
    ) -> Result<Self, Error> {
        Ok(Self { run: Run::new(config, data, parallel)?, asked })
    }

    /// Makes a step, and returns the loss before it.
    fn step(&mut self, rates: StepRates) -> Result<f64, Error> {
        if (self.asked)() {
            return Err(Error::Interrupted);
        }
        Ok(self.run.step_at(rates)?.loss)
    }

    /// One step at each of these rates: the losses before them, up to where the loss has clearly blown up:
    /// the smoothed one has come to four times the first guess's.
    ///
    /// A batch may be easy or hard whatever the weights are, so each loss is given by how far it is from what
    /// the first guess costs on the same rows, on top of what that costs on all: the noise that both share
    /// drops out.
    pub fn sweep(&mut self, rates: &[f64]) -> Result<Vec<f64>, Error> {
        let (beta, mut average) = (curve::beta(rates.len()), Average::default());
        let (baseline, start) = (self.run.baseline(), self.start());
        let mut losses: Vec<f64> = Vec::new();
        for &lr in rates {
            let step = self.run.state().step;
            let guess = self.run.engine_mut().first_guess_of(step)?;
            let loss = self.step(self.run.with_rate(lr, start))? - guess + baseline;
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

    /// All of the run's schedule in so many steps, its rates multiplied by `scale`; whether the loss was a
    /// finite number all the way.
    pub fn rehearse(&mut self, scale: f64, steps: u64) -> Result<bool, Error> {
        let start = self.start();
        for step in 0..steps {
            // The middle of the part of the run that the step stands for.
            let at = ((step as f64 + 0.5) / steps as f64 * start.total_steps as f64) as u64;
            let rates = self.run.scheduled_at(Position { step: at, ..start }, scale);
            if !self.step(rates)?.is_finite() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The mean losses of so many groups of rows, or of each row if they are fewer; none if one is no finite
    /// number.
    pub fn losses(&mut self, rows: &Examples, groups: usize) -> Result<Option<Vec<f64>>, Error> {
        let losses = self.run.engine_mut().losses_of_groups(rows, groups)?;
        Ok(Some(losses).filter(|losses| losses.iter().all(|loss| loss.is_finite())))
    }

    /// The beginning of the run that it is for.
    pub fn start(&self) -> Position {
        Position { step: 0, ..self.run.position() }
    }

    /// The number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.run.parameters()
    }
}
