//! How signals travel through a network before it is trained, by how its weights begin.

use downhill_core::random::{Purpose, stream};
use downhill_nn::{Activation, Dense, LayerSpec, Model, Trace, Workspace};
use downhill_optim::{Init, Normal};
use downhill_run::{Bins, Verdict, moments, range};
use serde::Serialize;

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

/// What becomes of rows on their way through a network, and of gradients on their way back: standard normal
/// ones, that come to the outputs of the last layer.
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

/// What one layer puts out, and what comes back to it. What is beyond the numbers there are is NaN or
/// infinite.
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
    /// How much the rows differ: the standard deviation of a unit over the rows, its mean square over the
    /// units. What is the same for every row tells the next layers nothing.
    pub signal: f64,
    /// The share of activations within 2.6% of the range from a bound, where the slope is less than a tenth
    /// of the steepest; none if the activation is not bounded on both sides, as sigmoid and tanh are.
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

/// What has shrunk to less than one part in so many has vanished.
const VANISHED: f64 = 1000.0;

/// What has grown to more than so many times has exploded.
const EXPLODED: f64 = 100.0;

/// The share of the range between the bounds of sigmoid or tanh, at either end, where the slope is below a
/// tenth of the steepest: (1 − √0.9)/2. The two are one function up to scale.
const FLAT: f64 = 0.025_658_350_974_743_1;

/// More saturated activations than this and a layer is saturated.
const MOSTLY: f64 = 0.5;

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
        // The weights, their gradient in up to eight shards; outputs, slopes and gradients twice, and the
        // rows.
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
    /// If a setting is out of its range, the initialiser does not go with the layers, or all of it would take
    /// more than a gigabyte of memory.
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
            histogram: Bins::within(outputs.iter().copied(), range),
            gradient_histogram: Bins::within(trace.gradient.iter().copied(), gradient_range),
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

/// As far below 0 as above: gradients have no side.
fn range_of_gradients(traces: &[Trace<f64>]) -> (f64, f64) {
    let (low, high) = range(traces.iter().flat_map(|trace| trace.gradient.iter().copied()));
    let far = high.abs().max(low.abs());
    (-far, far)
}
