//! A rule with all that goes around it, over every tensor of a model.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::rule::{Rule, Slots, State, Step, UpdateRule, drive, with_rule};
use crate::{ClipValue, Float, Invalid, Layout, Role, clip_norm_scale, invalid};

/// What holds weights and gradients back, around whichever rule moves the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Restraints {
    /// Added to the gradient of each weight: `l1`·sign(p). Default 0.
    pub l1: f64,
    /// Added to the gradient of each weight: `l2`·p. Default 0.
    pub l2: f64,
    /// Decoupled weight decay, besides the rule's own. Default 0.
    pub weight_decay: f64,
    /// Gradients are scaled down together to this Euclidean norm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Then each is limited to ± this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
}

impl Restraints {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        invalid::not_negative("training", "l1", self.l1)?;
        invalid::not_negative("training", "l2", self.l2)?;
        invalid::not_negative("training", "weight-decay", self.weight_decay)?;
        self.clip_norm.map_or(Ok(()), |max| invalid::positive("training", "clip-norm", max))?;
        self.clip_value.map_or(Ok(()), |max| invalid::positive("training", "clip-value", max))
    }
}

/// Moves all parameters of a model: clip, penalty, decay and rule in one pass over the flat buffers.
///
/// Penalties and decay apply to weights, not to biases, scales and shifts. Statistics stay as they are.
///
/// ```
/// use downhill_optim::{Adam, Layout, Optimizer, Restraints, Role};
///
/// let mut layout = Layout::default();
/// layout.push("weight", &[2, 2], Role::Weight);
/// layout.push("bias", &[2], Role::Bias);
/// let restraints = Restraints { clip_norm: Some(1.0), l2: 1e-4, ..Restraints::default() };
/// let mut optimizer = Optimizer::new(Adam::default(), restraints, &layout, false)?;
///
/// let mut params = vec![0.5f32; layout.len()];
/// optimizer.step(0, 1e-3, &mut params, &[0.1; 6]);
/// # Ok::<(), downhill_optim::Invalid>(())
/// ```
#[derive(Clone, Debug)]
pub struct Optimizer<F> {
    rule: Rule,
    restraints: Restraints,
    /// Stretches of the flat buffer that are treated alike, and whether they are decayed.
    stretches: Vec<(Range<usize>, bool)>,
    /// How many parameters there are.
    len: usize,
    state: State<F>,
    parallel: bool,
}

impl<F: Float> Optimizer<F> {
    /// An optimizer for the parameters of `layout`, before its first step.
    ///
    /// With `parallel`, large buffers are shared among the threads of the rayon pool in which [`Optimizer::step`] is
    /// called; the result is the same bit for bit.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range.
    pub fn new(
        rule: impl Into<Rule>,
        restraints: Restraints,
        layout: &Layout,
        parallel: bool,
    ) -> Result<Self, Invalid> {
        let rule = rule.into();
        rule.check()?;
        restraints.check()?;
        let mut stretches: Vec<(Range<usize>, bool)> = Vec::new();
        for tensor in layout.tensors().iter().filter(|tensor| tensor.role != Role::Statistic) {
            let decay = tensor.role == Role::Weight;
            match stretches.last_mut() {
                Some((range, same)) if *same == decay && range.end == tensor.offset => {
                    range.end = tensor.range().end;
                }
                _ => stretches.push((tensor.range(), decay)),
            }
        }
        let len = layout.len();
        Ok(Self { rule, restraints, stretches, len, state: rule.state(len), parallel })
    }

    /// Makes step `index`, counted from 0, at the rate `lr`; allocates nothing.
    ///
    /// # Panics
    ///
    /// If the buffers are not as long as the layout.
    pub fn step(&mut self, index: u64, lr: f64, params: &mut [F], grads: &[F]) {
        assert_eq!(params.len(), self.len, "as many parameters as in the layout");
        assert_eq!(grads.len(), self.len, "as many gradients as parameters");
        let Restraints { l1, l2, weight_decay, clip_norm, clip_value } = self.restraints;
        let scale = clip_norm.map_or(1.0, |max| clip_norm_scale(grads, max));
        let clips = clip_norm.is_some() || clip_value.is_some();
        let limit = clip_value.unwrap_or(f64::INFINITY);
        // What is not asked for is left out of the pass, not run with neutral values.
        with_rule!(self.rule, rule => {
            if clips || l1 > 0.0 || l2 > 0.0 {
                let rule = rule.decoupled_decay(weight_decay).penalty(l1, l2);
                self.pass(ClipValue { rule, scale, limit }, index, lr, params, grads);
            } else if weight_decay > 0.0 {
                self.pass(rule.decoupled_decay(weight_decay), index, lr, params, grads);
            } else {
                self.pass(rule, index, lr, params, grads);
            }
        });
    }

    fn pass<R: UpdateRule>(&mut self, rule: R, index: u64, lr: f64, params: &mut [F], grads: &[F]) {
        for (range, decay) in &self.stretches {
            let update = rule.at::<F>(Step { index, lr, decay: *decay });
            let state = R::State::<F>::slices(&mut self.state.slots, range.clone());
            drive(update, &mut params[range.clone()], &grads[range.clone()], state, self.parallel);
        }
    }

    /// The state, for saving.
    pub fn state(&self) -> &State<F> {
        &self.state
    }

    /// The state, for loading what was saved.
    pub fn state_mut(&mut self) -> &mut State<F> {
        &mut self.state
    }
}
