//! Paths in files of text: TOML and JSON hold UTF-8, and a path need not be that.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serializer};

/// What the spelling of a path begins with that is not UTF-8.
const SCHEME: &str = "file://";

/// A path as text: as it is, or, if it is not UTF-8, as a `file://` address with its bytes percent-encoded.
///
/// ```
/// use std::path::Path;
/// use downhill_run::path_text::{from_text, to_text};
///
/// assert_eq!(to_text(Path::new("data/größe.csv")), "data/größe.csv");
/// assert_eq!(from_text("file:///data/100%25.csv"), Path::new("/data/100%.csv"));
/// ```
pub fn to_text(path: &Path) -> String {
    match path.to_str() {
        Some(text) => text.to_string(),
        None => encoded(path),
    }
}

/// The path of a text that [`to_text`] wrote, or of a `file://` address.
pub fn from_text(text: &str) -> PathBuf {
    text.strip_prefix(SCHEME).and_then(decoded).unwrap_or_else(|| text.into())
}

#[cfg(unix)]
fn encoded(path: &Path) -> String {
    use std::fmt::Write;
    use std::os::unix::ffi::OsStrExt;

    let mut text = SCHEME.to_string();
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b'~' | b'@' | b':' => {
                text.push(byte.into());
            }
            byte => write!(text, "%{byte:02X}").expect("a string takes everything"),
        }
    }
    text
}

#[cfg(not(unix))]
fn encoded(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// None if a percent sign has no two digits behind it.
fn decoded(text: &str) -> Option<PathBuf> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, behind)) = rest.split_first() {
        if byte == b'%' {
            let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
            bytes.push((digit(0)? * 16 + digit(1)?) as u8);
            rest = &behind[2..];
        } else {
            bytes.push(byte);
            rest = behind;
        }
    }
    of_bytes(bytes)
}

#[cfg(unix)]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;

    Some(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn of_bytes(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// For `#[serde(serialize_with = "path_text::serialize")]`.
/// For `#[serde(serialize_with = "path_text::serialize")]`.
///
/// # Errors
///
/// As the serializer.
pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&to_text(path))
}

/// For `#[serde(with = "path_text::option")]`.
pub mod option {
    use super::{Deserialize, Deserializer, PathBuf, Serializer, from_text, to_text};

    /// As [`to_text`].
    ///
    /// # Errors
    ///
    /// As the serializer.
    pub fn serialize<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
        match path {
            Some(path) => serializer.serialize_some(&to_text(path)),
            None => serializer.serialize_none(),
        }
    }

    /// As [`from_text`].
    ///
    /// # Errors
    ///
    /// As the deserializer.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PathBuf>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(|text| from_text(&text)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_address_is_a_path() {
        for text in ["", "a b%20", "file:/x", "file://%", "file://%f", "file://%zz", "/x/file://y"] {
            assert_eq!(from_text(text), Path::new(text), "{text}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn every_path_is_read_as_it_was_written() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        for bytes in [&b"/tmp/d\xff@2%41 \n\xc3\xa9.csv"[..], b"\x80", b"a/\xf0\x28", b"plain", b"gr\xc3\xb6"]
        {
            let path = Path::new(OsStr::from_bytes(bytes));
            let text = to_text(path);
            assert_eq!(from_text(&text), path, "{text}");
            assert!(!text.contains(char::is_control));
        }
        let text = to_text(Path::new(OsStr::from_bytes(b"/d\xff.csv")));
        assert_eq!(text, "file:///d%FF.csv");
    }
}
