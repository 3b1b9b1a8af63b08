//! Every rule, and what goes around a rule, against the trajectories of PyTorch, Keras and Optax;
//! `tools/golden/optim.py` and `tools/golden/transforms.py` write them.

use std::collections::BTreeMap;

use downhill_core::Float;
use downhill_optim::{
    ByRole, Every, Form, Group, Layout, Lookahead, NAdam, Optimizer, Regularization, RmsProp, Role, Rule,
    Step, UpdateRule,
};
use downhill_schedule::{Position, Schedule};
use serde::Deserialize;

const STEPS: u64 = 60;

/// A function to minimise: what its parameters are, where they start, and the data it is of, if any.
#[derive(Deserialize)]
struct Problem {
    name: String,
    layout: Layout,
    start: Vec<f64>,
    #[serde(default)]
    inputs: Vec<Vec<f64>>,
    #[serde(default)]
    targets: Vec<Vec<f64>>,
}

#[derive(Deserialize)]
struct Golden {
    optimizer: String,
    regularization: Limits,
    #[serde(default)]
    transforms: Transforms,
    schedule: String,
    problem: String,
    /// The parameters, after steps that are equally far apart.
    float64: Vec<Vec<f64>>,
    /// Not there where `f32` keeps none of the digits, in any framework.
    #[serde(default)]
    float32: Vec<Vec<f64>>,
    /// Where the network is evaluated, for rules that train it elsewhere.
    #[serde(default)]
    evaluation64: Vec<Vec<f64>>,
    #[serde(default)]
    evaluation32: Vec<Vec<f64>>,
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

impl From<Limits> for Regularization {
    fn from(Limits { l1, l2, weight_decay, clip_norm, clip_value }: Limits) -> Self {
        Self { l1, l2, weight_decay, clip_norm, clip_value, ..Self::default() }
    }
}

/// What is around the rule.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Transforms {
    ema: Option<f64>,
    lookahead: Option<(u64, f64)>,
    clip_tensor_norm: Option<f64>,
    max_norm: Option<f64>,
    independent_decay: f64,
    groups: Vec<RoleGroup>,
    /// Of each step.
    momentum: Vec<f64>,
}

/// A role with a rate that is a share of everybody's, and a decay of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleGroup {
    role: Role,
    #[serde(default = "one")]
    lr: f64,
    weight_decay: Option<f64>,
}

fn one() -> f64 {
    1.0
}

impl Golden {
    fn optimizer<F: Float>(&self, layout: &Layout) -> Optimizer<F> {
        let mut rule: Rule = self.optimizer.parse().unwrap();
        let Transforms { ema, lookahead, clip_tensor_norm, max_norm, independent_decay, groups, .. } =
            &self.transforms;
        let (clip_tensor_norm, max_norm, independent_decay) =
            (*clip_tensor_norm, *max_norm, *independent_decay);
        let limits = Regularization::from(self.regularization);
        let regularization = Regularization { clip_tensor_norm, max_norm, independent_decay, ..limits };
        let groups: Vec<Group> = groups
            .iter()
            .map(|&RoleGroup { role, lr, weight_decay }| {
                let decay = weight_decay.map(|decay| decay / *rule.weight_decay_mut().unwrap());
                Group::Role(ByRole { role, lr, decay })
            })
            .collect();
        let lookahead =
            lookahead.map_or(Lookahead::Off, |(steps, alpha)| Lookahead::Every(Every { steps, alpha }));
        let optimizer = Optimizer::new(rule, regularization, layout, false).unwrap().groups(&groups).unwrap();
        let optimizer = optimizer.lookahead(lookahead).unwrap();
        if let Some(decay) = *ema { optimizer.averaged(decay).unwrap() } else { optimizer }
    }
}

fn problems() -> BTreeMap<String, Problem> {
    let problems: Vec<Problem> = serde_json::from_str(include_str!("golden/problems.json")).unwrap();
    problems.into_iter().map(|problem| (problem.name.clone(), problem)).collect()
}

