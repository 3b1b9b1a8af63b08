//! `cargo +nightly fuzz run model fuzz/corpus/model fuzz/seeds/model`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::model::run(bytes));
