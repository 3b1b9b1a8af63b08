//! Update rules.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod lamb;
mod lars;
mod lion;
mod measured;
mod momentum;
mod muon;
mod nadam;
mod nesterov;
mod prodigy;
mod radam;
mod rmsprop;
mod schedule_free;
mod sgd;
mod slots;
mod stability;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use amsgrad::AmsGrad;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub(crate) use measured::Concluded;
pub use measured::{MeasuredRule, Memory, Over};
pub use momentum::{Form, Momentum};
pub(crate) use muon::Orthogonaliser;
pub use muon::{Muon, Scale};
pub use nadam::NAdam;
pub use nesterov::Nesterov;
pub use prodigy::Prodigy;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub(crate) use rmsprop::Trimmed;
pub use schedule_free::{ScheduleFreeAdamW, ScheduleFreeSgd};
pub use sgd::Sgd;
pub use slots::Slots;

use serde::{Deserialize, Serialize};

use crate::around::{Averaged, Clip, Decay, Penalty, Prepared};
use crate::drive::drive;
use downhill_core::Buffer;
use downhill_core::{Float, Invalid};

/// When and how far: what a rule is told about the step it is about to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The number of steps made before this one.
    pub index: u64,
    /// The learning rate of this step.
    pub lr: f64,
    /// What penalties and decay are multiplied by: 1 for weights, 0 for biases and normalisation.
    pub decay: f64,
    /// Whether these are weights, to which [`Lars`] and [`Lamb`] adapt the rate.
    pub weights: bool,
}

impl Step {
    /// Step `index` of weights, counted from 0, at the rate `lr`.
    pub fn new(index: u64, lr: f64) -> Self {
        Self { index, lr, decay: 1.0, weights: true }
    }

    /// What decoupled weight decay of `decay` multiplies these parameters by.
    pub(crate) fn keep(self, decay: f64) -> f64 {
        1.0 - self.decay * self.lr * decay
    }
}

/// An update rule: a function from (parameter, gradient, state) to the new parameter and state.
///
/// Rules compose: `Adam::default().clip_value(1.0).decoupled_decay(0.01)` is again a rule, and still one pass over
/// memory.
pub trait UpdateRule: Copy + Send + Sync {
    /// What is remembered for each parameter: `[F; N]`, N numbers.
    type State<F: Float>: Slots<F>;

    /// The arithmetic of one step on one parameter; what does not depend on the parameter is worked out here, once.
    ///
    /// The closure should be marked `#[inline(always)]`, so that the loop around it becomes vector code.
    fn at<F: Float>(
        self,
        step: Step,
    ) -> impl Fn(F, F, Self::State<F>) -> (F, Self::State<F>) + Copy + Send + Sync;

    /// The state before the first step; zeros unless the rule says otherwise.
    fn initial<F: Float>(self) -> Self::State<F> {
        Self::State::filled(F::zero())
    }

    /// Makes the state for `len` parameters.
    fn state<F: Float>(self, len: usize) -> State<F> {
        let mut slots = vec![Buffer::zeros(len); Self::State::<F>::COUNT];
        self.initial::<F>().each(|slot, value| {
            if value != F::zero() {
                slots[slot].fill(value);
            }
        });
        State { slots, memory: Memory::default() }
    }

    /// Moves `params` one step against `grads`.
    ///
    /// # Panics
    ///
    /// If the lengths differ, or `state` was made by another rule or for another length.
    fn step<F: Float>(self, step: Step, params: &mut [F], grads: &[F], state: &mut State<F>) {
        state.assert_fits(Self::State::<F>::COUNT, params, grads);
        let slices = Self::State::<F>::slices(&mut state.slots, 0..params.len());
        drive(self.at(step), params, grads, slices, false);
    }

    /// Limits each gradient to ±`limit`.
    fn clip_value(self, limit: f64) -> Prepared<Clip, Self> {
        Prepared { before: Clip { scale: 1.0, limit }, rule: self }
    }

    /// Adds the gradient of `l1`·|p| + `l2`/2·p² to each gradient.
    fn penalty(self, l1: f64, l2: f64) -> Prepared<Penalty, Self> {
        Prepared { before: Penalty { l1, l2 }, rule: self }
    }

    /// Shrinks each parameter by the share `lr`·`decay` besides the rule's own step.
    fn decoupled_decay(self, decay: f64) -> Prepared<Decay, Self> {
        Prepared { before: Decay { decay, independent: 0.0 }, rule: self }
    }

