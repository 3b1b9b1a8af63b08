//! What it costs to keep a run: the log, the norms and histograms in it, and checkpoints, beside the same run in memory.
//!
//! `cargo run --release --example logging [-- FOLDER_OF_IMAGES]`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use downhill::prelude::*;
use downhill::train::{EarlyStopping, Event, Source};

const ROUNDS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::temp_dir().join(format!("downhill-logging-{}", std::process::id()));
    std::fs::create_dir_all(&place)?;
    let table = place.join("small.csv");
    std::fs::write(&table, small())?;
    println!("{:40} {:>10} {:>10} {:>8}", "", "in memory", "kept", "ratio");
    measure("32-64-64-2, batch 32, 10 000 rows", &table, [64, 64], 32, 20, &place)?;
    if let Some(images) = std::env::args().nth(1) {
        measure("784-256-128-10, batch 128", Path::new(&images), [256, 128], 128, 10, &place)?;
    }
    std::fs::remove_dir_all(&place)?;
    Ok(())
}

/// A table of two classes and 32 features that tell them apart, mostly.
fn small() -> String {
    let mut text = String::new();
    let mut state = 1u64;
    let mut noise = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 24) as f64 - 0.5
    };
    for row in 0..12_500 {
        let class = row % 2;
        for feature in 0..32 {
            let shift = if feature % 4 == 0 { 0.1 * class as f64 } else { 0.0 };
            let _ = write!(text, "{:.4},", noise() + shift);
        }
        let _ = writeln!(text, "{}", ["no", "yes"][class]);
    }
    text
}

/// Trains round after round, once in memory and once in a folder, and prints the medians in seconds.
fn measure(
    name: &str,
    data: &Path,
    hidden: [usize; 2],
    batch: usize,
    epochs: u64,
    place: &Path,
) -> Result<(), Box<dyn Error>> {
    let source = Source::new(data.to_string_lossy());
    let rows = source.load(0)?;
    let trainer = || {
        let trainer = Trainer::new(Network::mlp(hidden)).lr(1e-3).batch(batch).epochs(epochs).threads(1);
        trainer.early_stopping(EarlyStopping::Off)
    };
    let mut seconds = [Vec::new(), Vec::new()];
    for round in 0..ROUNDS {
        let began = Instant::now();
        let alone = trainer().fit(&rows)?;
        seconds[0].push(began.elapsed().as_secs_f64());

        // Reading the data is not part of it.
        let began = Arc::new(Mutex::new(None));
        let start = began.clone();
        let view = move |event: &Event| {
            if let Event::Start { .. } = event {
                *start.lock().expect("nobody panics with it") = Some(Instant::now());
            }
        };
        let kept = trainer().view(view).fit_in(place, Some(&format!("{batch}-{round}")), &source)?;
        let began = began.lock().expect("nobody panics with it").ok_or("the run did not begin")?;
        seconds[1].push(began.elapsed().as_secs_f64());
        assert_eq!(kept.summary().weights_sha256, alone.summary().weights_sha256);
    }
    let [alone, kept] = seconds.map(median);
    println!("{name:40} {alone:9.4}s {kept:9.4}s {:8.3}", kept / alone);
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
