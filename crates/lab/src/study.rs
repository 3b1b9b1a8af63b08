//! Searches: what a study has come to so far.

use std::fs;
use std::path::Path;

use downhill_run::is_name;
use downhill_search::{Domain, History, State, Study, StudyFolder, Value, importance};
use serde::Serialize;

/// A study in a line.
#[derive(Debug, Serialize)]
pub struct Line {
    name: String,
    trials: usize,
    best: Option<f64>,
    /// Why it cannot be read, if it cannot.
    error: Option<String>,
}

/// All of a study.
#[derive(Debug, Serialize)]
pub struct Whole {
    name: String,
    objective: Vec<String>,
    higher_is_better: bool,
    epochs: u64,
    space: Vec<Axis>,
    trials: Vec<Trial>,
    importance: Vec<(String, f64)>,
    best: Option<u64>,
}

/// A setting that is searched.
#[derive(Debug, Serialize)]
struct Axis {
    name: String,
    log: bool,
    low: Option<f64>,
    high: Option<f64>,
    options: Option<Vec<String>>,
}

#[derive(Debug, Serialize)]
struct Trial {
    number: u64,
    settings: Vec<Option<Value>>,
    epochs: u64,
    value: Option<f64>,
    state: State,
    seconds: f64,
    note: Option<String>,
}

/// The studies of a folder, by name; none if it is not there.
pub fn list(studies: &Path) -> Vec<Line> {
    let mut all: Vec<Line> = fs::read_dir(studies)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().join("search.toml").is_file())
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            match history(studies, &name) {
                Ok(history) => {
                    let best = history.best().and_then(|best| best.value);
                    Line { name, trials: history.trials().len(), best, error: None }
                }
                Err(error) => Line { name, trials: 0, best: None, error: Some(error) },
            }
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    all
}

fn history(studies: &Path, name: &str) -> Result<History, String> {
    if !is_name(name) {
        return Err(format!("{name:?} is not the name of a study"));
    }
    let folder = StudyFolder::open(&studies.join(name)).map_err(|error| error.to_string())?;
    Study::in_folder(folder).and_then(Study::history).map_err(|error| error.to_string())
}

/// One study.
///
/// # Errors
///
/// If it is none, or cannot be read.
pub fn whole(studies: &Path, name: &str) -> Result<Whole, String> {
    let history = history(studies, name)?;
    let plan = history.plan();
    let axis = |(name, domain): (&str, &Domain)| {
        let name = name.to_string();
        let numbers = |log, low, high| (log, Some(low), Some(high), None);
        let (log, low, high, options) = match domain {
            Domain::Log { low, high } | Domain::Times { low, high } => numbers(true, *low, *high),
            Domain::Uniform { low, high } => numbers(false, *low, *high),
            Domain::Int { low, high } => numbers(false, *low as f64, *high as f64),
            Domain::Choice(words) => (false, None, None, Some(words.clone())),
        };
        Axis { name, log, low, high, options }
    };
    let space: Vec<Axis> = plan.space.iter().map(axis).collect();
    let trial = |trial: &downhill_search::Trial| Trial {
        number: trial.number,
        settings: space.iter().map(|axis| trial.settings.get(&axis.name).cloned()).collect(),
        epochs: trial.epochs,
        value: trial.value.filter(|value| value.is_finite()),
        state: trial.state,
        seconds: trial.seconds,
        note: trial.note.clone(),
    };
    Ok(Whole {
        name: name.into(),
        objective: plan.objective.clone(),
        higher_is_better: plan.goal == downhill_search::Goal::Maximise,
        epochs: plan.epochs,
        trials: history.trials().iter().map(trial).collect(),
        importance: importance(&history),
        best: history.best().map(|best| best.number),
        space,
    })
}
