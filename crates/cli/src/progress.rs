//! What a person sees while a network is trained.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use downhill::prelude::{Event, Metrics};
use downhill::train::Command;

use crate::bar::Bar;
use crate::output;

/// The view of a run for standard error: a bar in a terminal, plain lines elsewhere.
pub fn view() -> Box<dyn FnMut(&Event) + Send> {
    if std::io::stderr().is_terminal() { Box::new(bar()) } else { Box::new(lines()) }
}

/// One figure by which people follow a run, and what it is called; none where a loop reports none.
pub fn figure(metrics: &Metrics) -> Option<(&str, f64)> {
    match metrics {
        Metrics::Classification(metrics) => Some(("accuracy", metrics.accuracy)),
        Metrics::Regression(metrics) => Some(match metrics.r2 {
            Some(r2) => ("R²", r2),
            None => ("RMSE", metrics.rmse),
        }),
        Metrics::Named(_) => metrics.headline(),
    }
}

/// The same in words.
pub fn headline(metrics: &Metrics) -> String {
    match figure(metrics) {
        Some(("accuracy", share)) => format!("accuracy {:.1}%", 100.0 * share),
        Some(("R²", r2)) => format!("R² {r2:.3}"),
        Some((name, value)) => format!("{} {}", output::visible(name), output::fixed(value)),
        None => String::new(),
    }
}

/// What a run begins with, in a line.
pub fn beginning(event: &Event) -> String {
    let Event::Start { dataset, train_rows, valid_rows, features, classes, .. } = event else {
        return String::new();
    };
    let train = output::count(*train_rows, "row");
    let features = output::count(*features, "feature");
    let task = classes.map_or("regression".into(), |classes| format!("{classes} classes"));
    format!("{dataset}: {train} to train on, {valid_rows} to validate on, {features}, {task}")
}

/// A number of rows in a second, in three digits.
pub fn per_second(rows: f64) -> String {
    match rows {
        _ if !rows.is_finite() => "–".into(),
        _ if rows >= 1e6 => format!("{:.2}M", rows / 1e6),
        _ if rows >= 1e3 => format!("{:.0}k", rows / 1e3),
        _ => format!("{rows:.0}"),
    }
}

/// How fast steps are made: since when without a pause, and from which one on. A watcher does not see every
/// step.
#[derive(Clone, Copy)]
pub struct Pace {
    since: Instant,
    from: u64,
}

impl Pace {
    /// Beginning now, with this step.
    pub fn from(step: u64) -> Self {
        Self { since: Instant::now(), from: step }
    }

    /// The seconds that one step takes, if any was made in front of this one.
    pub fn a_step(self, step: u64, now: Instant) -> Option<f64> {
        let made = step.checked_sub(self.from).filter(|&made| made > 0)?;
        Some(self.seconds(now) / made as f64)
    }

    /// How long it is, in seconds.
    pub fn seconds(self, now: Instant) -> f64 {
        now.saturating_duration_since(self.since).as_secs_f64()
    }

    /// How long the steps up to the end take.
    pub fn left(self, step: u64, end: u64, now: Instant) -> Option<Duration> {
        let seconds = self.a_step(step, now)? * end.saturating_sub(step) as f64;
        Duration::try_from_secs_f64(seconds).ok()
    }
}

/// A time for people: `12 s`, `3:20 min`, `2:05 h`.
pub fn duration(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{}:{:02} min", seconds / 60, seconds % 60),
        seconds => format!("{}:{:02} h", seconds / 3600, seconds / 60 % 60),
    }
}

/// How many epochs a run has.
pub fn epochs(total_steps: u64, steps_per_epoch: u64) -> u64 {
    total_steps / steps_per_epoch.max(1)
}

