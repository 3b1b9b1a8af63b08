//! What a column of text turns out to be, once all of it is seen.

use super::interner::{Interner, Text};
use super::missing::Missing;
use super::number;
use super::part::{Mode, Numbers};
use super::wants::Want;
use crate::column::{Exact, MISSING, Values, Written};
use crate::error::count;
use crate::known::Holds;
use crate::notation::{self, Decimal, Notation};
use crate::spelling::{Spelling, spelling};
use crate::{DateOrder, booleans, dates};
use std::collections::HashMap;

/// What is known or said of the columns of a table.
pub(super) struct Said<'a> {
    pub missing: &'a Missing,
    /// The mark in front of decimals, where it is said.
    pub decimal: Option<Decimal>,
    /// The mark that the rest of the table suggests.
    pub likely: Option<Decimal>,
    pub dates: Option<DateOrder>,
    /// The line of each row.
    pub lines: &'a [u32],
}

/// A column that was read as text.
pub(super) struct Settled {
    pub values: Values,
    pub written: Written,
    pub note: Option<String>,
    /// The first number that is infinite, if it is of numbers.
    pub infinite: Option<(usize, String)>,
    /// The first value that is no number, where only numbers are wanted.
    pub not_numeric: Option<(usize, String)>,
}

/// What one distinct text is.
#[derive(Clone, Copy, PartialEq)]
enum Is {
    Missing,
    /// Missing if the other values are numbers or dates.
    MissingAmongNumbers,
    Number(f64),
    Other,
}

