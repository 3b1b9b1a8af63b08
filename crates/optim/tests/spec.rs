//! The spelling of rules, schedules and initialisers: what reads back, and what is said about what does not.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use downhill_optim::spec::{self, Spelled};
use downhill_optim::*;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};

/// A value as it stands in a configuration.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Spelt<T: Spelled> {
    #[serde(with = "spec")]
    value: T,
}

/// The same value as a table.
#[derive(Serialize)]
struct Table<'a, T> {
    value: &'a T,
}

fn assert_reads_back<T: Spelled + FromStr<Err = SpecError> + Display + Debug + PartialEq>(value: &T) {
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

fn positive() -> impl Strategy<Value = f64> {
    use proptest::num::f64::{NORMAL, POSITIVE, SUBNORMAL};
    prop_oneof![POSITIVE | NORMAL | SUBNORMAL, 1e-12..1.0, Just(1e-3), Just(1.0), Just(1e16)]
}

fn fraction() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1.0, Just(0.0), Just(0.9), Just(1.0f64.next_down())]
}

fn up_to_one() -> impl Strategy<Value = f64> {
    fraction().prop_map(|x| 1.0 - x)
}

fn rules() -> impl Strategy<Value = Rule> {
    let form = || prop_oneof![Just(Form::Velocity), Just(Form::Buffer)];
    let adam =
        || (fraction(), fraction(), positive()).prop_map(|(beta1, beta2, eps)| Adam { beta1, beta2, eps });
    prop_oneof![
        Just(Sgd {}.into()),
        (fraction(), form()).prop_map(|(momentum, form)| Momentum { momentum, form }.into()),
        (fraction(), form()).prop_map(|(momentum, form)| Nesterov { momentum, form }.into()),
        (positive(), fraction()).prop_map(|(eps, initial)| Adagrad { eps, initial }.into()),
        (fraction(), positive(), any::<bool>(), fraction(), form()).prop_map(
            |(rho, eps, centered, momentum, form)| RmsProp { rho, eps, centered, momentum, form }.into()
        ),
        (fraction(), positive()).prop_map(|(rho, eps)| Adadelta { rho, eps }.into()),
        adam().prop_map(Rule::from),
        adam().prop_map(|Adam { beta1, beta2, eps }| AmsGrad { beta1, beta2, eps }.into()),
        adam().prop_map(|Adam { beta1, beta2, eps }| Adamax { beta1, beta2, eps }.into()),
        adam().prop_map(|Adam { beta1, beta2, eps }| RAdam { beta1, beta2, eps }.into()),
        (adam(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, momentum_decay)| {
            NAdam { beta1, beta2, eps, momentum_decay }.into()
        }),
        (fraction(), fraction(), fraction()).prop_map(|(beta1, beta2, weight_decay)| Lion {
            beta1,
            beta2,
            weight_decay
        }
        .into()),
        (adam(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, weight_decay)| {
            AdamW { beta1, beta2, eps, weight_decay }.into()
        }),
        (adam(), fraction()).prop_map(|(Adam { beta1, beta2, eps }, weight_decay)| {
            Lamb { beta1, beta2, eps, weight_decay }.into()
        }),
        (fraction(), fraction(), positive()).prop_map(|(momentum, weight_decay, trust)| Lars {
            momentum,
            weight_decay,
            trust
        }
        .into()),
        (adam(), fraction(), any::<(bool, bool)>(), fraction()).prop_map(
            |(Adam { beta1, beta2, eps }, momentum, (nesterov, rms), weight_decay)| {
                let scale = if rms { Scale::Rms } else { Scale::Shape };
                Muon { momentum, nesterov, scale, beta1, beta2, eps, weight_decay }.into()
            }
        ),
        (1e-9f64..1.0, fraction(), fraction(), positive()).prop_map(
            |(momentum, weight_decay, r, lr_power)| {
                ScheduleFreeSgd { momentum, weight_decay, r, lr_power }.into()
            }
        ),
        (adam(), 1e-9f64..1.0, fraction(), fraction(), positive()).prop_map(
            |(Adam { beta2, eps, .. }, beta1, weight_decay, r, lr_power)| {
                ScheduleFreeAdamW { beta1, beta2, eps, weight_decay, r, lr_power }.into()
            }
        ),
        (adam(), fraction(), (positive(), positive()), prop::option::of(1.01f64..9.0), any::<(bool, bool)>())
            .prop_map(|(Adam { beta1, beta2, eps }, weight_decay, (d0, d_coef), growth_rate, flags)| {
                let (bias_correction, safeguard_warmup) = flags;
                let settings = Prodigy {
                    beta1,
                    beta2,
                    eps,
                    weight_decay,
                    d0,
                    d_coef,
                    growth_rate,
                    ..Prodigy::default()
                };
                Prodigy { bias_correction, safeguard_warmup, ..settings }.into()
            }),
    ]
}

