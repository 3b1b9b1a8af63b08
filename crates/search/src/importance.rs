//! How much each setting matters.

use crate::sampler::{Observation, order};
use crate::space::ABSENT;
use crate::{Domain, History};

/// The share of the trials that are the best.
const BEST_SHARE: f64 = 0.2;
/// With fewer trials there is nothing to say.
const FEWEST: usize = 10;
/// A domain that is continuous is looked at in so many places.
const CELLS: usize = 64;

/// How much each setting matters for being among the best fifth of the trials: PED-ANOVA, [Watanabe et al.
/// (2023)][1].
///
/// Along each setting, the distribution of the best is compared with that of all trials, both smoothed; how
/// much they differ, as Pearson's χ² divergence, is its importance. They are divided by their sum, so that
/// they come to 1. What is not seen are effects of settings that only matter together. Empty with fewer than
/// 10 trials that have a value.
///
/// [1]: https://arxiv.org/abs/2304.10255
pub fn importance(history: &History) -> Vec<(String, f64)> {
    let all: Vec<Observation> =
        history.observations().into_iter().filter(|observation| observation.cost.is_some()).collect();
    if all.len() < FEWEST {
        return Vec::new();
    }
    let order = order(&all);
    let best = &order[..((BEST_SHARE * all.len() as f64).ceil() as usize).max(2)];
    let space = &history.plan().space;
    let divergence = |(at, (name, domain)): (usize, (&str, &Domain))| {
        let places = |which: &[usize]| -> Vec<f64> {
            which.iter().map(|&trial| all[trial].point[at]).filter(|&place| place != ABSENT).collect()
        };
        let (top, base) = (places(best), places(&order));
        if top.is_empty() {
            return (name.to_string(), 0.0);
        }
        let (top, base) = (shares(domain, &top), shares(domain, &base));
        let sum = top.iter().zip(&base).map(|(top, base)| (top - base).powi(2) / base).sum::<f64>();
        (name.to_string(), sum)
    };
    let mut found: Vec<(String, f64)> = space.iter().enumerate().map(divergence).collect();
    let sum: f64 = found.iter().map(|(_, divergence)| divergence).sum();
    if sum > 0.0 {
        found.iter_mut().for_each(|(_, divergence)| *divergence /= sum);
    }
    found.sort_by(|a, b| b.1.total_cmp(&a.1));
    found
}

/// Which share of trials is in each part of a domain, smoothed: by a normal distribution around each of them,
/// of the width that Scott's rule gives, or by one more trial that is spread over all options.
fn shares(domain: &Domain, places: &[f64]) -> Vec<f64> {
    let count = places.len() as f64;
    let (cells, weight): (usize, Box<dyn Fn(f64, usize) -> f64>) = match domain {
        Domain::Choice(words) => (words.len(), Box::new(|place, cell| f64::from(place as usize == cell))),
        Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } | Domain::Int { .. } => {
            let mean = places.iter().sum::<f64>() / count;
            let spread = (places.iter().map(|place| (place - mean).powi(2)).sum::<f64>() / count).sqrt();
            let width = (1.06 * spread * count.powf(-0.2)).max(1.0 / CELLS as f64);
            let weight = move |place: f64, cell: usize| {
                let z = ((cell as f64 + 0.5) / CELLS as f64 - place) / width;
                (-0.5 * z * z).exp()
            };
            (CELLS, Box::new(weight))
        }
    };
    let mut shares = vec![1.0 / cells as f64; cells];
    for &place in places {
        let weights: Vec<f64> = (0..cells).map(|cell| weight(place, cell)).collect();
        let sum: f64 = weights.iter().sum();
        shares.iter_mut().zip(weights).for_each(|(share, weight)| *share += weight / sum);
    }
    shares.iter_mut().for_each(|share| *share /= count + 1.0);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Sampler, Settings, Space, Study};

    #[test]
    fn what_matters_more_is_found() {
        let space = Space::new().with("idle", "uniform(0, 1)").unwrap().with("much", "log(1e-4, 1)").unwrap();
        let space = space.with("some", "choice(a, b, c)").unwrap();
        let objective = |settings: &Settings| {
            let some = if settings.word("some") == Some("b") { 0.0 } else { 0.5 };
            (settings.number("much").unwrap().log10() + 2.0).powi(2) + some
        };
        let study = Study::new(space).sampler(Sampler::Random).trials(200).run(&objective).unwrap();
        let found = importance(&study);
        assert_eq!(found.iter().map(|found| found.0.as_str()).collect::<Vec<_>>(), ["much", "some", "idle"]);
        assert!(found[0].1 > 0.6 && found[2].1 < 0.15, "{found:?}");
        assert!((found.iter().map(|found| found.1).sum::<f64>() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_few_trials_say_nothing() {
        let space = Space::new().with("x", "uniform(0, 1)").unwrap();
        let study = Study::new(space).trials(9).run(&|settings: &Settings| settings.number("x").unwrap());
        assert!(importance(&study.unwrap()).is_empty());
    }
}
