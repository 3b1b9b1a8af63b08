//! The end of an epoch: it is measured, and early stopping, the plateau and the guard look at what it came
//! to.

use super::{Best, Progress, Run, StepOutcome, Weights};
use crate::{Cause, EarlyStopping, Epoch, Error, Event, Metrics, Monitor, Plateau};

/// The figure of an epoch that something watches.
fn watched(monitor: Monitor, loss: f64, metrics: &Metrics) -> Result<f64, Error> {
    monitor
        .of(loss, metrics)
        .ok_or_else(|| Error::Mismatch(format!("`{}` cannot be watched: it is not a number", monitor.name())))
}

impl Progress {
    /// Ends an epoch of `rows` rows with these figures.
    fn end_epoch(
        &mut self,
        (epoch, rows, lr): (u64, u64, f64),
        valid_loss: f64,
        metrics: Metrics,
        stopping: EarlyStopping,
    ) -> Result<Epoch, Error> {
        let score = watched(stopping.monitor(), valid_loss, &metrics)?;
        let best = self.best.as_ref().is_none_or(|best| stopping.better(score, best.score));
        let seconds = std::mem::take(&mut self.epoch_seconds);
        let ended = Epoch {
            epoch,
            step: self.step,
            lr,
            train_loss: std::mem::take(&mut self.loss_sum) / rows as f64,
            valid_loss,
            metrics,
            best,
            seconds,
            // A clock may stand still, and the log has no word for infinity.
            rows_per_second: rows as f64 / seconds.max(1e-9),
        };
        self.seconds += seconds;
        self.rows += rows;
        if best {
            self.waited = 0;
            self.best = Some(Best { score, epoch: ended.clone() });
        } else {
            self.waited += 1;
        }
        Ok(ended)
    }
}

