//! How signals travel through a network before it is trained, by how its weights begin.

use downhill_core::random::{Purpose, stream};
use downhill_nn::{Activation, Dense, LayerSpec, Model, Trace, Workspace};
use downhill_optim::{Init, Normal};
use serde::{Deserialize, Serialize};

use crate::Error;

/// A plain network of dense layers, each with the activation behind it, and the rows it is looked at with.
///
/// There are no biases, as in the papers on initialisation: what is seen is the weights' doing.
#[derive(Clone, Debug, PartialEq)]
pub struct Setup {
    /// The numbers of units. The rows are as wide as the first layer.
    pub layers: Vec<usize>,
    /// The activation behind every layer.
    pub activation: Activation,
    /// How the weights begin.
    pub init: Init,
    /// The number of rows; their values are standard normal.
    pub rows: usize,
    /// What weights, rows and gradients are a function of.
    pub seed: u64,
}

/// What becomes of rows on their way through a network, and of gradients on their way back: standard normal ones, that
/// come to the outputs of the last layer.
///
/// ```
/// use downhill_train::{Propagation, Setup, Verdict};
///
/// let setup = |init: &str| Setup {
///     layers: vec![100; 5],
///     activation: "sigmoid".parse().unwrap(),
///     init: init.parse().unwrap(),
///     rows: 200,
///     seed: 0,
/// };
/// assert_eq!(Propagation::of(&setup("normal(1)"))?.verdict, Verdict::Saturated);
/// assert_eq!(Propagation::of(&setup("glorot-normal"))?.verdict, Verdict::Healthy);
/// # Ok::<(), downhill_train::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Propagation {
    /// From the first layer to the last.
    pub layers: Vec<LayerSignals>,
    /// Saturated, exploding or vanishing, the first of these that a layer is; else healthy.
    pub verdict: Verdict,
}

/// What one layer puts out, and what comes back to it. What is beyond the numbers there are is NaN or infinite.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerSignals {
    /// Counted from 1.
    pub layer: usize,
    /// The number of units.
    pub units: usize,
    /// The mean of the activations, over all rows and units.
    pub mean: f64,
    /// Their standard deviation, over all rows and units.
    pub std: f64,
    /// How much the rows differ: the standard deviation of a unit over the rows, its mean square over the units. What is
    /// the same for every row tells the next layers nothing.
    pub signal: f64,
    /// The share of activations within 2.6% of the range from a bound, where the slope is less than a tenth of the
    /// steepest; none if the activation is not bounded on both sides, as sigmoid and tanh are.
    pub saturated: Option<f64>,
    /// The share of units that have a slope of zero on every row: no gradient passes them.
    pub dead: f64,
    /// The standard deviation of the gradients that come to the activations.
    pub gradient_std: f64,
    /// What is wrong with the layer, if anything is.
    pub verdict: Verdict,
    /// The activations.
    pub histogram: Bins,
    /// The gradients.
    pub gradient_histogram: Bins,
}

/// How a layer or a network begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// None of the others.
    Healthy,
    /// The signal is less than a thousandth of the first layer's, or the gradient less than a thousandth of the last's.
    ///
    /// How fast weights learn goes with the product of the signal in front of them and the gradient behind them. Learning
    /// rates are looked for from 1e-4 to 1e-1: layers that are further apart than these three decades have no rate that
    /// suits both.
    Vanishing,
    /// The signal is more than a hundred times the first layer's, or the gradient more than a hundred times the last's, or
    /// one of them is no finite number.
    ///
    /// Less is borne than on the way down: an output that is a hundred times too large is a loss that is at least as much
    /// too large from the first step on, and so is its gradient.
    Exploding,
    /// More than half of the activations are saturated: most of what comes back is cut to less than a tenth.
    Saturated,
}

/// How many values lie between two numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// Where the bins begin and end, evenly spaced: one more than there are bins. In a [`Propagation`] the same in every
    /// layer. A value on an edge belongs to the bin above it, and one on the last edge to the last bin.
    pub edges: Vec<f64>,
    /// How many values each bin has.
    pub counts: Vec<u64>,
    /// How many values are exactly 0, as half of ReLU's are.
    pub zeros: u64,
}

/// What has shrunk to less than one part in so many has vanished.
const VANISHED: f64 = 1000.0;

/// What has grown to more than so many times has exploded.
const EXPLODED: f64 = 100.0;

