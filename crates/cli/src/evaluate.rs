//! `downhill evaluate`, and finding the model of a run.

use std::path::{Path, PathBuf};

use clap::Args;
use downhill::nn::metric::Thresholds;
use downhill::optim::nearest;
use downhill::prelude::{Predictions, Predictor};
use downhill::run::Settings;
use downhill::train::{Assessment, Error, Evaluation, Overview, RunFolder, State, Truth};
use downhill_report::Lang;
use serde::Serialize;

use crate::args::{Format, UseArgs};
use crate::plot::PlotFile;
use crate::{Failure, classes, confidence, output};

#[derive(Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    pub using: UseArgs,

    /// Draw how far the predictions can be trusted: for classes, probabilities beside what happened, ROC,
    /// precision and recall, and what thresholds cost; for numbers, how many rows intervals hold. FILE.svg or
    /// FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,

    /// Of two classes, what a row costs that is falsely predicted to be of the second, and one of the second
    /// that is missed: the threshold of the lowest cost is printed.
    #[arg(long, value_name = "FALSE,MISSED", value_parser = confidence::costs)]
    pub costs: Option<[f64; 2]>,
}

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
        let is_of_a_session = Settings::of(&folder).is_ok_and(|settings| settings.get("session").is_some());
        if is_of_a_session {
            return Err(Failure::Message(format!(
                "the run {run} is of a training loop of its own, whose model only that loop knows"
            )));
        }
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

/// The epoch that the weights are of, counted from 1, if they are those of one network and of a run that has
/// ended.
fn kept_epoch(options: &UseArgs, predictor: &Predictor) -> Option<u64> {
    if predictor.members().len() > 1 {
        return None;
    }
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
struct Measured<'a> {
    model: String,
    /// The epoch that the weights are of, counted from 1; none for a model file outside a run, and for
    /// several networks.
    epoch: Option<u64>,
    data: String,
    #[serde(flatten)]
    evaluation: &'a Evaluation,
    /// What the threshold comes to that costs least, if that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    cheapest: Option<confidence::Cheapest>,
}

pub fn evaluate(options: &EvaluateArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let EvaluateArgs { using: options, plot, costs } = options;
    let predictor = load(&options.run, &options.runs.runs)?;
    let table = options.table(&predictor)?;
    tell(&predictor, &table, quiet)?;
    let assessment = predictor.assess(&table)?;
    let evaluation = &assessment.evaluation;
    let thresholds = thresholds(&assessment);
    let cheapest = match (costs, &thresholds) {
        (None, _) => None,
        (Some(costs), Some(thresholds)) => Some(confidence::Cheapest::of(thresholds, *costs)),
        (Some(_), None) => {
            return Err(Failure::Message(
                "--costs is for two classes, and for data that has rows of both".into(),
            ));
        }
    };
    if let Some(file) = plot {
        let sheet = confidence::sheet(&predictor, &assessment, thresholds.as_ref(), *costs, lang)?;
        file.write(&sheet.svg_file(), quiet)?;
    }
    let without = table.rows() - evaluation.rows;
    if without > 0 && !quiet {
        output::note(&format!("{} without a target left out", output::count(without as u64, "row")));
    }
    let (model, data) = (options.run.display().to_string(), table.name().to_string());
    let measured = Measured { model, epoch: kept_epoch(options, &predictor), data, evaluation, cheapest };
    match format {
        Format::Json => output::print_json(&measured),
        Format::Csv => output::print_flat_csv(&measured),
        Format::Text => {
            let Measured { epoch, data, evaluation, cheapest, .. } = &measured;
            let Evaluation { rows, metrics, .. } = evaluation;
            let weights = match (epoch, predictor.members().len()) {
                (Some(epoch), _) => format!(", weights of epoch {epoch}"),
                (None, 1) => String::new(),
                (None, networks) => format!(", average of {networks} networks"),
            };
            let table = classes::tables(metrics, usize::MAX).unwrap_or_default();
            let rows = output::count(*rows as u64, "row");
            let trust = confidence::lines(evaluation, cheapest.as_ref());
            output::print(&format!(
                "{rows} of {data}{weights}: {}\n{trust}{table}",
                output::metrics_line(metrics)
            ))
        }
    }
}

/// Every threshold on the probability of the second of two classes; none where there are others, or the rows
/// are all of one class.
fn thresholds(assessment: &Assessment) -> Option<Thresholds> {
    let (Predictions::Classes { classes, probabilities, .. }, Truth::Classes(labels)) =
        (&assessment.predictions, &assessment.truth)
    else {
        return None;
    };
    if classes.len() != 2 {
        return None;
    }
    let scores: Vec<f32> = probabilities.iter().skip(1).step_by(2).copied().collect();
    let is_of: Vec<bool> = labels.iter().map(|&label| label == 1).collect();
    Thresholds::of(&scores, &is_of).ok()
}
