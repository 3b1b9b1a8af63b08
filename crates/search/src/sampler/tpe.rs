//! The tree-structured Parzen estimator, over all settings at once.
//!
//! The trials seen are split into the best and the others. Each part is a mixture of densities over the whole
//! space, one for each of its trials and a wide one, which is what is believed before anything is known.
//! Points are drawn from that of the best, and the one is taken at which it is largest beside that of the
//! others: J. Bergstra et al., "Algorithms for Hyper-Parameter Optimization" (2011). That a density is of all
//! settings at once, as in S. Falkner et al., "BOHB" (2018), lets it see which settings go together. The
//! widths are Scott's rule with the factor of Optuna's, cut off below as there; both, and the share of the
//! best, were chosen with `bench/search`. What was tried is not tried again, since it would come to the same.

use rand::RngExt;

use super::{Draw, Observation, order, random};
use crate::space::ABSENT;
use crate::{Domain, Space};

/// The first trials are drawn at random.
const STARTUP: usize = 4;
/// The share of the trials that are the best, of which there are at most [`MOST_BEST`].
const BEST_SHARE: f64 = 0.15;
const MOST_BEST: usize = 25;
/// The width of a density is this for one point, and less for more, by Scott's rule.
const SCOTT: f64 = 0.14;
/// It is at least this, divided by the number of points and one, or by 100.
const LEAST_WIDTH: f64 = 0.7;
/// Of more trials than these that are not among the best, some say as much as all, in a fraction of the time.
const MOST_OTHERS: usize = 1000;
/// How many points are drawn to take the likeliest of.
const CANDIDATES: usize = 24;

pub(super) fn point<R: RngExt>(
    space: &Space,
    draw: &mut Draw<R>,
    seen: &[Observation],
    prior: &[Vec<f64>],
) -> (Vec<f64>, String) {
    let domains = &space.domains()[..];
    let fit = seen.iter().filter(|seen| seen.cost.is_some()).count();
    if fit < STARTUP {
        let known = format!("{fit} of the {STARTUP} results that the estimator needs are known");
        if prior.is_empty() {
            return (random::point(domains, draw), format!("drawn at random: {known}"));
        }
        let before = Mixture::new(domains, prior.iter().map(Vec::as_slice).collect());
        return (before.draw(draw), format!("near what was good before: {known}"));
    }
    let count = ((BEST_SHARE * fit as f64).ceil() as usize).min(MOST_BEST);
    let order = order(seen);
    let points = |part: &[usize]| part.iter().map(|&at| seen[at].point.as_slice()).collect::<Vec<_>>();
    let best = Mixture::new(domains, points(&order[..count]));
    let stride = (order.len() - count).div_ceil(MOST_OTHERS).max(1);
    // Those under way are the last, and all of them are there, so that nothing near them is suggested.
    let known = order.len() - seen.iter().filter(|seen| seen.pending).count();
    let others = order[count..].iter().enumerate();
    let others = others.filter(|(at, _)| at % stride == 0 || count + at >= known);
    let others: Vec<usize> = others.map(|(_, &at)| at).collect();
    let others = Mixture::new(domains, points(&others));
    let drawn: Vec<Vec<f64>> = (0..CANDIDATES).map(|_| as_seen(space, best.draw(draw))).collect();
    let is_new = |point: &Vec<f64>| seen.iter().all(|seen| seen.point != *point);
    let candidates = drawn.into_iter().filter(is_new).map(|point| {
        let gain = best.log_density(&point) - others.log_density(&point);
        (point, gain)
    });
    // The first of equals, so that the choice is a function of the draws.
    let Some((point, _)) = candidates.reduce(|a, b| if b.1.total_cmp(&a.1).is_gt() { b } else { a }) else {
        return (random::point(domains, draw), "drawn at random: what is near the best was tried".into());
    };
    let known = seen.iter().filter(|seen| !seen.pending).count();
    (point, format!("near the best {count} of {known} trials and far from the others"))
}

