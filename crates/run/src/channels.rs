//! What a run tells and is told, and where it is kept.

use std::collections::VecDeque;
use std::sync::mpsc::Receiver;
#[cfg(unix)]
use std::sync::mpsc::Sender;

use crate::CommandReplay;
#[cfg(unix)]
use crate::control::Control;
#[cfg(unix)]
use crate::error::reason;
use crate::log::Log;
use crate::{Command, Error, Event, Phase, RunFolder, RunState};

/// What looks at a run: called with every event, on the thread that trains.
pub type View = Box<dyn FnMut(&Event) + Send>;

/// What a run tells and is told, and where it is kept.
#[derive(Default)]
pub struct Channels {
    /// What looks at it.
    pub views: Vec<View>,
    /// Where commands come from, if from anywhere.
    pub inbox: Option<Receiver<Command>>,
    /// Commands that came, and are still to be applied.
    waiting: VecDeque<Command>,
    /// The commands of the run's log.
    pub replay: CommandReplay,
    /// The folder that it is kept in, if it is, with its open log.
    pub folder: Option<(RunFolder, Log)>,
}

impl Channels {
    /// Of a run that is kept in this folder and takes commands from `inbox`.
    ///
    /// # Errors
    ///
    /// If the log is open in another process, or cannot be opened.
    pub fn kept(folder: &RunFolder, inbox: Receiver<Command>) -> Result<Self, Error> {
        let folder = Some((folder.clone(), folder.log()?));
        Ok(Self { inbox: Some(inbox), folder, ..Self::default() })
    }

    /// Tells an event, and has a state learn of it: for loops that have no other state.
    ///
    /// # Errors
    ///
    /// If it cannot be logged.
    pub fn tell_and_apply(&mut self, event: &Event, state: &mut RunState) -> Result<(), Error> {
        if event.is_logged() {
            self.tell(event)?;
        } else {
            self.show(event);
        }
        state.apply(event);
        Ok(())
    }

    /// Answers and applies the commands that have come, for loops that have no other state; in a pause, it
    /// waits for the next. Returns the command that is to end the loop, [`Command::Stop`] or
    /// [`Command::End`], if there is one.
    ///
    /// # Errors
    ///
    /// If one cannot be logged.
    pub fn apply_commands(&mut self, state: &mut RunState) -> Result<Option<Command>, Error> {
        loop {
            let command = if state.phase == Phase::Paused { self.wait() } else { self.command() };
            let Some(command) = command else { return Ok(None) };
            if command == Command::Stop {
                return Ok(Some(command));
            }
            let answer = state.answer(command);
            self.tell_and_apply(&answer, state)?;
            if let Event::Command { command: Command::End, .. } = answer {
                return Ok(Some(Command::End));
            }
        }
    }

    /// Lets other processes steer and watch the run as long as what is returned is there, if the run is kept:
    /// what they tell it goes to `commands`, whose other end is the inbox.
    ///
    /// # Errors
    ///
    /// If that cannot be; the error is a note on why.
    #[cfg(unix)]
    pub fn open_control(&mut self, commands: Sender<Command>) -> Result<Option<Control>, String> {
        let Some((folder, log)) = &self.folder else { return Ok(None) };
        let (control, view) =
            Control::open(&folder.control_path(), log.lines(), commands).map_err(|error| {
                format!(
                    "the run cannot be steered from elsewhere: its control.sock cannot be made: {}",
                    reason(&error)
                )
            })?;
        self.views.push(view);
        Ok(Some(control))
    }

    /// Shows an event to the views alone.
    pub fn show(&mut self, event: &Event) {
        self.views.iter_mut().for_each(|view| view(event));
    }

    /// Logs an event, and shows it then.
    ///
    /// # Errors
    ///
    /// If it cannot be logged.
    pub fn tell(&mut self, event: &Event) -> Result<(), Error> {
        if let Some((_, log)) = &mut self.folder {
            log.append(event)?;
        }
        self.show(event);
        Ok(())
    }

    /// Whether there is anybody to tell.
    pub fn is_watched(&self) -> bool {
        self.folder.is_some() || !self.views.is_empty()
    }

    /// The next command, if there is one.
    pub fn command(&mut self) -> Option<Command> {
        self.waiting.pop_front().or_else(|| self.inbox.as_ref()?.try_recv().ok())
    }

    /// The next command, waiting for one; none if there will not be one any more.
    pub fn wait(&mut self) -> Option<Command> {
        self.waiting.pop_front().or_else(|| self.inbox.as_ref()?.recv().ok())
    }

    /// Puts a command back that was taken: it is the next one again.
    pub fn put_back(&mut self, command: Command) {
        self.waiting.push_front(command);
    }

    /// Whether there is a command to stop; the others wait.
    pub fn has_stop(&mut self) -> bool {
        self.waiting.extend(self.inbox.iter().flat_map(Receiver::try_iter));
        self.waiting.contains(&Command::Stop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn commands_wait_in_their_order_behind_a_search() {
        let (sender, inbox) = mpsc::channel();
        let mut channels = Channels { inbox: Some(inbox), ..Channels::default() };
        sender.send(Command::Undo).unwrap();
        assert!(!channels.has_stop());
        sender.send(Command::Stop).unwrap();
        sender.send(Command::End).unwrap();
        assert!(channels.has_stop());
        drop(sender);
        let all: Vec<Command> = std::iter::from_fn(|| channels.command()).collect();
        assert_eq!(all, [Command::Undo, Command::Stop, Command::End]);
        assert_eq!(channels.wait(), None, "nobody is left to send one");
    }
}
