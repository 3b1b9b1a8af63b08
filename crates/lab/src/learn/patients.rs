//! The stability limit of a training: a linear model on the patients of `diabetes`, all in one batch.

use std::sync::OnceLock;

use downhill_optim::{Optimizer, Regularization, Sgd};
use downhill_train::{Config, Engine, Error as TrainError, Guard, stability_limit};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, diabetes, losses, plain, train};

pub(super) const ARGUMENTS: &[&str] = &["rate"];

const EPOCHS: u64 = 200;

fn training(rate: f64) -> Result<Config, Error> {
    let mut config = config(Sgd::default(), rate, EPOCHS);
    (config.network, config.batch) = (plain(&[]), Some(diabetes()?.train.rows()));
    config.guard = Guard::Off;
    Ok(config)
}

/// λ and 2/λ of the training loss, which is a quadratic and has the same curvature everywhere; measured once.
fn limit() -> Result<(f64, Option<f64>), Error> {
    static LIMIT: OnceLock<(f64, Option<f64>)> = OnceLock::new();
    if let Some(limit) = LIMIT.get() {
        return Ok(*limit);
    }
    let data = diabetes()?;
    let (config, _) = training(0.1)?.resolve(data)?;
    let (engine, _) = Engine::new(&config, data, false)?;
    let model = engine.model();
    let optimizer =
        Optimizer::new(config.optimizer.clone(), Regularization::default(), model.layout(), false)?;
    let loss = config.loss.ok_or_else(|| TrainError::Mismatch("a resolved run has a loss".into()))?;
    let found = stability_limit(model, &optimizer, 0, data, &loss, data.train.rows(), 0)?;
    Ok(*LIMIT.get_or_init(|| (found.value, found.limit())))
}

/// Gradient descent at a `rate`, beside the rate from which on it is not stable.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let rate = arguments.number("rate", 0.24, 1e-4..=1.0)?;
    let (sharpness, limit) = limit()?;
    let run = train(training(rate)?, diabetes()?)?;
    let mut answer = losses(&run);
    answer["epochs"] = json!(EPOCHS);
    answer["sharpness"] = json!(sharpness);
    answer["limit"] = json!(limit);
    answer["grown_at"] = json!(run.course.grown());
    Ok(answer)
}