/// The share of the range between the bounds of sigmoid or tanh, at either end, where the slope is below a tenth of the
/// steepest: (1 − √0.9)/2. The two are one function up to scale.
const FLAT: f64 = 0.025_658_350_974_743_1;

/// More saturated activations than this and a layer is saturated.
const MOSTLY: f64 = 0.5;

const BINS: usize = 40;

/// More bytes than this are taken for a mistake.
const MOST_BYTES: u128 = 1 << 30;

impl Setup {
    /// Fails if the network would take more memory than can be meant, or an initialiser does not go with it.
    fn check(&self) -> Result<(), Error> {
        let mismatch = |message: String| Err(Error::Mismatch(message));
        self.activation.check()?;
        self.init.check()?;
        if self.layers.is_empty() || self.layers.contains(&0) || self.rows == 0 {
            return mismatch(
                "a network is looked at with at least one layer, one unit in each, and one row".into(),
            );
        }
        let widths = || self.layers.iter().map(|&units| units as u128);
        let weights: u128 = widths()
            .take(1)
            .chain(widths())
            .zip(widths())
            .map(|(n_in, n_out)| n_in * n_out)
            .fold(0, u128::saturating_add);
        // The weights, their gradient in up to eight shards; outputs, slopes and gradients twice, and the rows.
        let units: u128 = widths().sum();
        let numbers = weights.saturating_mul(9).saturating_add((7 * self.rows as u128).saturating_mul(units));
        if numbers > MOST_BYTES / 8 {
            return mismatch(format!(
                "{} layers with {weights} weights, looked at with {} rows, take {:.1} GB of memory, more than the 1 GB \
                 there is for it; take fewer or smaller layers, or fewer rows",
                self.layers.len(),
                self.rows,
                numbers as f64 * 8e-9
            ));
        }
        if let (Init::Identity, Some(pair)) =
            (self.init, self.layers.windows(2).find(|pair| pair[0] != pair[1]))
        {
            return mismatch(format!(
                "identity passes every input on to the output of its number, and there is a layer of {} inputs and {} \
                 outputs; give layers of one size",
                pair[0], pair[1]
            ));
        }
        Ok(())
    }

    fn network(&self) -> Vec<LayerSpec> {
        let dense = |&units: &usize| Dense { init: self.init, bias: false, ..Dense::new(units) }.into();
        self.layers.iter().flat_map(|units| [dense(units), self.activation.into()]).collect()
    }

    /// Standard normal numbers; `index` tells apart what they are for.
    fn normal(&self, width: usize, index: u64) -> Vec<f64> {
        let mut values = vec![0.0; self.rows * width];
        let mut rng = stream(self.seed, Purpose::Probe, index);
        Init::Normal(Normal { std: 1.0 }).fill(&mut values, width, self.rows, &mut rng);
        values
    }
}

impl Propagation {
    /// Sends rows forward and gradients back, in double precision and with the passes that training uses.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range, the initialiser does not go with the layers, or all of it would take more than
    /// a gigabyte of memory.
    pub fn of(setup: &Setup) -> Result<Self, Error> {
        setup.check()?;
        let (inputs, outputs) = (setup.layers[0], setup.layers[setup.layers.len() - 1]);
        let mut model = Model::<f64>::build(&setup.network(), inputs, setup.seed)?;
        let (x, dy) = (setup.normal(inputs, 0), setup.normal(outputs, 1));
        if model.needs_calibration() {
            model.calibrate(&x)?;
        }
        let mut workspace = Workspace::new(&model, setup.rows, false).tracing();
        workspace.backpropagate(&mut model, &x, &dy, setup.seed, 0)?;
        let traces = workspace.trace(&model)?;
        drop(workspace);

        let layers = signals(&traces, setup.activation.bounds());
        let any = |verdict: &Verdict| layers.iter().any(|layer| layer.verdict == *verdict);
        let wrong = [Verdict::Saturated, Verdict::Exploding, Verdict::Vanishing].into_iter().find(any);
        Ok(Self { layers, verdict: wrong.unwrap_or(Verdict::Healthy) })
    }
}

/// What layers did that all have an activation with these bounds, and what is wrong with each.
pub(crate) fn signals(traces: &[Trace<f64>], bounds: Option<(f64, f64)>) -> Vec<LayerSignals> {
    let range =
        bounds.unwrap_or_else(|| range(traces.iter().flat_map(|trace| trace.outputs.iter().copied())));
    let gradient_range = range_of_gradients(traces);
    let mut layers: Vec<LayerSignals> = traces
        .iter()
        .enumerate()
        .map(|(index, trace)| LayerSignals::of(index + 1, trace, bounds, range, gradient_range))
        .collect();
    let signal = layers.first().map_or(0.0, |layer| layer.signal);
    let gradient = layers.last().map_or(0.0, |layer| layer.gradient_std);
    for layer in &mut layers {
        layer.verdict = layer.judge(signal, gradient);
    }
    layers
}

