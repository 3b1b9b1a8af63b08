//! Trainings on the bundled tables, as `compare` makes them.

use std::sync::OnceLock;

use downhill_data::{Dataset, Table};
use downhill_nn::Mlp;
use downhill_optim::Rule;
use downhill_schedule::Schedule;
use downhill_train::{Compared, Config, Contender, EarlyStopping, Keep, Network, compare};
use serde_json::{Value, json};

use super::Error;

/// A bundled table, with a share of its rows held out; read once.
fn table(kept: &'static OnceLock<Dataset>, name: &str, share: f64) -> Result<&'static Dataset, Error> {
    if let Some(data) = kept.get() {
        return Ok(data);
    }
    let bundled = || Table::bundled(name)?.default_target().split(share, 0);
    let data = bundled().map_err(downhill_train::Error::from)?;
    Ok(kept.get_or_init(|| data))
}

/// 1438 handwritten digits to learn from, and 359 to be tested on.
pub(super) fn digits() -> Result<&'static Dataset, Error> {
    static DATA: OnceLock<Dataset> = OnceLock::new();
    table(&DATA, "digits", 0.2)
}

/// 300 handwritten digits to learn from, and 1497 to be tested on.
pub(super) fn few_digits() -> Result<&'static Dataset, Error> {
    static DATA: OnceLock<Dataset> = OnceLock::new();
    table(&DATA, "digits", 0.833)
}

/// 354 patients to learn from, and 88 to be tested on.
pub(super) fn diabetes() -> Result<&'static Dataset, Error> {
    static DATA: OnceLock<Dataset> = OnceLock::new();
    table(&DATA, "diabetes", 0.2)
}

/// A run to its last epoch, whose weights are the last ones: what is looked at is the way.
pub(super) fn config(optimizer: impl Into<Rule>, lr: impl Into<Schedule>, epochs: u64) -> Config {
    Config {
        optimizer: optimizer.into(),
        lr: Some(lr.into()),
        epochs,
        ema: Some(0.0),
        early_stopping: EarlyStopping::Off,
        keep: Keep::Last,
        ..Config::default()
    }
}

/// Hidden layers of these sizes without dropout; none is a linear model.
pub(super) fn plain(hidden: &[usize]) -> Network {
    Mlp { hidden: hidden.to_vec(), ..Mlp::default() }.into()
}

/// Makes one run, on this thread's share of the processor.
pub(super) fn train(config: Config, data: &Dataset) -> Result<Compared, Error> {
    let contender = Contender { config, name: String::new(), group: 0 };
    let mut made = compare(&[contender], data, Some(1), None, |_| Vec::new(), |_| ())?;
    Ok(made.remove(0))
}

/// The losses of a run, epoch by epoch, up to where it blew up.
pub(super) fn losses(run: &Compared) -> Value {
    let epochs = &run.course.epochs;
    json!({
        "baseline": run.course.baseline,
        "train": epochs.iter().map(|epoch| epoch.train_loss).collect::<Vec<_>>(),
        "valid": epochs.iter().map(|epoch| epoch.valid_loss).collect::<Vec<_>>(),
        "end": run.course.attempt(run.peak_rate).end(),
        "diverged_at": run.course.blow_up.map(|blow_up| blow_up.epoch),
    })
}
