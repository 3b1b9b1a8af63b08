//! The rates that rules are said to bear, against what they do on quadratics just below and just above.

use downhill_optim::*;

/// The curvatures of ½·Σ hᵢ·pᵢ², and what a rule that divides by averages of gradients has for them.
const CURVATURES: [f64; 4] = [0.3, 2.0, 5.0, 4.0];
const SQUARES: [f64; 4] = [1.0, 0.25, 4.0, 1.0];

/// Late enough for all averages to be corrected by nothing.
const LATE: u64 = 4_000_000_000;

fn optimizer(spec: &str, groups: &[&str], l2: f64) -> Optimizer<f64> {
    let mut layout = Layout::default();
    layout.push("a.weight", &[2], Role::Weight);
    layout.push("b.weight", &[2], Role::Weight);
    let groups: Vec<Group> = groups.iter().map(|group| group.parse().unwrap()).collect();
    let regularization = Regularization { l2, ..Regularization::default() };
    Optimizer::new(spec.parse::<Rule>().unwrap(), regularization, &layout, false)
        .unwrap()
        .groups(&groups)
        .unwrap()
}

/// How far from the minimum the rule is after some thousands of steps at a rate, from a distance of about
/// 1e-9, or when it is a hundred times as far: there the squares of gradients are nothing beside the averages
/// that are given.
fn distance(spec: &str, groups: &[&str], l2: f64, squares: Option<usize>, lr: f64) -> f64 {
    let mut optimizer = with_squares(spec, groups, l2, squares);
    let mut params = [1e-9, -1e-9, 1e-9, 1e-9];
    let far = |params: &[f64]| params.iter().fold(0.0, |most: f64, p| most.max(p.abs()));
    for step in 0..4000 {
        if far(&params) > 1e-7 {
            break;
        }
        let grads: Vec<f64> = params.iter().zip(CURVATURES).map(|(p, h)| p * h).collect();
        optimizer.step(LATE + step, lr, &mut params, &grads);
    }
    far(&params)
}

fn with_squares(spec: &str, groups: &[&str], l2: f64, squares: Option<usize>) -> Optimizer<f64> {
    let mut optimizer = optimizer(spec, groups, l2);
    if let Some(slot) = squares {
        optimizer.state_mut().slots_mut().nth(slot).unwrap().copy_from_slice(&SQUARES);
    }
    optimizer
}

/// The limit that is reported is where the rule turns from converging to diverging, to a percent.
fn check(spec: &str, groups: &[&str], l2: f64, squares: Option<usize>) {
    let Stability { bound, scaling, penalty } = with_squares(spec, groups, l2, squares).stability(LATE);
    let curvatures = CURVATURES.iter().zip(&penalty).zip(&scaling).map(|((h, l2), scale)| (h + l2) * scale);
    let limit = bound.unwrap() / curvatures.fold(0.0, f64::max);
    let (below, above) = (
        distance(spec, groups, l2, squares, 0.99 * limit),
        distance(spec, groups, l2, squares, 1.01 * limit),
    );
    assert!(below < 2e-9, "{spec}: {below} below the limit of {limit}");
    assert!(above > 1e-8, "{spec}: {above} above the limit of {limit}");
}

#[test]
fn rules_without_averages_of_squares() {
    for spec in [
        "sgd",
        "momentum(0.9)",
        "momentum(0.5, form=buffer)",
        "momentum(0)",
        "nesterov(0.9)",
        "nesterov(0.3, form=buffer)",
    ] {
        check(spec, &[], 0.0, None);
        check(spec, &[], 3.0, None);
        check(spec, &["name(a.*, lr=2.8)"], 0.5, None);
        check(spec, &["name(b.*, lr=0)"], 0.0, None);
    }
}

#[test]
fn rules_that_divide_by_them() {
    // Averages that hardly move stand for frozen ones.
    for (spec, slot) in [
        ("adagrad", 0),
        ("rmsprop(rho=0.9999999999)", 0),
        ("rmsprop(rho=0.9999999999, centered=true)", 0),
        ("rmsprop(rho=0.9999999999, momentum=0.8)", 0),
        ("rmsprop(rho=0.9999999999, eps=0.5)", 0),
        ("adadelta(rho=0.9999999999, eps=0.2)", 0),
        ("adam(beta2=0.9999999, eps=0.1)", 1),
        ("adam(beta1=0, beta2=0.9999999)", 1),
        ("adamw(beta2=0.9999999, weight-decay=0)", 1),
        ("adamw(beta1=0.5, beta2=0.9999999, weight-decay=0)", 1),
        ("adamax(beta2=0.9999999999)", 1),
        ("amsgrad(beta2=0.9999999)", 2),
        ("radam(beta2=0.9999999)", 1),
    ] {
        check(spec, &[], 0.0, Some(slot));
        check(spec, &["name(a.*, lr=3)"], 0.7, Some(slot));
    }
}

#[test]
fn the_correction_of_young_averages_counts() {
    // The first steps of Adam: m̂ is m / (1 − 0.9ᵗ), v̂ is v / (1 − 0.99ᵗ).
    let optimizer = with_squares("adam(beta2=0.99, eps=0.5)", &[], 0.0, Some(1));
    for steps in [1, 2, 10] {
        let left = |beta: f64| 1.0 - beta.powi(steps);
        let expected = SQUARES.map(|v| 1.0 / (left(0.9) * ((v / left(0.99)).sqrt() + 0.5)));
        let Stability { bound, scaling, .. } = optimizer.stability(steps as u64);
        assert!((bound.unwrap() - 38.0).abs() < 1e-12);
        for (ours, expected) in scaling.iter().zip(expected) {
            assert!((ours - expected).abs() < 1e-12 * expected, "{ours} is not {expected}");
        }
    }
}

#[test]
fn there_is_not_always_a_limit() {
    for spec in
        ["lion", "lars", "lamb", "muon", "nadam", "prodigy", "schedule-free-sgd", "schedule-free-adamw"]
    {
        let Stability { bound, scaling, .. } = optimizer(spec, &["name(a.*, lr=2)"], 0.0).stability(7);
        assert_eq!((bound, scaling), (None, vec![2.0, 2.0, 1.0, 1.0]), "{spec}");
    }
    // There are no averages before the first step.
    for spec in ["adam", "rmsprop", "adagrad"] {
        assert_eq!(optimizer(spec, &[], 0.0).stability(0).bound, None, "{spec}");
    }
    assert_eq!(optimizer("sgd", &[], 0.0).stability(0).bound, Some(2.0));
}
