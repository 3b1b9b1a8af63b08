//! Files that are either the old one or the new one, whatever happens in between.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::Error;

/// What the name of a file that is being written ends with.
const ASIDE: &str = ".tmp";

/// Writes a file aside, syncs it, and renames it into place; `doing` says in an error what that was for, as
/// `write the model` does.
///
/// The name aside is one that nobody can guess, and is not taken: whatever is planted in the folder, nothing
/// but `path` is written, and a link at `path` is replaced.
///
/// # Errors
///
/// If any of it fails; the file that was there before is then untouched.
pub fn write(doing: &'static str, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    replace(path, bytes, true).map_err(|source| Error::Io { doing, path: path.to_path_buf(), source })
}

/// The same for what nobody misses after a crash.
pub(crate) fn write_unsynced(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, false)
}

fn replace(path: &Path, bytes: &[u8], synced: bool) -> io::Result<()> {
    let (mut file, aside) = create_aside(path)?;
    let written = || -> io::Result<()> {
        file.write_all(bytes)?;
        if synced {
            file.sync_all()?;
        }
        drop(file);
        fs::rename(&aside, path)
    };
    written().inspect_err(|_| _ = fs::remove_file(&aside))?; // the first error is the one to tell
    if !synced {
        return Ok(());
    }
    // The parent of a bare file name is the empty path.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Makes a new file beside the one that is to be written.
fn create_aside(path: &Path) -> io::Result<(File, PathBuf)> {
    loop {
        let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
        name.push(format!(".{}{ASIDE}", unguessable()));
        let aside = path.with_file_name(name);
        match OpenOptions::new().write(true).create_new(true).open(&aside) {
            Ok(file) => return Ok((file, aside)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
}

/// Sixteen hexadecimal digits that nobody else knows: the system's randomness, by way of a hash that is keyed
/// with it.
pub(crate) fn unguessable() -> String {
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}

/// Whether a file of this name was being written in place of one that is called so; a crash leaves it.
pub fn is_aside(name: &str, of: &str) -> bool {
    let between = name.strip_prefix(of).and_then(|rest| rest.strip_suffix(ASIDE));
    // Versions up to 0.1 had nothing in between.
    between.is_some_and(|digits| {
        let hex = digits.strip_prefix('.').is_some_and(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
        digits.is_empty() || hex && digits.len() == 17
    })
}

/// Makes renames and new names in a folder last.
///
/// # Errors
///
/// If the system cannot.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    // Only Unix lets a folder be opened and synced.
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_file_name_is_in_the_folder_one_stands_in() {
        let name = Path::new("durable-test-of-a-bare-name");
        let written = write("write", name, b"new");
        let read = fs::read(name);
        let _ = fs::remove_file(name);
        written.unwrap();
        assert_eq!(read.unwrap(), b"new");
    }

    #[test]
    fn a_failing_write_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        // A folder stands where the file is to be.
        fs::create_dir_all(path.join("full")).unwrap();
        let error = write("write the model", &path, b"new").unwrap_err().to_string();
        assert!(error.starts_with("could not write the model "), "{error}");
        assert!(path.join("full").is_dir());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the file aside is removed");
    }

    #[cfg(unix)]
    #[test]
    fn links_that_were_planted_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("victim"), "mine").unwrap();
        std::os::unix::fs::symlink(path("victim"), path("model.tmp")).unwrap();
        std::os::unix::fs::symlink(path("victim"), path("model")).unwrap();
        write("write", &path("model"), b"new").unwrap();
        assert_eq!(fs::read(path("victim")).unwrap(), b"mine");
        assert!(fs::symlink_metadata(path("model")).unwrap().is_file());
        assert_eq!(fs::read(path("model")).unwrap(), b"new");
    }

    #[test]
    fn names_aside_are_known_again() {
        let (_, aside) = create_aside(&tempfile::tempdir().unwrap().keep().join("model")).unwrap();
        let name = aside.file_name().unwrap().to_str().unwrap();
        assert!(is_aside(name, "model") && is_aside("model.tmp", "model"));
        for other in ["model", "model.x.tmp", "model-2.tmp", "odel.tmp", "model.safetensors.tmp"] {
            assert!(!is_aside(other, "model"), "{other}");
        }
        assert_ne!(unguessable(), unguessable());
        fs::remove_dir_all(aside.parent().unwrap()).unwrap();
    }
}
