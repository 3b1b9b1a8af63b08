//! Real data, where it is at hand.

use std::io::Write;
use std::path::{Path, PathBuf};

/// A file of real data: in the folder `DOWNHILL_SHARED_DATA`, or in `shared/data` beside the repository. It
/// is not part of it; where it is absent, a test says so and passes.
pub fn shared(file: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("DOWNHILL_SHARED_DATA").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"));
    let path = folder.join(file);
    if !path.exists() {
        // Written past the capture of the test harness, so that a skipped test is seen to be skipped.
        let _ = writeln!(std::io::stderr(), "skipped: no shared data at {}", path.display());
        return None;
    }
    Some(path.canonicalize().unwrap())
}
