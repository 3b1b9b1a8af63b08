//! What the searches look for: the validation loss at every rate and penalty of a fine grid.

use std::sync::OnceLock;

use rayon::prelude::*;
use serde_json::{Value, json};

use super::Error;
use super::arguments::Arguments;
use super::search::{PENALTIES, RATES, ends, loss};

pub(super) const ARGUMENTS: &[&str] = &[];

const COLUMNS: usize = 25;
const ROWS: usize = 13;

fn place((low, high): (f64, f64), index: usize, count: usize) -> f64 {
    10f64.powf(low + (high - low) * index as f64 / (count - 1) as f64)
}

/// The map, made once: a row for each penalty, from the lowest on, and in it a loss for each rate.
pub(super) fn answer(_: &Arguments<'_>) -> Result<Value, Error> {
    static MAP: OnceLock<Value> = OnceLock::new();
    if let Some(map) = MAP.get() {
        return Ok(map.clone());
    }
    let at =
        |index: usize| loss(place(RATES, index % COLUMNS, COLUMNS), place(PENALTIES, index / COLUMNS, ROWS));
    let losses: Vec<f64> = (0..COLUMNS * ROWS).into_par_iter().map(at).collect::<Result<_, _>>()?;
    let map = json!({
        "rates": ends(RATES),
        "penalties": ends(PENALTIES),
        "rows": losses.chunks(COLUMNS).collect::<Vec<_>>(),
    });
    Ok(MAP.get_or_init(|| map).clone())
}
