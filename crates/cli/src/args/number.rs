//! Numbers as values of flags.

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

pub fn whole_number<N: FromStr>(text: &str) -> Result<N, String> {
    text.trim().parse().map_err(|_| match text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        true if !text.trim().is_empty() => "too large; give one up to 18446744073709551615".into(),
        _ => "give a whole number, 0 or above".into(),
    })
}

/// A whole number in a range.
fn count(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let (least, most) = (range.start(), range.end());
    let wrong = match *most {
        u64::MAX => format!("give a whole number, at least {least}"),
        most => format!("give a whole number from {least} to {most}"),
    };
    whole_number(text).ok().filter(|number| range.contains(number)).ok_or(wrong)
}

pub fn epochs(text: &str) -> Result<u64, String> {
    count(text, 1..=1_000_000_000)
}

pub fn batch(text: &str) -> Result<usize, String> {
    count(text, 1..=u64::MAX).map(|rows| usize::try_from(rows).unwrap_or(usize::MAX))
}

/// At least two, which can differ.
pub fn some_rows(text: &str) -> Result<usize, String> {
    count(text, 2..=u64::MAX).map(|rows| usize::try_from(rows).unwrap_or(usize::MAX))
}

pub fn threads(text: &str) -> Result<usize, String> {
    count(text, 1..=1024).map(|threads| threads as usize)
}

pub fn networks(text: &str) -> Result<usize, String> {
    count(text, 1..=1000).map(|networks| networks as usize)
}

pub fn folds(text: &str) -> Result<usize, String> {
    count(text, 2..=1000).map(|folds| folds as usize)
}

pub fn age(text: &str) -> Result<Duration, String> {
    let most = 1e9; // 30 years
    number(text, "of seconds, at least 0", |x| (0.0..=most).contains(&x)).map(Duration::from_secs_f64)
}

fn number(text: &str, wanted: &str, fits: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite() && fits(*number));
    number.ok_or_else(|| format!("give a number {wanted}"))
}

pub fn fraction(text: &str) -> Result<f64, String> {
    number(text, "of at least 0 and below 1, such as 0.1", |x| (0.0..1.0).contains(&x))
}

pub fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "of at least 0, such as 0.001", |x| x >= 0.0)
}

pub fn positive(text: &str) -> Result<f64, String> {
    number(text, "above 0, such as 1", |x| x > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_out_of_range_say_what_fits() {
        assert_eq!(whole_number::<u64>(" 12 "), Ok(12));
        assert_eq!(whole_number::<u64>("-1").unwrap_err(), "give a whole number, 0 or above");
        assert_eq!(whole_number::<u64>("").unwrap_err(), "give a whole number, 0 or above");
        let huge = whole_number::<u64>("18446744073709551616").unwrap_err();
        assert_eq!(huge, "too large; give one up to 18446744073709551615");
        let least = (epochs("1"), batch("1"), some_rows("2"), threads("1"));
        assert_eq!(least, (Ok(1), Ok(1), Ok(2), Ok(1)));
        assert_eq!(epochs("0").unwrap_err(), "give a whole number from 1 to 1000000000");
        assert_eq!(batch("0").unwrap_err(), "give a whole number, at least 1");
        assert_eq!(some_rows("1").unwrap_err(), "give a whole number, at least 2");
        assert_eq!(threads("1025").unwrap_err(), "give a whole number from 1 to 1024");
    }

    #[test]
    fn numbers_have_their_ends() {
        assert_eq!((fraction("0"), fraction("0.99")), (Ok(0.0), Ok(0.99)));
        assert!(["1", "-0.1", "nan", "inf", "x", ""].into_iter().all(|text| fraction(text).is_err()));
        assert_eq!((not_negative("0"), positive("1e-9")), (Ok(0.0), Ok(1e-9)));
        assert!(not_negative("-1e-9").is_err() && positive("0").is_err() && positive("inf").is_err());
        assert_eq!(age("1.5"), Ok(Duration::from_millis(1500)));
        assert!(age("-1").is_err() && age("1e10").is_err());
    }
}