fn groups() -> impl Strategy<Value = Group> {
    let roles = prop::sample::select(vec![Role::Weight, Role::Bias, Role::Scale, Role::Shift]);
    let names = prop::sample::select(vec!["0.*", "*", "12.weight", "*.bias", "7", "é*"]);
    let factors = || (positive(), prop::option::of(positive()));
    prop_oneof![
        (names, factors()).prop_map(|(name, (lr, decay))| Group::Name(ByName {
            pattern: name.into(),
            lr,
            decay
        })),
        (roles, factors()).prop_map(|(role, (lr, decay))| Group::Role(ByRole { role, lr, decay })),
    ]
}

fn lengths() -> impl Strategy<Value = Length> {
    prop_oneof![
        (1..i64::MAX as u64).prop_map(Length::Steps),
        (1u64..1000).prop_map(Length::Steps),
        positive().prop_map(Length::Epochs),
        up_to_one().prop_map(Length::Share),
        (1u32..=100).prop_map(|percent| Length::Share(f64::from(percent) / 100.0)),
    ]
}

fn schedules() -> impl Strategy<Value = Schedule> {
    let per = || prop_oneof![Just(Per::Step), Just(Per::Epoch)];
    let from = || prop_oneof![0u64..3, 0..i64::MAX as u64]; // TOML has no larger numbers
    let modes = || prop::sample::select(vec![Mode::Triangular, Mode::Triangular2, Mode::ExpRange]);
    let simple = prop_oneof![
            positive().prop_map(|rate| Constant { rate }.into()),
            (positive(), fraction(), per(), from()).prop_map(|(initial, decay, per, from)| InverseTime {
                initial,
                decay,
                per,
                from
            }
            .into()),
            (positive(), up_to_one(), per(), from()).prop_map(|(initial, rate, per, from)| Exponential {
                initial,
                rate,
                per,
                from
            }
            .into()),
            (positive(), per(), from()).prop_map(|(initial, per, from)| InverseSqrt {
                initial,
                per,
                from: from.max(1)
            }
            .into()),
            (positive(), lengths(), up_to_one(), per(), from()).prop_map(
                |(initial, every, factor, per, from)| {
                    Staircase { initial, every, factor, per, from }.into()
                }
            ),
            (positive(), fraction(), lengths(), per()).prop_map(|(initial, end, over, per)| Cosine {
                initial,
                end,
                over,
                per
            }
            .into()),
            (positive(), lengths(), 1.0f64..9.0, up_to_one(), fraction(), per()).prop_map(
                |(initial, first, t_mul, m_mul, end, per)| {
                    CosineRestarts { initial, first, t_mul, m_mul, end, per }.into()
                }
            ),
            (positive(), 1u64..1000, prop::collection::vec(fraction(), 0..4), per()).prop_map(
                |(initial, first, rates, per)| {
                    let at = (first..).map(Length::Steps).take(rates.len()).collect();
                    Piecewise { initial, at, rates, per }.into()
                }
            ),
            (positive(), fraction(), lengths(), per()).prop_map(|(initial, end, over, per)| Linear {
                initial,
                end,
                over,
                per
            }
            .into()),
            (positive(), fraction(), lengths(), positive(), per()).prop_map(
                |(initial, end, over, power, per)| Polynomial { initial, end, over, power, per }.into()
            ),
            (positive(), lengths(), lengths(), 1.0f64..1e9, 1.0f64..1e9, any::<bool>(), fraction(), per())
                .prop_map(|(max, over, start, div, final_div, cycle_momentum, base_momentum, per)| {
                    let max_momentum = 0.5 * base_momentum;
                    OneCycle {
                        max,
                        over,
                        start,
                        div,
                        final_div,
                        cycle_momentum,
                        base_momentum,
                        max_momentum,
                        per,
                    }
                    .into()
                }),
            (positive(), fraction(), lengths(), modes(), up_to_one(), per()).prop_map(
                |(high, share, half, mode, gamma, per)| {
                    let low = high * (1.0 - share / 2.0);
                    Cyclic { low: if low > 0.0 { low } else { high }, high, half, mode, gamma, per }.into()
                }
            ),
            (positive(), lengths(), lengths(), fraction()).prop_map(|(max, warmup, decay, share)| Wsd {
                max,
                warmup,
                decay,
                end: max * share
            }
            .into()),
            (positive(), 1..i64::MAX as u64, lengths()).prop_map(|(factor, model, warmup)| Noam {
                factor,
                model,
                warmup
            }
            .into()),
        ];
    simple.prop_recursive(4, 8, 2, |inner| {
        prop_oneof![
            (lengths(), inner.clone()).prop_map(|(over, then)| Warmup::new(over, then).into()),
            (inner.clone(), lengths(), inner)
                .prop_map(|(first, length, then)| Sequence::new(first, length, then).into()),
        ]
    })
}

