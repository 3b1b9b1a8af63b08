//! A rule with all that goes around it: what it moves, what it leaves, and that it does so the same on any threads.

use downhill_optim::*;
use rand::RngExt;

const RULES: [&str; 18] = [
    "sgd",
    "momentum",
    "momentum(form=buffer)",
    "nesterov",
    "nesterov(form=buffer)",
    "adagrad(initial=0.1)",
    "rmsprop",
    "rmsprop(centered=true)",
    "rmsprop(momentum=0.9)",
    "rmsprop(centered=true, momentum=0.9, form=buffer)",
    "adadelta",
    "adam",
    "amsgrad",
    "adamw",
    "nadam",
    "adamax",
    "radam",
    "lion(weight-decay=0.1)",
];

const ALL: Restraints =
    Restraints { l1: 0.01, l2: 0.02, weight_decay: 0.03, clip_norm: Some(20.0), clip_value: Some(0.1) };

fn rule(spec: &str) -> Rule {
    spec.parse().unwrap()
}

fn noise<F: Float>(len: usize, seed: u64) -> Vec<F> {
    let mut rng = random::stream(seed, random::Purpose::Shuffle, 0);
    (0..len).map(|_| F::of(rng.random::<f64>() - 0.5)).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

#[test]
fn only_weights_are_penalised_and_decayed() {
    let mut layout = Layout::default();
    for (name, role) in [
        ("weight", Role::Weight),
        ("bias", Role::Bias),
        ("scale", Role::Scale),
        ("weight", Role::Weight),
        ("shift", Role::Shift),
    ] {
        layout.push(name, &[2], role);
    }
    let none = Restraints::default();
    for (spec, restraints) in [
        ("adamw(weight-decay=0.1)", none),
        ("sgd", Restraints { weight_decay: 0.1, ..none }),
        ("sgd", Restraints { l1: 0.1, ..none }),
        ("sgd", Restraints { l2: 0.1, ..none }),
        ("adam", ALL),
    ] {
        let mut optimizer = Optimizer::new(rule(spec), restraints, &layout, false).unwrap();
        let mut params = [1.0f64; 10];
        optimizer.step(0, 0.1, &mut params, &[0.0; 10]);
        for (i, p) in params.into_iter().enumerate() {
            let weight = [0, 1, 6, 7].contains(&i);
            assert!(if weight { p < 1.0 && p > 0.8 } else { p == 1.0 }, "{spec}: {params:?}");
        }
    }
}

#[test]
fn decay_follows_the_rate() {
    let restraints = Restraints { weight_decay: 0.5, ..Restraints::default() };
    let mut optimizer = Optimizer::new(Sgd {}, restraints, &Layout::flat(1), false).unwrap();
    let mut p = [2.0f64];
    optimizer.step(0, 0.1, &mut p, &[0.0]);
    assert_eq!(p, [2.0 * 0.95]);
}

#[test]
fn statistics_stay() {
    for statistics in [0, 1, 2] {
        let mut layout = Layout::default();
        for i in 0..3 {
            layout.push("tensor", &[3], if i == statistics { Role::Statistic } else { Role::Weight });
        }
        let mut optimizer = Optimizer::new(Adam::default(), ALL, &layout, false).unwrap();
        let mut params = [1.0f32; 9];
        optimizer.step(0, 0.1, &mut params, &[1.0; 9]);
        for (i, tensor) in params.chunks(3).enumerate() {
            assert!(tensor.iter().all(|&p| (p == 1.0) == (i == statistics)), "{params:?}");
        }
    }
}

/// Clipping, penalty, decay and rule in one pass are the four of them one after the other.
#[test]
fn one_pass_is_each_piece_in_turn() {
    fn check<F: Float>(spec: &str, restraints: Restraints) {
        let len = 1001;
        let mut params = noise::<F>(len, 1);
        params[..10].fill(F::zero());
        let mut expected = params.clone();
        let mut optimizer = Optimizer::new(rule(spec), restraints, &Layout::flat(len), false).unwrap();
        let mut plain = Optimizer::new(rule(spec), Restraints::default(), &Layout::flat(len), false).unwrap();
        for step in 0..5 {
            let lr = 0.1 / (step + 1) as f64;
            let grads = noise::<F>(len, 2 + step);
            optimizer.step(step, lr, &mut params, &grads);

            let mut grads = grads;
            if let Some(max) = restraints.clip_norm {
                let norm = grads.iter().map(|g| g.f64() * g.f64()).sum::<f64>().sqrt();
                assert!(norm > 1.3 * max || norm < 0.7 * max, "{norm} and {max} are too close to be a test");
                if norm > max {
                    grads.iter_mut().for_each(|g| *g *= F::of(max / norm));
                }
            }
            if let Some(limit) = restraints.clip_value {
                grads.iter_mut().for_each(|g| *g = g.max(-F::of(limit)).min(F::of(limit)));
            }
            for (g, &p) in grads.iter_mut().zip(&expected) {
                let sign = if p == F::zero() { F::zero() } else { p.signum() };
                *g += F::of(restraints.l1) * sign + F::of(restraints.l2) * p;
            }
            expected.iter_mut().for_each(|p| *p *= F::of(1.0 - lr * restraints.weight_decay));
            plain.step(step, lr, &mut expected, &grads);
        }
        let close = |a: F, b: F| (a - b).abs() <= F::epsilon() * F::of(200.0) * F::one().max(b.abs());
        let far = params.iter().zip(&expected).find(|&(&a, &b)| !close(a, b));
        assert_eq!(far, None, "{spec} with {restraints:?}");
    }

    let none = Restraints::default();
    for spec in RULES {
        for restraints in [
            ALL,
            none,
            Restraints { clip_norm: Some(1.0), ..none },
            Restraints { clip_norm: Some(100.0), ..none },
            Restraints { clip_value: Some(0.2), ..none },
            Restraints { l1: 0.1, ..none },
            Restraints { l2: 0.1, ..none },
            Restraints { weight_decay: 0.1, ..none },
            Restraints { clip_norm: Some(2.0), clip_value: Some(0.05), l2: 0.1, weight_decay: 0.1, ..none },
        ] {
            check::<f64>(spec, restraints);
            check::<f32>(spec, restraints);
        }
    }
}

/// What `Optimizer` does for weights is what the same pieces do when composed by hand.
#[test]
fn wrappers_compose_to_the_same_bits() {
    let len = 777;
    let mut params = noise::<f32>(len, 1);
    let mut by_hand = params.clone();
    let mut optimizer = Optimizer::new(Adam::default(), ALL, &Layout::flat(len), false).unwrap();
    let mut state = Adam::default().state::<f32>(len);
    for step in 0..5 {
        let grads = noise(len, 2 + step);
        optimizer.step(step, 0.1, &mut params, &grads);
        let rule = Adam::default().decoupled_decay(0.03).penalty(0.01, 0.02);
        let clipped = ClipValue { rule, scale: clip_norm_scale(&grads, 20.0), limit: 0.1 };
        clipped.step(Step::new(step, 0.1), &mut by_hand, &grads, &mut state);
    }
    assert_eq!(bits(&params), bits(&by_hand));
    assert_eq!(optimizer.state(), &state);
}

#[test]
fn threads_change_no_bit() {
    for len in [100_000, 1_000_003] {
        let mut layout = Layout::default();
        layout.push("weight", &[len - 70_001], Role::Weight);
        layout.push("bias", &[1], Role::Bias);
        layout.push("weight", &[70, 1000], Role::Weight);
        let start = noise::<f32>(len, 1);
        let grads: Vec<Vec<f32>> = (2..5).map(|seed| noise(len, seed)).collect();
        for spec in RULES {
            let run = |parallel| {
                let mut params = start.clone();
                let mut optimizer = Optimizer::new(rule(spec), ALL, &layout, parallel).unwrap();
                for (step, grads) in grads.iter().enumerate() {
                    optimizer.step(step as u64, 0.01, &mut params, grads);
                }
                (bits(&params), optimizer.state().slots().iter().map(|slot| bits(slot)).collect::<Vec<_>>())
            };
            let serial = run(false);
            assert_ne!(serial.0, bits(&start));
            for threads in [2, 3] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                assert!(pool.install(|| run(true)) == serial, "{spec}, {len} parameters, {threads} threads");
            }
        }
    }
}

