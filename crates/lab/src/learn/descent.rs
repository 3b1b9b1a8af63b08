//! The path of an optimizer over a quadratic: Σ λᵢ·xᵢ²/2.

use downhill_core::random::{Purpose, stream};
use downhill_optim::{Layout, Optimizer, Regularization, Rule};
use downhill_schedule::{Position, Schedule};
use rand_distr::{Distribution, StandardNormal};
use serde_json::{Value, json};

use super::Error;

/// A path has diverged when a coordinate is more than this many times the start's largest one (or 1) away
/// from the minimum: momentum that will come back overshoots by less.
const FAR: f64 = 10.0;

/// A loss of less than this share of the start's is arrived.
const ARRIVED: f64 = 0.01;

/// A descent to make.
pub(super) struct Descent {
    /// λ, the curvature along each coordinate.
    pub curvatures: Vec<f64>,
    /// Where it begins.
    pub start: Vec<f64>,
    pub rule: Rule,
    pub schedule: Schedule,
    pub steps: u64,
    /// The standard deviation of the noise in each component of a gradient.
    pub noise: f64,
    /// The random seed of the noise.
    pub seed: u64,
}

/// Where it led.
pub(super) struct Path {
    /// The start, and where it was after each step.
    pub points: Vec<Vec<f64>>,
    /// The loss at each of them.
    pub values: Vec<f64>,
    /// The step that led far away.
    pub diverged_at: Option<u64>,
}

/// How a path went, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// It left, or it ends higher than it began.
    Diverges,
    /// The last tenth of it is below a hundredth of the first loss.
    Arrives,
    /// It has not arrived, and its loss has never risen.
    Crawls,
    /// It has not arrived, and goes up and down.
    Swings,
}

impl Ending {
    pub fn name(self) -> &'static str {
        match self {
            Self::Diverges => "diverges",
            Self::Arrives => "arrives",
            Self::Crawls => "crawls",
            Self::Swings => "swings",
        }
    }
}

impl Descent {
    pub fn value(&self, at: &[f64]) -> f64 {
        self.curvatures.iter().zip(at).map(|(curvature, x)| curvature * x * x / 2.0).sum()
    }

    fn optimizer(&self) -> Result<Optimizer<f64>, Error> {
        let layout = Layout::flat(self.start.len());
        Ok(Optimizer::new(self.rule.clone(), Regularization::default(), &layout, false)?)
    }

    /// The rate from which on the rule is not stable here, by its own bound c: c/λ for the largest λ. None
    /// where no bound is known.
    pub fn limit(&self) -> Result<Option<f64>, Error> {
        let steepest = self.curvatures.iter().copied().fold(0.0, f64::max);
        Ok(self.optimizer()?.stability(0).bound.map(|bound| bound / steepest))
    }

    /// Makes the steps, in double precision; it ends early where the path leads far away.
    pub fn run(&self) -> Result<Path, Error> {
        self.schedule.check()?;
        let mut optimizer = self.optimizer()?;
        let far = FAR * self.start.iter().fold(1.0, |most: f64, x| most.max(x.abs()));
        let mut params = self.start.clone();
        let mut path =
            Path { values: vec![self.value(&params)], points: vec![params.clone()], diverged_at: None };
        for step in 0..self.steps {
            let mut random = stream(self.seed, Purpose::Noise, step);
            let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
            let slope = |(curvature, x): (&f64, &f64)| curvature * x + self.noise * noise();
            let gradient: Vec<f64> = self.curvatures.iter().zip(&params).map(slope).collect();
            let position = Position { step, steps_per_epoch: self.steps, total_steps: self.steps };
            optimizer.step(step, self.schedule.at(position), &mut params, &gradient);
            path.points.push(params.clone());
            path.values.push(self.value(&params));
            if params.iter().any(|x| !x.is_finite() || x.abs() > far) {
                path.diverged_at = Some(step + 1);
                break;
            }
        }
        Ok(path)
    }
}

impl Path {
    pub fn ending(&self) -> Ending {
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        let tail = &self.values[self.values.len() - self.values.len().div_ceil(10)..];
        if self.diverged_at.is_some() || last > first * (1.0 + 1e-9) {
            Ending::Diverges
        } else if tail.iter().all(|&value| value <= ARRIVED * first) {
            Ending::Arrives
        } else if self.values.windows(2).all(|pair| pair[1] <= pair[0]) {
            Ending::Crawls
        } else {
            Ending::Swings
        }
    }

    pub fn json(&self) -> Value {
        json!({
            "points": self.points,
            "values": self.values,
            "diverged_at": self.diverged_at,
            "ending": self.ending().name(),
        })
    }
}

/// The level curves of the quadratic with these two curvatures: values, each with the half-axes of its
/// ellipse, for the values that the squares of `levels` are as shares of `highest`.
pub(super) fn contours(curvatures: [f64; 2], highest: f64, levels: u32) -> Vec<Value> {
    let level = |index: u32| {
        // Evenly spaced in the distance from the minimum, as on a map of a bowl.
        let value = highest * (f64::from(index) / f64::from(levels)).powi(2);
        let radii = curvatures.map(|curvature| (2.0 * value / curvature).sqrt());
        json!({ "value": value, "radii": radii })
    };
    (1..=levels).map(level).collect()
}
