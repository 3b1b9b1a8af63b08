//! The passes over memory of which a step is made.

use std::ops::Range;

use downhill_core::{Buffer, Float};

use super::Needs;
use crate::drive::{accumulate, drive, norm};
use crate::lookahead::{Back, Every};
use crate::rule::{Finalized, Muon, Orthogonaliser, ReductionRule, Scope, Slots, State, UpdateRule};
use crate::transform::{Averaged, Before, Prepared, scale_to};
use crate::{Group, Layout, Lookahead, Regularization, Role, Step, Tensor};

/// All of an optimizer but its rule: what goes around that, over every tensor.
#[derive(Clone, Debug)]
pub struct Passes<F> {
    pub regularization: Regularization,
    pub ema: Option<f64>,
    pub lookahead: Lookahead,
    pub layout: Layout,
    /// In the order of the buffer.
    pub segments: Vec<Segment>,
    /// What the gradients of each segment are multiplied by in this step.
    scales: Vec<f64>,
    /// How many slots are the rule's own.
    pub rule_slots: usize,
    /// The rule's slots; behind them the average, if there is one, and the slow weights, if there are.
    pub state: State<F>,
    /// Whether the rule treats each tensor by itself.
    by_tensor: bool,
    orthogonaliser: Option<Orthogonaliser<F>>,
    norms: Norms,
    parallel: bool,
}

/// Neighbours in the flat buffer that are treated alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    pub range: Range<usize>,
    weights: bool,
    /// What the rate is multiplied by.
    pub lr: f64,
    /// What penalties and decay are multiplied by.
    pub decay: f64,
    /// Of a weight matrix: its inputs and outputs.
    matrix: Option<[usize; 2]>,
}

impl Segment {
    fn step(&self, index: u64, lr: f64) -> Step {
        Step { index, lr: lr * self.lr, decay: self.decay, weights: self.weights }
    }
}

/// What a step is made of.
pub struct StepArgs<'a, F> {
    pub index: u64,
    pub lr: f64,
    pub params: &'a mut [F],
    pub grads: &'a [F],
}

impl<F> StepArgs<'_, F> {
    /// The same, for a while.
    pub fn reborrow(&mut self) -> StepArgs<'_, F> {
        StepArgs { index: self.index, lr: self.lr, params: &mut *self.params, grads: self.grads }
    }
}

impl<F: Float> Passes<F> {
    /// Those of a rule, before its first step.
    pub fn new(needs: &Needs, regularization: Regularization, layout: &Layout, parallel: bool) -> Self {
        let mut passes = Self {
            regularization,
            ema: None,
            lookahead: Lookahead::Off,
            layout: layout.clone(),
            segments: Vec::new(),
            scales: Vec::new(),
            rule_slots: needs.initial.len(),
            state: State::new(&needs.initial, needs.memory, layout.len()),
            by_tensor: needs.by_tensor,
            orthogonaliser: None,
            norms: Norms::default(),
            parallel,
        };
        passes.divide(&[]);
        if needs.orthogonalises {
            let shapes = passes.segments.iter().filter_map(|segment| segment.matrix);
            passes.orthogonaliser = Some(Orthogonaliser::new(shapes));
        }
        passes
    }

