//! What a path leads over: an expression in one or two variables, with its gradient.

use std::fmt;
use std::str::FromStr;

use downhill::optim::nearest;

use super::expression::{Expression, ReadError};

/// Surfaces by name, each with a start that shows what it is known for.
pub const NAMED: [(&str, &str, &[f64]); 5] = [
    ("quadratic", "x^2/20 + y^2", &[-7.0, 2.0]),
    ("rosenbrock", "(1 - x)^2 + 100*(y - x^2)^2", &[-1.5, 2.0]),
    ("beale", "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2", &[1.0, 1.5]),
    ("saddle", "x^2 - y^2", &[-1.0, 0.001]),
    ("double-well", "x^4 - 3*x^2 + x", &[2.0]),
];

/// A function of one or two variables.
#[derive(Clone, Debug)]
pub struct Surface {
    /// The expression as it was given, or as it is behind a name.
    pub text: String,
    /// The names of the variables, in alphabetical order.
    pub variables: Vec<String>,
    /// Where a path begins unless another start is given.
    pub start: Option<&'static [f64]>,
    value: Expression,
    gradient: Vec<Expression>,
}

impl Surface {
    /// The value at a point.
    pub fn value(&self, at: &[f64]) -> f64 {
        self.value.at(at)
    }

    /// The gradient at a point.
    pub fn gradient(&self, at: &[f64]) -> Vec<f64> {
        self.gradient.iter().map(|slope| slope.at(at)).collect()
    }
}

/// Text that is no surface.
#[derive(Clone, Debug)]
pub enum SurfaceError {
    Expression(ReadError),
    Name {
        text: String,
        meant: &'static str,
    },
    Option(String),
    NoVariable,
    Variables(Vec<String>),
    /// A variable whose name is that of a column.
    Taken(String),
}

/// The columns of the numbers besides the variables.
const COLUMNS: [&str; 4] = ["optimizer", "step", "value", "lr"];

impl fmt::Display for SurfaceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(error) => error.fmt(f),
            Self::Name { text, meant } => write!(f, "there is no surface `{text}`; did you mean `{meant}`?"),
            Self::Option(text) => write!(f, "there is no option {text}; `downhill path --help` lists them"),
            Self::NoVariable => {
                f.write_str("there is no variable in it, so no way down; write one such as x^2")
            }
            Self::Variables(names) => {
                let count = names.len();
                write!(f, "it has {count} variables ({}), and a picture has room for two", names.join(", "))
            }
            Self::Taken(name) => {
                write!(
                    f,
                    "the numbers have a column `{name}` already; call the variable by another name, such as x"
                )
            }
        }
    }
}

impl std::error::Error for SurfaceError {}

impl FromStr for Surface {
    type Err = SurfaceError;

    fn from_str(given: &str) -> Result<Self, SurfaceError> {
        let named = NAMED.iter().find(|named| named.0 == given.trim());
        let text = named.map_or(given.trim(), |named| named.1);
        // An expression may begin with a sign, so that a misspelt option comes here.
        if text.starts_with("--") && text[2..].starts_with(char::is_alphabetic) {
            return Err(SurfaceError::Option(text.into()));
        }
        // A misspelt name would be taken for a variable, or for a difference of two.
        let word = text.len() > 3 && text.chars().all(|c| c.is_alphabetic() || c == '-');
        if let Some(meant) = nearest(text, NAMED.map(|named| named.0)).filter(|_| word) {
            return Err(SurfaceError::Name { text: text.into(), meant });
        }
        let (value, variables) = Expression::read(text).map_err(SurfaceError::Expression)?;
        match variables.len() {
            0 => return Err(SurfaceError::NoVariable),
            1 | 2 => {}
            _ => return Err(SurfaceError::Variables(variables)),
        }
        if let Some(name) = variables.iter().find(|name| COLUMNS.contains(&name.as_str())) {
            return Err(SurfaceError::Taken(name.clone()));
        }
        let gradient = (0..variables.len()).map(|variable| value.derivative(variable)).collect();
        Ok(Self { text: text.into(), variables, start: named.map(|named| named.2), value, gradient })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_surfaces_are_lowest_where_they_are_known_to_be() {
        for (name, at, value) in [
            ("quadratic", &[0.0, 0.0][..], 0.0),
            ("rosenbrock", &[1.0, 1.0], 0.0),
            ("beale", &[3.0, 0.5], 0.0),
            ("saddle", &[0.0, 0.0], 0.0),
        ] {
            let surface: Surface = name.parse().unwrap();
            assert_eq!((surface.value(at), surface.gradient(at)), (value, vec![0.0; 2]), "{name}");
        }
        // The roots of 4x³ − 6x + 1.
        let wells: Surface = "double-well".parse().unwrap();
        for x in [-1.300_839_566, 0.169_938_444, 1.130_901_122] {
            assert!(wells.gradient(&[x])[0].abs() < 1e-7, "{x}");
        }
    }

    #[test]
    fn every_named_surface_has_a_start() {
        for (name, _, start) in NAMED {
            let surface: Surface = name.parse().unwrap();
            assert_eq!(surface.variables.len(), start.len(), "{name}");
            assert!(surface.value(start).is_finite());
        }
    }
}
