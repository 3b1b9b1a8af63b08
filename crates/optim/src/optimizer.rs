//! A rule with all that goes around it, over every tensor of a model.

use std::any::Any;
use std::ops::Range;

use bytemuck::{cast_slice, cast_slice_mut};

use crate::around::{Averaged, Before, Prepared, scale_to};
use crate::drive::{drive, measure, norm};
use crate::lookahead::{Back, Every};
use crate::rule::{Concluded, MeasuredRule, Muon, Orthogonaliser, Over, Slots, State, UpdateRule, with_rule};
use crate::{Group, Layout, Lookahead, Restraints, Role, Rule, Step, Tensor};
use downhill_core::Buffer;
use downhill_core::{Float, Invalid, invalid, spec};

/// Moves all parameters of a model: clip, penalty, decay, rule and average in one pass over the flat buffers.
///
/// Penalties and decay apply to weights, not to biases, scales and shifts, unless a [`Group`] says otherwise. Statistics
/// stay as they are.
///
/// ```
/// use downhill_optim::{Adam, Layout, Optimizer, Restraints, Role};
///
/// let mut layout = Layout::default();
/// layout.push("weight", &[2, 2], Role::Weight);
/// layout.push("bias", &[2], Role::Bias);
/// let restraints = Restraints { clip_norm: Some(1.0), l2: 1e-4, ..Restraints::default() };
/// let mut optimizer = Optimizer::new(Adam::default(), restraints, &layout, false)?
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
    restraints: Restraints,
    ema: Option<f64>,
    lookahead: Lookahead,
    layout: Layout,
    /// In the order of the buffer.
    stretches: Vec<Stretch>,
    /// What the gradients of each stretch are multiplied by in this step.
    scales: Vec<f64>,
    /// How many slots are the rule's own.
    rule_slots: usize,
    /// The rule's slots; behind them the average, if there is one, and the slow weights, if there are.
    state: State<F>,
    orthogonaliser: Option<Orthogonaliser<F>>,
    norms: Norms,
    /// Whether the state is of a step that was made.
    has_stepped: bool,
    parallel: bool,
}

/// How high a rate an optimizer bears, as it stands: on a loss with the Hessian H, it is stable while the rate times the
/// largest eigenvalue of S^½·(H + L)·S^½ is below a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Stability {
    /// The bound: [`Rule::stability`]. None if none is known of the rule, or if it divides gradients by averages and has
    /// not begun them; then `scaling` is that of the groups alone.
    pub bound: Option<f64>,
    /// The diagonal of S, in the order of the parameters: the factor of the rate in the parameter's [`Group`], over the
    /// rule's [preconditioner](Rule::preconditioner).
    pub scaling: Vec<f64>,
    /// The diagonal of L: the curvature of the L2 penalty.
    pub penalty: Vec<f64>,
}

/// Neighbours in the flat buffer that are treated alike.
#[derive(Clone, Debug, PartialEq)]
struct Stretch {
    range: Range<usize>,
    weights: bool,
    /// What the rate is multiplied by.
    lr: f64,
    /// What penalties and decay are multiplied by.
    decay: f64,
    /// Of a weight matrix: its inputs and outputs.
    matrix: Option<[usize; 2]>,
}

impl Stretch {
    fn step(&self, index: u64, lr: f64) -> Step {
        Step { index, lr: lr * self.lr, decay: self.decay, weights: self.weights }
    }
}

#[inline(never)]
fn make_single_step(optimizer: &mut Optimizer<f32>, moment: Moment<'_, f32>) {
    optimizer.make_step(moment);
}

#[inline(never)]
fn make_double_step(optimizer: &mut Optimizer<f64>, moment: Moment<'_, f64>) {
    optimizer.make_step(moment);
}

/// What a step is made of.
struct Moment<'a, F> {
    index: u64,
    lr: f64,
    params: &'a mut [F],
    grads: &'a [F],
}

