//! `downhill evaluate`, and finding the model of a run.

use std::path::{Path, PathBuf};

use downhill::prelude::Predictor;
use downhill::train::RunFolder;
use serde::Serialize;

use crate::args::{Format, UseArgs};
use crate::{Failure, output};

/// The folder of a run, given by its path or by its name inside the folder of runs.
pub fn run_folder(run: &Path, runs: &Path) -> PathBuf {
    if run.exists() {
        run.to_path_buf()
    } else {
        Some(runs.join(run)).filter(|inside| inside.exists()).unwrap_or(run.into())
    }
}

/// Loads the model of a run, or a model file.
pub fn load(options: &UseArgs) -> Result<Predictor, Failure> {
    let path = run_folder(&options.run, &options.runs.runs);
    if path.is_file() {
        return Ok(Predictor::load(path)?);
    }
    let folder = RunFolder::open(&path)?;
    let model = folder.model_path();
    if !model.exists() {
        let run = folder.path().display();
        return Err(Failure::Message(format!(
            "the run {run} has no model yet: it is under way, or was cut off; finish it with `downhill resume {run}`"
        )));
    }
    Ok(Predictor::load(model)?)
}

/// Tells what is worth knowing about using this model on this table.
pub fn tell(predictor: &Predictor, table: &downhill::data::Table, quiet: bool) -> Result<(), Failure> {
    if let (Some(encoder), false) = (predictor.encoder(), quiet) {
        encoder.check(table)?.iter().for_each(|text| output::note(text));
    }
    Ok(())
}

#[derive(Serialize)]
struct Evaluation {
    model: String,
    data: String,
    rows: usize,
    loss: f64,
    metrics: downhill::train::Metrics,
}

pub fn evaluate(options: &UseArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let predictor = load(options)?;
    let table = options.source().table()?;
    tell(&predictor, &table, quiet)?;
    let (loss, metrics) = predictor.evaluate(&table)?;
    let (model, data) = (options.run.display().to_string(), table.name().to_string());
    let evaluation = Evaluation { model, data, rows: table.rows(), loss, metrics };
    match format {
        Format::Json => output::print_json(&evaluation),
        Format::Csv => output::print_flat_csv(&evaluation),
        Format::Text => {
            let classes = predictor.encoder().map_or(&[][..], |encoder| encoder.classes());
            let table = output::confusion_table(&evaluation.metrics, classes).unwrap_or_default();
            let line = output::metrics_line(&evaluation.metrics);
            output::print(&format!("{} rows of {}: {line}\n{table}", evaluation.rows, evaluation.data))
        }
    }
}
