//! Training, finding rates, comparing and diagnosing, on data in memory.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use downhill::data::{Dataset, Folds};
use downhill::prelude::{Error, Trainer};
use downhill::search::{Budget, Domain, Goal, Plan, Study, importance};
use downhill::train::log::Record;
use downhill::train::{Command, Config, Contender, Ensemble, Event, RunConfig, Source, Stop, Trained};
use downhill_cli::{Search, SettingError};
use downhill_report::RangeTest;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::failure::raise;
use crate::model::{self, Model};
use crate::patience::{wait, wait_or_leave};
use crate::table::Data;

/// Settings by name, each as the program spells it.
type Settings = Vec<(String, String)>;

fn config(settings: &Settings) -> PyResult<Config> {
    // Keywords have underscores.
    downhill_cli::config(settings).map_err(|error| {
        let name = error.name.map(|name| name.replace('-', "_"));
        let given = name.as_ref().and_then(|name| {
            let given = settings.iter().rev().find(|(given, _)| given.replace('-', "_") == *name)?;
            Some(format!("{name}={:?}: ", given.1))
        });
        PyValueError::new_err(format!("{}{}", given.unwrap_or_default(), error.message))
    })
}

fn trainer(config: Config, threads: Option<usize>) -> (Trainer, mpsc::Sender<Command>) {
    let (commands, inbox) = mpsc::channel();
    let trainer = Trainer::from_config(config).inbox(inbox);
    let trainer = match threads {
        Some(threads) => trainer.threads(threads),
        None => trainer,
    };
    (trainer, commands)
}

/// Trains a network; returns the model, its summary as JSON, the log, the text of the configuration, and
/// whether it was interrupted.
///
/// `tell` is called with every event but steps, as JSON.
///
/// Of several data sets, a network is trained on each, and their predictions are averaged. Unless it is said how
/// many `members` there are, the settings' preset says it.
#[pyfunction]
#[pyo3(signature = (data, settings, threads=None, runs=None, name=None, tell=None, members=None))]
#[allow(clippy::too_many_arguments)] // keywords, in Python
pub fn fit<'py>(
    py: Python<'py>,
    data: Vec<PyRef<'py, Data>>,
    settings: Settings,
    threads: Option<usize>,
    runs: Option<PathBuf>,
    name: Option<String>,
    tell: Option<&Bound<'py, PyAny>>,
    members: Option<usize>,
) -> PyResult<Bound<'py, PyDict>> {
    let config = config(&settings)?;
    let all: Vec<Arc<Dataset>> = data.iter().map(|data| data.0.clone()).collect();
    let Some(data) = all.first().cloned() else { return Err(PyValueError::new_err("there is no data")) };
    let members = match members {
        Some(members) => members,
        None => downhill_cli::members(&settings).map_err(|error| PyValueError::new_err(error.to_string()))?,
    };
    let folds = (all.len() > 1).then(|| Folds::new(all.len()));
    let ensemble = match folds.clone() {
        Some(folds) => Some(Ensemble::Folds(folds)),
        None => (members != 1).then_some(Ensemble::Members(members)),
    };
    let (mut trainer, commands) = trainer(config.clone(), threads);
    if folds.is_none() && ensemble.is_some() {
        trainer = trainer.members(members);
    }
    let log = Arc::new(Mutex::new(String::new()));
    let found = Arc::new(Mutex::new(None));
    let stop = commands.clone();
    let fitted: Result<Trained, Error> = {
        let (log, found, told, data) = (log.clone(), found.clone(), tell.is_some(), data.clone());
        wait(
            py,
            tell,
            || _ = stop.send(Command::Stop),
            move |lines| {
                let trainer = trainer.view(move |event| {
                    if let Event::Rate(rate) = event {
                        *found.lock().expect("nobody panics with it") = Some(rate.schedule.clone());
                    }
                    if event.is_logged() {
                        let time =
                            SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |now| now.as_secs_f64());
                        if let Ok(line) = serde_json::to_string(&Record { time, event: event.clone() }) {
                            let mut log = log.lock().expect("nobody panics with it");
                            *log += &line;
                            log.push('\n');
                        }
                    }
                    if told
                        && !matches!(event, Event::Step { .. })
                        && let Ok(line) = serde_json::to_string(event)
                    {
                        let _ = lines.send(line);
                    }
                });
                if folds.is_some() {
                    // The crate takes them side by side.
                    let all: Vec<Dataset> = all.iter().map(|data| Dataset::clone(data)).collect();
                    return trainer.fit_folds(&all);
                }
                match runs {
                    Some(runs) => trainer.control(commands).fit_kept(
                        &data,
                        &runs,
                        name.as_deref(),
                        &Source::in_memory(),
                    ),
                    None => trainer.fit(&data),
                }
            },
        )?
    };
    let trained = fitted.map_err(raise)?;
    let (mut resolved, _) = config.resolve(&data).map_err(raise)?;
    if let Some(schedule) = found.lock().expect("nobody panics with it").take() {
        resolved.lr = Some(schedule);
    }
    if let Some(run) = &trained.summary().run {
        let folder = downhill::train::RunFolder::open(&downhill::train::path_text::from_text(run));
        let _ = folder.and_then(|folder| downhill_report::write(&folder));
    }
    let config = RunConfig { data: Source::in_memory(), training: resolved, ensemble, parent: None };
    let toml = config.to_toml().map_err(raise)?;
    let all = PyDict::new(py);
    all.set_item("summary", model::json(trained.summary())?)?;
    all.set_item("interrupted", trained.stop() == Stop::Interrupted)?;
    all.set_item("log", log.lock().expect("nobody panics with it").as_str())?;
    all.set_item("toml", toml)?;
    all.set_item("model", Model(trained.predictor().clone()))?;
    Ok(all)
}

