//! Finding a learning rate by trying, in at most a fifth of the steps of the run that it is for.
//!
//! Two things are done, both with the run's own optimizer, groups, batches and restraints, and from its initial weights:
//!
//! - **The range test** (Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, section 3.3; Gugger, "How Do
//!   You Find A Good Learning Rate", 2018): one training whose rate grows by the same factor at every step, over seven
//!   decades, until the loss blows up. The smoothed loss against the rate has points that people choose a rate by. In such
//!   a sweep every rate has but one step, so it says above all where training diverges.
//! - **Rehearsals**: up to six trainings in which the run's whole schedule, warmup and decay included, is gone through in a
//!   few hundredths of its steps, each at another peak, and measured on the validation rows. The first three are spread
//!   around the rate that usually suits the rule, or a tenth of the rate at which the sweep diverged if that is lower;
//!   the others close in on the best. A parabola through the best three and a correction give the recommendation. The
//!   correction is for the short length: what is best in a rehearsal is too high for the run, by a power of their ratio
//!   (compare Li et al., "Hyperband", 2018, on judging settings by short trainings, and the constants in `search.rs`,
//!   which were chosen on the tables of `bench/learning-rate`).
//!
//! The validation rows choose the rate as they choose the epoch to stop at, so what they say of the result is as a little
//! too good.

mod curve;
mod search;
mod trial;

use std::time::Instant;

use downhill_data::Dataset;
use downhill_optim::{Position, Rule, Schedule};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use curve::Point;
use search::{FIRST, RUNG, Tried};
use trial::Trial;

use crate::{Config, Error, usual_rate, usual_schedule};

/// A learning rate that was found, and by what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FoundRate {
    /// The peak rate to train with, to two digits.
    pub recommended: f64,
    /// Rates between which the rehearsals do not tell much of a difference.
    pub band: [f64; 2],
    /// The schedule with that peak.
    #[serde(with = "downhill_optim::spec")]
    pub schedule: Schedule,
    /// Where the range test's curve falls fastest.
    pub steepest: Option<f64>,
    /// Fastai's valley of the curve.
    pub valley: Option<f64>,
    /// A tenth of the rate at the lowest point of the curve.
    pub minimum_tenth: Option<f64>,
    /// The rate from which on the curve is above its beginning; none if it never is.
    pub diverges: Option<f64>,
    /// The highest rate at which the weights that the run starts from are stable, by the curvature of the loss around them
    /// on up to 500 rows: 2/λ for gradient descent. None where the rule has no known limit, or none before it has made
    /// steps, and where only a rate was needed, as in training. Finding it is counted neither in `steps` nor in `seconds`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The steps made to find it.
    pub steps: u64,
    /// Those of the run it is for, unless that stops early.
    pub run_steps: u64,
    /// How long finding it took.
    pub seconds: f64,
    /// The rehearsals, in the order of their peak rates, each with its validation loss.
    pub rehearsals: Vec<Point>,
    /// The range test: the smoothed training loss.
    pub curve: Vec<Point>,
}

impl FoundRate {
    /// What was found, and why, in a sentence.
    pub fn text(&self) -> String {
        let Self { recommended, band: [low, high], steps, run_steps, .. } = self;
        let share = 100.0 * *steps as f64 / *run_steps as f64;
        if self.rehearsals.is_empty() {
            return format!(
                "The run's {run_steps} steps are too few to look for a learning rate: {} is what usually suits",
                number(*recommended)
            );
        }
        format!(
            "Learning rate {} found in {steps} steps, {share:.0}% of the run's: {} to {} did about as well in {} rehearsals",
            number(*recommended),
            number(*low),
            number(*high),
            self.rehearsals.len()
        )
    }
}

/// A rate in few characters.
fn number(rate: f64) -> String {
    if (1e-4..1e4).contains(&rate) { rounded(rate).to_string() } else { format!("{rate:.1e}") }
}

/// A number to two digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// The share of the run's steps that may be spent.
const SHARE: u64 = 5;
/// The share of those that the range test has.
const SWEEP_SHARE: u64 = 4;
/// The most steps of a range test, and how often it is made at most; their fewest steps.
const MOST_SWEEP: u64 = 200;
const MOST_SWEEPS: u64 = 4;
const FEWEST_SWEEP: u64 = 60;
/// How far the range test goes below and above the middle.
const SWEEP_RANGE: (f64, f64) = (1e-4, 1e3);
/// The most rehearsals, and the most and the fewest steps of one: fewer say nothing, more say little more.
const MOST_REHEARSALS: u64 = 6;
const MOST_REHEARSED: u64 = 4000;
const FEWEST_REHEARSED: u64 = 5;
/// A network of more parameters is tried at one rate after the other, to spare memory.
const LARGE: usize = 1 << 20;
/// Validation losses below this share of the first guess's are all the same.
const NOTHING: f64 = 0.01;

