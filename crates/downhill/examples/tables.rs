//! Trains with default settings on every bundled table and every table of a folder, and measures on rows held out from
//! everything, early stopping included. The encoded rows are written for others to train on; see `bench/tables`.
//!
//! `cargo run --release --example tables -- FOLDER OUT SEEDS [NAME …]`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::path::Path;

use downhill::data::bundled;
use downhill::prelude::*;
use serde_json::json;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out, seeds, names @ ..] = args.as_slice() else {
        return Err("usage: tables FOLDER OUT SEEDS [NAME …]".into());
    };
    for (name, table) in tables(Path::new(folder))? {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        for seed in 1..=seeds.parse()? {
            let all = table.default_target().split(0.2, seed)?;
            write(&Path::new(out).join(format!("{name}-{seed}")), &all)?;
            let data =
                Dataset::from_examples(part(&all.train, |i| i % 5 != 0)?, part(&all.train, |i| i % 5 == 0)?)?;
            let trained = Trainer::default().seed(seed).fit(&data)?;
            let (_, metrics) = trained.predictor().evaluate_rows(&all.valid)?;
            let summary = trained.summary();
            println!(
                "{}",
                json!({
                    "table": name, "seed": seed, "score": metrics.score(), "task": summary.task,
                    "rows": all.train.rows() + all.valid.rows(), "features": all.features(),
                    "epochs": summary.epochs, "best_epoch": summary.best_epoch, "seconds": summary.seconds,
                })
            );
        }
    }
    Ok(())
}

fn tables(folder: &Path) -> Result<Vec<(String, Table)>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for data in bundled::catalogue() {
        tables.push((data.name.to_string(), Table::bundled(data.name)?));
    }
    let mut files =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, std::io::Error>>()?;
    files.sort();
    for path in files {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|extension| extension == "csv") && name != "adult-test" {
            tables.push((name, Table::open(path)?));
        }
    }
    let images = folder.join("mnist/t10k-images-idx3-ubyte.gz");
    if images.exists() {
        let labels = folder.join("mnist/t10k-labels-idx1-ubyte.gz");
        tables.push(("mnist-t10k".into(), Table::images(images, Some(&labels))?));
    }
    Ok(tables)
}

/// The rows of some examples whose rank is wanted, the rank of a row being counted within its class.
fn part(examples: &Examples, wanted: impl Fn(usize) -> bool) -> Result<Examples, Box<dyn Error>> {
    let mut ranks = vec![0; 1 + examples.rows()];
    let mut rank = |class: usize| {
        ranks[class] += 1;
        ranks[class]
    };
    let kept: Vec<usize> = match &examples.y {
        Targets::Classes { labels, .. } => {
            (0..examples.rows()).filter(|&row| wanted(rank(labels[row] as usize))).collect()
        }
        Targets::Values(_) => (0..examples.rows()).filter(|_| wanted(rank(0))).collect(),
    };
    let x = kept.iter().flat_map(|&row| examples.row(row)).copied().collect();
    let y = match &examples.y {
        Targets::Classes { labels, classes } => {
            Targets::Classes { labels: kept.iter().map(|&row| labels[row]).collect(), classes: *classes }
        }
        Targets::Values(values) => Targets::Values(kept.iter().map(|&row| values[row]).collect()),
    };
    Ok(Examples::new(x, examples.features, y)?)
}

/// Writes rows as plain little-endian numbers.
fn write(folder: &Path, data: &Dataset) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for (name, examples) in [("train", &data.train), ("test", &data.valid)] {
        fs::write(folder.join(format!("{name}.x")), bytemuck::cast_slice::<f32, u8>(&examples.x))?;
        let y: &[u8] = match &examples.y {
            Targets::Classes { labels, .. } => bytemuck::cast_slice(labels),
            Targets::Values(values) => bytemuck::cast_slice(values),
        };
        fs::write(folder.join(format!("{name}.y")), y)?;
    }
    Ok(())
}