/// The report of a run that was kept nowhere, from its configuration and its log: a page of HTML.
#[pyfunction]
pub fn report(toml: &str, log: &str) -> PyResult<String> {
    let runs = tempfile::tempdir()?;
    let folder =
        downhill::train::RunFolder::create(runs.path(), Some("fit"), &Source::in_memory().name(), toml)
            .map_err(raise)?;
    std::fs::write(folder.log_path(), log)?;
    downhill_report::html(&folder).map_err(raise)
}

/// Finds a learning rate; returns what was found as JSON, and drawn as SVG.
#[pyfunction]
#[pyo3(signature = (data, settings, threads=None))]
pub fn find_lr(
    py: Python<'_>,
    data: &Data,
    settings: Settings,
    threads: Option<usize>,
) -> PyResult<(String, String, String)> {
    let (trainer, commands) = trainer(config(&settings)?, threads);
    let data = &data.0;
    let found = wait(py, None, || _ = commands.send(Command::Stop), |_lines| trainer.find_lr(data))?;
    let found = found.map_err(raise)?;
    Ok((model::json(&found)?, RangeTest::new(&found).svg_file(), found.text()))
}

/// Makes the same run with several settings; what each came to, as a list in JSON. `groups` says which runs
/// differ in their learning rate only.
#[pyfunction]
#[pyo3(signature = (data, all, groups, threads=None))]
pub fn compare(
    py: Python<'_>,
    data: &Data,
    all: Vec<Settings>,
    groups: Vec<usize>,
    threads: Option<usize>,
) -> PyResult<String> {
    let contender = |(settings, group): (&Settings, usize)| {
        Ok(Contender { config: config(settings)?, name: String::new(), group })
    };
    let contenders = all.iter().zip(groups).map(contender).collect::<PyResult<Vec<_>>>()?;
    let data = &data.0;
    let stop = Arc::new(AtomicBool::new(false));
    let compared = wait(
        py,
        None,
        || stop.store(true, Ordering::Relaxed),
        |_lines| {
            downhill::train::compare_until(&contenders, data, threads, None, |_| Vec::new(), |_| (), &stop)
        },
    )?;
    let compared = compared.map_err(raise)?;
    let order = downhill::train::ranking(&compared.iter().collect::<Vec<_>>());
    let object = |(place, run): (usize, &downhill::train::Compared)| -> Value {
        let summary = run.trained.as_ref().map(Trained::summary);
        let last = run.course.epochs.last().filter(|_| run.course.blow_up.is_none());
        json!({
            "rank": 1 + order.iter().position(|&other| other == place).unwrap_or(place),
            "train_loss": summary.and_then(|summary| summary.train_loss),
            "valid_loss": summary.map(|summary| summary.valid_loss),
            "score": summary.map(|summary| summary.metrics.score()),
            "best_epoch": summary.and_then(|summary| summary.best_epoch),
            "end_train_loss": last.map(|epoch| epoch.train_loss),
            "end_valid_loss": last.map(|epoch| epoch.valid_loss),
            "verdict": run.verdict,
            "diverged_at_epoch": run.course.blow_up.map(|blow_up| blow_up.epoch),
            "peak_rate": run.peak_rate,
            "train_losses": run.course.epochs.iter().map(|epoch| epoch.train_loss).collect::<Vec<_>>(),
            "valid_losses": run.course.epochs.iter().map(|epoch| epoch.valid_loss).collect::<Vec<_>>(),
        })
    };
    let all: Vec<Value> = compared.iter().enumerate().map(object).collect();
    model::json(&all)
}

