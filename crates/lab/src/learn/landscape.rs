//! What the searches look for: the validation loss at every rate and penalty of a fine grid.

use std::sync::{Mutex, PoisonError};

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
    static MAP: Mutex<Option<Value>> = Mutex::new(None);
    // Whoever asks while it is being made waits for it: it is the longest work of all.
    let mut kept = MAP.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(map) = &*kept {
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
    Ok(kept.insert(map).clone())
}
