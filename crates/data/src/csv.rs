//! CSV and TSV text into a table: values, delimiter, header and types.

mod detect;
mod options;
mod records;

use crate::column::{MISSING, Values};
use crate::error::{Place, Row, count, list};
use crate::spelling::{Spelling, spelling};
use crate::{Column, Error, Table};
use detect::{FirstLine, detect_delimiter, detect_header};
use options::valid_delimiter;
use records::{Records, Unclosed, line_ends};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

pub use options::ReadOptions;

pub(crate) fn parse(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    refuse_binary(file, bytes)?;
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = &bytes[..error.valid_up_to()];
        Error::NotUtf8 { table: file.to_owned(), line: 1 + line_ends(before) }
    })?;
    let delimiter = match options.delimiter {
        Some(delimiter) => valid_delimiter(delimiter)?,
        None => detect_delimiter(text),
    };
    let unclosed = |Unclosed(line)| Error::UnclosedQuote { table: file.to_owned(), line };

    let mut records = Records::new(text, delimiter);
    let mut first = Vec::new();
    let Some(first_line) = records.read(&mut first).map_err(unclosed)? else {
        return Err(Error::Empty { table: file.to_owned() });
    };
    let first_is = match options.header {
        Some(true) => FirstLine::Header,
        Some(false) => FirstLine::Row,
        None if holds(&names_of(&first, &mut Vec::new()), &options.known) => FirstLine::Header,
        None => detect_header(text, delimiter),
    };
    let header = first_is == FirstLine::Header;
    let width = first.len();
    let mut notes = Vec::new();
    if first_is == FirstLine::Doubtful {
        notes.push(format!(
            "No header line was found in {file}: its first line, {}, is read as a row, though it is unlike the others. \
             If it names the columns, say --header yes; if it does not, --header no.",
            list(&first, 5)
        ));
    }
    let names = if header {
        names_of(&first, &mut notes)
    } else {
        records = Records::new(text, delimiter);
        (0..width).map(|number| format!("c{number}")).collect()
    };
    let body = records;

    let mut table = Table {
        name: file.to_owned(),
        file: file.to_owned(),
        columns: names
            .into_iter()
            .enumerate()
            .map(|(number, name)| Column { name, number, values: Values::Numbers(Vec::new()) })
            .collect(),
        rows: 0,
        lines: Vec::new(),
        named: header,
        width,
        left_out: Vec::new(),
        target: None,
        notes,
    };
    let wants = Wants::new(&table, options)?;

    // The first pass reads everything as numbers and finds out which columns hold text.
    let mut readers: Vec<Reader> = wants.0.iter().map(|&want| Reader::new(want)).collect();
    let mut fields = Vec::with_capacity(width);
    let mut records = body.clone();
    while let Some(line) = records.read(&mut fields).map_err(unclosed)? {
        if fields.len() != width {
            return Err(Error::Ragged { table: file.to_owned(), line, expected: width, found: fields.len() });
        }
        for (reader, field) in readers.iter_mut().zip(&fields) {
            reader.read(field, table.rows);
        }
        table.lines.push(u32::try_from(line).unwrap_or(u32::MAX));
        table.rows += 1;
        if table.rows == MISSING as usize {
            return Err(Error::Invalid(format!("{file} has more than {MISSING} rows. Split it into files")));
        }
    }
    if table.rows == 0 {
        return Err(Error::NoRows { table: file.to_owned() });
    }
    for (column, reader) in table.columns.iter().zip(&readers) {
        reader.check(|row| Place {
            table: file.to_owned(),
            row: Row::Line(table.lines.get(row).copied().unwrap_or_default().into()),
            column: column.name.clone(),
        })?;
    }

    // The second keeps the text of those columns.
    let mut interned: Vec<Option<Interner>> =
        readers.iter().map(|reader| reader.is_text().then(Interner::default)).collect();
    if interned.iter().any(Option::is_some) {
        let mut records = body;
        while records.read(&mut fields).map_err(unclosed)?.is_some() {
            for (interner, field) in interned.iter_mut().zip(&fields) {
                if let Some(interner) = interner {
                    interner.push(field.clone());
                }
            }
        }
    }

    let line_of = |row: usize| table.lines.get(row).copied().unwrap_or(first_line as u32);
    let mut columns = Vec::with_capacity(width);
    for ((mut column, reader), interner) in table.columns.into_iter().zip(readers).zip(interned) {
        if reader.want == Want::Drop {
            table.left_out.push(column.name);
            continue;
        }
        let texts = interner.iter().filter(|_| reader.want == Want::Infer).flat_map(|column| &column.texts);
        let spelt = spelling(texts.map(|text| &**text)).map(|spelt| spelt_note(&column.name, spelt));
        table.notes.extend(spelt.or_else(|| reader.note(&column.name, line_of)));
        column.values = match interner {
            Some(Interner { codes, texts, .. }) => {
                Values::Text { codes, texts: texts.into_iter().map(Cow::into_owned).collect() }
            }
            None => Values::Numbers(reader.numbers),
        };
        columns.push(column);
    }
    table.columns = columns;
    Ok(table)
}

