//! Specs: what is read is written so that it is read as the same; what is not says why.

use std::fmt::Display;
use std::str::FromStr;

use downhill::nn::{LayerSpec, Loss};
use downhill::optim::{Init, Rule, Schedule};
use downhill::train::{BranchPoint, Guard, Plateau, RateChange};

pub fn run(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    reads_back::<Rule>(text);
    reads_back::<Schedule>(text);
    reads_back::<Init>(text);
    reads_back::<LayerSpec>(text);
    reads_back::<Loss>(text);
    reads_back::<Plateau>(text);
    reads_back::<Guard>(text);
    reads_back::<RateChange>(text);
    reads_back::<BranchPoint>(text);
}

fn reads_back<T: FromStr<Err: Display> + Display + PartialEq>(text: &str) {
    match text.parse::<T>() {
        Ok(value) => {
            let spelt = value.to_string();
            let again = spelt.parse::<T>().unwrap_or_else(|error| panic!("{spelt}: {error}"));
            assert!(again == value, "{text} is spelt {spelt}");
        }
        Err(error) => assert!(error.to_string().chars().count() < 4000),
    }
}
