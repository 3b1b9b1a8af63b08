//! Several networks that are trained at once, and whose predictions are averaged.
//!
//! Each is a run of its own: with its own seed, early stopping, guard and checkpoints, and, where it is kept,
//! in a folder inside that of the whole, where it can be looked at, replayed and branched off as any other.
//! All go forward together, an epoch at a time, on as many threads as there are. The whole has a log of its
//! own, which tells after every epoch what the average would be if all stopped there.

mod advance;
mod together;

use downhill_core::random::{Purpose, derived_seed};
use downhill_data::{Dataset, Folds};
use serde::{Deserialize, Serialize};

use crate::trainer::Target;
use crate::{Error, Fold, Source, Trained, Trainer};

/// Several networks whose predictions are averaged: the `[ensemble]` of a `run.toml`.
///
/// Each has a seed of its own, which is a function of the run's; the first has the run's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ensemble {
    /// So many networks, at least 2, that are trained and validated on the same rows.
    Members(usize),
    /// A network for each fold of a cross-validation, trained without the rows that it is validated on.
    Folds(Folds),
}

/// More networks than this are taken for a mistake: they are in memory at once.
const MOST: usize = 1000;

impl Ensemble {
    /// The number of networks.
    pub fn count(&self) -> usize {
        match self {
            Self::Members(count) => *count,
            Self::Folds(folds) => folds.count,
        }
    }

    /// Whether it is of several networks, and of no more than can be meant.
    ///
    /// # Errors
    ///
    /// If not, or the folds cannot be.
    pub fn check(&self) -> Result<(), Error> {
        match self {
            Self::Folds(folds) => folds.check()?,
            Self::Members(count) if *count < 2 => {
                let one = format!("an average is of at least 2 networks, and not of {count}");
                return Err(Error::Mismatch(one));
            }
            Self::Members(_) => {}
        }
        match self.count() {
            ..=MOST => Ok(()),
            count => {
                Err(Error::Mismatch(format!("{count} networks are more than the {MOST} that there may be")))
            }
        }
    }

    /// The seed of one of the networks, in a run of this seed.
    pub fn seed(seed: u64, member: usize) -> u64 {
        match member {
            0 => seed,
            _ => derived_seed(seed, Purpose::Member, member as u64),
        }
    }

    /// Where the data of one of the networks comes from, in a run of this seed.
    pub(crate) fn source(&self, of: &Source, seed: u64, member: usize) -> Source {
        let split_seed = Some(of.split_seed.unwrap_or(seed));
        let fold = match self {
            Self::Members(_) => of.fold.clone(),
            Self::Folds(folds) => Some(Fold { number: member, of: folds.clone() }),
        };
        Source { split_seed, fold, ..of.clone() }
    }

    /// Whether each network has rows of its own.
    pub(crate) fn is_of_folds(&self) -> bool {
        match self {
            Self::Members(_) => false,
            Self::Folds(_) => true,
        }
    }
}

/// The data of one of the networks, where `data` is of each, or one for all.
pub(crate) fn data_of(data: &[Dataset], member: usize) -> &Dataset {
    if data.len() == 1 { &data[0] } else { &data[member] }
}

impl Trainer {
    /// Trains so many networks at once, with seeds of their own, and averages their predictions. The rate is
    /// found once for all; everything else, as early stopping, is for each alone. Default 1.
    pub fn members(mut self, count: usize) -> Self {
        self.ensemble = (count != 1).then_some(Ensemble::Members(count));
        self
    }

    /// Trains a network for each of these folds of the data that [`fit_in`](Self::fit_in) reads, and averages
    /// their predictions: cross-validation.
    pub fn folds(mut self, folds: Folds) -> Self {
        self.ensemble = Some(Ensemble::Folds(folds));
        self
    }

    /// Trains a network on each of several data sets, such as the folds of
    /// [`Target::folds`](downhill_data::Target::folds), at once, and averages their predictions. The
    /// [summary](crate::Summary::ensemble) says the mean of their validation losses and of their scores, with
    /// standard errors.
    ///
    /// ```
    /// use downhill_data::{Folds, Table};
    /// use downhill_train::{Network, Trainer};
    ///
    /// let folds = Table::bundled("wine")?.target("cultivar").folds(&Folds::new(3), 7)?;
    /// let trained = Trainer::new(Network::mlp([16])).lr(0.01).epochs(20).seed(7).fit_folds(&folds)?;
    /// let each = trained.summary().ensemble.as_ref().unwrap();
    /// assert!(each.mean_score.unwrap() > 0.9 && each.score_error.unwrap() < 0.05);
    /// # Ok::<(), downhill_train::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), or if there are fewer than two, or they do not have the same target.
    pub fn fit_folds(self, folds: &[Dataset]) -> Result<Trained, Error> {
        let ensemble = Ensemble::Folds(Folds::new(folds.len()));
        self.go_together(folds, &ensemble, Target::Memory)
    }
}
