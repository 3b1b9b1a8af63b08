//! What tests of a spelling need: that values read back, that no text panics, and that errors show the place.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use downhill_core::SpecError;
use downhill_core::spec::{self, Spelled};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// A value as it stands in a configuration.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub struct Spelt<T: Spelled> {
    #[serde(with = "spec")]
    pub value: T,
}

/// The same value as a table.
#[derive(Serialize)]
struct Table<'a, T> {
    value: &'a T,
}

/// Checks that a value reads back from its text, and as a table or as text in JSON and TOML.
pub fn assert_reads_back<T: Spelled + FromStr<Err = SpecError> + Display + Debug + PartialEq>(value: &T) {
    let text = value.to_string();
    let read = |text: &str| T::from_str(text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(&read(&text), value, "{text}");
    assert_eq!(&read(&format!(" {} ", text.replace('(', " ( ").replace(',', " ,"))), value, "{text}");

    let table = Table { value };
    let trees = [serde_json::to_string(&table).unwrap(), toml::to_string(&table).unwrap()];
    let json: Spelt<T> = serde_json::from_str(&trees[0]).unwrap();
    let toml: Spelt<T> = toml::from_str(&trees[1]).unwrap();
    assert_eq!((&json.value, &toml.value), (value, value), "{trees:?}");

    let texts = [serde_json::to_string(&json).unwrap(), toml::to_string(&toml).unwrap()];
    assert!(texts.iter().all(|spelt| spelt.contains(&text)), "{texts:?}: {text}");
    assert_eq!(serde_json::from_str::<Spelt<T>>(&texts[0]).unwrap(), json);
    assert_eq!(toml::from_str::<Spelt<T>>(&texts[1]).unwrap(), toml);
}

pub fn positive() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NORMAL, POSITIVE, SUBNORMAL};
    prop_oneof![POSITIVE | NORMAL | SUBNORMAL, 1e-12..1.0, Just(1e-3), Just(1.0), Just(1e16)]
}

pub fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0, Just(0.0), Just(0.9), Just(1.0f64.next_down())]
}

/// Text that is nearly one of these specs, or anything.
pub fn texts(specs: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let nearly = (specs, any::<prop::sample::Index>(), "[a-z0-9()\\[\\]=,.%ß \n-]{0,3}").prop_map(
        |(text, at, slip)| {
            let (before, after) = text.split_at(at.index(text.len() + 1));
            let mut rest = after.chars();
            rest.next();
            format!("{before}{slip}{}", rest.as_str())
        },
    );
    prop_oneof![nearly, "[a-z0-9()\\[\\]=,.%ß \t\n-]{0,40}", any::<String>()]
}

/// Checks that text is either read and spelt so that it reads back, or refused with a place and a message.
pub fn assert_never_panics<T: Spelled + FromStr<Err = SpecError> + Display + Debug + PartialEq>(text: &str) {
    match T::from_str(text) {
        Ok(value) => assert_eq!(T::from_str(&value.to_string()).as_ref(), Ok(&value), "{text:?}: {value}"),
        Err(error) => {
            assert!(text.get(error.span()).is_some(), "{text:?}: {:?}", error.span());
            assert!(!error.message().is_empty());
            assert_eq!(error.to_string().lines().count(), 3, "{error}");
        }
    }
}

/// Checks the whole message, with its carets.
pub fn assert_says<T: Spelled + FromStr<Err = SpecError> + Debug>(cases: &[(&str, &str, &str)]) {
    for (text, carets, message) in cases {
        let error = T::from_str(text).unwrap_err();
        assert_eq!(error.to_string(), format!("{message}\n  {}\n  {carets}", text.replace('\n', " ")));
        assert_eq!(&error.message(), message);
    }
}
