//! Schedules against PyTorch's and Keras's (`tools/golden/optim.py` writes the rates), and against their
//! formulas.

use std::f64::consts::PI;

use downhill_schedule::{Position, Schedule};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    schedule: String,
    steps_per_epoch: u64,
    total_steps: u64,
    rates: Vec<f64>,
}

fn schedule(spec: &str) -> Schedule {
    spec.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// The rates of a run of so many epochs of so many steps.
fn rates(spec: &str, epochs: u64, steps_per_epoch: u64) -> Vec<f64> {
    let (schedule, total_steps) = (schedule(spec), epochs * steps_per_epoch);
    (0..total_steps).map(|step| schedule.at(Position { step, steps_per_epoch, total_steps })).collect()
}

fn assert_close(found: f64, expected: f64, of: impl std::fmt::Display) {
    // A rate that ends at zero passes through rounding errors of the size of its peak.
    let error = (found - expected).abs() / expected.abs().max(1e-4);
    assert!(error <= 1e-10, "{of}: {found}, not {expected}");
}

#[test]
fn rates_agree_with_the_frameworks() {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("golden/schedules.json")).unwrap();
    for Golden { schedule: spec, steps_per_epoch, total_steps, rates } in golden {
        let schedule = schedule(&spec);
        // The rates are those of steps, or of epochs, in each of which the rate holds still.
        let each = total_steps / rates.len() as u64;
        assert!(each == 1 || each == steps_per_epoch);
        for step in 0..total_steps {
            let found = schedule.at(Position { step, steps_per_epoch, total_steps });
            assert_close(found, rates[(step / each) as usize], format!("{spec} at step {step}"));
        }
    }
}

/// So that no schedule is forgotten above.
#[test]
fn every_schedule_has_rates() {
    let golden: Vec<Golden> = serde_json::from_str(include_str!("golden/schedules.json")).unwrap();
    let all = [
        "constant",
        "inverse-time",
        "exponential",
        "inverse-sqrt",
        "step",
        "piecewise",
        "linear",
        "polynomial",
        "cosine",
        "cosine-restarts",
        "one-cycle",
        "cyclic",
        "wsd",
        "noam",
        "warmup",
        "sequence",
    ];
    for name in all {
        let of = |case: &&Golden| case.schedule.split('(').next() == Some(name);
        let steps: Vec<u64> = golden.iter().filter(of).map(|case| case.total_steps).collect();
        assert!(steps.iter().any(|&steps| steps >= 200), "{name}: {steps:?} steps");
    }
    let error = "?".parse::<Schedule>().unwrap_err().to_string();
    assert!(error.contains(&format!("there is `{}`", all.join("`, `"))), "{error}");
}

#[test]
fn inverse_time_per_epoch_counted_from_one() {
    let rates = rates("inverse-time(0.2, decay=1, per=epoch, from=1)", 4, 1);
    for (found, expected) in rates.into_iter().zip([0.1, 0.067, 0.05, 0.04]) {
        assert_eq!((found * 1000.0).round() / 1000.0, expected);
    }
}

#[test]
fn per_epoch_holds_still_inside_an_epoch() {
    for spec in [
        "inverse-time(0.2, decay=1, per=epoch)",
        "exponential(0.2, rate=0.5, per=epoch, from=1)",
        "inverse-sqrt(0.2, per=epoch)",
        "step(0.2, every=1, per=epoch)",
        "cosine(0.2, per=epoch)",
        "cosine-restarts(0.2, first=3, t-mul=2, per=epoch)",
        "piecewise(0.2, at=[1, 2, 3, 4, 5], rates=[0.1, 0.2, 0.3, 0.4, 0.5], per=epoch)",
        "linear(0.2, per=epoch)",
        "polynomial(0.2, power=2, per=epoch)",
        "one-cycle(0.2, per=epoch)",
        "cyclic(0.1, 0.2, half=2, per=epoch)",
    ] {
        let rates = rates(spec, 6, 5);
        for epoch in rates.chunks(5) {
            assert!(epoch.iter().all(|rate| rate == &epoch[0]), "{spec}: {epoch:?}");
        }
        assert!(
            rates.chunks(5).map(|epoch| epoch[0]).is_sorted_by(|a, b| a != b),
            "{spec} must change between"
        );
    }
}