    /// Divides the buffer into segments.
    pub fn divide(&mut self, groups: &[Group]) {
        let by_tensor = self.by_tensor || self.regularization.clip_tensor_norm.is_some();
        self.segments.clear();
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
            let segment = Segment { range: tensor.range(), weights, lr, decay, matrix };
            let alike = |last: &&mut Segment| {
                let treatment = |s: &Segment| (s.weights, s.lr, s.decay);
                !by_tensor && last.range.end == tensor.offset && treatment(last) == treatment(&segment)
            };
            match self.segments.last_mut().filter(alike) {
                Some(last) => last.range.end = segment.range.end,
                None => self.segments.push(segment),
            }
        }
        self.scales = vec![1.0; self.segments.len()];
        self.norms = Norms::default();
        if let Some(max) = self.regularization.max_norm {
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
    pub fn add_slots(&mut self) {
        let extra = usize::from(self.ema.is_some()) + usize::from(self.lookahead != Lookahead::Off);
        self.state.slots.resize(self.rule_slots + extra, Buffer::zeros(self.layout.len()));
    }

    /// What comes before the rule.
    ///
    /// # Panics
    ///
    /// If the buffers are not as long as the layout.
    pub fn begin(&mut self, args: &StepArgs<'_, F>) {
        let StepArgs { index, params, grads, .. } = args;
        assert_eq!(params.len(), self.layout.len(), "as many parameters as in the layout");
        assert_eq!(grads.len(), self.layout.len(), "as many gradients as parameters");
        if *index == 0 && self.lookahead != Lookahead::Off {
            let slow = self.slow();
            self.state.slots[slow].copy_from_slice(params);
            self.norms.limit(&mut self.state.slots[slow]);
        }
        self.scale(grads);
    }

    /// What comes after the rule.
    pub fn end(&mut self, args: &mut StepArgs<'_, F>) {
        self.norms.limit(args.params);
        if let Lookahead::Every(Every { steps, alpha }) = self.lookahead
            && (args.index + 1).is_multiple_of(steps)
        {
            self.run(self.slow(), |_| Back { alpha }, 0..self.segments.len(), args);
        }
        if let (Some(decay), false) = (self.ema, self.averages_in_pass()) {
            let average = self.rule_slots;
            self.run(average, |_| Averaged { rule: Still, decay }, 0..self.segments.len(), args);
        }
    }

    /// The slot of the slow weights.
    fn slow(&self) -> usize {
        self.rule_slots + usize::from(self.ema.is_some())
    }

    /// Makes a step of a rule of one pass.
    pub fn update<R: UpdateRule>(&mut self, rule: R, args: &mut StepArgs<'_, F>) {
        self.pass(rule, 0..self.segments.len(), args);
    }

    /// Works out what the gradients are multiplied by.
    fn scale(&mut self, grads: &[F]) {
        let Regularization { clip_norm, clip_tensor_norm, .. } = self.regularization;
        if let Some(max) = clip_norm {
            self.scales.fill(scale_to(max, norm(grads, self.parallel)));
        }
        if let Some(max) = clip_tensor_norm {
            for (scale, segment) in self.scales.iter_mut().zip(&self.segments) {
                *scale = scale_to(max, norm(&grads[segment.range.clone()], self.parallel));
            }
        }
    }

    /// Whether the average can be taken in the rule's pass: nothing moves the weights after it.
    fn averages_in_pass(&self) -> bool {
        self.regularization.max_norm.is_none() && self.lookahead == Lookahead::Off
    }

    /// The last pass of a rule over some segments, with what comes before and after it.
    fn pass<R: UpdateRule>(&mut self, rule: R, segments: Range<usize>, args: &mut StepArgs<'_, F>) {
        // What is not asked for is left out of the pass, not run with neutral values.
        if self.regularization.is_before() {
            let regularization = self.regularization;
            self.last_pass(
                move |scale| Prepared { before: regularization.before(scale), rule },
                segments,
                args,
            );
        } else {
            self.last_pass(|_| rule, segments, args);
        }
    }

    fn last_pass<R: UpdateRule>(
        &mut self,
        make: impl Fn(f64) -> R,
        segments: Range<usize>,
        args: &mut StepArgs<'_, F>,
    ) {
        match self.ema.filter(|_| self.averages_in_pass()) {
            Some(decay) => self.run(0, |scale| Averaged { rule: make(scale), decay }, segments, args),
            None => self.run(0, make, segments, args),
        }
    }

    /// Runs a rule that is made for the scale of each segment, its state beginning at a slot.
    fn run<R: UpdateRule>(
        &mut self,
        slot: usize,
        make: impl Fn(f64) -> R,
        segments: Range<usize>,
        args: &mut StepArgs<'_, F>,
    ) {
        for (segment, &scale) in self.segments[segments.clone()].iter().zip(&self.scales[segments]) {
            let range = segment.range.clone();
            let update = make(scale).at::<F>(segment.step(args.index, args.lr));
            let state = R::State::<F>::slices(&mut self.state.slots[slot..], range.clone());
            drive(update, &mut args.params[range.clone()], &args.grads[range], state, self.parallel);
        }
    }

    /// Makes a step of a rule of two passes.
    pub fn reduction<R: ReductionRule>(&mut self, rule: R, args: &mut StepArgs<'_, F>) {
        let whole = Step::new(args.index, args.lr);
        let mut memory = self.state.memory;
        let all = 0..self.segments.len();
        match R::SCOPE {
            Scope::Nothing => {
                rule.finalize(whole, [0.0; 2], &mut memory);
                self.pass(Finalized { rule, memory }, all, args);
            }
            Scope::Model => {
                let mut sums = [0.0; 2];
                for segment in all.clone() {
                    let [a, b] = self.sums(rule, segment, args);
                    sums = [sums[0] + a, sums[1] + b];
                }
                rule.finalize(whole, sums, &mut memory);
                self.pass(Finalized { rule, memory }, all, args);
            }
            Scope::Tensor => {
                for segment in all {
                    let sums = self.sums(rule, segment, args);
                    rule.finalize(self.segments[segment].step(args.index, args.lr), sums, &mut memory);
                    self.pass(Finalized { rule, memory }, segment..segment + 1, args);
                }
            }
        }
        self.state.memory = memory;
    }

    /// The first pass of a rule over a segment.
    fn sums<R: ReductionRule>(&mut self, rule: R, segment: usize, args: &StepArgs<'_, F>) -> [f64; 2] {
        if self.regularization.is_before() {
            self.sums_after(self.regularization.before(self.scales[segment]), rule, segment, args)
        } else {
            self.sums_after((), rule, segment, args)
        }
    }

    fn sums_after<R: ReductionRule>(
        &mut self,
        before: impl Before,
        rule: R,
        segment: usize,
        args: &StepArgs<'_, F>,
    ) -> [f64; 2] {
        let segment = &self.segments[segment];
        let (step, range) = (segment.step(args.index, args.lr), segment.range.clone());
        let (before, term) = (before.at::<F>(step), rule.accumulate::<F>(step, self.state.memory));
        let state = R::State::<F>::slices(&mut self.state.slots, range.clone());
        accumulate(
            #[inline(always)]
            move |p, g, state| {
                let (p, g) = before(p, g);
                term(p, g, state)
            },
            &args.params[range.clone()],
            &args.grads[range],
            state,
            self.parallel,
        )
    }

    /// Makes a step of Muon.
    pub fn muon(&mut self, muon: Muon, args: &mut StepArgs<'_, F>) {
        for index in 0..self.segments.len() {
            let one = index..index + 1;
            let Some(shape) = self.segments[index].matrix else {
                self.pass(muon.elsewhere(), one, args);
                continue;
            };
            let regularization = self.regularization;
            let gather = |scale| Prepared { before: regularization.before(scale), rule: muon.gather() };
            self.run(0, gather, one.clone(), args);
            let range = self.segments[index].range.clone();
            if let Some(orthogonaliser) = &mut self.orthogonaliser {
                orthogonaliser.run(&mut self.state.slots[1][range], shape, self.parallel);
            }
            self.last_pass(|_| muon.descend(shape), one, args);
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