impl<F: Float> Optimizer<F> {
    /// An optimizer for the parameters of `layout`, before its first step.
    ///
    /// With `parallel`, large buffers are shared among the threads of the rayon pool in which [`Optimizer::step`] is
    /// called; the result is the same bit for bit.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, or does not go with the rule.
    pub fn new(
        rule: impl Into<Rule>,
        restraints: Restraints,
        layout: &Layout,
        parallel: bool,
    ) -> Result<Self, Invalid> {
        let rule = rule.into();
        rule.check()?;
        restraints.check()?;
        let state = rule.state(layout.len());
        let mut optimizer = Self {
            rule,
            restraints,
            ema: None,
            lookahead: Lookahead::Off,
            layout: layout.clone(),
            stretches: Vec::new(),
            scales: Vec::new(),
            rule_slots: state.slots.len(),
            state,
            orthogonaliser: None,
            norms: Norms::default(),
            has_stepped: false,
            parallel,
        };
        optimizer.divide(&[]);
        let own = "give its own weight-decay instead";
        for (key, is_given, instead) in [
            ("weight-decay", restraints.weight_decay > 0.0, own),
            ("independent-decay", restraints.independent_decay > 0.0, own),
            ("max-norm", restraints.max_norm.is_some(), "leave it out"),
        ] {
            if is_given {
                optimizer.averaging_rule_takes_no(key, instead)?;
            }
        }
        if matches!(rule, Rule::Muon(_)) {
            let shapes = optimizer.stretches.iter().filter_map(|stretch| stretch.matrix);
            optimizer.orthogonaliser = Some(Orthogonaliser::new(shapes));
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
            group.check_among(self.layout.tensors())?;
            let independent = group.factors().1.unwrap_or(1.0) * self.restraints.independent_decay;
            invalid::fraction("training", "independent-decay", independent)?;
        }
        self.divide(groups);
        Ok(self)
    }

