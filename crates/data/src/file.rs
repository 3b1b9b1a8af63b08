//! A file's bytes, unpacked if they are gzipped.

use crate::error::{Excess, TooLarge};
use crate::{Error, bundled};
use downhill_core::nearest;
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

/// Compressed data may unpack to so many times its size, or to so many bytes; a table's rarely comes to ten times.
const TIMES: u64 = 16;
const UNPACKED: u64 = 64 << 20;

/// Opens a file; gzip is known by its first bytes, not by the name.
pub(crate) fn open(path: &Path, any_size: bool) -> Result<Box<dyn Read>, Error> {
    let shown = path.display().to_string();
    let failed = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound { nearest: similar(path), path: shown.clone() },
        _ => Error::Io { path: shown.clone(), error },
    };
    // A pipe would be waited for when it is opened.
    let about = std::fs::metadata(path).map_err(failed)?;
    if about.is_dir() {
        return Err(Error::Directory { path: shown });
    }
    if !about.is_file() {
        return Err(Error::NotAFile { path: shown });
    }
    let file = File::open(path).map_err(failed)?;
    unpacking(&shown, file, about.len(), any_size).map_err(failed)
}

/// The bytes as they are, or what they hold if they are gzipped; `size` is how many there are.
pub(crate) fn unpacking<'a>(
    name: &str,
    mut from: impl Read + 'a,
    size: u64,
    any_size: bool,
) -> io::Result<Box<dyn Read + 'a>> {
    let mut start = Vec::new();
    (&mut from).take(2).read_to_end(&mut start)?;
    let packed = start == [0x1f, 0x8b];
    let all = Cursor::new(start).chain(from);
    if !packed {
        return Ok(Box::new(all));
    }
    let unpacked = MultiGzDecoder::new(io::BufReader::new(all));
    if any_size {
        return Ok(Box::new(unpacked));
    }
    let limit = size.saturating_mul(TIMES).max(UNPACKED);
    Ok(Box::new(Limited { from: unpacked, name: name.to_owned(), left: limit, limit }))
}

/// Bytes that must not be more than expected.
struct Limited<R> {
    from: R,
    name: String,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(into)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let (file, what, limit) = (self.name.clone(), Excess::Unpacked, self.limit);
            io::Error::other(TooLarge { file, what, limit })
        })?;
        Ok(read)
    }
}

/// The contents of a file.
pub(crate) fn read(path: &Path, any_size: bool) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    match open(path, any_size)?.read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(failed(&path.display().to_string(), error)),
    }
}

/// The error of a read that failed.
pub(crate) fn failed(path: &str, error: io::Error) -> Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<TooLarge>()) {
        Some(large) => large.clone().into(),
        None => Error::Io { path: path.to_owned(), error },
    }
}

/// The name of a file without folder and extensions.
pub(crate) fn stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    match plain.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem.to_owned(),
        _ => plain.to_owned(),
    }
}

/// A file beside the one that is not there, or a bundled table, with nearly its name. Extensions are alike in any folder
/// of tables, and say nothing.
fn similar(path: &Path) -> Option<String> {
    let wanted = path.file_name()?.to_str()?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let beside: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    let bundled = bundled::catalogue().iter().map(|entry| entry.name);
    let stems: Vec<String> = beside.iter().map(|name| stem(Path::new(name))).collect();
    let meant = nearest(&stem(path), stems.iter().map(String::as_str).chain(bundled))?;
    let files = stems.iter().zip(&beside).filter(|(stem, _)| *stem == meant).map(|(_, name)| name.as_str());
    let file = nearest(wanted, files.clone()).or_else(|| files.clone().next());
    Some(file.map_or_else(|| meant.to_owned(), |name| path.with_file_name(name).display().to_string()))
}
