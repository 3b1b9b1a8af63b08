//! A rule with all that goes around it, over every tensor of a model.

mod passes;
mod run;

use std::any::Any;

use bytemuck::{cast_slice, cast_slice_mut};
use downhill_core::{Float, Invalid, invalid, spec};

use crate::rule::{Erased, State};
use crate::{Average, Group, Layout, Lookahead, Regularization, Rule};

use passes::{Passes, Segment, StepArgs};
pub(crate) use run::{Job, Needs};
pub use run::{Ran, Run};

/// Moves all parameters of a model: clip, penalty, decay, rule and average in one pass over the flat buffers.
///
/// Penalties and decay apply to weights, not to biases, scales and shifts, unless a [`Group`] says otherwise.
/// Statistics stay as they are.
///
/// ```
/// use downhill_optim::{Adam, Layout, Optimizer, Regularization, Role};
///
/// let mut layout = Layout::default();
/// layout.push("weight", &[2, 2], Role::Weight);
/// layout.push("bias", &[2], Role::Bias);
/// let regularization = Regularization { clip_norm: Some(1.0), l2: 1e-4, ..Regularization::default() };
/// let mut optimizer = Optimizer::new(Adam::default(), regularization, &layout, false)?
///     .groups(&["role(bias, lr=2)".parse()?])?
///     .averaged(0.99)?;
///
/// let mut params = vec![0.5f32; layout.len()];
/// optimizer.step(0, 1e-3, &mut params, &[0.1; 6]);
/// let mut average = params.clone();
/// optimizer.evaluation(&params, &mut average); // what to evaluate and keep
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer<F> {
    rule: Rule,
    passes: Passes<F>,
    /// Whether the state is of a step that was made.
    has_stepped: bool,
}

/// How high a rate an optimizer bears, as it stands: on a loss with the Hessian H, it is stable while the
/// rate times the largest eigenvalue of S^½·(H + L)·S^½ is below a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// The bound: [`Rule::stability`]. None if none is known of the rule, or if it divides gradients by
    /// averages and has not begun them; then `scaling` is that of the groups alone.
    pub bound: Option<f64>,
    /// The diagonal of S, in the order of the parameters: the factor of the rate in the parameter's
    /// [`Group`], over the rule's [preconditioner](Rule::preconditioner).
    pub scaling: Vec<f64>,
    /// The diagonal of L: the curvature of the L2 penalty.
    pub penalty: Vec<f64>,
}

#[inline(never)]
fn make_single_step(optimizer: &mut Optimizer<f32>, args: StepArgs<'_, f32>) {
    optimizer.make_step(args, |own, run| own.run_single(run));
}

#[inline(never)]
fn make_double_step(optimizer: &mut Optimizer<f64>, args: StepArgs<'_, f64>) {
    optimizer.make_step(args, |own, run| own.run_double(run));
}

impl<F: Float> Optimizer<F> {
    /// An optimizer for the parameters of `layout`, before its first step.
    ///
    /// With `parallel`, large buffers are shared among the threads of the rayon pool in which
    /// [`Optimizer::step`] is called; the result is the same bit for bit.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, or does not go with the rule.
    pub fn new(
        rule: impl Into<Rule>,
        regularization: Regularization,
        layout: &Layout,
        parallel: bool,
    ) -> Result<Self, Invalid> {
        let rule = rule.into();
        rule.check()?;
        regularization.check()?;
        let needs = rule.needs();
        let passes = Passes::new(&needs, regularization, layout, parallel);
        let optimizer = Self { rule, passes, has_stepped: false };
        let own = "give its own weight-decay instead";
        for (key, is_given, instead) in [
            ("weight-decay", regularization.weight_decay > 0.0, own),
            ("independent-decay", regularization.independent_decay > 0.0, own),
            ("max-norm", regularization.max_norm.is_some(), "leave it out"),
        ] {
            if is_given {
                optimizer.averaging_rule_takes_no(key, instead)?;
            }
        }
        Ok(optimizer)
    }

    /// The same with other rates and decays for some tensors.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, or no tensor belongs to a group.
    pub fn groups(mut self, groups: &[Group]) -> Result<Self, Invalid> {
        for group in groups {
            group.check()?;
            group.check_among(self.passes.layout.tensors())?;
            let independent = group.factors().1.unwrap_or(1.0) * self.passes.regularization.independent_decay;
            invalid::fraction("training", "independent-decay", independent)?;
        }
        self.passes.divide(groups);
        Ok(self)
    }

    /// The same with an average of the weights, which moves by 1 − `decay` of the way at each step, and by
    /// more in the first steps; see [`Averaged`](crate::Averaged).
    ///
    /// # Errors
    ///
    /// If `decay` is not in [0, 1), or the rule averages by itself.
    pub fn averaged(mut self, decay: f64) -> Result<Self, Invalid> {
        invalid::fraction("training", "ema", decay)?;
        self.averaging_rule_takes_no("ema", "leave it out")?;
        self.passes.ema = Some(decay);
        self.passes.add_slots();
        Ok(self)
    }

