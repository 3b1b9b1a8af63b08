//! Runs that are kept in folders.

use std::path::PathBuf;
use std::time::Duration;

use downhill::optim::{Position, Schedule};
use downhill::run::Settings;
use downhill::train::control::Remote;
use downhill::train::{Command, Overview, RunFolder, log};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::failure::raise;
use crate::model::json;
use crate::patience::wait_or_leave;

/// How long a run has for coming to its next step, and for a checkpoint.
const PATIENCE: Duration = Duration::from_secs(60);

fn open(path: &std::path::Path) -> PyResult<RunFolder> {
    RunFolder::open(path).map_err(raise)
}

/// A run in a line, as JSON.
#[pyfunction]
pub fn overview(path: PathBuf) -> PyResult<String> {
    let folder = open(&path)?;
    json(&Overview::of(folder.path()))
}

/// The settings of a run, as JSON.
#[pyfunction]
pub fn run_settings(path: PathBuf) -> PyResult<String> {
    json(&Settings::of(&open(&path)?).map_err(raise)?.tree())
}

/// The events of a run, each as JSON.
#[pyfunction]
pub fn events(path: PathBuf) -> PyResult<Vec<String>> {
    let (records, _) = log::read(&open(&path)?.log_path()).map_err(raise)?;
    records.iter().map(json).collect()
}

/// The report of a run: a page of HTML.
#[pyfunction]
pub fn run_report(path: PathBuf) -> PyResult<String> {
    downhill_report::html(&open(&path)?).map_err(raise)
}

/// Tells a run that another process makes something, given and answered as JSON.
#[pyfunction]
pub fn steer(py: Python<'_>, path: PathBuf, command: &str) -> PyResult<String> {
    let command: Command =
        serde_json::from_str(command).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let folder = open(&path)?;
    let Some(mut remote) = Remote::connect(&folder).map_err(raise)? else {
        let text = format!("no process is making the run {}", folder.path().display());
        return Err(PyRuntimeError::new_err(text));
    };
    json(&py.detach(|| remote.tell(&command, PATIENCE)).map_err(raise)?)
}

/// Finds out what was wrong with a run that is kept, as JSON.
#[pyfunction]
#[pyo3(signature = (path, threads=None))]
pub fn diagnose_run(py: Python<'_>, path: PathBuf, threads: Option<usize>) -> PyResult<String> {
    let folder = open(&path)?;
    let found = wait_or_leave(py, move || downhill::train::diagnose_run(&folder, threads))?;
    json(&found.map_err(raise)?)
}

/// The rates of a schedule, a step each.
#[pyfunction]
pub fn rates(schedule: &str, steps: u64, steps_per_epoch: u64) -> PyResult<Vec<f64>> {
    let schedule: Schedule = schedule
        .parse()
        .map_err(|error: downhill::optim::SpecError| PyValueError::new_err(error.to_string()))?;
    let (total_steps, steps_per_epoch) = (steps.max(1), steps_per_epoch.max(1));
    Ok((0..steps).map(|step| schedule.at(Position { step, steps_per_epoch, total_steps })).collect())
}
