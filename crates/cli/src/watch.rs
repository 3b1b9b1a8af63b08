//! `downhill watch`: looking at a run that another process makes.

use clap::Args;
use downhill::train::control::Remote;
use downhill::train::log::Record;
use downhill::train::{Event, RunFolder, Stop, log};

use crate::args::{Format, SteerArgs, ViewArgs};
use crate::control::{PATIENCE, how_it_ended};
use crate::dashboard::{self, Action};
use crate::{Failure, bar, evaluate, output, view};

#[derive(Args)]
pub struct WatchArgs {
    #[command(flatten)]
    pub run: SteerArgs,

    #[command(flatten)]
    pub view: ViewArgs,
}

pub fn watch(options: &WatchArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let folder = evaluate::open(&options.run.run, &options.run.runs.runs)?;
    let Some(remote) = Remote::connect(&folder)? else {
        return tell_the_end(&folder, format);
    };
    let run = folder.path().display().to_string();
    let detach = move |code| {
        dashboard::give_back();
        bar::leave();
        output::tell(&format!("detached; the run {run} goes on"));
        std::process::exit(code);
    };
    let interrupted = detach.clone();
    ctrlc::set_handler(move || interrupted(130))?;
    let reason = match format {
        Format::Text => {
            let steers = Remote::sender(&folder, PATIENCE);
            let act = move |action| match action {
                Action::Tell(command) => steers.send(command).map_err(|_| "the run is over".to_string()),
                Action::Quit | Action::Interrupt => {
                    detach(if action == Action::Quit { 0 } else { 130 });
                    Ok(())
                }
            };
            let mut view = view::of(options.view.view, quiet, Vec::new(), view::DETACHES, act)?;
            // What is said at the end is said where the view was.
            follow(&folder, remote, move |record| {
                if let Some(view) = &mut view {
                    view(&record.event);
                }
                Ok(())
            })?
        }
        // Plans are for views.
        Format::Json => follow(&folder, remote, |record| match record.event {
            Event::Plan { .. } => Ok(()),
            _ => output::print_json(record),
        })?,
        Format::Csv => return Err(csv()),
    };
    stopped(&folder, reason)
}

/// Shows what has happened in a run so far, and then what happens, up to its end; why it stopped.
fn follow(
    folder: &RunFolder,
    remote: Remote,
    mut show: impl FnMut(&Record) -> Result<(), Failure>,
) -> Result<Stop, Failure> {
    let run = folder.path().display();
    let (past, happening) = remote.watch(PATIENCE)?;
    past.iter().try_for_each(&mut show)?;
    for record in happening {
        let record = record.map_err(|error| {
            Failure::Message(format!("the run {run} goes on, and is not watched any more: {error}"))
        })?;
        show(&record)?;
        if let Event::Stop { reason, .. } = record.event {
            return Ok(reason);
        }
    }
    Err(Failure::Message(format!(
        "the process that made the run {run} is gone; if it was killed, go on with: downhill resume {run}"
    )))
}

fn stopped(folder: &RunFolder, reason: Stop) -> Result<(), Failure> {
    match reason {
        Stop::Finished | Stop::EarlyStopping | Stop::Ended => {
            output::tell(&how_it_ended(folder));
            Ok(())
        }
        Stop::Interrupted | Stop::Diverged { .. } => Err(Failure::Message(how_it_ended(folder))),
    }
}

/// Shows a run that is not under way.
fn tell_the_end(folder: &RunFolder, format: Format) -> Result<(), Failure> {
    let (records, _) = log::read(&folder.log_path())?;
    match format {
        Format::Text => output::tell("the run is not under way"),
        Format::Json => records.iter().try_for_each(output::print_json)?,
        Format::Csv => return Err(csv()),
    }
    let last = records.iter().rev().find_map(|record| match record.event {
        Event::Stop { reason, .. } => Some(Ok(reason)),
        Event::Start { .. } | Event::Resume { .. } => Some(Err(())),
        _ => None,
    });
    match last {
        Some(Ok(reason)) => stopped(folder, reason),
        _ => Err(Failure::Message(how_it_ended(folder))),
    }
}

fn csv() -> Failure {
    Failure::Usage("events have different fields and are no table; take --format json".into())
}
