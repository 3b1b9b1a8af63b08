//! `cargo +nightly fuzz run csv fuzz/corpus/csv fuzz/seeds/csv`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::csv::run(bytes));
