//! Finding a learning rate by trying, in at most a fifth of the steps of the run that it is for.
//!
//! Two things are done, both with the run's own optimizer, groups, batches and regularization, and from its
//! initial weights:
//!
//! - **The range test** (Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, section 3.3;
//!   Gugger, "How Do You Find A Good Learning Rate", 2018): one training whose rate grows by the same factor
//!   at every step, over seven decades, until the loss blows up. The smoothed loss against the rate has
//!   points that people choose a rate by. In such a sweep every rate has but one step, so it says above all
//!   where training diverges, and nothing is chosen by it.
//! - **Rehearsals**: up to six trainings in which the run's whole schedule, warmup and decay included, is
//!   gone through in a few hundredths of its steps, each at another peak. The usual rate of the rule is
//!   always the first, then one far below and one far above it; the others close in on the best. They are
//!   measured on training rows, the same ones in evaluation mode, so that no single batch can fool them and
//!   rates are compared row by row. Another rate than the usual one is taken only if its lead is more than
//!   the noise of that comparison. A parabola through the best three and two corrections give the
//!   recommendation: what is best in a rehearsal is too high for a longer run, by a power of the ratio of
//!   their lengths, and it is drawn a little towards the usual rate (compare Li et al., "Hyperband", 2018, on
//!   judging settings by short trainings). These decisions, and their constants, are
//!   `downhill_run::rehearsal`.
//!
//! Only training rows choose the rate, so the validation rows know nothing of it.

mod curve;
mod trial;

use std::time::Instant;

use downhill_data::{Dataset, Examples, Targets};
use downhill_optim::Rule;
use downhill_run::rehearsal::{self, FIRST, RUNG, Tried};
use downhill_run::{Choice, FoundRate, Point, two_digits};
use downhill_schedule::{Position, Schedule};
use rayon::prelude::*;

use trial::Trial;

use crate::{Config, Error, usual_rate, usual_schedule};

/// The share of the run's steps that may be spent.
const SHARE: u64 = 5;
/// The share of those that the range test has.
const SWEEP_SHARE: u64 = 6;
/// The most steps of a range test, and how often it is made at most; the fewest steps of one that is made
/// again, and of any: with fewer there is none.
const MOST_SWEEP: u64 = 200;
const MOST_SWEEPS: u64 = 4;
const FEWEST_SWEEP: u64 = 60;
const SHORTEST_SWEEP: u64 = 8;
/// How far the range test goes below and above the usual rate.
const SWEEP_RANGE: (f64, f64) = (1e-4, 1e3);
/// The most rehearsals, and the most steps of one: more say little more. A single step says something.
const MOST_REHEARSALS: u64 = 6;
const MOST_REHEARSED: u64 = 4000;
/// A rehearsal is measured on no more training rows than about these, in so many groups, to tell the noise.
const MEASURED_ROWS: usize = 4096;
const GROUPS: usize = 40;
/// A network of more parameters is tried at one rate after the other, to spare memory.
const LARGE: usize = 1 << 20;

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
        let sweeping = Some(all / SWEEP_SHARE).filter(|&steps| steps >= SHORTEST_SWEEP).unwrap_or(0);
        let sweeps = (sweeping / FEWEST_SWEEP).clamp(1, MOST_SWEEPS);
        let sweep_steps = (sweeping / sweeps).min(MOST_SWEEP);
        let rehearsing = all - sweeps * sweep_steps;
        let rehearsals = rehearsing.min(MOST_REHEARSALS);
        let rehearsal_steps = (rehearsing / rehearsals.max(1)).min(MOST_REHEARSED);
        Self { sweeps, sweep_steps, rehearsals, rehearsal_steps }
    }

    /// Whether it is enough to find anything.
    fn suffices(&self) -> bool {
        self.rehearsals >= FIRST.len() as u64
    }
}

