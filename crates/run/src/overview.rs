//! What runs have come to, each in a line.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::Serialize;

use crate::log::{Record, is_held};
use crate::settings::Settings;
use crate::{Error, Metrics, RunFolder, RunState, Stop, file, path_text};

/// A run in a line.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overview {
    /// The name of its folder.
    pub name: String,
    /// Where that is.
    #[serde(serialize_with = "path_text::serialize")]
    pub path: PathBuf,
    /// The run that it branched off, by name, if it did.
    pub parent: Option<String>,
    /// The name of its data; none if its configuration cannot be read.
    pub data: Option<String>,
    /// What it is doing, or how it ended.
    pub state: State,
    /// What is wrong with the folder, if it is broken.
    pub why: Option<String>,
    /// The epoch whose weights are kept, counted from 1: the best so far, or the last if the run keeps that
    /// one. None if no epoch has ended, or the run is of several networks, each of which keeps its own.
    pub best_epoch: Option<u64>,
    /// The validation loss of that epoch.
    pub valid_loss: Option<f64>,
    /// The validation metrics of that epoch.
    pub metrics: Option<Metrics>,
    /// The epochs that have ended.
    pub epochs: u64,
    /// The epochs that were asked for.
    pub total_epochs: Option<u64>,
    /// When something was last written into its log, or its folder was made: seconds since 1970, UTC.
    pub changed: f64,
}

/// What a run is doing, or how it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A process has it open and trains.
    Running,
    /// All its epochs are done.
    Finished,
    /// The metric watched stopped getting better.
    StoppedEarly,
    /// Somebody ended it.
    Ended,
    /// Somebody stopped it; it can be resumed.
    Interrupted,
    /// The loss stopped being a number.
    Diverged,
    /// It ended without a word, as by a power cut; it can be resumed.
    Crashed,
    /// Its folder cannot be read.
    Broken,
}

impl State {
    /// All there are.
    pub const ALL: [Self; 8] = [
        Self::Running,
        Self::Finished,
        Self::StoppedEarly,
        Self::Ended,
        Self::Interrupted,
        Self::Diverged,
        Self::Crashed,
        Self::Broken,
    ];

    /// Its name, as it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Finished => "finished",
            Self::StoppedEarly => "stopped-early",
            Self::Ended => "ended",
            Self::Interrupted => "interrupted",
            Self::Diverged => "diverged",
            Self::Crashed => "crashed",
            Self::Broken => "broken",
        }
    }
}

impl Overview {
    /// The runs in a folder, by name. Folders that are no runs, or broken ones, are there, and say why.
    ///
    /// # Errors
    ///
    /// If the folder cannot be read.
    pub fn list(runs: &Path) -> Result<Vec<Self>, Error> {
        let failed = |source| Error::Io { doing: "look for runs in", path: runs.to_path_buf(), source };
        let mut all = Vec::new();
        for entry in fs::read_dir(runs).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            // What begins with a dot is being made.
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if path.is_dir() && !hidden {
                all.push(Self::of(&path));
            }
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    /// One run.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut overview = Self {
            name,
            path: path.to_path_buf(),
            parent: None,
            data: None,
            state: State::Broken,
            why: None,
            best_epoch: None,
            valid_loss: None,
            metrics: None,
            epochs: 0,
            total_epochs: None,
            changed: changed(path),
        };
        if let Err(error) = overview.read() {
            (overview.state, overview.why) = (State::Broken, Some(error.to_string()));
        }
        overview
    }

    fn read(&mut self) -> Result<(), Error> {
        let folder = RunFolder::open(&self.path)?;
        let settings = Settings::of(&folder)?;
        (self.data, self.total_epochs) = (settings.data_name(), settings.epochs());
        self.parent = settings.parent();
        let path = folder.log_path();
        if !path.exists() {
            self.state = State::Crashed; // before its first word
            return Ok(());
        }
        let text = file::read("read the log", &path)?;
        self.changed = changed(&path);
        // The last line may be torn.
        let mut lines = text.split_inclusive(|&byte| byte == b'\n').filter(|line| line.ends_with(b"\n"));
        let is_event =
            |line: &[u8]| line.starts_with(b"{") && line.ends_with(b"}\n") && !kind(line).is_empty();
        if let Some(line) = lines.position(|line| !is_event(line)) {
            let why = format!("line {} is no event", line + 1);
            return Err(Error::Damaged { path, why });
        }
        let state = end_of(&text);
        self.total_epochs = state.total_epochs().or(self.total_epochs);
        self.epochs = state.epochs_ended();
        let kept = if settings.keeps_last() { state.last.as_ref() } else { state.best() };
        if let Some(kept) = kept {
            let of_one = settings.networks().is_none();
            self.best_epoch = of_one.then_some(kept.epoch.saturating_add(1));
            (self.valid_loss, self.metrics) = (Some(kept.valid_loss), Some(kept.metrics.clone()));
        }
        self.state = match state.stop() {
            // Only a log without an end is tried, so that nothing stands in the way of one that begins.
            None if is_held(&path) => State::Running,
            None => State::Crashed,
            Some(Stop::Finished) => State::Finished,
            Some(Stop::EarlyStopping) => State::StoppedEarly,
            Some(Stop::Ended) => State::Ended,
            Some(Stop::Interrupted) => State::Interrupted,
            Some(Stop::Diverged { .. }) => State::Diverged,
        };
        Ok(())
    }
}