/// Fails if these are not the bytes of a text in one byte or several a character.
fn refuse_binary(file: &str, bytes: &[u8]) -> Result<(), Error> {
    let start = &bytes[..bytes.len().min(4096)];
    let zeros = |parity: usize| start.iter().skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let mostly = |zeros: usize| zeros * 4 > start.len();
    let looks = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16 text"),
        [b'P', b'K', 3, 4, ..] => Some("a ZIP archive or a spreadsheet"),
        [b'P', b'A', b'R', b'1', ..] => Some("a Parquet file"),
        // Latin letters in two bytes each, one of them zero.
        _ if mostly(zeros(0)) != mostly(zeros(1)) => Some("UTF-16 text"),
        _ if start.contains(&0) => None,
        _ => return Ok(()),
    };
    Err(Error::Binary { table: file.to_owned(), looks })
}

/// Whether the first line holds all the known names, where any are known.
fn holds(names: &[String], known: &[String]) -> bool {
    let here: HashSet<&String> = names.iter().collect();
    !known.is_empty() && known.iter().all(|name| here.contains(name))
}

/// Whether a value stands for a missing one: empty, `?`, `NA` or `NaN` in any case.
fn is_missing(field: &str) -> bool {
    let field = field.trim();
    matches!(field, "" | "?" | "NA") || field.eq_ignore_ascii_case("nan")
}

/// The number that a text spells, infinite if it spells infinity or is too large.
fn number(field: &str) -> Option<f64> {
    field.trim().parse().ok()
}

/// Whether a whole number is not the one that was read: from 2⁵³ on some are not.
fn is_rounded(field: &str, number: f64) -> bool {
    number.abs() >= 9_007_199_254_740_992.0
        && field.trim().parse::<i128>().is_ok_and(|exact| number as i128 != exact)
}

/// What the options say about a column.
#[derive(Clone, Copy, PartialEq)]
enum Want {
    Infer,
    Numeric,
    Categorical,
    Drop,
}

/// One [`Want`] for each column.
struct Wants(Vec<Want>);

impl Wants {
    fn new(table: &Table, options: &ReadOptions) -> Result<Self, Error> {
        let mut wants = vec![Want::Infer; table.columns.len()];
        let named = [
            (&options.categorical, Want::Categorical),
            (&options.numeric, Want::Numeric),
            (&options.drop, Want::Drop),
        ];
        for (columns, want) in named {
            for name in columns {
                let index = table.column_index(name)?;
                if wants[index] != Want::Infer && wants[index] != want {
                    let column = table.columns[index].name.clone();
                    return Err(Error::Conflict { column, one: wants[index].option(), other: want.option() });
                }
                wants[index] = want;
            }
        }
        Ok(Self(wants))
    }
}

impl Want {
    fn option(self) -> &'static str {
        match self {
            Self::Infer => "",
            Self::Numeric => "--numeric",
            Self::Categorical => "--categorical",
            Self::Drop => "--drop",
        }
    }
}