impl Run<'_> {
    /// Measures an epoch that has ended with a step, and does what the policies decide; returns what is wrong
    /// with the run, if something is.
    pub(super) fn end_epoch(&mut self, epoch: u64, step: StepOutcome) -> Result<Option<Cause>, Error> {
        let before = self.last.as_ref().map(|epoch| epoch.train_loss);
        let Some(ended) = self.measure_epoch(epoch, step.lr)? else { return Ok(Some(Cause::NotFinite)) };
        self.channels.tell(&Event::Epoch(ended.clone()))?;
        if ended.best && self.config.plateau.backtracks() {
            let Self { best, engine, .. } = self;
            if let Some(best) = best {
                match &mut best.training {
                    Some(training) => engine.training_into(training),
                    None => best.training = Some(engine.training()),
                }
            }
        }
        self.cut_if_due(&ended)?;
        self.last = Some(ended);
        Ok(self.look_back(before, step.loss))
    }

    /// Measures the weights, and keeps them if they are the best so far; nothing if the validation loss is no
    /// number.
    fn measure_epoch(&mut self, epoch: u64, lr: f64) -> Result<Option<Epoch>, Error> {
        let Self { engine, progress, best, best_outputs, config, .. } = self;
        let rows = engine.data().train.rows() as u64;
        engine.with_evaluation_weights(|engine| {
            let (valid_loss, metrics) = engine.measure_validation()?;
            if !valid_loss.is_finite() {
                return Ok(None);
            }
            let ended = progress.end_epoch((epoch, rows, lr), valid_loss, metrics, config.early_stopping)?;
            if ended.best {
                match best {
                    Some(weights) => weights.take(engine.model()),
                    None => *best = Some(Weights::of(engine.model())),
                }
                engine.swap_outputs(best_outputs);
            }
            Ok(Some(ended))
        })
    }

    /// Cuts the rate if the plateau decides to, and goes back to the best epoch if it does that.
    fn cut_if_due(&mut self, ended: &Epoch) -> Result<(), Error> {
        let Plateau::Cut(cut) = self.config.plateau else { return Ok(()) };
        if self.over().is_some() {
            return Ok(()); // there is no step left to make with another rate
        }
        let value = watched(cut.metric, ended.valid_loss, &ended.metrics)?;
        let position = self.position();
        let (schedule, place) = self.progress.steering.in_force(&self.lr, position);
        let (scale, rate) = (self.progress.steering.scale, schedule.at(place));
        let Some(scale) = cut.after_epoch(&mut self.progress.watch, value, scale, rate) else {
            return Ok(());
        };
        self.progress.steering.scale = scale;
        let mut back_to = None;
        if let (Some(weights), Some(best), true) = (&self.best, &self.progress.best, cut.backtrack)
            && let Some(training) = &weights.training
        {
            self.engine.restore_training(training);
            self.engine.model_mut().statistics_mut().copy_from_slice(&weights.statistics);
            back_to = Some(best.epoch.epoch);
        }
        let (step, steps_executed) = (self.progress.step, self.progress.steps_executed);
        self.channels.tell(&Event::Cut { step, steps_executed, scale, back_to })?;
        self.show_plan();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Stop;
    use crate::run::tests::{config, events, iris};

    #[test]
    fn the_best_epoch_is_the_one_with_the_lowest_loss_and_its_weights_are_kept() {
        let data = iris();
        let config = config(&data, |config| {
            (config.epochs, config.ema) = (6, Some(0.0));
            // Ever higher, so that the last is not the best.
            config.lr = Some("linear(0.001, end=0.3)".parse().unwrap());
        });
        let mut run = Run::new(&config, &data, false).unwrap();
        let mut weights = Vec::new();
        let mut epochs: Vec<Epoch> = Vec::new();
        while run.advance().unwrap().is_none() {
            let ended = run.last_epoch().filter(|last| last.step == run.state().step);
            if let Some(ended) = ended {
                epochs.push(ended.clone());
                weights.push(run.engine().model().params().to_vec());
            }
        }
        assert_eq!(epochs.len(), 6);
        let lowest = (0..6).min_by(|&a, &b| epochs[a].valid_loss.total_cmp(&epochs[b].valid_loss)).unwrap();
        let best = run.state().best.as_ref().unwrap();
        assert_eq!(best.epoch, epochs[lowest]);
        assert_eq!(run.best.as_ref().unwrap().params, weights[lowest]);
        assert_eq!(run.state().waited, 5 - lowest as u64);
        assert_eq!(run.state().rows, 6 * data.train.rows() as u64);
    }

    #[test]
    fn early_stopping_ends_a_run_that_gets_no_better() {
        let data = iris();
        let config = config(&data, |config| {
            config.early_stopping = "after(2, min-delta=0.1)".parse().unwrap();
            config.lr = Some("1e-9".parse().unwrap());
            config.epochs = 20;
        });
        let mut run = Run::new(&config, &data, false).unwrap();
        let stop = loop {
            if let Some(stop) = run.advance().unwrap() {
                break stop;
            }
        };
        assert_eq!((stop, run.last_epoch().unwrap().epoch), (Stop::EarlyStopping, 2));
    }

    #[test]
    fn a_cut_that_backtracks_goes_to_the_best_epoch() {
        let data = iris();
        let config = config(&data, |config| {
            config.plateau = "cut(0.5, patience=0, backtrack=true)".parse().unwrap();
            (config.epochs, config.ema) = (12, Some(0.0));
            config.lr = Some("0.3".parse().unwrap());
        });
        let mut run = Run::new(&config, &data, false).unwrap();
        let seen = events(&mut run);
        let mut cuts = 0;
        while run.advance().unwrap().is_none() {
            let cut = |event: &Event| match event {
                Event::Cut { scale, back_to, .. } => Some((*scale, *back_to)),
                _ => None,
            };
            let all: Vec<_> = seen.lock().unwrap().iter().filter_map(cut).collect();
            if all.len() > cuts {
                cuts = all.len();
                assert_eq!(all[cuts - 1].0, 0.5f64.powi(cuts as i32));
                assert_eq!(all[cuts - 1].1, run.state().best.as_ref().map(|best| best.epoch.epoch));
                let best = run.best.as_ref().unwrap();
                assert_eq!(Some(&run.engine().training()), best.training.as_ref());
                assert_eq!(run.engine().model().params(), best.params);
                assert_eq!(run.state().steering.scale, all[cuts - 1].0);
            }
        }
        assert!(cuts > 0);
    }
}