/// Finds out what a column holds.
pub(super) fn settle(name: &str, column: Interner, want: Want, holds: Holds, said: &Said<'_>) -> Settled {
    let missing = said.missing;
    let quotes = column.quotes;
    let is = |text: &Text| {
        if missing.anywhere(&text.text) {
            Is::Missing
        } else if missing.among_numbers_only(&text.text) && (!text.quoted || quotes) {
            Is::MissingAmongNumbers
        } else {
            number::parse(&text.text).map_or(Is::Other, Is::Number)
        }
    };
    let kinds: Vec<Is> = column.texts.iter().map(is).collect();
    let has = |wanted: fn(&Is) -> bool| kinds.iter().any(wanted);
    let numbers = has(|kind| matches!(kind, Is::Number(_)));
    let others = has(|kind| *kind == Is::Other);
    if want == Want::Categorical || holds == Holds::Text && want != Want::Numeric {
        return text_column(name, column, &kinds, Written::Plain, false);
    }
    let present =
        || column.texts.iter().zip(&kinds).filter(|(_, kind)| matches!(kind, Is::Number(_) | Is::Other));
    let texts = || present().map(|(text, _)| &*text.text);
    let value_of = |notation: Notation| -> Vec<f64> {
        let value = |(text, kind): (&Text, &Is)| match kind {
            Is::Missing | Is::MissingAmongNumbers => f64::NAN,
            Is::Number(number) if notation.is_plain() => *number,
            _ => notation.parse(&text.text).unwrap_or(f64::NAN),
        };
        column.texts.iter().zip(&kinds).map(value).collect()
    };
    let plain = said.decimal != Some(Decimal::Comma) && !others;
    // One way to spell a missing value and nothing else is a column without values, two may be two
    // categories.
    let mut spelt = column.texts.iter().zip(&kinds).filter(|(_, kind)| **kind == Is::MissingAmongNumbers);
    let only = spelt.next();
    let one_spelling = only.is_none_or(|(text, _)| {
        spelt.next().is_none() && (&*text.text == "NA" || !has(|kind| *kind == Is::Missing))
    });
    let all_missing = !numbers && !others && one_spelling;
    if plain && numbers || all_missing {
        return numeric_column(&column, &value_of(Notation::default()), Written::Plain, None);
    }
    let known = match holds {
        Holds::Written(written) => Some(written),
        _ => None,
    };
    let found = match (known, said.decimal) {
        _ if !numbers && !others => notation::Found::No,
        (Some(Written::Notation(notation)), _) if texts().all(|text| notation.parse(text).is_some()) => {
            notation::Found::One(notation)
        }
        (_, Some(decimal)) => Notation::of(texts(), Some(decimal)),
        (_, None) => match Notation::of(texts(), None) {
            notation::Found::Ambiguous if said.likely.is_some() => Notation::of(texts(), said.likely),
            found => found,
        },
    };
    if let notation::Found::One(notation) = found {
        let values = value_of(notation);
        let example = texts().find(|text| number::parse(text) != notation.parse(text));
        let example = example.filter(|_| known.is_none());
        let note = example.map(|example| notation_note(name, notation, example));
        let written = if notation.is_plain() { Written::Plain } else { Written::Notation(notation) };
        return numeric_column(&column, &values, written, note);
    }
    let order = match known {
        Some(Written::Dates(order)) => Some(order),
        _ => said.dates,
    };
    if want == Want::Numeric {
        let row = column.codes.iter().position(|&code| kinds[code as usize] == Is::Other);
        let not_numeric = row.map(|row| (row, column.texts[column.codes[row] as usize].text.to_string()));
        return Settled { not_numeric, ..text_column(name, column, &kinds, Written::Plain, true) };
    }
    let date = if others { dates::order(texts(), order) } else { dates::Found::No };
    let note = match (date, found) {
        (dates::Found::One(order), _) => {
            let example = texts().next().unwrap_or_default();
            let note = format!(
                "Column `{name}` is read as dates or times, such as {example:?}: features are their order and what \
                 repeats in them. To keep it as text, name it in `categorical`."
            );
            let note = Some(note).filter(|_| known.is_none());
            return Settled { note, ..text_column(name, column, &kinds, Written::Dates(order), true) };
        }
        (dates::Found::Ambiguous, _) => Some(format!(
            "Column `{name}` is read as categories, though its text looks like dates, such as {:?}, in which either \
             the day or the month may come first. Say which with `dates`: day-first or month-first.",
            texts().next().unwrap_or_default()
        )),
        (_, notation::Found::Ambiguous) => Some(format!(
            "Column `{name}` is read as categories, though its text looks like numbers, such as {:?}, in which the \
             comma may stand in front of decimals or separate thousands. Say which with `decimal`: `,` or `.`",
            texts().next().unwrap_or_default()
        )),
        _ if numbers && !others => Some(format!(
            "Column `{name}` is read as categories, because its numbers, such as {:?}, are not written with the \
             decimal mark that was named.",
            texts().next().unwrap_or_default()
        )),
        _ => {
            let spelt = spelling(texts()).map(|spelt| spelt_note(name, spelt));
            spelt.or_else(|| mixed_note(name, &column, &kinds, said.lines))
        }
    };
    let settled = text_column(name, column, &kinds, Written::Plain, false);
    Settled { note: note.or(settled.note), ..settled }
}

/// A column that was read as numbers.
pub(super) fn numbers(
    name: &str,
    numbers: Numbers,
    mode: Mode,
    holds: Holds,
    example: Option<&str>,
) -> Settled {
    let notation = match mode {
        Mode::Numbers(Some(notation)) => notation,
        _ => Notation::default(),
    };
    let example = example.filter(|_| !matches!(holds, Holds::Written(_)));
    Settled {
        values: Values::Numbers(numbers.values),
        written: if notation.is_plain() { Written::Plain } else { Written::Notation(notation) },
        note: example.map(|example| notation_note(name, notation, example)),
        infinite: numbers.infinite,
        not_numeric: None,
    }
}

fn notation_note(name: &str, notation: Notation, example: &str) -> String {
    format!(
        "Column `{name}` is read as numbers written with {}: {example:?} is {}. To keep it as text, name it in \
         `categorical`.",
        notation.describe(),
        notation.parse(example).unwrap_or_default()
    )
}