#[test]
fn lengths_are_steps_epochs_or_shares() {
    for spec in [
        "step(1, every=LENGTH)",
        "cosine(1, over=LENGTH)",
        "cosine-restarts(1, first=LENGTH, t-mul=2)",
        "piecewise(1, at=[LENGTH], rates=[0.1])",
        "linear(1, over=LENGTH)",
        "polynomial(1, over=LENGTH, power=3)",
        "one-cycle(1, over=LENGTH)",
        "one-cycle(1, start=LENGTH)",
        "cyclic(0.1, 1, half=LENGTH, mode=triangular2)",
    ] {
        for (a, b) in
            [("30", "3ep"), ("30", "30%"), ("5", "0.5ep"), ("7", "7%"), ("29", "29%"), ("100", "100%")]
        {
            let [a, b] = [a, b].map(|length| rates(&spec.replace("LENGTH", length), 10, 10));
            a.iter().zip(&b).for_each(|(&a, &b)| assert_close(a, b, spec));
        }
        let [a, b] = ["3", "3ep"]
            .map(|length| spec.replace("LENGTH", length).replace(')', ", per=epoch)"))
            .map(|spec| rates(&spec, 10, 10));
        assert_eq!(a, b, "{spec}: plain lengths are epochs under per=epoch");
    }
    for spec in [
        "warmup(LENGTH, then=1)",
        "sequence(cosine(1), LENGTH, 0.1)",
        "wsd(1, warmup=LENGTH, decay=10)",
        "wsd(1, warmup=10, decay=LENGTH)",
        "noam(1, model=8, warmup=LENGTH)",
    ] {
        let [a, b, c] = ["30", "3ep", "30%"].map(|length| rates(&spec.replace("LENGTH", length), 10, 10));
        assert_eq!([&b, &c], [&a, &a], "{spec}");
    }
}

/// No step is late or early by a rounding error, whatever the share and the length of the run.
#[test]
fn shares_of_whole_steps_are_whole_steps() {
    for total in [100, 200, 700, 1000] {
        for percent in 1..=100 {
            let n = percent * total / 100;
            let stairs = rates(&format!("step(1, every={percent}%)"), 1, total);
            let table = rates(&format!("piecewise(1, at=[{percent}%], rates=[0.5])"), 1, total);
            let restarts = rates(&format!("cosine-restarts(1, first={percent}%)"), 1, total);
            for t in 0..total {
                let place = format!("{percent}% of {total}, step {t}");
                assert_eq!(stairs[t as usize], 0.5f64.powf((t / n) as f64), "{place}");
                assert_eq!(table[t as usize], if t < n { 1.0 } else { 0.5 }, "{place}");
                assert_close(
                    restarts[t as usize],
                    (1.0 + (PI * (t % n) as f64 / n as f64).cos()) / 2.0,
                    place,
                );
            }
        }
    }
}

#[test]
fn warmup_rises_to_whatever_follows() {
    for then in [
        "0.3",
        "cosine(0.3)",
        "inverse-time(0.3, decay=0.1, from=2)",
        "inverse-sqrt(0.3)",
        "exponential(0.3, rate=0.99, from=1)",
        "step(0.3, every=30)",
        "cosine-restarts(0.3, first=10%, m-mul=0.5)",
        "warmup(10, then=cosine(0.3))",
    ] {
        let warmed = rates(&format!("warmup(20, then={then})"), 1, 120);
        let alone = rates(then, 1, 100); // sees the run that is left as the whole one
        for (t, rate) in warmed[..20].iter().enumerate() {
            assert_close(*rate, alone[0] * (t + 1) as f64 / 20.0, then);
        }
        assert_eq!(warmed[20..], alone, "{then}");
    }
}

