//! Cutting the learning rate when nothing gets better.

use downhill_core::{Invalid, invalid, spec};
use serde::{Deserialize, Serialize};

use crate::Monitor;

/// Whether the learning rate is cut when the metric watched does not get better: `off`, or
/// `cut(0.5, patience=5, backtrack=true)`.
///
/// The schedule stays as it is: a cut is an event of the run, from which on all rates of the schedule are
/// multiplied by what the cuts so far come to. With a constant rate it is PyTorch's `ReduceLROnPlateau`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Plateau {
    /// The rate is the schedule's.
    #[default]
    Off,
    /// It is cut after some epochs in which the metric did not get better.
    Cut(Cut),
}
spec::spelled!(Plateau, "what to do on a plateau");

/// When the rate is cut, and by how much.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Cut {
    /// What the rate is multiplied by, above 0 and below 1. Default 0.1.
    pub factor: f64,
    /// How many epochs may pass without a better one before the next one is followed by a cut. Default 10.
    pub patience: u64,
    /// What is watched. Default the loss.
    pub metric: Monitor,
    /// By how much a better epoch must be better, 0 or above. Default 1e-4.
    pub threshold: f64,
    /// What the threshold is measured in. Default `rel`.
    pub threshold_mode: ThresholdMode,
    /// For how many epochs after a cut nothing is counted. Default 0.
    pub cooldown: u64,
    /// Below this rate nothing is cut, 0 or above. Default 0.
    pub min: f64,
    /// Whether a cut also goes back to the weights, and to the optimizer's state, of the best epoch. Default
    /// false.
    pub backtrack: bool,
}

/// What a threshold is measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ThresholdMode {
    /// Shares of the best value so far.
    #[default]
    Rel,
    /// The metric's own unit.
    Abs,
}

impl Default for Cut {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            metric: Monitor::Loss,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min: 0.0,
            backtrack: false,
        }
    }
}

impl Plateau {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let Self::Cut(cut) = self else { return Ok(()) };
        invalid::ensure("cut", "factor", cut.factor, |x| x > 0.0 && x < 1.0, "above 0 and below 1")?;
        invalid::not_negative("cut", "threshold", cut.threshold)?;
        invalid::not_negative("cut", "min", cut.min)
    }

    /// What is watched; the loss where nothing is.
    pub fn monitor(&self) -> Monitor {
        if let Self::Cut(cut) = self { cut.metric } else { Monitor::Loss }
    }

    /// Whether cuts go back to the best epoch.
    pub fn backtracks(&self) -> bool {
        matches!(self, Self::Cut(Cut { backtrack: true, .. }))
    }
}

/// A cut by no more than this is not made, as by PyTorch's `eps`.
const LEAST: f64 = 1e-8;

/// What has been seen of the metric so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    /// The best value.
    best: Option<f64>,
    /// Epochs since then, not counting those after a cut.
    waited: u64,
    /// How many epochs are still not counted.
    cooldown: u64,
}

impl Cut {
    /// Takes in the metric of an epoch; what the schedule, whose rate is `rate` now, is multiplied by from
    /// here on, if that changes. `scale` is what it is multiplied by now.
    pub fn after_epoch(&self, watch: &mut Watch, value: f64, scale: f64, rate: f64) -> Option<f64> {
        if self.is_due(watch, value) { self.scale(scale, rate) } else { None }
    }

    /// Takes in the metric of an epoch; whether it is time for a cut.
    fn is_due(&self, watch: &mut Watch, value: f64) -> bool {
        let margin = |best: f64| match self.threshold_mode {
            ThresholdMode::Rel => self.threshold * best.abs(),
            ThresholdMode::Abs => self.threshold,
        };
        if watch.best.is_none_or(|best| self.metric.gain(value, best) > margin(best)) {
            watch.best = Some(value);
            watch.waited = 0;
        } else {
            watch.waited += 1;
        }
        if watch.cooldown > 0 {
            watch.cooldown -= 1;
            watch.waited = 0;
        }
        if watch.waited <= self.patience {
            return false;
        }
        watch.cooldown = self.cooldown;
        watch.waited = 0;
        true
    }

    /// What the schedule is multiplied by after a cut, if there is anything left to cut: so much that `rate`,
    /// which the schedule has now, does not come below the lowest.
    fn scale(&self, scale: f64, rate: f64) -> Option<f64> {
        let lowest = if rate > 0.0 { self.min / rate } else { 0.0 };
        Some((scale * self.factor).max(lowest)).filter(|&cut| (scale - cut) * rate > LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series of a metric, and the rates that PyTorch's `ReduceLROnPlateau` gives;
    /// `tools/golden/plateau.py` writes them.
    #[derive(Deserialize)]
    struct Golden {
        mode: String,
        factor: f64,
        patience: u64,
        threshold: f64,
        threshold_mode: ThresholdMode,
        cooldown: u64,
        min_lr: f64,
        initial: f64,
        metrics: Vec<f64>,
        rates: Vec<f64>,
    }

    #[test]
    fn rates_are_cut_as_by_pytorch() {
        let cases: Vec<Golden> = serde_json::from_str(include_str!("../tests/golden/plateau.json")).unwrap();
        assert!(cases.len() > 50 && cases.iter().any(|case| case.rates.last() != Some(&case.initial)));
        for (number, case) in cases.into_iter().enumerate() {
            let Golden { factor, patience, threshold, threshold_mode, cooldown, min_lr, initial, .. } = case;
            let metric = if case.mode == "min" { Monitor::Loss } else { Monitor::Accuracy };
            let cut = Cut {
                factor,
                patience,
                metric,
                threshold,
                threshold_mode,
                cooldown,
                min: min_lr,
                backtrack: false,
            };
            Plateau::Cut(cut).check().unwrap();
            let (mut watch, mut scale) = (Watch::default(), 1.0);
            for (epoch, (&value, &rate)) in case.metrics.iter().zip(&case.rates).enumerate() {
                scale = cut.after_epoch(&mut watch, value, scale, initial).unwrap_or(scale);
                let found = scale * initial;
                assert!(
                    (found - rate).abs() <= 1e-9 * rate,
                    "case {number}, epoch {epoch}: {found}, not {rate}"
                );
            }
        }
    }
}
