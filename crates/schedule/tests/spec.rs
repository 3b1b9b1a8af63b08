//! The spelling of schedules and lengths: what reads back, and what is said about what does not.

#[path = "../../core/tests/spelled/mod.rs"]
mod spelled;

use downhill_schedule::*;
use proptest::prelude::*;
use spelled::{Spelt, assert_never_panics, assert_reads_back, assert_says, fraction, positive, texts};

fn up_to_one() -> impl Strategy<Value = f64> {
    fraction().prop_map(|x| 1.0 - x)
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

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn schedules_read_back(schedule in schedules()) {
        assert_reads_back(&schedule);
    }

    #[test]
    fn lengths_read_back(length in lengths()) {
        prop_assert_eq!(length.to_string().parse(), Ok(length));
    }

    #[test]
    fn no_text_panics(text in texts(schedules().prop_map(|schedule| schedule.to_string()))) {
        assert_never_panics::<Schedule>(&text);
        let _ = text.parse::<Length>();
    }
}

#[test]
fn spellings_are_short_and_plain() {
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
