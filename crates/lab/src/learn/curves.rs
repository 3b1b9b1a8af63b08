//! The four curves: trainings at a low, a good, a high and a very high rate, and one more at any rate.

use std::sync::OnceLock;

use downhill_optim::Momentum;
use downhill_run::{Attempt, rate_verdicts};
use downhill_train::Compared;
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, digits, losses, train};

pub(super) const ARGUMENTS: &[&str] = &["rate"];

/// The four of the tour, with momentum 0.9.
const RATES: [f64; 4] = [0.0002, 0.03, 0.15, 0.2];
const EPOCHS: u64 = 30;
/// A run whose loss ends above this share of the first guess's knows no more than that.
const GUESSING: f64 = 0.98;

/// A run, as its losses and as what it is judged by.
#[derive(Clone)]
struct Made {
    losses: Value,
    attempt: Attempt,
    baseline: f64,
}

impl Made {
    fn of(rate: f64) -> Result<Self, Error> {
        let run: Compared = train(config(Momentum::default(), rate, EPOCHS), digits()?)?;
        let (attempt, baseline) = (run.course.attempt(rate), run.course.baseline);
        Ok(Self { losses: losses(&run), attempt, baseline })
    }
}

/// The four, made once.
fn four() -> Result<&'static [Made], Error> {
    static FOUR: OnceLock<Vec<Made>> = OnceLock::new();
    if let Some(four) = FOUR.get() {
        return Ok(four);
    }
    let made = RATES.iter().map(|&rate| Made::of(rate)).collect::<Result<Vec<_>, _>>()?;
    Ok(FOUR.get_or_init(|| made))
}

/// The four curves of the tour and that of `rate`, which comes last, each with its verdict among all five.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let rate = arguments.number("rate", 0.01, 1e-6..=10.0)?;
    let mut made = four()?.to_vec();
    let fifth = match RATES.iter().position(|&known| known == rate) {
        Some(at) => made[at].clone(),
        None => Made::of(rate)?,
    };
    made.push(fifth);
    let attempts: Vec<Attempt> = made.iter().map(|made| made.attempt.clone()).collect();
    let verdicts = rate_verdicts(made[0].baseline, &attempts);
    let run = |(made, verdict): (Made, _)| {
        let end = made.attempt.end();
        let mut run = made.losses;
        run["guesses"] = json!(end.is_some_and(|end| end > GUESSING * made.baseline));
        run["rate"] = json!(made.attempt.rate);
        run["verdict"] = json!(verdict);
        run
    };
    Ok(json!({
        "baseline": made[0].baseline,
        "epochs": EPOCHS,
        "runs": made.into_iter().zip(verdicts).map(run).collect::<Vec<_>>(),
    }))
}
