//! Numbers for people.

/// A number in four significant digits: `0.07413`, `1.5e-7`.
pub(crate) fn significant(value: f64) -> String {
    match format!("{value:.3e}").parse::<f64>() {
        Ok(rounded) if rounded.is_finite() => plain(rounded),
        _ => "not a finite number".into(),
    }
}

/// A number in two significant digits, as far as a rate matters.
pub(crate) fn two_digits(value: f64) -> String {
    format!("{value:.1e}").parse().map_or_else(|_| value.to_string(), plain)
}

/// The shortest text that is this number: with an exponent where there would be many zeros.
pub(crate) fn plain(value: f64) -> String {
    let plain = value == 0.0 || (1e-3..1e6).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

/// A count with its thousands apart: `25,738`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count and what is counted: `1 epoch`, `2 epochs`.
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(count), if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let cases = [(0.074_132_9, "0.07413"), (2.0, "2"), (0.0, "0"), (-0.5, "-0.5"), (1234.56, "1235")];
        for (value, text) in cases {
            assert_eq!(significant(value), text);
        }
        assert_eq!(significant(1.5e-7), "1.5e-7");
        assert_eq!(significant(2.5e9), "2.5e9");
        assert_eq!(significant(f64::NAN), "not a finite number");
        assert_eq!(significant(f64::MAX), "not a finite number"); // Rounded up, it is beyond what there is.
        assert_eq!(significant(f64::NEG_INFINITY), "not a finite number");
    }

    #[test]
    fn counts_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (25_738_123, "25,738,123")] {
            assert_eq!(grouped(count), text);
        }
        assert_eq!(counted(1, "epoch"), "1 epoch");
        assert_eq!(counted(2, "epoch"), "2 epochs");
    }
}
