//! The inputs that are kept for the fuzz targets, each run through its target as an ordinary test, and
//! changed a little.

#[path = "../../../fuzz/targets/mod.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The targets write files of the same names.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs a target over its seeds, and over each of them cut off and with some bytes changed.
fn every(name: &str, target: fn(&[u8]), changes: usize) {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(name);
    let mut seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() > 1, "{name} has seeds");
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (random >> 33) as usize % below.max(1)
    };
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        let timed = |bytes: &[u8]| {
            let began = Instant::now();
            target(bytes);
            assert!(began.elapsed() < Duration::from_secs(20), "{} takes long", seed.display());
        };
        timed(&bytes);
        for _ in 0..changes {
            let mut changed = bytes.clone();
            for _ in 0..1 + next(3) {
                if !changed.is_empty() {
                    let at = next(changed.len());
                    changed[at] = [next(256) as u8, b'0' + next(10) as u8, b'-', b'e'][next(4)];
                }
            }
            if next(4) == 0 {
                changed.truncate(next(changed.len()));
            }
            timed(&changed);
        }
    }
}

#[test]
fn tables() {
    every("csv", targets::csv::run, 100);
}

#[test]
fn images() {
    every("idx", targets::idx::run, 300);
}

#[test]
fn specs() {
    every("spec", targets::spec::run, 300);
}

#[test]
fn configurations() {
    every("toml", targets::toml::run, 300);
}

#[test]
fn logs() {
    every("log", targets::log::run, 60);
}

#[test]
fn models() {
    every("model", targets::model::run, 300);
}

#[test]
fn checkpoints() {
    every("checkpoint", targets::checkpoint::run, 60);
}

#[test]
fn connections() {
    every("connection", targets::connection::run, 100);
}