/// Where a run is by its log, of which only the lines that matter at its end are read as events, so that a
/// thousand logs take little time.
fn end_of(log: &[u8]) -> RunState {
    let lines = || log.split(|&byte| byte == b'\n').enumerate();
    let last_epoch = lines().filter(|(_, line)| kind(line) == b"epoch").last().map(|(number, _)| number);
    let matters = |&(number, line): &(usize, &[u8])| match kind(line) {
        b"start" | b"resume" | b"rollback" | b"stop" => true,
        b"epoch" => Some(number) == last_epoch || contains(line, b"\"best\":true"),
        b"command" => contains(line, b"\"set-epochs\""),
        _ => false,
    };
    let mut state = RunState::default();
    for (_, line) in lines().filter(matters) {
        if let Ok(record) = serde_json::from_slice::<Record>(line) {
            state.apply(&record.event);
        }
    }
    state
}

/// What kind of event a line is of, as far as can be seen without reading it.
fn kind(line: &[u8]) -> &[u8] {
    const KEY: &[u8] = b"\"event\":\"";
    let head = &line[..line.len().min(100)];
    let Some(at) = head.windows(KEY.len()).position(|window| window == KEY) else { return b"" };
    let name = &head[at + KEY.len()..];
    &name[..name.iter().position(|&byte| byte == b'"').unwrap_or(0)]
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

/// When a file last changed, in seconds since 1970; 0 if nobody knows.
fn changed(path: &Path) -> f64 {
    let time = fs::metadata(path).and_then(|about| about.modified()).ok();
    time.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(epoch: u64, best: bool) -> String {
        format!(
            "{{\"time\":1.0,\"event\":\"epoch\",\"epoch\":{epoch},\"step\":5,\"lr\":0.1,\"train_loss\":1.0,\"valid_loss\":2.0,\
             \"metrics\":{{\"rmse\":1.0,\"mae\":1.0}},\"best\":{best},\"seconds\":1.0,\"rows_per_second\":1.0}}\n"
        )
    }

    #[test]
    fn a_log_is_read_from_its_end() {
        let stop = "{\"time\":1.0,\"event\":\"stop\",\"step\":5,\"reason\":\"interrupted\"}\n";
        let resume =
            "{\"time\":1.0,\"event\":\"resume\",\"step\":5,\"total_steps\":9,\"steps_per_epoch\":3}\n";
        let found = |text: &str| {
            let state = end_of(text.as_bytes());
            let best = state.best().map(|epoch| epoch.epoch);
            (state.stop().is_some(), state.last.map(|epoch| epoch.epoch), best)
        };
        let epochs = epoch(0, true) + &epoch(1, true) + &epoch(2, false);
        assert_eq!(found(""), (false, None, None));
        assert_eq!(found(&epochs), (false, Some(2), Some(1)));
        assert_eq!(found(&(epochs.clone() + stop)), (true, Some(2), Some(1)));
        assert_eq!(found(&(epochs.clone() + stop + resume)), (false, Some(2), Some(1)));
        assert_eq!(found(&(epochs.clone() + stop + resume + stop)), (true, Some(2), Some(1)));
        assert_eq!(found(&(epochs.clone() + "{\"time\":1.0,\"event\":\"epo")), (false, Some(2), Some(1)));
        assert_eq!(found("rubbish\n\n\u{0}"), (false, None, None));
    }
}
