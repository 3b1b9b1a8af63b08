//! Dates and times as people write them.

use serde::{Deserialize, Serialize};

/// Which comes first in a date such as 03/04/2024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DateOrder {
    /// 3 April.
    DayFirst,
    /// 4 March.
    MonthFirst,
}

/// A moment that a text names.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Timestamp {
    /// Seconds since 1970, or since midnight where there is no date.
    pub seconds: f64,
    pub has_date: bool,
}

/// What a column's texts say of their dates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Found {
    One(DateOrder),
    /// All are dates, of one day if the day is first and of another if the month is.
    Ambiguous,
    No,
}

const DAY: f64 = 86_400.0;
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The order in which all of these texts are dates; `order` is what is known to be meant.
pub(crate) fn order<'a>(texts: impl Iterator<Item = &'a str> + Clone, order: Option<DateOrder>) -> Found {
    let all = |order| {
        let mut dates = texts.clone().map(|text| parse(text, order));
        let first = dates.next().flatten();
        first.is_some_and(|first| dates.all(|date| date.is_some_and(|date| date.has_date == first.has_date)))
    };
    if let Some(order) = order {
        return if all(order) { Found::One(order) } else { Found::No };
    }
    match (all(DateOrder::DayFirst), all(DateOrder::MonthFirst)) {
        (true, true) => {
            let differs = |text| parse(text, DateOrder::DayFirst) != parse(text, DateOrder::MonthFirst);
            if texts.clone().any(differs) { Found::Ambiguous } else { Found::One(DateOrder::DayFirst) }
        }
        (true, false) => Found::One(DateOrder::DayFirst),
        (false, true) => Found::One(DateOrder::MonthFirst),
        (false, false) => Found::No,
    }
}

/// The moment that a text names: a date, a time of day, or both.
pub(crate) fn parse(text: &str, order: DateOrder) -> Option<Timestamp> {
    // Only what begins and is built like one is looked at closely.
    if text.len() > 48 || !text.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    let tokens = Token::all(text.trim())?;
    if let Some(seconds) = time(&tokens) {
        return Some(Timestamp { seconds, has_date: false });
    }
    let (days, rest) = date(&tokens, order)?;
    let rest = match rest {
        [Token::Word(word), rest @ ..] if word == "t" => rest,
        [Token::Mark(','), Token::Mark(' '), rest @ ..] | [Token::Mark(' '), rest @ ..] => rest,
        [] => return Some(Timestamp { seconds: days as f64 * DAY, has_date: true }),
        _ => return None,
    };
    Some(Timestamp { seconds: days as f64 * DAY + time(rest)?, has_date: true })
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A whole number, and how many digits it is written with.
    Number(u32, usize),
    Word(String),
    Mark(char),
}

impl Token {
    /// The parts of a text, runs of spaces as one; none if a number is too long for a date's.
    fn all(text: &str) -> Option<Vec<Self>> {
        let mut tokens = Vec::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let run = |like: fn(char) -> bool| rest.find(|c| !like(c)).unwrap_or(rest.len());
            let length = if c.is_ascii_digit() {
                let length = run(|c| c.is_ascii_digit());
                tokens.push(Self::Number(rest[..length].parse().ok()?, length));
                length
            } else if c.is_alphabetic() {
                let length = run(char::is_alphabetic);
                tokens.push(Self::Word(rest[..length].to_lowercase()));
                length
            } else if c.is_whitespace() {
                tokens.push(Self::Mark(' '));
                run(char::is_whitespace)
            } else {
                tokens.push(Self::Mark(c));
                c.len_utf8()
            };
            rest = &rest[length..];
        }
        Some(tokens)
    }
}

