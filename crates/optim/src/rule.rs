//! Update rules.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod adamw;
mod adan;
mod amsgrad;
mod lamb;
mod lars;
mod lion;
mod momentum;
mod muon;
mod nadam;
mod named;
mod nesterov;
mod own;
mod prodigy;
mod radam;
mod reduction;
mod rmsprop;
mod schedule_free;
mod sgd;
mod slots;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adamax::Adamax;
pub use adamw::AdamW;
pub use adan::Adan;
pub use amsgrad::AmsGrad;
pub use lamb::Lamb;
pub use lars::Lars;
pub use lion::Lion;
pub use momentum::{Form, Momentum};
pub(crate) use muon::Orthogonaliser;
pub use muon::{Muon, Scale};
pub use nadam::NAdam;
pub use named::{Average, Facts, NamedRule, Preconditioner};
pub use nesterov::Nesterov;
pub(crate) use own::Erased;
pub use own::OwnRule;
use own::RULES;
pub use prodigy::Prodigy;
pub use radam::RAdam;
pub(crate) use reduction::Finalized;
pub use reduction::{Memory, ReductionRule, Scope};
pub use rmsprop::RmsProp;
pub use schedule_free::{ScheduleFreeAdamW, ScheduleFreeSgd};
pub use sgd::Sgd;
pub use slots::Slots;

use std::fmt;

