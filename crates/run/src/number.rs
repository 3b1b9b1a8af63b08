//! Numbers in messages.

/// A figure in the unit of the data, for people: in four decimals, or in four significant digits and a power
/// of ten where four decimals would show nothing of it, or very many digits stand before them.
///
/// ```
/// use downhill_run::fixed;
///
/// assert_eq!([0.0, 0.25, 4.288e-6, 1.5e12].map(fixed), ["0", "0.2500", "4.288e-6", "1.500e12"]);
/// ```
pub fn fixed(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        1e-3..1e9 => format!("{value:.4}"),
        _ => format!("{value:.3e}"),
    }
}

/// A number to two digits.
pub fn two_digits(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

/// A ratio, for people: in two decimals, or in two significant digits where those would show nothing of it.
pub fn ratio(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        0.1..1e9 => format!("{value:.2}"),
        _ => format!("{value:.1e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_zero_is_not_shown_as_zero() {
        for power in -300..300 {
            for value in [1.0, 5.0, 9.996].map(|digits| digits * 10f64.powi(power)) {
                for text in [fixed(value), ratio(value)] {
                    let shown: f64 = text.parse().unwrap();
                    assert!((shown / value - 1.0).abs() < 0.06, "{value:e} is shown as {text}");
                }
            }
        }
    }
}
