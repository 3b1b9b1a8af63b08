//! A rule of a user's own, in the user's crate: in `Optimizer` and `Trainer`, with groups, clipping,
//! averages, checkpoints.

mod common;

use downhill::optim::{
    Facts, Float, Invalid, Layout, NamedRule, Optimizer, Ran, Role, Run, Step, UpdateRule, invalid,
};
use downhill::prelude::*;
use downhill::train::{RunConfig, RunFolder, Source};
use serde::{Deserialize, Serialize};

use common::{bits, killed_and_resumed, runs};

/// Yogi: Adam whose average of squares moves by no more than the last square.
///
/// Zaheer et al., "Adaptive Methods for Nonconvex Optimization" (2018).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Yogi {
    beta1: f64,
    beta2: f64,
    eps: f64,
}

impl Default for Yogi {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-3 }
    }
}

impl UpdateRule for Yogi {
    /// m and v.
    type State<F: Float> = [F; 2];

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 2]) -> (F, [F; 2]) + Copy + Send + Sync {
        let t = (step.index + 1) as f64;
        let correct = |beta: f64| F::of(1.0 / (1.0 - beta.powf(t)));
        let (correct1, correct2) = (correct(self.beta1), correct(self.beta2));
        let [beta1, new1, new2] = [self.beta1, 1.0 - self.beta1, 1.0 - self.beta2].map(F::of);
        let [lr, eps] = [step.lr, self.eps].map(F::of);
        #[inline(always)]
        move |p, g, [m, v]| {
            let m = beta1 * m + new1 * g;
            let toward = if v > g * g { F::of(1.0) } else { F::of(-1.0) };
            let v = v - new2 * toward * g * g;
            (p - lr * (m * correct1) / ((v * correct2).sqrt() + eps), [m, v])
        }
    }
}

impl NamedRule for Yogi {
    const NAME: &'static str = "yogi";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("yogi", "beta1", self.beta1)?;
        invalid::fraction("yogi", "beta2", self.beta2)?;
        invalid::positive("yogi", "eps", self.eps)
    }

    fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
        run.update(self)
    }

    fn facts(&self) -> Facts<Self> {
        Facts {
            usual_rate: 0.01,
            needs_rate: true,
            average: None,
            stability: Some((2.0 + 2.0 * self.beta1) / (1.0 - self.beta1)),
            preconditioner: Some(|rule, steps, state| {
                let [left1, left2] = [rule.beta1, rule.beta2].map(|beta| 1.0 - beta.powf(steps as f64));
                left1 * ((state[1] / left2).sqrt() + rule.eps)
            }),
        }
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        Some(&mut self.beta1)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        None
    }
}

fn yogi() -> Rule {
    Rule::own(Yogi { beta1: 0.85, ..Yogi::default() })
}

/// The whole run: a group, clipping, decay, an average of the weights, a momentum that follows the rate.
fn trainer() -> Trainer {
    Trainer::new(Network::mlp([24]))
        .optimizer(yogi())
        .lr("one-cycle(0.02)".parse::<Schedule>().unwrap())
        .groups(["role(bias, lr=2)".parse().unwrap()])
        .regularization(Regularization {
            clip_norm: Some(0.5),
            weight_decay: 0.01,
            ..Regularization::default()
        })
        .ema(0.9)
        .epochs(8)
        .seed(3)
        .threads(2)
}

#[test]
fn it_trains_and_is_spelt() {
    let runs = runs("whole");
    let trained = trainer().fit_in(&runs, Some("run"), &Source::new("wine")).unwrap();
    assert!(trained.score() > 0.9, "{}", trained.score());
    assert!(trained.summary().optimizer.starts_with("yogi(beta1=0.85"), "{}", trained.summary().optimizer);
    let config = RunConfig::of(&RunFolder::open(&runs.join("run")).unwrap()).unwrap();
    assert_eq!(config.training.optimizer, yogi());
    // The same on one thread.
    let data = Source::new("wine").load(3).unwrap();
    assert_eq!(bits(&trainer().threads(1).fit(&data).unwrap()), bits(&trained));
    std::fs::remove_dir_all(&runs).unwrap();
}

#[test]
fn a_run_that_was_killed_is_resumed_to_the_same_bits() {
    let test = "a_run_that_was_killed_is_resumed_to_the_same_bits";
    killed_and_resumed(test, trainer, "wine", || Rule::register::<Yogi>().unwrap());
}

