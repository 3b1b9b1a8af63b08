//! What a run is made with.

use serde::{Deserialize, Serialize};

/// The machine and the program that make a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// The version of Downhill.
    pub version: String,
    /// The operating system: `linux`.
    pub os: String,
    /// The processor's architecture: `x86_64`.
    pub arch: String,
    /// The vector instructions there are, of those that change how fast numbers are worked out, and their
    /// last bits.
    pub vectors: Vec<String>,
    /// The number of cores there are to use.
    pub cores: usize,
    /// The number of threads that train.
    pub threads: usize,
}

impl Environment {
    /// This machine, training on so many threads.
    pub fn here(threads: usize) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            os: std::env::consts::OS.into(),
            arch: std::env::consts::ARCH.into(),
            vectors: vectors(),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            threads,
        }
    }
}

#[cfg(target_arch = "x86_64")]
fn vectors() -> Vec<String> {
    let known = [
        ("sse4.2", is_x86_feature_detected!("sse4.2")),
        ("avx", is_x86_feature_detected!("avx")),
        ("fma", is_x86_feature_detected!("fma")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name.to_string()).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> Vec<String> {
    // Every 64-bit ARM has NEON.
    if cfg!(target_arch = "aarch64") { vec!["neon".into()] } else { Vec::new() }
}
