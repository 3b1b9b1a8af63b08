//! Trains every table over a grid of rates, and with the rates that finders recommend. See `bench/learning-rate`.
//!
//! `cargo run --release --example learning_rate -- FOLDER SEEDS EPOCHS ROWS THREADS [NAME …]`
#![allow(clippy::print_stdout)]

mod shared;

use std::error::Error;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use downhill::data::bundled;
use downhill::prelude::*;
use downhill::train::usual_schedule;
use serde_json::{Value, json};

use shared::tables;

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
    let folder = Path::new(folder);
    let tables = match folder.is_dir() {
        true => tables(folder)?,
        false => bundled::catalogue()
            .iter()
            .map(|data| Ok((data.name.to_string(), Table::bundled(data.name)?)))
            .collect::<Result<_, Box<dyn Error>>>()?,
    };
    for (name, table) in tables {
        if !names.is_empty() && !names.contains(&name) {
            continue;
        }
        for seed in 1..=seeds {
            let all = table.default_target().split(0.2, seed)?;
            let data =
                Dataset::from_examples(thinned(&all.train, rows * 4 / 5)?, thinned(&all.valid, rows / 5)?)?;
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
    let trainer = || Trainer::default().optimizer(rule).epochs(epochs).seed(seed).threads(1);
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

/// At most so many of the rows, evenly taken.
fn thinned(examples: &Examples, most: usize) -> Result<Examples, Box<dyn Error>> {
    let kept: Vec<usize> = (0..examples.rows()).step_by(examples.rows().div_ceil(most).max(1)).collect();
    let x = kept.iter().flat_map(|&row| examples.row(row)).copied().collect();
    let y = match &examples.y {
        Targets::Classes { labels, classes } => {
            Targets::Classes { labels: kept.iter().map(|&row| labels[row]).collect(), classes: *classes }
        }
        Targets::Values(values) => Targets::Values(kept.iter().map(|&row| values[row]).collect()),
    };
    Ok(Examples::new(x, examples.features, y)?)
}

/// The results of some work on each, in order.
fn in_parallel<T: Sync, R: Send>(threads: usize, of: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((at, one)) =
                    Some(next.fetch_add(1, Ordering::Relaxed)).and_then(|at| Some((at, of.get(at)?)))
                {
                    let result = work(one);
                    done.lock().expect("no worker panics").push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no worker panics");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}
