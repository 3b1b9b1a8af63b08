//! The flags of several networks whose predictions are averaged.

use clap::Args;
use downhill::data::{Folds, TimeOrder};
use downhill::train::{Ensemble, RunConfig, Validation};

use super::number::{folds, networks};
use super::preset::Preset;

#[derive(Args)]
#[command(next_help_heading = "Several networks")]
pub struct EnsembleArgs {
    /// Train this many networks at once, with seeds of their own, and average their predictions: the rate is
    /// found once, and each keeps its own best weights. [default: 1, and 8 with --preset best]
    #[arg(long, value_name = "N", value_parser = networks, allow_hyphen_values = true)]
    #[arg(conflicts_with = "folds")]
    pub members: Option<usize>,

    #[command(flatten)]
    pub folds: FoldsArgs,
}

// Rows that are divided for cross-validation.
#[derive(Args)]
pub struct FoldsArgs {
    /// Cross-validate: train this many networks, each without a part of the rows, of every class alike, that
    /// it is validated on; say the mean of their losses and scores, and average their predictions.
    #[arg(long, value_name = "N", value_parser = folds, allow_hyphen_values = true)]
    #[arg(conflicts_with = "valid")]
    pub folds: Option<usize>,

    /// With --folds: rows with the same value of this column are never both trained and validated on. It is
    /// no input of the network.
    #[arg(long, value_name = "COLUMN", requires = "folds", allow_hyphen_values = true)]
    pub group_by: Option<String>,

    /// With --folds: train on what comes first and validate on what comes next, in the order of the file, or
    /// of a column of numbers or dates.
    #[arg(long, value_name = "COLUMN", requires = "folds", conflicts_with = "group_by")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub time_split: Option<String>,
}

impl EnsembleArgs {
    pub fn apply(&self, preset: Option<Preset>, config: &mut RunConfig) {
        if let Some(count) = self.members.or(preset.map(Preset::members)) {
            config.ensemble = (count != 1).then_some(Ensemble::Members(count));
        }
        self.folds.apply(config);
    }
}

impl FoldsArgs {
    /// The folds, if there are to be any.
    pub fn folds(&self) -> Option<Folds> {
        let time_split = self.time_split.as_ref().map(|column| match column.as_str() {
            "" => TimeOrder::File,
            column => TimeOrder::Column(column.into()),
        });
        self.folds.map(|count| Folds { count, group_by: self.group_by.clone(), time_split })
    }

    /// Cross-validates, if there are to be folds.
    pub fn apply(&self, config: &mut RunConfig) {
        let Some(folds) = self.folds() else { return };
        config.ensemble = Some(Ensemble::Folds(folds));
        divide(config);
    }
}

/// Takes away what a configuration file says another run was validated on: here it is folds.
pub fn divide(config: &mut RunConfig) {
    config.data.fold = None;
    config.data.valid.take_if(|valid| matches!(valid, Validation::Share(_)));
}
