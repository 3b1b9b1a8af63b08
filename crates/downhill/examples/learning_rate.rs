//! Trains every table over a grid of rates, and with the rates that finders recommend. See `bench/learning-rate`.
//!
//! `cargo run --release --example learning_rate -- FOLDER SEEDS EPOCHS ROWS THREADS [NAME …]`
#![allow(clippy::print_stdout)]

mod shared {
    pub mod parallel;
    pub mod small;
    pub mod tables;
}

use std::error::Error;
use std::path::Path;

use downhill::prelude::*;
use downhill::train::{Guard, usual_schedule};
use serde_json::{Value, json};

use shared::parallel::in_parallel;
use shared::small::small;
use shared::tables::tables;

/// The optimizers, each with the lowest rate of its grid; the highest is 100 000 times that.
const RULES: [(&str, f64); 2] = [("momentum(0.9)", 1e-4), ("adamw", 1e-5)];
const POINTS: usize = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, seeds, epochs, rows, threads, names @ ..] = args.as_slice() else {
        return Err("usage: learning_rate FOLDER SEEDS EPOCHS ROWS THREADS [NAME …]".into());
    };
    let (seeds, epochs): (u64, u64) = (seeds.parse()?, epochs.parse()?);
    let (rows, threads): (usize, usize) = (rows.parse()?, threads.parse()?);
    for (name, table) in tables(Path::new(folder), names)? {
        for seed in 1..=seeds {
            let data = small(&table, seed, rows)?;
            for (rule, low) in RULES {
                let result = cell(&data, rule, low, epochs, seed, threads)?;
                println!("{}", json!({ "table": name, "rule": rule, "seed": seed, "result": result }));
            }
        }
    }
    Ok(())
}

/// The grid, and what is found, for one table, optimizer and seed.
fn cell(
    data: &Dataset,
    rule: &str,
    low: f64,
    epochs: u64,
    seed: u64,
    threads: usize,
) -> Result<Value, Box<dyn Error>> {
    let rule: Rule = rule.parse()?;
    // The guard would make other rates of those that blow up.
    let trainer =
        || Trainer::default().optimizer(rule).epochs(epochs).seed(seed).threads(1).guard(Guard::Off);
    // The loss and the steps with a peak rate; a run that fails has no loss.
    let train = |rate: f64| match trainer().lr(usual_schedule(&rule, rate)).fit(data) {
        Ok(trained) => (Some(trained.summary().valid_loss), trained.summary().epochs),
        Err(_) => (None, 0),
    };
    let found = trainer().find_lr(data)?;
    let mut rates: Vec<f64> =
        (0..POINTS).map(|i| low * 1e5f64.powf(i as f64 / (POINTS - 1) as f64)).collect();
    let finders = [
        ("auto", Some(found.recommended)),
        ("steepest", found.steepest),
        ("minimum/10", found.minimum_tenth),
        ("valley", found.valley),
        ("1e-3", Some(1e-3)),
    ];
    // Where a curve has no such point, its user is left with the lowest rate.
    rates.extend(finders.iter().map(|(_, rate)| rate.unwrap_or(low)));
    let runs = in_parallel(threads, &rates, |&rate| train(rate));
    let (grid, found_runs) = runs.split_at(POINTS);
    let finders: serde_json::Map<String, Value> = finders
        .iter()
        .zip(found_runs)
        .map(|((name, rate), (loss, _))| (name.to_string(), json!({ "rate": rate, "loss": loss })))
        .collect();
    // A constant prediction: the first guess, which a rate of nearly nothing keeps.
    let guess = trainer().epochs(1).lr(1e-30).fit(data)?.summary().valid_loss;
    Ok(json!({
        "rates": &rates[..POINTS],
        "grid": grid.iter().map(|run| run.0).collect::<Vec<_>>(),
        "epochs": grid.iter().map(|run| run.1).collect::<Vec<_>>(),
        "finders": finders,
        "guess": guess,
        "steps": found.steps,
        "sweep_steps": found.curve.len(),
        "run_steps": found.run_steps,
        "seconds": found.seconds,
        "band": found.band,
        "rehearsals": found.rehearsals,
    }))
}
