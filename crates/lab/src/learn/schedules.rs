//! Schedules side by side, and what one of them does to a training.

use downhill_optim::Sgd;
use downhill_schedule::{Position, Schedule};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, digits, losses, plain, train};

pub(super) const ARGUMENTS: &[&str] = &["specs", "epochs", "steps_per_epoch"];
pub(super) const TRAINED_ARGUMENTS: &[&str] = &["spec"];

/// No more schedules than these in one figure, and no longer specs.
const MOST: usize = 12;
const LONGEST: usize = 400;
/// As many points of a schedule are shown at most.
const POINTS: u64 = 600;
const EPOCHS: u64 = 20;

/// The schedules whose `specs` are given, one a line, over `epochs` of `steps_per_epoch`. A spec that cannot
/// be read has an `error` in the place of its points, so that the others are still seen.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let specs = arguments.text("specs", "cosine(0.2)", MOST * LONGEST)?;
    let epochs = arguments.whole("epochs", 30, 1..=1000)?;
    let steps_per_epoch = arguments.whole("steps_per_epoch", 10, 1..=1000)?;
    let lines: Vec<&str> = specs.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() || lines.len() > MOST || lines.iter().any(|line| line.chars().count() > LONGEST) {
        return Err(arguments.wrong(
            "specs",
            format!("1 to {MOST} schedules, one a line of at most {LONGEST} characters, such as cosine(0.2)"),
        ));
    }
    let total_steps = epochs * steps_per_epoch;
    let stride = total_steps.div_ceil(POINTS);
    let one = |spec: &&str| {
        let schedule = match spec.parse::<Schedule>() {
            Ok(schedule) => schedule,
            Err(error) => return json!({ "given": spec, "error": error.to_string() }),
        };
        let position = |step| Position { step, steps_per_epoch, total_steps };
        let steps = (0..total_steps).step_by(stride as usize);
        let rates: Vec<f64> = (0..total_steps).map(|step| schedule.at(position(step))).collect();
        json!({
            "given": spec,
            "spec": schedule.to_string(),
            "epochs": steps.clone().map(|step| step as f64 / steps_per_epoch as f64).collect::<Vec<_>>(),
            "rates": steps.map(|step| rates[step as usize]).collect::<Vec<_>>(),
            "peak": rates.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            "last": rates[rates.len() - 1],
            "mean": rates.iter().sum::<f64>() / rates.len() as f64,
        })
    };
    Ok(json!({ "epochs": epochs, "schedules": lines.iter().map(one).collect::<Vec<_>>() }))
}

/// Twenty epochs of gradient descent on digits under the schedule `spec`.
pub(super) fn trained(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let spec = arguments.text("spec", "cosine(0.3)", LONGEST)?;
    let schedule: Schedule = spec
        .parse()
        .map_err(|error| arguments.wrong("spec", format!("a schedule such as cosine(0.3): {error}")))?;
    let canonical = schedule.to_string();
    let mut config = config(Sgd::default(), schedule, EPOCHS);
    config.network = plain(&[128, 128]);
    let mut answer = losses(&train(config, digits()?)?);
    answer["spec"] = json!(canonical);
    answer["epochs"] = json!(EPOCHS);
    Ok(answer)
}
