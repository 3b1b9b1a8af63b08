//! Numbers as people write them: with decimal commas, separated thousands, percent signs and currencies.

use serde::{Deserialize, Serialize};

/// The mark between the whole part of a number and its decimals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decimal {
    /// `10.3`
    #[default]
    Point,
    /// `10,3`
    Comma,
}

/// How the numbers of a column are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Notation {
    pub(crate) decimal: Decimal,
    /// What may separate thousands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thousands: Option<char>,
    /// What stands before or behind every number but 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<char>,
}

/// What a column's texts say of how its numbers are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    One(Notation),
    /// `1,234` is one number with a decimal comma and another with separated thousands.
    Ambiguous,
    No,
}

/// What separates thousands, by the mark in front of the decimals; simple ones come first.
const CANDIDATES: [(Decimal, Option<char>); 11] = [
    (Decimal::Point, None),
    (Decimal::Point, Some(',')),
    (Decimal::Point, Some(' ')),
    (Decimal::Point, Some('\u{a0}')),
    (Decimal::Point, Some('\u{202f}')),
    (Decimal::Point, Some('\'')),
    (Decimal::Comma, None),
    (Decimal::Comma, Some('.')),
    (Decimal::Comma, Some(' ')),
    (Decimal::Comma, Some('\u{a0}')),
    (Decimal::Comma, Some('\u{202f}')),
];

impl Notation {
    /// Whether they are plain numbers, such as 10.3.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }

    /// The number that a text spells in this notation.
    pub fn parse(&self, text: &str) -> Option<f64> {
        let Parts { negative, unit, body } = Parts::of(text)?;
        let number = self.number(body)?;
        if unit != self.unit && !(unit.is_none() && number == 0.0) {
            return None;
        }
        Some(if negative { -number } else { number })
    }

    /// A number without its sign and unit.
    fn number(&self, body: &str) -> Option<f64> {
        let mark = if self.decimal == Decimal::Comma { ',' } else { '.' };
        let (whole, decimals) = match body.split_once(mark) {
            Some((whole, decimals)) => (whole, Some(decimals)),
            None => (body, None),
        };
        let mut plain = String::with_capacity(body.len());
        match self.thousands {
            Some(separator) if whole.contains(separator) => {
                if !separates_thousands(whole, separator) {
                    return None;
                }
                plain.extend(whole.chars().filter(|&c| c != separator));
            }
            _ => plain.push_str(whole),
        }
        // What is a point in a plain number is none here.
        if self.decimal == Decimal::Comma
            && (plain.contains('.') || decimals.is_some_and(|d| d.contains('.')))
        {
            return None;
        }
        if let Some(decimals) = decimals {
            plain.push('.');
            plain.push_str(decimals);
        }
        // An exponent is a plain number's; infinity and the like begin with no digit.
        let starts = plain.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        plain.parse().ok().filter(|number: &f64| starts && number.is_finite())
    }

    /// How all of these texts spell numbers. `decimal` is the mark that is known to be meant.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = &'a str> + Clone, decimal: Option<Decimal>) -> Found {
        let units = |text| Parts::of(text).map(|parts| parts.unit);
        // The first that has one: a zero may do without.
        let unit = texts.clone().map(units).find(|unit| *unit != Some(None)).unwrap_or(Some(None));
        let Some(unit) = unit else { return Found::No };
        let fits = |&(mark, thousands): &(Decimal, Option<char>)| {
            let notation = Self { decimal: mark, thousands, unit };
            decimal.is_none_or(|decimal| decimal == mark)
                && texts.clone().all(|text| notation.parse(text).is_some())
        };
        let mut found = CANDIDATES.into_iter().filter(fits);
        let Some((mark, thousands)) = found.next() else { return Found::No };
        let first = Self { decimal: mark, thousands, unit };
        // Among those with the other mark, the one that goes on reading the same texts as other numbers.
        let other = found.find(|&(other, _)| other != mark);
        let differs = other.is_some_and(|(decimal, thousands)| {
            let other = Self { decimal, thousands, unit };
            texts.clone().any(|text| first.parse(text) != other.parse(text))
        });
        // A point that may be read as one is.
        if differs && thousands.is_some() { Found::Ambiguous } else { Found::One(first) }
    }

    /// What follows "numbers written with": `a decimal comma and `€``.
    pub fn describe(&self) -> String {
        let mut parts = Vec::new();
        if self.decimal == Decimal::Comma {
            parts.push("a decimal comma".to_owned());
        }
        if self.thousands.is_some() {
            parts.push("a thousands separator".to_owned());
        }
        if let Some(unit) = self.unit {
            parts.push(format!("`{unit}`"));
        }
        match &parts[..] {
            [] => "another sign than `-` for minus".to_owned(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }
}

/// A text cut into sign, unit and the rest.
struct Parts<'a> {
    negative: bool,
    unit: Option<char>,
    body: &'a str,
}

