//! Lists and options of values that are written by their spelling.

use downhill_core::spec::{self, Spelled};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Spelt<T: Spelled>(#[serde(with = "spec")] T);

/// For `#[serde(with = "list")]`: a list of spellings.
pub(crate) mod list {
    use super::{Spelled, Spelt};
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<T: Spelled + Clone, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| Spelt(value.clone())))
    }

    pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
        let values = Vec::<Spelt<T>>::deserialize(deserializer)?;
        Ok(values.into_iter().map(|value| value.0).collect())
    }
}

/// For `#[serde(with = "option")]`: a spelling, if there is one.
pub(crate) mod option {
    use super::{Spelled, spec};
    use serde::{Deserializer, Serializer};

    pub fn serialize<T: Spelled, S: Serializer>(value: &Option<T>, serializer: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => spec::serialize(value, serializer),
            None => serializer.serialize_none(),
        }
    }

    pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        spec::deserialize(deserializer).map(Some)
    }
}
