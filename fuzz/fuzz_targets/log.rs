//! `cargo +nightly fuzz run log fuzz/corpus/log fuzz/seeds/log`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::log::run(bytes));
