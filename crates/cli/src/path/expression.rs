//! Expressions such as `x^2/20 + y^2`, read, evaluated and differentiated.
//!
//! Written here rather than taken from `exmex`: there `-x^2` is (−x)², so that `exp(-x^2)` grows, and `2^3^2`
//! is 64; `1e-3` is no number, `abs` has no derivative, and an error does not say where it is.

use std::collections::BTreeSet;
use std::fmt;

use downhill::optim::nearest;

/// The longest expression there may be, in bytes; it bounds how deep one can be.
const LONGEST: usize = 1000;

/// An expression over variables that are known by their position.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    Number(f64),
    Variable(usize),
    Binary(Operator, Box<Self>, Box<Self>),
    Apply(Function, Box<Self>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Tanh,
    Exp,
    Ln,
    Log2,
    Log10,
    Sqrt,
    Cbrt,
    Abs,
    Sign,
}

/// The functions by name; `log` is the natural logarithm, as in most programming languages.
pub const FUNCTIONS: [(&str, Function); 18] = [
    ("sin", Function::Sin),
    ("cos", Function::Cos),
    ("tan", Function::Tan),
    ("asin", Function::Asin),
    ("acos", Function::Acos),
    ("atan", Function::Atan),
    ("sinh", Function::Sinh),
    ("cosh", Function::Cosh),
    ("tanh", Function::Tanh),
    ("exp", Function::Exp),
    ("ln", Function::Ln),
    ("log", Function::Ln),
    ("log2", Function::Log2),
    ("log10", Function::Log10),
    ("sqrt", Function::Sqrt),
    ("cbrt", Function::Cbrt),
    ("abs", Function::Abs),
    ("sign", Function::Sign),
];

const CONSTANTS: [(&str, f64); 4] = [
    ("pi", std::f64::consts::PI),
    ("π", std::f64::consts::PI),
    ("tau", std::f64::consts::TAU),
    ("e", std::f64::consts::E),
];

use Function::{
    Abs, Acos, Asin, Atan, Cbrt, Cos, Cosh, Exp, Ln, Log2, Log10, Sign, Sin, Sinh, Sqrt, Tan, Tanh,
};
use Operator::{Add, Divide, Multiply, Power, Subtract};

impl Expression {
    /// Reads an expression, and returns it with the names of its variables in alphabetical order.
    ///
    /// `^` (or `**`) binds tightest and to the right, then the sign, then `*` and `/`, then `+` and `-`:
    /// `-x^2` is −(x²), and `2^3^2` is 2⁹.
    pub fn read(text: &str) -> Result<(Self, Vec<String>), ReadError> {
        let wrong = |message: &str| ReadError {
            text: text.into(),
            at: text.len()..text.len(),
            message: message.into(),
        };
        if text.len() > LONGEST {
            return Err(ReadError {
                text: String::new(),
                ..wrong(&format!("longer than {LONGEST} characters"))
            });
        }
        let tokens = tokens(text)?;
        let names: BTreeSet<&str> = tokens.iter().filter_map(|token| token.variable()).collect();
        let names: Vec<&str> = names.into_iter().collect();
        let mut reader = Reader { text, tokens: &tokens, next: 0, names: &names };
        let expression = reader.sum()?;
        match reader.peek() {
            None => Ok((expression, names.into_iter().map(str::to_string).collect())),
            Some(Token { kind: Kind::Symbol(')'), .. }) => Err(reader.wrong_here("this `)` closes nothing")),
            Some(_) => Err(reader.wrong_here("an operator such as `*` is missing here")),
        }
    }

