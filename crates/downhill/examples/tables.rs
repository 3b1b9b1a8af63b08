//! Trains with default settings on every bundled table and every table of a folder, and measures on rows held
//! out from everything, early stopping included. The encoded rows are written for others to train on; see
//! `bench/tables`.
//!
//! `cargo run --release --example tables -- FOLDER OUT SEEDS [SETTINGS.json] [NAME …]`
//!
//! SETTINGS.json has other settings than the defaults, as in a run's `run.toml` under `[training]`; `members` beside
//! them is how many networks are averaged.
#![allow(clippy::print_stdout)]

mod shared {
    pub mod tables;
}

use std::error::Error;
use std::fs;
use std::path::Path;

use downhill::prelude::*;
use serde_json::{Value, json};

use shared::tables::tables;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, seeds, rest @ ..] = args.as_slice() else {
        return Err("usage: tables FOLDER OUT SEEDS [SETTINGS.json] [NAME …]".into());
    };
    let (mut settings, names): (serde_json::Map<String, Value>, _) = match rest {
        [settings, names @ ..] if settings.ends_with(".json") => {
            (serde_json::from_slice(&fs::read(settings)?)?, names)
        }
        names => (serde_json::Map::new(), names),
    };
    let members = settings.remove("members").map_or(Ok(1), serde_json::from_value)?;
    let config: Config = serde_json::from_value(Value::Object(settings))?;
    for (name, table) in tables(Path::new(folder), names)? {
        let seeds: u64 = seeds.parse()?;
        for seed in 1..=if table.rows() > 10_000 { seeds.min(2) } else { seeds } {
            let all = table.default_target().split(0.2, seed)?;
            let test = &all.valid;
            let data =
                Dataset::from_examples(part(&all.train, |i| i % 5 != 0)?, part(&all.train, |i| i % 5 == 0)?)?;
            let folder = Path::new(out).join(format!("{name}-{seed}"));
            fs::create_dir_all(&folder)?;
            for (part, examples) in [("train", &data.train), ("valid", &data.valid), ("test", test)] {
                write(&folder, part, examples)?;
            }
            let trained = Trainer::from_config(config.clone()).seed(seed).members(members).fit(&data)?;
            let metrics = trained.predictor().evaluate_rows(test)?.metrics;
            if let Predictions::Classes { probabilities, .. } = trained.predictor().predict_rows(&test.x)? {
                fs::write(folder.join("test.p"), bytemuck::cast_slice::<f32, u8>(&probabilities))?;
            }
            let summary = trained.summary();
            println!(
                "{}",
                json!({
                    "table": name, "seed": seed, "score": metrics.score(), "task": summary.task,
                    "classes": summary.classes,
                    "rows": all.train.rows() + all.valid.rows(), "features": all.features(),
                    "epochs": summary.epochs, "best_epoch": summary.best_epoch, "seconds": summary.seconds,
                })
            );
        }
    }
    Ok(())
}

/// The rows of some examples whose place among those of their class is wanted.
fn part(examples: &Examples, wanted: impl Fn(usize) -> bool) -> Result<Examples, Box<dyn Error>> {
    let (labels, classes) = match &examples.y {
        Targets::Classes { labels, classes } => (labels.clone(), *classes),
        Targets::Values(values) => (vec![0; values.len()], 1),
    };
    let mut places = vec![0; classes];
    let mut is_wanted = |row: &usize| {
        let place = &mut places[labels[*row] as usize];
        *place += 1;
        wanted(*place)
    };
    let kept: Vec<usize> = (0..examples.rows()).filter(&mut is_wanted).collect();
    let x = kept.iter().flat_map(|&row| examples.row(row)).copied().collect();
    let y = match &examples.y {
        Targets::Classes { .. } => {
            Targets::Classes { labels: kept.iter().map(|&row| labels[row]).collect(), classes }
        }
        Targets::Values(values) => Targets::Values(kept.iter().map(|&row| values[row]).collect()),
    };
    Ok(Examples::new(x, examples.features, y)?)
}

/// Writes rows as plain little-endian numbers.
fn write(folder: &Path, name: &str, examples: &Examples) -> Result<(), Box<dyn Error>> {
    fs::write(folder.join(format!("{name}.x")), bytemuck::cast_slice::<f32, u8>(&examples.x))?;
    let y: &[u8] = match &examples.y {
        Targets::Classes { labels, .. } => bytemuck::cast_slice(labels),
        Targets::Values(values) => bytemuck::cast_slice(values),
    };
    fs::write(folder.join(format!("{name}.y")), y)?;
    Ok(())
}
