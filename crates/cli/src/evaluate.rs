//! `downhill evaluate`, and finding the model of a run.

use std::path::{Path, PathBuf};

use downhill::optim::nearest;
use downhill::prelude::Predictor;
use downhill::train::{Error, Evaluation, Overview, RunFolder, State};
use serde::Serialize;

use crate::args::{Format, UseArgs};
use crate::{Failure, classes, output};

/// The folder of a run, given by its path or by its name inside the folder of runs.
pub fn run_folder(run: &Path, runs: &Path) -> PathBuf {
    if run.exists() {
        run.to_path_buf()
    } else {
        Some(runs.join(run)).filter(|inside| inside.exists()).unwrap_or(run.into())
    }
}

/// Opens the folder of a run; an error knows a run of nearly that name.
pub fn open(run: &Path, runs: &Path) -> Result<RunFolder, Failure> {
    let path = run_folder(run, runs);
    if path.exists() {
        return Ok(RunFolder::open(&path)?);
    }
    let names = |entry: std::fs::DirEntry| entry.file_name().into_string().ok();
    let there: Vec<String> =
        std::fs::read_dir(runs).into_iter().flatten().flatten().filter_map(names).collect();
    let wanted = run.file_name().unwrap_or_default().to_string_lossy();
    let hint = match nearest(&wanted, there.iter().map(String::as_str)) {
        Some(meant) => format!("; did you mean {meant}?"),
        None => format!("; runs are looked for in the folder {} (see --runs)", runs.display()),
    };
    Err(Failure::Message(format!("there is no run {}{hint}", run.display())))
}

/// Loads the model of a run, or a model file.
pub fn load(run: &Path, runs: &Path) -> Result<Predictor, Failure> {
    let path = run_folder(run, runs);
    if path.is_file() {
        return Predictor::load(path).map_err(|error| match error {
            Error::Record(downhill::run::Error::Damaged { .. }) => {
                Failure::Message(format!("{error}; give the folder of a run, or its model.safetensors"))
            }
            error => error.into(),
        });
    }
    let folder = open(run, runs)?;
    let model = folder.model_path();
    if !model.exists() {
        let run = folder.path().display();
        let why = match Overview::of(folder.path()).state {
            State::Running => "it is under way".into(),
            State::Diverged => {
                "its loss stopped being a finite number; train again at a lower rate, or without --lr, \
                                and one is found"
                    .into()
            }
            _ => format!("finish it with `downhill resume {run}`"),
        };
        return Err(Failure::Message(format!("the run {run} has no model yet: {why}")));
    }
    Predictor::load(model).map_err(|error| match error {
        Error::Record(downhill::run::Error::Damaged { .. }) => Failure::Message(format!(
            "{error}; `downhill resume {}` writes it again from the run's checkpoints",
            folder.path().display()
        )),
        error => error.into(),
    })
}

/// The epoch that the weights are of, counted from 1, if they are those of a run that has ended.
fn kept_epoch(options: &UseArgs) -> Option<u64> {
    let run = Overview::of(&run_folder(&options.run, &options.runs.runs));
    // While a run goes on, its log is ahead of its model.
    run.best_epoch.filter(|_| !matches!(run.state, State::Running | State::Crashed | State::Broken))
}

/// Tells what is worth knowing about using this model on this table.
pub fn tell(predictor: &Predictor, table: &downhill::data::Table, quiet: bool) -> Result<(), Failure> {
    if let (Some(encoder), false) = (predictor.encoder(), quiet) {
        encoder.check(table)?.iter().for_each(|text| output::note(text));
    }
    Ok(())
}

/// What was measured, with what and on what.
#[derive(Serialize)]
struct Measured {
    model: String,
    /// The epoch that the weights are of, counted from 1; none for a model file outside a run.
    epoch: Option<u64>,
    data: String,
    #[serde(flatten)]
    evaluation: Evaluation,
}

pub fn evaluate(options: &UseArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let predictor = load(&options.run, &options.runs.runs)?;
    let table = options.table(&predictor)?;
    tell(&predictor, &table, quiet)?;
    let evaluation = predictor.evaluate(&table)?;
    let without = table.rows() - evaluation.rows;
    if without > 0 && !quiet {
        output::note(&format!("{} without a target left out", output::count(without as u64, "row")));
    }
    let (model, data) = (options.run.display().to_string(), table.name().to_string());
    let measured = Measured { model, epoch: kept_epoch(options), data, evaluation };
    match format {
        Format::Json => output::print_json(&measured),
        Format::Csv => output::print_flat_csv(&measured),
        Format::Text => {
            let Measured { epoch, data, evaluation: Evaluation { rows, metrics, .. }, .. } = &measured;
            let weights = epoch.map_or(String::new(), |epoch| format!(", weights of epoch {epoch}"));
            let table = classes::tables(metrics, usize::MAX).unwrap_or_default();
            let rows = output::count(*rows as u64, "row");
            output::print(&format!("{rows} of {data}{weights}: {}\n{table}", output::metrics_line(metrics)))
        }
    }
}