    /// The value at these values of the variables.
    pub fn at(&self, values: &[f64]) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Variable(index) => values[*index],
            Self::Binary(operator, a, b) => operator.of(a.at(values), b.at(values)),
            Self::Apply(function, a) => function.of(a.at(values)),
        }
    }

    /// The partial derivative with respect to a variable. Where there is none, as of |x| at 0, it is the mean
    /// of those from both sides, or no number.
    pub fn derivative(&self, variable: usize) -> Self {
        match self {
            Self::Number(_) => Self::Number(0.0),
            Self::Variable(index) => Self::Number(if *index == variable { 1.0 } else { 0.0 }),
            Self::Binary(operator, u, v) => {
                let (du, dv) = (u.derivative(variable), v.derivative(variable));
                let (u, v) = (|| (**u).clone(), || (**v).clone());
                match operator {
                    Add | Subtract => binary(*operator, du, dv),
                    Multiply => binary(Add, binary(Multiply, du, v()), binary(Multiply, u(), dv)),
                    Divide => {
                        // u′/v − (u/v)·(v′/v) does not overflow where v² would.
                        let quotient = binary(Divide, u(), v());
                        binary(
                            Subtract,
                            binary(Divide, du, v()),
                            binary(Multiply, quotient, binary(Divide, dv, v())),
                        )
                    }
                    Power => {
                        // Of xⁿ, so that no logarithm is taken of an x that may be negative.
                        let less = binary(Power, u(), binary(Subtract, v(), Self::Number(1.0)));
                        let base = binary(Multiply, binary(Multiply, v(), less), du);
                        let whole = binary(Power, u(), v());
                        let exponent = match dv {
                            Self::Number(0.0) => Self::Number(0.0),
                            dv => binary(Multiply, binary(Multiply, whole, apply(Ln, u())), dv),
                        };
                        binary(Add, base, exponent)
                    }
                }
            }
            Self::Apply(function, u) => {
                let du = u.derivative(variable);
                let (u, n) = (|| (**u).clone(), Self::Number);
                let square = || binary(Power, u(), n(2.0));
                let over = |numerator: f64, denominator| binary(Divide, n(numerator), denominator);
                let outer = match function {
                    Sin => apply(Cos, u()),
                    Cos => binary(Subtract, n(0.0), apply(Sin, u())),
                    Tan => over(1.0, binary(Power, apply(Cos, u()), n(2.0))),
                    Asin => over(1.0, apply(Sqrt, binary(Subtract, n(1.0), square()))),
                    Acos => over(-1.0, apply(Sqrt, binary(Subtract, n(1.0), square()))),
                    Atan => over(1.0, binary(Add, n(1.0), square())),
                    Sinh => apply(Cosh, u()),
                    Cosh => apply(Sinh, u()),
                    Tanh => over(1.0, binary(Power, apply(Cosh, u()), n(2.0))),
                    Exp => apply(Exp, u()),
                    Ln => over(1.0, u()),
                    Log2 => over(std::f64::consts::LOG2_E, u()),
                    Log10 => over(std::f64::consts::LOG10_E, u()),
                    Sqrt => over(0.5, apply(Sqrt, u())),
                    Cbrt => over(1.0 / 3.0, binary(Power, apply(Cbrt, u()), n(2.0))),
                    Abs => apply(Sign, u()),
                    Sign => n(0.0),
                };
                binary(Multiply, outer, du)
            }
        }
    }
}

impl Operator {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Add => a + b,
            Subtract => a - b,
            Multiply => a * b,
            Divide => a / b,
            Power if b == 2.0 => a * a,
            Power => a.powf(b),
        }
    }
}

impl Function {
    fn of(self, x: f64) -> f64 {
        match self {
            Sin => x.sin(),
            Cos => x.cos(),
            Tan => x.tan(),
            Asin => x.asin(),
            Acos => x.acos(),
            Atan => x.atan(),
            Sinh => x.sinh(),
            Cosh => x.cosh(),
            Tanh => x.tanh(),
            Exp => x.exp(),
            Ln => x.ln(),
            Log2 => x.log2(),
            Log10 => x.log10(),
            Sqrt => x.sqrt(),
            Cbrt => x.cbrt(),
            Abs => x.abs(),
            Sign if x == 0.0 => 0.0,
            Sign => x.signum(),
        }
    }
}