/// What a run can spend on its rate.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Budget {
    sweeps: u64,
    sweep_steps: u64,
    rehearsals: u64,
    rehearsal_steps: u64,
}

impl Budget {
    fn of(run_steps: u64) -> Self {
        let all = run_steps / SHARE;
        let sweeping = all / SWEEP_SHARE;
        let sweeps = (sweeping / FEWEST_SWEEP).clamp(1, MOST_SWEEPS);
        let sweep_steps = (sweeping / sweeps).min(MOST_SWEEP);
        let rehearsing = all - sweeps * sweep_steps;
        let rehearsals = (rehearsing / FEWEST_REHEARSED).min(MOST_REHEARSALS);
        let rehearsal_steps = (rehearsing / rehearsals.max(1)).min(MOST_REHEARSED);
        Self { sweeps, sweep_steps, rehearsals, rehearsal_steps }
    }

    /// Whether it is enough to find anything.
    fn suffices(&self) -> bool {
        self.rehearsals >= FIRST.len() as u64
    }
}

/// Whether there is a rate to look for: Prodigy finds its own, and Adadelta has none but 1.
pub(crate) fn has_a_rate(rule: &Rule) -> bool {
    !matches!(rule, Rule::Prodigy(_) | Rule::Adadelta(_))
}

/// Finds a peak rate for the run of `config`, whose `lr`, if it is given, says the shape of the schedule only. `config` must
/// be resolved. `asked` is called between steps and ends the search if it says so.
///
/// The result is a function of the configuration and the data, but for `seconds`. Trials are shared among the threads of the
/// pool it is called in if it is `parallel`.
pub(crate) fn find(
    config: &Config,
    data: &Dataset,
    parallel: bool,
    asked: &(dyn Fn() -> bool + Sync),
) -> Result<FoundRate, Error> {
    let began = Instant::now();
    let rule = &config.optimizer;
    if !has_a_rate(rule) {
        return Err(Error::Mismatch(format!(
            "{} has no learning rate to find: leave it at 1",
            downhill_optim::spec::name(rule)
        )));
    }
    let shape = config.lr.clone().unwrap_or_else(|| usual_schedule(rule, usual_rate(rule)));
    let config = &Config { lr: Some(shape.clone()), ..config.clone() };
    let first = Trial::new(config, data, false, asked)?;
    let (baseline, large) = (first.baseline(), first.parameters() > LARGE);
    let whole = first.whole();
    drop(first);
    let hunt = Hunt {
        config,
        data,
        asked,
        peak: peak(&shape, whole),
        shape: &shape,
        whole,
        baseline,
        // Many small trials side by side, or the threads inside of a large one.
        beside: parallel && !large,
        inside: parallel && large,
    };
    let budget = Budget::of(whole.total_steps);
    let usual = usual_rate(rule);
    if !budget.suffices() {
        return Ok(FoundRate {
            recommended: usual,
            band: [usual, usual],
            schedule: shape.clone().scaled(usual / hunt.peak),
            steepest: None,
            valley: None,
            minimum_tenth: None,
            diverges: None,
            limit: None,
            steps: 0,
            run_steps: whole.total_steps,
            seconds: began.elapsed().as_secs_f64(),
            rehearsals: Vec::new(),
            curve: Vec::new(),
        });
    }

    let (rates, losses, swept) = hunt.sweep(usual, budget)?;
    let smoothed = curve::smooth(&losses);
    let at = |point: Option<usize>| point.map(|point| rates[point]);
    let diverges = at(curve::divergence(&smoothed));
    // Where the sweep was ended, it has diverged too.
    let diverges =
        diverges.or((losses.len() < rates.len()).then(|| rates[losses.len().min(rates.len() - 1)]));
    let middle = diverges.map_or(usual, |rate| usual.min(rate / 10.0));

    let (tried, rehearsals) = hunt.rehearse(middle, budget)?;
    let times_longer = whole.total_steps as f64 / budget.rehearsal_steps as f64;
    let lowest = RUNG.powi(tried[0].rung - 2);
    let (best, band) = search::conclude(&tried, times_longer).unwrap_or((lowest, [lowest, lowest]));
    let recommended = rounded(middle * best);
    let schedule = match config_is_usual(&shape, rule) {
        true => usual_schedule(rule, recommended),
        false => shape.clone().scaled(recommended / hunt.peak),
    };
    let falls = smoothed.len() > 1 && curve::lowest(&smoothed) > 0;
    Ok(FoundRate {
        recommended,
        band: [rounded(middle * band[0]).min(recommended), rounded(middle * band[1]).max(recommended)],
        schedule,
        steepest: at(curve::steepest(&smoothed)),
        valley: at(curve::valley(&smoothed)),
        minimum_tenth: falls.then(|| rates[curve::lowest(&smoothed)] / 10.0),
        diverges,
        limit: None,
        steps: swept + rehearsals.len() as u64 * budget.rehearsal_steps,
        run_steps: whole.total_steps,
        seconds: began.elapsed().as_secs_f64(),
        rehearsals,
        curve: rates.iter().zip(&smoothed).map(|(&lr, &loss)| Point { lr, loss: Some(loss) }).collect(),
    })
}