#[test]
fn it_is_one_pass_of_the_optimizer() {
    let mut layout = Layout::default();
    layout.push("weight", &[3, 2], Role::Weight);
    layout.push("bias", &[2], Role::Bias);
    let regularization = Regularization { clip_value: Some(0.5), l2: 0.1, ..Regularization::default() };
    let mut optimizer = Optimizer::<f64>::new(yogi(), regularization, &layout, false)
        .unwrap()
        .groups(&["role(bias, lr=3)".parse().unwrap()])
        .unwrap()
        .averaged(0.8)
        .unwrap();
    assert_eq!(optimizer.state().slots().len(), 3);
    let grads = [0.3, -0.2, 0.9, -0.7, 0.1, 0.4, 0.6, -0.5];
    let (mut params, mut by_hand) = ([0.5; 8], [0.5; 8]);
    let rule = Yogi { beta1: 0.85, ..Yogi::default() };
    let weights = rule.penalty(0.0, 0.1).clip_value(0.5);
    let (mut of_weights, mut of_biases) = (weights.state(6), rule.state(2));
    for index in 0..20 {
        optimizer.step(index, 0.01, &mut params, &grads);
        weights.step(Step::new(index, 0.01), &mut by_hand[..6], &grads[..6], &mut of_weights);
        let clipped = rule.clip_value(0.5);
        let step = Step { lr: 0.03, decay: 0.0, weights: false, ..Step::new(index, 0.01) };
        clipped.step(step, &mut by_hand[6..], &grads[6..], &mut of_biases);
        assert_eq!(params, by_hand);
    }
    let mut average = params;
    optimizer.evaluation(&params, &mut average);
    assert!(average.iter().zip(&params).all(|(a, p)| (a - p).abs() > 1e-4 && (a - p).abs() < 0.5));
    let bound = optimizer.stability(20).bound.unwrap();
    assert!((bound - 3.7 / 0.15).abs() < 1e-9, "{bound}");
}

/// A rule with another's name, or with one that cannot be spelt.
macro_rules! named {
    ($rule:ident, $name:literal) => {
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $rule {
            size: f64,
        }

        impl NamedRule for $rule {
            const NAME: &'static str = $name;

            fn check(&self) -> Result<(), Invalid> {
                invalid::positive($name, "size", self.size)
            }

            fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
                run.update(Sgd {})
            }

            fn facts(&self) -> Facts<Self> {
                Facts {
                    usual_rate: 1.0,
                    needs_rate: false,
                    average: None,
                    stability: None,
                    preconditioner: None,
                }
            }

            fn momentum_mut(&mut self) -> Option<&mut f64> {
                None
            }

            fn weight_decay_mut(&mut self) -> Option<&mut f64> {
                None
            }
        }
    };
}

#[test]
fn names_are_taken_once() {
    named!(First, "first");
    named!(Second, "first");
    named!(NotAdam, "adam");
    named!(Odd, "fi(r)st");
    let unknown = "first(2)".parse::<Rule>().unwrap_err();
    assert!(unknown.message().starts_with("`first` is not an optimizer"), "{unknown}");
    Rule::register::<First>().unwrap();
    assert_eq!("first(2)".parse(), Ok(Rule::own(First { size: 2.0 })));
    assert_eq!(Rule::own(First { size: 2.0 }).to_string(), "first(size=2.0)");
    for (rule, message) in [
        (Rule::own(Second { size: 1.0 }), "is that of a rule of another type"),
        (Rule::own(NotAdam { size: 1.0 }), "is that of a rule of Downhill's"),
        (Rule::own(Odd { size: 1.0 }), "must be made of small letters, digits and `-`"),
        (Rule::own(First { size: -1.0 }), "must be above 0, not -1"),
    ] {
        let error =
            Optimizer::<f32>::new(rule, Regularization::default(), &Layout::flat(1), false).unwrap_err();
        assert_eq!(error.message, message);
    }
    for (text, message) in [
        ("first", "the key `size` is missing: it has no default"),
        ("first(-1)", "`size` of `first` must be above 0, not -1"),
        ("first(2, 3)", "`first` takes at most 1 setting"),
        ("first(weight=1)", "unknown key `weight`; there is `size`"),
        ("first(big)", "expected a number"),
    ] {
        assert_eq!(text.parse::<Rule>().unwrap_err().message(), message, "{text}");
    }
    // Where there is no rate to look for, none is looked for.
    let data = Table::bundled("iris").unwrap().target("species").split(0.2, 7).unwrap();
    let trainer = Trainer::new(Network::mlp([4])).optimizer(Rule::own(First { size: 2.0 })).epochs(1);
    assert!(trainer.find_lr(&data).unwrap_err().to_string().contains("first has no learning rate to find"));
}
