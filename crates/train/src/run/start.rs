//! Where a run begins or goes on: at its start, at a checkpoint, or at the start of a branch.

use std::path::Path;

use downhill_data::Dataset;
use downhill_run::Channels;
use downhill_schedule::Position;

use super::Run;
use crate::checkpoint::{self, Loaded, Origin};
use crate::source::fingerprint;
use crate::{Error, Event, RunConfig, RunFolder};

impl Run<'_> {
    /// What a person should know of how the weights begin.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.engine.model().params().len()
    }

    /// Takes what the run tells and is told, and where it is kept.
    pub(crate) fn set_channels(&mut self, channels: Channels) {
        self.channels = channels;
    }

    pub(crate) fn channels_mut(&mut self) -> &mut Channels {
        &mut self.channels
    }

    /// Tells an event.
    pub(crate) fn tell(&mut self, event: &Event) -> Result<(), Error> {
        Ok(self.channels.tell(event)?)
    }

    /// What the run's log begins with, or goes on with; where the run is kept, with the fingerprint of its
    /// data.
    pub(crate) fn first_event(&self) -> Event {
        let Position { step, steps_per_epoch, total_steps } = self.position();
        if !self.is_at_its_start() {
            let steps_executed = self.progress.steps_executed;
            return Event::Resume { step, steps_executed, total_steps, steps_per_epoch };
        }
        let data = std::slice::from_ref(self.engine.data());
        let fingerprint = self.channels.folder.is_some().then(|| self.origin().data.clone());
        start_event(data, (total_steps, steps_per_epoch), self.parameters(), fingerprint)
    }

    /// Goes to the latest checkpoint in a folder that can be read, and returns notes on those that cannot.
    ///
    /// Where there is none yet, the run is at its start.
    pub(crate) fn restore_latest(&mut self, folder: &RunFolder) -> Result<Vec<String>, Error> {
        let mut damaged = Vec::new();
        for step in folder.steps()? {
            match self.restore_from(&folder.checkpoint(step)) {
                Ok(()) => {
                    let note = |what| format!("{what}: going back to the one before it");
                    return Ok(damaged.into_iter().map(note).collect());
                }
                Err(Error::Record(downhill_run::Error::Damaged { path, why })) => {
                    damaged.push(format!("the checkpoint {} is damaged ({why})", path.display()));
                }
                Err(error) => return Err(error),
            }
        }
        if damaged.is_empty() {
            self.restore_start(folder)?;
            return Ok(damaged);
        }
        Err(Error::NoCheckpoint { run: folder.path().to_path_buf(), damaged })
    }

    /// Goes to the state in a checkpoint.
    pub(crate) fn restore_from(&mut self, checkpoint: &Path) -> Result<(), Error> {
        let Loaded { progress, last, origin, best, rollback_point } =
            checkpoint::load(checkpoint, &mut self.engine)?;
        let changed = |what: &str| {
            Err(Error::Mismatch(format!(
                "the {what} is not what the run was trained with: it has changed since, and the run cannot go on as if \
                 it had not; train again"
            )))
        };
        if origin.data != self.origin().data {
            return changed("data");
        }
        if !self.config.has_fingerprint(&origin.config) {
            return changed("configuration, run.toml,");
        }
        (self.progress, self.last, self.best) = (progress, last, best);
        (self.rollback_point, self.best_outputs) = (rollback_point, None);
        self.checkpoints.unsaved = false;
        Ok(())
    }

    /// Goes to the start of a run: for a branch, that is a state of another run.
    pub(crate) fn restore_start(&mut self, folder: &RunFolder) -> Result<(), Error> {
        let path = folder.start_path();
        if !path.exists() {
            if RunConfig::of(folder)?.parent.is_some() {
                return Err(Error::Mismatch(format!(
                    "the branch {} was cut off before it began, and has no {}; branch off again",
                    folder.path().display(),
                    path.file_name().unwrap_or_default().to_string_lossy()
                )));
            }
            return Ok(());
        }
        self.restore_from(&path)?;
        self.began_at = self.progress.steps_executed;
        Ok(())
    }

    /// Writes the state that a branch begins with.
    pub(crate) fn save_start(&self, folder: &RunFolder) -> Result<(), Error> {
        checkpoint::save(&folder.start_path(), &self.whole(self.origin().clone()))
    }

    /// The fingerprints of what the run is a function of.
    pub(super) fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| Origin {
            data: fingerprint(self.engine.data()),
            config: self.config.fingerprint(),
        })
    }

    /// Whether no step has been executed.
    pub(crate) fn is_at_its_start(&self) -> bool {
        self.progress.steps_executed == self.began_at
    }
}

/// What a log begins with: of the data of a run, or of each of several networks, with the steps of all and of
/// an epoch.
pub(crate) fn start_event(
    data: &[Dataset],
    (total_steps, steps_per_epoch): (u64, u64),
    parameters: usize,
    data_fingerprint: Option<String>,
) -> Event {
    let last = data.last().expect("there is data");
    Event::Start {
        version: env!("CARGO_PKG_VERSION").into(),
        dataset: last.name.clone(),
        features: last.features() as u64,
        classes: last.classes().map(|classes| classes as u64),
        total_steps,
        steps_per_epoch,
        train_rows: last.train.rows() as u64,
        valid_rows: data.iter().map(|data| data.valid.rows() as u64).sum(),
        parameters: parameters as u64,
        data_fingerprint,
    }
}