/// A warmup that is cut short by the end of the run still aims at the rate that would follow.
#[test]
fn warmup_longer_than_the_run_still_rises() {
    for then in ["0.3", "cosine(0.3)", "cosine-restarts(0.3, first=10%)", "step(0.3, every=10%)"] {
        let rates = rates(&format!("warmup(100, then={then})"), 1, 50);
        for (t, rate) in rates.into_iter().enumerate() {
            assert_close(rate, 0.3 * (t + 1) as f64 / 100.0, then);
        }
    }
}

#[test]
fn cosine_stays_at_its_end() {
    let cosine = schedule("cosine(0.1, end=0.02, over=50)");
    for (step, expected) in [(0, 0.1), (25, 0.06), (49, 0.02 + 0.04 * (1.0 + (PI * 0.98).cos())), (50, 0.02)]
    {
        assert_close(cosine.at(Position { step, steps_per_epoch: 10, total_steps: 100 }), expected, step);
    }
    for step in [51, 99, 100, 1_000_000, u64::MAX] {
        assert_eq!(cosine.at(Position { step, steps_per_epoch: 10, total_steps: 100 }), 0.02);
    }
}

#[test]
fn restarts_begin_at_the_top_and_never_end_above_it() {
    let spec = "cosine-restarts(0.8, first=10, t-mul=2, m-mul=0.5, end=0.15)";
    let rates = rates(spec, 1, 310);
    for (start, top) in [(0, 0.8), (10, 0.4), (30, 0.2), (70, 0.15), (150, 0.15)] {
        assert_close(rates[start], top, start);
    }
    assert!(rates[69] < 0.151 && rates[70..].iter().all(|&rate| rate == 0.15));
}

#[test]
fn odd_positions_give_rates() {
    let odd = [0, 1, 7, 1000, u64::MAX];
    for spec in [
        "0.1",
        "inverse-time(0.1, decay=1, from=18446744073709551615)",
        "exponential(0.1, rate=0.5, from=18446744073709551615)",
        "inverse-sqrt(0.1, from=18446744073709551615, per=epoch)",
        "step(0.1, every=1%)",
        "step(0.1, every=0.001ep, from=18446744073709551615)",
        "cosine(0.1, over=18446744073709551615, per=epoch)",
        "cosine-restarts(0.1, first=0.001ep)",
        "cosine-restarts(0.1, first=1%, t-mul=1.0000000000000002)",
        "warmup(18446744073709551615, then=warmup(100%, then=cosine(0.1)))",
        "piecewise(0.1, at=[1, 0.001ep, 18446744073709551615, 1%], rates=[0, 0.1, 0.1, 0.1], per=epoch)",
        "linear(0.1, over=18446744073709551615)",
        "polynomial(0.1, power=1e-9)",
        "polynomial(1e-9, end=0.1, over=0.001ep, power=1e9)",
        "one-cycle(0.1)",
        "one-cycle(0.1, over=1, start=1)",
        "one-cycle(0.1, over=2, start=100%)",
        "one-cycle(0.1, over=0.001ep, start=18446744073709551615, div=1, final-div=1)",
        "cyclic(0.01, 0.1, half=0.3ep, mode=exp-range, gamma=0.5)",
        "cyclic(0.01, 0.1, half=3, mode=triangular2)",
        "wsd(0.1, warmup=18446744073709551615, decay=1)",
        "wsd(0.1, warmup=1, decay=100%, end=0.1)",
        "noam(0.1, model=1, warmup=18446744073709551615)",
        "noam(0.1, model=18446744073709551615, warmup=1%)",
        "sequence(one-cycle(0.1), 18446744073709551615, cosine(0.1))",
        "sequence(0.1, 0.001ep, sequence(one-cycle(0.1), 50%, wsd(0.1, 1%, 1%)))",
    ] {
        for (step, steps_per_epoch, total_steps) in
            odd.iter().flat_map(|&a| odd.iter().flat_map(move |&b| odd.map(|c| (a, b, c))))
        {
            let position = Position { step, steps_per_epoch, total_steps };
            let rate = schedule(spec).at(position);
            assert!((0.0..=0.1).contains(&rate), "{spec} at {position:?}: {rate}");
        }
    }
}

