//! How a text begins: its encoding, delimiter, header, and what its columns seem to hold.

use super::MOST_COLUMNS;
use super::blocks::{LONGEST, Open};
use super::detect::{FirstLine, HEADER_SAMPLE, detect_delimiter, detect_header, is_second_header};
use super::encoding::{self, decode};
use super::front::Front;
use super::interner::Interner;
use super::missing::Missing;
use super::names::names_of;
use super::number;
use super::options::valid_delimiter;
use super::part::Mode;
use super::records::{Field, Records, Unclosed};
use super::wants::Want;
use crate::column::Written;
use crate::error::{Excess, TooLarge, list};
use crate::file::failed;
use crate::known::Holds;
use crate::notation::{Decimal, Found, Notation};
use crate::{Error, ReadOptions};
use encoding_rs::UTF_8;
use memchr::memchr_iter;
use std::io::Read;

/// The first lines of a text, enough of them to see what it is.
pub(super) struct Head {
    bytes: Vec<u8>,
    /// Whether these are all.
    whole: bool,
}

impl Head {
    pub fn read(file: &str, open: &Open<'_>, any_size: bool) -> Result<Self, Error> {
        let mut from = open()?;
        let mut bytes = Vec::new();
        loop {
            let wanted = (1 << 20).max(bytes.len() as u64);
            let read = (&mut from).take(wanted).read_to_end(&mut bytes);
            if (read.map_err(|error| failed(file, error))? as u64) < wanted {
                return Ok(Self { bytes, whole: true });
            }
            let lines = memchr_iter(b'\n', &bytes).count().max(memchr_iter(b'\r', &bytes).count());
            if lines > HEADER_SAMPLE + 100 || (bytes.len() >= LONGEST && lines > 1) {
                return Ok(Self { bytes, whole: false });
            }
            if bytes.len() >= LONGEST && !any_size {
                let what = Excess::Line { line: 1 };
                return Err(TooLarge { file: file.to_owned(), what, limit: LONGEST as u64 }.into());
            }
        }
    }

    /// The text, and how many bytes of a mark are in front of it.
    fn text(&self, file: &str) -> Result<(&str, usize), Error> {
        let marked = encoding::marked(&self.bytes).filter(|(encoding, _)| *encoding == UTF_8);
        let mark = marked.map_or(0, |(_, length)| length);
        let bytes = &self.bytes[mark..];
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let before = &bytes[..error.valid_up_to()];
                if self.whole || error.error_len().is_some() {
                    return Err(encoding::not_utf8(file, before, bytes, 1));
                }
                std::str::from_utf8(before).unwrap_or_default()
            }
        };
        // Without the line that is cut off.
        let end =
            if self.whole { text.len() } else { text.rfind(['\n', '\r']).map_or(text.len(), |end| end + 1) };
        Ok((&text[..end], mark))
    }
}

/// A text that was not in UTF-8.
pub(super) struct Decoded {
    pub text: String,
    /// The encoding, where a mark names it.
    pub marked: Option<&'static str>,
}

/// The whole text in UTF-8, where it is in another encoding.
pub(super) fn decoded(
    file: &str,
    head: &Head,
    open: &Open<'_>,
    options: &ReadOptions,
) -> Result<Option<Decoded>, Error> {
    let marked = encoding::marked(&head.bytes);
    let encoding = match (marked, &options.encoding) {
        (Some((encoding, _)), _) => encoding,
        (None, Some(name)) => encoding::named(name)?,
        (None, None) => UTF_8,
    };
    if encoding == UTF_8 {
        refuse_binary(file, &head.bytes)?;
        return Ok(None);
    }
    let mut bytes = Vec::new();
    open()?.read_to_end(&mut bytes).map_err(|error| failed(file, error))?;
    let text = decode(file, &bytes[marked.map_or(0, |(_, length)| length)..], encoding)?;
    Ok(Some(Decoded { text, marked: marked.map(|(encoding, _)| encoding.name()) }))
}

/// Fails if these are not the bytes of a text in one byte or several a character.
fn refuse_binary(file: &str, bytes: &[u8]) -> Result<(), Error> {
    let start = &bytes[..bytes.len().min(4096)];
    let looks = match bytes {
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive or a spreadsheet"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        _ => match encoding::unmarked_utf16(start) {
            Some(looks) => Some(looks),
            None if start.contains(&0) => None,
            None => return Ok(()),
        },
    };
    Err(Error::Binary { table: file.to_owned(), looks })
}

/// How a table begins.
pub(super) struct Start<'a> {
    pub delimiter: u8,
    pub names: Vec<String>,
    /// Whether a header names the columns.
    pub named: bool,
    /// Where the rows begin: bytes in front of them, and their first line.
    pub position: (usize, u64),
    pub missing: Missing,
    pub notes: Vec<String>,
    /// The first rows.
    rows: Records<'a>,
}

/// What the first rows tell of the columns.
pub(super) struct Sample {
    pub modes: Vec<Mode>,
    /// For each column read in a notation, a text that is no plain number.
    pub examples: Vec<Option<String>>,
    /// The mark in front of decimals that some columns have.
    pub likely: Option<Decimal>,
}

