//! One spelling for rules, schedules, initialisers and layers: `name(main, key=value, …)`.
//!
//! `adam`, `adam(beta1=0.8)`, `warmup(5%, then=cosine(0.1))`. Values without a key fill the keys in the order of the
//! type's fields. What names and keys there are, their types and their defaults is said once, by the types' serde
//! derives: the parser only turns the text into what they read, so TOML and JSON tables mean the same.

mod error;
mod print;
mod read;
mod syntax;

pub use error::SpecError;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

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
    let node = syntax::parse(text).map_err(|fault| fault.in_text(text, T::WHAT))?;
    let keys = read::Keys::default();
    let value =
        T::deserialize(read::Reader::new(&node, &keys)).map_err(|fault| fault.in_text(text, T::WHAT))?;
    match value.check() {
        Ok(()) => Ok(value),
        Err(invalid) => Err(keys.blame(&invalid).in_text(text, T::WHAT)),
    }
}

/// The spelling of a value, every setting written out; it reads back as the same value.
pub fn print<T: Spelled>(value: &T) -> String {
    print::spell(&serde_json::to_value(value).expect("specs are plain data"))
}

/// Writes a value as its spelling: for `#[serde(with = "downhill_optim::spec")]`.
pub fn serialize<T: Spelled, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&print(value))
}

/// Reads a value from its spelling or from the same tree as a table.
pub fn deserialize<'de, T: Spelled, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    use serde::de::Error;

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Number(f64),
        Text(String),
        Tree(serde_json::Value),
    }
    match Form::deserialize(deserializer)? {
        Form::Number(number) => parse(&number.to_string()).map_err(D::Error::custom),
        Form::Text(text) => parse(&text).map_err(D::Error::custom),
        Form::Tree(tree) => parse(&print::spell(&tree)).map_err(D::Error::custom),
    }
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
