//! The best trials again with other random seeds: how much of what they came to was luck.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use downhill::data::Dataset;
use downhill::search::{Error, Goal, History, Job, Objective, Outcome};
use downhill::train::fixed;
use serde_json::{Value, json};

use super::space::Searched;
use crate::output;

/// So many of the best trials are trained again.
const FEW: usize = 3;

/// Means that differ by no more than this number of their standard errors are not told apart.
const APART: f64 = 2.0;

/// Reads a number of seeds: none, or enough to see how far they differ.
pub fn seeds(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(1) => Err("one seed says nothing about luck; give 2 or more, or 0 to leave it out".into()),
        Ok(seeds @ 0..=1000) => Ok(seeds),
        _ => Err("give a whole number from 2 to 1000, or 0 to leave it out".into()),
    }
}

/// A trial that was trained again.
pub struct Again {
    pub number: u64,
    /// What it came to with each seed, all of them over the whole length; none where it failed.
    pub values: Vec<Option<f64>>,
}

impl Again {
    /// The mean and the standard deviation of the values; none if one failed, or there are fewer than two.
    pub fn spread(&self) -> Option<(f64, f64)> {
        let values: Vec<f64> = self.values.iter().copied().collect::<Option<_>>()?;
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (values.len() > 1).then(|| (mean, variance.sqrt()))
    }

    /// The mean beside its deviation, both to the digits that the deviation deserves.
    fn text(&self) -> String {
        let Some((mean, deviation)) = self.spread() else { return "no number with some seed".into() };
        if !(deviation > 0.0 && deviation.is_finite()) {
            return format!("{} ± {deviation}", fixed(mean));
        }
        let decimals = (1.0 - deviation.log10().floor()).clamp(0.0, 12.0) as usize;
        format!("{mean:.decimals$} ± {deviation:.decimals$}")
    }

    pub fn object(&self) -> Value {
        let (mean, deviation) = self.spread().unzip();
        json!({ "number": self.number, "values": self.values, "mean": mean, "standard_deviation": deviation })
    }
}

/// Trains the best few trials to their end with as many seeds, the first being that of the search. The one
/// with the best mean comes first, and those that failed with a seed last. None if that is interrupted.
pub fn again(
    searched: &Searched,
    history: &History,
    data: &[Dataset],
    seeds: u64,
    workers: usize,
    interrupted: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Vec<Again>>, Error> {
    let best: Vec<_> = history.ranking().into_iter().take(FEW).collect();
    let jobs: Vec<(usize, u64)> =
        (0..best.len()).flat_map(|trial| (0..seeds).map(move |seed| (trial, seed))).collect();
    let next = AtomicUsize::new(0);
    let made: Mutex<Vec<Option<f64>>> = Mutex::new(vec![None; jobs.len()]);
    let work = || -> Result<bool, Error> {
        while let Some(&(trial, seed)) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let objective = searched.with_seed(data, seed)?;
            let job = Job::new(best[trial].number, &best[trial].settings, history.plan().epochs, interrupted);
            match objective.make(job, None)? {
                Outcome::Interrupted => return Ok(false),
                Outcome::Reached { value, .. } => {
                    let at = trial * seeds as usize + seed as usize;
                    made.lock().expect("no worker panicked")[at] = value.is_finite().then_some(value);
                }
            }
        }
        Ok(true)
    };
    let whole = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..workers.min(jobs.len())).map(|_| scope.spawn(work)).collect();
        let ends = workers.into_iter().map(|worker| worker.join().expect("no worker panicked"));
        ends.collect::<Result<Vec<bool>, Error>>()
    })?;
    if whole.contains(&false) {
        return Ok(None);
    }
    let made = made.into_inner().expect("no worker panicked");
    let again = |(trial, values): (&&downhill::search::Trial, &[Option<f64>])| Again {
        number: trial.number,
        values: values.to_vec(),
    };
    let mut all: Vec<Again> = best.iter().zip(made.chunks(seeds as usize)).map(again).collect();
    let cost = |one: &Again| match one.spread() {
        Some((mean, _)) if history.plan().goal == Goal::Minimise => mean,
        Some((mean, _)) => -mean,
        None => f64::INFINITY,
    };
    all.sort_by(|a, b| cost(a).total_cmp(&cost(b)));
    Ok(Some(all))
}

/// What that says, in sentences.
pub fn text(again: &[Again], metric: &str) -> String {
    let mut text = String::new();
    let Some((first, others)) = again.split_first() else { return text };
    let seeds = output::count(first.values.len() as u64, "seed");
    text += &format!("trained again over {seeds} (mean ± standard deviation):\n");
    text += &format!("  trial {}: {metric} {}\n", first.number, first.text());
    for other in others {
        let apart =
            first.spread().zip(other.spread()).map(|((mean, deviation), (other_mean, other_deviation))| {
                let count = first.values.len() as f64;
                let error = ((deviation.powi(2) + other_deviation.powi(2)) / count).sqrt();
                (mean - other_mean).abs() > APART * error
            });
        let verdict = match apart {
            Some(true) => "; worse than the first, by more than seeds explain",
            Some(false) => "; not told apart from the first",
            None => "",
        };
        text += &format!("  trial {}: {metric} {}{verdict}\n", other.number, other.text());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(number: u64, values: &[f64]) -> Again {
        Again { number, values: values.iter().copied().map(Some).collect() }
    }

    #[test]
    fn what_seeds_explain_is_not_told_apart() {
        let (first, close, far) =
            (again(7, &[0.87, 0.88, 0.86]), again(3, &[0.86, 0.88, 0.86]), again(1, &[0.70, 0.71, 0.69]));
        let (mean, deviation) = first.spread().unwrap();
        assert!((mean - 0.87).abs() < 1e-12 && (deviation - 0.01).abs() < 1e-12);
        let text = text(&[first, close, far], "accuracy");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "trained again over 3 seeds (mean ± standard deviation):");
        assert_eq!(lines[1], "  trial 7: accuracy 0.870 ± 0.010");
        assert_eq!(lines[2], "  trial 3: accuracy 0.867 ± 0.012; not told apart from the first");
        let far = "  trial 1: accuracy 0.700 ± 0.010; worse than the first, by more than seeds explain";
        assert_eq!(lines[3], far);
        assert_eq!(again(0, &[0.9654, 0.9663]).text(), "0.96585 ± 0.00064");
        assert_eq!(again(0, &[125_000.0, 131_000.0]).text(), "128000 ± 4243");
    }

    #[test]
    fn one_seed_is_refused() {
        assert_eq!((seeds("0"), seeds("2"), seeds("1000")), (Ok(0), Ok(2), Ok(1000)));
        assert!(seeds("1").unwrap_err().contains("2 or more"));
        assert!(["1001", "-3", "x", ""].iter().all(|text| seeds(text).is_err()));
    }

    #[test]
    fn one_that_fails_with_a_seed_has_no_mean() {
        let one = Again { number: 1, values: vec![Some(0.5), None] };
        assert!(one.spread().is_none() && text(&[one], "loss").contains("no number with some seed"));
    }
}
