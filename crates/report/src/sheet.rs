//! Several pictures in one file, side by side.

use std::fmt::Write;

use crate::Lang;
use crate::bars::Bars;
use crate::chart::{Chart, WIDTH};
use crate::escape::escape;
use crate::panel::{LINE, Place, clipped};

/// Between two pictures.
const GAP: f64 = 24.0;

/// A picture of a sheet.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Lines.
    Chart(Chart),
    /// Bars.
    Bars(Bars),
}

impl From<Chart> for Figure {
    fn from(chart: Chart) -> Self {
        Self::Chart(chart)
    }
}

impl From<Bars> for Figure {
    fn from(bars: Bars) -> Self {
        Self::Bars(bars)
    }
}

impl Figure {
    /// The picture as an `svg` element, as wide as its surroundings allow.
    pub fn svg(&self) -> String {
        self.drawn(Place::Page).0
    }

    fn drawn(&self, place: Place) -> (String, f64) {
        match self {
            Self::Chart(chart) => chart.drawn(place),
            Self::Bars(bars) => bars.drawn(place),
        }
    }
}

/// Several pictures with a title above each, two in a row, as one SVG file.
///
/// ```
/// use downhill_report::{Axis, Chart, Series, Sheet};
///
/// let chart = || Chart::new("x", Axis::new("x"), Axis::new("y")).line(Series::new("a", [(0.0, 1.0), (1.0, 2.0)]));
/// let svg = Sheet::new("Two").figure("left", chart()).figure("right", chart()).svg_file();
/// assert_eq!(svg.matches("role=\"img\"").count(), 3);
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Sheet {
    title: String,
    lang: Lang,
    figures: Vec<(String, Figure)>,
}

impl Sheet {
    /// An empty one; the title is for those who cannot see it.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lang: Lang::En, figures: Vec::new() }
    }

    /// Says in which language the texts are.
    pub fn lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// Adds a picture.
    pub fn figure(mut self, title: impl Into<String>, figure: impl Into<Figure>) -> Self {
        self.figures.push((title.into(), figure.into()));
        self
    }

    /// The pictures as one file, light or dark as the reader's screen is.
    pub fn svg_file(&self) -> String {
        let mut body = String::new();
        let mut top = 0.0;
        for row in self.figures.chunks(2) {
            let mut highest: f64 = 0.0;
            for (column, (title, figure)) in row.iter().enumerate() {
                let left = column as f64 * (WIDTH + GAP);
                let text = escape(&clipped(title, WIDTH - 4.0));
                let _ = writeln!(
                    body,
                    "<text x=\"{}\" y=\"{}\" font-weight=\"600\">{text}</text>",
                    left + 2.0,
                    top + 14.0
                );
                let (svg, height) = figure.drawn(Place::Inside(left as u32, (top + LINE + 4.0) as u32));
                body += &svg;
                highest = highest.max(height);
            }
            top += (LINE + 4.0 + highest + GAP).ceil();
        }
        let columns = self.figures.len().clamp(1, 2) as f64;
        let size = (columns * WIDTH + (columns - 1.0) * GAP, (top - GAP).max(LINE));
        let titles: Vec<&str> = self.figures.iter().map(|(title, _)| &**title).collect();
        let opening = Place::File.open(self.lang, size, &self.title, &titles.join(", "));
        format!("{opening}{body}</svg>\n")
    }
}
