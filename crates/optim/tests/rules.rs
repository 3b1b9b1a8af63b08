//! Every rule against the trajectories of PyTorch, Keras and Optax; `tools/golden/optim.py` writes them.

use downhill_optim::{Float, Layout, Optimizer, Position, Restraints, Rule, Schedule};
use serde::Deserialize;

const STEPS: u64 = 60;
const EVERY: u64 = 10;

#[derive(Deserialize)]
struct Golden {
    optimizer: String,
    restraints: Limits,
    schedule: String,
    problem: String,
    float64: Vec<Vec<f64>>,
    float32: Vec<Vec<f64>>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    l1: f64,
    l2: f64,
    weight_decay: f64,
    clip_norm: Option<f64>,
    clip_value: Option<f64>,
}

impl From<Limits> for Restraints {
    fn from(Limits { l1, l2, weight_decay, clip_norm, clip_value }: Limits) -> Self {
        Self { l1, l2, weight_decay, clip_norm, clip_value }
    }
}

fn start<F: Float>(problem: &str) -> Vec<F> {
    let start: &[f64] = if problem == "quadratic" { &[-3.0, 4.0, 2.0, -1.0] } else { &[-1.2, 1.0] };
    start.iter().map(|&x| F::of(x)).collect()
}

fn gradient<F: Float>(problem: &str, p: &[F]) -> Vec<F> {
    if problem == "quadratic" {
        let (scales, centres) = ([0.1, 1.0, 10.0, 100.0], [1.0, -2.0, 3.0, 0.5]);
        return (0..4).map(|i| F::of(scales[i]) * (p[i] - F::of(centres[i]))).collect();
    }
    let (x, y) = (p[0], p[1]);
    let valley = y - x * x;
    vec![F::of(-2.0) * (F::of(1.0) - x) - F::of(400.0) * x * valley, F::of(200.0) * valley]
}

/// The largest distance of the trajectory from `expected`, relative to the largest parameter.
fn error<F: Float>(golden: &Golden, expected: &[Vec<f64>]) -> f64 {
    let rule: Rule = golden.optimizer.parse().unwrap();
    let schedule: Schedule = golden.schedule.parse().unwrap();
    let mut params = start::<F>(&golden.problem);
    let layout = Layout::flat(params.len());
    let mut optimizer = Optimizer::new(rule, golden.restraints.into(), &layout, false).unwrap();
    let mut worst = 0.0;
    for step in 0..STEPS {
        let lr = schedule.at(Position { step, steps_per_epoch: 1, total_steps: STEPS });
        let grads = gradient(&golden.problem, &params);
        optimizer.step(step, lr, &mut params, &grads);
        if (step + 1) % EVERY == 0 {
            let expected = &expected[(step / EVERY) as usize];
            assert_eq!(params.len(), expected.len());
            let size = expected.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
            for (p, x) in params.iter().zip(expected) {
                let error = (p.f64() - x).abs() / size;
                assert!(error.is_finite());
                worst = error.max(worst);
            }
        }
    }
    worst
}

fn golden() -> Vec<Golden> {
    serde_json::from_str(include_str!("golden/rules.json")).unwrap()
}

fn check<F: Float>(expected: impl Fn(&Golden) -> &[Vec<f64>], bound: f64) {
    for case in golden() {
        let error = error::<F>(&case, expected(&case));
        let Golden { optimizer, restraints, problem, .. } = &case;
        assert!(error <= bound, "{optimizer} with {restraints:?} on the {problem}: {error:e}");
    }
}

#[test]
fn trajectories_in_f64_agree_with_the_frameworks() {
    check::<f64>(|case| &case.float64, 1e-10);
}

#[test]
fn trajectories_in_f32_agree_with_the_frameworks() {
    check::<f32>(|case| &case.float32, 1e-5);
}

/// So that no rule is forgotten above.
#[test]
fn every_rule_has_a_trajectory() {
    let all = [
        "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "amsgrad", "adamw", "nadam",
        "adamax", "radam", "lion",
    ];
    for name in all {
        let cases = golden().iter().filter(|case| case.optimizer.split('(').next() == Some(name)).count();
        assert!(cases >= 4, "{name}: two settings on two problems");
    }
    let error = "?".parse::<Rule>().unwrap_err().to_string();
    assert!(error.contains(&format!("there is `{}`", all.join("`, `"))), "{error}");
}

/// The two forms of momentum are one while the rate holds still, and two when it changes.
#[test]
fn forms_of_momentum_differ_exactly_when_the_rate_changes() {
    for name in ["momentum", "nesterov"] {
        let run = |form: &str, rate: fn(u64) -> f64| {
            let rule: Rule = format!("{name}(0.8, form={form})").parse().unwrap();
            let mut optimizer = Optimizer::new(rule, Restraints::default(), &Layout::flat(1), false).unwrap();
            let mut p = [1.0f64];
            for step in 0..20 {
                let grads = [2.0 * p[0]];
                optimizer.step(step, rate(step), &mut p, &grads);
            }
            p[0]
        };
        let constant = |_| 0.05;
        let falling = |step| 0.05 / (1.0 + step as f64);
        assert!((run("velocity", constant) - run("buffer", constant)).abs() < 1e-14);
        assert!((run("velocity", falling) - run("buffer", falling)).abs() > 1e-3);
    }
}