    /// Keeps an average of the parameters, the last of the state's slots, which moves by 1 − `decay` of the way, and by
    /// more in the first steps; see [`Averaged`].
    fn averaged(self, decay: f64) -> Averaged<Self> {
        Averaged { rule: self, decay }
    }
}

/// What a rule remembers: one buffer a slot, each as long as the parameters, and a few numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct State<F> {
    pub(crate) slots: Vec<Buffer<F>>,
    pub(crate) memory: Memory,
}

impl<F: Float> State<F> {
    fn assert_fits(&self, slots: usize, params: &[F], grads: &[F]) {
        let len = params.len();
        assert_eq!(grads.len(), len, "as many gradients as parameters");
        assert_eq!(self.slots.len(), slots, "a state made by this rule");
        assert!(self.slots.iter().all(|slot| slot.len() == len), "a state made for these parameters");
    }

    /// The numbers that are not of one parameter, for saving.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// Sets the numbers that are not of one parameter, to what was saved.
    pub fn set_memory(&mut self, memory: Memory) {
        self.memory = memory;
    }

    /// The buffers, for saving.
    pub fn slots(&self) -> &[Buffer<F>] {
        &self.slots
    }

    /// The buffers, for loading what was saved; their lengths must stay.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut [F]> {
        self.slots.iter_mut().map(|slot| &mut **slot)
    }
}

/// Every update rule by its name, for flags and files: `sgd`, `adam(beta1=0.8)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Plain gradient descent.
    Sgd(Sgd),
    /// Gradient descent with momentum.
    Momentum(Momentum),
    /// Momentum that looks ahead.
    Nesterov(Nesterov),
    /// AdaGrad.
    Adagrad(Adagrad),
    /// RMSProp.
    #[serde(rename = "rmsprop")]
    RmsProp(RmsProp),
    /// Adadelta.
    Adadelta(Adadelta),
    /// Adam.
    Adam(Adam),
    /// Adam whose rates never rise again.
    #[serde(rename = "amsgrad")]
    AmsGrad(AmsGrad),
    /// Adam with decoupled weight decay.
    #[serde(rename = "adamw")]
    AdamW(AdamW),
    /// Adam that looks ahead.
    #[serde(rename = "nadam")]
    NAdam(NAdam),
    /// Adam by the largest gradient.
    Adamax(Adamax),
    /// Rectified Adam.
    #[serde(rename = "radam")]
    RAdam(RAdam),
    /// Lion.
    Lion(Lion),
    /// Momentum with a rate for each tensor.
    Lars(Lars),
    /// Adam with a rate for each tensor.
    Lamb(Lamb),
    /// Orthogonal steps for matrices.
    Muon(Muon),
    /// Gradient descent that averages instead of a falling rate.
    ScheduleFreeSgd(ScheduleFreeSgd),
    /// AdamW that averages instead of a falling rate.
    #[serde(rename = "schedule-free-adamw")]
    ScheduleFreeAdamW(ScheduleFreeAdamW),
    /// AdamW that finds its own rate.
    Prodigy(Prodigy),
}

/// Runs the first body with the rule inside a [`Rule`] if it is one of [`UpdateRule`], as lean as its settings let it be,
/// the second if it is a [`MeasuredRule`], and the third if it is [`Muon`].
macro_rules! with_rule {
    ($value:expr, each $rule:ident => $each:expr, measured $measured:ident => $whole:expr, $muon:ident => $matrix:expr) => {
        match $value {
            $crate::Rule::Sgd($rule) => $each,
            $crate::Rule::Momentum($rule) => $each,
            $crate::Rule::Nesterov($rule) => $each,
            $crate::Rule::Adagrad($rule) => $each,
            $crate::Rule::RmsProp(rule) => match (rule.centered, rule.momentum > 0.0) {
                (false, false) => {
                    let $rule = $crate::rule::Trimmed::<false, false, 1>(rule);
                    $each
                }
                (true, false) => {
                    let $rule = $crate::rule::Trimmed::<true, false, 2>(rule);
                    $each
                }
                (false, true) => {
                    let $rule = $crate::rule::Trimmed::<false, true, 2>(rule);
                    $each
                }
                (true, true) => {
                    let $rule = rule;
                    $each
                }
            },
            $crate::Rule::Adadelta($rule) => $each,
            $crate::Rule::Adam($rule) => $each,
            $crate::Rule::AmsGrad($rule) => $each,
            $crate::Rule::AdamW($rule) => $each,
            $crate::Rule::NAdam($rule) => $each,
            $crate::Rule::Adamax($rule) => $each,
            $crate::Rule::RAdam($rule) => $each,
            $crate::Rule::Lion($rule) => $each,
            $crate::Rule::Lars($measured) => $whole,
            $crate::Rule::Lamb($measured) => $whole,
            $crate::Rule::ScheduleFreeSgd($measured) => $whole,
            $crate::Rule::ScheduleFreeAdamW($measured) => $whole,
            $crate::Rule::Prodigy($measured) => $whole,
            $crate::Rule::Muon($muon) => $matrix,
        }
    };
}
pub(crate) use with_rule;

