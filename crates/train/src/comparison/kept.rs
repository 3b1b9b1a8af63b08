//! A run of a comparison that is there already, in whole or in part.

use downhill_data::Dataset;

use super::Shelf;
use crate::run_config::data_fingerprint;
use crate::trainer::Target;
use crate::{Config, Error, Event, RunConfig, RunFolder, Stop, Trained, Trainer, fingerprint, log};

/// A run of the same settings and data that is kept in a folder.
pub(super) struct KeptRun {
    folder: RunFolder,
    config: Config,
    /// What its log says.
    pub events: Vec<Event>,
    /// Whether it needs no step any more.
    pub is_over: bool,
}

impl KeptRun {
    /// Looks for it by its name, or that name with a number, which is what a folder is called where there is
    /// another one. One that was told something by hand is another run.
    pub fn find(name: &str, config: &Config, data: &Dataset, shelf: Shelf<'_>) -> Option<Self> {
        let mut names =
            std::iter::once(name.to_string()).chain((2..).map(|number| format!("{name}-{number}")));
        let found = |path| Self::open(path, config, data, shelf);
        names.by_ref().map(|name| shelf.runs.join(name)).take_while(|path| path.exists()).find_map(found)
    }

    fn open(path: std::path::PathBuf, config: &Config, data: &Dataset, shelf: Shelf<'_>) -> Option<Self> {
        let folder = RunFolder::open(&path).ok()?;
        let its = RunConfig::of_one(&folder).ok()?;
        // A rate that was found is the same for the same settings.
        let mut wanted = config.clone();
        if wanted.lr.is_none() {
            wanted.lr.clone_from(&its.training.lr);
        }
        let same = its.parent.is_none() && its.training == wanted && its.data == shelf.source.spelled_out();
        if !same || folder.is_under_way() {
            return None;
        }
        let (records, _) = log::read(&folder.log_path()).ok()?;
        let events: Vec<Event> = records.into_iter().map(|record| record.event).collect();
        let is_told = |event: &Event| matches!(event, Event::Command { .. });
        if !matches!(events.first(), Some(Event::Start { .. })) || events.iter().any(is_told) {
            return None;
        }
        if data_fingerprint(&folder).is_some_and(|then| then != fingerprint(data)) {
            return None;
        }
        let stop = events.iter().rev().find_map(|event| match event {
            Event::Stop { reason, .. } => Some(Some(*reason)),
            Event::Epoch(_) => Some(None),
            _ => None,
        });
        let is_over =
            matches!(stop.flatten(), Some(Stop::Finished | Stop::EarlyStopping | Stop::Diverged { .. }));
        Some(Self { folder, config: its.training, events, is_over })
    }

    /// Makes what is still to be made of it, and gives what it came to.
    pub fn go_on(self, mut trainer: Trainer, data: &Dataset) -> Result<Trained, Error> {
        let diverged = self.events.iter().rev().find_map(|event| match event {
            Event::Stop { step, reason: Stop::Diverged { lr }, .. } => Some((*step, *lr)),
            _ => None,
        });
        let learned = self.events.iter().any(|event| matches!(event, Event::Epoch(_)));
        if let (Some((step, lr)), false) = (diverged, learned) {
            return Err(Error::Diverged { step, epoch: 0, lr });
        }
        trainer.config = self.config;
        trainer.go(data, Target::Resume(self.folder))
    }
}
