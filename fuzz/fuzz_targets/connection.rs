//! `cargo +nightly fuzz run connection fuzz/corpus/connection fuzz/seeds/connection`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::connection::run(bytes));