fn numeric_column(column: &Interner, values: &[f64], written: Written, note: Option<String>) -> Settled {
    let numbers: Vec<f64> = column.codes.iter().map(|&code| values[code as usize]).collect();
    let infinite = numbers.iter().position(|number| number.is_infinite()).map(|row| {
        let text = &column.texts[column.codes[row] as usize].text;
        (row, text.trim().to_owned())
    });
    Settled { values: Values::Numbers(numbers), written, note, infinite, not_numeric: None }
}

/// A column of text, in which values that differ only in how they spell true or false are one.
fn text_column(name: &str, column: Interner, kinds: &[Is], written: Written, among_numbers: bool) -> Settled {
    let is_missing = |kind: Is| kind == Is::Missing || (among_numbers && kind == Is::MissingAmongNumbers);
    let present = column.texts.iter().zip(kinds).filter(|&(_, &kind)| !is_missing(kind));
    let truths = booleans::is_truths(present.map(|(text, _)| &*text.text));
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut texts: Vec<String> = Vec::new();
    let mut merged = None;
    let mut code = |(text, &kind): (&Text, &Is)| {
        if is_missing(kind) {
            return MISSING;
        }
        let key = if truths { text.text.to_lowercase() } else { text.text.to_string() };
        let code = *known.entry(key).or_insert_with(|| {
            texts.push(text.text.to_string());
            texts.len() as u32 - 1
        });
        if truths && texts[code as usize] != *text.text && merged.is_none() {
            merged = Some(format!(
                "Column `{name}`: `{}` and `{}` are one category, and so are other spellings of the same.",
                texts[code as usize], text.text
            ));
        }
        code
    };
    let code_of: Vec<u32> = column.texts.iter().zip(kinds).map(&mut code).collect();
    let codes = column.codes.iter().map(|&code| code_of[code as usize]).collect();
    let values = Values::Text { codes, texts };
    Settled { values, written, note: merged, infinite: None, not_numeric: None }
}

/// The values of a column of whole numbers as they are written.
pub(super) fn exact(column: Interner, first: (usize, String), missing: &Missing) -> Exact {
    let mut texts = Vec::new();
    let mut code = |text: &Text| {
        if missing.among_numbers(&text.text) {
            return MISSING;
        }
        texts.push(text.text.trim().to_owned());
        texts.len() as u32 - 1
    };
    let code_of: Vec<u32> = column.texts.iter().map(&mut code).collect();
    Exact { codes: column.codes.iter().map(|&code| code_of[code as usize]).collect(), texts, first }
}

/// A column of text that looks like numbers, written in a way that is not read as such.
fn spelt_note(name: &str, (spelling, example): (Spelling, &str)) -> String {
    format!(
        "Column `{name}` is read as categories, though most of its text looks like numbers written with {spelling}, \
         such as {example:?}. Replace it by plain numbers such as 10.3, or name it in `categorical` if categories \
         are meant."
    )
}

/// A column of numbers but for a few texts is probably a mistake.
fn mixed_note(name: &str, column: &Interner, kinds: &[Is], lines: &[u32]) -> Option<String> {
    let rows =
        |wanted: fn(Is) -> bool| column.codes.iter().filter(|&&code| wanted(kinds[code as usize])).count();
    let (numbers, others) = (rows(|kind| matches!(kind, Is::Number(_))), rows(|kind| kind == Is::Other));
    if numbers <= others {
        return None;
    }
    let row = column.codes.iter().position(|&code| kinds[code as usize] == Is::Other)?;
    let text = &*column.texts[column.codes[row] as usize].text;
    Some(format!(
        "Column `{name}` is read as categories, because {} in it {} not a number: {text:?} on line {} is the first. If \
         that is a mistake, naming it in `numeric` makes it an error.",
        count(others, "value", "values"),
        if others == 1 { "is" } else { "are" },
        lines.get(row).copied().unwrap_or_default(),
    ))
}
