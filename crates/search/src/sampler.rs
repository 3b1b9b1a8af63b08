//! What to try next.

mod coarse_to_fine;
mod grid;
mod random;
mod sobol;
mod tpe;

use std::fmt;
use std::str::FromStr;

use downhill_core::nearest;
use downhill_core::random::{Purpose, stream};
use rand::RngExt;
use serde::{Deserialize, Serialize};

use crate::{Domain, Error, Settings, Space};

/// How the settings of the next trial are chosen: a pure function of the space, the seed, the number of the
/// trial, and the trials that it may know of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sampler {
    /// Every combination of options, three places along each domain that is continuous; the study ends after
    /// the last.
    Grid,
    /// Any point, each as likely as any other.
    Random,
    /// Points that fill the space evenly: Sobol's sequence with the direction numbers of [Joe and Kuo
    /// (2008)][1], shifted by the seed. For at most 21 settings.
    ///
    /// [1]: https://doi.org/10.1137/070709359
    Sobol,
    /// The multivariate tree-structured Parzen estimator: [Bergstra et al. (2011)][1], over all settings at
    /// once as in [BOHB, Falkner et al. (2018)][2].
    ///
    /// [1]: https://papers.nips.cc/paper/4443
    /// [2]: https://arxiv.org/abs/1807.01774
    #[default]
    Tpe,
    /// Random points, then again in a smaller box around the best ones, again and again.
    CoarseToFine,
}

/// A trial that a suggestion may know of.
#[derive(Clone, Debug, PartialEq)]
pub struct Observation {
    /// Its place on each domain, [`ABSENT`](crate::space::ABSENT) of a setting that it has not.
    pub(crate) point: Vec<f64>,
    /// How many epochs its value is after.
    pub(crate) epochs: u64,
    /// What is minimised; none if it failed, or its first result is not known yet.
    pub(crate) cost: Option<f64>,
    /// Whether no result of it is known yet, because it is under way.
    pub(crate) pending: bool,
}

const ALL: [Sampler; 5] =
    [Sampler::Grid, Sampler::Random, Sampler::Sobol, Sampler::Tpe, Sampler::CoarseToFine];

impl Sampler {
    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Grid => "grid",
            Self::Random => "random",
            Self::Sobol => "sobol",
            Self::Tpe => "tpe",
            Self::CoarseToFine => "coarse-to-fine",
        }
    }

    /// Fails if it cannot suggest points of this space.
    pub(crate) fn check(self, space: &Space) -> Result<(), Error> {
        match self {
            Self::Sobol if space.len() > sobol::MOST => Err(Error::Mismatch(format!(
                "the sampler sobol is for at most {} settings, and these are {}; take tpe or random",
                sobol::MOST,
                space.len()
            ))),
            Self::Grid if grid::size(&space.domains()).is_none_or(|size| size > grid::MOST) => {
                Err(Error::Mismatch(format!(
                    "the grid of this space has more than {} points; search fewer settings, or take tpe \
                     or random",
                    grid::MOST
                )))
            }
            Self::Grid | Self::Random | Self::Sobol | Self::Tpe | Self::CoarseToFine => Ok(()),
        }
    }

    /// Whether what it suggests depends on the results.
    pub fn learns(self) -> bool {
        match self {
            Self::Tpe | Self::CoarseToFine => true,
            Self::Grid | Self::Random | Self::Sobol => false,
        }
    }

    /// Whether it begins near what is believed to be good beforehand, if anything is.
    pub(crate) fn has_prior(self) -> bool {
        match self {
            Self::Tpe => true,
            Self::Grid | Self::Random | Self::Sobol | Self::CoarseToFine => false,
        }
    }

    /// The settings of the trial with this number, counted from 0, given what is `seen`, in logical order, and
    /// the points of the space that are believed to be good before anything is seen; none if there is nothing
    /// left to try. With it, why it is that one, in words.
    pub fn suggest(
        self,
        space: &Space,
        seed: u64,
        number: u64,
        seen: &[Observation],
        prior: &[Vec<f64>],
    ) -> Option<(Settings, String)> {
        let domains = space.domains();
        let mut draw = Draw(stream(seed, Purpose::Suggest, number));
        let (point, why) = match self {
            Self::Grid => (grid::point_of(space, number)?, "the next point of the grid".to_string()),
            Self::Random => (random::point(&domains, &mut draw), "drawn at random".to_string()),
            Self::Sobol => {
                (sobol::point(&domains, seed, number), "the next point of Sobol's sequence".to_string())
            }
            Self::Tpe => tpe::point(space, &mut draw, seen, prior),
            Self::CoarseToFine => coarse_to_fine::point(&domains, &mut draw, number, seen),
        };
        Some((space.settings(&point), why))
    }
}

impl fmt::Display for Sampler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Sampler {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        ALL.into_iter().find(|sampler| sampler.name() == text.trim()).ok_or_else(|| {
            let names = ALL.map(Self::name);
            Error::spelling(
                text,
                match nearest(text, names) {
                    Some(meant) => format!("not a sampler; did you mean `{meant}`?"),
                    None => format!("not a sampler; there is `{}`", names.join("`, `")),
                },
            )
        })
    }
}

/// The observations in order, the best first: by how far they came, since those that lead are promoted, then
/// by their cost; those that failed and, behind them, those under way come last, and of equals the earlier
/// ones first.
pub(crate) fn order(seen: &[Observation]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..seen.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (&seen[a], &seen[b]);
        a.pending
            .cmp(&b.pending)
            .then(a.cost.is_none().cmp(&b.cost.is_none()))
            .then(b.epochs.cmp(&a.epochs))
            .then(a.cost.unwrap_or(f64::INFINITY).total_cmp(&b.cost.unwrap_or(f64::INFINITY)))
    });
    order
}