    /// The same with slow weights that the others are drawn back to.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, or the rule averages by itself.
    pub fn lookahead(mut self, lookahead: Lookahead) -> Result<Self, Invalid> {
        lookahead.check()?;
        if lookahead != Lookahead::Off {
            self.averaging_rule_takes_no("lookahead", "leave it out")?;
        }
        self.passes.lookahead = lookahead;
        self.passes.add_slots();
        Ok(self)
    }

    fn averaging_rule_takes_no(&self, key: &'static str, instead: &str) -> Result<(), Invalid> {
        if !self.rule.averages_itself() {
            return Ok(());
        }
        let name = spec::name(&self.rule);
        Err(Invalid {
            owner: "training",
            key,
            message: format!("does not go with {name}, which averages; {instead}"),
        })
    }

    /// Sets μ or β₁, whichever the rule has, for the steps to come: a momentum that follows a schedule. A
    /// rule without is left as it is.
    ///
    /// # Panics
    ///
    /// If `momentum` is not in [0, 1).
    pub fn set_momentum(&mut self, momentum: f64) {
        assert!((0.0..1.0).contains(&momentum), "a momentum of {momentum} is not in [0, 1)");
        if let Some(place) = self.rule.momentum_mut() {
            // What a rule keeps of each parameter depends on whether it has a momentum, and must not change
            // on the way.
            *place = momentum.max(f64::MIN_POSITIVE);
        }
    }

    /// Makes step `index`, counted from 0, at the rate `lr`; allocates nothing.
    ///
    /// # Panics
    ///
    /// If the buffers are not as long as the layout.
    pub fn step(&mut self, index: u64, lr: f64, params: &mut [F], grads: &[F]) {
        // Both types are compiled in this crate: rules, loops and all would be compiled anew in every crate
        // that makes steps.
        let optimizer: &mut dyn Any = self;
        if let Some(optimizer) = optimizer.downcast_mut::<Optimizer<f32>>() {
            let (params, grads) = (cast_slice_mut(params), cast_slice(grads));
            make_single_step(optimizer, StepArgs { index, lr, params, grads });
        } else if let Some(optimizer) = optimizer.downcast_mut::<Optimizer<f64>>() {
            let (params, grads) = (cast_slice_mut(params), cast_slice(grads));
            make_double_step(optimizer, StepArgs { index, lr, params, grads });
        }
    }

    #[inline(always)]
    fn make_step(&mut self, mut args: StepArgs<'_, F>, own: impl FnOnce(&dyn Erased, Run<'_, F>) -> Ran) {
        self.passes.begin(&args);
        self.has_stepped = true;
        self.rule.run(Run(Job::Step(&mut self.passes, args.reborrow())), own);
        self.passes.end(&mut args);
    }

    /// The weights to evaluate and keep: the average if there is one, or the slow weights, or those that a
    /// rule averages by itself; otherwise, and before the first step, `params` as they are.
    ///
    /// # Panics
    ///
    /// If the buffers are not as long as the layout.
    pub fn evaluation(&self, params: &[F], out: &mut [F]) {
        assert_eq!(params.len(), self.passes.layout.len(), "as many parameters as in the layout");
        out.copy_from_slice(params);
        if !self.has_stepped {
            return;
        }
        let Passes { state, segments, rule_slots, .. } = &self.passes;
        match (self.rule.average(), state.slots.get(*rule_slots)) {
            (_, Some(other)) => {
                for Segment { range, .. } in segments {
                    out[range.clone()].copy_from_slice(&other[range.clone()]);
                }
            }
            (Some(Average { slot, share }), None) => {
                let share = F::of(share);
                out.iter_mut().zip(state.slots[slot].iter()).for_each(|(p, &s)| *p = *p + share * (s - *p));
            }
            (None, None) => {}
        }
    }

    /// Whether the weights to evaluate are others than those that train.
    pub fn has_evaluation(&self) -> bool {
        self.rule.averages_itself() || self.passes.state.slots.len() > self.passes.rule_slots
    }

    /// The state, for saving.
    pub fn state(&self) -> &State<F> {
        &self.passes.state
    }

    /// The state, for loading what was saved after a step.
    pub fn state_mut(&mut self) -> &mut State<F> {
        self.has_stepped = true;
        &mut self.passes.state
    }

    /// How high a rate the optimizer bears as it stands, after `steps` steps.
    pub fn stability(&self, steps: u64) -> Stability {
        let knows = steps > 0 || !self.rule.is_preconditioned();
        let bound = self.rule.stability().filter(|_| knows);
        let (mut scaling, mut penalty) =
            (vec![0.0; self.passes.layout.len()], vec![0.0; self.passes.layout.len()]);
        let mut state = vec![0.0; self.passes.rule_slots];
        for segment in &self.passes.segments {
            penalty[segment.range.clone()].fill(self.passes.regularization.l2 * segment.decay);
            for i in segment.range.clone() {
                state.iter_mut().zip(&self.passes.state.slots).for_each(|(x, slot)| *x = slot[i].f64());
                let divisor = bound.map_or(1.0, |_| self.rule.preconditioner(steps, &state));
                scaling[i] = segment.lr / divisor;
            }
        }
        Stability { bound, scaling, penalty }
    }
}
