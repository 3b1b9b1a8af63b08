//! `downhill explain`

use clap::Args;
use downhill::run::{Dependence, DependencePoint, Explanation};
use downhill::train::{ExplainOptions, Metrics, RunFolder, fixed};
use downhill_report::{Lang, Sheet, explained};

use crate::args::{Format, UseArgs};
use crate::plot::PlotFile;
use crate::{Failure, evaluate, output};

/// Columns that are shown by name; JSON has all.
const MOST_COLUMNS: usize = 20;
/// Classes whose probabilities are shown beside each other.
const MOST_CLASSES: usize = 6;
/// Values of a column of numbers that are shown in the terminal.
const MOST_VALUES: usize = 9;
/// The characters of a bar.
const BAR: usize = 24;

#[derive(Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub using: UseArgs,

    /// How often each column is permuted.
    #[arg(long, value_name = "TIMES", default_value_t = ExplainOptions::default().repeats)]
    pub repeats: usize,

    /// Of how many columns, the most important ones, the dependence is shown.
    #[arg(long, value_name = "COLUMNS", default_value_t = ExplainOptions::default().columns)]
    pub columns: usize,

    /// How many of the worst rows are shown.
    #[arg(long, value_name = "ROWS", default_value_t = ExplainOptions::default().worst)]
    pub worst: usize,

    /// The random seed of the permutations.
    #[arg(long, default_value_t = ExplainOptions::default().seed)]
    pub seed: u64,

    /// Draw importance and dependence into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

pub fn explain(options: &ExplainArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let using = &options.using;
    let predictor = evaluate::load(&using.run, &using.runs.runs)?;
    let table = using.table(&predictor)?;
    evaluate::tell(&predictor, &table, quiet)?;
    let &ExplainArgs { repeats, columns, worst, seed, .. } = options;
    let explanation = predictor.explain(&table, ExplainOptions { repeats, columns, worst, seed })?;
    // For the report of the run; a model file has none.
    if let Ok(folder) = RunFolder::open(&evaluate::run_folder(&using.run, &using.runs.runs)) {
        let run = folder.path().display();
        match explanation.save(&folder) {
            Ok(()) if !quiet => {
                output::note(&format!("kept for the report: `downhill report {run}` draws it"))
            }
            Ok(()) => {}
            Err(error) => output::note(&format!("not kept for the report: {error}")),
        }
    }
    if let Some(file) = &options.plot {
        file.write(&sheet(&explanation, lang).svg_file(), quiet)?;
    }
    match format {
        Format::Json => output::print_json(&explanation),
        Format::Csv => output::print_flat_csv_rows(&explanation.importance),
        Format::Text => output::print(&text(&explanation)),
    }
}

fn text(explanation: &Explanation) -> String {
    let mut parts = vec![importance(explanation)];
    let is_classes = matches!(explanation.metrics, Metrics::Classification(_));
    let found = explanation.dependence.iter().filter(|found| !found.points.is_empty());
    parts.extend(found.map(|found| dependence(found, is_classes)));
    if !explanation.worst.is_empty() {
        parts.push(worst(explanation));
    }
    parts.join("\n")
}

/// A bar of a share of the whole length.
fn bar(share: f64) -> String {
    "█".repeat((share.clamp(0.0, 1.0) * BAR as f64).round() as usize)
}

/// Lines of cells below each other, the first column to the left, the others to the right.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let wide = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| output::width_of(cell)).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    let mut lines = String::new();
    for row in rows {
        let mut line = String::from(" ");
        for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
            line += &match column {
                0 => format!(" {}", output::left(cell, *width)),
                _ => format!("  {}", output::right(cell, *width)),
            };
        }
        lines += line.trim_end();
        lines.push('\n');
    }
    lines
}

