//! The trajectory of one optimizer over a surface.

use downhill::optim::random::{Purpose, stream};
use downhill::optim::{Float, Invalid, Layout, Optimizer, Position, Regularization, Rule, Schedule};
use rand_distr::{Distribution, StandardNormal};

use super::surface::Surface;

/// A trajectory diverges when it leads further from the middle of the home box than this many times half its
/// width: far more than a momentum that will still come back overshoots by.
const FAR: f64 = 10.0;

/// The settings of an optimizer.
#[derive(Clone, Debug)]
pub struct Optimization {
    pub rule: Rule,
    pub schedule: Schedule,
    pub steps: u64,
    /// The standard deviation of what is added to each component of a gradient.
    pub noise: f64,
    pub seed: u64,
}

/// A trajectory, point by point.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// Where it was after each step; the first is the start.
    pub points: Vec<Point>,
    pub end: End,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The variables, in as many digits as their type has.
    pub at: Vec<f64>,
    pub value: f64,
    /// The rate of the step that led here.
    pub lr: Option<f64>,
}

/// How a trajectory ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps were made.
    Steps,
    /// This step led far away, or to no finite number.
    Diverges(u64),
    /// This step led to where the expression has no value or no slope.
    Undefined(u64),
}

impl Optimization {
    /// Makes the steps, with the arithmetic of `F`; `home` is the box that tells what is far.
    ///
    /// The noise of a step is a function of seed and step, so that it is the same for every optimizer.
    pub fn run<F: Float>(
        &self,
        surface: &Surface,
        start: &[f64],
        home: &[(f64, f64)],
    ) -> Result<Trajectory, Invalid> {
        let layout = Layout::flat(start.len());
        let mut optimizer =
            Optimizer::<F>::new(self.rule.clone(), Regularization::default(), &layout, false)?;
        let mut params: Vec<F> = start.iter().map(|&value| F::of(value)).collect();
        let exact = |params: &[F]| -> Vec<f64> { params.iter().map(|value| value.f64()).collect() };
        let point = |params: &[F], lr| Point {
            // The shortest decimals that mean these values.
            at: params.iter().map(|value| value.to_string().parse().unwrap_or(f64::NAN)).collect(),
            value: surface.value(&exact(params)),
            lr,
        };
        let mut points = vec![point(&params, None)];
        // What a schedule-free rule would keep, which is not where it takes gradients; for all others the
        // same.
        let mut shown = params.clone();
        for step in 0..self.steps {
            let mut random = stream(self.seed, Purpose::Noise, step);
            let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
            let slopes = surface.gradient(&exact(&params));
            if slopes.iter().any(|slope| slope.is_nan()) {
                return Ok(Trajectory { points, end: End::Undefined(step) });
            }
            let grads: Vec<F> = slopes.iter().map(|slope| F::of(slope + self.noise * noise())).collect();
            let position = Position { step, steps_per_epoch: self.steps, total_steps: self.steps };
            let lr = self.schedule.at(position);
            if let Some(momentum) = self.schedule.momentum(position) {
                optimizer.set_momentum(momentum);
            }
            optimizer.step(step, lr, &mut params, &grads);
            optimizer.evaluation(&params, &mut shown);
            let here = point(&shown, Some(lr));
            let far = |(value, ends): (&f64, &(f64, f64))| {
                let (middle, half) = ((ends.0 + ends.1) / 2.0, (ends.1 - ends.0) / 2.0);
                (value - middle).abs() > FAR * half || !value.is_finite()
            };
            let end = match () {
                () if here.at.iter().zip(home).any(far) || here.value.is_infinite() => {
                    End::Diverges(step + 1)
                }
                () if here.value.is_nan() => End::Undefined(step + 1),
                () => End::Steps,
            };
            points.push(here);
            if end != End::Steps {
                return Ok(Trajectory { points, end });
            }
        }
        Ok(Trajectory { points, end: End::Steps })
    }
}
