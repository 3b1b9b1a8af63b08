//! Overfitting on 300 digits, and what holds it back.

use std::sync::OnceLock;

use downhill_nn::Mlp;
use downhill_optim::Adam;
use downhill_schedule::Schedule;
use downhill_train::{EarlyStopping, Keep, Trained};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::training::{config, few_digits, losses, plain, train};

pub(super) const ARGUMENTS: &[&str] = &["dropout", "l2", "l1", "patience", "schedule"];

const EPOCHS: u64 = 60;
/// A weight below this is as good as none.
const NEXT_TO_NOTHING: f64 = 1e-3;

/// What is set against overfitting; `patience` 0 does not stop early.
#[derive(Clone, Copy, Default)]
struct Against {
    dropout: f64,
    l2: f64,
    l1: f64,
    patience: u64,
}

fn run(schedule: &str, against: Against) -> Result<Value, Error> {
    let lr: Schedule = match schedule {
        "cosine" => downhill_schedule::Cosine::new(0.003).into(),
        _ => 0.01.into(),
    };
    let mut config = config(Adam::default(), lr, EPOCHS);
    config.network = match against.dropout {
        0.0 => plain(&[128, 128]),
        dropout => Mlp { hidden: vec![128, 128], dropout, ..Mlp::default() }.into(),
    };
    (config.regularization.l2, config.regularization.l1) = (against.l2, against.l1);
    if against.patience > 0 {
        config.early_stopping = EarlyStopping::after(against.patience);
        config.keep = Keep::Best;
    }
    let run = train(config, few_digits()?)?;
    let mut answer = losses(&run);
    let epochs = &run.course.epochs;
    let best = epochs.iter().min_by(|a, b| a.valid_loss.total_cmp(&b.valid_loss));
    answer["best_epoch"] = json!(best.map(|epoch| epoch.epoch + 1));
    answer["best_valid"] = json!(best.map(|epoch| epoch.valid_loss));
    answer["accuracy"] = json!(epochs.iter().map(|epoch| epoch.metrics.score()).collect::<Vec<_>>());
    answer["stopped_at"] = json!((epochs.len() < EPOCHS as usize).then_some(epochs.len()));
    answer["kept_valid"] = json!(run.trained.as_ref().map(|trained| trained.summary().valid_loss));
    let params = run.trained.as_ref().and_then(params);
    answer["parameters"] = json!(params.map(<[f32]>::len));
    answer["small_weights"] = json!(params.map(small));
    Ok(answer)
}

/// The parameters of a run's network.
fn params(trained: &Trained) -> Option<&[f32]> {
    let [member] = trained.predictor().members() else { return None };
    Some(member.model().params())
}

/// The share of parameters that are next to nothing.
fn small(params: &[f32]) -> f64 {
    let small = params.iter().filter(|param| f64::from(param.abs()) < NEXT_TO_NOTHING).count();
    small as f64 / params.len() as f64
}

/// The same with nothing against overfitting, made once for each schedule.
fn without(schedule: &'static str) -> Result<Value, Error> {
    static WITHOUT: [OnceLock<Value>; 2] = [const { OnceLock::new() }; 2];
    let kept = &WITHOUT[usize::from(schedule == "cosine")];
    if let Some(answer) = kept.get() {
        return Ok(answer.clone());
    }
    let answer = run(schedule, Against::default())?;
    Ok(kept.get_or_init(|| answer).clone())
}

/// A training with what is set against overfitting, beside one with nothing. `schedule` is a `constant` rate of
/// 0.01 or a `cosine` from 0.003.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let against = Against {
        dropout: arguments.number("dropout", 0.0, 0.0..=0.9)?,
        l2: arguments.number("l2", 0.0, 0.0..=1.0)?,
        l1: arguments.number("l1", 0.0, 0.0..=0.1)?,
        patience: arguments.whole("patience", 0, 0..=EPOCHS)?,
    };
    let schedule = arguments.choice("schedule", &["constant", "cosine"])?;
    Ok(json!({
        "epochs": EPOCHS,
        "rows": few_digits()?.train.rows(),
        "without": without(schedule)?,
        "with": run(schedule, against)?,
    }))
}
