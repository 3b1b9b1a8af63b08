//! What compared runs came to, as a table.

use super::{Entrant, ended, verdict};
use crate::braille::number;
use crate::output;

/// A column for each setting that is not the same in all runs, and what each run came to.
pub fn table(entrants: &[Entrant]) -> String {
    let flags: Vec<&str> = entrants
        .first()
        .map_or(Vec::new(), |(settings, _)| settings.iter().map(|(flag, _)| flag.as_str()).collect());
    let head = flags.iter().map(|flag| format!("--{flag}"));
    let head: Vec<String> = head.chain(["training", "validation", "best", ""].map(String::from)).collect();
    let row = |(settings, compared): &Entrant| {
        let [train, valid] = match ended(compared) {
            Some((train, valid)) => [number(train), number(valid)],
            None => ["–", "–"].map(String::from),
        };
        let best = compared.trained.as_ref().and_then(|trained| trained.summary().best_epoch);
        let best = best.map_or("–".into(), |best| best.to_string());
        let values = settings.iter().map(|(_, value)| output::visible(value));
        values.chain([train, valid, best, verdict(compared)]).collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(entrants.iter().map(row)).collect();
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(wide).collect();
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            let is_figure = (flags.len()..flags.len() + 3).contains(&column);
            if is_figure { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}
