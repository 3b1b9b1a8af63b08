//! The settings of one trial.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The value of a setting.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Of a `log`, `uniform`, `times` or `int` domain.
    Number(f64),
    /// Of a `choice`, as it was spelt.
    Word(String),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Up to here, every whole number is a float.
        let most = (1u64 << 53) as f64;
        match self {
            Self::Number(number) if number.fract() == 0.0 && number.abs() <= most => {
                serializer.serialize_i64(*number as i64)
            }
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Word(word) => serializer.serialize_str(word),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) if *number != 0.0 && !(1e-4..1e6).contains(&number.abs()) => {
                write!(f, "{number:e}")
            }
            Self::Number(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// The settings of one trial: a value for each name, in the order of the space.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(pub(crate) Vec<(String, Value)>);

impl Settings {
    /// All names with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The value of a setting, if there is one of that name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.iter().find(|(other, _)| *other == name).map(|(_, value)| value)
    }

    /// The number that a setting is, if it is one.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Word(word) => word.parse().ok(),
        }
    }

    /// The word that a setting is, if it was chosen among words.
    pub fn word(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Word(word) => Some(word),
            Value::Number(_) => None,
        }
    }
}

impl FromIterator<(String, Value)> for Settings {
    /// Each name is to be there once.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Settings {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = serde_json::Map::<String, serde_json::Value>::deserialize(deserializer)?;
        let read = |(name, value)| Ok((name, serde_json::from_value(value)?));
        table
            .into_iter()
            .map(read)
            .collect::<Result<_, serde_json::Error>>()
            .map(Self)
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, value)) in self.iter().enumerate() {
            write!(f, "{}{name} {value}", if at == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