impl Problem {
    fn gradient<F: Float>(&self, step: u64, p: &[F]) -> Vec<F> {
        let number = F::of;
        let (one, two, three) = (number(1.0), number(2.0), number(3.0));
        match self.name.as_str() {
            "quadratic" => {
                let (scales, centres) = ([0.1, 1.0, 10.0, 100.0], [1.0, -2.0, 3.0, 0.5]);
                (0..4).map(|i| number(scales[i]) * (p[i] - number(centres[i]))).collect()
            }
            "rosenbrock" => {
                let (x, y) = (p[0], p[1]);
                let valley = y - x * x;
                vec![-two * (one - x) - number(400.0) * x * valley, number(200.0) * valley]
            }
            "beale" => {
                let (x, y) = (p[0], p[1]);
                let a = number(1.5) - x + x * y;
                let b = number(2.25) - x + x * y * y;
                let c = number(2.625) - x + x * y * y * y;
                let by_x = a * (y - one) + b * (y * y - one) + c * (y * y * y - one);
                let by_y = x * (a + two * b * y + three * c * y * y);
                vec![two * by_x, two * by_y]
            }
            "logistic" => {
                let first = step as usize * 8 % self.inputs.len();
                let mut gradient = vec![F::zero(); 4];
                for (inputs, target) in self.inputs.iter().zip(&self.targets).skip(first).take(8) {
                    let inputs = [inputs[0], inputs[1], inputs[2], 1.0].map(number);
                    let z = inputs.iter().zip(p).map(|(&x, &w)| x * w).sum::<F>();
                    let error = (one / (one + (-z).exp()) - number(target[0])) / number(8.0);
                    gradient.iter_mut().zip(inputs).for_each(|(g, x)| *g += error * x);
                }
                gradient
            }
            // A linear layer under half of its mean squared error.
            "matrix" | "wide" => {
                let (rows, outputs) = (self.inputs.len(), self.targets[0].len());
                let (weight, bias) = p.split_at(p.len() - outputs);
                let mut gradient = vec![F::zero(); p.len()];
                for (inputs, targets) in self.inputs.iter().zip(&self.targets) {
                    for j in 0..outputs {
                        let product = |(i, &x): (usize, &f64)| number(x) * weight[i * outputs + j];
                        let output = inputs.iter().enumerate().map(product).sum::<F>() + bias[j];
                        let error = (output - number(targets[j])) / number(rows as f64);
                        for (i, &x) in inputs.iter().enumerate() {
                            gradient[i * outputs + j] += number(x) * error;
                        }
                        gradient[weight.len() + j] += error;
                    }
                }
                gradient
            }
            other => panic!("{other} is no problem"),
        }
    }
}

/// The largest distance from `expected`, relative to the largest parameter.
fn distance<F: Float>(params: &[F], expected: &[f64]) -> f64 {
    assert_eq!(params.len(), expected.len());
    let size = expected.iter().fold(0.0, |size: f64, x| size.max(x.abs()));
    let distances = params.iter().zip(expected).map(|(p, x)| (p.f64() - x).abs() / size);
    distances.fold(0.0, |worst, distance| if distance <= worst { worst } else { distance })
}

/// The largest distance of the trajectory from `expected`, and of where it is evaluated from `evaluated`, if
/// there is any.
fn error<F: Float>(
    golden: &Golden,
    problem: &Problem,
    expected: &[Vec<f64>],
    evaluated: &[Vec<f64>],
) -> Option<f64> {
    let schedule: Schedule = golden.schedule.parse().unwrap();
    let mut params: Vec<F> = problem.start.iter().map(|&x| F::of(x)).collect();
    let mut optimizer = golden.optimizer(&problem.layout);
    let every = STEPS.checked_div(expected.len() as u64)?;
    let mut worst: f64 = 0.0;
    for step in 0..STEPS {
        let position = Position { step, steps_per_epoch: 1, total_steps: STEPS };
        let lr = schedule.at(position);
        if let Some(expected) = golden.transforms.momentum.get(step as usize) {
            let momentum = schedule.momentum(position).unwrap();
            assert!(
                (momentum - expected).abs() < 1e-12,
                "{schedule} has a momentum of {momentum}, not {expected}"
            );
            optimizer.set_momentum(momentum);
        }
        let grads = problem.gradient(step, &params);
        optimizer.step(step, lr, &mut params, &grads);
        if (step + 1) % every == 0 {
            let at = (step / every) as usize;
            let mut error = distance(&params, &expected[at]);
            if let Some(evaluated) = evaluated.get(at) {
                let mut evaluation = params.clone();
                optimizer.evaluation(&params, &mut evaluation);
                error += distance(&evaluation, evaluated);
            }
            assert!(error.is_finite());
            worst = worst.max(error);
        }
    }
    Some(worst)
}

