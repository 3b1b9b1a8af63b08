//! A file's bytes, unpacked if they are gzipped.

use crate::{Error, bundled};
use downhill_optim::nearest;
use flate2::read::MultiGzDecoder;
use std::io::{self, Read};
use std::path::Path;

/// The contents of a file; gzip is known by its first bytes, not by the name.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let shown = path.display().to_string();
    if path.is_dir() {
        return Err(Error::Directory { path: shown });
    }
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound { nearest: similar(path), path: shown.clone() },
        _ => Error::Io { path: shown.clone(), error },
    })?;
    unpack(bytes).map_err(|error| Error::Io { path: shown, error })
}

/// The bytes as they are, or what they hold if they are gzipped.
pub(crate) fn unpack(bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    MultiGzDecoder::new(&bytes[..]).read_to_end(&mut unpacked)?;
    Ok(unpacked)
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
