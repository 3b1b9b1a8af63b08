//! `cargo +nightly fuzz run toml fuzz/corpus/toml fuzz/seeds/toml`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::toml::run(bytes));