fn gains() -> impl Strategy<Value = Gain> {
    prop_oneof![Just(Gain::Auto), positive().prop_map(Gain::Of)]
}

fn inits() -> impl Strategy<Value = Init> {
    prop_oneof![
        prop::sample::select(vec![
            Init::Auto,
            Init::Zeros,
            Init::Ones,
            Init::Identity,
            Init::HeUniform,
            Init::HeNormal,
            Init::LecunUniform,
            Init::LecunNormal,
        ]),
        positive().prop_map(|std| Init::Normal(Normal { std })),
        positive().prop_map(|limit| Init::Uniform(Uniform { limit })),
        (positive(), any::<bool>())
            .prop_map(|(size, below)| Init::Constant(Fill { value: if below { -size } else { size } })),
        positive().prop_map(|std| Init::TruncatedNormal(TruncatedNormal { std })),
        gains().prop_map(|gain| Init::Orthogonal(Orthogonal { gain })),
        gains().prop_map(|gain| Init::GlorotUniform(Glorot { gain })),
        gains().prop_map(|gain| Init::GlorotNormal(Glorot { gain })),
        (positive(), 1..20u32).prop_map(|(tolerance, iterations)| Init::Lsuv(Lsuv { tolerance, iterations })),
        (fraction(), positive()).prop_map(|(sparsity, std)| Init::Sparse(Sparse { sparsity, std })),
    ]
}

/// Text that is a spec, nearly one, or anything.
fn texts() -> impl Strategy<Value = String> {
    let nearly = (
        prop_oneof![
            rules().prop_map(|rule| rule.to_string()),
            schedules().prop_map(|schedule| schedule.to_string()),
            inits().prop_map(|init| init.to_string()),
        ],
        any::<prop::sample::Index>(),
        "[a-z0-9()\\[\\]=,.%ß \n-]{0,3}",
    )
        .prop_map(|(text, at, slip)| {
            let (before, after) = text.split_at(at.index(text.len() + 1));
            let mut rest = after.chars();
            rest.next();
            format!("{before}{slip}{}", rest.as_str())
        });
    prop_oneof![nearly, "[a-z0-9()\\[\\]=,.%ß \t\n-]{0,40}", any::<String>()]
}

