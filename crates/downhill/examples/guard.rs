//! Trains every table with every optimizer at some multiple of the rate that usually suits it. See
//! `bench/learning-rate`.
//!
//! `cargo run --release --example guard -- FOLDER SHAPE TIMES SEED EPOCHS ROWS THREADS [NAME …]`
#![allow(clippy::print_stdout)]

mod shared {
    pub mod parallel;
    pub mod small;
    pub mod tables;
}

use std::error::Error;
use std::path::Path;
use std::sync::mpsc;

use downhill::nn;
use downhill::prelude::*;
use downhill::train::{usual_rate, usual_schedule};
use serde_json::{Value, json};

use shared::parallel::in_parallel;
use shared::small::small;
use shared::tables::tables;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, shape, times, seed, epochs, rows, threads, names @ ..] = args.as_slice() else {
        return Err("usage: guard FOLDER constant|usual TIMES SEED EPOCHS ROWS THREADS [NAME …]".into());
    };
    let (times, seed, epochs): (f64, u64, u64) = (times.parse()?, seed.parse()?, epochs.parse()?);
    let (rows, threads): (usize, usize) = (rows.parse()?, threads.parse()?);
    for (name, table) in tables(Path::new(folder), names)? {
        let data = small(&table, seed, rows)?;
        let constant = constant_loss(&data)?;
        let runs = in_parallel(threads, &Rule::NAMES, |rule| {
            run(&data, rule, shape == "usual", times, epochs, seed)
        });
        for (rule, run) in Rule::NAMES.iter().zip(runs) {
            println!("{}", json!({ "table": name, "rule": rule, "constant": constant, "run": run }));
        }
    }
    Ok(())
}

/// A run at so many times the usual rate, constant or as the peak of the usual schedule.
fn run(data: &Dataset, rule: &str, usual: bool, times: f64, epochs: u64, seed: u64) -> Value {
    let rule: Rule = rule.parse().expect("the name of a rule");
    let (sender, events) = mpsc::channel();
    let view = move |event: &Event| {
        if let Event::Rollback { .. } = event {
            let _ = sender.send(event.text());
        }
    };
    let rate = times * usual_rate(&rule);
    let schedule = if usual { usual_schedule(&rule, rate) } else { rate.into() };
    let trainer = Trainer::default().optimizer(rule).lr(schedule).epochs(epochs).seed(seed);
    let fitted = trainer.threads(1).view(view).fit(data);
    let messages: Vec<_> = events.try_iter().flatten().collect();
    match fitted {
        Ok(trained) => json!({
            "loss": trained.summary().valid_loss,
            "stop": trained.summary().stop,
            "epochs": trained.summary().epochs,
            "messages": messages,
        }),
        Err(error) => json!({ "loss": null, "stop": error.to_string(), "messages": messages }),
    }
}

/// The validation loss of always predicting the shares of the classes, or the mean of the targets, of the
/// training rows.
fn constant_loss(data: &Dataset) -> Result<f64, Box<dyn Error>> {
    let (output, loss): (Vec<f32>, Loss) = match &data.train.y {
        Targets::Classes { labels, classes } => {
            let mut counts = vec![1.0f32; *classes]; // so that a class of the validation rows alone has a share
            labels.iter().for_each(|&label| counts[label as usize] += 1.0);
            (counts.into_iter().map(f32::ln).collect(), Loss::CrossEntropy(nn::loss::CrossEntropy::default()))
        }
        Targets::Values(values) => {
            let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / values.len() as f64;
            (vec![mean as f32], Loss::Mse(nn::loss::Mse {}))
        }
    };
    let targets = match &data.valid.y {
        Targets::Classes { labels, .. } => nn::Targets::Classes(labels),
        Targets::Values(values) => nn::Targets::Values(values),
    };
    Ok(loss.mean(&output.repeat(data.valid.rows()), targets)?)
}