impl<'a> Start<'a> {
    pub fn find(file: &str, head: &'a Head, options: &ReadOptions) -> Result<Self, Error> {
        let (text, mark) = head.text(file)?;
        let known_missing = options.known.as_ref().and_then(|known| known.missing.as_deref());
        let missing = Missing::new(options.missing.as_deref().or(known_missing));
        let given = options.delimiter.map(valid_delimiter).transpose()?;
        let front = match options.skip {
            Some(lines) => Front::lines(text, lines),
            None => Front::find(file, text, given, &missing),
        };
        let text = &text[front.bytes..];
        let delimiter = given.or(front.delimiter).unwrap_or_else(|| detect_delimiter(text));
        let unclosed =
            |Unclosed(line)| Error::UnclosedQuote { table: file.to_owned(), line: front.lines + line };

        let mut records = Records::new(text, delimiter);
        let mut first = Vec::new();
        if records.read(&mut first).map_err(unclosed)?.is_none() {
            return Err(Error::Empty { table: file.to_owned() });
        }
        // Before anything is made for each column: a line of commas would take more than a gigabyte.
        if first.len() > MOST_COLUMNS && !options.any_size {
            let what = Excess::Columns(first.len());
            return Err(TooLarge { file: file.to_owned(), what, limit: MOST_COLUMNS as u64 }.into());
        }
        let texts: Vec<&str> = first.iter().map(|field| &*field.text).collect();
        let known = options.known.as_ref();
        let first_is = match options.header {
            Some(true) => FirstLine::Header,
            Some(false) => FirstLine::Row,
            None if known
                .is_some_and(|known| known.are_in(&names_of(texts.iter().copied(), &mut Vec::new()))) =>
            {
                FirstLine::Header
            }
            None => detect_header(text, delimiter, &missing),
        };
        let mut notes: Vec<String> = front.note.into_iter().collect();
        if first_is == FirstLine::Doubtful {
            notes.push(format!(
                "No header line was found in {file}: its first line, {}, is read as a row, though it is unlike the \
                 others. Say with `header` whether it names the columns.",
                list(&texts, 5)
            ));
        }
        let named = first_is == FirstLine::Header;
        let names = if named {
            let names = names_of(texts.iter().copied(), &mut notes);
            let mut after = records.clone();
            let mut second = Vec::new();
            if let Ok(Some(line)) = after.read(&mut second)
                && second.len() == names.len()
                && is_second_header(&second, &after, &missing)
            {
                let texts: Vec<&str> = second.iter().map(|field| &*field.text).collect();
                notes.push(format!(
                    "Line {} of {file}, {}, is skipped: it belongs to the header.",
                    front.lines + line,
                    list(&texts, 5)
                ));
                records = after;
            }
            names
        } else {
            records = Records::new(text, delimiter);
            (0..first.len()).map(|number| format!("c{number}")).collect()
        };
        let position = (mark + front.bytes + records.position(), front.lines + records.line());
        Ok(Self { delimiter, names, named, position, missing, notes, rows: records })
    }

    /// Looks at the first rows.
    pub fn sample(&self, wants: &[Want], holds: &[Holds], options: &ReadOptions) -> Sample {
        let mut columns: Vec<Interner> = wants.iter().map(|_| Interner::default()).collect();
        let mut rows = self.rows.clone();
        let mut fields: Vec<Field<'_>> = Vec::new();
        for _ in 0..HEADER_SAMPLE {
            if !matches!(rows.read(&mut fields), Ok(Some(_))) {
                break;
            }
            for (column, field) in columns.iter_mut().zip(&fields) {
                column.push(field, &self.missing);
            }
        }
        let likely = self.likely(&columns);
        let mut sample = Sample { modes: Vec::new(), examples: Vec::new(), likely };
        for ((column, &want), &holds) in columns.iter().zip(wants).zip(holds) {
            let mode = match (want, holds) {
                (Want::Drop, _) => Mode::Skip,
                (Want::Categorical, _) => Mode::Text,
                (Want::Infer, Holds::Text | Holds::Written(Written::Dates(_))) => Mode::Text,
                (_, Holds::Written(Written::Notation(notation))) => Mode::Numbers(Some(notation)),
                _ => self.mode(column, likely, options),
            };
            let example = match mode {
                Mode::Numbers(Some(notation)) => {
                    self.present(column).find(|text| number::parse(text) != notation.parse(text))
                }
                _ => None,
            };
            sample.modes.push(mode);
            sample.examples.push(example.map(str::to_owned));
        }
        sample
    }

    /// The distinct texts of a column that are not missing, if it is of numbers.
    fn present<'b>(&'b self, column: &'b Interner) -> impl Iterator<Item = &'b str> + Clone {
        let missing = |text: &&super::interner::Text| {
            self.missing.anywhere(&text.text) || (!text.quoted && self.missing.among_numbers(&text.text))
        };
        column.texts.iter().filter(move |text| !missing(text)).map(|text| &*text.text)
    }

    fn mode(&self, column: &Interner, likely: Option<Decimal>, options: &ReadOptions) -> Mode {
        let plain = self.present(column).all(|text| number::parse(text).is_some());
        if plain && options.decimal != Some(Decimal::Comma) {
            return Mode::Numbers(None);
        }
        let found = match Notation::of(self.present(column), options.decimal) {
            Found::Ambiguous if likely.is_some() => Notation::of(self.present(column), likely),
            found => found,
        };
        match found {
            Found::One(notation) if notation.is_plain() => Mode::Numbers(None),
            Found::One(notation) => Mode::Numbers(Some(notation)),
            _ => Mode::Text,
        }
    }

    /// The mark in front of decimals of the columns that tell it: where commas are between values, it is the
    /// point.
    fn likely(&self, columns: &[Interner]) -> Option<Decimal> {
        if self.delimiter == b',' {
            return Some(Decimal::Point);
        }
        let (mut comma, mut point) = (false, false);
        for column in columns {
            match Notation::of(self.present(column), None) {
                Found::One(Notation { decimal: Decimal::Comma, .. }) => comma = true,
                Found::One(_) => point |= self.present(column).any(|text| text.contains('.')),
                _ => {}
            }
        }
        match (comma, point) {
            (true, false) => Some(Decimal::Comma),
            (false, true) => Some(Decimal::Point),
            _ => None,
        }
    }
}
