//! Update rules: arithmetic on one parameter, driven over whole slices.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod amsgrad;
mod lion;
mod momentum;
mod nadam;
mod nesterov;
mod radam;
mod rmsprop;
mod sgd;
mod slots;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use amsgrad::AmsGrad;
pub use lion::Lion;
pub use momentum::{Form, Momentum};
pub use nadam::NAdam;
pub use nesterov::Nesterov;
pub use radam::RAdam;
pub use rmsprop::RmsProp;
pub(crate) use rmsprop::Trimmed;
pub use sgd::Sgd;
pub use slots::Slots;

use serde::{Deserialize, Serialize};

use crate::around::{ClipValue, DecoupledDecay, Penalty};
use crate::simd::vectorised;
use crate::{Float, Invalid};

/// When and how far: what a rule is told about the step it is about to make.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The number of steps made before this one.
    pub index: u64,
    /// The learning rate of this step.
    pub lr: f64,
    /// Whether these parameters are penalised and decayed: weights are, biases and normalisation are not.
    pub decay: bool,
}

impl Step {
    /// Step `index`, counted from 0, at the rate `lr`.
    pub fn new(index: u64, lr: f64) -> Self {
        Self { index, lr, decay: true }
    }

    /// What decoupled weight decay of `decay` multiplies these parameters by.
    pub(crate) fn keep(self, decay: f64) -> f64 {
        if self.decay { 1.0 - self.lr * decay } else { 1.0 }
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
        let mut slots = vec![Vec::with_capacity(len); Self::State::<F>::COUNT];
        self.initial::<F>().each(|slot, value| slots[slot].resize(len, value));
        State { slots }
    }

    /// Moves `params` one step against `grads`.
    ///
    /// # Panics
    ///
    /// If the lengths differ, or `state` was made by another rule or for another length.
    fn step<F: Float>(self, step: Step, params: &mut [F], grads: &[F], state: &mut State<F>) {
        let len = params.len();
        assert_eq!(grads.len(), len, "as many gradients as parameters");
        assert_eq!(state.slots.len(), Self::State::<F>::COUNT, "a state made by this rule");
        assert!(state.slots.iter().all(|slot| slot.len() == len), "a state made for these parameters");
        let slices = Self::State::<F>::slices(&mut state.slots, 0..len);
        drive(self.at(step), params, grads, slices, false);
    }

    /// Limits each gradient to ±`limit`.
    fn clip_value(self, limit: f64) -> ClipValue<Self> {
        ClipValue { rule: self, scale: 1.0, limit }
    }

    /// Adds the gradient of `l1`·|p| + `l2`/2·p² to each gradient.
    fn penalty(self, l1: f64, l2: f64) -> Penalty<Self> {
        Penalty { rule: self, l1, l2 }
    }

    /// Shrinks each parameter by the share `lr`·`decay` besides the rule's own step.
    fn decoupled_decay(self, decay: f64) -> DecoupledDecay<Self> {
        DecoupledDecay { rule: self, decay }
    }
}

/// What a rule remembers of its parameters: one buffer a slot, each as long as the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct State<F> {
    pub(crate) slots: Vec<Vec<F>>,
}

impl<F> State<F> {
    /// The buffers, for saving.
    pub fn slots(&self) -> &[Vec<F>] {
        &self.slots
    }

    /// The buffers, for loading what was saved; their lengths must stay.
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut [F]> {
        self.slots.iter_mut().map(Vec::as_mut_slice)
    }
}

/// Below this length a second thread costs more than it saves.
const SPLIT: usize = 1 << 15;

/// Runs one step's arithmetic over slices: one pass over memory, vectorised, on several threads if `parallel`.
pub(crate) fn drive<F: Float, S: Slots<F>>(
    update: impl Fn(F, F, S) -> (F, S) + Copy + Send + Sync,
    params: &mut [F],
    grads: &[F],
    state: S::Slices<'_>,
    parallel: bool,
) {
    if parallel && params.len() >= 2 * SPLIT {
        let mid = (params.len() / 2).next_multiple_of(64);
        let (p0, p1) = params.split_at_mut(mid);
        let (g0, g1) = grads.split_at(mid);
        let (s0, s1) = S::split_at(state, mid);
        rayon::join(|| drive(update, p0, g0, s0, true), || drive(update, p1, g1, s1, true));
        return;
    }
    vectorised(
        #[inline(always)]
        move || {
            // Owned here, so that no store can reach the slices themselves: else they are loaded anew for every
            // parameter, and there is no vector code.
            let mut state = state;
            let grads = &grads[..params.len()];
            S::assert_len(&state, params.len());
            for i in 0..params.len() {
                let (p, s) = update(params[i], grads[i], S::get(&state, i));
                params[i] = p;
                s.put(&mut state, i);
            }
        },
    );
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
}

/// Runs `$body` with `$rule` bound to the rule inside a [`Rule`], whichever it is, as lean as its settings let it be.
macro_rules! with_rule {
    ($value:expr, $rule:ident => $body:expr) => {
        match $value {
            $crate::Rule::Sgd($rule) => $body,
            $crate::Rule::Momentum($rule) => $body,
            $crate::Rule::Nesterov($rule) => $body,
            $crate::Rule::Adagrad($rule) => $body,
            $crate::Rule::RmsProp(rule) => match (rule.centered, rule.momentum > 0.0) {
                (false, false) => {
                    let $rule = $crate::rule::Trimmed::<false, false, 1>(rule);
                    $body
                }
                (true, false) => {
                    let $rule = $crate::rule::Trimmed::<true, false, 2>(rule);
                    $body
                }
                (false, true) => {
                    let $rule = $crate::rule::Trimmed::<false, true, 2>(rule);
                    $body
                }
                (true, true) => {
                    let $rule = rule;
                    $body
                }
            },
            $crate::Rule::Adadelta($rule) => $body,
            $crate::Rule::Adam($rule) => $body,
            $crate::Rule::AmsGrad($rule) => $body,
            $crate::Rule::AdamW($rule) => $body,
            $crate::Rule::NAdam($rule) => $body,
            $crate::Rule::Adamax($rule) => $body,
            $crate::Rule::RAdam($rule) => $body,
            $crate::Rule::Lion($rule) => $body,
        }
    };
}
pub(crate) use with_rule;

impl Rule {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        with_rule!(*self, rule => rule.check())
    }

    /// Makes the state for `len` parameters.
    pub fn state<F: Float>(&self, len: usize) -> State<F> {
        with_rule!(*self, rule => rule.state(len))
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
    Sgd, Momentum, Nesterov, Adagrad, RmsProp, Adadelta, Adam, AmsGrad, AdamW, NAdam, Adamax, RAdam, Lion
);
crate::spec::spelled!(Rule, "an optimizer");
