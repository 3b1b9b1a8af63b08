//! A ball on x²/20 + y²: one rule with its rate and momentum, or five at once.

use downhill_optim::{Adagrad, Adam, Momentum, RmsProp, Rule, Sgd};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::descent::{Descent, contours};

pub(super) const ARGUMENTS: &[&str] = &["rule", "rate", "momentum", "x", "y", "steps", "times"];

/// Of x²/20 + y².
pub(super) const VALLEY: [f64; 2] = [0.1, 2.0];

/// The rules, each with a rate that shows what it is known for in thirty steps, as in the tour.
const RULES: [(&str, f64); 5] =
    [("sgd", 0.95), ("momentum", 0.1), ("adagrad", 1.5), ("rmsprop", 0.3), ("adam", 0.3)];

/// The rule of a name; `momentum` is μ, or Adam's β₁.
fn rule(name: &str, momentum: f64) -> Rule {
    match name {
        "momentum" => Momentum { momentum, ..Momentum::default() }.into(),
        "adagrad" => Adagrad::default().into(),
        "rmsprop" => RmsProp::default().into(),
        "adam" => Adam { beta1: momentum, ..Adam::default() }.into(),
        _ => Sgd::default().into(),
    }
}

/// `rule` is one of the five or `all`. One has the `rate` given; of all, each has its own rate multiplied by
/// `times`. `momentum` is μ of momentum and β₁ of Adam.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let name = arguments.choice("rule", &["sgd", "momentum", "adagrad", "rmsprop", "adam", "all"])?;
    let usual = RULES.iter().find(|known| known.0 == name).map_or(1.0, |known| known.1);
    let rate = arguments.number("rate", usual, 1e-4..=10.0)?;
    let times = arguments.number("times", 1.0, 0.01..=10.0)?;
    let momentum = arguments.number("momentum", 0.9, 0.0..=0.99)?;
    let start = [arguments.number("x", -7.0, -8.0..=8.0)?, arguments.number("y", 2.0, -3.0..=3.0)?];
    let steps = arguments.whole("steps", 30, 1..=500)?;
    let made: Vec<(&str, f64)> = match name {
        "all" => RULES.iter().map(|&(name, rate)| (name, rate * times)).collect(),
        one => vec![(one, rate)],
    };
    let path = |(name, rate): (&str, f64)| -> Result<Value, Error> {
        let descent = Descent {
            curvatures: VALLEY.to_vec(),
            start: start.to_vec(),
            rule: rule(name, momentum),
            schedule: rate.into(),
            steps,
            noise: 0.0,
            seed: 0,
        };
        let mut answer = descent.run()?.json();
        answer["rule"] = json!(name);
        answer["spec"] = json!(descent.rule.to_string());
        answer["rate"] = json!(rate);
        answer["limit"] = json!(descent.limit()?);
        Ok(answer)
    };
    let paths = made.into_iter().map(path).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({ "paths": paths, "contours": contours(VALLEY, 12.0, 12) }))
}
