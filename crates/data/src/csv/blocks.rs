//! A text read in blocks of whole rows, so that a file need not fit in memory besides its table.

use super::records::Records;
use crate::Error;
use crate::error::{Excess, TooLarge};
use crate::file::failed;
use memchr::{memchr, memchr2, memrchr};
use std::io::{self, Read};

/// Bytes read at a time.
const BLOCK: usize = 1 << 21;
/// The longest row.
pub(super) const LONGEST: usize = 64 << 20;

/// Where the bytes of a text come from, as often as they are read.
pub(crate) type Open<'a> = dyn Fn() -> Result<Box<dyn Read + Send + 'a>, Error> + 'a;

/// A text, block by block.
pub(super) struct Blocks<'a> {
    table: &'a str,
    from: Box<dyn Read + Send + 'a>,
    /// What is read and not given out.
    rest: Vec<u8>,
    ended: bool,
    /// The first line of the rest.
    line: u64,
    longest: usize,
}

/// Some whole rows.
pub(super) struct Block {
    pub text: String,
    /// The line of the table that its first one is, counted from 1.
    pub line: u64,
}

impl<'a> Blocks<'a> {
    /// Blocks from the byte at `skip` on, which begins the line `line`.
    pub fn new(
        table: &'a str,
        mut from: Box<dyn Read + Send + 'a>,
        (skip, line): (usize, u64),
        any_size: bool,
    ) -> Result<Self, Error> {
        io::copy(&mut (&mut from).take(skip as u64), &mut io::sink())
            .map_err(|error| failed(table, error))?;
        let longest = if any_size { usize::MAX } else { LONGEST };
        Ok(Self { table, from, rest: Vec::new(), ended: false, line, longest })
    }

    /// The next rows; none at the end.
    pub fn next(&mut self, delimiter: u8) -> Result<Option<Block>, Error> {
        let mut wanted = BLOCK;
        loop {
            self.fill(wanted)?;
            if self.rest.is_empty() {
                return Ok(None);
            }
            let whole = if self.ended { self.rest.len() } else { whole_rows(&self.rest, delimiter) };
            if whole > 0 {
                return self.cut(whole).map(Some);
            }
            if self.rest.len() >= self.longest {
                let what = Excess::Line { line: self.line };
                return Err(TooLarge { file: self.table.to_owned(), what, limit: self.longest as u64 }.into());
            }
            // Twice as many each time, so that a long row is not looked through again and again.
            wanted = self.rest.len().saturating_mul(2).clamp(BLOCK, self.longest.max(BLOCK));
        }
    }

    /// Gives out the first bytes of the rest.
    fn cut(&mut self, length: usize) -> Result<Block, Error> {
        let rest = self.rest.split_off(length);
        let bytes = std::mem::replace(&mut self.rest, rest);
        let line = self.line;
        self.line += super::records::line_ends(&bytes);
        let text = String::from_utf8(bytes).map_err(|error| {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            super::encoding::not_utf8(self.table, before, error.as_bytes(), line)
        })?;
        Ok(Block { text, line })
    }

    /// Reads until `wanted` bytes are there.
    fn fill(&mut self, wanted: usize) -> Result<(), Error> {
        let more = wanted.saturating_sub(self.rest.len());
        if more > 0 && !self.ended {
            let limit = more as u64;
            self.rest.reserve(more.min(BLOCK));
            let read = (&mut self.from).take(limit).read_to_end(&mut self.rest);
            self.ended = (read.map_err(|error| failed(self.table, error))? as u64) < limit;
        }
        Ok(())
    }
}

/// How many bytes of a text that goes on are rows that have ended.
fn whole_rows(bytes: &[u8], delimiter: u8) -> usize {
    let Some(quote) = memchr(b'"', bytes) else { return last_line_end(bytes) };
    // As far as it is text; an error in it is found when the block is given out.
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) if error.error_len().is_some() => return bytes.len(),
        Err(error) => std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default(),
    };
    // From the line of the first quote on, rows are cut as in reading, as line ends may be within quotes.
    let mut whole = last_line_end(&bytes[..quote]);
    while let Some(rest) = text.get(whole..) {
        match memchr2(b'"', b'\n', rest.as_bytes()) {
            Some(end) if rest.as_bytes()[end] == b'\n' => whole += end + 1,
            Some(_) => match row_length(rest, delimiter) {
                Some(length) => whole += length,
                None => break,
            },
            None => break,
        }
    }
    whole
}

/// Up to where the last line ends; a lone `\r` at the very end may be half of `\r\n`.
fn last_line_end(bytes: &[u8]) -> usize {
    let feed = memrchr(b'\n', bytes).map_or(0, |end| end + 1);
    if feed > 0 {
        return feed;
    }
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    memrchr(b'\r', bytes).map_or(0, |end| end + 1)
}

/// The length of the first row, if it ends here.
fn row_length(text: &str, delimiter: u8) -> Option<usize> {
    let mut records = Records::new(text, delimiter);
    records.read(&mut Vec::new()).ok()?;
    let end = records.position();
    (end < text.len() || text.ends_with('\n')).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_have_ended() {
        for (text, whole) in [
            ("a,b\n1,2\n3", 8),
            ("a,b", 0),
            ("a\r1\r", 2),
            ("a\r\n1\r\n", 6),
            ("a,b\n\"x\ny\",2\n\"z\n", 12),
            ("5\" pipe,b\n1,2\n3", 14),
            ("\"open\n1,2\n", 0),
            ("a\n\"b\"", 2),
            ("", 0),
        ] {
            assert_eq!(whole_rows(text.as_bytes(), b','), whole, "{text:?}");
        }
    }

    #[test]
    fn blocks_are_the_text_again_whatever_is_in_it() {
        let row = "1.5,\"two\nlines\",é\n";
        let text = row.repeat(3 * BLOCK / row.len());
        let mut blocks = Blocks::new("t", Box::new(text.as_bytes()), (0, 1), false).unwrap();
        let (mut together, mut count, mut line) = (String::new(), 0, 1);
        while let Some(block) = blocks.next(b',').unwrap() {
            assert_eq!(block.line, line);
            line += super::super::records::line_ends(block.text.as_bytes());
            assert!(block.text.ends_with("é\n"));
            together += &block.text;
            count += 1;
        }
        assert!(count > 2);
        assert_eq!(together, text);
    }

    #[test]
    fn a_line_without_end_is_an_error() {
        let endless = io::repeat(b'1');
        let mut blocks = Blocks::new("t", Box::new(endless), (0, 1), false).unwrap();
        let error = blocks.next(b',').err().unwrap().to_string();
        assert!(error.contains("t, line 1") && error.contains("64 MB"), "{error}");
    }
}
