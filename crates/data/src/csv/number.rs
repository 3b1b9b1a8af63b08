//! Numbers read fast, and exactly as the standard library reads them.

/// Powers of ten that 64 bits hold exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
];

/// The number at the start of `bytes`, and its length, if a delimiter, the end of the line or the end follows
/// it and it is written with digits, a sign and a point only, and with at most 15 digits.
///
/// Such a number is a whole one below 2⁵³ divided by a power of ten: both are exact in 64 bits, so their
/// quotient is the nearest number to what is written (Clinger 1990), which is what `str::parse` gives.
pub(super) fn leading(bytes: &[u8], delimiter: u8) -> Option<(f64, usize)> {
    let negative = bytes.first() == Some(&b'-');
    let start = usize::from(negative);
    let mut at = start;
    let mut whole = 0_u64;
    at += digits(&bytes[at..], &mut whole)?;
    let mut count = at - start;
    let mut decimals = 0;
    if bytes.get(at) == Some(&b'.') {
        at += 1;
        decimals = digits(&bytes[at..], &mut whole)?;
        at += decimals;
        count += decimals;
    }
    let ends = match bytes.get(at) {
        None => true,
        Some(&byte) => byte == delimiter || byte == b'\n' || byte == b'\r',
    };
    if !ends || count == 0 || count > 15 {
        return None;
    }
    let number = whole as f64 / POWERS.get(decimals)?;
    Some((if negative { -number } else { number }, at))
}

/// Adds the digits at the start of `bytes` to a number, and counts them; none where they may be too many.
fn digits(bytes: &[u8], number: &mut u64) -> Option<usize> {
    let mut count = 0;
    for &byte in bytes.iter().take(16) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return Some(count);
        }
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
        count += 1;
    }
    (count < 16).then_some(count)
}

/// The number that a text spells, infinite if it spells infinity or is too large.
pub(super) fn parse(field: &str) -> Option<f64> {
    field.trim().parse().ok().filter(|number: &f64| !number.is_nan())
}

/// Whether a whole number is not the one that was read: from 2⁵³ on some are not.
pub(super) fn is_rounded(field: &str, number: f64) -> bool {
    number.abs() >= 9_007_199_254_740_992.0
        && field.trim().parse::<i128>().is_ok_and(|exact| number as i128 != exact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_read_fast_and_what_is_not() {
        for (text, expected) in [
            ("1.5,", Some((1.5, 3))),
            ("-0,", Some((-0.0, 2))),
            ("12\n", Some((12.0, 2))),
            (".5\r\n", Some((0.5, 2))),
            ("5.", Some((5.0, 2))),
            ("123456789012345,", Some((123_456_789_012_345.0, 15))),
            ("1234567890123456,", None),
            ("0.0000000000000001,", None),
            (".,", None),
            ("-,", None),
            (",", None),
            ("1e3,", None),
            ("1 ,", None),
            ("+1,", None),
            ("\"1\",", None),
            ("abc,", None),
        ] {
            let found = leading(text.as_bytes(), b',');
            assert_eq!(found, expected, "{text:?}");
            let sign = |found: Option<(f64, usize)>| found.map(|(number, _)| number.is_sign_negative());
            assert_eq!(sign(found), sign(expected), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn the_same_bits_as_the_standard_library(text in "-?[0-9]{0,10}(\\.[0-9]{0,12})?") {
            let line = format!("{text};");
            if let Some((number, length)) = leading(line.as_bytes(), b';') {
                prop_assert_eq!(length, text.len());
                prop_assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{}", text);
            }
        }
    }
}