fn golden() -> Vec<Golden> {
    let read = |text| serde_json::from_str::<Vec<Golden>>(text).unwrap();
    [read(include_str!("golden/rules.json")), read(include_str!("golden/transforms.json"))]
        .into_iter()
        .flatten()
        .collect()
}

/// Replays every trajectory, and names all that are too far off.
fn check<F: Float>(expected: impl Fn(&Golden) -> (&[Vec<f64>], &[Vec<f64>]), bound: f64) {
    let problems = problems();
    let mut wrong = String::new();
    for case in golden() {
        let (parameters, evaluated) = expected(&case);
        let Some(error) = error::<F>(&case, &problems[&case.problem], parameters, evaluated) else {
            continue;
        };
        let Golden { optimizer, regularization, transforms, problem, schedule, .. } = &case;
        if error > bound {
            wrong += &format!(
                "\n{optimizer} with {regularization:?}, {transforms:?} on {problem} under {schedule}: {error:e}"
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn trajectories_in_f64_agree_with_the_frameworks() {
    check::<f64>(|case| (&case.float64, &case.evaluation64), 1e-10);
}

#[test]
fn trajectories_in_f32_agree_with_the_frameworks() {
    check::<f32>(|case| (&case.float32, &case.evaluation32), 1e-5);
}

/// So that no rule is forgotten above.
#[test]
fn every_rule_has_a_trajectory() {
    for name in Rule::NAMES {
        for problem in ["quadratic", "rosenbrock", "beale", "logistic", "matrix"] {
            let of =
                |case: &Golden| case.optimizer.split('(').next() == Some(name) && case.problem == problem;
            let both = |case: &Golden| !case.float64.is_empty() && !case.float32.is_empty();
            let settings = golden().into_iter().filter(|case| of(case) && both(case)).count();
            assert!(settings >= 2, "{name}: two settings on {problem}, in both types");
        }
    }
    let error = "?".parse::<Rule>().unwrap_err().to_string();
    assert!(error.contains(&format!("there is `{}`", Rule::NAMES.join("`, `"))), "{error}");
}

/// The two forms of momentum are one while the rate holds still, and two when it changes.
#[test]
fn forms_of_momentum_differ_exactly_when_the_rate_changes() {
    for name in ["momentum", "nesterov"] {
        let run = |form: &str, rate: fn(u64) -> f64| {
            let rule: Rule = format!("{name}(0.8, form={form})").parse().unwrap();
            let mut optimizer =
                Optimizer::new(rule, Regularization::default(), &Layout::flat(1), false).unwrap();
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

/// The product of NAdam's momentums, in closed form, is the one multiplied up step by step, as long as it
/// counts.
#[test]
fn nadam_needs_no_memory_of_its_momentums() {
    for (beta1, momentum_decay) in
        [(0.9, 0.004), (0.999, 0.004), (0.999, 1.0), (0.99, 0.0), (0.0, 0.1), (0.9999, 1e-9)]
    {
        let rule = NAdam { beta1, momentum_decay, ..NAdam::default() };
        let (mut found, mut state) = ([0.0f64], rule.state(1));
        let momentum = |t: i32| beta1 * (1.0 - 0.5 * 0.96f64.powf(momentum_decay * f64::from(t)));
        let (mut p, mut m, mut v, mut product) = (0.0, 0.0, 0.0, 1.0);
        for t in 1..=3000 {
            let g = (0.1 * f64::from(t)).sin() + 0.5;
            rule.step(Step::new(t as u64 - 1, 0.01), &mut found, &[g], &mut state);
            product *= momentum(t);
            m = beta1 * m + (1.0 - beta1) * g;
            v = 0.999 * v + (1.0 - 0.999) * g * g;
            let ahead = momentum(t + 1) * m / (1.0 - product * momentum(t + 1));
            let ahead = ahead + (1.0 - momentum(t)) * g / (1.0 - product);
            p -= 0.01 * ahead / ((v / (1.0 - 0.999f64.powi(t))).sqrt() + 1e-8);
            let error = (found[0] - p).abs() / p.abs();
            assert!(error < 1e-11, "{rule:?} at {t}: {} not {p}", found[0]);
        }
    }
}

/// RMSProp keeps the numbers that its settings need, and moves as it does with all of them.
#[test]
fn rmsprop_keeps_what_it_needs() {
    for (centered, momentum, slots) in [(false, 0.0, 1), (true, 0.0, 2), (false, 0.5, 2), (true, 0.5, 3)] {
        for form in [Form::Velocity, Form::Buffer] {
            let rule = RmsProp { centered, momentum, form, ..RmsProp::default() };
            let mut optimizer =
                Optimizer::new(rule, Regularization::default(), &Layout::flat(1), false).unwrap();
            assert_eq!(optimizer.state().slots().len(), slots);
            let (mut trimmed, mut whole, mut state) = ([1.0f32], [1.0f32], rule.state(1));
            for step in 0..20 {
                let g = [(step as f32).cos()];
                optimizer.step(step, 0.1, &mut trimmed, &g);
                rule.step(Step::new(step, 0.1), &mut whole, &g, &mut state);
                assert_eq!(trimmed[0].to_bits(), whole[0].to_bits(), "{rule:?} at {step}");
            }
        }
    }
}

/// Under gradients that hardly change, the variance may come out below zero by a rounding error.
#[test]
fn centred_rmsprop_bears_gradients_that_stand_still() {
    let rule = RmsProp { centered: true, ..RmsProp::default() };
    let (mut params, mut state) = ([0.0f32; 100], rule.state(100));
    let grads: Vec<f32> = (0..100).map(|i| 0.1 + 0.01 * i as f32).collect();
    let mut below = false;
    for step in 0..2000 {
        rule.step(Step::new(step, 1e-9), &mut params, &grads, &mut state);
        below |= state.slots()[0].iter().zip(state.slots()[1].iter()).any(|(h, mean)| h - mean * mean < 0.0);
    }
    assert!(below, "not a test");
    assert!(params.iter().all(|p| p.is_finite()), "{params:?}");
}

/// A unit that has died must not slow training down: averages of its gradients reach 0 instead of the
/// smallest number that 0.9 times itself rounds to.
#[test]
fn averages_of_gradients_that_stay_away_become_zero() {
    for spec in ["momentum", "rmsprop(rho=0.9)", "adam(beta2=0.9)", "lion(beta2=0.9)"] {
        let rule: Rule = spec.parse().unwrap();
        let mut optimizer = Optimizer::new(rule, Regularization::default(), &Layout::flat(1), false).unwrap();
        let mut params = [1.0f32];
        optimizer.step(0, 1e-3, &mut params, &[1.0]);
        for step in 1..2000 {
            optimizer.step(step, 1e-3, &mut params, &[0.0]);
            for slot in optimizer.state().slots() {
                assert!(!slot[0].is_subnormal(), "{spec}: {} at {step}", slot[0]);
            }
        }
        let mut slots = optimizer.state().slots().iter();
        assert!(slots.all(|slot| slot[0] == 0.0), "{spec}: {:?}", optimizer.state().slots());
    }
}