/// Where a slice begins and ends in memory, and so which of its elements vector code handles, changes no bit.
#[test]
fn position_in_the_buffer_changes_no_bit() {
    for spec in RULES {
        let (start, grads) = (noise::<f32>(301, 1), noise::<f32>(301, 2));
        let run = |from: usize, to: usize| {
            let mut params = start.clone();
            let mut optimizer =
                Optimizer::new(rule(spec), Restraints::default(), &Layout::flat(to - from), false).unwrap();
            for step in 0..3 {
                optimizer.step(step, 0.01, &mut params[from..to], &grads[from..to]);
            }
            params
        };
        let whole = run(0, 301);
        for (from, to) in [(0, 1), (1, 8), (3, 20), (5, 300), (64, 301)] {
            assert_eq!(bits(&run(from, to)[from..to]), bits(&whole[from..to]), "{spec}");
        }
    }
}

#[test]
fn nan_stays_visible() {
    for spec in RULES {
        for restraints in [
            Restraints::default(),
            ALL,
            Restraints { clip_norm: Some(1.0), ..Restraints::default() },
            Restraints { clip_value: Some(1.0), ..Restraints::default() },
        ] {
            let mut optimizer = Optimizer::new(rule(spec), restraints, &Layout::flat(3), false).unwrap();
            let mut params = [1.0f32; 3];
            optimizer.step(0, 0.1, &mut params, &[0.5, f32::NAN, 0.5]);
            assert!(params[1].is_nan(), "{spec} with {restraints:?}");
            assert!(params[0].is_finite() && params[2].is_finite(), "{spec} with {restraints:?}");
        }
    }
}

