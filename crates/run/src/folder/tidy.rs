//! What killed processes left behind, and nobody is writing any more.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::Duration;

use crate::durable::is_aside;

/// What the name of a folder begins with in which a run is being made.
pub(super) const NEW: &str = ".new-";

/// What is written takes seconds at most; what is older than this was left.
const OLD: Duration = Duration::from_secs(3600);

/// The files of a run that are written aside.
const FILES: [&str; 4] = ["run.toml", "model.safetensors", "start.safetensors", "report.html"];

/// Removes the folders that runs were being made in by processes that are surely gone: they are old, and not
/// locked.
///
/// Only what such a folder has is removed, so that nothing else is lost. What cannot be is left: a run need
/// not fail for it.
pub(super) fn abandoned_folders(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_new = entry.file_name().to_string_lossy().starts_with(NEW);
        if is_new && entry.file_type().is_ok_and(|kind| kind.is_dir()) && is_old(&path) {
            let lock = lock(&path);
            if lock.is_ok() {
                let _ = fs::remove_dir(path.join("checkpoints"));
                files_aside(&path, true);
                let _ = fs::remove_file(path.join("run.toml"));
                let _ = fs::remove_dir(&path);
            }
        }
    }
}

/// Removes the files of a run that were being written when their process was killed.
pub(super) fn files_aside(run: &Path, whatever_their_age: bool) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_aside = name
            .to_str()
            .is_some_and(|name| FILES.iter().any(|file| is_aside(name, file)) || is_socket_aside(name));
        // Somebody may be writing a report at this moment.
        if is_aside && (whatever_their_age || is_old(&entry.path())) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a socket of this name was to become `control.sock`.
fn is_socket_aside(name: &str) -> bool {
    let hex = |digits: &str| digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    name == "control.new" || name.strip_prefix("ctl-").is_some_and(hex)
}

/// Locks a folder that a run is being made in, as long as the file is open. It stays locked where it is
/// renamed.
pub(super) fn lock(folder: &Path) -> io::Result<Option<File>> {
    // Only Unix lets a folder be opened.
    if !cfg!(unix) {
        return Ok(None);
    }
    let file = File::open(folder)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(fs::TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
        // Some file systems know no locks; the age is all there is then.
        Err(fs::TryLockError::Error(_)) => Ok(None),
    }
}

fn is_old(path: &Path) -> bool {
    let changed = fs::symlink_metadata(path).and_then(|about| about.modified());
    changed.is_ok_and(|changed| changed.elapsed().is_ok_and(|age| age > OLD))
}

#[cfg(all(test, unix))]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn make_old(path: &Path) {
        let long_ago = SystemTime::now() - 2 * OLD;
        File::open(path).unwrap().set_modified(long_ago).unwrap();
    }

    #[test]
    fn only_what_is_surely_abandoned_is_removed() {
        let runs = tempfile::tempdir().unwrap();
        let make = |name: &str, old: bool| {
            let path = runs.path().join(name);
            fs::create_dir_all(path.join("checkpoints")).unwrap();
            fs::write(path.join("run.toml"), "").unwrap();
            fs::write(path.join("run.toml.0123456789abcdef.tmp"), "").unwrap();
            if old {
                make_old(&path);
            }
            path
        };
        let (dead, young) = (make(".new-1-0", true), make(".new-2-0", false));
        let (held, full, run) = (make(".new-3-0", true), make(".new-4-0", true), make("run", true));
        let lock = lock(&held).unwrap().unwrap();
        fs::write(full.join("precious"), "").unwrap();
        make_old(&full);
        std::os::unix::fs::symlink(&run, runs.path().join(".new-5-0")).unwrap();
        abandoned_folders(runs.path());
        assert!(!dead.exists() && young.join("run.toml").exists() && run.join("run.toml").exists());
        assert!(held.join("run.toml").exists() && full.join("precious").exists());
        // Its process goes on for as long as it likes.
        drop(lock);
        make_old(&held);
        abandoned_folders(runs.path());
        assert!(!held.exists());
    }

    #[test]
    fn files_that_were_being_written_are_removed_when_they_are_old() {
        let run = tempfile::tempdir().unwrap();
        let path = |name: &str| run.path().join(name);
        let names =
            ["model.safetensors.0123456789abcdef.tmp", "ctl-01234567", "mine.tmp", "model.safetensors"];
        for name in names {
            fs::write(path(name), "").unwrap();
        }
        files_aside(run.path(), false);
        assert!(names.iter().all(|name| path(name).exists()));
        names.iter().for_each(|name| make_old(&path(name)));
        files_aside(run.path(), false);
        let left: Vec<bool> = names.iter().map(|name| path(name).exists()).collect();
        assert_eq!(left, [false, false, true, true]);
    }
}