fn config_is_usual(shape: &Schedule, rule: &Rule) -> bool {
    *shape == usual_schedule(rule, usual_rate(rule))
}

/// The highest rate of a schedule; of a very long run, not every step is looked at.
pub(crate) fn peak(schedule: &Schedule, whole: Position) -> f64 {
    let stride = (whole.total_steps / 1_000_000).max(1) as usize;
    let rate = |step| schedule.at(Position { step, ..whole });
    (0..whole.total_steps).step_by(stride).map(rate).fold(f64::MIN_POSITIVE, f64::max)
}

/// What is tried, and how.
struct Hunt<'a> {
    /// With the shape as its schedule.
    config: &'a Config,
    data: &'a Dataset,
    asked: &'a (dyn Fn() -> bool + Sync),
    shape: &'a Schedule,
    /// The highest rate of the shape.
    peak: f64,
    /// The beginning of the run.
    whole: Position,
    /// The loss of the first guess.
    baseline: f64,
    beside: bool,
    inside: bool,
}

impl Hunt<'_> {
    /// Does something with each, side by side if that is wanted; the results in order.
    fn each<T: Sync, R: Send>(
        &self,
        of: &[T],
        work: impl Fn(&T) -> Result<R, Error> + Sync + Send,
    ) -> Result<Vec<R>, Error> {
        if self.beside { of.par_iter().map(work).collect() } else { of.iter().map(work).collect() }
    }

    /// The range test around a rate, made several times where that costs little: all rates, the mean losses up to where the
    /// first of the sweeps blew up, and the number of steps made.
    fn sweep(&self, usual: f64, budget: Budget) -> Result<(Vec<f64>, Vec<f64>, u64), Error> {
        let (low, high) = (usual * SWEEP_RANGE.0, usual * SWEEP_RANGE.1);
        let last = budget.sweep_steps.max(2) - 1;
        let rate = |step: u64| low * (high / low).powf(step as f64 / last as f64);
        let rates: Vec<f64> = (0..=last).map(rate).collect();
        // The first has the run's own weights and order of the rows.
        let configs: Vec<Config> = (0..budget.sweeps)
            .map(|sweep| Config { seed: self.config.seed.wrapping_add(sweep), ..self.config.clone() })
            .collect();
        let sweeps = self.each(&configs, |config| {
            Trial::new(config, self.data, self.inside, self.asked)?.sweep(&rates, self.whole)
        })?;
        let shortest = sweeps.iter().map(Vec::len).min().unwrap_or(0);
        let mean = |at: usize| sweeps.iter().map(|sweep| sweep[at]).sum::<f64>() / sweeps.len() as f64;
        let steps = sweeps.iter().map(|sweep| (sweep.len() as u64 + 1).min(last + 1)).sum();
        Ok((rates, (0..shortest).map(mean).collect(), steps))
    }

    /// The rehearsals around a rate, in the order of their rates.
    fn rehearse(&self, middle: f64, budget: Budget) -> Result<(Vec<Tried>, Vec<Point>), Error> {
        let rate = |rung: i32| middle * RUNG.powi(rung);
        let rehearse = |&rung: &i32| {
            Trial::new(self.config, self.data, self.inside, self.asked)?.rehearse(
                self.shape,
                rate(rung) / self.peak,
                budget.rehearsal_steps,
                self.whole,
            )
        };
        let mut made: Vec<(i32, Option<f64>)> = FIRST.into_iter().zip(self.each(&FIRST, rehearse)?).collect();
        let scored = |made: &[(i32, Option<f64>)]| -> Vec<Tried> {
            made.iter().map(|&(rung, loss)| Tried::new(rung, loss, NOTHING * self.baseline)).collect()
        };
        while (made.len() as u64) < budget.rehearsals
            && let Some(rung) = search::next(&scored(&made))
        {
            made.push((rung, rehearse(&rung)?));
            made.sort_by_key(|made| made.0);
        }
        let points = made.iter().map(|&(rung, loss)| Point { lr: rate(rung), loss }).collect();
        Ok((scored(&made), points))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_is_a_fifth_at_most_whatever_the_run() {
        for run_steps in (0..5000).chain([10_000, 123_456, 10_000_000]) {
            let Budget { sweeps, sweep_steps, rehearsals, rehearsal_steps } = Budget::of(run_steps);
            let all = sweeps * sweep_steps + rehearsals * rehearsal_steps;
            assert!(5 * all <= run_steps, "{all} of {run_steps}");
        }
        // 100 rows, 60 epochs of 5 steps.
        assert!(Budget::of(300).suffices() && Budget::of(300).rehearsals == 6);
        assert!(!Budget::of(60).suffices());
    }
}
