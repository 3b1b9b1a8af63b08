//! `--overwrite`: a run in the place of the one of that name.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;

use downhill::train::RunFolder;

use crate::Failure;

/// A run that is out of the way until the one that takes its place has begun; it comes back if that does not
/// begin.
pub struct Aside(Arc<Mutex<Option<Moved>>>);

struct Moved {
    from: PathBuf,
    to: PathBuf,
}

impl Aside {
    /// Puts the run of this name aside, if there is one.
    pub fn put(runs: &Path, name: Option<&str>) -> Result<Self, Failure> {
        let Some(name) = name else {
            return Err(Failure::Usage("--overwrite needs --name, which says what run to replace".into()));
        };
        let from = runs.join(name);
        // Whether it is a name is checked where the folder is made.
        if name.contains(['/', '\\']) || name.starts_with('.') || fs::symlink_metadata(&from).is_err() {
            return Ok(Self(Arc::default()));
        }
        let folder = RunFolder::open(&from)?;
        if folder.is_under_way() {
            let run = from.display();
            return Err(Failure::Message(format!(
                "the run {run} is under way, and is not overwritten; stop it first"
            )));
        }
        let to = runs.join(format!(".old-{}-{name}", std::process::id()));
        fs::rename(&from, &to).map_err(|error| {
            Failure::Message(format!("could not put the run {} aside: {error}", from.display()))
        })?;
        Ok(Self(Arc::new(Mutex::new(Some(Moved { from, to })))))
    }

    /// What to call when the new run has begun: the old one is removed.
    pub fn remover(&self) -> impl FnOnce() + Send + 'static {
        let moved = self.0.clone();
        move || {
            if let Some(Moved { to, .. }) = moved.lock().ok().and_then(|mut moved| moved.take()) {
                let _ = fs::remove_dir_all(to);
            }
        }
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(Moved { from, to }) = self.0.lock().ok().and_then(|mut moved| moved.take()) {
            let _ = fs::rename(to, from);
        }
    }
}
