//! `cargo +nightly fuzz run idx fuzz/corpus/idx fuzz/seeds/idx`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::idx::run(bytes));