/// The day, counted from 1 January 1970, that some tokens begin with, and those behind it.
fn date(tokens: &[Token], order: DateOrder) -> Option<(i64, &[Token])> {
    use Token::{Mark, Number, Word};
    let found = match tokens {
        // 2024-01-31, 2024/1/31, 2024.01.31
        [
            Number(y, 4),
            Mark(a @ ('-' | '/' | '.')),
            Number(m, 1..=2),
            Mark(b),
            Number(d, 1..=2),
            rest @ ..,
        ] if a == b => (days(*y, *m, *d)?, rest),
        // 2024. 1. 31.
        [
            Number(y, 4),
            Mark('.'),
            Mark(' '),
            Number(m, 1..=2),
            Mark('.'),
            Mark(' '),
            Number(d, 1..=2),
            Mark('.'),
            rest @ ..,
        ] => (days(*y, *m, *d)?, rest),
        // 2024년 1월 31일
        [Number(y, 4), Word(year), rest @ ..] if year == "년" => {
            let rest = spaces(rest);
            let [Number(m, 1..=2), Word(month), rest @ ..] = rest else { return None };
            let [Number(d, 1..=2), Word(day), rest @ ..] = spaces(rest) else { return None };
            if month != "월" || day != "일" {
                return None;
            }
            (days(*y, *m, *d)?, rest)
        }
        // 31.01.2024, which is written where the day comes first
        [Number(d, 1..=2), Mark('.'), Number(m, 1..=2), Mark('.'), Number(y, 4), rest @ ..] => {
            (days(*y, *m, *d)?, rest)
        }
        // 31/01/2024, 01/31/2024, 31-01-2024
        [Number(one, 1..=2), Mark(a @ ('/' | '-')), Number(two, 1..=2), Mark(b), Number(y, 4), rest @ ..]
            if a == b =>
        {
            let (d, m) = if order == DateOrder::DayFirst { (one, two) } else { (two, one) };
            (days(*y, *m, *d)?, rest)
        }
        // 31-Jan-2024, 31 January 2024
        [Number(d, 1..=2), Mark(a @ ('-' | ' ')), Word(m), Mark(b), Number(y, 4), rest @ ..] if a == b => {
            (days(*y, month(m)?, *d)?, rest)
        }
        // Jan 31, 2024
        [Word(m), Mark(' '), Number(d, 1..=2), Mark(','), Mark(' '), Number(y, 4), rest @ ..]
        | [Word(m), Mark(' '), Number(d, 1..=2), Mark(' '), Number(y, 4), rest @ ..] => {
            (days(*y, month(m)?, *d)?, rest)
        }
        _ => return None,
    };
    Some(found)
}

fn spaces(tokens: &[Token]) -> &[Token] {
    match tokens {
        [Token::Mark(' '), rest @ ..] => rest,
        _ => tokens,
    }
}

/// The month of a name, or of its first three letters.
fn month(word: &str) -> Option<u32> {
    let found =
        MONTHS.iter().position(|&name| name == word || (word.len() == 3 && name.starts_with(word)))?;
    Some(found as u32 + 1)
}

/// Seconds since midnight, in UTC where a zone is given; all tokens must be of the time.
fn time(tokens: &[Token]) -> Option<f64> {
    use Token::{Mark, Number, Word};
    let [Number(hour, 1..=2), Mark(':'), Number(minute, 2), rest @ ..] = tokens else { return None };
    let (mut hour, mut seconds, mut rest) = (*hour, 0.0, rest);
    if let [Mark(':'), Number(second, 2), more @ ..] = rest {
        (seconds, rest) = (f64::from(*second), more);
        if let [Mark('.' | ','), Number(part, digits), more @ ..] = rest {
            seconds += f64::from(*part) / 10_f64.powi(*digits as i32);
            rest = more;
        }
    }
    if let [Word(half), more @ ..] = spaces(rest)
        && (half == "am" || half == "pm")
    {
        if !(1..=12).contains(&hour) {
            return None;
        }
        hour = hour % 12 + if half == "pm" { 12 } else { 0 };
        rest = more;
    }
    let zone = match spaces(rest) {
        [] => 0.0,
        [Word(zone)] if zone == "z" || zone == "utc" || zone == "gmt" => 0.0,
        [Mark(sign @ ('+' | '-' | '−')), zone @ ..] => {
            let (hours, minutes) = match zone {
                [Number(hours, 2), Mark(':'), Number(minutes, 2)] => (*hours, *minutes),
                [Number(together, 4)] => (together / 100, together % 100),
                [Number(hours, 2)] => (*hours, 0),
                _ => return None,
            };
            let ahead = f64::from(hours * 3600 + minutes * 60);
            if *sign == '+' { ahead } else { -ahead }
        }
        _ => return None,
    };
    let fits = hour < 24 && *minute < 60 && seconds < 61.0;
    fits.then(|| f64::from(hour * 3600 + minute * 60) + seconds - zone)
}

/// Days since 1 January 1970 in the Gregorian calendar; none if there is no such day.
fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let length = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last; 400 of them are 146 097 days.
    let (year, month) = (i64::from(year) - i64::from(month < 3), i64::from((month + 9) % 12));
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * month + 2) / 5 + i64::from(day) - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

/// What repeats in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cycle {
    /// The months of a year.
    Month,
    /// The days of a week, from Monday on.
    Weekday,
    /// The time of day, without steps.
    Hour,
}

impl Cycle {
    pub(crate) const ALL: [Self; 3] = [Self::Month, Self::Weekday, Self::Hour];

