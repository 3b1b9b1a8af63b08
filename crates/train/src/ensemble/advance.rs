//! The loop over the runs of several networks.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use downhill_data::Dataset;
use downhill_run::Channels;
use rayon::prelude::*;

use super::together::validation;
use crate::engine::measure_outputs;
use crate::run::Run;
use crate::{Command, Epoch, Error, Event, Stop};

/// The runs of several networks, which go forward together, an epoch at a time.
pub(super) struct Together<'a> {
    pub runs: Vec<Run<'a>>,
    /// Why each is over, if it is.
    stops: Vec<Option<Stop>>,
    /// What each is trained on, or one for all.
    data: &'a [Dataset],
    channels: Channels,
    /// The epochs that have ended in all runs that are not over.
    epochs: u64,
    /// The rows that were trained on when it began.
    rows: u64,
    began: Instant,
}

impl<'a> Together<'a> {
    pub fn new(runs: Vec<Run<'a>>, data: &'a [Dataset], channels: Channels) -> Self {
        let stops: Vec<Option<Stop>> = runs.iter().map(Run::over).collect();
        let ended = |run: &Run<'_>| run.state().step / run.position().steps_per_epoch;
        let all = || runs.iter().zip(&stops);
        let going = all().filter(|(_, stop)| stop.is_none()).map(|(run, _)| ended(run)).min();
        let epochs = going.or_else(|| all().map(|(run, _)| ended(run)).max()).unwrap_or(0);
        let rows = rows(&runs);
        Self { runs, stops, data, channels, epochs, rows, began: Instant::now() }
    }

    /// Tells an event of the whole.
    pub fn tell(&mut self, event: &Event) -> Result<(), Error> {
        Ok(self.channels.tell(event)?)
    }

    /// Shows an event of the whole.
    pub fn show(&mut self, event: &Event) {
        self.channels.show(event);
    }

    pub fn channels_mut(&mut self) -> &mut Channels {
        &mut self.channels
    }

    /// The steps of an epoch: of the last run, which is the longest where they differ.
    pub fn steps_per_epoch(&self) -> u64 {
        self.runs.last().map_or(1, |run| run.position().steps_per_epoch)
    }

    /// The steps of the epochs that have ended.
    pub fn step(&self) -> u64 {
        self.epochs * self.steps_per_epoch()
    }

    /// The length of the longest run in steps, unless it stops early.
    pub fn total_steps(&self) -> u64 {
        let steps_per_epoch = self.steps_per_epoch();
        let epochs = |run: &Run<'_>| run.total_steps() / run.position().steps_per_epoch;
        self.runs.iter().map(epochs).max().unwrap_or(0).saturating_mul(steps_per_epoch)
    }

    /// Advances until all runs are over, or somebody asks to stop; returns why each has stopped, and why the
    /// whole has.
    pub fn complete(&mut self) -> Result<(Vec<Stop>, Stop), Error> {
        while self.stops.iter().any(Option::is_none) {
            let began = Instant::now();
            if self.advance()? {
                let stops = self.stops.iter().map(|stop| stop.unwrap_or(Stop::Interrupted)).collect();
                return Ok((stops, Stop::Interrupted));
            }
            self.epochs += 1;
            if let Some(epoch) = self.epoch(began)? {
                self.channels.tell(&Event::Epoch(epoch))?;
            }
            self.apply_commands()?;
        }
        let stops: Vec<Stop> = self.stops.iter().flatten().copied().collect();
        let any = |wanted: fn(&Stop) -> bool| stops.iter().copied().find(wanted);
        let whole = any(|stop| matches!(stop, Stop::Diverged { .. }))
            .or_else(|| any(|stop| *stop == Stop::Ended))
            .or_else(|| any(|stop| *stop == Stop::Finished))
            .unwrap_or(Stop::EarlyStopping);
        Ok((stops, whole))
    }

