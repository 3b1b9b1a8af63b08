//! `downhill set-lr`, `undo`, `pause`, `continue`, `stop`, `end`, `checkpoint`: steering a run that another
//! process makes.

use std::time::Duration;

use downhill::train::control::{Remote, Took};
use downhill::train::{Command, Event, RunFolder, Stop, log};
use serde::Serialize;

use crate::args::{Format, SteerArgs};
use crate::{Failure, evaluate, output};

/// How long a run has for coming to its next step, and for a checkpoint.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What became of a command.
#[derive(Serialize)]
struct Done<'a> {
    run: String,
    #[serde(flatten)]
    command: &'a Command,
    #[serde(flatten)]
    took: &'a Took,
}

pub fn steer(options: &SteerArgs, command: &Command, format: Format) -> Result<(), Failure> {
    let folder = evaluate::open(&options.run, &options.runs.runs)?;
    let Some(mut remote) = Remote::connect(&folder)? else {
        return Err(Failure::Message(format!("no process is making {}", how_it_ended(&folder))));
    };
    let took = remote.tell(command, PATIENCE)?;
    let run = folder.path().display().to_string();
    match format {
        Format::Text => output::print(&format!("{}\n", text(&run, command, &took))),
        Format::Json => output::print_json(&Done { run, command, took: &took }),
        Format::Csv => output::print_flat_csv(&Done { run, command, took: &took }),
    }
}

fn text(run: &str, command: &Command, took: &Took) -> String {
    let Took { step, lr_before, lr, .. } = took;
    match (command, lr_before, lr) {
        (Command::SetLr { .. } | Command::Undo, Some(before), Some(lr)) => {
            format!("{run}: the rate was {before:.3e} and is {lr:.3e} from step {step} on")
        }
        (Command::Pause, ..) => {
            format!("{run}: paused before step {step}; go on with: downhill continue {run}")
        }
        (Command::Continue, ..) => format!("{run}: goes on with step {step}"),
        (Command::Checkpoint, ..) => format!("{run}: saved before step {step}"),
        (Command::Stop, ..) => {
            format!("{run}: saved and stopped before step {step}; go on with: downhill resume {run}")
        }
        (Command::End, ..) => format!("{run}: ends after {}", output::count(*step, "step")),
        _ => format!("{run}: done before step {step}"),
    }
}

/// A run that no process makes, and how it ended.
pub fn how_it_ended(folder: &RunFolder) -> String {
    let run = folder.path().display();
    let records = match log::read(&folder.log_path()) {
        Ok((records, _)) => records,
        Err(error) if folder.log_path().exists() => return format!("the run {run}: {error}"),
        Err(_) => Vec::new(),
    };
    let last = records.iter().rev().find(|record| {
        matches!(record.event, Event::Start { .. } | Event::Resume { .. } | Event::Stop { .. })
    });
    let how = match last.map(|record| &record.event) {
        Some(Event::Stop { step, reason, .. }) => {
            let step = output::count(*step, "step");
            match reason {
                Stop::Finished => format!("it finished after {step}"),
                Stop::EarlyStopping => format!("it stopped early after {step}"),
                Stop::Ended => format!("it was ended after {step}"),
                Stop::Diverged { lr } => {
                    format!("its loss stopped being a finite number after {step}, at a rate of {lr:.3e}")
                }
                Stop::Interrupted => {
                    format!("it was interrupted after {step}; go on with: downhill resume {run}")
                }
            }
        }
        Some(_) => format!("it was cut off; go on with: downhill resume {run}"),
        None => format!("it has not begun; begin with: downhill resume {run}"),
    };
    format!("the run {run}: {how}")
}