/// `a` operator `b`, without what changes nothing: a derivative is full of sums with 0 and products with 1,
/// and 0 · ∞ would not be a number.
fn binary(operator: Operator, a: Expression, b: Expression) -> Expression {
    use Expression::Number;
    match (operator, &a, &b) {
        (_, Number(a), Number(b)) => Number(operator.of(*a, *b)),
        (Add, Number(0.0), _) | (Multiply, Number(1.0), _) => b,
        (Add | Subtract, _, Number(0.0)) | (Multiply | Divide | Power, _, Number(1.0)) => a,
        (Multiply | Divide, Number(0.0), _) | (Multiply, _, Number(0.0)) => Number(0.0),
        (Power, _, Number(0.0)) => Number(1.0),
        _ => Expression::Binary(operator, Box::new(a), Box::new(b)),
    }
}

fn apply(function: Function, a: Expression) -> Expression {
    match a {
        Expression::Number(a) => Expression::Number(function.of(a)),
        a => Expression::Apply(function, Box::new(a)),
    }
}

/// Text that is no expression, and where that shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    text: String,
    at: std::ops::Range<usize>,
    message: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.text.trim().is_empty() || self.text.chars().any(char::is_control) {
            return Ok(());
        }
        let before = self.text[..self.at.start].chars().count();
        let marked = self.text[self.at.clone()].chars().count().max(1);
        write!(f, "\n  {}\n  {}{}", self.text, " ".repeat(before), "^".repeat(marked))
    }
}

impl std::error::Error for ReadError {}

#[derive(Clone, Debug, PartialEq)]
struct Token<'a> {
    kind: Kind<'a>,
    at: std::ops::Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind<'a> {
    Number(f64),
    /// A variable or a constant.
    Name(&'a str),
    /// A name with a parenthesis behind it.
    Function(&'a str),
    Symbol(char),
}

impl<'a> Token<'a> {
    fn variable(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Name(name) if constant(name).is_none() && function(name).is_none() => Some(name),
            _ => None,
        }
    }
}

fn constant(name: &str) -> Option<f64> {
    CONSTANTS.iter().find(|constant| constant.0 == name).map(|constant| constant.1)
}

fn function(name: &str) -> Option<Function> {
    FUNCTIONS.iter().find(|function| function.0 == name).map(|function| function.1)
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, ReadError> {
    let wrong = |at, message: String| ReadError { text: text.into(), at, message };
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let rest = &text[start..];
        let (kind, length) = match first {
            _ if first.is_whitespace() => {
                start += first.len_utf8();
                continue;
            }
            '0'..='9' | '.' => {
                let length = number_length(rest);
                let number: Option<f64> = rest[..length].parse().ok();
                let number = number.filter(|number| number.is_finite());
                let no_number =
                    || wrong(start..start + length, format!("`{}` is not a number", &rest[..length]));
                (Kind::Number(number.ok_or_else(no_number)?), length)
            }
            _ if first.is_alphabetic() || first == '_' => {
                let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
                let name = &rest[..length];
                let called = rest[length..].trim_start().starts_with('(');
                (if called { Kind::Function(name) } else { Kind::Name(name) }, length)
            }
            '*' if rest.starts_with("**") => (Kind::Symbol('^'), 2),
            '+' | '*' | '/' | '^' | '(' | ')' | '-' => (Kind::Symbol(first), 1),
            '−' => (Kind::Symbol('-'), first.len_utf8()),
            '·' | '×' => (Kind::Symbol('*'), first.len_utf8()),
            _ => {
                let message = format!("`{}` means nothing in an expression", first.escape_debug());
                return Err(wrong(start..start + first.len_utf8(), message));
            }
        };
        tokens.push(Token { kind, at: start..start + length });
        start += length;
    }
    Ok(tokens)
}

/// The length of the number that a text begins with: digits, a point, and an exponent such as `e-3` if one
/// follows.
fn number_length(text: &str) -> usize {
    let digits =
        |from: usize| text[from..].bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
    let length = digits(0);
    let Some(exponent) = text[length..].strip_prefix(['e', 'E']) else { return length };
    let signed = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let exponent_digits = signed.bytes().take_while(u8::is_ascii_digit).count();
    if exponent_digits == 0 { length } else { text.len() - signed.len() + exponent_digits }
}

