//! The noise of minibatches in a training: a linear model on the patients of `diabetes`.

use downhill_optim::Sgd;
use downhill_schedule::{InverseTime, Per};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, diabetes, losses, plain, train};

pub(super) const ARGUMENTS: &[&str] = &["rate", "batch", "decay"];

const EPOCHS: u64 = 60;

/// Batches of `batch` rows, at a constant `rate` and at `rate`/(1 + `decay`·epoch).
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let rate = arguments.number("rate", 0.03, 1e-4..=0.3)?;
    let batch = arguments.whole("batch", 4, 1..=354)?;
    let decay = arguments.number("decay", 0.2, 0.0..=5.0)?;
    let decaying = InverseTime { initial: rate, decay, per: Per::Epoch, from: 0 };
    let run = |schedule: downhill_schedule::Schedule| -> Result<Value, Error> {
        let spec = schedule.to_string();
        let mut config = config(Sgd::default(), schedule, EPOCHS);
        (config.network, config.batch) = (plain(&[]), Some(batch as usize));
        let mut answer = losses(&train(config, diabetes()?)?);
        answer["spec"] = json!(spec);
        Ok(answer)
    };
    Ok(json!({ "epochs": EPOCHS, "runs": [run(rate.into())?, run(decaying.into())?] }))
}