/// One column on the first pass.
struct Reader {
    want: Want,
    numbers: Vec<f64>,
    /// How many values are numbers.
    numeric: usize,
    /// How many are other text, and the first.
    text: usize,
    first_text: Option<(usize, String)>,
    first_infinite: Option<(usize, String)>,
    /// The first whole number that 64 bits do not keep.
    first_rounded: Option<(usize, String)>,
}

impl Reader {
    fn new(want: Want) -> Self {
        Self {
            want,
            numbers: Vec::new(),
            numeric: 0,
            text: 0,
            first_text: None,
            first_infinite: None,
            first_rounded: None,
        }
    }

    fn read(&mut self, field: &str, row: usize) {
        if matches!(self.want, Want::Drop | Want::Categorical) {
            return;
        }
        let mut value = f64::NAN;
        if let Some(number) = number(field).filter(|number| !number.is_nan()) {
            self.numeric += 1;
            value = number;
            if number.is_infinite() && self.first_infinite.is_none() {
                self.first_infinite = Some((row, field.trim().to_owned()));
            }
            if self.first_rounded.is_none() && is_rounded(field, number) {
                self.first_rounded = Some((row, field.trim().to_owned()));
            }
        } else if !is_missing(field) {
            self.text += 1;
            if self.first_text.is_none() {
                self.first_text = Some((row, field.to_owned()));
                self.numbers = Vec::new();
            }
        }
        if self.text == 0 {
            self.numbers.push(value);
        }
    }

    fn is_text(&self) -> bool {
        self.want == Want::Categorical || self.text > 0
    }

    /// An infinity, or text where only numbers may be, is an error.
    fn check(&self, place: impl Fn(usize) -> Place) -> Result<(), Error> {
        if self.want == Want::Numeric
            && let Some((row, value)) = &self.first_text
        {
            return Err(Error::NotNumeric { place: place(*row), value: value.clone() });
        }
        match &self.first_infinite {
            Some((row, value)) if self.text == 0 => {
                Err(Error::Infinite { place: place(*row), value: value.clone() })
            }
            _ => Ok(()),
        }
    }

    /// A column of numbers but for a few texts is probably a mistake, and so are numbers that are rounded.
    fn note(&self, name: &str, line: impl Fn(usize) -> u32) -> Option<String> {
        if let (0, Some((row, value))) = (self.text, &self.first_rounded) {
            return Some(format!(
                "Column `{name}` has whole numbers too large to be kept exactly, and ones that differ may be read as the \
                 same: {value} on line {} is the first. If they are names or keys, --categorical {name} keeps them as \
                 they are.",
                line(*row)
            ));
        }
        let (row, value) = self.first_text.as_ref().filter(|_| self.numeric > self.text)?;
        Some(format!(
            "Column `{name}` is read as categories, because {} in it {} not a number: {value:?} on line {} is the \
             first. If that is a mistake, --numeric {name} makes it an error.",
            count(self.text, "value", "values"),
            if self.text == 1 { "is" } else { "are" },
            line(*row),
        ))
    }
}

/// A column of text that looks like numbers, written in a way that is not read as such.
fn spelt_note(name: &str, (spelling, example): (Spelling, &str)) -> String {
    format!(
        "Column `{name}` is read as categories, though most of its text looks like numbers written with {spelling}, \
         such as {example:?}. Replace it by plain numbers such as 10.3, or say --categorical {name} if categories are \
         meant."
    )
}

/// The distinct texts of one column.
#[derive(Default)]
struct Interner<'a> {
    codes: Vec<u32>,
    texts: Vec<Cow<'a, str>>,
    known: HashMap<Cow<'a, str>, u32>,
}

impl<'a> Interner<'a> {
    fn push(&mut self, field: Cow<'a, str>) {
        let code = if is_missing(&field) {
            MISSING
        } else if let Some(&code) = self.known.get(&field) {
            code
        } else {
            let code = self.texts.len() as u32;
            self.texts.push(field.clone());
            self.known.insert(field, code);
            code
        };
        self.codes.push(code);
    }
}

