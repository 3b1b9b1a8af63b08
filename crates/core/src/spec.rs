//! One spelling for rules, schedules, initialisers and layers: `name(main, key=value, …)`.
//!
//! `adam`, `adam(beta1=0.8)`, `warmup(5%, then=cosine(0.1))`. Values without a key fill the keys in the order
//! of the type's fields. What names and keys there are, their types and their defaults is said once, by the
//! types' serde derives: the parser only turns the text into what they read, so TOML and JSON tables mean the
//! same.

mod error;
mod print;
mod read;
mod syntax;
mod tree;

pub use error::SpecError;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use error::Fault;

use crate::Invalid;

/// A type that has a spelling.
pub trait Spelled: Serialize + DeserializeOwned {
    /// What it is, for messages: `an optimizer`.
    const WHAT: &'static str;

    /// Checks every setting's range.
    fn check(&self) -> Result<(), Invalid>;
}

/// Reads a value from its spelling and checks it.
///
/// # Errors
///
/// Points at the place and suggests the nearest right word.
pub fn parse<T: Spelled>(text: &str) -> Result<T, SpecError> {
    let read = || {
        if text.trim().is_empty() {
            return Err(Fault::new(format!("expected {}, found nothing", T::WHAT), 0..0));
        }
        let node = syntax::parse(text)?;
        let keys = read::Keys::new(text);
        let value = T::deserialize(read::Reader::new(&node, &keys)).map_err(|fault| fault.naming(T::WHAT))?;
        value.check().map_err(|invalid| keys.blame(&invalid))?;
        Ok(value)
    };
    read().map_err(|fault: Fault| fault.in_text(text))
}

/// The spelling of a value, every setting written out; it reads back as the same value.
pub fn print<T: Spelled>(value: &T) -> String {
    print::spell(&serde_json::to_value(value).expect("specs are plain data"))
}

/// The name that the spelling of a value begins with, without its settings: `adam`.
pub fn name<T: Spelled>(value: &T) -> String {
    print(value).split('(').next().unwrap_or_default().to_string()
}

/// Writes a value as its spelling: for `#[serde(with = "downhill_core::spec")]`.
pub fn serialize<T: Spelled, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(value))
}

/// Reads a value from its spelling or from the same tree as a table.
pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let tree::Tree(tree) = tree::Tree::deserialize(deserializer)?;
    parse(&print::spell(&tree)).map_err(serde::de::Error::custom)
}

/// Reads a value from its spelling, or none if that is the word `auto`: it is then to be chosen.
///
/// # Errors
///
/// As [`parse`].
pub fn parse_or_auto<T: Spelled>(text: &str) -> Result<Option<T>, SpecError> {
    if text.trim() == "auto" { Ok(None) } else { parse(text).map(Some) }
}

/// Reads a value as [`deserialize`] does, or none if it is the word `auto`.
pub fn deserialize_or_auto<'de, T: Spelled, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let tree::Tree(tree) = tree::Tree::deserialize(deserializer)?;
    parse_or_auto(&print::spell(&tree)).map_err(serde::de::Error::custom)
}

/// Gives a type with serde derives and a `check` method its spelling, [`FromStr`](std::str::FromStr) and
/// [`Display`](std::fmt::Display).
#[macro_export]
macro_rules! spelled {
    ($type:ty, $what:literal) => {
        impl $crate::spec::Spelled for $type {
            const WHAT: &'static str = $what;

            fn check(&self) -> Result<(), $crate::Invalid> {
                <$type>::check(self)
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::SpecError;

            fn from_str(text: &str) -> Result<Self, $crate::SpecError> {
                $crate::spec::parse(text)
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&$crate::spec::print(self))
            }
        }
    };
}
pub use spelled;
