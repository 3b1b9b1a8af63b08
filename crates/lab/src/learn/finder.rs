//! Finding the rate: the range test, the rehearsals, and trainings at the rate found and at one that is guessed.

use downhill_optim::{Adagrad, Adam, Momentum, RmsProp, Rule, Sgd};
use downhill_train::{Config, Trainer, usual_rate, usual_schedule};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, digits, losses, plain, train};

pub(super) const ARGUMENTS: &[&str] = &["optimizer", "batch", "guess"];

const EPOCHS: u64 = 20;

fn rule(name: &str) -> Rule {
    match name {
        "momentum" => Momentum::default().into(),
        "adagrad" => Adagrad::default().into(),
        "rmsprop" => RmsProp::default().into(),
        "adam" => Adam::default().into(),
        _ => Sgd::default().into(),
    }
}

/// The search for `optimizer` and `batch`, in a fifth of the steps of a run of twenty epochs; then that run with
/// the rate it finds, and with the `guess`, if there is one.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let name = arguments.choice("optimizer", &["sgd", "momentum", "adagrad", "rmsprop", "adam"])?;
    let batch = arguments.whole("batch", 32, 4..=1024)? as usize;
    // 0 is no guess.
    let guess = arguments.number("guess", 0.0, 0.0..=100.0)?;
    let rule = rule(name);
    let with = |peak: f64| {
        let mut config: Config = config(rule.clone(), usual_schedule(&rule, peak), EPOCHS);
        (config.network, config.batch) = (plain(&[64]), Some(batch));
        config
    };
    let found = Trainer::from_config(with(usual_rate(&rule))).threads(1).find_lr(digits()?)?;
    let run = |rate: f64| -> Result<Value, Error> {
        let mut answer = losses(&train(with(rate), digits()?)?);
        answer["rate"] = json!(rate);
        Ok(answer)
    };
    let guessed = if guess > 0.0 { Some(run(guess)?) } else { None };
    Ok(json!({
        "recommended": found.recommended,
        "usual": found.usual,
        "band": found.band,
        "diverges": found.diverges,
        "limit": found.limit,
        "steps": found.steps,
        "run_steps": found.run_steps,
        "curve": found.curve,
        "rehearsals": found.rehearsals,
        "epochs": EPOCHS,
        "found": run(found.recommended)?,
        "guessed": guessed,
    }))
}