/// Random numbers.
struct Draw<R>(R);

impl<R: RngExt> Draw<R> {
    /// A number in [0, 1).
    fn share(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// A number below `count`.
    fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    /// Any place on a domain.
    fn place(&mut self, domain: &Domain) -> f64 {
        match domain {
            Domain::Choice(words) => self.below(words.len()) as f64,
            Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } | Domain::Int { .. } => {
                self.share()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        let space = Space::new().with("x", "uniform(-5, 5)").unwrap().with("rate", "log(1e-5, 1)").unwrap();
        space.with("n", "int(1, 8)").unwrap().with("kind", "choice(a, b, c, d)").unwrap()
    }

    fn known(point: Vec<f64>, cost: Option<f64>) -> Observation {
        Observation { point, epochs: 1, cost, pending: false }
    }

    /// At its least, 0, at x 1.5, a rate of 0.01, n 6 and kind c.
    fn cost(settings: &Settings) -> f64 {
        let number = |name: &str| settings.number(name).unwrap();
        let kind = if settings.word("kind") == Some("c") { 0.0 } else { 2.0 };
        let rate = (number("rate").log10() + 2.0).powi(2);
        (number("x") - 1.5).powi(2) + rate + 0.2 * (number("n") - 6.0).abs() + kind
    }

    /// The least cost among some trials, each made with all before it seen.
    fn best(sampler: Sampler, seed: u64, trials: u64) -> f64 {
        let (space, mut seen) = (space(), Vec::new());
        for number in 0..trials {
            let (settings, _) = sampler.suggest(&space, seed, number, &seen, &[]).unwrap();
            let point = space.point(&settings).unwrap();
            seen.push(known(point, Some(cost(&settings))));
        }
        seen.iter().filter_map(|seen| seen.cost).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn those_that_learn_beat_random_over_thirty_seeds() {
        let mean = |sampler| (0..30).map(|seed| best(sampler, seed, 60)).sum::<f64>() / 30.0;
        let (random, tpe, fine) = (mean(Sampler::Random), mean(Sampler::Tpe), mean(Sampler::CoarseToFine));
        assert!(tpe < 0.5 * random, "tpe {tpe}, random {random}");
        assert!(fine < 0.8 * random, "coarse-to-fine {fine}, random {random}");
        let wins =
            (0..30).filter(|&seed| best(Sampler::Tpe, seed, 60) < best(Sampler::Random, seed, 60)).count();
        assert!(wins >= 24, "{wins} of 30");
    }

    #[test]
    fn conditions_are_kept_and_found_useful() {
        let space = Space::new().with("kind", "choice(a, b)").unwrap();
        let space = space.with("x", "uniform(0, 1) if kind=a").unwrap();
        let space = space.with("y", "uniform(0, 1) if kind=b").unwrap();
        for sampler in ALL {
            let (mut seen, mut best) = (Vec::new(), f64::INFINITY);
            for number in 0..60 {
                let Some((settings, _)) = sampler.suggest(&space, 3, number, &seen, &[]) else { break };
                let is_a = settings.word("kind") == Some("a");
                assert_eq!((settings.number("x").is_some(), settings.number("y").is_some()), (is_a, !is_a));
                let cost = match settings.number("x") {
                    Some(x) => (x - 0.3).abs() + 0.5,
                    None => (settings.number("y").unwrap() - 0.8).abs(),
                };
                best = best.min(cost);
                seen.push(known(space.point(&settings).unwrap(), Some(cost)));
            }
            assert!(sampler == Sampler::Grid || best < 0.05, "{sampler}: {best}");
        }
    }

    #[test]
    fn a_suggestion_is_a_function_of_its_arguments() {
        let space = space();
        let seen: Vec<Observation> = (0..30)
            .map(|number| {
                let (settings, _) = Sampler::Random.suggest(&space, 1, number, &[], &[]).unwrap();
                let cost = (number % 7 != 0).then(|| cost(&settings));
                known(space.point(&settings).unwrap(), cost)
            })
            .collect();
        for sampler in ALL {
            let suggest = |seed, number| sampler.suggest(&space, seed, number, &seen, &[]).unwrap();
            assert_eq!(suggest(3, 40), suggest(3, 40), "{sampler}");
            assert_ne!(suggest(3, 40).0, suggest(3, 41).0, "{sampler}");
            if sampler != Sampler::Grid {
                assert_ne!(suggest(3, 40).0, suggest(4, 40).0, "{sampler}");
            }
        }
    }

    #[test]
    fn names_are_read_and_misspelt_ones_are_told() {
        for sampler in ALL {
            assert_eq!(sampler.name().parse::<Sampler>().unwrap(), sampler);
        }
        assert!("tpee".parse::<Sampler>().unwrap_err().to_string().contains("did you mean `tpe`"));
        assert!("x".parse::<Sampler>().unwrap_err().to_string().contains("coarse-to-fine"));
    }

    #[test]
    fn too_many_settings_for_sobol_and_the_grid_are_told() {
        let many = (0..22).try_fold(Space::new(), |space, n| space.with(&format!("s{n}"), "uniform(0, 1)"));
        let many = many.unwrap();
        assert!(Sampler::Sobol.check(&many).unwrap_err().to_string().contains("at most 21"));
        assert!(Sampler::Grid.check(&many).unwrap_err().to_string().contains("more than"));
        assert!(Sampler::Tpe.check(&many).is_ok());
    }
}
