//! The noise of minibatches on x² + y², under a constant rate and under one that decays.

use downhill_optim::Sgd;
use downhill_schedule::{InverseTime, Per, Schedule};
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::descent::{Descent, Path, contours};

pub(super) const ARGUMENTS: &[&str] = &["rate", "batch", "decay", "seed"];

/// Of x² + y².
const BOWL: [f64; 2] = [2.0, 2.0];
const STEPS: u64 = 400;
/// The standard deviation of the gradient of a single row; a batch of B rows has 1/√B of it.
const OF_ONE_ROW: f64 = 4.0;

/// The mean loss of the second half of a path; none if it left.
fn settled(path: &Path) -> Option<f64> {
    let half = &path.values[path.values.len() / 2..];
    path.diverged_at.is_none().then(|| half.iter().sum::<f64>() / half.len() as f64)
}

/// The mean loss that a constant rate comes to: of x ← (1 − η·λ)·x − η·σ·ε the variance is η·σ²/(λ·(2 − η·λ)),
/// and the loss λ/2 of it in each direction. None where it grows for ever.
fn stationary(rate: f64, sigma: f64) -> Option<f64> {
    let of_one = |curvature: f64| rate * sigma * sigma / (2.0 * (2.0 - rate * curvature));
    BOWL.iter().all(|curvature| rate * curvature < 2.0).then(|| BOWL.map(of_one).iter().sum())
}

/// Batches of `batch` rows, at a constant `rate` and at `rate`/(1 + `decay`·t).
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let rate = arguments.number("rate", 0.1, 1e-3..=1.5)?;
    let batch = arguments.whole("batch", 16, 1..=1024)?;
    let decay = arguments.number("decay", 0.03, 0.0..=1.0)?;
    let seed = arguments.whole("seed", 0, 0..=1_000_000)?;
    let sigma = OF_ONE_ROW / (batch as f64).sqrt();
    let path = |schedule: Schedule| -> Result<Value, Error> {
        let spec = schedule.to_string();
        let descent = Descent {
            curvatures: BOWL.to_vec(),
            start: vec![-3.0, 2.0],
            rule: Sgd::default().into(),
            schedule,
            steps: STEPS,
            noise: sigma,
            seed,
        };
        let path = descent.run()?;
        let mut answer = path.json();
        answer["spec"] = json!(spec);
        answer["settled"] = json!(settled(&path));
        Ok(answer)
    };
    let decaying = InverseTime { initial: rate, decay, per: Per::Step, from: 0 };
    Ok(json!({
        "sigma": sigma,
        "expected": stationary(rate, sigma),
        "paths": [path(rate.into())?, path(decaying.into())?],
        "contours": contours(BOWL, 16.0, 8),
    }))
}