pub fn bar() -> impl FnMut(&Event) + Send {
    let mut bar = Some(Bar::new());
    let mut total_epochs = 0;
    let mut best = String::new();
    move |event| {
        let Some(shown) = &bar else { return };
        match event {
            Event::Start { total_steps, steps_per_epoch, .. } => {
                shown.above(|| output::tell(&beginning(event)));
                shown.change(|state| (state.length, state.pace) = (Some(*total_steps), Some(Pace::from(0))));
                total_epochs = epochs(*total_steps, *steps_per_epoch);
            }
            Event::Resume { step, total_steps, steps_per_epoch, .. } => {
                shown.change(|state| {
                    (state.position, state.length) = (*step, Some(*total_steps));
                    state.pace = Some(Pace::from(*step));
                });
                total_epochs = epochs(*total_steps, *steps_per_epoch);
            }
            // Not every step of a run that is watched from elsewhere arrives.
            Event::Step { step, .. } => shown.change(|state| state.position = step + 1),
            Event::Rate(_)
            | Event::Note { .. }
            | Event::Cut { .. }
            | Event::Command { .. }
            | Event::Refused { .. }
            | Event::Rollback { .. }
            | Event::Sharpness { .. } => {
                match event {
                    Event::Rollback { to, .. } => shown.change(|state| {
                        (state.position, state.pace) = (*to, Some(Pace::from(*to)));
                    }),
                    Event::Command { step, command: Command::Continue, .. } => {
                        shown.change(|state| state.pace = Some(Pace::from(*step)));
                    }
                    _ => {}
                }
                shown.above(|| event.text().iter().for_each(|text| output::note(text)));
            }
            Event::Epoch(epoch) => {
                if epoch.best {
                    best = format!(" · best {}", epoch.epoch + 1);
                }
                let rows = per_second(epoch.rows_per_second);
                let prefix = format!("epoch {}/{total_epochs} · {rows} rows/s", epoch.epoch + 1);
                let message = format!(
                    "loss {} · validation {} · {}{best} · lr {:.1e}",
                    output::fixed(epoch.train_loss),
                    output::fixed(epoch.valid_loss),
                    headline(&epoch.metrics),
                    epoch.lr,
                );
                let [prefix, message] = [prefix, message].map(|text| output::said(&text).into_owned());
                shown.change(|state| (state.prefix, state.message) = (prefix, message));
            }
            Event::Search => shown.change(|state| state.message = output::said(SEARCHING).into_owned()),
            Event::SearchProgress { steps_executed, at_most } => {
                shown.change(|state| {
                    state.message = output::said(&searched(*steps_executed, *at_most)).into_owned()
                });
            }
            Event::Plan { total_steps, steps_per_epoch, .. } => {
                shown.change(|state| state.length = Some(*total_steps));
                total_epochs = epochs(*total_steps, *steps_per_epoch);
            }
            Event::Stop { .. } => bar = None,
            _ => {}
        }
    }
}

const SEARCHING: &str = "finding the learning rate";

/// How far a search is.
fn searched(made: u64, at_most: u64) -> String {
    format!("{SEARCHING}: {made} of at most {at_most} steps")
}

/// A line that says how far a search is follows another after as long as this.
const SEARCH_LINES: Duration = Duration::from_secs(2);

pub fn lines() -> impl FnMut(&Event) + Send {
    let mut searching = Instant::now();
    let mut total_epochs = 0;
    let mut last: Option<Instant> = None;
    let mut shown = true;
    let mut line = String::new();
    move |event| match event {
        Event::Start { total_steps, steps_per_epoch, .. }
        | Event::Resume { total_steps, steps_per_epoch, .. } => {
            if let Event::Start { .. } = event {
                output::tell(&beginning(event));
            }
            total_epochs = epochs(*total_steps, *steps_per_epoch);
        }
        Event::Rate(_)
        | Event::Note { .. }
        | Event::Cut { .. }
        | Event::Command { .. }
        | Event::Refused { .. }
        | Event::Rollback { .. }
        | Event::Sharpness { .. } => event.text().iter().for_each(|text| output::note(text)),
        Event::Epoch(epoch) => {
            line = format!(
                "epoch {:>3}/{total_epochs}  loss {}  validation {}  {}  lr {:.2e}  {} rows/s{}",
                epoch.epoch + 1,
                output::fixed(epoch.train_loss),
                output::fixed(epoch.valid_loss),
                headline(&epoch.metrics),
                epoch.lr,
                per_second(epoch.rows_per_second),
                if epoch.best { "  best" } else { "" },
            );
            // A log file wants the way a run went, not a line for each of two hundred short epochs.
            shown = last.is_none_or(|last| last.elapsed() > Duration::from_millis(500));
            if shown {
                output::tell(&line);
                last = Some(Instant::now());
            }
        }
        Event::Plan { total_steps, steps_per_epoch, .. } => {
            total_epochs = epochs(*total_steps, *steps_per_epoch);
        }
        Event::Search => {
            output::tell(&format!("{SEARCHING}, in at most a fifth of the run's steps"));
            searching = Instant::now();
        }
        Event::SearchProgress { steps_executed, at_most } if searching.elapsed() >= SEARCH_LINES => {
            output::tell(&searched(*steps_executed, *at_most));
            searching = Instant::now();
        }
        Event::Stop { .. } if !shown => output::tell(&line),
        _ => {}
    }
}
