//! What to try, as a value.

use std::fmt;

use serde::Serialize;

/// A setting to try in the next run, all else being as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// Which one.
    pub setting: Setting,
    /// Its value, spelled as in a configuration: `cosine(0.1)`, `0.5`, `true`.
    pub value: String,
}

/// The settings that there is a value to suggest for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Setting {
    /// [`Config::lr`](crate::Config::lr); `auto` has it found.
    Lr,
    /// [`Config::plateau`](crate::Config::plateau).
    Plateau,
    /// One more of [`Config::groups`](crate::Config::groups).
    Group,
    /// [`Config::batch`](crate::Config::batch).
    Batch,
    /// The activation of the hidden layers.
    Activation,
    /// Whether there is normalisation over the batch.
    BatchNorm,
    /// The dropout rate.
    Dropout,
    /// The norm that gradients are scaled down to.
    ClipNorm,
}

impl fmt::Display for Suggestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.setting.name(), self.value)
    }
}

impl Setting {
    /// What it is called: `lr`, `batch-norm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lr => "lr",
            Self::Plateau => "plateau",
            Self::Group => "group",
            Self::Batch => "batch",
            Self::Activation => "activation",
            Self::BatchNorm => "batch-norm",
            Self::Dropout => "dropout",
            Self::ClipNorm => "clip-norm",
        }
    }

    /// This setting at a value.
    pub(super) fn at(self, value: impl Into<String>) -> Suggestion {
        Suggestion { setting: self, value: value.into() }
    }
}
