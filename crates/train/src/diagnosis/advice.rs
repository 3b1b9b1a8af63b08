//! Which rate to train with instead, found by making the whole run with it.

use downhill_data::{Dataset, Examples};
use downhill_schedule::{Cosine, Schedule};
use rayon::prelude::*;
use serde::Serialize;

use super::loss_of;
use super::replay::{Replay, replay};
use super::suggestion::{Setting, Suggestion};
use crate::run::Run;
use crate::{Config, Error, Plateau, RunFolder};

/// A setting that was tried: the whole run was made with it, all else being as it was.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tried {
    /// The setting.
    pub suggestion: Suggestion,
    /// The highest rate of the schedule that it gives.
    pub peak_rate: f64,
    /// The mean training loss at the end, measured as that of the run is; none if the run blew up.
    pub end: Option<f64>,
}

/// What to change in a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub suggestion: Suggestion,
    schedule: Schedule,
    plateau: Option<Plateau>,
    peak_rate: f64,
}

impl Change {
    /// The schedule of a run, whose highest rate is `peak`, with another highest rate.
    pub fn rate(schedule: &Schedule, peak: f64, rate: f64) -> Self {
        let schedule = at_rate(schedule, rate / peak);
        Self { suggestion: spelled(&schedule), schedule, plateau: None, peak_rate: rounded(rate) }
    }

    /// The same highest rate, and from there down to zero.
    pub fn decay(peak: f64) -> Self {
        let schedule = Schedule::from(Cosine::new(rounded(peak)));
        Self { suggestion: spelled(&schedule), schedule, plateau: None, peak_rate: rounded(peak) }
    }

    /// The same schedule, and nothing that cuts it.
    pub fn no_plateau(schedule: &Schedule, peak: f64) -> Self {
        let (suggestion, schedule) = (Setting::Plateau.at("off"), schedule.clone());
        Self { suggestion, schedule, plateau: Some(Plateau::Off), peak_rate: peak }
    }
}

/// A change that was tried, and the states of the run with it in front of `middle` and at its end.
pub(super) struct Trial {
    pub tried: Tried,
    pub replay: Replay,
}

/// Makes the run with each change, from where it began; `epochs` is its length if it was told one.
pub(super) fn try_all(
    changes: Vec<Change>,
    (config, data): (&Config, &Dataset),
    folder: Option<&RunFolder>,
    rows: &Examples,
    middle: u64,
    epochs: Option<u64>,
) -> Result<Vec<Trial>, Error> {
    let make = |change: Change| -> Result<Trial, Error> {
        let Change { suggestion, schedule, plateau, peak_rate } = change;
        let mut config = config.clone();
        config.plateau = plateau.unwrap_or(config.plateau);
        let mut run = Run::new(&config, data, false)?;
        if let Some(folder) = folder {
            run.restore_start(folder)?;
        }
        run.follow(&schedule, epochs);
        let replay = replay(run, &[middle])?;
        let mut end = None;
        if let (Some(state), None) = (&replay.end, replay.blow_up) {
            let mut run = Run::new(&config, data, false)?;
            run.go_to(state);
            end = Some(loss_of(&mut run, rows)?).filter(|loss| loss.is_finite());
        }
        Ok(Trial { tried: Tried { suggestion, peak_rate, end }, replay })
    };
    changes.into_par_iter().with_max_len(1).map(make).collect()
}

/// A schedule to try, in few words.
fn spelled(schedule: &Schedule) -> Suggestion {
    Setting::Lr.at(match schedule {
        Schedule::Constant(constant) => shown(constant.rate),
        schedule => shortest(schedule),
    })
}

/// A schedule as it is spelt without what goes without saying.
fn shortest(schedule: &Schedule) -> String {
    let mut text = schedule.to_string();
    let mut at = 0;
    while let Some(equals) = text[at..].find('=').map(|found| at + found) {
        let key = text[..equals].rfind(['(', ' ', '[']).map_or(0, |before| before + 1);
        let mut depth = 0;
        let end = text[equals..].find(|c| {
            depth += i32::from("([".contains(c)) - i32::from(")]".contains(c));
            depth < 0 || (c == ',' && depth == 0)
        });
        let end = end.map_or(text.len(), |end| equals + end);
        // The whole argument with the comma in front of it, or only its name.
        let whole = text[..key].ends_with(", ").then(|| format!("{}{}", &text[..key - 2], &text[end..]));
        let unnamed = || format!("{}{}", &text[..key], &text[equals + 1..]);
        let unnamed = text[..key].ends_with('(').then(unnamed);
        let same = |text: &String| text.parse().is_ok_and(|parsed: Schedule| parsed == *schedule);
        match whole.into_iter().chain(unnamed).find(same) {
            Some(shorter) => {
                text = shorter;
                at = key.min(text.len());
            }
            None => at = equals + 1,
        }
    }
    text
}

/// A schedule with all its rates multiplied by `by`, and rounded.
fn at_rate(schedule: &Schedule, by: f64) -> Schedule {
    let scaled = schedule.clone().scaled(by);
    let (before, after) = (schedule.to_string(), scaled.to_string());
    let (before, after) = (parts(&before), parts(&after));
    // What has changed is a rate.
    let part = |(&old, &new): (&&str, &&str)| match new.parse::<f64>() {
        Ok(rate) if old != new => rounded(rate).to_string(),
        _ => new.to_string(),
    };
    let text: String = before.iter().zip(&after).map(part).collect();
    if before.len() == after.len() { text.parse().unwrap_or(scaled) } else { scaled }
}

/// The numbers of a text, and what is between them.
fn parts(text: &str) -> Vec<&str> {
    let is_number = |c: char| c.is_ascii_digit() || ".eE+-".contains(c);
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| is_number(c) != is_number(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        parts.push(part);
        rest = after;
    }
    parts
}

/// A rate in two digits, which is all that is known of it.
pub(super) fn rounded(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

/// A rate in few characters.
pub(super) fn shown(rate: f64) -> String {
    let rate = rounded(rate);
    if (1e-4..1e4).contains(&rate) { rate.to_string() } else { format!("{rate:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_stays_and_its_rates_are_short() {
        let tried = |schedule: &str, peak: f64, rate: f64| {
            let Suggestion { setting, value } =
                Change::rate(&schedule.parse().unwrap(), peak, rate).suggestion;
            assert_eq!(setting, Setting::Lr);
            value
        };
        assert_eq!(tried("3", 3.0, 0.0375), "0.037");
        assert_eq!(tried("1e6", 1e6, 1e5), "1e5");
        assert_eq!(tried("0.0001", 1e-4, 3e-5), "3e-5");
        // The steps that are looked at may miss the top of a schedule by a little.
        let warmup = "warmup(5%, then=cosine(0.01))";
        assert_eq!(tried(warmup, 0.009998, 0.03), "warmup(5%, then=cosine(0.03))");
        let steps = "piecewise(1, at=[2ep, 30%], rates=[0.1, 0.01])";
        let third = "piecewise(0.33, at=[2ep, 30%], rates=[0.033, 0.0033])";
        assert_eq!(tried(steps, 1.0, 1.0 / 3.0), third);
        assert_eq!(tried("cosine(0.1, end=0.01)", 0.1, 0.03), "cosine(0.03, end=0.003)");
        assert_eq!(tried("step(0.1, every=10ep)", 0.1, 0.3), "step(0.3, every=10ep)");
        assert_eq!(tried("linear(0.1)", 0.1, 0.3), "linear(0.3)");
        assert_eq!(Change::decay(0.1).suggestion, Setting::Lr.at("cosine(0.1)"));
    }
}