/// Finds a peak rate for the run of `config`, whose `lr`, if it is given, says the shape of the schedule
/// only. `config` must be resolved. `asked` is called between steps and ends the search if it says so.
///
/// The result is a function of the configuration and the data, but for `seconds`. Trials are shared among the
/// threads of the pool it is called in if it is `parallel`.
pub(crate) fn find(
    config: &Config,
    data: &Dataset,
    parallel: bool,
    asked: &(dyn Fn() -> bool + Sync),
) -> Result<FoundRate, Error> {
    let began = Instant::now();
    let rule = &config.optimizer;
    if !rule.needs_rate() {
        return Err(Error::Mismatch(format!(
            "{} has no learning rate to find: leave it at {}",
            downhill_core::spec::name(rule),
            rule.usual_rate()
        )));
    }
    let shape = config.lr.clone().unwrap_or_else(|| usual_schedule(rule, usual_rate(rule)));
    let config = &Config { lr: Some(shape.clone()), ..config.clone() };
    let usual = usual_rate(rule);
    let measured = sample(&data.train, MEASURED_ROWS)?;
    let mut first = Trial::new(config, data, false, asked)?;
    let large = first.parameters() > LARGE;
    let whole = first.start();
    // Before its first step, a network says the same of every row.
    let guess = first.losses(&measured, 1)?.map_or(f64::INFINITY, |losses| losses[0]);
    drop(first);
    let hunt = Hunt {
        config,
        data,
        asked,
        peak: peak(&shape, whole),
        whole,
        usual,
        measured,
        guess,
        // Many small trials side by side, or the threads inside of a large one.
        beside: parallel && !large,
        inside: parallel && large,
    };
    let budget = Budget::of(whole.total_steps);
    let mut found = FoundRate {
        recommended: usual,
        usual,
        choice: Some(Choice::TooFewSteps),
        band: [usual, usual],
        schedule: shape.clone(),
        steepest: None,
        valley: None,
        minimum_tenth: None,
        diverges: None,
        limit: None,
        steps: 0,
        run_steps: whole.total_steps,
        seconds: 0.0,
        rehearsals: Vec::new(),
        curve: Vec::new(),
    };
    if budget.suffices() {
        if budget.sweep_steps > 0 {
            hunt.sweep(budget, &mut found)?;
        }
        hunt.rehearse(budget, &mut found)?;
    }
    found.schedule = match config_is_usual(&shape, rule) {
        true => usual_schedule(rule, found.recommended),
        false => shape.clone().scaled(found.recommended / hunt.peak),
    };
    found.seconds = began.elapsed().as_secs_f64();
    Ok(found)
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
    /// The highest rate of the shape.
    peak: f64,
    /// The beginning of the run.
    whole: Position,
    /// The rate that usually suits the rule.
    usual: f64,
    /// What rehearsals are measured on, and the loss of the first guess there.
    measured: Examples,
    guess: f64,
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

    /// The range test around the usual rate, made several times where that costs little: the mean losses up
    /// to where the first of the sweeps blew up.
    fn sweep(&self, budget: Budget, found: &mut FoundRate) -> Result<(), Error> {
        let (low, high) = (self.usual * SWEEP_RANGE.0, self.usual * SWEEP_RANGE.1);
        let last = budget.sweep_steps - 1;
        let rate = |step: u64| low * (high / low).powf(step as f64 / last as f64);
        let rates: Vec<f64> = (0..=last).map(rate).collect();
        // The first has the run's own weights and order of the rows.
        let configs: Vec<Config> = (0..budget.sweeps)
            .map(|sweep| Config { seed: self.config.seed.wrapping_add(sweep), ..self.config.clone() })
            .collect();
        let sweeps = self
            .each(&configs, |config| Trial::new(config, self.data, self.inside, self.asked)?.sweep(&rates))?;
        let shortest = sweeps.iter().map(Vec::len).min().unwrap_or(0);
        let mean = |at: usize| sweeps.iter().map(|sweep| sweep[at]).sum::<f64>() / sweeps.len() as f64;
        let losses: Vec<f64> = (0..shortest).map(mean).collect();
        let smoothed = curve::smooth(&losses);
        let at = |point: Option<usize>| point.map(|point| rates[point]);
        found.steps += sweeps.iter().map(|sweep| (sweep.len() as u64 + 1).min(last + 1)).sum::<u64>();
        found.steepest = at(curve::steepest(&smoothed));
        found.valley = at(curve::valley(&smoothed));
        let lowest = curve::lowest(&smoothed);
        found.minimum_tenth = (smoothed.len() > 1 && lowest > 0).then(|| rates[lowest] / 10.0);
        // Where the sweep was ended, it has diverged too.
        let ended = (losses.len() < rates.len()).then(|| rates[losses.len()]);
        found.diverges = at(curve::divergence(&smoothed)).or(ended);
        found.curve =
            rates.iter().zip(&smoothed).map(|(&lr, &loss)| Point { lr, loss: Some(loss) }).collect();
        Ok(())
    }

    /// The rehearsals, and what they come to.
    fn rehearse(&self, budget: Budget, found: &mut FoundRate) -> Result<(), Error> {
        let rate = |rung: i32| self.usual * RUNG.powi(rung);
        let rehearse = |&rung: &i32| -> Result<Tried, Error> {
            let mut trial = Trial::new(self.config, self.data, self.inside, self.asked)?;
            let scale = rate(rung) / self.peak;
            let is_finite = trial.rehearse(scale, budget.rehearsal_steps)?;
            let losses = if is_finite { trial.losses(&self.measured, GROUPS)? } else { None };
            Ok(Tried { rung, losses })
        };
        let mut tried = self.each(&FIRST, rehearse)?;
        tried.sort_by_key(|tried| tried.rung);
        while (tried.len() as u64) < budget.rehearsals
            && let Some(rung) = rehearsal::next(&tried, self.guess)
        {
            tried.push(rehearse(&rung)?);
            tried.sort_by_key(|tried| tried.rung);
        }
        let times_longer = self.whole.total_steps as f64 / budget.rehearsal_steps as f64;
        let conclusion = rehearsal::conclude(&tried, self.guess, times_longer, self.data.train.rows());
        let (recommended, why) = conclusion.choice(self.usual);
        let recommended = two_digits(recommended);
        let [low, high] = rehearsal::band(&tried, self.guess)
            .map_or([recommended; 2], |rungs| rungs.map(|rung| two_digits(rate(rung))));
        found.recommended = recommended;
        found.choice = Some(why);
        found.band = [low.min(recommended), high.max(recommended)];
        found.steps += tried.len() as u64 * budget.rehearsal_steps;
        found.rehearsals =
            tried.iter().map(|tried| Point { lr: rate(tried.rung), loss: tried.loss() }).collect();
        Ok(())
    }
}

/// Not more rows than these, evenly over all.
pub(crate) fn sample(rows: &Examples, most: usize) -> Result<Examples, Error> {
    let stride = rows.rows().div_ceil(most).max(1);
    let kept: Vec<usize> = (0..rows.rows()).step_by(stride).collect();
    let x = kept.iter().flat_map(|&row| rows.row(row)).copied().collect();
    let y = match &rows.y {
        Targets::Classes { labels, classes } => {
            Targets::Classes { labels: kept.iter().map(|&row| labels[row]).collect(), classes: *classes }
        }
        Targets::Values(values) => {
            let width = values.len() / rows.rows().max(1);
            Targets::Values(kept.iter().flat_map(|&row| &values[row * width..][..width]).copied().collect())
        }
    };
    Ok(Examples::new(x, rows.features, y)?)
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
        assert_eq!(Budget::of(300).rehearsals, 6);
        // Three steps are enough for three rehearsals.
        assert!(Budget::of(15).suffices() && !Budget::of(14).suffices());
    }
}