/// The point as it is once it was seen: with whole numbers where the place of one stands for it, and without
/// the settings that are not there.
fn as_seen(space: &Space, mut point: Vec<f64>) -> Vec<f64> {
    for ((_, domain), place) in space.iter().zip(&mut point) {
        if matches!(domain, Domain::Int { .. }) {
            *place = domain.place(&domain.value(*place)).unwrap_or(*place);
        }
    }
    space.mask(&mut point);
    point
}

/// A mixture of products of densities, all of the same weight: one around each point, and the prior.
struct Mixture {
    /// Of each component, a density along each domain.
    components: Vec<Vec<Kernel>>,
}

impl Mixture {
    fn new(domains: &[&Domain], points: Vec<&[f64]>) -> Self {
        let count = points.len() as f64;
        let scott = SCOTT * count.max(1.0).powf(-1.0 / (domains.len() as f64 + 4.0));
        let width = scott.max(LEAST_WIDTH / (1.0 + count).min(100.0)).min(1.0);
        let prior = |domain: &&Domain| match domain {
            Domain::Choice(words) => Kernel::options(words.len(), 0, 1.0),
            Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } | Domain::Int { .. } => {
                Kernel::normal(0.5, 1.0)
            }
        };
        let around = |point: &[f64]| {
            let kernel = |(domain, &place): (&&Domain, &f64)| match domain {
                // Of one that has not the setting, nothing is known about it.
                _ if place == ABSENT => prior(domain),
                // The prior counts as one more of the points, spread over all options.
                Domain::Choice(words) => {
                    let spread = words.len() as f64 / (count + 1.0);
                    Kernel::options(words.len(), place as usize, spread / (spread + 1.0))
                }
                Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } | Domain::Int { .. } => {
                    Kernel::normal(place, width)
                }
            };
            domains.iter().zip(point).map(kernel).collect()
        };
        let mut components: Vec<Vec<Kernel>> = points.iter().map(|point| around(point)).collect();
        components.push(domains.iter().map(prior).collect());
        Self { components }
    }

    fn draw<R: RngExt>(&self, draw: &mut Draw<R>) -> Vec<f64> {
        let component = draw.below(self.components.len());
        self.components[component].iter().map(|kernel| kernel.draw(draw)).collect()
    }

    fn log_density(&self, point: &[f64]) -> f64 {
        let along = |kernels: &Vec<Kernel>| -> f64 {
            let there = kernels.iter().zip(point).filter(|(_, place)| **place != ABSENT);
            there.map(|(kernel, &place)| kernel.log_density(place)).sum()
        };
        let logs: Vec<f64> = self.components.iter().map(along).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + (logs.iter().map(|log| (log - most).exp()).sum::<f64>() / logs.len() as f64).ln()
    }
}

/// A density along one domain.
enum Kernel {
    /// A normal distribution that is cut off at the ends of [0, 1], with the logarithm of what it is divided
    /// by.
    Normal { mean: f64, width: f64, log_divisor: f64 },
    /// The share `others` is spread over all options, and the rest is the likeliest one's; with the logarithms
    /// of the density of that one and of the others.
    Options { options: usize, likeliest: usize, others: f64, logs: [f64; 2] },
}

impl Kernel {
    fn normal(mean: f64, width: f64) -> Self {
        let inside = normal_share((1.0 - mean) / width) - normal_share(-mean / width);
        let divisor = width * (2.0 * std::f64::consts::PI).sqrt() * inside;
        Self::Normal { mean, width, log_divisor: divisor.ln() }
    }

    fn options(options: usize, likeliest: usize, others: f64) -> Self {
        let each = others / options as f64;
        Self::Options { options, likeliest, others, logs: [(1.0 - others + each).ln(), each.ln()] }
    }

    fn log_density(&self, place: f64) -> f64 {
        match self {
            Self::Normal { mean, width, log_divisor } => {
                let z = (place - mean) / width;
                -0.5 * z * z - log_divisor
            }
            Self::Options { likeliest, logs, .. } => logs[usize::from(place as usize != *likeliest)],
        }
    }

