//! Everything that decides what a study comes to.

use downhill_core::spec;
use serde::{Deserialize, Serialize};

use crate::{Budget, Error, Sampler, Settings, Space, StopRule};

/// What is better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Goal {
    /// A lower value, as of a loss.
    #[default]
    Minimise,
    /// A higher value, as of an accuracy.
    Maximise,
}

impl Goal {
    /// A value as what is minimised; none if it is no finite number.
    pub(crate) fn cost(self, value: Option<f64>) -> Option<f64> {
        let value = value.filter(|value| value.is_finite())?;
        Some(match self {
            Self::Minimise => value,
            Self::Maximise => -value,
        })
    }

    /// A cost as the value that it is of.
    pub(crate) fn value(self, cost: f64) -> f64 {
        match self {
            Self::Minimise => cost,
            Self::Maximise => -cost,
        }
    }
}

/// Everything that decides what a study comes to, besides its objective: `search.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plan {
    /// What the objective is, in the words of whoever makes the study; whoever goes on with it may need them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objective: Vec<String>,
    /// The fingerprint of the data, if there is data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// What is better. Default lower.
    pub goal: Goal,
    /// The random seed of the suggestions. Default 0.
    pub seed: u64,
    /// How settings are suggested. Default TPE.
    pub sampler: Sampler,
    /// Which trials go on. Default successive halving.
    #[serde(with = "spec")]
    pub stop: StopRule,
    /// How many epochs a trial has that goes on to its end. Default 1, for objectives that have none.
    pub epochs: u64,
    /// How many jobs may be under way at once: a suggestion or a decision sees the results of all jobs but
    /// the last `window` − 1 before it. Default 8. More workers than these have nothing to do.
    pub window: u64,
    /// Settings that are tried before the sampler suggests any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub first: Vec<Settings>,
    /// Settings that are believed to be good, as they were in an earlier study: near them the sampler begins,
    /// until it knows enough results. Only [TPE](Sampler::Tpe) does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub prior: Vec<Settings>,
    /// How much may be spent. When a study goes on, it may be more.
    pub budget: Budget,
    /// What is searched.
    pub space: Space,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            objective: Vec::new(),
            data: None,
            goal: Goal::default(),
            seed: 0,
            sampler: Sampler::default(),
            stop: StopRule::default(),
            epochs: 1,
            window: 8,
            first: Vec::new(),
            prior: Vec::new(),
            budget: Budget::default(),
            space: Space::default(),
        }
    }
}

impl Plan {
    /// The plan as `search.toml`.
    pub(crate) fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self)
            .map_err(|error| Error::Mismatch(format!("the plan cannot be written as TOML: {error}")))
    }

    /// Fails if it makes no study.
    ///
    /// # Errors
    ///
    /// The first thing that is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        self.space.check()?;
        self.sampler.check(&self.space)?;
        self.budget.check()?;
        self.stop.check().map_err(|invalid| Error::Mismatch(invalid.to_string()))?;
        let wrong = |why: &str| Err(Error::Mismatch(why.into()));
        match self {
            Self { epochs: 0, .. } => wrong("a trial of no epochs has no value; give at least 1"),
            Self { window: 0, .. } => wrong("the window must be at least 1"),
            Self { prior, sampler, .. } if !prior.is_empty() && !sampler.has_prior() => {
                Err(Error::Mismatch(format!(
                    "the sampler {sampler} does not begin near what was good before; take tpe, or no prior"
                )))
            }
            Self { first, prior, space, .. } => first.iter().chain(prior).try_for_each(|settings| {
                let outside =
                    |why| Error::Mismatch(format!("the settings {settings} cannot be tried: {why}"));
                space.point(settings).map(|_| ()).map_err(outside)
            }),
        }
    }
}