/// Searches for the settings that come to the best `metric`; returns what the study came to as JSON, and drawn as
/// SVG. `tell` is called with every event of the study, as JSON.
#[pyfunction]
#[pyo3(signature = (data, settings, metric, seeds, workers, trials=None, epochs_total=None, seconds=None, sampler=None,
                    stop=None, tell=None))]
#[allow(clippy::too_many_arguments)] // keywords, in Python
pub fn search(
    py: Python<'_>,
    data: &Data,
    settings: Settings,
    metric: &str,
    seeds: u64,
    workers: usize,
    trials: Option<u64>,
    epochs_total: Option<u64>,
    seconds: Option<f64>,
    sampler: Option<&str>,
    stop: Option<&str>,
    tell: Option<&Bound<'_, PyAny>>,
) -> PyResult<(String, String)> {
    let wrong = |error: SettingError| {
        let text = error.to_string();
        // Keywords have underscores.
        PyValueError::new_err(
            error.name.map_or(text.clone(), |name| text.replace(&name, &name.replace('-', "_"))),
        )
    };
    let searched = Search::new(metric, seeds, &settings).map_err(wrong)?;
    let base = searched.base().map_err(wrong)?;
    let spec = |name: &str, error: String| PyValueError::new_err(format!("{name}: {error}"));
    let plan = Plan {
        goal: searched.goal(),
        seed: base.seed,
        sampler: sampler.map_or(Ok(Default::default()), |text| {
            text.parse().map_err(|error| spec("sampler", format!("{error}")))
        })?,
        stop: stop.map_or(Ok(Default::default()), |text| {
            text.parse().map_err(|error| spec("stop", format!("{error}")))
        })?,
        epochs: base.epochs,
        budget: Budget { trials, epochs_total, seconds },
        space: searched.space().clone(),
        ..Plan::default()
    };
    let data = &data.0;
    base.resolve(data).map_err(raise)?;
    let objective = searched.objective(data).map_err(raise)?;
    let stopped = Arc::new(AtomicBool::new(false));
    let on_stop = stopped.clone();
    let told = tell.is_some();
    let history = wait(
        py,
        tell,
        || on_stop.store(true, Ordering::Relaxed),
        |lines| {
            let study = Study::from_plan(plan).workers(workers).stop_when(stopped);
            let study = study.watch(move |event, _| {
                if told && let Ok(line) = serde_json::to_string(event) {
                    let _ = lines.send(line);
                }
            });
            study.run(&objective)
        },
    )?
    .map_err(raise)?;
    let best = history.best().map(|best| best.number);
    let all = history.trials().iter().map(|trial| {
        let settings = searched.settings(&trial.settings).map_err(wrong)?;
        let settings: serde_json::Map<String, Value> =
            settings.into_iter().map(|(name, value)| (name.replace('-', "_"), value.into())).collect();
        Ok(json!({
            "number": trial.number,
            "settings": settings,
            "value": trial.value,
            "epochs": trial.epochs,
            "state": trial.state,
            "seconds": trial.seconds,
            "note": trial.note,
        }))
    });
    let trials = all.collect::<PyResult<Vec<Value>>>()?;
    let importance: Vec<(String, f64)> = importance(&history);
    let importance: serde_json::Map<String, Value> =
        importance.into_iter().map(|(name, share)| (name.replace('-', "_"), share.into())).collect();
    let found = json!({
        "metric": metric,
        "higher_is_better": searched.goal() == Goal::Maximise,
        "best": best,
        "trials": trials,
        "importance": importance,
    });
    Ok((model::json(&found)?, searched.svg(&history)))
}

/// Whether the value of a setting is a space of values to search.
#[pyfunction]
pub fn is_space(text: &str) -> bool {
    Domain::is_meant(text)
}

/// Finds out what is wrong with a run of these settings, as JSON.
#[pyfunction]
#[pyo3(signature = (data, settings, threads=None))]
pub fn diagnose(py: Python<'_>, data: &Data, settings: Settings, threads: Option<usize>) -> PyResult<String> {
    let config = config(&settings)?;
    let data = data.0.clone();
    let diagnosis = wait_or_leave(py, move || downhill::train::diagnose(&config, &data, threads))?;
    model::json(&diagnosis.map_err(raise)?)
}