impl<'a> Parts<'a> {
    /// None if it cannot be a number.
    fn of(text: &'a str) -> Option<Self> {
        let (mut negative, rest) = sign(text.trim());
        let mut unit = rest.chars().next().filter(|&c| is_currency(c));
        let rest = unit.map_or(rest, |unit| rest[unit.len_utf8()..].trim_start());
        let (inner, rest) = if unit.is_some() { sign(rest) } else { (false, rest) };
        if inner && negative {
            return None;
        }
        negative |= inner;
        let mut body = rest;
        if let Some(last) = rest.chars().next_back().filter(|&c| is_currency(c) || matches!(c, '%' | '원')) {
            if unit.is_some() {
                return None;
            }
            unit = Some(last);
            body = rest[..rest.len() - last.len_utf8()].trim_end();
        }
        body.ends_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')).then_some(Self {
            negative,
            unit,
            body,
        })
    }
}

/// Whether a text begins with a minus, and what follows the sign.
fn sign(text: &str) -> (bool, &str) {
    if let Some(rest) = text.strip_prefix(['-', '−']) {
        return (true, rest.trim_start());
    }
    (false, text.strip_prefix('+').unwrap_or(text))
}

fn is_currency(c: char) -> bool {
    matches!(c, '$' | '€' | '£' | '¥' | '₩' | '￦' | '₹' | '₽' | '₺' | '฿' | '₫')
}

/// Whole groups of three digits behind a first one of one to three, which begins with no zero: `0,067` has
/// none.
fn separates_thousands(whole: &str, separator: char) -> bool {
    let digits = |group: &str| !group.is_empty() && group.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    digits(first)
        && first.len() <= 3
        && !first.starts_with('0')
        && groups.all(|group| group.len() == 3 && digits(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str], decimal: Option<Decimal>) -> Option<Vec<f64>> {
        match Notation::of(texts.iter().copied(), decimal) {
            Found::One(notation) => texts.iter().map(|text| notation.parse(text)).collect(),
            _ => None,
        }
    }

    #[test]
    fn notations_are_found_where_the_whole_column_agrees() {
        for (texts, expected) in [
            (&["10,3", "9,25", "8"][..], Some(vec![10.3, 9.25, 8.0])),
            (&["0,067", "1,234"], Some(vec![0.067, 1.234])),
            (&["1.234,5", "-0,5"], Some(vec![1234.5, -0.5])),
            (&["1.234.567"], Some(vec![1_234_567.0])),
            (&["1,234,567", "12,000", "7"], Some(vec![1_234_567.0, 12_000.0, 7.0])),
            (&["1,234.5", "999"], Some(vec![1234.5, 999.0])),
            (&["1 000", "22 000 000,5"], Some(vec![1000.0, 22_000_000.5])),
            (&["1'000.5", "2"], Some(vec![1000.5, 2.0])),
            (&["3%", "4.5 %", "-7%", "0"], Some(vec![3.0, 4.5, -7.0, 0.0])),
            (&["$7", "-$1,000.50", "$-3", "$12"], Some(vec![7.0, -1000.5, -3.0, 12.0])),
            (&["1.000,50 €", "3 €"], Some(vec![1000.5, 3.0])),
            (&["₩1,234,000"], Some(vec![1_234_000.0])),
            (&["1,234,000원"], Some(vec![1_234_000.0])),
            (&["−0.5", "3"], Some(vec![-0.5, 3.0])),
            (&["1.5", "2"], Some(vec![1.5, 2.0])),
            (&["1,234", "12,000"], None), // ambiguous
            (&["$7", "€7"], None),
            (&["$7", "7"], None),
            (&["5%", "0.5"], None),
            (&["0,067,000"], None),
            (&["1,23,456"], None),
            (&["10,3", "red"], None),
            (&["2024-01-01"], None),
            (&["192.168.0.1"], None),
            (&["--5"], None),
            (&["inf", "$inf", "%", "$", "-", ""], None),
            (&["$1e999"], None),
        ] {
            assert_eq!(read(texts, None), expected, "{texts:?}");
        }
    }

    #[test]
    fn what_may_be_either_is_what_it_is_said_to_be() {
        let texts = ["1,234", "12,000"];
        assert_eq!(Notation::of(texts.into_iter(), None), Found::Ambiguous);
        assert_eq!(read(&texts, Some(Decimal::Comma)), Some(vec![1.234, 12.0]));
        assert_eq!(read(&texts, Some(Decimal::Point)), Some(vec![1234.0, 12_000.0]));
        assert_eq!(read(&["1.234", "5.678"], None), Some(vec![1.234, 5.678]));
        assert_eq!(read(&["1.234", "5.678"], Some(Decimal::Comma)), Some(vec![1234.0, 5678.0]));
    }

    #[test]
    fn a_notation_is_saved_shortly_and_read_again() {
        let notation = Notation { decimal: Decimal::Comma, thousands: Some('.'), unit: None };
        let saved = serde_json::to_string(&notation).unwrap();
        assert_eq!(saved, r#"{"decimal":"comma","thousands":"."}"#);
        assert_eq!(serde_json::from_str::<Notation>(&saved).unwrap(), notation);
    }
}
