//! Applying the commands that a run is given.

use super::Run;
use crate::momentum::check_momentum;
use crate::{Command, Error, Event, Stop};

impl Run<'_> {
    /// Applies the commands that the run's log has at this step, and then those that have come; returns why
    /// it is to stop, if it is.
    ///
    /// # Errors
    ///
    /// If one cannot be logged, or a checkpoint that one asks for cannot be written.
    pub fn apply_commands(&mut self) -> Result<Option<Stop>, Error> {
        self.apply_logged_commands();
        let mut paused = false;
        loop {
            let command = if paused { self.channels.wait() } else { self.channels.command() };
            let Some(command) = command else { return Ok(None) };
            if let Command::Stop = command {
                return Ok(Some(Stop::Interrupted));
            }
            if let Err(error) = self.check_command(&command) {
                let why = error.to_string();
                let (step, steps_executed) = (self.progress.step, self.progress.steps_executed);
                self.channels.tell(&Event::Refused { step, steps_executed, command, why })?;
                continue;
            }
            self.apply_and_tell(&command)?;
            match command {
                Command::Pause => paused = true,
                Command::Continue => paused = false,
                Command::End => return Ok(None),
                Command::Checkpoint => self.save()?,
                Command::Stop | Command::SetLr { .. } | Command::Undo | Command::SetEpochs { .. } => {}
            }
        }
    }

    /// Applies the commands that the run's log has at this step.
    fn apply_logged_commands(&mut self) {
        let commands = self.progress.commands;
        while let Some(command) = self.channels.replay.due(self.progress.steps_executed) {
            self.apply(&command);
        }
        if self.progress.commands > commands {
            self.show_plan();
        }
    }

    /// Applies the commands that a run that goes on begins with.
    ///
    /// # Errors
    ///
    /// If one cannot be applied.
    pub(crate) fn apply_first_commands(&mut self, commands: &[Command]) -> Result<(), Error> {
        self.apply_logged_commands();
        for command in commands {
            self.check_command(command)?;
            self.apply_and_tell(command)?;
        }
        Ok(())
    }

    /// Fails if the commands that a run that goes on is to begin with cannot be applied. It does nothing yet.
    pub(crate) fn check_first_commands(&mut self, commands: &[Command]) -> Result<(), Error> {
        let (progress, unsaved) = (self.progress.clone(), self.checkpoints.unsaved);
        let mut replay = self.channels.replay.clone();
        while let Some(command) = replay.due(self.progress.steps_executed) {
            self.apply(&command);
        }
        let mut refused = Ok(());
        for command in commands {
            refused = refused.and_then(|()| self.check_command(command));
            self.apply(command);
        }
        (self.progress, self.checkpoints.unsaved) = (progress, unsaved);
        refused
    }

    /// Fails if a command cannot be applied now.
    fn check_command(&self, command: &Command) -> Result<(), Error> {
        let over = self.over().is_some();
        command.check(&self.lr, &self.progress.steering, self.position(), over)?;
        if let Command::SetEpochs { epochs } = command {
            let steps_per_epoch = self.engine.steps_per_epoch();
            check_momentum(&self.config, steps_per_epoch, steps_per_epoch * epochs)?;
        }
        Ok(())
    }

    /// Applies a command that can be, and tells.
    pub(crate) fn apply_and_tell(&mut self, command: &Command) -> Result<(), Error> {
        let lr_before = self.rate();
        self.apply(command);
        let (step, steps_executed) = (self.progress.step, self.progress.steps_executed);
        let (command, lr) = (command.clone(), self.rate());
        self.channels.tell(&Event::Command { step, steps_executed, command, lr_before, lr })?;
        self.show_plan();
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
                self.checkpoints.unsaved = true;
            }
            Command::SetEpochs { epochs } => {
                self.progress.epochs = Some(*epochs);
                self.progress.ended = false;
                self.progress.waited = 0;
                if let Some(point) = &mut self.rollback_point {
                    point.progress.waited = 0;
                }
            }
            Command::Stop | Command::Pause | Command::Continue | Command::Checkpoint => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::run::tests::{config, events, iris};

    #[test]
    fn commands_take_effect_before_the_next_step_and_are_told() {
        let data = iris();
        let mut run = Run::new(&config(&data, |_| {}), &data, false).unwrap();
        let (sender, inbox) = mpsc::channel();
        run.listen(inbox);
        let seen = events(&mut run);
        assert_eq!(run.advance().unwrap(), None);
        let before = run.rate();
        let total = 2 * run.position().steps_per_epoch;
        for command in [
            Command::SetLr { lr: "0.5x".parse().unwrap() },
            Command::Pause,
            Command::Undo,
            Command::Undo,
            Command::Continue,
            Command::SetEpochs { epochs: 2 },
            Command::Stop,
        ] {
            sender.send(command).unwrap();
        }
        assert_eq!(run.advance().unwrap(), Some(Stop::Interrupted));
        assert_eq!((run.state().step, run.state().commands), (1, 5), "no step, and one refused");
        assert_eq!((run.total_steps(), run.state().epochs), (total, Some(2)));
        assert_eq!(run.state().steering.scale, 1.0);
        let seen = seen.lock().unwrap();
        let rates: Vec<(f64, f64)> = seen
            .iter()
            .filter_map(|event| match event {
                Event::Command { lr_before, lr, command: Command::SetLr { .. } | Command::Undo, .. } => {
                    Some((*lr_before, *lr))
                }
                _ => None,
            })
            .collect();
        assert_eq!(rates, [(before, 0.5 * before), (0.5 * before, before)]);
        assert_eq!(seen.iter().filter(|event| matches!(event, Event::Refused { .. })).count(), 1);
    }

    #[test]
    fn commands_to_begin_with_are_checked_without_effect() {
        let data = iris();
        let mut run = Run::new(&config(&data, |_| {}), &data, false).unwrap();
        let half = Command::SetLr { lr: "0.5x".parse().unwrap() };
        let before = run.state().clone();
        // Undo is possible only after the change.
        let check = |run: &mut Run<'_>, commands: &[Command]| run.check_first_commands(commands).is_ok();
        assert!(check(&mut run, &[half.clone(), Command::Undo]));
        assert!(!check(&mut run, &[Command::Undo, half]));
        assert_eq!(run.state(), &before);
    }
}
