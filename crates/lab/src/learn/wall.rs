//! The stability limit 2/λ on a parabola λ·x²/2.

use downhill_optim::Sgd;
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::descent::Descent;

pub(super) const ARGUMENTS: &[&str] = &["curvature", "rate", "steps"];

const START: f64 = 1.0;

/// What a rate below, at or above the limit does, by η·λ.
fn verdict(product: f64) -> &'static str {
    let near = |to: f64| (product - to).abs() < 1e-9;
    match product {
        _ if near(1.0) => "one-step",
        _ if near(2.0) => "for-ever",
        _ if product < 0.1 => "crawls",
        _ if product < 1.0 => "straight",
        _ if product < 2.0 => "overshoots",
        _ => "diverges",
    }
}

/// Gradient descent from x = 1 with a `rate`, on a parabola of a `curvature` λ.
pub(super) fn answer(arguments: &Arguments<'_>) -> Result<Value, Error> {
    let curvature = arguments.number("curvature", 2.0, 0.1..=20.0)?;
    let rate = arguments.number("rate", 0.9, 1e-4..=10.0)?;
    let descent = Descent {
        curvatures: vec![curvature],
        start: vec![START],
        rule: Sgd::default().into(),
        schedule: rate.into(),
        steps: arguments.whole("steps", 40, 1..=500)?,
        noise: 0.0,
        seed: 0,
    };
    let path = descent.run()?;
    Ok(json!({
        "limit": descent.limit()?,
        // One step from 1 is the factor of every step.
        "factor": path.points[1][0] / START,
        "product": rate * curvature,
        "verdict": verdict(rate * curvature),
        "x": path.points.iter().map(|at| at[0]).collect::<Vec<_>>(),
        "values": path.values,
        "diverged_at": path.diverged_at,
    }))
}
