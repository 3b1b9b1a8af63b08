//! Numbers written in a way that is not read as numbers.

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

/// How a text spells a number that is not read as one. The data are never converted: `1,234` is one number
/// here and another there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spelling {
    /// `10,3`
    DecimalComma,
    /// `1,000`
    Thousands,
    /// `3%`, `5 kg`, `$7`
    Unit,
}

impl Display for Spelling {
    /// What follows "numbers written with".
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DecimalComma => "a decimal comma",
            Self::Thousands => "a thousands separator",
            Self::Unit => "a unit",
        })
    }
}

/// How most of these texts, those that are plain numbers left out, spell numbers; and the first that does.
pub(crate) fn spelling<'a>(texts: impl IntoIterator<Item = &'a str>) -> Option<(Spelling, &'a str)> {
    let mut others = 0;
    let mut spelt: HashMap<&str, usize> = HashMap::new();
    let mut first: HashMap<&str, &'a str> = HashMap::new();
    let mut decimal = false;
    for text in texts {
        if text.trim().parse::<f64>().is_ok() {
            continue;
        }
        others += 1;
        if let Some((form, unit)) = form(text) {
            // One of the two commas says what the other is: 1,234 among 1,5 has three decimals.
            decimal |= form == Spelling::DecimalComma;
            *spelt.entry(unit).or_default() += 1;
            first.entry(unit).or_insert(text);
        }
    }
    let (unit, count) = spelt.into_iter().max_by_key(|&(unit, count)| (count, unit))?;
    let spelling = match unit {
        "" if decimal => Spelling::DecimalComma,
        "" => Spelling::Thousands,
        _ => Spelling::Unit,
    };
    (count * 2 > others).then(|| (spelling, first[unit]))
}

/// The form of one text, and the unit in it.
fn form(text: &str) -> Option<(Spelling, &str)> {
    let text = text.trim();
    let is_part = |c: char| {
        c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+' | '\'' | ' ' | '\u{a0}' | '\u{202f}')
    };
    let start = text.find(|c: char| is_part(c) && c != ' ')?;
    let (before, rest) = text.split_at(start);
    let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
    let (number, after) = rest.split_at(end);
    let number = number.trim_end();
    let (before, after) = (before.trim_end(), after.trim());
    let grouped = grouped(number);
    let plain = number.parse::<f64>().is_ok();
    let unit = match (before, after) {
        ("", "") if grouped => return Some((Spelling::Thousands, "")),
        ("", "") if decimal_comma(number) => return Some((Spelling::DecimalComma, "")),
        ("", unit) => unit,
        // Before a number only currencies are units: `room 5` is a name.
        (unit @ ("$" | "€" | "£" | "¥"), "") => unit,
        _ => return None,
    };
    let short =
        unit.chars().count() <= 12 && !unit.is_empty() && !unit.contains(|c: char| c.is_ascii_digit());
    (short && (plain || grouped || decimal_comma(number))).then_some((Spelling::Unit, unit))
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `10,3` and `1.234,5`.
fn decimal_comma(number: &str) -> bool {
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    number.split_once(',').is_some_and(|(whole, decimals)| {
        digits(decimals) && (whole.is_empty() || digits(whole) || thousands(whole, '.'))
    })
}

/// `1,000`, `1,000.5`, `1 000`, `1'000` and `1.000.000`.
fn grouped(number: &str) -> bool {
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let by = |separator| digits(decimals) && thousands(whole, separator);
    by(',')
        || by(' ')
        || by('\u{a0}')
        || by('\u{202f}')
        || by('\'')
        || (number.matches('.').count() > 1 && thousands(number, '.'))
}

/// Whole groups of three digits behind a first one of one to three.
fn thousands(whole: &str, separator: char) -> bool {
    let mut groups = whole.split(separator);
    let first = groups.next().unwrap_or_default();
    let mut others = groups.peekable();
    digits(first)
        && first.len() <= 3
        && others.peek().is_some()
        && others.all(|group| group.len() == 3 && digits(group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_numbers_are_told_apart() {
        use Spelling::{DecimalComma, Thousands, Unit};
        for (texts, expected) in [
            (&["10,3", "9,25", "8"][..], Some((DecimalComma, "10,3"))),
            (&["1,234", "1,5"], Some((DecimalComma, "1,234"))),
            (&["1.234,5", "-0,5"], Some((DecimalComma, "1.234,5"))),
            (&["1,000", "12,000", "7"], Some((Thousands, "1,000"))),
            (&["1,234.5", "999"], Some((Thousands, "1,234.5"))),
            (&["1 000", "22 000 000"], Some((Thousands, "1 000"))),
            (&["1.000.000", "1'000"], Some((Thousands, "1.000.000"))),
            (&["3%", "4.5 %", "-7%"], Some((Unit, "3%"))),
            (&["5 kg", "6,5 kg", "x"], Some((Unit, "5 kg"))),
            (&["$7", "$1,000"], Some((Unit, "$7"))),
            (&["red", "10,3", "blue"], None),
            (&["1st", "2nd", "3rd", "4th"], None),
            (&["2024-01-01", "2024-01-02"], None),
            (&["room 5", "room 6"], None),
            (&["192.168.0.1", "10.0.0.1"], None),
            (&["a", "b"], None),
            (&["1", "2"], None),
            (&["12:30", "13:45"], None),
            (&["x,1", "-", "+", "é", ",", ".", ""], None),
        ] {
            assert_eq!(spelling(texts.iter().copied()), expected, "{texts:?}");
        }
    }
}
