//! Which trials go on, and which are paused or stopped.

use downhill_core::{Invalid, invalid, spec};
use serde::{Deserialize, Serialize};

/// Which trials go on after a part of their epochs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopRule {
    /// Asynchronous successive halving, [Li et al. (2020)][1]: after a part of its epochs, a rung, a trial is
    /// paused unless it is among the best of those that came there; it goes on as soon as it is. The default.
    ///
    /// [1]: https://arxiv.org/abs/1810.05934
    Halving(Halving),
    /// Every trial goes on to its end.
    None,
    /// After each quarter of its epochs, a trial is stopped if it is worse than the median of those before it
    /// there: [Golovin et al. (2017)][1], of the values rather than of their running means.
    ///
    /// [1]: https://doi.org/10.1145/3097983.3098043
    Median(Median),
}
spec::spelled!(StopRule, "a rule to stop trials");

impl Default for StopRule {
    fn default() -> Self {
        Self::Halving(Halving::default())
    }
}

/// Successive halving.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Halving {
    /// One of so many trials goes on from a rung, with so many times the epochs. Default 3.
    pub eta: u64,
    /// The number of rungs, that at the end included. Default 4.
    pub rungs: u32,
}

impl Default for Halving {
    fn default() -> Self {
        Self { eta: 3, rungs: 4 }
    }
}

/// The median rule.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Median {
    /// A trial is compared with at least so many others. Default 5.
    pub trials: u64,
}

impl Default for Median {
    fn default() -> Self {
        Self { trials: 5 }
    }
}

impl StopRule {
    /// Checks every setting's range.
    ///
    /// # Errors
    ///
    /// If one is out of it.
    pub fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::None => Ok(()),
            Self::Halving(Halving { eta, rungs }) => {
                let range = |x: f64| (2.0..=100.0).contains(&x);
                invalid::ensure("halving", "eta", *eta as f64, range, "from 2 to 100")?;
                let range = |x: f64| (1.0..=20.0).contains(&x);
                invalid::ensure("halving", "rungs", f64::from(*rungs), range, "from 1 to 20")
            }
            Self::Median(Median { trials }) => {
                invalid::ensure("median", "trials", *trials as f64, |x| x >= 1.0, "at least 1")
            }
        }
    }

    /// The numbers of epochs after which it decides, in order; the last one is `epochs`, the whole.
    pub(crate) fn rungs(&self, epochs: u64) -> Vec<u64> {
        let mut rungs: Vec<u64> = match self {
            Self::None => vec![epochs],
            Self::Halving(Halving { eta, rungs }) => {
                let part = |exponent| epochs.div_ceil(eta.saturating_pow(exponent));
                (0..*rungs).map(part).collect()
            }
            Self::Median(_) => (1..=4).map(|quarter| (epochs * quarter).div_ceil(4)).collect(),
        };
        rungs.sort_unstable();
        rungs.dedup();
        rungs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rungs_end_with_the_whole() {
        let rungs = |text: &str, epochs| text.parse::<StopRule>().unwrap().rungs(epochs);
        assert_eq!(rungs("halving", 60), [3, 7, 20, 60]);
        assert_eq!(rungs("halving(2, rungs=3)", 8), [2, 4, 8]);
        assert_eq!(rungs("halving", 2), [1, 2]);
        assert_eq!(rungs("none", 60), [60]);
        assert_eq!(rungs("median", 10), [3, 5, 8, 10]);
        assert_eq!(rungs("halving", 1), [1]);
    }

    #[test]
    fn rules_are_spelt_and_checked() {
        let rule = StopRule::default();
        assert_eq!(rule.to_string(), "halving(eta=3, rungs=4)");
        assert_eq!(rule.to_string().parse::<StopRule>().unwrap(), rule);
        let error = |text: &str| text.parse::<StopRule>().unwrap_err().to_string();
        assert!(error("halving(1)").contains("from 2 to 100"));
        assert!(error("halvin").contains("did you mean `halving`"));
        assert!(error("median(0)").contains("at least 1"));
    }
}
