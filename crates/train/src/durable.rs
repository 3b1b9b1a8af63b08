//! Files that are either the old one or the new one, whatever happens in between.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::Error;

/// Writes a file aside, syncs it, and renames it into place; `doing` says in an error what that was for, as `write the
/// model` does.
///
/// # Errors
///
/// If any of it fails; the file that was there before is then untouched.
pub fn write(doing: &'static str, path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    let aside = Path::new(&aside);
    replace(path, aside, bytes).map_err(|source| {
        let _ = fs::remove_file(aside); // It may not even exist; the first error is the one to tell.
        Error::Io { doing, path: path.to_path_buf(), source }
    })
}

fn replace(path: &Path, aside: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(aside, path)?;
    // The parent of a bare file name is the empty path.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    sync_folder(folder.unwrap_or(Path::new(".")))
}

/// Makes renames and new names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
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
        write("write", &path, b"old").unwrap();
        // A folder stands where the new file would be written aside.
        fs::create_dir(folder.path().join("model.tmp")).unwrap();
        let error = write("write the model", &path, b"new").unwrap_err().to_string();
        assert!(error.starts_with("could not write the model "), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }
}
