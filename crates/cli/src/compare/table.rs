//! What compared runs came to, as a table.

use downhill::train::Metrics;

use super::{Entrant, is_judged, metric, summary, verdict};
use crate::braille::number;
use crate::output;

/// The runs in order, the best first: a column for each setting that is not the same in all of them, what is
/// kept of each, and behind it what its rate is judged by.
pub fn table(entrants: &[Entrant], order: &[usize], by: &str) -> String {
    let flags: Vec<&str> = entrants
        .first()
        .map_or(Vec::new(), |(settings, _)| settings.iter().map(|(flag, _)| flag.as_str()).collect());
    let figures = ["validation", metric(entrants).1, "epoch", "training"];
    let head = std::iter::once(output::said("rank").into_owned())
        .chain(flags.iter().map(|flag| format!("--{flag}")));
    let figures = figures.map(|name| output::said(name).into_owned());
    let head: Vec<String> = head.chain(figures).chain([String::new()]).collect();
    let row = |(rank, &place): (usize, &usize)| {
        let (settings, compared) = &entrants[place];
        let summary = summary(compared);
        let none = || "–".to_string();
        let valid = summary.map_or_else(none, |summary| number(summary.valid_loss));
        let score = summary.map_or_else(none, |summary| match &summary.metrics {
            Metrics::Classification(metrics) => format!("{:.1}%", 100.0 * metrics.accuracy),
            Metrics::Regression(metrics) => metrics.r2.map_or_else(none, |r2| format!("{r2:.3}")),
            Metrics::Named(_) => none(),
        });
        let epoch =
            summary.and_then(|summary| summary.best_epoch).map_or_else(none, |epoch| epoch.to_string());
        let train = compared.course.attempt(compared.peak_rate).end().map_or_else(none, number);
        let values = settings.iter().map(|(_, value)| output::cell(value));
        let values = std::iter::once((rank + 1).to_string()).chain(values);
        values
            .chain([valid, score, epoch, train, output::said(&verdict(compared)).into_owned()])
            .collect::<Vec<_>>()
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(order.iter().enumerate().map(row)).collect();
    let wide = |column: usize| rows.iter().map(|row| output::width_of(&row[column])).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(wide).collect();
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| {
            let width = widths[column];
            let is_setting = (1..=flags.len()).contains(&column) || column + 1 == row.len();
            if is_setting { output::left(cell, width) } else { output::right(cell, width) }
        };
        let cells: Vec<String> = row.iter().enumerate().map(cell).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    let mut text: String = rows.iter().map(line).collect();
    text += &format!("ranked by the {by} of the weights that are kept, those of the epoch shown\n");
    if is_judged(entrants) {
        text += "rates are judged by the training loss at the end: good is within 5% of the best one's gain, and at most \
                 1.5 times its loss, or 1% of the first guess's above it\n";
    }
    text
}
