//! What `diagnose` says of each of 15 rates, beside what the runs at all of them show; see
//! `bench/learning-rate`.
//!
//! `cargo run --release --example verdicts -- OPTIMIZER EPOCHS SEED DATA`
#![allow(clippy::print_stdout)]

use std::error::Error;

use downhill::prelude::*;
use downhill::train::{Contender, Source, compare, diagnose, usual_rate};
use serde_json::json;

/// The rates reach so many decades below and above the usual one.
const DECADES: f64 = 3.0;
const POINTS: i32 = 15;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [optimizer, epochs, seed, data] = args.as_slice() else {
        return Err("usage: verdicts OPTIMIZER EPOCHS SEED DATA".into());
    };
    let rule: Rule = optimizer.parse()?;
    let seed = seed.parse()?;
    let source = Source::new(data.as_str());
    let data = source.load(seed)?;
    let middle = POINTS / 2;
    let contender = |point: i32| {
        let rate = usual_rate(&rule) * 10f64.powf(f64::from(point - middle) * DECADES / f64::from(middle));
        let config = Config {
            optimizer: rule.clone(),
            epochs: epochs.parse()?,
            lr: Some(Warmup::new(Length::Share(0.05), Cosine::new(rate)).into()),
            early_stopping: EarlyStopping::Off,
            seed,
            ..Config::default()
        };
        Ok(Contender { config, name: rate.to_string(), group: 0 })
    };
    let contenders: Vec<Contender> = (0..POINTS).map(contender).collect::<Result<_, Box<dyn Error>>>()?;
    let compared = compare(&contenders, &data, None, None, |_| Vec::new(), |_| {})?;
    for (contender, compared) in contenders.iter().zip(compared) {
        let diagnosis = diagnose(&contender.config, &data, None)?;
        println!(
            "{}",
            json!({
                "table": source.name(), "optimizer": optimizer, "seed": seed, "rate": compared.peak_rate,
                "end": compared.course.attempt(0.0).end(), "baseline": compared.course.baseline,
                "truth": compared.verdict, "diagnosed": diagnosis.verdict,
                "cost": diagnosis.steps as f64 / diagnosis.run_steps as f64, "diagnosis": diagnosis,
            })
        );
    }
    Ok(())
}
