//! What the spread of weights is multiplied by.

use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use downhill_core::{Invalid, invalid};

/// What the standard deviation of weights is multiplied by, to make up for what the activation behind them
/// takes away.
///
/// In text a number, or `auto`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Gain {
    /// A factor above 0. The default is 1.
    Of(f64),
    /// The gain of the activation that follows. Weights that are filled alone have none, and take 1.
    Auto,
}

impl Default for Gain {
    fn default() -> Self {
        Self::Of(1.0)
    }
}

impl From<f64> for Gain {
    fn from(gain: f64) -> Self {
        Self::Of(gain)
    }
}

impl Gain {
    /// The factor.
    pub(super) fn factor(self) -> f64 {
        match self {
            Self::Of(gain) => gain,
            Self::Auto => 1.0,
        }
    }

    pub(super) fn check(self, owner: &'static str) -> Result<(), Invalid> {
        invalid::positive(owner, "gain", self.factor())
    }
}

impl Serialize for Gain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Of(gain) => serializer.serialize_f64(*gain),
            Self::Auto => serializer.serialize_str("auto"),
        }
    }
}

impl<'de> Deserialize<'de> for Gain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct GainVisitor;

        impl Visitor<'_> for GainVisitor {
            type Value = Gain;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or `auto`")
            }

            fn visit_f64<E: de::Error>(self, gain: f64) -> Result<Gain, E> {
                Ok(Gain::Of(gain))
            }

            fn visit_u64<E: de::Error>(self, gain: u64) -> Result<Gain, E> {
                Ok(Gain::Of(gain as f64))
            }

            fn visit_i64<E: de::Error>(self, gain: i64) -> Result<Gain, E> {
                Ok(Gain::Of(gain as f64))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<Gain, E> {
                if word == "auto" {
                    Ok(Gain::Auto)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(word), &self))
                }
            }
        }

        deserializer.deserialize_any(GainVisitor)
    }
}