    /// Makes the steps of the next epoch of every run; returns whether somebody has asked to stop.
    fn advance(&mut self) -> Result<bool, Error> {
        let Self { runs, stops, channels, epochs, .. } = self;
        let (asked, channels) = (AtomicBool::new(false), Mutex::new(channels));
        let interrupted = || {
            // Whoever finds it taken need not ask as well.
            if let Ok(mut channels) = channels.try_lock()
                && channels.has_stop()
            {
                asked.store(true, Ordering::Relaxed);
            }
            asked.load(Ordering::Relaxed)
        };
        let advance = |(run, stop): (&mut Run<'_>, &mut Option<Stop>)| -> Result<(), Error> {
            let until = (*epochs + 1).saturating_mul(run.position().steps_per_epoch);
            while stop.is_none() && !interrupted() {
                if run.state().step >= until {
                    *stop = run.over();
                    break;
                }
                *stop = run.advance()?;
            }
            Ok(())
        };
        runs.par_iter_mut().zip(stops).with_max_len(1).try_for_each(advance)?;
        Ok(asked.into_inner())
    }

    /// What the average would be if all stopped here; none if not every run has ended an epoch, as after a
    /// rollback of one.
    fn epoch(&mut self, began: Instant) -> Result<Option<Epoch>, Error> {
        let kept: Vec<Option<Vec<f32>>> =
            self.runs.par_iter_mut().with_max_len(1).map(Run::kept_outputs).collect::<Result<_, _>>()?;
        let lasts: Vec<&Epoch> = self.runs.iter().filter_map(Run::last_epoch).collect();
        let Some(outputs) = kept.into_iter().collect::<Option<Vec<_>>>() else { return Ok(None) };
        let loss = self.runs[0].engine().loss();
        let valid = validation(self.data, loss, outputs);
        let encoder = self.data[0].encoder.as_ref();
        let (valid_loss, metrics) =
            measure_outputs(&valid.outputs, valid.width, valid.targets(), loss, encoder, false)?;
        let seconds = began.elapsed().as_secs_f64();
        let rows = self.runs.iter().map(|run| run.engine().data().train.rows() as f64);
        let losses: Vec<f64> = lasts.iter().map(|last| last.train_loss).collect();
        let going = self.stops.iter().position(Option::is_none).unwrap_or(0);
        Ok(Some(Epoch {
            epoch: self.epochs - 1,
            step: self.step(),
            lr: self.runs[going].last_epoch().map_or(0.0, |last| last.lr),
            train_loss: losses.iter().sum::<f64>() / losses.len().max(1) as f64,
            valid_loss,
            metrics,
            // What each keeps is the best of it, and the average is of what all keep.
            best: true,
            seconds,
            rows_per_second: rows.sum::<f64>() / seconds.max(1e-9),
        }))
    }

    /// Applies the commands that have come: all networks may be ended or saved, and nothing else.
    fn apply_commands(&mut self) -> Result<(), Error> {
        let (step, steps_executed) = (self.step(), self.step());
        while let Some(command) = self.channels.command() {
            match command {
                Command::Stop => {
                    // Of the next epoch no step is made.
                    self.channels.put_back(command);
                    return Ok(());
                }
                Command::End | Command::Checkpoint => {
                    for (run, stop) in self.runs.iter_mut().zip(&mut self.stops) {
                        match (&command, &stop) {
                            (_, Some(_)) => {}
                            (Command::End, None) => {
                                run.apply_and_tell(&command)?;
                                *stop = run.over();
                            }
                            (_, None) => run.save()?,
                        }
                    }
                    let lr = self.runs[0].last_epoch().map_or(0.0, |last| last.lr);
                    self.channels.tell(&Event::Command {
                        step,
                        steps_executed,
                        command,
                        lr_before: lr,
                        lr,
                    })?;
                }
                Command::SetLr { .. }
                | Command::Undo
                | Command::SetEpochs { .. }
                | Command::Pause
                | Command::Continue => {
                    let why = "several networks are trained at once: they can be ended or stopped, and not \
                               steered or paused"
                        .into();
                    self.channels.tell(&Event::Refused { step, steps_executed, command, why })?;
                }
            }
        }
        Ok(())
    }

    /// How long it has taken, and how many rows were trained on in a second.
    pub fn speed(&self) -> (f64, Option<f64>) {
        let (seconds, rows) = (self.began.elapsed().as_secs_f64(), rows(&self.runs) - self.rows);
        (seconds, (rows > 0).then(|| rows as f64 / seconds.max(1e-9)))
    }
}

fn rows(runs: &[Run<'_>]) -> u64 {
    runs.iter().map(|run| run.state().rows).sum()
}
