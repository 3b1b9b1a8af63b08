//! What each fuzz target does with an input. The targets of libFuzzer call these, and an ordinary test of the
//! program's crate runs them over the inputs that are kept in `seeds`.

pub mod checkpoint;
pub mod connection;
pub mod csv;
pub mod idx;
pub mod log;
pub mod model;
pub mod seal;
pub mod spec;
pub mod toml;

use std::path::PathBuf;

/// A file of this process alone with these bytes; the next one takes its place.
pub fn file(name: &str, bytes: &[u8]) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("downhill-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    let path = folder.join(name);
    std::fs::write(&path, bytes).expect("room for a temporary file");
    path
}
