//! The spec language, on a type made for it: what reads back, and what is said about what does not.

mod spelled;

use downhill_core::{Invalid, invalid, spec::spelled};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use spelled::{Spelt, assert_never_panics, assert_reads_back, assert_says, fraction, positive, texts};

/// One of everything that a setting can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", expecting = "a filter")]
enum Filter {
    Off,
    Constant(Level),
    Gauss(Gauss),
    Chain(Chain),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Level {
    value: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Gauss {
    sigma: f64,
    #[serde(default)]
    half_width: Option<u32>,
    #[serde(default)]
    wrap: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Chain {
    filters: Vec<Filter>,
    weights: Vec<f64>,
}

impl Filter {
    fn check(&self) -> Result<(), Invalid> {
        match self {
            Self::Off | Self::Constant(_) => Ok(()),
            Self::Gauss(gauss) => invalid::positive("gauss", "sigma", gauss.sigma),
            Self::Chain(chain) => {
                chain.filters.iter().try_for_each(Self::check)?;
                chain.weights.iter().try_for_each(|&w| invalid::fraction("chain", "weights", w))
            }
        }
    }
}
spelled!(Filter, "a filter");

fn filters() -> impl Strategy<Value = Filter> {
    let simple = prop_oneof![
        Just(Filter::Off),
        positive().prop_map(|value| Filter::Constant(Level { value })),
        (positive(), prop::option::of(any::<u32>()), any::<bool>())
            .prop_map(|(sigma, half_width, wrap)| Filter::Gauss(Gauss { sigma, half_width, wrap })),
    ];
    simple.prop_recursive(3, 8, 3, |inner| {
        (prop::collection::vec(inner, 0..3), prop::collection::vec(fraction(), 0..3))
            .prop_map(|(filters, weights)| Filter::Chain(Chain { filters, weights }))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn values_read_back(filter in filters()) {
        assert_reads_back(&filter);
    }

    #[test]
    fn no_text_panics(text in texts(filters().prop_map(|filter| filter.to_string()))) {
        assert_never_panics::<Filter>(&text);
    }
}

#[test]
fn tables_may_mix_with_text() {
    let wanted: Filter = "chain([gauss(2, wrap=true), 0.5], [0.1])".parse().unwrap();
    for json in [
        r#"{"chain": {"filters": [{"gauss": {"sigma": 2, "wrap": true}}, 0.5], "weights": [0.1]}}"#,
        r#"{"chain": {"weights": [0.1], "filters": ["gauss(2, wrap=true)", {"constant": 0.5}]}}"#,
    ] {
        let read: Spelt<Filter> = serde_json::from_str(&format!(r#"{{"value": {json}}}"#)).unwrap();
        assert_eq!(read.value, wanted, "{json}");
    }
}

#[test]
fn errors_show_the_place() {
    assert_says::<Filter>(&[
        ("", "^", "expected a filter, found nothing"),
        ("gaus(1)", "^^^^", "`gaus` is not a filter; did you mean `gauss`?"),
        ("gauss", "^^^^^", "the key `sigma` is missing: it has no default"),
        ("gauss(-1)", "      ^^", "`sigma` of `gauss` must be above 0, not -1"),
        (
            "gauss(1, half_width=2)",
            "         ^^^^^^^^^^",
            "unknown key `half_width`; did you mean `half-width`?",
        ),
        ("gauss(1, 2.5)", "         ^^^", "expected a whole number, found `2.5`"),
        ("gauss(1, 2, 3)", "            ^", "expected `true` or `false`, found `3`"),
        (
            "gauss(wrap=true, 1)",
            "                 ^",
            "a value without a key must stand before those with one",
        ),
        ("gauss(1, sigma=2)", "         ^^^^^", "`sigma` is given twice"),
        ("chain([gauss(0)], [])", "             ^", "`sigma` of `gauss` must be above 0, not 0"),
        ("chain(gauss(1), [])", "      ^^^^^^^^", "expected a list, found `gauss(1)`"),
        ("off(1)", "    ^", "`off` takes no settings"),
        ("gauss(1", "       ^", "expected `,` or `)` here"),
    ]);
}
