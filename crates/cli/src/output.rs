//! What people and programs are given: on standard output, and messages on standard error.
//!
//! People read it in their language: every line is looked up as it is written. What is padded, coloured or drawn
//! is translated before, by [`said`].

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use downhill::optim::excerpt::shortened;
use downhill::run::reason;
use downhill::train::Metrics;
pub use downhill::train::fixed;
pub use downhill_report::visible;
use downhill_words::Lang;
pub use downhill_words::{left, right, width as width_of};
use serde_json::Value;

use crate::Failure;

/// Whether people are spoken to in Korean.
static KOREAN: AtomicBool = AtomicBool::new(false);

/// Sets the language that people are spoken to in, from here on.
pub fn speak(lang: Lang) {
    KOREAN.store(lang == Lang::Ko, Ordering::Relaxed);
}

/// The language that people are spoken to in.
pub fn lang() -> Lang {
    if KOREAN.load(Ordering::Relaxed) { Lang::Ko } else { Lang::En }
}

/// What is said in English, in the language that people are spoken to in.
pub fn said(text: &str) -> Cow<'_, str> {
    lang().said(text)
}

/// Writes text for people to standard output, with control characters escaped: names of files and folders,
/// and what files say, may hold some, and a terminal would act on them.
pub fn print(text: &str) -> Result<(), Failure> {
    write(&said(&visible(text)))
}

/// Writes text for people that has colours of ours in it. What is not ours must be [`visible`] before.
pub fn print_coloured(text: &str) -> Result<(), Failure> {
    write(text)
}

/// Writes to standard output; somebody who has stopped reading is no error.
fn write(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::PipeClosed,
        _ => Failure::Message(format!("could not write to standard output: {}", reason(&error))),
    })
}

/// How many characters a line for people has: those of the terminal, or of `COLUMNS`, within what is easily
/// read.
pub fn width() -> usize {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let measured = || terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    told.or_else(measured).unwrap_or(80).clamp(60, 160)
}

/// Whether standard output can be coloured and is wanted to be.
pub fn coloured() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    io::stdout().is_terminal() && !plain && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Writes one JSON value on a line.
pub fn print_json(value: &impl serde::Serialize) -> Result<(), Failure> {
    write(&format!("{}\n", serde_json::to_string(value)?))
}

/// Writes rows as CSV.
pub fn print_csv<R: AsRef<[String]>>(rows: impl IntoIterator<Item = R>) -> Result<(), Failure> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.as_ref())?;
    }
    let bytes = writer.into_inner().map_err(|error| Failure::Message(error.to_string()))?;
    write(&String::from_utf8(bytes)?)
}

/// Writes one flat row of an object, its nested objects' keys beside its own, with a line of names above it.
pub fn print_flat_csv(value: &impl serde::Serialize) -> Result<(), Failure> {
    print_flat_csv_rows(&[value])
}

/// The same for objects with the same keys, a row each.
pub fn print_flat_csv_rows(values: &[impl serde::Serialize]) -> Result<(), Failure> {
    let mut rows = Vec::new();
    for value in values {
        let (mut names, mut cells) = (Vec::new(), Vec::new());
        flatten(serde_json::to_value(value)?, String::new(), &mut names, &mut cells);
        if rows.is_empty() {
            rows.push(names);
        }
        rows.push(cells);
    }
    print_csv(rows)
}

fn flatten(value: Value, name: String, names: &mut Vec<String>, cells: &mut Vec<String>) {
    let cell = match value {
        Value::Object(object) => {
            return object.into_iter().for_each(|(key, value)| flatten(value, key, names, cells));
        }
        Value::String(text) => text,
        Value::Null => String::new(),
        value => value.to_string(),
    };
    names.push(name);
    cells.push(cell);
}

/// The metrics in a line for people.
pub fn metrics_line(metrics: &Metrics) -> String {
    match metrics {
        Metrics::Classification(metrics) => {
            let auc = metrics.roc_auc.map_or(String::new(), |auc| format!(", ROC AUC {auc:.3}"));
            let f1 = match &metrics.positive {
                Some(positive) => format!("F1 of class {} {:.3}", visible(&positive.class), positive.f1),
                None => format!("macro F1 {:.3}", metrics.macro_f1),
            };
            format!(
                "accuracy {:.1}%, balanced {:.1}%, {f1}{auc}",
                100.0 * metrics.accuracy,
                100.0 * metrics.balanced_accuracy,
            )
        }
        Metrics::Regression(metrics) => {
            let r2 = metrics.r2.map_or(String::new(), |r2| format!("R² {r2:.3}, "));
            format!("{r2}RMSE {}, MAE {}", fixed(metrics.rmse), fixed(metrics.mae))
        }
        Metrics::Named(figures) => {
            let figures =
                figures.iter().map(|(name, figure)| format!("{} {}", visible(name), fixed(*figure)));
            figures.collect::<Vec<_>>().join(", ")
        }
    }
}

/// A cell of a table for people: one line, and not too long. More than 65 535 characters could not even be a
/// width.
pub fn cell(text: &str) -> String {
    const MOST: usize = 160;
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let more = if lines.next().is_some() { " …" } else { "" };
    visible(&format!("{}{more}", shortened(first, MOST)))
}

/// A line to a person, on standard error; nobody may be reading there.
pub fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", said(&visible(line)));
}

/// A note to a person, on standard error.
pub fn note(text: &str) {
    tell(&format!("note: {text}"));
}

/// `1 epoch`, `2 epochs`.
pub fn count(number: u64, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A time in seconds, in milliseconds where it is short.
pub fn seconds(seconds: f64) -> String {
    if seconds < 0.1 { format!("{:.0} ms", 1000.0 * seconds) } else { format!("{seconds:.1} s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_one_line_that_is_not_too_long() {
        assert_eq!(cell("one\ntwo"), "one …");
        assert_eq!(cell("a\x1b[2J"), "a\\u{1b}[2J");
        assert_eq!(cell(&"x".repeat(100_000)).chars().count(), 160);
    }
}
