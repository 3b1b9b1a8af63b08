//! Rules that need sums over whole tensors, or a memory of the run, before they can move a parameter.

use super::{Slots, State, Step, UpdateRule};
use crate::drive::{accumulate, drive};
use downhill_core::Float;

/// What a rule remembers of a whole run, or works out of a whole tensor, besides what it remembers of each
/// parameter.
pub type Memory = [f64; 4];

/// What the sums of a [`ReductionRule`] go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nothing is summed: the rule has a memory only.
    Nothing,
    /// Each tensor by itself.
    Tensor,
    /// All parameters.
    Model,
}

/// A rule in two passes: the first moves the state and adds up two numbers a parameter, from which
/// [`finalize`](ReductionRule::finalize) works out what the second, which moves the parameters, needs to
/// know.
pub trait ReductionRule: Copy + Send + Sync {
    /// What is remembered for each parameter.
    type State<F: Float>: Slots<F>;

    /// What the sums go over.
    const SCOPE: Scope;

    /// The memory before the first step; zeros unless the rule says otherwise.
    fn memory(self) -> Memory {
        Memory::default()
    }

    /// The first pass: the new state, and what is added up; nothing unless the rule says otherwise.
    #[allow(clippy::type_complexity)] // a closure has no shorter name
    fn accumulate<F: Float>(
        self,
        _: Step,
        _: Memory,
    ) -> impl Fn(F, F, Self::State<F>) -> (Self::State<F>, [F; 2]) + Copy + Send + Sync {
        #[inline(always)]
        |_, _, state| (state, [F::zero(); 2])
    }

    /// What follows from the sums.
    fn finalize(self, step: Step, sums: [f64; 2], memory: &mut Memory);

    /// The second pass: the arithmetic of one step on one parameter.
    fn at<F: Float>(
        self,
        step: Step,
        memory: Memory,
    ) -> impl Fn(F, F, Self::State<F>) -> (F, Self::State<F>) + Copy + Send + Sync;

    /// Makes the state for `len` parameters.
    fn state<F: Float>(self, len: usize) -> State<F> {
        State::new(&vec![0.0; Self::State::<F>::COUNT], self.memory(), len)
    }

    /// Moves `params`, as one tensor, one step against `grads`.
    ///
    /// # Panics
    ///
    /// If the lengths differ, or `state` was made by another rule or for another length.
    fn step<F: Float>(self, step: Step, params: &mut [F], grads: &[F], state: &mut State<F>) {
        state.assert_fits(Self::State::<F>::COUNT, params, grads);
        let (slots, memory) = (&mut state.slots, &mut state.memory);
        let mut sums = [0.0; 2];
        if Self::SCOPE != Scope::Nothing {
            let slices = Self::State::<F>::slices(slots, 0..params.len());
            sums = accumulate(self.accumulate(step, *memory), params, grads, slices, false);
        }
        self.finalize(step, sums, memory);
        let slices = Self::State::<F>::slices(slots, 0..params.len());
        drive(Finalized { rule: self, memory: *memory }.at(step), params, grads, slices, false);
    }
}

/// The second pass of a rule whose sums are known: arithmetic on one parameter, like any rule's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finalized<R> {
    pub rule: R,
    pub memory: Memory,
}

impl<R: ReductionRule> UpdateRule for Finalized<R> {
    type State<F: Float> = R::State<F>;

    fn at<F: Float>(self, step: Step) -> impl Fn(F, F, R::State<F>) -> (F, R::State<F>) + Copy + Send + Sync {
        self.rule.at(step, self.memory)
    }
}
