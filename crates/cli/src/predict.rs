//! `downhill predict`

use clap::Args;
use downhill::data::Table;
use downhill::prelude::{Predictions, Predictor};
use serde_json::{Map, Value, json};

use crate::args::{Format, UseArgs};
use crate::{Failure, confidence, evaluate, output};

#[derive(Args)]
pub struct PredictArgs {
    #[command(flatten)]
    pub using: UseArgs,

    /// Columns of the table to put in front of the predictions, as they are written: names, or numbers from
    /// 0, between commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub keep: Vec<String>,

    /// For numbers: also the ends of an interval that holds such a share of rows, as 0.9, by the errors on the
    /// validation rows (split conformal prediction).
    #[arg(long, value_name = "SHARE", value_parser = confidence::share_of_rows)]
    pub interval: Option<f64>,
}

pub fn predict(options: &PredictArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let using = &options.using;
    let predictor = evaluate::load(&using.run, &using.runs.runs)?;
    let table = using.table(&predictor)?;
    evaluate::tell(&predictor, &table, quiet)?;
    let kept = kept(&predictor, using, &options.keep, &table)?;
    let margin = options.interval.map(|level| predictor.margin(level)).transpose()?;
    let predictions = predictor.predict(&table)?;
    match format {
        // A table is what both people and programs want here; the names of classes are what the model file
        // says.
        Format::Text => {
            let visible = |row: Vec<String>| row.iter().map(|cell| output::visible(cell)).collect::<Vec<_>>();
            output::print_csv(beside(&kept, rows(&predictions, margin)).into_iter().map(visible))
        }
        Format::Csv => output::print_csv(beside(&kept, rows(&predictions, margin))),
        Format::Json => output::print_json(&with_kept(&kept, objects(&predictions, margin))),
    }
}

/// A column of the input: its name, and its values as they are written.
struct Kept {
    name: String,
    values: Vec<String>,
}

fn kept(
    predictor: &Predictor,
    using: &UseArgs,
    names: &[String],
    table: &Table,
) -> Result<Vec<Kept>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    // Numbers are read anew, as text: an id of 007 is to stay one.
    let again;
    let from = if table.place(0, "").row == downhill::data::Row::Image(0) || using.is_bundled() {
        table
    } else {
        again = using.columns(predictor, names)?;
        &again
    };
    let column = |name: &String| -> Result<Kept, Failure> {
        let column = &from.columns()[from.column_index(name)?];
        let text = |row| column.text(row).unwrap_or_default().into_owned();
        Ok(Kept { name: column.name().to_string(), values: (0..from.rows()).map(text).collect() })
    };
    names.iter().map(column).collect()
}

/// The kept columns in front of rows with a header.
fn beside(kept: &[Kept], rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    let line = |(line, row): (usize, Vec<String>)| {
        let value = |kept: &Kept| match line.checked_sub(1) {
            Some(row) => kept.values.get(row).cloned().unwrap_or_default(),
            None => kept.name.clone(),
        };
        kept.iter().map(value).chain(row).collect()
    };
    rows.into_iter().enumerate().map(line).collect()
}

/// The kept columns among what is said of each row.
fn with_kept(kept: &[Kept], mut objects: Vec<Value>) -> Vec<Value> {
    if kept.is_empty() {
        return objects;
    }
    for (row, object) in objects.iter_mut().enumerate() {
        let value = |kept: &Kept| (kept.name.clone(), json!(kept.values.get(row)));
        object["kept"] = Value::Object(kept.iter().map(value).collect());
    }
    objects
}

/// The table: the prediction, then the probability of each class, or the ends of an interval.
fn rows(predictions: &Predictions, margin: Option<f64>) -> Vec<Vec<String>> {
    match predictions {
        Predictions::Values(values) => {
            let with_ends: &[&str] = &["prediction", "lower", "upper"];
            let header = if margin.is_some() { with_ends } else { &with_ends[..1] };
            let row = |value: &f64| {
                let ends = margin.map(|margin| [value - margin, value + margin]);
                std::iter::once(*value)
                    .chain(ends.into_iter().flatten())
                    .map(|value| value.to_string())
                    .collect()
            };
            let header = header.iter().map(|name| name.to_string()).collect();
            std::iter::once(header).chain(values.iter().map(row)).collect()
        }
        Predictions::Classes { labels, classes, probabilities } => {
            let header = std::iter::once("prediction".to_string())
                .chain(classes.iter().map(|name| format!("p({name})")));
            let mut rows = vec![header.collect()];
            for (&label, probabilities) in labels.iter().zip(probabilities.chunks_exact(classes.len())) {
                let mut row = vec![classes[label as usize].clone()];
                row.extend(probabilities.iter().map(f32::to_string));
                rows.push(row);
            }
            rows
        }
    }
}

fn objects(predictions: &Predictions, margin: Option<f64>) -> Vec<Value> {
    match predictions {
        Predictions::Values(values) => {
            let object = |value: &f64| match margin {
                Some(margin) => {
                    json!({ "prediction": value, "lower": value - margin, "upper": value + margin })
                }
                None => json!({ "prediction": value }),
            };
            values.iter().map(object).collect()
        }
        Predictions::Classes { labels, classes, probabilities } => {
            let rows = labels.iter().zip(probabilities.chunks_exact(classes.len()));
            let object = |(&label, probabilities): (&u32, &[f32])| {
                let named = classes.iter().cloned().zip(probabilities.iter().map(|&p| json!(p)));
                json!({ "prediction": classes[label as usize], "probabilities": named.collect::<Map<_, _>>() })
            };
            rows.map(object).collect()
        }
    }
}
