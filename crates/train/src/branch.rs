//! A new run that begins where another one was.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use downhill_core::excerpt;
use downhill_run::{CommandReplay, RunFolder, executed_at, log, path_text};

use crate::checkpoint;
use crate::run::Run;
use crate::trainer::{Target, check_threads, on_threads};
use crate::{Config, Error, Network, Parent, Progress, RunConfig, Trained, Trainer};

/// Where a branch begins, in a run: `12ep`, `best`, `step:1234`, `-3ep`, or `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BranchPoint {
    /// Where the run is, by its latest checkpoint.
    Last,
    /// At the end of its best epoch so far.
    Best,
    /// After so many epochs.
    Epochs(u64),
    /// So many epochs before the last one that ended did.
    EpochsBack(u64),
    /// Before this step, counted from 0.
    Step(u64),
}

impl FromStr for BranchPoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let epochs = |text: &str| text.strip_suffix("ep").and_then(|number| number.parse().ok());
        let point = match text {
            "last" => Some(Self::Last),
            "best" => Some(Self::Best),
            _ if text.starts_with("step:") => text["step:".len()..].parse().ok().map(Self::Step),
            _ => match text.strip_prefix(['-', '−']) {
                Some(text) => epochs(text).map(Self::EpochsBack),
                None => epochs(text).map(Self::Epochs),
            },
        };
        point.ok_or_else(|| {
            let text = excerpt::word(text);
            format!(
                "`{text}` is no place in a run; give 12ep (after 12 epochs), -3ep (3 epochs before its last one), step:1234, \
                 best or last"
            )
        })
    }
}

impl fmt::Display for BranchPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str("last"),
            Self::Best => f.write_str("best"),
            Self::Epochs(epochs) => write!(f, "{epochs}ep"),
            Self::EpochsBack(epochs) => write!(f, "-{epochs}ep"),
            Self::Step(step) => write!(f, "step:{step}"),
        }
    }
}

impl BranchPoint {
    /// The step that it means in a run that has come so far.
    fn step(self, progress: &Progress, steps_per_epoch: u64, run: &RunFolder) -> Result<u64, Error> {
        let run = run.path().display();
        let none = |what: &str| Err(Error::Mismatch(format!("the run {run} {what}")));
        let step = match self {
            Self::Last => progress.step,
            Self::Step(step) => step,
            Self::Epochs(epochs) => epochs.saturating_mul(steps_per_epoch),
            Self::Best => match &progress.best {
                Some(best) => best.epoch.step,
                None => return none("has no best epoch yet; branch off at a step, as with @step:100"),
            },
            Self::EpochsBack(back) => {
                let epochs = progress.step / steps_per_epoch;
                match epochs.checked_sub(back) {
                    Some(epochs) => epochs * steps_per_epoch,
                    None => return none(&format!("has only {epochs} epochs")),
                }
            }
        };
        if step > progress.step {
            return none(&format!(
                "has come to step {} ({} epochs) in its latest checkpoint, not to step {step}",
                progress.step,
                progress.step / steps_per_epoch
            ));
        }
        Ok(step)
    }
}

