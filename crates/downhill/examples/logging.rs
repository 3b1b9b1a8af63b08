//! What it costs to keep a run: the log, the norms and histograms in it, and checkpoints, beside the same run
//! in memory.
//!
//! `cargo run --release --example logging`, which takes two minutes
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use downhill::prelude::*;
use downhill::train::{EarlyStopping, Event, Source};

fn main() -> Result<(), Box<dyn Error>> {
    let place = std::env::temp_dir().join(format!("downhill-logging-{}", std::process::id()));
    fs::create_dir_all(&place)?;
    let table = place.join("small.csv");
    fs::write(&table, small())?;
    println!("{:40} {:>10} {:>10} {:>8}", "", "in memory", "kept", "ratio");
    measure("32-64-64-2, batch 32, 10 000 rows", &table, [64, 64], 32, 20, 61, &place)?;
    let folder = place.join("images");
    fs::create_dir(&folder)?;
    for (part, rows) in [("train", 60_000), ("t10k", 10_000)] {
        images(&folder, part, rows)?;
    }
    measure("784-256-128-10, batch 128, 60 000 rows", &folder, [256, 128], 128, 10, 7, &place)?;
    fs::remove_dir_all(&place)?;
    Ok(())
}

/// A table of two classes and 32 features that tell them apart, mostly.
fn small() -> String {
    let mut text = String::new();
    let mut noise = noise();
    for row in 0..12_500 {
        let class = row % 2;
        for feature in 0..32 {
            let shift = if feature % 4 == 0 { 0.1 * class as f64 } else { 0.0 };
            let _ = write!(text, "{:.4},", noise() - 0.5 + shift);
        }
        let _ = writeln!(text, "{}", ["no", "yes"][class]);
    }
    text
}

/// Files of images of 28 by 28 in ten classes, which differ in what pixels are brighter.
fn images(folder: &Path, part: &str, rows: u32) -> std::io::Result<()> {
    let header = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let mut noise = noise();
    let mut images = header(&[0x803, rows, 28, 28]);
    let mut labels = header(&[0x801, rows]);
    for row in 0..rows {
        let class = row % 10;
        labels.push(class as u8);
        images
            .extend((0..784).map(|pixel| (200.0 * noise()) as u8 + if pixel % 10 == class { 20 } else { 0 }));
    }
    fs::write(folder.join(format!("{part}-images-idx3-ubyte")), images)?;
    fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), labels)
}

/// Numbers from 0 to 1.
fn noise() -> impl FnMut() -> f64 {
    let mut state = 1u64;
    move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f64 / (1u64 << 24) as f64
    }
}

/// Trains round after round, once in memory and once in a folder, and prints the medians in seconds, and that
/// of their ratios.
fn measure(
    name: &str,
    data: &Path,
    hidden: [usize; 2],
    batch: usize,
    epochs: u64,
    rounds: usize,
    place: &Path,
) -> Result<(), Box<dyn Error>> {
    let source = Source::new(data.to_string_lossy());
    let trainer = || {
        let trainer = Trainer::new(Network::mlp(hidden)).lr(1e-3).batch(batch).epochs(epochs).threads(1);
        trainer.early_stopping(EarlyStopping::Off)
    };
    let mut seconds = [Vec::new(), Vec::new()];
    for round in 0..rounds {
        // Reading the data is not part of it; letting go of it is, as it is below.
        let rows = source.load(0)?;
        let began = Instant::now();
        let alone = trainer().fit(&rows)?;
        drop(rows);
        seconds[0].push(began.elapsed().as_secs_f64());

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
    let ratio = median(seconds[0].iter().zip(&seconds[1]).map(|(alone, kept)| kept / alone).collect());
    let [alone, kept] = seconds.map(median);
    println!("{name:40} {alone:9.4}s {kept:9.4}s {ratio:8.3}");
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