    /// Its name: `month`, `weekday` or `hour`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Weekday => "weekday",
            Self::Hour => "hour",
        }
    }

    /// The sine and the cosine of where in the cycle a moment is, so that its end is beside its beginning.
    pub fn sin_cos(self, seconds: f64) -> (f64, f64) {
        let angle = std::f64::consts::TAU * self.phase(seconds);
        (libm::sin(angle), libm::cos(angle))
    }

    /// Where in the cycle a moment is, from 0 to below 1: the month of the year, the day of the week, the
    /// time of day.
    pub fn phase(self, seconds: f64) -> f64 {
        let day = (seconds / DAY).floor();
        match self {
            Self::Month => f64::from(month_of(day as i64)) / 12.0,
            // 1 January 1970 was a Thursday, the fourth day from Monday.
            Self::Weekday => (day + 3.0).rem_euclid(7.0) / 7.0,
            Self::Hour => (seconds - day * DAY) / DAY,
        }
    }
}

/// The month, from 0, of a day counted from 1 January 1970.
fn month_of(day: i64) -> u32 {
    let of_era = (day + 719_468).rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    (((5 * of_year + 2) / 153 + 2) % 12) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use DateOrder::{DayFirst, MonthFirst};

    fn seconds(text: &str) -> Option<f64> {
        parse(text, DayFirst).map(|moment| moment.seconds)
    }

    #[test]
    fn common_ways_to_write_a_date() {
        let day = Some(1_706_659_200.0); // 31 January 2024
        for text in [
            "2024-01-31",
            "2024/1/31",
            "2024.01.31",
            "2024. 1. 31.",
            "2024년 1월 31일",
            "31.01.2024",
            "31/01/2024",
            "31-01-2024",
            "31-Jan-2024",
            "31 January 2024",
            "Jan 31, 2024",
            "january 31 2024",
            "2024-01-31T00:00:00Z",
            "2024-01-31 09:00+09:00",
            "2024-01-31 00:00:00.000 UTC",
            "31/01/2024, 12:00 am",
        ] {
            assert_eq!(seconds(text), day, "{text}");
        }
        assert_eq!(seconds("2024-01-31 12:30:45.5"), Some(1_706_659_200.0 + 45_045.5));
        assert_eq!(seconds("1970-01-01"), Some(0.0));
        assert_eq!(seconds("1969-12-31"), Some(-DAY));
        assert_eq!(seconds("0000-03-01"), Some(-719_468.0 * DAY));
        assert_eq!(parse("01/31/2024", MonthFirst).map(|m| m.seconds), day);
        assert_eq!(parse("1:05 pm", DayFirst), Some(Timestamp { seconds: 47_100.0, has_date: false }));
    }

    #[test]
    fn what_is_no_date() {
        for text in [
            "",
            "2024",
            "20240131",
            "2024-13-01",
            "2023-02-29",
            "2024-04-31",
            "31/31/2024",
            "01/31/2024",
            "2024-01/31",
            "24:00",
            "12:60",
            "13:00 pm",
            "5-a-2024",
            "1.2.3",
            "192.168.0.1",
            "2024-01-31x",
            "2024-01-31 x",
            "31/01/24",
            "99999999999-01-01",
            "Mai 5, 2024",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    #[test]
    fn the_order_is_that_in_which_all_are_dates() {
        let order = |texts: &[&str], known| order(texts.iter().copied(), known);
        assert_eq!(order(&["03/04/2024", "13/04/2024"], None), Found::One(DayFirst));
        assert_eq!(order(&["03/04/2024", "03/14/2024"], None), Found::One(MonthFirst));
        assert_eq!(order(&["03/04/2024", "05/06/2024"], None), Found::Ambiguous);
        assert_eq!(order(&["03/04/2024", "05/06/2024"], Some(MonthFirst)), Found::One(MonthFirst));
        assert_eq!(order(&["03/03/2024"], None), Found::One(DayFirst));
        assert_eq!(order(&["13/04/2024", "03/14/2024"], None), Found::No);
        assert_eq!(order(&["2024-01-01", "12:30"], None), Found::No);
        assert_eq!(order(&[], None), Found::No);
    }

    #[test]
    fn cycles_repeat() {
        let at = |text: &str, cycle: Cycle| cycle.phase(seconds(text).unwrap());
        for (month, text) in ["2024-01-31", "2024-02-29", "2023-03-01", "1999-04-30"].iter().enumerate() {
            assert!((at(text, Cycle::Month) - month as f64 / 12.0).abs() < 1e-12, "{text}");
        }
        assert!((at("1950-12-31", Cycle::Month) - 11.0 / 12.0).abs() < 1e-12);
        assert_eq!(at("2024-01-29", Cycle::Weekday), 0.0); // a Monday
        assert!((at("2024-02-04", Cycle::Weekday) - 6.0 / 7.0).abs() < 1e-12);
        assert_eq!(at("2024-02-04 18:00", Cycle::Hour), 0.75);
        assert_eq!(at("1969-12-31 06:00", Cycle::Hour), 0.25);
    }
}