impl Trainer {
    /// Trains a new run that begins where another one was, and keeps it in a new folder inside `runs`.
    ///
    /// Everything of `config` may be another than in the parent's but the layers and how they are
    /// initialised: the rate, the optimizer, what holds back overfitting, the number of epochs, the data. The
    /// weights are the parent's at that step, before any command that it was given there; the rest of its
    /// state is taken over as far as both have it. The parent is not changed. Between its checkpoints, the
    /// steps from the one before are made again. The [commands](Trainer::command) of this trainer are the
    /// first that the branch applies.
    ///
    /// Without a name the branch is called after its parent.
    ///
    /// # Errors
    ///
    /// As [`fit_in`](Trainer::fit_in), if there is no such point, if the parent's data or checkpoints cannot
    /// be read, or if what changes cannot change.
    pub fn branch(
        mut self,
        parent: &RunFolder,
        at: BranchPoint,
        mut config: RunConfig,
        runs: &Path,
        name: Option<&str>,
    ) -> Result<Trained, Error> {
        let its = RunConfig::of_one(parent)?;
        let its_data = its.load_data(parent)?;
        let threads = check_threads(self.threads)?;
        if config.training.lr.is_none() {
            config.training.lr.clone_from(&its.training.lr);
        }
        let data = if config.data == its.data && config.training.seed == its.training.seed {
            its_data.clone()
        } else {
            config.data.load(config.training.seed)?
        };
        config.training = config.training.resolve(&data)?.0;
        let init = |config: &Config| match &config.network {
            Network::Mlp(mlp) => Some(mlp.init),
            Network::Layers(_) => None,
        };
        if init(&config.training) != init(&its.training) {
            return Err(Error::BranchInit);
        }
        let (folder, notes) = on_threads(threads, || {
            let mut old = Run::new(&its.training, &its_data, threads > 1)?;
            go_to(&mut old, parent, at)?;
            let mut new = Run::new(&config.training, &data, threads > 1)?;
            let notes = new.branch_from(&old)?;
            new.check_first_commands(&self.commands)?;
            config.parent = Some(Parent { run: absolute(parent.path()), step: new.position().step });
            let name = name.map_or_else(|| format!("{}-branch", parent.name()), str::to_string);
            let folder = config.create_folder(runs, Some(&name))?;
            new.save_start(&folder)?;
            Ok((folder, notes))
        })?;
        self.config = config.training;
        self.go(&data, Target::Branch(folder, notes))
    }
}

fn absolute(path: &Path) -> String {
    path_text::to_text(&std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
}

/// Brings a run to a point of it: from the nearest checkpoint before it, and the rest of the way step by
/// step.
fn go_to(run: &mut Run<'_>, folder: &RunFolder, at: BranchPoint) -> Result<(), Error> {
    let (records, _) = log::read(&folder.log_path())?;
    let mut checkpoints = Vec::new();
    for step in folder.steps()? {
        let path = folder.checkpoint(step);
        match checkpoint::progress(&path) {
            Ok(progress) => checkpoints.push((path, progress)),
            // There may be another one, or the run may have made room for a later one.
            Err(Error::Record(downhill_run::Error::Damaged { .. } | downhill_run::Error::Io { .. })) => {}
            Err(error) => return Err(error),
        }
    }
    run.restore_start(folder)?;
    let steps_per_epoch = run.position().steps_per_epoch;
    let latest = checkpoints.first().map_or(run.state(), |(_, progress)| progress);
    let step = at.step(latest, steps_per_epoch, folder)?;
    let executed = executed_at(&records, step);
    let mut replay = CommandReplay::of(&records);
    let applied = replay.before(executed);
    let fits = |progress: &Progress| progress.steps_executed <= executed && progress.commands <= applied;
    if let Some((path, _)) = checkpoints.iter().find(|(_, progress)| fits(progress)) {
        run.restore_from(path)?;
    } else if run.state().steps_executed > executed {
        return Err(Error::Mismatch(format!(
            "the run {} is a branch that begins at step {}, after step {step}: branch off its parent",
            folder.path().display(),
            run.state().step
        )));
    }
    replay.skip(run.state().commands);
    run.channels_mut().replay = replay;
    while run.state().steps_executed != executed && run.advance()?.is_none() {}
    if run.state().steps_executed != executed {
        return Err(Error::Mismatch(format!(
            "the steps of the run {} up to step {step}, made again, end at step {}: the program or the machine is another \
             now; branch off at a checkpoint, as with @last",
            folder.path().display(),
            run.state().step
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_as_they_are_written() {
        for text in ["last", "best", "12ep", "-3ep", "step:1234"] {
            assert_eq!(text.parse::<BranchPoint>().unwrap().to_string(), text);
        }
        for text in
            ["", "12", "ep", "-ep", "1.5ep", "--3ep", "step:", "step:-1", "Best", "99999999999999999999ep"]
        {
            assert!(text.parse::<BranchPoint>().is_err(), "{text}");
        }
    }
}