    /// The same with an average of the weights, which moves by 1 − `decay` of the way at each step, and by more in the
    /// first steps; see [`Averaged`].
    ///
    /// # Errors
    ///
    /// If `decay` is not in [0, 1), or the rule averages by itself.
    pub fn averaged(mut self, decay: f64) -> Result<Self, Invalid> {
        invalid::fraction("training", "ema", decay)?;
        self.averaging_rule_takes_no("ema", "leave it out")?;
        self.ema = Some(decay);
        self.add_slots();
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
        self.lookahead = lookahead;
        self.add_slots();
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

    /// Divides the buffer into stretches.
    fn divide(&mut self, groups: &[Group]) {
        let by_tensor = self.rule.sees_tensors() || self.restraints.clip_tensor_norm.is_some();
        self.stretches.clear();
        for tensor in self.layout.tensors().iter().filter(|tensor| tensor.role != Role::Statistic) {
            let weights = tensor.role == Role::Weight;
            let (lr, decay) = Group::factors_of(groups, tensor);
            let decay = decay.unwrap_or(if weights { 1.0 } else { 0.0 });
            // What has no rate is held still.
            let decay = if lr == 0.0 { 0.0 } else { decay };
            let matrix = match tensor.shape[..] {
                [inputs, outputs] if weights && by_tensor && inputs > 1 && outputs > 1 => {
                    Some([inputs, outputs])
                }
                _ => None,
            };
            let stretch = Stretch { range: tensor.range(), weights, lr, decay, matrix };
            let alike = |last: &&mut Stretch| {
                let treatment = |s: &Stretch| (s.weights, s.lr, s.decay);
                !by_tensor && last.range.end == tensor.offset && treatment(last) == treatment(&stretch)
            };
            match self.stretches.last_mut().filter(alike) {
                Some(last) => last.range.end = stretch.range.end,
                None => self.stretches.push(stretch),
            }
        }
        self.scales = vec![1.0; self.stretches.len()];
        self.norms = Norms::default();
        if let Some(max) = self.restraints.max_norm {
            let weights = self.layout.tensors().iter().filter(|tensor| tensor.role == Role::Weight);
            let tensors: Vec<_> = weights
                .filter(|tensor| Group::factors_of(groups, tensor).0 > 0.0)
                .map(|tensor| (tensor.range(), units(tensor)))
                .collect();
            let room = vec![0.0; tensors.iter().map(|tensor| tensor.1).max().unwrap_or(0)];
            self.norms = Norms { max, tensors, room };
        }
    }

    /// Makes room for the average and the slow weights.
    fn add_slots(&mut self) {
        let extra = usize::from(self.ema.is_some()) + usize::from(self.lookahead != Lookahead::Off);
        self.state.slots.resize(self.rule_slots + extra, Buffer::zeros(self.layout.len()));
    }

    /// Sets μ or β₁, whichever the rule has, for the steps to come: a momentum that follows a schedule. A rule without is
    /// left as it is.
    ///
    /// # Panics
    ///
    /// If `momentum` is not in [0, 1).
    pub fn set_momentum(&mut self, momentum: f64) {
        assert!((0.0..1.0).contains(&momentum), "a momentum of {momentum} is not in [0, 1)");
        if let Some(place) = self.rule.momentum_mut() {
            // What a rule keeps of each parameter depends on whether it has a momentum, and must not change on the way.
            *place = momentum.max(f64::MIN_POSITIVE);
        }
    }

    /// Makes step `index`, counted from 0, at the rate `lr`; allocates nothing.
    ///
    /// # Panics
    ///
    /// If the buffers are not as long as the layout.
    pub fn step(&mut self, index: u64, lr: f64, params: &mut [F], grads: &[F]) {
        // Both types are compiled in this crate: rules, loops and all would be compiled anew in every crate that makes steps.
        let optimizer: &mut dyn Any = self;
        if let Some(optimizer) = optimizer.downcast_mut::<Optimizer<f32>>() {
            let (params, grads) = (cast_slice_mut(params), cast_slice(grads));
            make_single_step(optimizer, Moment { index, lr, params, grads });
        } else if let Some(optimizer) = optimizer.downcast_mut::<Optimizer<f64>>() {
            let (params, grads) = (cast_slice_mut(params), cast_slice(grads));
            make_double_step(optimizer, Moment { index, lr, params, grads });
        }
    }

    #[inline(always)]
    fn make_step(&mut self, moment: Moment<'_, F>) {
        let Moment { index, lr, params, grads } = moment;
        assert_eq!(params.len(), self.layout.len(), "as many parameters as in the layout");
        assert_eq!(grads.len(), self.layout.len(), "as many gradients as parameters");
        let slow = self.rule_slots + usize::from(self.ema.is_some());
        if index == 0 && self.lookahead != Lookahead::Off {
            self.state.slots[slow].copy_from_slice(params);
            self.norms.limit(&mut self.state.slots[slow]);
        }
        self.has_stepped = true;
        self.scale(grads);
        let mut moment = Moment { index, lr, params, grads };
        let all = 0..self.stretches.len();
        with_rule!(self.rule,
            each rule => self.pass(rule, all, &mut moment),
            measured rule => self.measured(rule, &mut moment),
            muon => self.muon(muon, &mut moment)
        );
        self.norms.limit(moment.params);
        if let Lookahead::Every(Every { steps, alpha }) = self.lookahead
            && (index + 1).is_multiple_of(steps)
        {
            self.run(slow, |_| Back { alpha }, 0..self.stretches.len(), &mut moment);
        }
        if let (Some(decay), false) = (self.ema, self.averages_in_pass()) {
            let average = self.rule_slots;
            self.run(average, |_| Averaged { rule: Still, decay }, 0..self.stretches.len(), &mut moment);
        }
    }

    /// The weights to evaluate and keep: the average if there is one, or the slow weights, or those that a rule averages
    /// by itself; otherwise, and before the first step, `params` as they are.
    ///
    /// # Panics
    ///
    /// If the buffers are not as long as the layout.
    pub fn evaluation(&self, params: &[F], out: &mut [F]) {
        assert_eq!(params.len(), self.layout.len(), "as many parameters as in the layout");
        out.copy_from_slice(params);
        if !self.has_stepped {
            return;
        }
        let slots = &self.state.slots;
        match (self.rule, slots.get(self.rule_slots)) {
            (_, Some(other)) => {
                for Stretch { range, .. } in &self.stretches {
                    out[range.clone()].copy_from_slice(&other[range.clone()]);
                }
            }
            (Rule::ScheduleFreeSgd(rule), _) => {
                let evaluation = rule.evaluation();
                out.iter_mut().zip(slots[0].iter()).for_each(|(p, &z)| *p = evaluation(*p, [z]));
            }
            (Rule::ScheduleFreeAdamW(rule), _) => {
                let evaluation = rule.evaluation();
                out.iter_mut().zip(slots[0].iter()).for_each(|(p, &z)| *p = evaluation(*p, [z, F::zero()]));
            }
            _ => {}
        }
    }

    /// Whether the weights to evaluate are others than those that train.
    pub fn has_evaluation(&self) -> bool {
        self.rule.averages_itself() || self.state.slots.len() > self.rule_slots
    }

    /// The state, for saving.
    pub fn state(&self) -> &State<F> {
        &self.state
    }

    /// The state, for loading what was saved after a step.
    pub fn state_mut(&mut self) -> &mut State<F> {
        self.has_stepped = true;
        &mut self.state
    }

    /// How high a rate the optimizer bears as it stands, after `steps` steps.
    pub fn stability(&self, steps: u64) -> Stability {
        let knows = steps > 0 || !self.rule.is_preconditioned();
        let bound = self.rule.stability().filter(|_| knows);
        let (mut scaling, mut penalty) = (vec![0.0; self.layout.len()], vec![0.0; self.layout.len()]);
        let mut state = vec![0.0; self.rule_slots];
        for stretch in &self.stretches {
            penalty[stretch.range.clone()].fill(self.restraints.l2 * stretch.decay);
            for i in stretch.range.clone() {
                state.iter_mut().zip(&self.state.slots).for_each(|(x, slot)| *x = slot[i].f64());
                let divisor = bound.map_or(1.0, |_| self.rule.preconditioner(steps, &state));
                scaling[i] = stretch.lr / divisor;
            }
        }
        Stability { bound, scaling, penalty }
    }

    /// Works out what the gradients are multiplied by.
    fn scale(&mut self, grads: &[F]) {
        let Restraints { clip_norm, clip_tensor_norm, .. } = self.restraints;
        if let Some(max) = clip_norm {
            self.scales.fill(scale_to(max, norm(grads, self.parallel)));
        }
        if let Some(max) = clip_tensor_norm {
            for (scale, stretch) in self.scales.iter_mut().zip(&self.stretches) {
                *scale = scale_to(max, norm(&grads[stretch.range.clone()], self.parallel));
            }
        }
    }

    /// Whether the average can be taken in the rule's pass: nothing moves the weights after it.
    fn averages_in_pass(&self) -> bool {
        self.restraints.max_norm.is_none() && self.lookahead == Lookahead::Off
    }

    /// The last pass of a rule over some stretches, with what comes before and after it.
    fn pass<R: UpdateRule>(&mut self, rule: R, stretches: Range<usize>, moment: &mut Moment<'_, F>) {
        // What is not asked for is left out of the pass, not run with neutral values.
        if self.restraints.is_before() {
            let restraints = self.restraints;
            self.last_pass(
                move |scale| Prepared { before: restraints.before(scale), rule },
                stretches,
                moment,
            );
        } else {
            self.last_pass(|_| rule, stretches, moment);
        }
    }

    fn last_pass<R: UpdateRule>(
        &mut self,
        make: impl Fn(f64) -> R,
        stretches: Range<usize>,
        moment: &mut Moment<'_, F>,
    ) {
        match self.ema.filter(|_| self.averages_in_pass()) {
            Some(decay) => self.run(0, |scale| Averaged { rule: make(scale), decay }, stretches, moment),
            None => self.run(0, make, stretches, moment),
        }
    }

    /// Runs a rule that is made for the scale of each stretch, its state beginning at a slot.
    fn run<R: UpdateRule>(
        &mut self,
        slot: usize,
        make: impl Fn(f64) -> R,
        stretches: Range<usize>,
        moment: &mut Moment<'_, F>,
    ) {
        for (stretch, &scale) in self.stretches[stretches.clone()].iter().zip(&self.scales[stretches]) {
            let range = stretch.range.clone();
            let update = make(scale).at::<F>(stretch.step(moment.index, moment.lr));
            let state = R::State::<F>::slices(&mut self.state.slots[slot..], range.clone());
            drive(update, &mut moment.params[range.clone()], &moment.grads[range], state, self.parallel);
        }
    }

    fn measured<R: MeasuredRule>(&mut self, rule: R, moment: &mut Moment<'_, F>) {
        let whole = Step::new(moment.index, moment.lr);
        let mut memory = self.state.memory;
        let all = 0..self.stretches.len();
        match R::OVER {
            Over::Nothing => {
                rule.conclude(whole, [0.0; 2], &mut memory);
                self.pass(Concluded { rule, memory }, all, moment);
            }
            Over::Model => {
                let mut sums = [0.0; 2];
                for stretch in all.clone() {
                    let [a, b] = self.sums(rule, stretch, moment);
                    sums = [sums[0] + a, sums[1] + b];
                }
                rule.conclude(whole, sums, &mut memory);
                self.pass(Concluded { rule, memory }, all, moment);
            }
            Over::Tensor => {
                for stretch in all {
                    let sums = self.sums(rule, stretch, moment);
                    rule.conclude(self.stretches[stretch].step(moment.index, moment.lr), sums, &mut memory);
                    self.pass(Concluded { rule, memory }, stretch..stretch + 1, moment);
                }
            }
        }
        self.state.memory = memory;
    }

    /// The first pass of a rule over a stretch.
    fn sums<R: MeasuredRule>(&mut self, rule: R, stretch: usize, moment: &Moment<'_, F>) -> [f64; 2] {
        if self.restraints.is_before() {
            self.sums_after(self.restraints.before(self.scales[stretch]), rule, stretch, moment)
        } else {
            self.sums_after((), rule, stretch, moment)
        }
    }

    fn sums_after<R: MeasuredRule>(
        &mut self,
        before: impl Before,
        rule: R,
        stretch: usize,
        moment: &Moment<'_, F>,
    ) -> [f64; 2] {
        let stretch = &self.stretches[stretch];
        let (step, range) = (stretch.step(moment.index, moment.lr), stretch.range.clone());
        let (before, term) = (before.at::<F>(step), rule.measure::<F>(step, self.state.memory));
        let state = R::State::<F>::slices(&mut self.state.slots, range.clone());
        measure(
            #[inline(always)]
            move |p, g, state| {
                let (p, g) = before(p, g);
                term(p, g, state)
            },
            &moment.params[range.clone()],
            &moment.grads[range],
            state,
            self.parallel,
        )
    }

    fn muon(&mut self, muon: Muon, moment: &mut Moment<'_, F>) {
        for index in 0..self.stretches.len() {
            let one = index..index + 1;
            let Some(shape) = self.stretches[index].matrix else {
                self.pass(muon.elsewhere(), one, moment);
                continue;
            };
            let restraints = self.restraints;
            let gather = |scale| Prepared { before: restraints.before(scale), rule: muon.gather() };
            self.run(0, gather, one.clone(), moment);
            let range = self.stretches[index].range.clone();
            if let Some(orthogonaliser) = &mut self.orthogonaliser {
                orthogonaliser.run(&mut self.state.slots[1][range], shape, self.parallel);
            }
            self.last_pass(|_| muon.descend(shape), one, moment);
        }
    }
}

/// The largest norm of the weights into a unit.
#[derive(Clone, Debug, Default)]
struct Norms {
    max: f64,
    /// Where the weights lie that it is for, and how many units they lead into.
    tensors: Vec<(Range<usize>, usize)>,
    /// For the norms of the units of one tensor.
    room: Vec<f64>,
}

impl Norms {
    /// Scales the weights into each unit down to it.
    fn limit<F: Float>(&mut self, params: &mut [F]) {
        for (range, units) in &self.tensors {
            let weights = &mut params[range.clone()];
            let norms = &mut self.room[..*units];
            norms.fill(0.0);
            for row in weights.chunks_exact(*units) {
                norms.iter_mut().zip(row).for_each(|(norm, w)| *norm += w.f64() * w.f64());
            }
            norms.iter_mut().for_each(|norm| *norm = scale_to(self.max, norm.sqrt()));
            for row in weights.chunks_exact_mut(*units) {
                row.iter_mut().zip(&*norms).for_each(|(w, &scale)| *w *= F::of(scale));
            }
        }
    }
}

/// The units that a weight tensor leads into: the columns of a matrix.
fn units(tensor: &Tensor) -> usize {
    if let [_, rest @ ..] = &tensor.shape[..] { rest.iter().product::<usize>().max(1) } else { 1 }
}

/// A rule that moves nothing.
#[derive(Clone, Copy)]
struct Still;

impl UpdateRule for Still {
    type State<F: Float> = [F; 0];

    fn at<F: Float>(self, _: Step) -> impl Fn(F, F, [F; 0]) -> (F, [F; 0]) + Copy + Send + Sync {
        #[inline(always)]
        |p, _, state| (p, state)
    }
}
