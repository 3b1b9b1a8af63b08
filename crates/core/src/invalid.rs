//! Values outside their range.

use std::fmt;

/// A setting whose value makes no sense, and what would.
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid {
    /// The rule, schedule or layer it belongs to: `adam`.
    pub owner: &'static str,
    /// The key: `beta1`.
    pub key: &'static str,
    /// What is wrong: `must be at least 0 and below 1, not 1.5`.
    pub message: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` of `{}` {}", self.key, self.owner, self.message)
    }
}

impl std::error::Error for Invalid {}

/// Checks one value of `owner.key`; not a number is out of every range.
pub fn ensure(
    owner: &'static str,
    key: &'static str,
    value: f64,
    range: impl FnOnce(f64) -> bool,
    wanted: &str,
) -> Result<(), Invalid> {
    if value.is_finite() && range(value) {
        return Ok(());
    }
    Err(Invalid { owner, key, message: format!("must be {wanted}, not {value}") })
}

/// Checks that a value is above zero and finite.
pub fn positive(owner: &'static str, key: &'static str, value: f64) -> Result<(), Invalid> {
    ensure(owner, key, value, |x| x > 0.0, "above 0")
}

/// Checks that a value is zero or above, and finite.
pub fn not_negative(owner: &'static str, key: &'static str, value: f64) -> Result<(), Invalid> {
    ensure(owner, key, value, |x| x >= 0.0, "0 or above")
}

/// Checks that a value lies in [0, 1): a decay of a moving average, a share of units silenced.
pub fn fraction(owner: &'static str, key: &'static str, value: f64) -> Result<(), Invalid> {
    ensure(owner, key, value, |x| (0.0..1.0).contains(&x), "at least 0 and below 1")
}