fn assert_never_panics<T: Spelled + FromStr<Err = SpecError> + Display + Debug + PartialEq>(text: &str) {
    match T::from_str(text) {
        Ok(value) => assert_eq!(T::from_str(&value.to_string()).as_ref(), Ok(&value), "{text:?}: {value}"),
        Err(error) => {
            assert!(text.get(error.span()).is_some(), "{text:?}: {:?}", error.span());
            assert!(!error.message().is_empty());
            assert_eq!(error.to_string().lines().count(), 3, "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn rules_read_back(rule in rules()) {
        assert_reads_back(&rule);
    }

    #[test]
    fn schedules_read_back(schedule in schedules()) {
        assert_reads_back(&schedule);
    }

    #[test]
    fn inits_read_back(init in inits()) {
        assert_reads_back(&init);
    }

    #[test]
    fn groups_read_back(group in groups()) {
        assert_reads_back(&group);
    }

    #[test]
    fn lengths_read_back(length in lengths()) {
        prop_assert_eq!(length.to_string().parse(), Ok(length));
    }

    #[test]
    fn no_text_panics(text in texts()) {
        assert_never_panics::<Rule>(&text);
        assert_never_panics::<Schedule>(&text);
        assert_never_panics::<Init>(&text);
        let _ = text.parse::<Length>();
    }
}

#[test]
fn spellings_are_short_and_plain() {
    for (text, printed) in [
        ("adam", "adam(beta1=0.9, beta2=0.999, eps=1e-8)"),
        ("adam()", "adam(beta1=0.9, beta2=0.999, eps=1e-8)"),
        ("adam(0.8, eps=1e-4)", "adam(beta1=0.8, beta2=0.999, eps=0.0001)"),
        ("adam(\n  beta1 = 0.8,\n)", "adam(beta1=0.8, beta2=0.999, eps=1e-8)"),
        ("nesterov(0.5, buffer)", "nesterov(momentum=0.5, form=buffer)"),
        ("sgd", "sgd"),
    ] {
        assert_eq!(text.parse::<Rule>().unwrap().to_string(), printed);
    }
    for (text, printed) in [
        ("0.1", "constant(rate=0.1)"),
        ("+1e-3", "constant(rate=0.001)"),
        ("constant(0.1)", "constant(rate=0.1)"),
        ("step(1, 5%)", "step(initial=1.0, every=5%, factor=0.5, per=step, from=0)"),
        ("warmup(7%, 0.5)", "warmup(over=7%, then=constant(rate=0.5))"),
        ("warmup(2.5e-1%, 0.5)", "warmup(over=0.25%, then=constant(rate=0.5))"),
        ("warmup(0.50ep, 0.5)", "warmup(over=0.5ep, then=constant(rate=0.5))"),
        ("sequence(0.1, 5ep, 0.01)", "sequence(first=constant(rate=0.1), for=5ep, then=constant(rate=0.01))"),
        (
            "piecewise(1, [5, 10%], [0.5, 0])",
            "piecewise(initial=1.0, at=[5, 10%], rates=[0.5, 0.0], per=step)",
        ),
        ("warmup(1e3, 0.5)", "warmup(over=1000, then=constant(rate=0.5))"),
    ] {
        assert_eq!(text.parse::<Schedule>().unwrap().to_string(), printed);
    }
    for (text, printed) in [
        ("xavier", "glorot-uniform(gain=1.0)"),
        ("xavier-normal(2)", "glorot-normal(gain=2.0)"),
        ("orthogonal(gain=auto)", "orthogonal(gain=auto)"),
        ("lsuv", "lsuv(tolerance=0.1, iterations=10)"),
        ("kaiming-normal", "he-normal"),
        ("normal(2)", "normal(std=2.0)"),
        ("0.1", "constant(value=0.1)"),
        ("sparse(0.9)", "sparse(sparsity=0.9, std=0.01)"),
    ] {
        assert_eq!(text.parse::<Init>().unwrap().to_string(), printed);
    }
}

#[test]
fn tables_may_mix_with_text() {
    let wanted: Schedule = "warmup(5%, then=cosine(0.1, end=1e-4))".parse().unwrap();
    for json in [
        r#"{"warmup": {"over": "5%", "then": {"cosine": {"initial": 0.1, "end": 1e-4}}}}"#,
        r#"{"warmup": {"then": "cosine(0.1, end=1e-4)", "over": "5%"}}"#,
        r#""warmup(5%, then=cosine(0.1, end=1e-4))""#,
    ] {
        let read: Spelt<Schedule> = serde_json::from_str(&format!(r#"{{"value": {json}}}"#)).unwrap();
        assert_eq!(read.value, wanted);
    }
    for (json, text) in [("0.1", "0.1"), ("1", "1"), (r#"{"constant": 0.5}"#, "0.5")] {
        let read: Spelt<Schedule> = serde_json::from_str(&format!(r#"{{"value": {json}}}"#)).unwrap();
        assert_eq!(read.value, text.parse().unwrap());
    }
    let toml = "[value.warmup]\nover = '5%'\nthen.cosine = { initial = 0.1, end = 1e-4 }";
    assert_eq!(toml::from_str::<Spelt<Schedule>>(toml).unwrap().value, wanted);
}

#[test]
fn wrong_tables_are_refused_as_their_text_is() {
    let error = |toml: &str| toml::from_str::<Spelt<Rule>>(toml).unwrap_err().to_string();
    for (toml, message) in [
        ("value = 'adm'", "`adm` is not an optimizer; did you mean `adam`?"),
        ("value = 3", "`3` is not an optimizer"),
        ("value = true", "`true` is not an optimizer"),
        ("value = []", "expected a name, found `[]`"),
        ("value = {}", "expected an optimizer, found nothing"),
        ("value.adam.beta1 = 1.5", "`beta1` of `adam` must be at least 0 and below 1, not 1.5"),
        ("value.adam.beta1 = nan", "expected a number, found `NaN`"),
        ("value.adam.beta1 = inf", "expected a number, found `inf`"),
        ("value.adam.beta1 = 'x'", "expected a number, found `x`"),
        ("value.adam.beta_1 = 0.5", "unknown key `beta_1`; did you mean `beta1`?"),
        ("value.adam = {}\nvalue.sgd = {}", "expected nothing more here"),
    ] {
        assert!(error(toml).contains(message), "{toml}: {}", error(toml));
    }
}

/// Checks the whole message, with its carets.
fn assert_says<T: Spelled + FromStr<Err = SpecError> + Debug>(cases: &[(&str, &str, &str)]) {
    for (text, carets, message) in cases {
        let error = T::from_str(text).unwrap_err();
        assert_eq!(error.to_string(), format!("{message}\n  {}\n  {carets}", text.replace('\n', " ")));
        assert_eq!(&error.message(), message);
    }
}

const RULES: &str = "`sgd`, `momentum`, `nesterov`, `adagrad`, `rmsprop`, `adadelta`, `adam`, `amsgrad`, `adamw`, `nadam`, `adamax`, `radam`, `lion`, `lars`, `lamb`, `muon`, `schedule-free-sgd`, `schedule-free-adamw`, `prodigy`";

#[test]
fn errors_in_rules_show_the_place() {
    assert_says::<Rule>(&[
        ("", "^", "expected an optimizer, found nothing"),
        (" ", "^", "expected an optimizer, found nothing"),
        // names
        ("adm", "^^^", "`adm` is not an optimizer; did you mean `adam`?"),
        ("adm(beta1=2)", "^^^", "`adm` is not an optimizer; did you mean `adam`?"),
        ("  Nestrov (0.9)", "  ^^^^^^^", "`Nestrov` is not an optimizer; did you mean `nesterov`?"),
        ("0.1", "^^^", &format!("`0.1` is not an optimizer; there is {RULES}")),
        ("übel(1)", "^^^^", &format!("`übel` is not an optimizer; there is {RULES}")),
        ("{what}", "^^^^^^", &format!("`{{what}}` is not an optimizer; there is {RULES}")),
        ("[adam]", "^^^^^^", "expected a name, found `[adam]`"),
        // keys
        ("adam(beta=0.9)", "     ^^^^", "unknown key `beta`; did you mean `beta2`?"),
        ("adam(β=0.9)", "     ^", "unknown key `β`; there is `beta1`, `beta2`, `eps`"),
        (
            "adamw(weight_decay=1)",
            "      ^^^^^^^^^^^^",
            "unknown key `weight_decay`; did you mean `weight-decay`?",
        ),
        ("adam(eps=1, eps=2)", "            ^^^", "`eps` is given twice"),
        ("adam(0.9, beta1=0.8)", "          ^^^^^", "`beta1` is given twice"),
        ("adam(eps=1, 0.9)", "            ^^^", "a value without a key must stand before those with one"),
        ("adam(0.9, 0.9, 1, 2)", "                  ^", "`adam` takes at most 3 settings"),
        ("sgd(0.1)", "    ^^^", "`sgd` takes no settings"),
        ("sgd(lr=0.1)", "    ^^", "`sgd` takes no settings"),
        // values
        ("adam(beta1=1.5)", "           ^^^", "`beta1` of `adam` must be at least 0 and below 1, not 1.5"),
        ("adamw(1)", "      ^", "`beta1` of `adamw` must be at least 0 and below 1, not 1"),
        ("adam(0.9, 0.9, -1e-3)", "               ^^^^^", "`eps` of `adam` must be above 0, not -0.001"),
        ("adam(eps=0)", "         ^", "`eps` of `adam` must be above 0, not 0"),
        ("momentum(1)", "         ^", "`momentum` of `momentum` must be at least 0 and below 1, not 1"),
        ("adagrad(initial=-1)", "                ^^", "`initial` of `adagrad` must be 0 or above, not -1"),
        ("adadelta(rho=1)", "             ^", "`rho` of `adadelta` must be at least 0 and below 1, not 1"),
        ("adadelta(eps=0)", "             ^", "`eps` of `adadelta` must be above 0, not 0"),
        (
            "rmsprop(momentum=1)",
            "                 ^",
            "`momentum` of `rmsprop` must be at least 0 and below 1, not 1",
        ),
        ("rmsprop(centered=1)", "                 ^", "expected `true` or `false`, found `1`"),
        ("amsgrad(2)", "        ^", "`beta1` of `amsgrad` must be at least 0 and below 1, not 2"),
        ("adamax(0, 2)", "          ^", "`beta2` of `adamax` must be at least 0 and below 1, not 2"),
        ("radam(eps=0)", "          ^", "`eps` of `radam` must be above 0, not 0"),
        ("nadam(2)", "      ^", "`beta1` of `nadam` must be at least 0 and below 1, not 2"),
        (
            "nadam(momentum-decay=-1)",
            "                     ^^",
            "`momentum-decay` of `nadam` must be 0 or above, not -1",
        ),
        ("lars(1)", "     ^", "`momentum` of `lars` must be at least 0 and below 1, not 1"),
        ("lars(trust=0)", "           ^", "`trust` of `lars` must be above 0, not 0"),
        ("lamb(eps=0)", "         ^", "`eps` of `lamb` must be above 0, not 0"),
        (
            "muon(0.95, true, wide)",
            "                 ^^^^",
            "`wide` is not a value of `scale`; there is `rms`, `shape`",
        ),
        (
            "schedule-free-sgd(0)",
            "                  ^",
            "`momentum` of `schedule-free-sgd` must be above 0 and below 1, not 0",
        ),
        (
            "schedule-free-adamw(1)",
            "                    ^",
            "`beta1` of `schedule-free-adamw` must be above 0 and below 1, not 1",
        ),
        (
            "prodigy(growth-rate=1)",
            "                    ^",
            "`growth-rate` of `prodigy` must be above 1, not 1",
        ),
        ("prodigy(d0=0)", "           ^", "`d0` of `prodigy` must be above 0, not 0"),
        ("lion(1)", "     ^", "`beta1` of `lion` must be at least 0 and below 1, not 1"),
        ("lion(beta2=1)", "           ^", "`beta2` of `lion` must be at least 0 and below 1, not 1"),
        ("lion(0, 0, -1)", "           ^^", "`weight-decay` of `lion` must be 0 or above, not -1"),
        ("lion(eps=1)", "     ^^^", "unknown key `eps`; there is `beta1`, `beta2`, `weight-decay`"),
        ("adam(beta1=x)", "           ^", "expected a number, found `x`"),
        ("adam( beta1 = x )", "              ^", "expected a number, found `x`"),
        ("adam(nan)", "     ^^^", "expected a number, found `nan`"),
        ("adam(eps=inf)", "         ^^^", "expected a number, found `inf`"),
        ("adam(eps=-inf)", "         ^^^^", "expected a number, found `-inf`"),
        ("adam(eps=1e999)", "         ^^^^^", "expected a number, found `1e999`"),
        ("adam(eps=true)", "         ^^^^", "expected a number, found `true`"),
        ("adam(eps=[1,\n2])", "         ^^^^^^", "expected a number, found `[1, 2]`"),
        ("adam(eps=sgd(1))", "         ^^^^^^", "expected a number, found `sgd(1)`"),
        (
            "momentum(form=buff)",
            "              ^^^^",
            "`buff` is not a value of `form`; did you mean `buffer`?",
        ),
        (
            "momentum(0.9, vel)",
            "              ^^^",
            "`vel` is not a value of `form`; did you mean `velocity`?",
        ),
        (
            "momentum(form=1)",
            "              ^",
            "`1` is not a value of `form`; there is `velocity`, `buffer`",
        ),
        // brackets and other slips
        ("adam(", "     ^", "expected a name or a number here"),
        ("adam(eps=1", "          ^", "expected `,` or `)` here"),
        ("adam(eps=1]", "          ^", "expected `,` or `)` here"),
        ("adam(eps=[1", "           ^", "expected `,` or `]` here"),
        ("adam(0.9 0.8)", "         ^", "expected `,` or `)` here"),
        ("adam(eps=)", "         ^", "expected a name or a number here"),
        ("adam(,)", "     ^", "expected a name or a number here"),
        ("adam)", "    ^", "expected nothing more here"),
        ("adam sgd", "     ^", "expected nothing more here"),
        ("adam = 1", "     ^", "expected nothing more here"),
        ("(adam)", "^", "expected a name or a number here"),
        ("=", "^", "expected a name or a number here"),
        (&"a(".repeat(20), &format!("{:32}^", ""), "nested too deeply"),
    ]);
}

const SCHEDULES: &str = "`constant`, `inverse-time`, `exponential`, `inverse-sqrt`, `step`, `piecewise`, `linear`, \
    `polynomial`, `cosine`, `cosine-restarts`, `one-cycle`, `cyclic`, `wsd`, `noam`, `warmup`, `sequence`";

#[test]
fn errors_in_schedules_show_the_place() {
    let length = "expected a length such as `500`, `3ep` or `5%`";
    assert_says::<Schedule>(&[
        ("", "^", "expected a schedule, found nothing"),
        // rates
        ("0", "^", "`rate` of `constant` must be above 0, not 0"),
        ("-1e-3", "^^^^^", "`rate` of `constant` must be above 0, not -0.001"),
        ("nan", "^^^", "expected a number, found `nan`"),
        ("inf", "^^^", "expected a number, found `inf`"),
        ("-inf", "^^^^", "expected a number, found `-inf`"),
        ("1e999", "^^^^^", "expected a number, found `1e999`"),
        ("lr", "^^", &format!("`lr` is not a schedule; there is {SCHEDULES}")),
        ("cosine(nan)", "       ^^^", "expected a number, found `nan`"),
        ("cosine(-1)", "       ^^", "`initial` of `cosine` must be above 0, not -1"),
        // names, also of what is nested
        ("cosin(0.1)", "^^^^^", "`cosin` is not a schedule; did you mean `cosine`?"),
        ("warmup(5, cosin(1))", "          ^^^^^", "`cosin` is not a schedule; did you mean `cosine`?"),
        (
            "warmup(5, then=adam)",
            "               ^^^^",
            &format!("`adam` is not a schedule; there is {SCHEDULES}"),
        ),
        ("warmup(5, then=[1])", "               ^^^", "expected a name, found `[1]`"),
        ("cosine(1, per=ep)", "              ^^", "`ep` is not a value of `per`; did you mean `epoch`?"),
        (
            "warmup(5, step(1, 2, per=ep))",
            "                         ^^",
            "`ep` is not a value of `per`; did you mean `epoch`?",
        ),
        // keys
        ("cosine", "^^^^^^", "the key `initial` is missing: it has no default"),
        ("warmup(5, step(1))", "          ^^^^^^^", "the key `every` is missing: it has no default"),
        (
            "cosine-restarts(1, 9, t_mul=2)",
            "                      ^^^^^",
            "unknown key `t_mul`; did you mean `t-mul`?",
        ),
        ("constant(1, 2)", "            ^", "`constant` takes at most 1 setting"),
        // lengths
        ("step(1, every=0)", "              ^", "`every` of `step` must be at least 1, not 0"),
        ("step(1, every=0ep)", "              ^^^", "`every` of `step` must be above 0ep, not 0ep"),
        ("step(1, 101%)", "        ^^^^", "`every` of `step` must be above 0% and at most 100%, not 101%"),
        ("step(1, every=-3)", "              ^^", &format!("{length}, found `-3`")),
        ("step(1, every=1.5)", "              ^^^", &format!("{length}, found `1.5`")),
        ("step(1, every=1e30)", "              ^^^^", &format!("{length}, found `1e30`")),
        ("step(1, every=3epochs)", "              ^^^^^^^", &format!("{length}, found `3epochs`")),
        ("step(1, every=nanep)", "              ^^^^^", &format!("{length}, found `nanep`")),
        ("step(1, every=%)", "              ^", &format!("{length}, found `%`")),
        ("step(1, every=true)", "              ^^^^", &format!("{length}, found `true`")),
        ("step(1, every=[3])", "              ^^^", &format!("{length}, found `[3]`")),
        ("step(1, every=f(3))", "              ^^^^", &format!("{length}, found `f(3)`")),
        // other values
        (
            "exponential(1, 1.5)",
            "               ^^^",
            "`rate` of `exponential` must be above 0 and at most 1, not 1.5",
        ),
        (
            "inverse-sqrt(1, from=0)",
            "                     ^",
            "`from` of `inverse-sqrt` must be at least 1, not 0",
        ),
        ("inverse-sqrt(1, from=1.5)", "                     ^^^", "expected a whole number, found `1.5`"),
        ("inverse-sqrt(1, from=-1)", "                     ^^", "expected a whole number, found `-1`"),
        (
            "cosine-restarts(1, 9, 0.5)",
            "                      ^^^",
            "`t-mul` of `cosine-restarts` must be at least 1, not 0.5",
        ),
        (
            "cosine-restarts(1, 9, 1, 0)",
            "                         ^",
            "`m-mul` of `cosine-restarts` must be above 0 and at most 1, not 0",
        ),
        (
            "piecewise(1, [5, 9], [1])",
            "                     ^^^",
            "`rates` of `piecewise` must be as many as there are times in `at`, not 1",
        ),
        (
            "piecewise(1, [9, 9], [1, 2])",
            "             ^^^^^^",
            "`at` of `piecewise` must be in order, not 9 and then 9",
        ),
        (
            "piecewise(1, [9, 0], [1, 2])",
            "             ^^^^^^",
            "`at` of `piecewise` must be at least 1, not 0",
        ),
        ("piecewise(1, [9, x], [1, 2])", "                 ^", &format!("{length}, found `x`")),
        (
            "piecewise(1, [1], rates=[-2])",
            "                        ^^^^",
            "`rates` of `piecewise` must be 0 or above, not -2",
        ),
        ("piecewise(1, 9, [1])", "             ^", "expected a list, found `9`"),
        ("polynomial(1)", "^^^^^^^^^^^^^", "the key `power` is missing: it has no default"),
        ("polynomial(1, power=0)", "                    ^", "`power` of `polynomial` must be above 0, not 0"),
        ("polynomial(0, power=1)", "           ^", "`initial` of `polynomial` must be above 0, not 0"),
        ("linear(1, -1)", "          ^^", "`end` of `linear` must be 0 or above, not -1"),
        ("linear(1, 0, 0ep)", "             ^^^", "`over` of `linear` must be above 0ep, not 0ep"),
        ("one-cycle(0)", "          ^", "`max` of `one-cycle` must be above 0, not 0"),
        (
            "one-cycle(1, start=0%)",
            "                   ^^",
            "`start` of `one-cycle` must be above 0% and at most 100%, not 0%",
        ),
        ("one-cycle(1, div=0.5)", "                 ^^^", "`div` of `one-cycle` must be at least 1, not 0.5"),
        (
            "one-cycle(1, final-div=0)",
            "                       ^",
            "`final-div` of `one-cycle` must be at least 1, not 0",
        ),
        ("cyclic(0, 1, 9)", "       ^", "`low` of `cyclic` must be above 0, not 0"),
        ("cyclic(1, 0.5, 9)", "          ^^^", "`high` of `cyclic` must be at least `low`, not 0.5"),
        (
            "cyclic(1, 2, 9, gamma=2)",
            "                      ^",
            "`gamma` of `cyclic` must be above 0 and at most 1, not 2",
        ),
        (
            "cyclic(1, 2, 9, triangular3)",
            "                ^^^^^^^^^^^",
            "`triangular3` is not a value of `mode`; did you mean `triangular`?",
        ),
        ("wsd(1, 0, 9)", "       ^", "`warmup` of `wsd` must be at least 1, not 0"),
        ("wsd(1, 9, 0)", "          ^", "`decay` of `wsd` must be at least 1, not 0"),
        ("wsd(1, 9, 9, 2)", "             ^", "`end` of `wsd` must be between 0 and `max`, not 2"),
        ("noam(1, 0, 9)", "        ^", "`model` of `noam` must be at least 1, not 0"),
        ("sequence(1, 5)", "^^^^^^^^^^^^^^", "the key `then` is missing: it has no default"),
        ("sequence(1, for=0, then=2)", "                ^", "`for` of `sequence` must be at least 1, not 0"),
        ("sequence(1 for 5, 2)", "           ^", "expected `,` or `)` here"),
        (
            "sequence(1, 5, cosin(1))",
            "               ^^^^^",
            "`cosin` is not a schedule; did you mean `cosine`?",
        ),
        // the inner of two alike
        ("warmup(5, warmup(0, 1))", "                 ^", "`over` of `warmup` must be at least 1, not 0"),
        (
            "warmup(5, warmup(0%, 1))",
            "                 ^^",
            "`over` of `warmup` must be above 0% and at most 100%, not 0%",
        ),
        ("warmup(0, warmup(5, 1))", "       ^", "`over` of `warmup` must be at least 1, not 0"),
        ("warmup(5, -2)", "          ^^", "`rate` of `constant` must be above 0, not -2"),
    ]);
}

#[test]
fn errors_in_initialisers_show_the_place() {
    assert_says::<Init>(&[
        ("", "^", "expected an initialiser, found nothing"),
        ("he-norml", "^^^^^^^^", "`he-norml` is not an initialiser; did you mean `he-normal`?"),
        ("normal(0)", "       ^", "`std` of `normal` must be above 0, not 0"),
        ("uniform(limit=-1)", "              ^^", "`limit` of `uniform` must be above 0, not -1"),
        ("uniform(limit=x)", "              ^", "expected a number, found `x`"),
        ("truncated-normal(0)", "                 ^", "`std` of `truncated-normal` must be above 0, not 0"),
        ("orthogonal(gain=0)", "                ^", "`gain` of `orthogonal` must be above 0, not 0"),
        ("orthogonal(gain=relu)", "                ^^^^", "expected a number, or `auto`, found `relu`"),
        ("glorot-uniform(-1)", "               ^^", "`gain` of `glorot-uniform` must be above 0, not -1"),
        ("lsuv(tolerance=0)", "               ^", "`tolerance` of `lsuv` must be above 0, not 0"),
        ("lsuv(iterations=0)", "                ^", "`iterations` of `lsuv` must be at least 1, not 0"),
        ("sparse", "^^^^^^", "the key `sparsity` is missing: it has no default"),
        ("sparse(1)", "       ^", "`sparsity` of `sparse` must be at least 0 and below 1, not 1"),
        ("sparse(0.9, std=0)", "                ^", "`std` of `sparse` must be above 0, not 0"),
        ("constant", "^^^^^^^^", "the key `value` is missing: it has no default"),
        ("constant(inf)", "         ^^^", "expected a number, found `inf`"),
        ("nan", "^^^", "expected a number, found `nan`"),
        ("identity(2)", "         ^", "`identity` takes no settings"),
        ("zeros(1)", "      ^", "`zeros` takes no settings"),
        ("he-normal(std=1)", "          ^^^", "`he-normal` takes no settings"),
    ]);
}

#[test]
fn long_and_odd_text_is_shortened_before_it_is_shown() {
    let long = "x".repeat(200_000);
    for text in [
        long.clone(),
        format!("adam({long}=1)"),
        format!("adam(beta1={long})"),
        format!("adam(beta1=[{long}])"),
        format!("{}{long}", "adam(".repeat(20)),
        format!("[{long}]"),
        format!("adam(0.9 {long}"),
        format!("{}adm", " ".repeat(200_000)),
    ] {
        let shown = text.parse::<Rule>().unwrap_err().to_string();
        assert!(shown.contains('^') && shown.chars().count() < 1000, "{} characters", shown.chars().count());
        assert!(shown.lines().all(|line| line.chars().count() < 500), "{shown}");
    }
    let late = format!("{}adm", " ".repeat(200_000)).parse::<Rule>().unwrap_err().to_string();
    assert!(late.contains("did you mean `adam`?") && late.contains("adm\n"), "{late}");
}