impl Rule {
    /// The names of all rules, as specs begin with them.
    pub const NAMES: [&'static str; 19] = [
        "sgd",
        "momentum",
        "nesterov",
        "adagrad",
        "rmsprop",
        "adadelta",
        "adam",
        "amsgrad",
        "adamw",
        "nadam",
        "adamax",
        "radam",
        "lion",
        "lars",
        "lamb",
        "muon",
        "schedule-free-sgd",
        "schedule-free-adamw",
        "prodigy",
    ];

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        with_rule!(*self, each rule => rule.check(), measured rule => rule.check(), rule => rule.check())
    }

    /// Makes the state for `len` parameters.
    pub fn state<F: Float>(&self, len: usize) -> State<F> {
        with_rule!(*self,
            each rule => rule.state(len),
            measured rule => rule.state(len),
            muon => muon.elsewhere().state(len)
        )
    }

    /// Whether what a parameter does depends on the tensor it is of.
    pub(crate) fn sees_tensors(&self) -> bool {
        matches!(self, Self::Lars(_) | Self::Lamb(_) | Self::Muon(_))
    }

    /// Whether the weights to evaluate are an average that the rule keeps.
    pub fn averages_itself(&self) -> bool {
        matches!(self, Self::ScheduleFreeSgd(_) | Self::ScheduleFreeAdamW(_))
    }

    /// μ or β₁, where the rule has one that may change on the way.
    pub fn momentum_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::Momentum(rule) => Some(&mut rule.momentum),
            Self::Nesterov(rule) => Some(&mut rule.momentum),
            // Without momentum it has no room to begin one.
            Self::RmsProp(rule) => Some(&mut rule.momentum).filter(|momentum| **momentum > 0.0),
            Self::Adam(rule) => Some(&mut rule.beta1),
            Self::AmsGrad(rule) => Some(&mut rule.beta1),
            Self::AdamW(rule) => Some(&mut rule.beta1),
            Self::Adamax(rule) => Some(&mut rule.beta1),
            Self::RAdam(rule) => Some(&mut rule.beta1),
            Self::Lion(rule) => Some(&mut rule.beta1),
            Self::Lars(rule) => Some(&mut rule.momentum),
            Self::Lamb(rule) => Some(&mut rule.beta1),
            Self::Muon(rule) => Some(&mut rule.momentum),
            // NAdam has a schedule of its own, and the averages of the last three depend on it.
            Self::NAdam(_) | Self::ScheduleFreeSgd(_) | Self::ScheduleFreeAdamW(_) | Self::Prodigy(_) => None,
            Self::Sgd(_) | Self::Adagrad(_) | Self::Adadelta(_) => None,
        }
    }

    /// The rule's own weight decay, if it has one.
    pub fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::AdamW(rule) => Some(&mut rule.weight_decay),
            Self::Lion(rule) => Some(&mut rule.weight_decay),
            Self::Lars(rule) => Some(&mut rule.weight_decay),
            Self::Lamb(rule) => Some(&mut rule.weight_decay),
            Self::Muon(rule) => Some(&mut rule.weight_decay),
            Self::ScheduleFreeSgd(rule) => Some(&mut rule.weight_decay),
            Self::ScheduleFreeAdamW(rule) => Some(&mut rule.weight_decay),
            Self::Prodigy(rule) => Some(&mut rule.weight_decay),
            _ => None,
        }
    }
}

impl Default for Rule {
    /// AdamW with its defaults.
    fn default() -> Self {
        Self::AdamW(AdamW::default())
    }
}

macro_rules! from_rule {
    ($($rule:ident),*) => {
        $(impl From<$rule> for Rule {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        })*
    };
}
from_rule!(
    Sgd,
    Momentum,
    Nesterov,
    Adagrad,
    RmsProp,
    Adadelta,
    Adam,
    AmsGrad,
    AdamW,
    NAdam,
    Adamax,
    RAdam,
    Lion,
    Lars,
    Lamb,
    Muon,
    ScheduleFreeSgd,
    ScheduleFreeAdamW,
    Prodigy
);
downhill_core::spec::spelled!(Rule, "an optimizer");
