//! Which view of a run a person gets.

use std::io::{self, IsTerminal};

use downhill::prelude::Event;
use terminal_size::terminal_size_of;

use crate::args::View;
use crate::dashboard::{Action, Dashboard};
use crate::{Failure, output, progress};

/// What is called with every event of a run.
type Viewer = Box<dyn FnMut(&Event) + Send>;

/// What quitting does, in a word and in a line.
type Quit = [&'static str; 2];
/// Of a run that this process makes, and of one that another makes.
pub const STOPS: Quit = ["stop", "save and stop; Ctrl-C too, and again: at once"];
pub const DETACHES: Quit = ["leave", "look no more; the run goes on. Ctrl-C too"];

/// In fewer columns or rows, a bar says as much as a dashboard.
const ROOM: (u16, u16) = (60, 16);

/// The view that is asked for, or else the one that suits where standard error goes; none if nothing is to be
/// shown. A dashboard begins with the past of a run that goes on, and asks `act` to do what its keys say.
pub fn of(
    asked: Option<View>,
    quiet: bool,
    past: Vec<Event>,
    quit: Quit,
    act: impl FnMut(Action) -> Result<(), String> + Send + 'static,
) -> Result<Option<Viewer>, Failure> {
    if quiet {
        return Ok(None);
    }
    let seen = io::stderr().is_terminal();
    let able = std::env::var_os("TERM").is_none_or(|name| name != "dumb");
    let keys = seen && able && io::stdin().is_terminal();
    let roomy = || {
        let size = terminal_size_of(io::stderr());
        size.is_some_and(|(width, height)| width.0 >= ROOM.0 && height.0 >= ROOM.1)
    };
    let usage = |message: &str| Err(Failure::Usage(message.into()));
    let view = match asked {
        Some(View::Dashboard) if !keys => {
            return usage(
                "--view dashboard needs a terminal for standard error and standard input; --view plain does not",
            );
        }
        Some(View::Bar) if !seen => {
            return usage("--view bar needs a terminal for standard error; --view plain does not");
        }
        Some(view) => view,
        None if keys && roomy() && in_front() => View::Dashboard,
        None if seen => View::Bar,
        None => View::Plain,
    };
    Ok(Some(match view {
        View::Dashboard => dashboard(past, quit, act),
        View::Bar => Box::new(progress::bar()),
        View::Plain => Box::new(progress::lines()),
    }))
}

/// Whether keys come to this process: one that is started with `&` is stopped when it takes the terminal.
fn in_front() -> bool {
    #[cfg(unix)]
    return rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|group| group == rustix::process::getpgrp());
    #[cfg(not(unix))]
    return true;
}

fn dashboard(
    past: Vec<Event>,
    quit: Quit,
    act: impl FnMut(Action) -> Result<(), String> + Send + 'static,
) -> Viewer {
    let dashboard = Dashboard::open(quit, act);
    past.iter().for_each(|event| dashboard.feed(event));
    let mut afterwards = Afterwards { dashboard: Some(dashboard), texts: Vec::new() };
    Box::new(move |event| afterwards.see(event))
}

/// A dashboard, and what the bar would have left on the screen: it is said when the dashboard is gone.
struct Afterwards {
    dashboard: Option<Dashboard>,
    texts: Vec<String>,
}

impl Afterwards {
    fn see(&mut self, event: &Event) {
        match event {
            Event::Start { .. } => self.texts.push(progress::beginning(event)),
            // What a person did, that person knows.
            Event::Command { .. } => {}
            event => self.texts.extend(event.text().map(|text| format!("note: {text}"))),
        }
        if let Some(dashboard) = &self.dashboard {
            dashboard.feed(event);
        }
    }
}

impl Drop for Afterwards {
    fn drop(&mut self) {
        self.dashboard = None;
        self.texts.iter().for_each(|text| output::tell(text));
    }
}