#[test]
fn one_cycle_ends_with_its_last_step_and_stays() {
    let low = 0.1 / 25.0 / 1e4;
    let cycle = |step| {
        schedule("one-cycle(0.1, over=100)").at(Position { step, steps_per_epoch: 1, total_steps: 200 })
    };
    assert_close(cycle(0), 0.1 / 25.0, "the first");
    assert_close(cycle(29), 0.1, "the peak");
    for step in [99, 100, 150, u64::MAX] {
        assert_eq!(cycle(step), low);
    }
    assert_eq!(rates("one-cycle(0.1, start=100%)", 1, 10)[9], 0.1); // nothing but the rise
    assert_eq!(rates("one-cycle(0.1, start=1)", 1, 10)[0], 0.1); // nothing but the fall
}

/// Where the rise and the fall do not fit into the run, the rate turns where they meet.
#[test]
fn wsd_turns_early_in_a_short_run() {
    let rates = rates("wsd(1, warmup=100, decay=100)", 1, 100);
    for (t, rate) in rates.into_iter().enumerate() {
        assert_close(rate, f64::min((t + 1) as f64 / 100.0, (100 - t) as f64 / 100.0), t);
    }
    let after = schedule("wsd(1, warmup=5, decay=10, end=0.1)");
    assert_close(
        after.at(Position { step: 120, steps_per_epoch: 1, total_steps: 100 }),
        0.1,
        "after the end",
    );
}

#[test]
fn a_sequence_gives_each_its_part_of_the_run() {
    let whole = rates("sequence(linear(1), 30%, then=cosine(0.5))", 10, 10);
    assert_eq!(whole[..30], rates("linear(1)", 3, 10));
    assert_eq!(whole[30..], rates("cosine(0.5)", 7, 10));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// The rate of a step is the same whichever were asked for before it.
    #[test]
    fn rates_do_not_depend_on_the_order_of_calls(mut steps in proptest::collection::vec(0u64..500, 1..50)) {
        for spec in ["cosine-restarts(0.1, first=5%, t-mul=1.3, m-mul=0.9)", "warmup(3ep, then=step(1, every=9))"] {
            let at = |step| schedule(spec).at(Position { step, steps_per_epoch: 7, total_steps: 490 });
            let one = schedule(spec);
            let all: Vec<f64> = (0..500).map(at).collect();
            for _ in 0..2 {
                for &step in &steps {
                    let position = Position { step, steps_per_epoch: 7, total_steps: 490 };
                    prop_assert_eq!(one.at(position), all[step as usize]);
                }
                steps.reverse();
            }
        }
    }

    /// SGDR by its definition, one period after the other.
    #[test]
    fn restarts_equal_the_sum_of_their_periods(
        first in 1u64..40,
        t_mul in prop_oneof![Just(1.0), Just(2.0), 1.0f64..4.0, Just(1.0 + 1e-6)],
        m_mul in 0.5f64..=1.0,
        step in 0u64..3000,
    ) {
        let spec = format!("cosine-restarts(1, first={first}, t-mul={t_mul}, m-mul={m_mul})");
        let (mut start, mut length, mut top) = (0.0, first as f64, 1.0);
        while start + length <= step as f64 {
            start += length;
            length *= t_mul;
            top *= m_mul;
        }
        let share = (step as f64 - start) / length;
        prop_assume!(share < 1.0 - 1e-6); // a hair before a period's end may count as the next
        let expected = top * (1.0 + (PI * share).cos()) / 2.0;
        let found = schedule(&spec).at(Position { step, steps_per_epoch: 1, total_steps: 3000 });
        prop_assert!((found - expected).abs() <= 1e-6 * top.max(1e-6), "{} at {}: {} not {}", spec, step, found, expected);
    }
}
