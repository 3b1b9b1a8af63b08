//! The encoding of a text, by its mark or as it is said to be.

use super::records::line_ends;
use crate::Error;
use encoding_rs::{EUC_KR, Encoding, UTF_8, UTF_16LE, WINDOWS_1252};

/// Names that people have for encodings besides those of the WHATWG.
const OTHER_NAMES: [(&str, &Encoding); 6] = [
    ("cp949", EUC_KR),
    ("uhc", EUC_KR),
    ("ms949", EUC_KR),
    ("latin-1", WINDOWS_1252),
    ("utf8", UTF_8),
    ("utf16", UTF_16LE),
];

/// The encoding of that name.
pub(super) fn named(name: &str) -> Result<&'static Encoding, Error> {
    let name = name.trim();
    let other =
        OTHER_NAMES.iter().find(|(other, _)| name.eq_ignore_ascii_case(other)).map(|&(_, found)| found);
    other
        .or_else(|| Encoding::for_label(name.as_bytes()))
        .ok_or_else(|| Error::UnknownEncoding { name: name.to_owned() })
}

/// The encoding that a mark at the start tells, and the length of the mark.
pub(super) fn marked(start: &[u8]) -> Option<(&'static Encoding, usize)> {
    Encoding::for_bom(start)
}

/// All of a text in an encoding, as UTF-8.
pub(super) fn decode(table: &str, bytes: &[u8], encoding: &'static Encoding) -> Result<String, Error> {
    if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
        return Ok(text.into_owned());
    }
    let (text, _) = encoding.decode_without_bom_handling(bytes);
    let before = text.split('\u{fffd}').next().unwrap_or_default();
    Err(Error::NotInEncoding {
        table: table.to_owned(),
        line: 1 + line_ends(before.as_bytes()),
        encoding: encoding.name().to_ascii_lowercase(),
    })
}

/// Whether bytes look like UTF-16 without a mark: Latin letters in two bytes each, one of them zero.
pub(super) fn unmarked_utf16(start: &[u8]) -> Option<&'static str> {
    let zeros = |parity: usize| start.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let mostly = |zeros: usize| zeros * 4 > start.len();
    match (mostly(zeros(0)), mostly(zeros(1))) {
        (false, true) => Some("UTF-16LE text without a mark"),
        (true, false) => Some("UTF-16BE text without a mark"),
        _ => None,
    }
}

/// The error of bytes that are not UTF-8, with what the line reads as in other encodings. `before` is what is
/// UTF-8 of the `bytes` that begin with `line`.
pub(super) fn not_utf8(table: &str, before: &[u8], bytes: &[u8], line: u64) -> Error {
    let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    let rest = &bytes[before.len()..];
    let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
    let bad_line = &bytes[start..before.len() + end];
    // From shortly before the first such byte on.
    let bad_line = &bad_line[(before.len() - start).saturating_sub(20)..];
    let readings = [WINDOWS_1252, EUC_KR]
        .into_iter()
        .filter_map(|encoding| {
            let text = encoding.decode_without_bom_handling_and_without_replacement(bad_line)?;
            let shown: String = text.trim().chars().take(40).filter(|c| !c.is_control()).collect();
            Some((encoding.name().to_ascii_lowercase(), shown))
        })
        .collect();
    Error::NotUtf8 { table: table.to_owned(), line: line + line_ends(before), readings }
}