/// A text that is no wider than a column of a table may be.
fn short(text: &str) -> String {
    const MOST: usize = 28;
    let text = output::cell(text);
    if text.chars().count() <= MOST {
        return text;
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

fn importance(explanation: &Explanation) -> String {
    let all = &explanation.importance;
    let most = all.iter().map(|one| one.increase).fold(0.0, f64::max);
    let loss = fixed(explanation.loss);
    let mut lines = format!("importance: by how much the loss, {loss}, grows if the column is permuted\n");
    let width =
        all.iter().take(MOST_COLUMNS).map(|one| output::width_of(&short(&one.column))).max().unwrap_or(0);
    for one in all.iter().take(MOST_COLUMNS) {
        let figure = format!("{} ± {}", fixed(one.increase), fixed(one.standard_error));
        let line = format!(
            "  {}  {figure:<20} {}",
            output::left(&short(&one.column), width),
            bar(one.increase / most)
        );
        lines += line.trim_end();
        lines.push('\n');
    }
    if all.len() > MOST_COLUMNS {
        lines += &format!("  … and {} more; --format json has all\n", all.len() - MOST_COLUMNS);
    }
    lines
}

/// The value of a column.
fn value(point: &DependencePoint) -> String {
    match (&point.text, point.number) {
        // As it is written, unless that has more digits than are of use.
        (Some(text), Some(number)) if text.len() > 9 => fixed(number),
        (Some(text), _) => short(text),
        (None, Some(number)) => fixed(number),
        (None, None) => output::said("(missing)").into_owned(),
    }
}

fn dependence(found: &Dependence, is_classes: bool) -> String {
    let classes = found.of.len() > 1;
    let of = match (is_classes, classes) {
        (true, true) => "the probabilities depend".to_owned(),
        (true, false) => format!("the mean probability of {} depends", output::cell(&found.of[0])),
        (false, _) => format!("the mean prediction of {} depends", output::cell(&found.of[0])),
    };
    let mut lines = format!("how {of} on {}\n", output::cell(&found.column));
    // Of many numbers some, the first and the last among them.
    let numbers = found.points.iter().all(|point| point.number.is_some());
    let count = if numbers { found.points.len().min(MOST_VALUES) } else { found.points.len() };
    let at = |i: usize| &found.points[i * (found.points.len() - 1) / (count - 1).max(1)];
    let points: Vec<&DependencePoint> = (0..count).map(at).collect();
    let mut rows = Vec::new();
    if classes {
        let shown = found.of.iter().take(MOST_CLASSES).map(|class| short(class));
        rows.push(std::iter::once(String::new()).chain(shown).collect());
    }
    let means = || points.iter().map(|point| point.means[0]);
    let (low, high) = match is_classes {
        true => (0.0, 1.0),
        false => (means().fold(f64::INFINITY, f64::min), means().fold(f64::NEG_INFINITY, f64::max)),
    };
    for point in points {
        let mut row = vec![value(point)];
        row.extend(point.means.iter().take(MOST_CLASSES).map(|&mean| fixed(mean)));
        if !classes {
            row.push(format!("{:<BAR$}", bar((point.means[0] - low) / (high - low).max(f64::MIN_POSITIVE))));
        }
        rows.push(row);
    }
    lines += &aligned(&rows);
    lines
}

fn worst(explanation: &Explanation) -> String {
    let with_probability = explanation.worst.iter().any(|row| row.probability.is_some());
    let mut heads = vec!["", "is", "predicted", "loss"];
    if with_probability {
        heads.push("p(is)");
    }
    let mut rows: Vec<Vec<String>> =
        vec![heads.into_iter().map(|name| output::said(name).into_owned()).collect()];
    for row in &explanation.worst {
        // Numbers have the digits that fit; classes are texts.
        let number = |text: &str| match (row.probability, text.parse::<f64>()) {
            (None, Ok(number)) => fixed(number),
            _ => short(text),
        };
        let mut cells = vec![
            output::said(&row.place).into_owned(),
            number(&row.truth),
            number(&row.prediction),
            fixed(row.loss),
        ];
        cells.extend(row.probability.map(fixed));
        rows.push(cells);
    }
    format!("the worst rows\n{}", aligned(&rows))
}

/// Importance as bars, and the dependence on each column.
fn sheet(explanation: &Explanation, lang: Lang) -> Sheet {
    let title = lang.said("What predictions go by");
    let figures = explained(explanation, lang).into_iter();
    figures.fold(Sheet::new(title).lang(lang), |sheet, (title, figure)| sheet.figure(title, figure))
}