use serde::de::{EnumAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::drive::drive;
use crate::optimizer::{Job, Needs, Ran, Run};
use crate::transform::{Averaged, Clip, Decay, Penalty, Prepared};
use downhill_core::registry::Name;
use downhill_core::{Buffer, Float, Invalid};

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
/// Rules compose: `Adam::default().clip_value(1.0).decoupled_decay(0.01)` is again a rule, and still one pass
/// over memory.
pub trait UpdateRule: Copy + Send + Sync {
    /// What is remembered for each parameter: `[F; N]`, N numbers.
    type State<F: Float>: Slots<F>;

    /// The arithmetic of one step on one parameter; what does not depend on the parameter is worked out here,
    /// once.
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
        let mut initial = vec![0.0; Self::State::<F>::COUNT];
        self.initial::<F>().each(|slot, value| initial[slot] = value.f64());
        State::new(&initial, Memory::default(), len)
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

    /// Keeps an average of the parameters, the last of the state's slots, which moves by 1 − `decay` of the
    /// way, and by more in the first steps; see [`Averaged`].
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
    /// The state before the first step, each slot filled with its number.
    pub(crate) fn new(initial: &[f64], memory: Memory, len: usize) -> Self {
        let slot = |&value: &f64| {
            let mut slot = Buffer::zeros(len);
            if value != 0.0 {
                slot.fill(F::of(value));
            }
            slot
        };
        Self { slots: initial.iter().map(slot).collect(), memory }
    }

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

/// From the one list of rules: the enum, the names, and all that goes by them.
macro_rules! rules {
    ($($(#[doc = $doc:literal])* $rule:ident,)*) => {
        /// Every update rule by its name, for flags and files: `sgd`, `adam(beta1=0.8)`.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Rule {
            $($(#[doc = $doc])* $rule($rule),)*
            /// A rule of a type of your own; see [`Rule::own`].
            Own(OwnRule),
        }

        impl Rule {
            /// The names of all rules that come with Downhill, as specs begin with them.
            pub const NAMES: [&'static str; [$($rule::NAME),*].len()] = [$($rule::NAME),*];

            // Inlined into another crate, it would bring the tables of all rules along, and all loops with
            // them would be compiled anew there. So it is with `erased_mut`.
            #[inline(never)]
            fn erased(&self) -> &dyn Erased {
                match self {
                    $(Self::$rule(rule) => rule,)*
                    Self::Own(own) => own.erased(),
                }
            }

            #[inline(never)]
            fn erased_mut(&mut self) -> &mut dyn Erased {
                match self {
                    $(Self::$rule(rule) => rule,)*
                    Self::Own(own) => own.erased_mut(),
                }
            }

            /// Runs the rule's arithmetic; `own` runs one that is not of this crate on this type of numbers.
            #[inline(always)]
            pub(crate) fn run<F: Float>(
                &self,
                run: Run<'_, F>,
                own: impl FnOnce(&dyn Erased, Run<'_, F>) -> Ran,
            ) -> Ran {
                match self {
                    $(Self::$rule(rule) => rule.run(run),)*
                    Self::Own(rule) => own(rule.erased(), run),
                }
            }
        }

        $(impl From<$rule> for Rule {
            fn from(rule: $rule) -> Self {
                Self::$rule(rule)
            }
        })*

        impl<'de> Visitor<'de> for Named {
            type Value = Rule;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an optimizer")
            }

            fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Rule, A::Error> {
                let (name, settings) = access.variant_seed(&RULES)?;
                match name {
                    $(Name::BuiltIn($rule::NAME) => settings.newtype_variant().map(Rule::$rule),)*
                    Name::BuiltIn(name) => Err(serde::de::Error::unknown_variant(name, &Rule::NAMES)),
                    Name::Registered(own) => settings.newtype_variant_seed(own).map(Rule::Own),
                }
            }
        }
    };
}

rules! {
    /// Plain gradient descent.
    Sgd,
    /// Gradient descent with momentum.
    Momentum,
    /// Momentum that looks ahead.
    Nesterov,
    /// AdaGrad.
    Adagrad,
    /// RMSProp.
    RmsProp,
    /// Adadelta.
    Adadelta,
    /// Adam.
    Adam,
    /// Adam whose rates never rise again.
    AmsGrad,
    /// Adam with decoupled weight decay.
    AdamW,
    /// Adam that looks ahead.
    NAdam,
    /// Adam by the largest gradient.
    Adamax,
    /// Rectified Adam.
    RAdam,
    /// Lion.
    Lion,
    /// Momentum with a rate for each tensor.
    Lars,
    /// Adam with a rate for each tensor.
    Lamb,
    /// Orthogonal steps for matrices.
    Muon,
    /// Gradient descent that averages instead of a falling rate.
    ScheduleFreeSgd,
    /// AdamW that averages instead of a falling rate.
    ScheduleFreeAdamW,
    /// AdamW that finds its own rate.
    Prodigy,
    /// Adam with Nesterov's momentum, from how the gradient changes.
    Adan,
}

impl Rule {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        if let Self::Own(own) = self {
            own.erased().register()?;
        }
        self.erased().check()
    }

    /// What the arithmetic needs to run.
    pub(crate) fn needs(&self) -> Needs {
        let mut needs = Needs::default();
        self.run::<f64>(Run(Job::Describe(&mut needs)), |own, run| own.run_double(run));
        needs
    }

    /// Makes the state for `len` parameters.
    pub fn state<F: Float>(&self, len: usize) -> State<F> {
        let Needs { initial, memory, .. } = self.needs();
        State::new(&initial, memory, len)
    }

    /// The peak rate that usually suits the rule; see [`Facts::usual_rate`].
    pub fn usual_rate(&self) -> f64 {
        self.erased().usual_rate()
    }

    /// Whether there is a learning rate to look for; see [`Facts::needs_rate`].
    pub fn needs_rate(&self) -> bool {
        self.erased().needs_rate()
    }

    /// The average that the rule keeps of the parameters, if it keeps one: what to evaluate in their place.
    pub fn average(&self) -> Option<Average> {
        self.erased().average()
    }

    /// Whether the weights to evaluate are an average that the rule keeps.
    pub fn averages_itself(&self) -> bool {
        self.average().is_some()
    }

    /// μ or β₁, where the rule has one that may change on the way.
    pub fn momentum_mut(&mut self) -> Option<&mut f64> {
        self.erased_mut().momentum_mut()
    }

    /// The rule's own weight decay, if it has one.
    pub fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        self.erased_mut().weight_decay_mut()
    }

    /// The stability limit of the learning rate, if it is known; see [`Facts::stability`].
    pub fn stability(&self) -> Option<f64> {
        self.erased().stability()
    }

    /// Whether the rule divides the gradient of each parameter by a number of its own, which its state tells.
    pub fn is_preconditioned(&self) -> bool {
        self.erased().is_preconditioned()
    }

    /// What the rule divides the gradient of a parameter by, beside the rate, after `steps` steps, at least
    /// 1; `state` are the parameter's numbers, slot by slot. 1 unless the rule [is
    /// preconditioned](Self::is_preconditioned). See [`Facts::preconditioner`].
    ///
    /// # Panics
    ///
    /// If there are fewer numbers than the rule has slots.
    pub fn preconditioner(&self, steps: u64, state: &[f64]) -> f64 {
        self.erased().divisor(steps, state)
    }
}

impl Default for Rule {
    /// AdamW with its defaults.
    fn default() -> Self {
        Self::AdamW(AdamW::default())
    }
}

impl Serialize for Rule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rule = self.erased();
        let index = Self::NAMES.iter().position(|name| *name == rule.name()).unwrap_or(Self::NAMES.len());
        serializer.serialize_newtype_variant("Rule", index as u32, rule.name(), rule.settings())
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_enum("Rule", &Self::NAMES, Named)
    }
}

/// Reads a rule.
struct Named;

downhill_core::spec::spelled!(Rule, "an optimizer");
