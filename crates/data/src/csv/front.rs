//! Lines in front of a table.

use super::detect::{FirstLine, detect_delimiter, detect_header};
use super::missing::Missing;
use super::options::valid_delimiter;
use super::records::Records;
use crate::error::count;

/// Where a table begins, and what the lines in front of it say.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Front {
    /// Bytes and lines in front of it.
    pub bytes: usize,
    pub lines: u64,
    /// The delimiter that a line `sep=;` names.
    pub delimiter: Option<u8>,
    pub note: Option<String>,
}

impl Front {
    /// So many lines.
    pub fn lines(text: &str, lines: usize) -> Self {
        let mut front = Self::default();
        while front.lines < lines as u64 && front.bytes < text.len() {
            front.bytes += line_length(&text[front.bytes..]);
            front.lines += 1;
        }
        front
    }

    /// Excel's line that names the delimiter, and those that begin with `#`.
    pub fn find(file: &str, text: &str, delimiter: Option<u8>, missing: &Missing) -> Self {
        let mut front = Self::default();
        let mut what = Vec::new();
        let first = &text[..line_length(text)];
        if let Some(named) = named_delimiter(first) {
            (front.bytes, front.lines, front.delimiter) = (first.len(), 1, Some(named));
            what.push(format!("`{}`", first.trim()));
        }
        let start = (front.bytes, front.lines);
        // Where the lines with `#` begin.
        let mut hashes = Vec::new();
        while front.bytes < text.len() {
            let line = &text[front.bytes..][..line_length(&text[front.bytes..])];
            let is_blank = line.trim().is_empty();
            if !is_blank && !line.starts_with('#') {
                break;
            }
            if !is_blank {
                hashes.push((front.bytes, front.lines));
            }
            front.bytes += line.len();
            front.lines += 1;
        }
        if hashes.is_empty() || front.bytes == text.len() {
            (front.bytes, front.lines) = start;
        } else {
            let rest = &text[front.bytes..];
            let delimiter = delimiter.or(front.delimiter).unwrap_or_else(|| detect_delimiter(rest));
            let is_row = |&&(at, _): &&(usize, u64)| is_row_of(&text[at..front.bytes], rest, delimiter);
            let rows = hashes.iter().rev().take_while(is_row).last().copied();
            if let Some(first) = rows
                && detect_header(rest, delimiter, missing) != FirstLine::Header
            {
                (front.bytes, front.lines) = first;
            }
            let comments = front.lines - start.1;
            if comments > 0 {
                what.push(count(comments as usize, "line", "lines") + " that begin with `#`");
            }
        }
        if !what.is_empty() {
            front.note = Some(format!("In front of the table in {file}, {} skipped.", is_are(&what)));
        }
        front
    }
}

fn is_are(what: &[String]) -> String {
    let one = what.len() == 1 && !what[0].contains("lines");
    format!("{} {}", what.join(" and "), if one { "is" } else { "are" })
}

/// Whether a line with `#` in front has as many values, several, as the rows below it: it may be one, or name
/// them.
fn is_row_of(line: &str, rest: &str, delimiter: u8) -> bool {
    let width = |text| {
        let mut fields = Vec::new();
        Records::new(text, delimiter).read(&mut fields).ok().flatten().map(|_| fields.len())
    };
    let width_below = width(rest);
    width_below > Some(1) && width(line) == width_below
}

/// The delimiter in a line such as `sep=;`.
fn named_delimiter(line: &str) -> Option<u8> {
    let line = line.trim_matches(['\r', '\n']);
    let line = line.strip_prefix('"').and_then(|line| line.strip_suffix('"')).unwrap_or(line);
    let start = line.get(..4).filter(|start| start.eq_ignore_ascii_case("sep="))?;
    match &line.as_bytes()[start.len()..] {
        &[delimiter] => valid_delimiter(delimiter).ok(),
        _ => None,
    }
}

/// The length of the first line, its end included.
fn line_length(text: &str) -> usize {
    match text.find(['\n', '\r']) {
        Some(end) => end + if text[end..].starts_with("\r\n") { 2 } else { 1 },
        None => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_front_of_a_table() {
        for (text, lines, rest) in [
            ("sep=;\r\na;b\n1;2\n", 1, "a;b"),
            ("\"sep=,\"\na,b\n1,2\n", 1, "a,b"),
            ("# made by a tool\n# units: m\na,b\n1,2\n3,4\n", 2, "a,b"),
            ("# one, two\na,b\n1,2\n3,4\n", 1, "a,b"),
            ("# 2024\n\n#id,b\n1,2\n3,4\n", 2, "#id,b"),
            ("#id,b\n1,2\n3,4\n", 0, "#id,b"),
            ("#ff0000,1\n#00ff00,2\n7,3\n8,4\n", 0, "#ff0000,1"),
            ("sep=;\n# x\na;b\n1;2\n", 2, "a;b"),
            ("# nothing\n# else\n", 0, "# nothing"),
            ("a,b\n1,2\n", 0, "a,b"),
            ("sep=;x\n1\n", 0, "sep=;x"),
            ("", 0, ""),
        ] {
            let front = Front::find("t", text, None, &Missing::new(None));
            assert_eq!(front.lines, lines, "{text:?}");
            assert!(text[front.bytes..].starts_with(rest), "{text:?}");
            assert_eq!(front.note.is_some(), lines > 0, "{text:?}");
        }
        assert_eq!(Front::find("t", "sep=|\na\n", None, &Missing::new(None)).delimiter, Some(b'|'));
        let front = Front::lines("x\r\ny\rz\n", 2);
        assert_eq!((front.bytes, front.lines), (5, 2));
        assert_eq!(Front::lines("x\ny", 9).bytes, 3);
    }
}
