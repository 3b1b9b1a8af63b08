//! Doing what a run is told.

use std::time::{Duration, Instant};

use super::{Outside, Session, check_momentum};
use crate::script::Script;
use crate::{Command, Error, Event, Stop};

impl Session<'_> {
    /// Does what the run was told by its log at this step, and then what it is told now; why it is to stop, if it is.
    pub(super) fn obey(&mut self, outside: &mut Outside, began: &mut Instant) -> Result<Option<Stop>, Error> {
        self.obey_log(outside);
        let mut paused: Option<Instant> = None;
        loop {
            let command = if paused.is_some() { outside.wait() } else { outside.command() };
            let Some(command) = command else { break };
            if let Command::Stop = command {
                *began += paused.map_or(Duration::ZERO, |since| since.elapsed());
                self.take_time(began);
                return Ok(Some(Stop::Interrupted));
            }
            if let Err(why) = self.check(&command) {
                let (step, made) = (self.progress.step, self.progress.made);
                outside.tell(&Event::Refused { step, made, told: command, why })?;
                continue;
            }
            self.do_as_told(outside, &command)?;
            match command {
                Command::Pause => _ = paused.get_or_insert_with(Instant::now),
                Command::Continue | Command::End => {
                    *began += paused.take().map_or(Duration::ZERO, |since| since.elapsed());
                }
                Command::Checkpoint => {
                    // A pause takes no time.
                    if let Some(since) = &mut paused {
                        *began += since.elapsed();
                        *since = Instant::now();
                    }
                    self.take_time(began);
                    self.save(outside)?;
                }
                _ => {}
            }
            if let Command::End = command {
                self.take_time(began);
                break;
            }
        }
        Ok(None)
    }

    /// Does what the run was told by its log at this step.
    fn obey_log(&mut self, outside: &mut Outside) {
        let commands = self.progress.commands;
        while let Some(command) = outside.script.due(self.progress.made) {
            self.apply(&command);
        }
        if self.progress.commands > commands {
            self.show_plan(outside);
        }
    }

    /// Does what a run that goes on is told to begin with.
    ///
    /// # Errors
    ///
    /// If it cannot be done.
    pub fn obey_first(&mut self, outside: &mut Outside, commands: &[Command]) -> Result<(), Error> {
        self.obey_log(outside);
        for command in commands {
            self.check(command).map_err(Error::Mismatch)?;
            self.do_as_told(outside, command)?;
        }
        Ok(())
    }

    /// Fails if what a run that goes on is to begin with cannot be done. It does nothing yet.
    pub fn check_first(&mut self, script: &Script, commands: &[Command]) -> Result<(), Error> {
        let (progress, unsaved) = (self.progress.clone(), self.unsaved);
        let mut script = script.clone();
        while let Some(command) = script.due(self.progress.made) {
            self.apply(&command);
        }
        let mut refused = Ok(());
        for command in commands {
            refused = refused.and_then(|()| self.check(command).map_err(Error::Mismatch));
            self.apply(command);
        }
        (self.progress, self.unsaved) = (progress, unsaved);
        refused
    }

    /// Why a command cannot be done now.
    pub fn check(&self, command: &Command) -> Result<(), String> {
        let epochs_made = self.progress.step.div_ceil(self.steps_per_epoch);
        let over = self.over().is_some();
        match command {
            Command::SetLr { .. } | Command::Undo if over => Err(format!(
                "the run is over after {epochs_made} epochs, and there is no step left to make at another rate; make it \
                 longer (--epochs), or branch off before its end"
            )),
            Command::SetLr { lr } => {
                let mut steering = self.progress.steering.clone();
                steering.change(lr, self.position());
                let rate = steering.rate(self.lr, self.position());
                lr.is_meant(rate, steering.scale)
            }
            Command::Undo if !self.progress.steering.can_undo() => {
                Err("there is no change of the rate to undo".into())
            }
            Command::SetEpochs { epochs } if *epochs < epochs_made.max(1) || *epochs > 1_000_000_000 => {
                Err(format!(
                    "{epochs} epochs cannot be the length of a run that is in epoch {}; give {} to 1000000000",
                    epochs_made.max(1),
                    epochs_made.max(1)
                ))
            }
            Command::SetEpochs { epochs } => {
                let total = self.steps_per_epoch * epochs;
                check_momentum(self.config, self.steps_per_epoch, total).map_err(|error| error.to_string())
            }
            _ => Ok(()),
        }
    }

    /// Does what can be done, and tells.
    fn do_as_told(&mut self, outside: &mut Outside, command: &Command) -> Result<(), Error> {
        let lr_before = self.rate();
        self.apply(command);
        let (step, made) = (self.progress.step, self.progress.made);
        let (told, lr) = (command.clone(), self.rate());
        outside.tell(&Event::Command { step, made, told, lr_before, lr })?;
        self.show_plan(outside);
        Ok(())
    }

    /// What a command changes in the run.
    fn apply(&mut self, command: &Command) {
        self.progress.commands += 1;
        let position = self.position();
        match command {
            Command::SetLr { lr } => self.progress.steering.change(lr, position),
            Command::Undo => self.progress.steering.undo(),
            Command::End => {
                self.progress.ended = true;
                self.unsaved = true;
            }
            Command::SetEpochs { epochs } => {
                self.progress.epochs = Some(*epochs);
                self.progress.ended = false;
                self.progress.waited = 0;
                if let Some(back) = &mut self.back {
                    back.progress.waited = 0;
                }
            }
            Command::Stop | Command::Pause | Command::Continue | Command::Checkpoint => {}
        }
    }

    /// Takes the time of an epoch that may not be over.
    fn take_time(&mut self, began: &mut Instant) {
        if !self.is_between_epochs() {
            self.progress.epoch_seconds += began.elapsed().as_secs_f64();
            self.unsaved = true;
        }
        *began = Instant::now();
    }
}
