//! Text cut into rows of values.
//!
//! This is written out here because tables as they are found need more than the quoting of RFC 4180: quotes
//! after a space (`1, "a, b"`), single quotes (`'-1'`), runs of spaces as one delimiter, the exact line of
//! every row, and an error, not a swallowed file, where a quote is never closed. The tests hold it to the
//! `csv` crate.

use super::number;
use memchr::memchr_iter;
use std::borrow::Cow;

/// One value as cut out of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Field<'a> {
    pub text: Cow<'a, str>,
    /// Whether it stood in double quotes.
    pub quoted: bool,
}

/// What ends a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// A delimiter: another value follows.
    Value,
    /// The end of the line or of the text.
    Line,
}

/// The number of line ends: `\n`, `\r\n` or a lone `\r`.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let feeds = memchr_iter(b'\n', bytes).count();
    let lone = memchr_iter(b'\r', bytes).filter(|&at| bytes.get(at + 1) != Some(&b'\n'));
    (feeds + lone.count()) as u64
}

/// The line of a quote that is never closed.
pub(super) struct Unclosed(pub u64);

/// The rows of a text, cut into values.
#[derive(Clone)]
pub(super) struct Records<'a> {
    text: &'a str,
    delimiter: u8,
    at: usize,
    line: u64,
}

impl<'a> Records<'a> {
    pub fn new(text: &'a str, delimiter: u8) -> Self {
        Self { text, delimiter, at: 0, line: 1 }
    }

    /// How many bytes of the text are cut already.
    pub fn position(&self) -> usize {
        self.at
    }

    /// The line that comes next, counted from 1.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// Puts the values of the next row that is not blank into `fields` and gives its line; none at the end.
    pub fn read(&mut self, fields: &mut Vec<Field<'a>>) -> Result<Option<u64>, Unclosed> {
        fields.clear();
        let Some(line) = self.start_row() else { return Ok(None) };
        loop {
            let field = self.field()?;
            fields.push(field);
            if self.end_field() == After::Line {
                return Ok(Some(line));
            }
        }
    }

    /// Skips blank lines, and gives the line of the row that begins here; none at the end.
    pub fn start_row(&mut self) -> Option<u64> {
        loop {
            self.skip_spaces();
            match self.peek()? {
                b'\n' | b'\r' => self.end_line(),
                _ => return Some(self.line),
            }
        }
    }

    /// A plain number that ends where the value does, or nothing where a closer look is needed.
    pub fn number(&mut self) -> Option<f64> {
        let (number, length) = number::leading(&self.text.as_bytes()[self.at..], self.delimiter)?;
        self.at += length;
        Some(number)
    }

    /// Goes past what ends a value.
    pub fn end_field(&mut self) -> After {
        if self.peek() == Some(self.delimiter) {
            self.at += 1;
            if self.delimiter != b' ' {
                return After::Value;
            }
            self.skip_spaces();
            if !matches!(self.peek(), None | Some(b'\n' | b'\r')) {
                return After::Value;
            }
        }
        self.end_line();
        After::Line
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Spaces and tabs before a value, but not delimiters (save for runs of spaces).
    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(|b| b == b' ' || (b == b'\t' && self.delimiter != b'\t')) {
            self.at += 1;
        }
    }

    fn end_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        if !rest.is_empty() {
            self.at += if rest.starts_with(b"\r\n") { 2 } else { 1 };
            self.line += 1;
        }
    }

    /// One value, up to a delimiter or the end of the line.
    pub fn field(&mut self) -> Result<Field<'a>, Unclosed> {
        self.skip_spaces();
        if self.peek() == Some(b'"') {
            return Ok(Field { text: self.quoted()?, quoted: true });
        }
        let field = self.unquoted().trim();
        let inside = field.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        Ok(Field { text: Cow::Borrowed(inside.unwrap_or(field)), quoted: false })
    }

    fn unquoted(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let end = rest.bytes().position(|b| b == self.delimiter || b == b'\n' || b == b'\r');
        let field = &rest[..end.unwrap_or(rest.len())];
        self.at += field.len();
        field
    }

    /// A value in double quotes, a doubled one inside standing for one.
    fn quoted(&mut self) -> Result<Cow<'a, str>, Unclosed> {
        let line = self.line;
        self.at += 1;
        let mut value = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let Some(end) = rest.find('"') else { return Err(Unclosed(line)) };
            append(&mut value, &rest[..end]);
            self.line += line_ends(&rest.as_bytes()[..end]);
            self.at += end + 1;
            if self.peek() != Some(b'"') {
                break;
            }
            append(&mut value, "\"");
            self.at += 1;
        }
        // What follows the closing quote belongs to the value, as other readers have it.
        append(&mut value, self.unquoted().trim_end());
        Ok(value)
    }
}

fn append<'a>(value: &mut Cow<'a, str>, more: &'a str) {
    if value.is_empty() {
        *value = Cow::Borrowed(more);
    } else if !more.is_empty() {
        value.to_mut().push_str(more);
    }
}
