#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod axis;
mod bars;
mod chart;
mod curves;
mod escape;
mod explanation;
mod field;
mod histograms;
mod history;
mod landscape;
mod layers;
mod limits;
mod losses;
mod number;
mod page;
mod panel;
mod range_test;
mod segment;
mod several;
mod sharpness;
mod sheet;
pub mod study;
mod tensorboard;
mod validation;

use std::path::PathBuf;

use downhill_run::{Error, Explanation, RunFolder, Settings};

pub use downhill_words::Lang;

pub use axis::Axis;
pub use bars::{Bar, Bars};
pub use chart::{Chart, Mark, Series};
pub use curves::{Curve, Curves};
pub use escape::visible;
pub use explanation::explained;
pub use field::Field;
pub use histograms::{Histogram, Histograms};
pub use landscape::{Ground, Landscape, Trajectory};
pub use losses::losses;
pub use range_test::RangeTest;
pub use segment::segment_within;
pub use sheet::{Figure, Sheet};
pub use tensorboard::TensorBoard;

use history::History;

/// The report of a run, drawn from its `run.toml` and `events.jsonl`: a page of HTML that fetches nothing and
/// runs nothing. The run may be over, under way, interrupted or killed.
///
/// # Errors
///
/// If the configuration or the log cannot be read, or the configuration does not say what it should. Lines of
/// the log that are no events are left out, and the page says so.
pub fn html(folder: &RunFolder) -> Result<String, Error> {
    html_of(std::slice::from_ref(folder))
}

/// The report of one run or of several, in a language.
///
/// # Errors
///
/// As [`html`].
pub fn html_in(folders: &[RunFolder], lang: Lang) -> Result<String, Error> {
    let runs = folders.iter().map(Run::read).collect::<Result<Vec<_>, _>>()?;
    Ok(page::html(&runs, lang))
}

/// The report of several runs, at least one, on one page: their curves on top of each other, and then each by
/// itself.
///
/// # Errors
///
/// As [`html`].
pub fn html_of(folders: &[RunFolder]) -> Result<String, Error> {
    html_in(folders, Lang::En)
}

/// What a report says of a run.
struct Run {
    folder: RunFolder,
    settings: Settings,
    history: History,
    /// What its network goes by, if that was found out.
    explanation: Option<Explanation>,
}

impl Run {
    fn read(folder: &RunFolder) -> Result<Self, Error> {
        let settings = Settings::of(folder)?;
        let history = History::read(&folder.log_path(), &settings)?;
        Ok(Self { folder: folder.clone(), settings, history, explanation: Explanation::of(folder) })
    }
}

/// Draws the report of a run into its folder, as `report.html`, and returns where that is.
///
/// # Errors
///
/// As [`html`], and if the file cannot be written.
pub fn write(folder: &RunFolder) -> Result<PathBuf, Error> {
    write_in(folder, Lang::En)
}

/// Draws the report of a run into its folder, in a language.
///
/// # Errors
///
/// As [`write()`].
pub fn write_in(folder: &RunFolder, lang: Lang) -> Result<PathBuf, Error> {
    folder.write_report(&html_in(std::slice::from_ref(folder), lang)?)
}