/// Reads tokens by recursive descent.
struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    next: usize,
    names: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<&'a Token<'a>> {
        self.tokens.get(self.next)
    }

    /// Takes the next token if it is one of these symbols.
    fn take(&mut self, symbols: &[char]) -> Option<char> {
        match self.peek()?.kind {
            Kind::Symbol(symbol) if symbols.contains(&symbol) => {
                self.next += 1;
                Some(symbol)
            }
            _ => None,
        }
    }

    /// An error at the next token, or at the end.
    fn wrong_here(&self, message: impl Into<String>) -> ReadError {
        let end = self.text.trim_end().len();
        let at = self.peek().map_or(end..end, |token| token.at.clone());
        ReadError { text: self.text.into(), at, message: message.into() }
    }

    fn sum(&mut self) -> Result<Expression, ReadError> {
        let mut sum = self.product()?;
        while let Some(symbol) = self.take(&['+', '-']) {
            sum = binary(if symbol == '+' { Add } else { Subtract }, sum, self.product()?);
        }
        Ok(sum)
    }

    fn product(&mut self) -> Result<Expression, ReadError> {
        let mut product = self.signed()?;
        while let Some(symbol) = self.take(&['*', '/']) {
            product = binary(if symbol == '*' { Multiply } else { Divide }, product, self.signed()?);
        }
        Ok(product)
    }

    fn signed(&mut self) -> Result<Expression, ReadError> {
        match self.take(&['+', '-']) {
            Some('-') => Ok(binary(Subtract, Expression::Number(0.0), self.signed()?)),
            Some(_) => self.signed(),
            None => self.power(),
        }
    }

    fn power(&mut self) -> Result<Expression, ReadError> {
        let base = self.atom()?;
        match self.take(&['^']) {
            Some(_) => Ok(binary(Power, base, self.signed()?)),
            None => Ok(base),
        }
    }

    fn atom(&mut self) -> Result<Expression, ReadError> {
        let Some(token) = self.peek() else {
            return Err(
                self.wrong_here("the expression is not complete: a number, a variable or `(` is missing")
            );
        };
        let expression = match token.kind {
            Kind::Number(number) => Expression::Number(number),
            Kind::Name(name) => match (constant(name), self.names.iter().position(|other| *other == name)) {
                (Some(value), _) => Expression::Number(value),
                (None, Some(index)) => Expression::Variable(index),
                (None, None) => {
                    return Err(self.wrong_here(format!("`{name}` is a function; write {name}(…)")));
                }
            },
            Kind::Function(name) => {
                let Some(function) = function(name) else {
                    let known = FUNCTIONS.map(|function| function.0);
                    let guess = nearest(name, known).map(|known| format!("; did you mean `{known}`?"));
                    let message = match constant(name).is_some() || name.chars().count() == 1 {
                        true => "an operator such as `*` is missing behind this".to_string(),
                        false => format!("there is no function `{name}`{}", guess.unwrap_or_default()),
                    };
                    return Err(self.wrong_here(message));
                };
                self.next += 1;
                return Ok(apply(function, self.parenthesised()?));
            }
            Kind::Symbol('(') => return self.parenthesised(),
            Kind::Symbol(_) => {
                return Err(self.wrong_here("a number, a variable or `(` is missing in front of this"));
            }
        };
        self.next += 1;
        Ok(expression)
    }

    fn parenthesised(&mut self) -> Result<Expression, ReadError> {
        let opening = self.peek().map_or(0..0, |token| token.at.clone());
        self.next += 1;
        let inside = self.sum()?;
        match (self.take(&[')']), self.peek()) {
            (Some(_), _) => Ok(inside),
            (None, Some(_)) => Err(self.wrong_here("an operator such as `*` is missing here")),
            (None, None) => {
                let message = "this `(` is never closed".into();
                Err(ReadError { text: self.text.into(), at: opening, message })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{E, PI};

    use proptest::prelude::*;

    use super::*;

    fn value(text: &str, x: f64) -> f64 {
        Expression::read(text).unwrap().0.at(&[x])
    }

    fn slope(text: &str, x: f64) -> f64 {
        Expression::read(text).unwrap().0.derivative(0).at(&[x])
    }

    #[test]
    fn operators_bind_as_in_mathematics() {
        for (text, expected) in [
            ("-x^2", -9.0),
            ("2^3^2", 512.0),
            ("2^-x", 0.125),
            ("-2^-x", -0.125),
            ("x*-x", -9.0),
            ("--x", 3.0),
            ("8/4/x", 2.0 / 3.0),
            ("10-2-x", 5.0),
            ("2 + x * 2 ^ 2", 14.0),
            ("x**2", 9.0),
            ("2·x − 1", 5.0),
            ("1e-3*x", 0.003),
            ("1.5E+1 + .5 + 2.", 17.5),
            ("pi + e", PI + E),
            ("sin (x)^2", 3f64.sin().powi(2)),
            ("-(x - 1)", -2.0),
        ] {
            assert_eq!(value(text, 3.0), expected, "{text}");
        }
        assert_eq!(value("exp(-x^2)", 1.0), (-1f64).exp());
    }

    #[test]
    fn variables_are_in_alphabetical_order() {
        let (expression, names) = Expression::read("w2 * e^b - pi*w2").unwrap();
        assert_eq!(names, ["b", "w2"]);
        assert_eq!(expression.at(&[0.0, 2.0]), 2.0 - 2.0 * PI);
    }

    /// From tables of derivatives.
    #[test]
    fn derivatives_are_those_of_the_tables() {
        for (text, x, expected) in [
            ("x^2", -3.0, -6.0),
            ("x^3", -2.0, 12.0),
            ("(x-1)^2", 1.0, 0.0),
            ("x^(4/2)", -2.0, -4.0),
            ("x^-2", -2.0, 0.25),
            ("x^2.5", 0.0, 0.0),
            ("x^1", 0.0, 1.0),
            ("x^0", 0.0, 0.0),
            ("abs(x)", -2.0, -1.0),
            ("abs(x)", 0.0, 0.0),
            ("sqrt(x)", 4.0, 0.25),
            ("cbrt(x)", -8.0, 1.0 / 12.0),
            ("ln(x)", 4.0, 0.25),
            ("log2(x)", 4.0, 0.25 / 2f64.ln()),
            ("log10(x)", 4.0, 0.25 / 10f64.ln()),
            ("exp(2*x)", 0.5, 2.0 * E),
            ("2^x", 3.0, 8.0 * 2f64.ln()),
            ("x^x", 2.0, 4.0 * (2f64.ln() + 1.0)),
            ("1/x", -2.0, -0.25),
            ("x/(x^2+1)", 2.0, -0.12),
            ("tan(x)", 0.0, 1.0),
            ("asin(x) + acos(x)", 0.3, 0.0),
            ("atan(x)", 2.0, 0.2),
            ("cosh(x)^2 - sinh(x)^2", 0.7, 0.0),
            ("tanh(x)", 0.0, 1.0),
            ("1/x", 1e200, -0.0),
        ] {
            let found = slope(text, x);
            assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{text}′ at {x} is {found}");
        }
    }

    #[test]
    fn what_is_no_expression_is_pointed_at() {
        for (text, message, at) in [
            ("", "not complete", 0..0),
            ("x +", "not complete", 3..3),
            ("x + ", "not complete", 3..3),
            ("(x + 1", "never closed", 0..1),
            ("sin(x", "never closed", 3..4),
            ("x + 1)", "closes nothing", 5..6),
            ("2x", "operator such as `*` is missing", 1..2),
            ("2 (x)", "operator such as `*` is missing", 2..3),
            ("x(2)", "operator such as `*` is missing behind", 0..1),
            ("(x y)", "operator such as `*` is missing", 3..4),
            ("x * / 2", "missing in front", 4..5),
            ("sin x", "`sin` is a function", 0..3),
            ("sine(x)", "no function `sine`; did you mean `sin`?", 0..4),
            ("x $ 2", "`$` means nothing", 2..3),
            ("x + 1.2.3", "`1.2.3` is not a number", 4..9),
            ("1e999*x", "`1e999` is not a number", 0..5),
            ("()", "missing in front", 1..2),
        ] {
            let error = Expression::read(text).unwrap_err();
            assert!(error.message.contains(message), "{text}: {error}");
            assert_eq!(error.at, at, "{text}: {error}");
        }
        let error = Expression::read("α + β $").unwrap_err().to_string();
        assert!(error.ends_with("\n  α + β $\n        ^"), "{error}");
    }

    #[test]
    fn depth_is_bounded() {
        for text in ["(", "-", "sin(", "x+", "x^", "x*", "x/"] {
            for length in [900, 100_000] {
                let text = text.repeat(length / text.len()) + "x";
                let read = Expression::read(&text);
                if length > LONGEST {
                    assert!(read.unwrap_err().to_string().contains("longer than"));
                } else if let Ok((expression, _)) = read {
                    let _ = expression.derivative(0).at(&[0.5]);
                }
            }
        }
    }

    /// Texts of expressions that are smooth, and moderate between −2 and 2.
    fn smooth() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("x".to_string()),
            Just("y".to_string()),
            (-3.0..3.0f64).prop_map(|number| format!("({number:.3})")),
        ];
        leaf.prop_recursive(4, 24, 2, |inner| {
            let pair = (inner.clone(), inner.clone());
            prop_oneof![
                (pair.clone(), prop::sample::select(vec!["+", "-", "*"]))
                    .prop_map(|((a, b), op)| format!("({a}{op}{b})")),
                pair.clone().prop_map(|(a, b)| format!("{a}/(1 + ({b})^2)")),
                pair.prop_map(|(a, b)| format!("(1 + ({a})^2)^sin({b})")),
                (inner.clone(), 1..4).prop_map(|(a, n)| format!("-({a})^{n}")),
                (inner.clone(), prop::sample::select(vec!["sin", "cos", "tanh", "atan"]))
                    .prop_map(|(a, f)| format!("{f}({a})")),
                (inner.clone(), prop::sample::select(vec!["exp", "sinh", "cosh"]))
                    .prop_map(|(a, f)| format!("{f}(sin({a}))")),
                (inner.clone(), prop::sample::select(vec!["ln", "sqrt", "log2", "log10", "cbrt"]))
                    .prop_map(|(a, f)| format!("{f}(2 + sin({a}))")),
                (inner, prop::sample::select(vec!["tan", "asin", "acos"]))
                    .prop_map(|(a, f)| format!("{f}(sin({a})/2)")),
            ]
        })
    }

    proptest! {
        #[test]
        fn derivatives_agree_with_central_differences(text in smooth(), x in -2.0..2.0f64, y in -2.0..2.0f64) {
            let (expression, names) = Expression::read(&text).unwrap();
            let here: Vec<f64> = names.iter().map(|name| if name == "x" { x } else { y }).collect();
            for variable in 0..names.len() {
                let found = expression.derivative(variable).at(&here);
                prop_assert!(found.is_finite(), "{}", text);
                let difference = |h: f64| {
                    let value = |by: f64| {
                        let mut there = here.clone();
                        there[variable] += by;
                        expression.at(&there)
                    };
                    (value(h) - value(-h)) / (2.0 * h)
                };
                // Two widths tell how far the differences themselves can be trusted; Richardson's rule makes
                // the best of them.
                let (wide, narrow) = (difference(2e-4), difference(1e-4));
                let best = (4.0 * narrow - wide) / 3.0;
                let doubt = (wide - narrow).abs() + 1e-10 * expression.at(&here).abs() / 1e-4;
                prop_assert!(
                    (found - best).abs() <= 1e-7 * best.abs().max(1.0) + doubt,
                    "{}: {} and {} at {}, {}", text, found, best, x, y
                );
            }
        }

        #[test]
        fn any_text_is_read_or_answered(text in ".{0,60}", noise in "[-x1e.()+*/^ sincoy]{0,40}") {
            for text in [text, noise] {
                if let Err(error) = Expression::read(&text) {
                    prop_assert!(!error.to_string().is_empty());
                }
            }
        }
    }
}
