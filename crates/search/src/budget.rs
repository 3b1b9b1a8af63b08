//! How much a study may spend.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Error;

/// How much a study may spend; it ends with whichever limit it comes to first. Without any, it makes 50
/// trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Budget {
    /// The number of trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trials: Option<u64>,
    /// The number of epochs of all trials together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epochs_total: Option<u64>,
    /// Seconds, of each time that the study is begun or gone on with. Which trial is the last then depends on
    /// the machine; those before it do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

/// The number of trials if nothing else limits a study.
const USUAL_TRIALS: u64 = 50;

impl Budget {
    pub(crate) fn most_trials(&self) -> u64 {
        let limited = self.epochs_total.is_some() || self.seconds.is_some();
        self.trials.unwrap_or(if limited { u64::MAX } else { USUAL_TRIALS })
    }

    pub(crate) fn most_epochs(&self) -> u64 {
        self.epochs_total.unwrap_or(u64::MAX)
    }

    pub(crate) fn time(&self) -> Option<Duration> {
        self.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |why: &str| Err(Error::Mismatch(why.into()));
        match self {
            Self { trials: Some(0), .. } => wrong("a budget of no trials is no search; give at least 1"),
            Self { epochs_total: Some(0), .. } => {
                wrong("a budget of no epochs is no search; give at least 1")
            }
            Self { seconds: Some(seconds), .. } if !(*seconds > 0.0 && *seconds < 1e9) => {
                wrong("the time must be above 0, and at most 30 years")
            }
            _ => Ok(()),
        }
    }
}
