//! What an optimizer asks of a rule's arithmetic.

use downhill_core::Float;

use super::passes::{Passes, StepArgs};
use crate::rule::{Memory, Muon, ReductionRule, Scope, Slots, UpdateRule};

/// What a rule's arithmetic is wanted for: [`NamedRule::run`](crate::NamedRule::run) hands it over by the
/// method of its kind.
#[must_use = "a rule that hands over nothing moves nothing"]
pub struct Run<'a, F>(pub(crate) Job<'a, F>);

/// That a rule's arithmetic was handed over.
pub struct Ran(());

pub(crate) enum Job<'a, F> {
    /// Say what it needs.
    Describe(&'a mut Needs),
    /// Make a step.
    Step(&'a mut Passes<F>, StepArgs<'a, F>),
}

/// What a rule's arithmetic needs to run.
#[derive(Default)]
pub(crate) struct Needs {
    /// The number that each slot is filled with before the first step.
    pub initial: Vec<f64>,
    pub memory: Memory,
    /// Whether what a parameter does depends on the tensor it is of.
    pub by_tensor: bool,
    pub orthogonalises: bool,
}

impl<F: Float> Run<'_, F> {
    /// The arithmetic of a rule that makes its step in one pass.
    #[inline(always)]
    pub fn update<R: UpdateRule>(self, rule: R) -> Ran {
        match self.0 {
            Job::Describe(needs) => needs.initial = initial(rule),
            Job::Step(passes, mut args) => passes.update(rule, &mut args),
        }
        Ran(())
    }

    /// The arithmetic of a rule that needs sums, or a memory, before it can move a parameter.
    #[inline(always)]
    pub fn reduction<R: ReductionRule>(self, rule: R) -> Ran {
        match self.0 {
            Job::Describe(needs) => {
                needs.initial = vec![0.0; R::State::<f64>::COUNT];
                needs.memory = rule.memory();
                needs.by_tensor = R::SCOPE == Scope::Tensor;
            }
            Job::Step(passes, mut args) => passes.reduction(rule, &mut args),
        }
        Ran(())
    }

    /// Muon's, which is one for matrices and another for all else.
    #[inline(always)]
    pub(crate) fn muon(self, muon: Muon) -> Ran {
        match self.0 {
            Job::Describe(needs) => {
                needs.initial = initial(muon.elsewhere());
                needs.by_tensor = true;
                needs.orthogonalises = true;
            }
            Job::Step(passes, mut args) => passes.muon(muon, &mut args),
        }
        Ran(())
    }
}

fn initial<R: UpdateRule>(rule: R) -> Vec<f64> {
    let mut initial = vec![0.0; R::State::<f64>::COUNT];
    rule.initial::<f64>().each(|slot, value| initial[slot] = value);
    initial
}