/// Names from a header line; nameless columns get their number, and a repeated name gets one behind it.
fn names_of(header: &[Cow<'_, str>], notes: &mut Vec<String>) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut repeated: Vec<String> = Vec::new();
    let mut names = Vec::with_capacity(header.len());
    for (number, field) in header.iter().enumerate() {
        let plain = if field.trim().is_empty() { format!("c{number}") } else { field.trim().to_owned() };
        let mut name = plain.clone();
        let mut copy = 0;
        while !taken.insert(name.clone()) {
            copy += 1;
            name = format!("{plain}.{copy}");
        }
        if copy > 0 {
            repeated.push(name.clone());
        }
        names.push(name);
    }
    if !repeated.is_empty() {
        notes.push(format!(
            "The header names some columns more than once; the later ones are called {}.",
            list(&repeated, 10)
        ));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        parse("t", text.as_bytes(), &ReadOptions::default()).unwrap()
    }

    fn row(table: &Table, row: usize) -> Vec<String> {
        table
            .columns
            .iter()
            .map(|column| column.text(row).unwrap_or(Cow::Borrowed("-")).into_owned())
            .collect()
    }

    #[test]
    fn delimiters_are_detected() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a\tb\n1\t2,5\n", b'\t'),
            ("a;b\n1,5;2,5\n3,5;4,5\n", b';'),
            ("a|b\n1|2\n", b'|'),
            ("a, b\n1, 2\n", b','),
            ("1.0  2.0\n 3.0   4.0 \n", b' '),
            ("a,b\n\"x;y\",2\n\"x\ty\",3\n", b','),
            ("alone\n1\n2\n", b','),
            ("some text, with a comma\nand, more, of them\nx,y\nz,w\n", b','),
        ] {
            assert_eq!(char::from(detect_delimiter(text)), char::from(delimiter), "{text:?}");
        }
        let options = ReadOptions { delimiter: Some(b':'), ..ReadOptions::default() };
        assert_eq!(parse("t", b"1:2,5\n3:4,5\n", &options).unwrap().width, 2);
    }

    #[test]
    fn headers_are_detected() {
        for (text, header) in [
            ("a,b\n1,2\n", true),
            ("1,2\n3,4\n", false),
            ("x,1\ny,2\n", false),
            ("name,colour\nann,red\nbob,red\n", true),
            ("ann,red\nbob,red\ncid,blue\n", false),
            ("id,?\n1,2\n", false),
            (",a,b\n0,1,2\n1,3,4\n", true),
            (",0,1,2,3,y\n0,5,3,8,8,p\n1,4,4,4,4,q\n", true),
            ("0,1,2,3\n5.5,2,8,1\n", true),
            ("0,1,5,3\n5.5,2,8,1\n", false),
            ("0,1\n1,0\n", false),
            ("0,1,red\n1,0,blue\n", false),
            ("a,b,c\n", true),
            ("1,b,c\n", false),
        ] {
            assert_eq!(detect_header(text, b',') == FirstLine::Header, header, "{text:?}");
        }
    }

    #[test]
    fn a_first_line_unlike_the_rows_below_it_is_a_row_and_told() {
        for (text, doubtful) in [
            ("name,2001,2002\na,0.31,0.77\nb,0.5,0.2\nc,0.1,0.9\n", true),
            ("2001,2002\n0.31,0.77\n0.5,0.2\n0.1,0.9\n", true),
            // Populations, not far from the years.
            ("place,1990,2000\na,2500,2600\nb,9000,9500\nc,5000,4000\n", true),
            ("id,5,y\n1,0.5,p\n2,0.7,q\n", true),
            ("id,?\n1,2\n2,3\n", true),
            ("x,1\ny,2\n", false),
            ("1,0.31\n2,0.77\n3,0.5\n4,0.6\n", false),
            ("1,7,a\n2,8,b\n3,9,a\n4,10,b\n", false),
            ("a,5.1,3.5\nb,4.9,3.0\nb,4.7,3.2\na,4.6,3.6\n", false),
            ("none,1\n0.5,2\nnone,2\n0.7,4\n0.1,1\n", false),
            ("ann,red\nbob,red\n", false),
        ] {
            let first = detect_header(text, b',');
            assert_eq!(first == FirstLine::Doubtful, doubtful, "{text:?}");
            let expected = "No header line was found in t: its first line, ";
            assert_eq!(table(text).notes.iter().any(|n| n.starts_with(expected)), doubtful, "{text:?}");
            for header in [true, false] {
                let options = ReadOptions { header: Some(header), ..ReadOptions::default() };
                let told = parse("t", text.as_bytes(), &options).unwrap();
                assert!(!told.notes.iter().any(|note| note.starts_with(expected)), "{:?}", told.notes);
            }
        }
    }

    #[test]
    fn quotes_spaces_and_blank_lines() {
        let table = table(
            "\u{feff}a, b ,\"c, d\"\r\n\r\n1, 'x' ,\"say \"\"hi\"\"\"\n   \n 2,  \"y\nz\" , plain \r3,'-1',it's\n",
        );
        assert_eq!(table.column_names(), ["a", "b", "c, d"]);
        assert_eq!(row(&table, 0), ["1", "x", "say \"hi\""]);
        assert_eq!(row(&table, 1), ["2", "y\nz", "plain"]);
        assert_eq!(row(&table, 2), ["3", "-1", "it's"]);
        assert_eq!(table.lines, [3, 5, 7]);
    }

    #[test]
    fn missing_values_and_types() {
        let table = table("a,b,c,d\n1,x,,1e3\n?,NA,NaN,-.5\n,\"\",?,+7\n");
        assert_eq!(row(&table, 0), ["1", "x", "-", "1000"]);
        assert_eq!(row(&table, 1), ["-", "-", "-", "-0.5"]);
        assert_eq!(row(&table, 2), ["-", "-", "-", "7"]);
        let options = ReadOptions {
            categorical: vec!["0".into()],
            numeric: vec!["d".into()],
            drop: vec!["-2".into()],
            ..ReadOptions::default()
        };
        let table = parse("t", b"a,b,c,d\n01,x,,1e3\n?,NA,NaN,-.5\n", &options).unwrap();
        assert_eq!(table.column_names(), ["a", "b", "d"]);
        assert_eq!(row(&table, 0), ["01", "x", "1000"]);
        assert_eq!(table.column_index("3").unwrap(), 2);
        assert_eq!(table.column_index("-1").unwrap(), 2);
        assert!(table.column_index("2").is_err());
    }

    #[test]
    fn nameless_and_repeated_names() {
        let table = table(",a,a,b,a\n1,2,3,4,5\n");
        assert_eq!(table.column_names(), ["c0", "a", "a.1", "b", "a.2"]);
        assert!(table.notes[0].contains("`a.1`, `a.2`"), "{:?}", table.notes);
    }

    #[test]
    fn a_name_comes_before_a_number() {
        let options = ReadOptions { header: Some(true), ..ReadOptions::default() };
        let table = parse("t", b"2,1,0\n5,6,7\n", &options).unwrap();
        assert_eq!(table.column_index("2").unwrap(), 0);
        assert_eq!(table.column_index("-1").unwrap(), 2);
    }

    #[test]
    fn options_have_the_names_of_the_command_line() {
        let options: ReadOptions =
            serde_json::from_str(r#"{"delimiter": ";", "categorical": ["a"]}"#).unwrap();
        assert_eq!((options.delimiter, &options.categorical[..]), (Some(b';'), &["a".to_owned()][..]));
        assert!(serde_json::to_string(&options).unwrap().starts_with(r#"{"delimiter":";""#));
        assert_eq!(
            serde_json::from_str::<ReadOptions>(r#"{"delimiter": "tab"}"#).unwrap().delimiter,
            Some(b'\t')
        );
        for wrong in [r#"{"delimeter": ";"}"#, r#"{"delimiter": ";;"}"#, r#"{"delimiter": "x"}"#] {
            assert!(serde_json::from_str::<ReadOptions>(wrong).is_err(), "{wrong}");
        }
    }
}