impl LayerSignals {
    fn of(
        layer: usize,
        trace: &Trace<f64>,
        bounds: Option<(f64, f64)>,
        range: (f64, f64),
        gradient_range: (f64, f64),
    ) -> Self {
        let (outputs, units) = (&trace.outputs, trace.units);
        let (mean, std) = moments(outputs.iter().copied());
        let column = |unit: usize| outputs.iter().copied().skip(unit).step_by(units);
        let variances = (0..units).map(|unit| moments(column(unit)).1.powi(2));
        let signal = (variances.sum::<f64>() / units as f64).sqrt();
        let saturated = bounds.map(|(low, high)| {
            let flat = |y: &&f64| !(FLAT..=1.0 - FLAT).contains(&((**y - low) / (high - low)));
            outputs.iter().filter(flat).count() as f64 / outputs.len() as f64
        });
        let is_dead =
            |unit: &usize| trace.slopes.iter().skip(*unit).step_by(units).all(|&slope| slope == 0.0);
        Self {
            layer,
            units,
            mean,
            std,
            signal,
            saturated,
            dead: (0..units).filter(is_dead).count() as f64 / units as f64,
            gradient_std: moments(trace.gradient.iter().copied()).1,
            verdict: Verdict::Healthy,
            histogram: Bins::of(outputs.iter().copied(), range),
            gradient_histogram: Bins::of(trace.gradient.iter().copied(), gradient_range),
        }
    }

    /// The verdict, given the signal of the first layer and the gradient of the last.
    fn judge(&self, signal: f64, gradient: f64) -> Verdict {
        let Self { signal: here, gradient_std: back, .. } = *self;
        if self.saturated.is_some_and(|share| share > MOSTLY) {
            Verdict::Saturated
        } else if !(here.is_finite() && back.is_finite())
            || here > EXPLODED * signal
            || back > EXPLODED * gradient
        {
            Verdict::Exploding
        } else if here == 0.0 || back == 0.0 || here < signal / VANISHED || back < gradient / VANISHED {
            Verdict::Vanishing
        } else {
            Verdict::Healthy
        }
    }
}

impl Bins {
    /// Over as far as the values reach.
    pub(crate) fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        Self::of(values.clone(), range(values))
    }

    fn of(values: impl Iterator<Item = f64>, (low, high): (f64, f64)) -> Self {
        let width = (high - low) / BINS as f64;
        let mut edges: Vec<f64> = (0..BINS).map(|bin| low + bin as f64 * width).collect();
        edges.push(high);
        let mut counts = vec![0; BINS];
        let mut zeros = 0;
        for value in values.filter(|value| value.is_finite()) {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
            zeros += u64::from(value == 0.0);
        }
        Self { edges, counts, zeros }
    }

    /// The number of values in each bin that are not exactly 0: the shape that a great heap of zeros would hide.
    pub fn without_zeros(&self) -> Vec<u64> {
        let mut counts = self.counts.clone();
        // Bins that were read from somewhere may be no bins.
        let (Some(low), Some(high)) = (self.edges.first(), self.edges.get(counts.len())) else {
            return counts;
        };
        let at = (-low / ((high - low) / counts.len() as f64)) as usize;
        let last = counts.len().saturating_sub(1);
        if let Some(count) = counts.get_mut(at.min(last)) {
            *count = count.saturating_sub(self.zeros);
        }
        counts
    }
}

/// Mean and standard deviation.
pub(crate) fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// The least and the greatest of those that are finite; around a single one, some room.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.abs() <= f64::MAX / 4.0);
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = if high == 0.0 { 1.0 } else { high.abs() };
    if low < high {
        (low, high)
    } else if low == high {
        (low - room, high + room)
    } else {
        (-1.0, 1.0)
    }
}

/// As far below 0 as above: gradients have no side.
fn range_of_gradients(traces: &[Trace<f64>]) -> (f64, f64) {
    let (low, high) = range(traces.iter().flat_map(|trace| trace.gradient.iter().copied()));
    let far = high.abs().max(low.abs());
    (-far, far)
}
