//! Reading files where somebody else may have put something: only what is a file is opened, and nobody is
//! waited for.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::Error;

/// The contents of a file.
///
/// A folder, a FIFO, a socket or a device in its place is an error: the first has no contents, and the others
/// may never end. A link to a file is followed.
///
/// # Errors
///
/// If it cannot be read, or is no file; `doing` says what that was for, as `read the log` does.
pub fn read(doing: &'static str, path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io { doing, path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
    Ok(bytes)
}

/// The contents of a file that is small where nobody has changed it.
///
/// # Errors
///
/// As [`read`], or if it has more than `most` bytes.
pub fn read_at_most(doing: &'static str, path: &Path, most: u64) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Io { doing, path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let file = open(path).map_err(failed)?;
    // One more than there may be tells that there is more.
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        let why = format!("it has more than the {most} bytes that such a file can have");
        return Err(failed(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    Ok(bytes)
}

/// Opens a file to be read.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    // Opening a device can do something, so it is looked at before.
    regular(fs::metadata(path)?.file_type())?;
    let mut options = OpenOptions::new();
    options.read(true);
    no_waiting(&mut options, false);
    let file = options.open(path)?;
    // It may be another one by now.
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Opens a file to be appended to, and to be read; it is made if it is not there. A link in its place is an
/// error.
pub(crate) fn append(path: &Path) -> io::Result<File> {
    match fs::symlink_metadata(path) {
        Ok(about) => regular(about.file_type())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut options = OpenOptions::new();
    options.read(true).create(true).append(true);
    no_waiting(&mut options, true);
    let file = options.open(path)?;
    regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Fails if something is no file, and says what it is.
fn regular(kind: FileType) -> io::Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let what = what(kind);
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is {what}, not a file")))
}

#[cfg(unix)]
fn what(kind: FileType) -> &'static str {
    use std::os::unix::fs::FileTypeExt;

    match kind {
        _ if kind.is_dir() => "a folder",
        _ if kind.is_symlink() => "a link to elsewhere",
        _ if kind.is_fifo() => "a FIFO",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

#[cfg(not(unix))]
fn what(kind: FileType) -> &'static str {
    if kind.is_dir() { "a folder" } else { "a link to elsewhere" }
}

/// Opens whatever is there at once, without the terminal that it may be, and without following a link where
/// it is not to.
#[cfg(unix)]
fn no_waiting(options: &mut OpenOptions, no_link: bool) {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;

    let mut flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, no_link);
    options.custom_flags(flags.bits() as i32);
}

#[cfg(not(unix))]
fn no_waiting(_: &mut OpenOptions, _: bool) {}

/// Whether a path still leads to this open file.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (open.dev(), open.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Where a file that is open cannot be deleted.
#[cfg(not(unix))]
pub(crate) fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_files_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::write(path("file"), "abc").unwrap();
        symlink(path("file"), path("link")).unwrap();
        assert_eq!(read("read", &path("link")).unwrap(), b"abc");
        assert_eq!(read_at_most("read", &path("file"), 3).unwrap(), b"abc");
        let long = read_at_most("read", &path("file"), 2).unwrap_err().to_string();
        assert!(long.contains("more than the 2 bytes"), "{long}");

        fs::create_dir(path("folder")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, path("fifo"), rustix::fs::Mode::RUSR).unwrap();
        let _socket = UnixListener::bind(path("socket")).unwrap();
        symlink("/dev/zero", path("device")).unwrap();
        for (name, what) in [
            ("folder", "it is a folder, not a file"),
            ("fifo", "it is a FIFO, not a file"),
            ("socket", "it is a socket, not a file"),
            ("device", "it is a device, not a file"),
        ] {
            let error = read("read the log", &path(name)).unwrap_err().to_string();
            assert!(error.starts_with("could not read the log ") && error.ends_with(what), "{error}");
            let error = append(&path(name)).unwrap_err().to_string();
            assert!(error.contains(", not a file"), "{name}: {error}");
        }
    }

    #[test]
    fn nothing_is_appended_through_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        symlink(path("elsewhere"), path("log")).unwrap();
        let error = append(&path("log")).unwrap_err().to_string();
        assert_eq!(error, "it is a link to elsewhere, not a file");
        assert!(!path("elsewhere").exists());

        let file = append(&path("good")).unwrap();
        assert!(is_at(&file, &path("good")).unwrap());
        fs::remove_file(path("good")).unwrap();
        assert!(!is_at(&file, &path("good")).unwrap());
        fs::write(path("good"), "").unwrap();
        assert!(!is_at(&file, &path("good")).unwrap());
    }
}
