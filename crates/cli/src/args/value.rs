//! Other values of flags: texts that are read into what they mean.

use std::str::FromStr;

use clap::builder::{OsStringValueParser, TypedValueParser};
use downhill::data::{DateOrder, Decimal, ReadOptions};
use downhill::optim::{Schedule, SpecError, nearest, spec};
use downhill::train::{EarlyStopping, Patience, State, Validation, path_text};

/// A value, and how it was spelt.
#[derive(Clone)]
pub struct Spelt<T> {
    pub text: String,
    pub value: T,
}

impl<T: FromStr> FromStr for Spelt<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_string(), value: text.parse()? })
    }
}

/// A schedule; none is one whose peak is to be found.
#[derive(Clone)]
pub struct Rate(pub Option<Schedule>);

impl FromStr for Rate {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        spec::parse_or_auto(text).map(Self)
    }
}

#[derive(Clone)]
pub struct Numbers(pub Vec<f64>);

pub fn numbers(text: &str) -> Result<Numbers, String> {
    let one = |part: &str| {
        let number = part.trim().replace('−', "-").parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| format!("`{part}` is not a number; give numbers such as -7,2"))
    };
    text.split(',').map(one).collect::<Result<_, _>>().map(Numbers)
}

pub fn delimiter(text: &str) -> Result<u8, String> {
    ReadOptions::parse_delimiter(text).map_err(|error| error.to_string())
}

pub fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("give `.` or `,`".into()),
    }
}

pub fn date_order(text: &str) -> Result<DateOrder, String> {
    match text {
        "day-first" => Ok(DateOrder::DayFirst),
        "month-first" => Ok(DateOrder::MonthFirst),
        _ => Err("give day-first or month-first".into()),
    }
}

pub fn state(text: &str) -> Result<State, String> {
    let found = State::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or_else(|| {
        let all = State::ALL.map(State::name);
        match nearest(text, all) {
            Some(meant) => format!("`{text}` is not a state; did you mean `{meant}`?"),
            None => format!("`{text}` is not a state; give one of {}", all.join(", ")),
        }
    })
}

/// A name or a path that need not be UTF-8, as text that says which one it is.
pub fn path_as_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|path| path_text::to_text(path.as_ref()))
}

/// A share, in percent or not, or else a file.
pub fn held(text: &str) -> Result<Validation, String> {
    let (digits, unit) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
    match digits.parse::<f64>() {
        Ok(share) if share > 0.0 && share < unit => Ok(Validation::Share(share / unit)),
        Ok(_) => Err("give a share of the rows above 0 and below 1, such as 0.2, or a file".into()),
        Err(_) if text.is_empty() => Err("give a share of the rows such as 0.2, or a file".into()),
        Err(_) => Ok(Validation::File(path_text::from_text(text))),
    }
}

pub fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("give yes or no".into()),
    }
}

pub fn early_stopping(text: &str) -> Result<EarlyStopping, String> {
    match text.parse::<u64>() {
        Ok(0) => Err("must be at least 1 epoch; `off` trains to the end".into()),
        Ok(patience) => Ok(EarlyStopping::After(Patience { patience, ..Patience::default() })),
        Err(_) if text.parse::<f64>().is_ok() => {
            Err("must be a whole number of epochs, at least 1; `off` trains to the end".into())
        }
        Err(_) => text.parse().map_err(|error: SpecError| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_is_a_share_or_a_file() {
        let file = |name: &str| Ok(Validation::File(name.into()));
        assert_eq!(held("0.25"), Ok(Validation::Share(0.25)));
        assert_eq!(held("25%"), Ok(Validation::Share(0.25)));
        assert_eq!(held("test.csv"), file("test.csv"));
        assert_eq!(held("x%"), file("x%"));
        assert!(["0", "1", "100%", "-0.1", "nan", ""].into_iter().all(|text| held(text).is_err()));
    }

    #[test]
    fn words_are_what_they_say() {
        assert_eq!(["yes", "true"].map(yes_or_no), [Ok(true), Ok(true)]);
        assert_eq!(["no", "false"].map(yes_or_no), [Ok(false), Ok(false)]);
        assert!(yes_or_no("maybe").is_err());
        assert_eq!([".", "comma"].map(decimal), [Ok(Decimal::Point), Ok(Decimal::Comma)]);
        assert!(decimal(";").is_err());
        assert_eq!(date_order("day-first"), Ok(DateOrder::DayFirst));
        assert!(date_order("year-first").is_err());
        assert_eq!((delimiter("tab"), delimiter(";")), (Ok(b'\t'), Ok(b';')));
        assert!(delimiter("ab").is_err());
        assert_eq!(state("finished"), Ok(State::Finished));
        assert_eq!(state("finishd").unwrap_err(), "`finishd` is not a state; did you mean `finished`?");
    }

    #[test]
    fn patience_is_a_number_or_a_spec() {
        let after = |patience| EarlyStopping::After(Patience { patience, ..Patience::default() });
        assert_eq!(early_stopping("10"), Ok(after(10)));
        assert_eq!(early_stopping("after(10)"), Ok(after(10)));
        assert!(early_stopping("0").is_err_and(|error| error.contains("at least 1 epoch")));
        assert!(early_stopping("1.5").is_err_and(|error| error.contains("whole number")));
    }

    #[test]
    fn numbers_stand_between_commas() {
        assert_eq!(numbers("-7, −2").map(|numbers| numbers.0), Ok(vec![-7.0, -2.0]));
        assert!(["", "1,", "1,x", "inf"].into_iter().all(|text| numbers(text).is_err()));
    }

    #[test]
    fn a_rate_that_is_to_be_found_is_none() {
        assert!("auto".parse::<Rate>().is_ok_and(|rate| rate.0.is_none()));
        assert!("0.1".parse::<Rate>().is_ok_and(|rate| rate.0.is_some()));
        assert_eq!("0.10".parse::<Spelt<Schedule>>().unwrap().text, "0.10");
    }
}
