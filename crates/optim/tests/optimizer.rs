//! A rule with all that goes around it: what it moves, what it leaves, and that it does so the same on any
//! threads.

use downhill_core::*;
use downhill_optim::*;
use downhill_schedule::{Position, Schedule};
use rand::RngExt;

const RULES: [&str; 27] = [
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
    "lars(weight-decay=0.1)",
    "lamb",
    "muon",
    "muon(nesterov=false, scale=shape)",
    "schedule-free-sgd",
    "schedule-free-adamw(weight-decay=0.1)",
    "adan",
    "prodigy(weight-decay=0.1)",
    "prodigy(bias-correction=true, safeguard-warmup=true, growth-rate=1.1)",
];

const ALL: Regularization = Regularization {
    l1: 0.01,
    l2: 0.02,
    weight_decay: 0.03,
    independent_decay: 0.0,
    clip_norm: Some(20.0),
    clip_tensor_norm: None,
    clip_value: Some(0.1),
    max_norm: None,
};

/// All regularization that go with a rule.
fn all(spec: &str) -> Regularization {
    if spec.starts_with("schedule-free") { Regularization { weight_decay: 0.0, ..ALL } } else { ALL }
}

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
    let none = Regularization::default();
    for (spec, regularization) in [
        ("adamw(weight-decay=0.1)", none),
        ("sgd", Regularization { weight_decay: 0.1, ..none }),
        ("sgd", Regularization { l1: 0.1, ..none }),
        ("sgd", Regularization { l2: 0.1, ..none }),
        ("adam", ALL),
    ] {
        let mut optimizer = Optimizer::new(rule(spec), regularization, &layout, false).unwrap();
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
    let regularization = Regularization { weight_decay: 0.5, ..Regularization::default() };
    let mut optimizer = Optimizer::new(Sgd {}, regularization, &Layout::flat(1), false).unwrap();
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
    fn check<F: Float>(spec: &str, regularization: Regularization) {
        let len = 1001;
        let mut params = noise::<F>(len, 1);
        params[..10].fill(F::zero());
        let mut expected = params.clone();
        let mut optimizer = Optimizer::new(rule(spec), regularization, &Layout::flat(len), false).unwrap();
        let mut plain =
            Optimizer::new(rule(spec), Regularization::default(), &Layout::flat(len), false).unwrap();
        for step in 0..5 {
            let lr = 0.1 / (step + 1) as f64;
            let grads = noise::<F>(len, 2 + step);
            optimizer.step(step, lr, &mut params, &grads);

            let mut grads = grads;
            if let Some(max) = regularization.clip_norm {
                let norm = grads.iter().map(|g| g.f64() * g.f64()).sum::<f64>().sqrt();
                assert!(norm > 1.3 * max || norm < 0.7 * max, "{norm} and {max} are too close to be a test");
                if norm > max {
                    grads.iter_mut().for_each(|g| *g *= F::of(max / norm));
                }
            }
            if let Some(limit) = regularization.clip_value {
                grads.iter_mut().for_each(|g| *g = g.max(-F::of(limit)).min(F::of(limit)));
            }
            for (g, &p) in grads.iter_mut().zip(&expected) {
                let sign = if p == F::zero() { F::zero() } else { p.signum() };
                *g += F::of(regularization.l1) * sign + F::of(regularization.l2) * p;
            }
            expected.iter_mut().for_each(|p| *p *= F::of(1.0 - lr * regularization.weight_decay));
            plain.step(step, lr, &mut expected, &grads);
        }
        let close = |a: F, b: F| (a - b).abs() <= F::epsilon() * F::of(200.0) * F::one().max(b.abs());
        let far = params.iter().zip(&expected).find(|&(&a, &b)| !close(a, b));
        assert_eq!(far, None, "{spec} with {regularization:?}");
    }

    let none = Regularization::default();
    for spec in RULES {
        for regularization in [
            ALL,
            none,
            Regularization { clip_norm: Some(1.0), ..none },
            Regularization { clip_norm: Some(100.0), ..none },
            Regularization { clip_value: Some(0.2), ..none },
            Regularization { l1: 0.1, ..none },
            Regularization { l2: 0.1, ..none },
            Regularization { weight_decay: 0.1, ..none },
            Regularization {
                clip_norm: Some(2.0),
                clip_value: Some(0.05),
                l2: 0.1,
                weight_decay: 0.1,
                ..none
            },
        ] {
            let regularization = Regularization {
                weight_decay: all(spec).weight_decay.min(regularization.weight_decay),
                ..regularization
            };
            check::<f64>(spec, regularization);
            check::<f32>(spec, regularization);
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
        let before = Clip { scale: clip_norm_scale(&grads, 20.0), limit: 0.1 };
        let clipped = Prepared { before, rule };
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
        layout.push("weight", &[200, 350], Role::Weight);
        let start = noise::<f32>(len, 1);
        let grads: Vec<Vec<f32>> = (2..5).map(|seed| noise(len, seed)).collect();
        for spec in RULES {
            let run = |parallel| {
                let mut params = start.clone();
                let mut optimizer = Optimizer::new(rule(spec), all(spec), &layout, parallel).unwrap();
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
    for spec in &RULES[..18] {
        let (start, grads) = (noise::<f32>(301, 1), noise::<f32>(301, 2));
        let run = |from: usize, to: usize| {
            let mut params = start.clone();
            let mut optimizer =
                Optimizer::new(rule(spec), Regularization::default(), &Layout::flat(to - from), false)
                    .unwrap();
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
        for regularization in [
            Regularization::default(),
            all(spec),
            Regularization { clip_norm: Some(1.0), ..Regularization::default() },
            Regularization { clip_value: Some(1.0), ..Regularization::default() },
        ] {
            let mut optimizer = Optimizer::new(rule(spec), regularization, &Layout::flat(3), false).unwrap();
            let mut params = [1.0f32; 3];
            optimizer.step(0, 0.1, &mut params, &[0.5, f32::NAN, 0.5]);
            assert!(params[1].is_nan(), "{spec} with {regularization:?}");
            assert!(params[0].is_finite() && params[2].is_finite(), "{spec} with {regularization:?}");
        }
    }
}

/// An infinite gradient has no direction to keep under a norm, but a sign to keep under a limit.
#[test]
fn infinity_is_limited_by_value_and_shown_by_norm() {
    let step = |regularization| {
        let mut optimizer = Optimizer::new(Sgd {}, regularization, &Layout::flat(2), false).unwrap();
        let mut params = [1.0f32; 2];
        optimizer.step(0, 0.5, &mut params, &[f32::INFINITY, 1.0]);
        params
    };
    assert_eq!(step(Regularization { clip_value: Some(1.0), ..Regularization::default() }), [0.5, 0.5]);
    assert!(step(Regularization { clip_norm: Some(1.0), ..Regularization::default() })[0].is_nan());
}

#[test]
fn a_saved_state_goes_on_where_it_stopped() {
    for spec in RULES {
        let (len, layout) = (100, Layout::flat(100));
        let new = || Optimizer::<f32>::new(rule(spec), all(spec), &layout, false).unwrap();
        let run = |optimizer: &mut Optimizer<f32>, params: &mut [f32], steps: std::ops::Range<u64>| {
            steps.for_each(|step| optimizer.step(step, 0.01, params, &noise(len, step)));
        };
        let (mut whole, mut params) = (new(), noise(len, 99));
        let mut resumed = params.clone();
        run(&mut whole, &mut params, 0..10);

        let mut first = new();
        run(&mut first, &mut resumed, 0..4);
        let mut second = new();
        second.state_mut().set_memory(first.state().memory());
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
    let none = Regularization::default();
    for (regularization, message) in [
        (Regularization { l1: -1.0, ..none }, "`l1` of `training` must be 0 or above, not -1"),
        (Regularization { l2: f64::NAN, ..none }, "`l2` of `training` must be 0 or above, not NaN"),
        (
            Regularization { weight_decay: f64::INFINITY, ..none },
            "`weight-decay` of `training` must be 0 or above, not inf",
        ),
        (Regularization { clip_norm: Some(0.0), ..none }, "`clip-norm` of `training` must be above 0, not 0"),
        (
            Regularization { clip_value: Some(-1.0), ..none },
            "`clip-value` of `training` must be above 0, not -1",
        ),
    ] {
        let error = Optimizer::<f32>::new(Sgd {}, regularization, &Layout::flat(1), false).unwrap_err();
        assert_eq!(error.to_string(), message);
    }
    let adam = Adam { beta1: 1.0, ..Adam::default() };
    let error = Optimizer::<f32>::new(adam, none, &Layout::flat(1), false).unwrap_err();
    assert_eq!(error.to_string(), "`beta1` of `adam` must be at least 0 and below 1, not 1");
}

#[test]
#[should_panic(expected = "as many parameters as in the layout")]
fn buffers_longer_than_the_layout_panic() {
    let mut optimizer = Optimizer::new(Sgd {}, Regularization::default(), &Layout::flat(2), false).unwrap();
    optimizer.step(0, 0.1, &mut [0.0f32; 3], &[0.0; 3]);
}

#[test]
#[should_panic(expected = "as many gradients as parameters")]
fn too_few_gradients_panic() {
    let mut optimizer = Optimizer::new(Sgd {}, Regularization::default(), &Layout::flat(2), false).unwrap();
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

/// A weight matrix [3, 2] and a bias [2].
fn dense() -> Layout {
    let mut layout = Layout::default();
    layout.push("0.weight", &[3, 2], Role::Weight);
    layout.push("0.bias", &[2], Role::Bias);
    layout
}

#[test]
fn the_average_follows_the_weights() {
    let none = Regularization::default();
    // In the rule's pass, and after what comes behind it.
    for (regularization, lookahead) in [
        (none, "off"),
        (Regularization { max_norm: Some(0.5), ..none }, "off"),
        (none, "every(2)"),
        (ALL, "off"),
    ] {
        let mut optimizer = Optimizer::new(rule("adam"), regularization, &dense(), false).unwrap();
        optimizer = optimizer.lookahead(lookahead.parse().unwrap()).unwrap().averaged(0.8).unwrap();
        assert!(optimizer.has_evaluation());
        let (mut params, mut average) = (noise::<f64>(8, 1), Vec::new());
        for step in 0..7 {
            optimizer.step(step, 0.1, &mut params, &noise(8, 2 + step));
            if step == 0 {
                average = params.clone();
            }
            // At first as the mean in which each step counts in proportion to its number.
            let new = (2.0 / (step as f64 + 2.0)).max(0.2);
            for (e, p) in average.iter_mut().zip(&params) {
                *e = (1.0 - new) * *e + new * p;
            }
            let mut shown = vec![0.0; 8];
            optimizer.evaluation(&params, &mut shown);
            for (shown, e) in shown.iter().zip(&average) {
                assert!((shown - e).abs() < 1e-14, "{shown} is not {e} with {lookahead}, {regularization:?}");
            }
        }
    }
}

#[test]
fn lookahead_goes_back_after_some_steps() {
    let mut optimizer = Optimizer::new(Sgd {}, Regularization::default(), &Layout::flat(1), false).unwrap();
    optimizer = optimizer.lookahead("every(3, alpha=0.25)".parse().unwrap()).unwrap();
    let (mut p, mut shown) = ([8.0f64], [0.0]);
    let mut seen = Vec::new();
    for step in 0..6 {
        optimizer.step(step, 1.0, &mut p, &[1.0]);
        optimizer.evaluation(&p, &mut shown);
        seen.push((p[0], shown[0]));
    }
    assert_eq!(seen, [(7.0, 8.0), (6.0, 8.0), (7.25, 7.25), (6.25, 7.25), (5.25, 7.25), (6.5, 6.5)]);
}

#[test]
fn before_the_first_step_there_is_nothing_else_to_evaluate() {
    for (spec, ema, lookahead) in
        [("adam", Some(0.9), "off"), ("sgd", None, "every(5)"), ("schedule-free-sgd", None, "off")]
    {
        let mut optimizer = Optimizer::new(rule(spec), Regularization::default(), &dense(), false).unwrap();
        optimizer = optimizer.lookahead(lookahead.parse().unwrap()).unwrap();
        if let Some(decay) = ema {
            optimizer = optimizer.averaged(decay).unwrap();
        }
        let (params, mut shown) = (noise::<f32>(8, 1), vec![0.0; 8]);
        optimizer.evaluation(&params, &mut shown);
        assert_eq!(params, shown, "{spec}");
    }
}

/// A momentum that comes to 0 and back leaves the state what it is.
#[test]
fn rmsprop_keeps_its_slots_without_momentum_for_a_while() {
    let rule = rule("rmsprop(momentum=0.9)");
    let mut optimizer = Optimizer::new(rule, Regularization::default(), &Layout::flat(1), false).unwrap();
    optimizer = optimizer.averaged(0.5).unwrap();
    let (mut p, mut shown, mut average) = ([1.0f64], [0.0], 0.0);
    for (step, momentum) in [0.9, 0.0, 0.0, 0.9, 0.9].into_iter().enumerate() {
        optimizer.set_momentum(momentum);
        optimizer.step(step as u64, 0.01, &mut p, &[1.0]);
        let new = (2.0 / (step as f64 + 2.0)).max(0.5);
        average = (1.0 - new) * average + new * p[0];
        optimizer.evaluation(&p, &mut shown);
        assert!((shown[0] - average).abs() < 1e-15, "step {step}: {} is not {average}", shown[0]);
    }
    // Momentum came back: the last step is longer than the gradient alone makes it.
    let before = p[0];
    optimizer.step(5, 0.01, &mut p, &[0.0]);
    assert!(p[0] < before);
}

#[test]
fn largest_norms_hold_for_slow_weights_and_not_for_those_held_still() {
    let regularization =
        Regularization { max_norm: Some(0.5), independent_decay: 0.1, ..Regularization::default() };
    let mut optimizer = Optimizer::new(rule("sgd"), regularization, &dense(), false).unwrap();
    optimizer = optimizer.lookahead("every(3, alpha=0.1)".parse().unwrap()).unwrap();
    let (mut params, mut shown) = (vec![5.0f64; 8], vec![0.0; 8]);
    for step in 0..7 {
        optimizer.step(step, 0.1, &mut params, &noise(8, step));
        optimizer.evaluation(&params, &mut shown);
        for unit in 0..2 {
            let norm = (0..3).map(|input| shown[2 * input + unit].powi(2)).sum::<f64>().sqrt();
            assert!(norm < 0.5 + 1e-12, "{norm}");
        }
    }
    let mut optimizer = Optimizer::new(rule("sgd"), regularization, &dense(), false).unwrap();
    optimizer = optimizer.groups(&["name(0.weight, lr=0)".parse().unwrap()]).unwrap();
    let mut params = vec![5.0f64; 8];
    optimizer.step(0, 0.1, &mut params, &[1.0; 8]);
    assert!(params[..6].iter().all(|&p| p == 5.0), "{params:?}");
    let optimizer = Optimizer::<f32>::new(
        rule("sgd"),
        Regularization { independent_decay: 0.5, ..regularization },
        &dense(),
        false,
    );
    assert!(optimizer.unwrap().groups(&["role(weight, decay=4)".parse().unwrap()]).is_err());
}

#[test]
fn no_unit_has_weights_of_a_larger_norm() {
    let regularization = Regularization { max_norm: Some(1.0), ..Regularization::default() };
    let mut optimizer = Optimizer::new(Sgd {}, regularization, &dense(), false).unwrap();
    let mut params = [3.0f64, 0.1, 0.0, 0.2, 4.0, 0.2, 5.0, 5.0];
    optimizer.step(0, 1.0, &mut params, &[0.0; 8]);
    let expected = [0.6, 0.1, 0.0, 0.2, 0.8, 0.2, 5.0, 5.0];
    assert!(params.iter().zip(expected).all(|(p, x)| (p - x).abs() < 1e-15), "{params:?}");
}

#[test]
fn tensors_are_clipped_each_by_itself() {
    let regularization = Regularization { clip_tensor_norm: Some(1.0), ..Regularization::default() };
    let mut optimizer = Optimizer::new(Sgd {}, regularization, &dense(), false).unwrap();
    let mut params = [0.0f64; 8];
    optimizer.step(0, 1.0, &mut params, &[3.0, 0.0, 0.0, 4.0, 0.0, 0.0, 0.1, 0.2]);
    assert_eq!(params, [-0.6000000000000001, 0.0, 0.0, -0.8, 0.0, 0.0, -0.1, -0.2]);
    let both = Regularization { clip_norm: Some(1.0), ..regularization };
    let error = Optimizer::<f32>::new(Sgd {}, both, &dense(), false).unwrap_err().to_string();
    assert_eq!(error, "`clip-tensor-norm` of `training` cannot go with `clip-norm`; give one of the two");
}

#[test]
fn groups_have_rates_and_decays_of_their_own() {
    let regularization = Regularization { weight_decay: 0.5, ..Regularization::default() };
    let run = |groups: &[&str]| {
        let groups: Vec<Group> = groups.iter().map(|group| group.parse().unwrap()).collect();
        let mut optimizer =
            Optimizer::new(Sgd {}, regularization, &dense(), false).unwrap().groups(&groups).unwrap();
        let mut params = [1.0f64; 8];
        optimizer.step(0, 0.5, &mut params, &[1.0; 8]);
        (params[0], params[7])
    };
    assert_eq!(run(&[]), (0.25, 0.5));
    assert_eq!(run(&["role(bias, lr=2)"]), (0.25, 0.0));
    assert_eq!(run(&["role(bias, decay=1)"]), (0.25, 0.25));
    assert_eq!(run(&["name(*, lr=0)"]), (1.0, 1.0));
    assert_eq!(run(&["name(0.*, lr=0)", "name(*.weight, decay=0)"]), (0.5, 1.0));
    let mut optimizer = Optimizer::<f32>::new(Sgd {}, regularization, &dense(), false).unwrap();
    optimizer = optimizer.groups(&[]).unwrap();
    let error = optimizer.groups(&["name(1.*)".parse().unwrap()]).unwrap_err().to_string();
    assert_eq!(error, "`pattern` of `name` fits no tensor; there is `0.weight`, `0.bias`");
}

#[test]
fn what_averages_by_itself_takes_no_second_average() {
    let new =
        |regularization| Optimizer::<f32>::new(rule("schedule-free-sgd"), regularization, &dense(), false);
    let error = new(ALL).unwrap_err().to_string();
    assert_eq!(
        error,
        "`weight-decay` of `training` does not go with schedule-free-sgd, which averages; give its own weight-decay instead"
    );
    let none = Regularization::default();
    assert!(new(none).unwrap().averaged(0.9).is_err());
    assert!(new(none).unwrap().lookahead("every(5)".parse().unwrap()).is_err());
    assert!(new(none).unwrap().lookahead(Lookahead::Off).is_ok());
}

/// A matrix moves along one whose singular values are about 1; its transpose moves along the transpose.
#[test]
fn muon_moves_along_orthogonal_matrices() {
    for (inputs, outputs) in [(3, 3), (60, 40), (40, 60), (130, 70)] {
        let layout = |shape: &[usize]| {
            let mut layout = Layout::default();
            layout.push("weight", shape, Role::Weight);
            layout
        };
        let spec = "muon(weight-decay=0, scale=shape)";
        let grads = noise::<f64>(inputs * outputs, 5);
        let mut moved = vec![0.0; inputs * outputs];
        let mut optimizer =
            Optimizer::new(rule(spec), Regularization::default(), &layout(&[inputs, outputs]), false)
                .unwrap();
        optimizer.step(0, -1.0 / (outputs as f64 / inputs as f64).max(1.0).sqrt(), &mut moved, &grads);

        // |O·v| of any direction that the matrix has is near |v|: between 0.6 and 1.3 for what is not tiny.
        let mut along = 0.0;
        for (o, g) in moved.iter().zip(&grads) {
            along += o * g;
        }
        assert!(along > 0.0);
        let squares: f64 = moved.iter().map(|o| o * o).sum();
        let rank = inputs.min(outputs) as f64;
        assert!((0.5 * rank..1.4 * rank).contains(&squares), "{squares} of {rank}");

        let turn = |matrix: &[f64]| -> Vec<f64> {
            (0..outputs).flat_map(|j| (0..inputs).map(move |i| matrix[i * outputs + j])).collect()
        };
        let mut turned = vec![0.0; inputs * outputs];
        let mut optimizer =
            Optimizer::new(rule(spec), Regularization::default(), &layout(&[outputs, inputs]), false)
                .unwrap();
        optimizer.step(
            0,
            -1.0 / (inputs as f64 / outputs as f64).max(1.0).sqrt(),
            &mut turned,
            &turn(&grads),
        );
        for (a, b) in turn(&moved).iter().zip(&turned) {
            assert!((a - b).abs() < 1e-9, "{a} and {b}");
        }
    }
}

#[test]
fn the_momentum_can_follow_a_schedule() {
    let mut optimizer =
        Optimizer::new(rule("momentum"), Regularization::default(), &Layout::flat(1), false).unwrap();
    let mut p = [0.0f64];
    for (step, momentum) in [0.9, 0.5, 0.0].into_iter().enumerate() {
        optimizer.set_momentum(momentum);
        optimizer.step(step as u64, 1.0, &mut p, &[-1.0]);
    }
    assert_eq!(p, [1.0 + 1.5 + 1.0]);
    let schedule: Schedule = "warmup(10, then=one-cycle(0.1, over=21, start=11))".parse().unwrap();
    let momentum = |step| schedule.momentum(Position { step, steps_per_epoch: 1, total_steps: 40 });
    for (step, expected) in
        [(0, 0.95), (9, 0.95), (10, 0.95), (15, 0.9), (20, 0.85), (25, 0.9), (30, 0.95), (39, 0.95)]
    {
        assert!((momentum(step).unwrap() - expected).abs() < 1e-12, "{step}");
    }
    assert_eq!(
        "0.1".parse::<Schedule>().unwrap().momentum(Position { step: 0, steps_per_epoch: 1, total_steps: 1 }),
        None
    );
}
