//! The live figures for people who learn: what each of them shows, made by the engine that trains.
//!
//! A figure is a function of its arguments and of nothing else, and its work is bounded: paths on a quadratic take
//! microseconds, trainings on the bundled tables at most about a second. Numbers that are no finite numbers are
//! `null` in an answer, and an answer says where something diverged.

mod arguments;
mod ball;
mod batches;
mod curves;
mod descent;
mod error;
mod finder;
mod landscape;
mod noise;
mod overfitting;
mod patients;
mod schedules;
mod search;
mod training;
mod wall;
mod weights;

use std::collections::BTreeMap;

use downhill_core::nearest;
use serde_json::Value;

pub use error::Error;

use arguments::Arguments;

/// What makes a figure's answer.
type Figure = fn(&Arguments<'_>) -> Result<Value, Error>;

/// Every figure: its name, the names of its arguments, and what answers.
const FIGURES: [(&str, &[&str], Figure); 13] = [
    ("ball", ball::ARGUMENTS, ball::answer),
    ("batches", batches::ARGUMENTS, batches::answer),
    ("curves", curves::ARGUMENTS, curves::answer),
    ("finder", finder::ARGUMENTS, finder::answer),
    ("landscape", landscape::ARGUMENTS, landscape::answer),
    ("noise", noise::ARGUMENTS, noise::answer),
    ("overfitting", overfitting::ARGUMENTS, overfitting::answer),
    ("patients", patients::ARGUMENTS, patients::answer),
    ("schedules", schedules::ARGUMENTS, schedules::answer),
    ("scheduled", schedules::TRAINED_ARGUMENTS, schedules::trained),
    ("search", search::ARGUMENTS, search::answer),
    ("wall", wall::ARGUMENTS, wall::answer),
    ("weights", weights::ARGUMENTS, weights::answer),
];

/// What a figure shows for these arguments; each that is left out has a default.
///
/// # Errors
///
/// If there is no such figure, or an argument is not known, not a number, or out of its range.
pub fn answer(figure: &str, arguments: &BTreeMap<String, String>) -> Result<Value, Error> {
    let Some((name, known, make)) = FIGURES.iter().find(|known| known.0 == figure) else {
        return Err(Error::UnknownFigure {
            name: arguments::excerpt(figure),
            nearest: nearest(figure, FIGURES.map(|known| known.0)),
        });
    };
    make(&Arguments::new(name, known, arguments)?)
}

#[cfg(test)]
mod tests;
