//! `downhill predict`

use downhill::prelude::Predictions;
use serde_json::{Map, Value, json};

use crate::args::{Format, UseArgs};
use crate::{Failure, evaluate, output};

pub fn predict(options: &UseArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let predictor = evaluate::load(options)?;
    let table = options.table(&predictor)?;
    evaluate::tell(&predictor, &table, quiet)?;
    let predictions = predictor.predict(&table)?;
    match format {
        // A table is what both people and programs want here; the names of classes are what the model file says.
        Format::Text => {
            let visible = |row: Vec<String>| row.iter().map(|cell| output::visible(cell)).collect::<Vec<_>>();
            output::print_csv(rows(&predictions).into_iter().map(visible))
        }
        Format::Csv => output::print_csv(rows(&predictions)),
        Format::Json => output::print_json(&objects(&predictions)),
    }
}

/// The table: the prediction, then the probability of each class.
fn rows(predictions: &Predictions) -> Vec<Vec<String>> {
    match predictions {
        Predictions::Values(values) => {
            let header = vec!["prediction".to_string()];
            std::iter::once(header).chain(values.iter().map(|value| vec![value.to_string()])).collect()
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

fn objects(predictions: &Predictions) -> Vec<Value> {
    match predictions {
        Predictions::Values(values) => values.iter().map(|value| json!({ "prediction": value })).collect(),
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