    fn draw<R: RngExt>(&self, draw: &mut Draw<R>) -> f64 {
        match self {
            // Drawn until it is inside, which is about every third time at least: the mean is.
            Self::Normal { mean, width, .. } => loop {
                let place = mean + width * normal(draw);
                if (0.0..=1.0).contains(&place) {
                    return place;
                }
            },
            Self::Options { options, likeliest, others, .. } => {
                if draw.share() < *others {
                    draw.below(*options) as f64
                } else {
                    *likeliest as f64
                }
            }
        }
    }
}

/// A standard normal number, by Box and Muller's transform.
fn normal<R: RngExt>(draw: &mut Draw<R>) -> f64 {
    let (u, v) = (1.0 - draw.share(), draw.share());
    (-2.0 * u.ln()).sqrt() * (2.0 * std::f64::consts::PI * v).cos()
}

/// The share of the standard normal distribution below `z`: Abramowitz and Stegun, 7.1.26, to 1.5e-7.
fn normal_share(z: f64) -> f64 {
    let x = z.abs() / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [1.061_405_429, -1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592];
    let polynomial = series.iter().fold(0.0, |sum, c| sum * t + c) * t;
    let erf = 1.0 - polynomial * (-x * x).exp();
    0.5 * (1.0 + erf.copysign(z))
}

#[cfg(test)]
mod tests {
    use downhill_core::random::{Purpose, stream};

    use super::*;

    #[test]
    fn densities_come_to_one() {
        let range: Domain = "uniform(0, 1)".parse().unwrap();
        let choice: Domain = "choice(a, b, c)".parse().unwrap();
        let domains = [&range, &choice];
        let points: [&[f64]; 3] = [&[0.02, 0.0], &[0.5, 2.0], &[1.0, 2.0]];
        let mixture = Mixture::new(&domains, points.to_vec());
        let cells = 4000;
        let mut sum = 0.0;
        for cell in 0..cells {
            for option in 0..3 {
                let point = [(f64::from(cell) + 0.5) / f64::from(cells), f64::from(option)];
                sum += mixture.log_density(&point).exp() / f64::from(cells);
            }
        }
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }

    #[test]
    fn what_is_drawn_is_where_the_density_is() {
        let range: Domain = "uniform(0, 1)".parse().unwrap();
        let choice: Domain = "choice(a, b, c)".parse().unwrap();
        let domains = [&range, &choice];
        let points: [&[f64]; 2] = [&[0.1, 1.0], &[0.2, 1.0]];
        let mixture = Mixture::new(&domains, points.to_vec());
        let mut draw = Draw(stream(1, Purpose::Suggest, 0));
        let drawn: Vec<Vec<f64>> = (0..20_000).map(|_| mixture.draw(&mut draw)).collect();
        for option in 0..3 {
            for half in 0..2 {
                let inside = |p: &&Vec<f64>| p[1] == f64::from(option) && (p[0] >= 0.5) == (half == 1);
                let share = drawn.iter().filter(inside).count() as f64 / drawn.len() as f64;
                let cells = 500;
                let density: f64 = (0..cells)
                    .map(|cell| {
                        let x = 0.5 * f64::from(half) + 0.5 * (f64::from(cell) + 0.5) / f64::from(cells);
                        mixture.log_density(&[x, f64::from(option)]).exp() * 0.5 / f64::from(cells)
                    })
                    .sum();
                assert!((share - density).abs() < 0.015, "option {option}, half {half}: {share}, {density}");
            }
        }
    }

    #[test]
    fn the_share_below_is_the_known_one() {
        for (z, share) in [(0.0, 0.5), (1.0, 0.841_344_746), (-1.959_963_985, 0.025), (3.0, 0.998_650_102)] {
            assert!((normal_share(z) - share).abs() < 2e-7, "{z}");
        }
    }
}
