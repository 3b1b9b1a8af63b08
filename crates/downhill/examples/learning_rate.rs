//! Trains over a grid of rates, and with the rates that finders recommend. See `bench/learning-rate`.
//!
//! `cargo run --release --example learning_rate -- FOLDER THREADS < JOBS`, where each line of standard input
//! is a [`Job`]; prints a line for each.
#![allow(clippy::print_stdout)]

mod shared {
    pub mod parallel;
    pub mod small;
    pub mod tables;
}

use std::error::Error;
use std::io;
use std::path::Path;

use downhill::prelude::*;
use downhill::train::{Guard, usual_rate, usual_schedule};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use shared::parallel::in_parallel;
use shared::small::small;
use shared::tables::tables;

/// The grid: the usual rate of the rule, and so many times it and a share of it.
const GRID: [f64; 2] = [1.0 / 300.0, 1e5 / 300.0];
const POINTS: usize = 15;

/// A setup to look at.
#[derive(Debug, Deserialize, Serialize)]
struct Job {
    table: String,
    seed: u64,
    rule: String,
    /// The number of rows of the table, at most.
    rows: usize,
    epochs: u64,
    /// What the program chooses unless it is given.
    batch: Option<usize>,
    hidden: Option<Vec<usize>>,
    #[serde(default)]
    batch_norm: bool,
    /// Passed on to the result.
    #[serde(default)]
    kind: String,
}

impl Job {
    fn config(&self) -> Result<Config, Box<dyn Error>> {
        let mut network = Mlp { dropout: 0.2, batch_norm: self.batch_norm, ..Network::mlp([128, 128]) };
        network.hidden = self.hidden.clone().unwrap_or(network.hidden);
        Ok(Config {
            seed: self.seed,
            optimizer: self.rule.parse()?,
            epochs: self.epochs,
            batch: self.batch,
            network: network.into(),
            // It would make other rates of those that blow up.
            guard: Guard::Off,
            ..Config::default()
        })
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, threads] = args.as_slice() else {
        return Err("usage: learning_rate FOLDER THREADS < JOBS".into());
    };
    let jobs = io::stdin().lines().map(|line| Ok(serde_json::from_str(&line?)?));
    let jobs = jobs.collect::<Result<Vec<Job>, Box<dyn Error>>>()?;
    let names: Vec<String> = jobs.iter().map(|job| job.table.clone()).collect();
    let tables = tables(Path::new(folder), &names)?;
    for job in jobs {
        let Some((_, table)) = tables.iter().find(|table| table.0 == job.table) else { continue };
        let data = small(table, job.seed, job.rows)?;
        println!("{}", json!({ "job": &job, "result": result(&data, &job, threads.parse()?)? }));
    }
    Ok(())
}

/// The grid, and what is found.
fn result(data: &Dataset, job: &Job, threads: usize) -> Result<Value, Box<dyn Error>> {
    let config = job.config()?;
    let rule = &config.optimizer;
    let fit = |config: Config| Trainer::from_config(config).threads(1).fit(data);
    // The loss of the weights that are kept; a run that fails has none.
    let train = |(rule, rate): &(Rule, f64)| {
        let config =
            Config { optimizer: rule.clone(), lr: Some(usual_schedule(rule, *rate)), ..config.clone() };
        fit(config).ok().map(|trained| trained.summary().valid_loss)
    };
    let usual = usual_rate(rule);
    let [low, high] = GRID.map(|times| usual * times);
    let ratio = |i: usize| i as f64 / (POINTS - 1) as f64;
    let rates: Vec<f64> = (0..POINTS).map(|i| low * (high / low).powf(ratio(i))).collect();
    let found = Trainer::from_config(config.clone()).threads(1).find_lr(data)?;
    // Where a curve has no such point, its user is left with the lowest rate.
    let mut finders = vec![
        ("auto", rule.clone(), found.recommended),
        ("usual", rule.clone(), usual),
        ("steepest", rule.clone(), found.steepest.unwrap_or(low)),
        ("minimum/10", rule.clone(), found.minimum_tenth.unwrap_or(low)),
        ("valley", rule.clone(), found.valley.unwrap_or(low)),
        ("1e-3", rule.clone(), 1e-3),
    ];
    for name in ["prodigy", "schedule-free-sgd", "schedule-free-adamw"] {
        let rule: Rule = name.parse()?;
        let usual = usual_rate(&rule);
        finders.push((name, rule, usual));
    }
    let grid = rates.iter().map(|&rate| (rule.clone(), rate));
    let runs = grid.chain(finders.iter().map(|(_, rule, rate)| (rule.clone(), *rate)));
    let runs: Vec<(Rule, f64)> = runs.collect();
    let losses = in_parallel(threads, &runs, train);
    let (grid, found_losses) = losses.split_at(POINTS);
    let finders: serde_json::Map<String, Value> = finders
        .iter()
        .zip(found_losses)
        .map(|((name, _, rate), loss)| (name.to_string(), json!({ "rate": rate, "loss": loss })))
        .collect();
    // A constant prediction: the first guess, which a rate of nearly nothing keeps.
    let guess = fit(Config { epochs: 1, lr: Some(1e-30.into()), ..config.clone() })?.summary().valid_loss;
    Ok(json!({
        "usual": usual,
        "rates": rates,
        "grid": grid,
        "finders": finders,
        "guess": guess,
        "steps": found.steps,
        "sweep_steps": found.curve.len(),
        "run_steps": found.run_steps,
        "seconds": found.seconds,
        "band": found.band,
        "rehearsals": found.rehearsals,
        "choice": found.choice,
    }))
}
