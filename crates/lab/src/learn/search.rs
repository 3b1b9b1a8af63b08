//! Searches for a rate and an L2 penalty: at random, on a grid, and from coarse to fine.

use std::sync::{Mutex, PoisonError};

use downhill_optim::Momentum;
use downhill_search::{Sampler, Settings, Space, StopRule, Study, Trial};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, few_digits, plain, train};

pub(super) const ARGUMENTS: &[&str] = &["sampler", "scale", "side", "seed"];

/// Where is searched, as powers of ten.
pub(super) const RATES: (f64, f64) = (-4.0, 0.0);
pub(super) const PENALTIES: (f64, f64) = (-6.0, 0.0);

const EPOCHS: u64 = 8;

/// The validation loss after a short training on 300 digits; not a number if it blew up.
pub(super) fn loss(rate: f64, l2: f64) -> Result<f64, Error> {
    let mut config = config(Momentum::default(), rate, EPOCHS);
    config.network = plain(&[32]);
    config.regularization.l2 = l2;
    let run = train(config, few_digits()?)?;
    let last = run.course.epochs.last().map_or(f64::NAN, |epoch| epoch.valid_loss);
    Ok(if run.course.blow_up.is_some() { f64::NAN } else { last })
}

/// `side`² trials of one `sampler`, on a `log` or a `linear` scale.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let name = arguments.choice("sampler", &["random", "grid", "coarse-to-fine"])?;
    let scale = arguments.choice("scale", &["log", "linear"])?;
    let side = arguments.whole("side", 6, 2..=7)?;
    let seed = arguments.whole("seed", 0, 0..=1_000_000)?;
    let sampler: Sampler = name.parse()?;
    let domain = |range| domain(sampler, scale, range, side);
    let space = Space::new().with("rate", &domain(RATES))?.with("l2", &domain(PENALTIES))?;
    // A setting of a grid is a word.
    let number = |settings: &Settings, name: &str| {
        settings.number(name).or_else(|| settings.word(name)?.parse().ok()).unwrap_or(f64::NAN)
    };
    // An objective says no more than a number; what else was wrong is kept.
    let failure = Mutex::new(None);
    let objective = |settings: &Settings| {
        loss(number(settings, "rate"), number(settings, "l2")).unwrap_or_else(|error| {
            *failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            f64::NAN
        })
    };
    let history = Study::new(space)
        .sampler(sampler)
        .stop_rule(StopRule::None)
        .seed(seed)
        .trials(side * side)
        .run(&objective)?;
    if let Some(error) = failure.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let trial = |trial: &Trial| {
        let settings = &trial.settings;
        json!({ "rate": number(settings, "rate"), "l2": number(settings, "l2"), "loss": trial.value })
    };
    Ok(json!({
        "sampler": name,
        "trials": history.trials().iter().map(trial).collect::<Vec<_>>(),
        "best": history.best().map(trial),
        "rates": ends(RATES),
        "penalties": ends(PENALTIES),
    }))
}

pub(super) fn ends((low, high): (f64, f64)) -> [f64; 2] {
    [10f64.powf(low), 10f64.powf(high)]
}

/// How a domain is spelt: for the grid, `side` places, evenly on its scale.
fn domain(sampler: Sampler, scale: &str, range: (f64, f64), side: u64) -> String {
    let [low, high] = ends(range);
    let places = |at: fn(f64, f64, f64) -> f64, (low, high): (f64, f64)| {
        let share = |place: u64| place as f64 / (side - 1) as f64;
        let words: Vec<String> = (0..side).map(|place| at(low, high, share(place)).to_string()).collect();
        format!("choice({})", words.join(", "))
    };
    match (sampler, scale) {
        (Sampler::Grid, "log") => places(|low, high, share| 10f64.powf(low + share * (high - low)), range),
        (Sampler::Grid, _) => places(|low, high, share| low + share * (high - low), (low, high)),
        (Sampler::Random | Sampler::CoarseToFine | Sampler::Sobol | Sampler::Tpe, "log") => {
            format!("log({low}, {high})")
        }
        (Sampler::Random | Sampler::CoarseToFine | Sampler::Sobol | Sampler::Tpe, _) => {
            format!("uniform({low}, {high})")
        }
    }
}