/// An infinite gradient has no direction to keep under a norm, but a sign to keep under a limit.
#[test]
fn infinity_is_limited_by_value_and_shown_by_norm() {
    let step = |restraints| {
        let mut optimizer = Optimizer::new(Sgd {}, restraints, &Layout::flat(2), false).unwrap();
        let mut params = [1.0f32; 2];
        optimizer.step(0, 0.5, &mut params, &[f32::INFINITY, 1.0]);
        params
    };
    assert_eq!(step(Restraints { clip_value: Some(1.0), ..Restraints::default() }), [0.5, 0.5]);
    assert!(step(Restraints { clip_norm: Some(1.0), ..Restraints::default() })[0].is_nan());
}

#[test]
fn a_saved_state_goes_on_where_it_stopped() {
    for spec in RULES {
        let (len, layout) = (100, Layout::flat(100));
        let new = || Optimizer::<f32>::new(rule(spec), ALL, &layout, false).unwrap();
        let run = |optimizer: &mut Optimizer<f32>, params: &mut [f32], steps: std::ops::Range<u64>| {
            steps.for_each(|step| optimizer.step(step, 0.01, params, &noise(len, step)));
        };
        let (mut whole, mut params) = (new(), noise(len, 99));
        let mut resumed = params.clone();
        run(&mut whole, &mut params, 0..10);

        let mut first = new();
        run(&mut first, &mut resumed, 0..4);
        let mut second = new();
        for (slot, saved) in second.state_mut().slots_mut().zip(first.state().slots()) {
            slot.copy_from_slice(saved);
        }
        run(&mut second, &mut resumed, 4..10);
        assert_eq!(bits(&resumed), bits(&params), "{spec}");
        assert_eq!(second.state(), whole.state());
    }
}

#[test]
fn settings_out_of_range_are_refused() {
    let none = Restraints::default();
    for (restraints, message) in [
        (Restraints { l1: -1.0, ..none }, "`l1` of `training` must be 0 or above, not -1"),
        (Restraints { l2: f64::NAN, ..none }, "`l2` of `training` must be 0 or above, not NaN"),
        (
            Restraints { weight_decay: f64::INFINITY, ..none },
            "`weight-decay` of `training` must be 0 or above, not inf",
        ),
        (Restraints { clip_norm: Some(0.0), ..none }, "`clip-norm` of `training` must be above 0, not 0"),
        (Restraints { clip_value: Some(-1.0), ..none }, "`clip-value` of `training` must be above 0, not -1"),
    ] {
        let error = Optimizer::<f32>::new(Sgd {}, restraints, &Layout::flat(1), false).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let adam = Adam { beta1: 1.0, ..Adam::default() };
    let error = Optimizer::<f32>::new(adam, none, &Layout::flat(1), false).unwrap_err();
    assert_eq!(error.to_string(), "`beta1` of `adam` must be at least 0 and below 1, not 1");
}

#[test]
#[should_panic(expected = "as many parameters as in the layout")]
fn buffers_longer_than_the_layout_panic() {
    let mut optimizer = Optimizer::new(Sgd {}, Restraints::default(), &Layout::flat(2), false).unwrap();
    optimizer.step(0, 0.1, &mut [0.0f32; 3], &[0.0; 3]);
}

#[test]
#[should_panic(expected = "as many gradients as parameters")]
fn too_few_gradients_panic() {
    let mut optimizer = Optimizer::new(Sgd {}, Restraints::default(), &Layout::flat(2), false).unwrap();
    optimizer.step(0, 0.1, &mut [0.0f32; 2], &[0.0; 1]);
}

#[test]
#[should_panic(expected = "a state made by this rule")]
fn a_state_of_another_rule_panics() {
    Adam::default().step(Step::new(0, 0.1), &mut [0.0f32], &[0.0], &mut Sgd {}.state(1));
}

#[test]
fn an_empty_model_is_no_trouble() {
    let mut optimizer = Optimizer::<f32>::new(Adam::default(), ALL, &Layout::default(), true).unwrap();
    optimizer.step(0, 0.1, &mut [], &[]);
}
