//! `cargo +nightly fuzz run spec fuzz/corpus/spec fuzz/seeds/spec`; see `fuzz/README.md`.

#![no_main]

#[allow(dead_code)] // the other targets
#[path = "../targets/mod.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::spec::run(bytes));
