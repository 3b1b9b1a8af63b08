//! Histograms side by side, as SVG.

use std::fmt::Write;

use crate::Lang;
use crate::axis::Axis;
use crate::chart::WIDTH;
use crate::escape::escape;
use crate::panel::{LINE, Place, STYLES, clipped, width};

const PANEL_HEIGHT: f64 = 64.0;
/// Between two panels, and in front of the first.
const GAP: f64 = 14.0;

/// Rows of histograms, each row in a colour of its kind and with axes of its own.
///
/// Every histogram is as high as its fullest bin: shapes are to be compared, and how wide they are.
///
/// ```
/// use downhill_report::{Histogram, Histograms};
///
/// let histogram = Histogram::new("layer 1", [0.0, 0.5, 1.0], [3, 1]).note("std 0.25");
/// let svg = Histograms::new("Activations").heading("sigmoid").row("activation", 0, [histogram]).svg();
/// assert!(svg.starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Histograms {
    title: String,
    lang: Lang,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Heading(String),
    Row { label: String, kind: usize, panels: Vec<Histogram> },
}

/// How often values are found in bins.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Histogram {
    caption: String,
    note: String,
    edges: Vec<f64>,
    counts: Vec<u64>,
}

impl Histogram {
    /// A histogram with this above it; `edges`, which rise, are one more than `counts`.
    pub fn new(
        caption: impl Into<String>,
        edges: impl IntoIterator<Item = f64>,
        counts: impl IntoIterator<Item = u64>,
    ) -> Self {
        Self {
            caption: caption.into(),
            note: String::new(),
            edges: edges.into_iter().collect(),
            counts: counts.into_iter().collect(),
        }
    }

    /// Writes something below the caption.
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

impl Histograms {
    /// None yet.
    pub fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), lang: Lang::En, parts: Vec::new() }
    }

    /// Says in which language the texts are.
    pub fn lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// Adds a line of text, for the rows that follow.
    pub fn heading(mut self, text: impl Into<String>) -> Self {
        self.parts.push(Part::Heading(text.into()));
        self
    }

    /// Adds a row; `label` says what the values are, and rows of one `kind` have one colour.
    pub fn row(
        mut self,
        label: impl Into<String>,
        kind: usize,
        panels: impl IntoIterator<Item = Histogram>,
    ) -> Self {
        self.parts.push(Part::Row { label: label.into(), kind, panels: panels.into_iter().collect() });
        self
    }

    /// An `svg` element, as wide as its surroundings allow. Text and axes have the colour of the text around
    /// it.
    pub fn svg(&self) -> String {
        self.draw(Place::Page)
    }

    /// The histograms as a file of its own, light or dark as the reader's screen is.
    pub fn svg_file(&self) -> String {
        self.draw(Place::File)
    }

    fn draw(&self, place: Place) -> String {
        let whole = WIDTH;
        let mut body = String::new();
        let mut top = LINE + 8.0;
        for part in &self.parts {
            match part {
                Part::Heading(text) => {
                    top += 10.0;
                    let text = escape(&clipped(text, whole - 4.0));
                    let _ = writeln!(
                        body,
                        "<text x=\"2\" y=\"{:.1}\" font-weight=\"600\">{text}</text>",
                        top + 14.0
                    );
                    top += LINE + 4.0;
                }
                Part::Row { label, kind, panels } => {
                    let colour = STYLES[kind % STYLES.len()].0;
                    let count = panels.len().max(1) as f64;
                    let wide = ((whole - GAP) / count - GAP).min(WIDTH / 2.0);
                    for (index, panel) in panels.iter().enumerate() {
                        body += &panel.draw((GAP + index as f64 * (wide + GAP), top), wide, colour);
                    }
                    top += 2.0 * LINE + PANEL_HEIGHT + LINE;
                    let label = escape(&clipped(label, whole - 2.0 * GAP));
                    let _ = writeln!(
                        body,
                        "<rect x=\"{GAP}\" y=\"{:.1}\" width=\"11\" height=\"11\" fill=\"{colour}\"/>\
                         <text x=\"{:.1}\" y=\"{:.1}\">{label}</text>",
                        top + 4.0,
                        GAP + 17.0,
                        top + 14.0
                    );
                    top += LINE + 12.0;
                }
            }
        }
        let title = escape(&clipped(&self.title, whole - 4.0));
        let opening = place.open(self.lang, (whole, top.round()), &self.title, &self.description());
        format!("{opening}<text x=\"2\" y=\"14\">{title}</text>\n{body}</svg>\n")
    }

    /// The histograms in words.
    fn description(&self) -> String {
        let words = self.parts.iter().map(|part| match part {
            Part::Heading(text) => format!("{text}."),
            Part::Row { label, panels, .. } => {
                let panels = panels.iter().map(|panel| format!("{}: {}", panel.caption, panel.note));
                format!("{label}: {}.", panels.collect::<Vec<_>>().join("; "))
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Histogram {
    fn draw(&self, (left, top): (f64, f64), wide: f64, colour: &str) -> String {
        let mut svg = String::new();
        for (row, text) in [&self.caption, &self.note].into_iter().enumerate() {
            let text = escape(&clipped(text, wide));
            let y = top + LINE * row as f64 + 14.0;
            let _ = writeln!(svg, "<text x=\"{left:.1}\" y=\"{y:.1}\">{text}</text>");
        }
        let bottom = top + 2.0 * LINE + PANEL_HEIGHT;
        let axis = Axis::new("");
        let x = axis.over(self.edges.iter().copied(), 0.0);
        let at = |value: f64| left + x.share(value) * wide;
        let most = self.counts.iter().copied().max().unwrap_or(0).max(1) as f64;
        let mut path = String::new();
        for (&count, edges) in self.counts.iter().zip(self.edges.windows(2)) {
            if count > 0 && edges.iter().all(|&edge| axis.shows(edge)) {
                // What is there is to be seen, however little it is.
                let height = (count as f64 / most * (PANEL_HEIGHT - 2.0)).max(0.8);
                let (from, to) = (at(edges[0]), at(edges[1]));
                let _ = write!(path, "M{from:.2} {bottom:.1}v{:.2}H{to:.2}V{bottom:.1}z", -height);
            }
        }
        let _ = writeln!(
            svg,
            "<path d=\"{path}\" fill=\"{colour}\"/>\
             <path d=\"M{left:.1} {bottom:.1}h{wide:.1}\" stroke=\"currentColor\" stroke-opacity=\".6\"/>"
        );
        // Labels stay within the panel, so that none reaches into the next.
        let place = |value: f64, text: &str| {
            let half = width(text) / 2.0;
            at(value).clamp(left + half.min(wide / 2.0), left + wide - half.min(wide / 2.0))
        };
        let fits = |ticks: &Vec<(f64, String)>| {
            let ends = ticks.iter().map(|(value, text)| (place(*value, text), width(text) / 2.0));
            let ends: Vec<_> = ends.collect();
            ends.iter().all(|(_, half)| 2.0 * half <= wide)
                && ends.windows(2).all(|pair| pair[0].0 + pair[0].1 + 6.0 <= pair[1].0 - pair[1].1)
        };
        let ticks = (1..=5).rev().map(|count| x.ticks(count)).find(fits).unwrap_or_default();
        for (value, text) in ticks {
            let _ = writeln!(
                svg,
                "<path d=\"M{:.1} {bottom:.1}v4\" stroke=\"currentColor\" stroke-opacity=\".6\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                at(value),
                place(value, &text),
                bottom + 18.0
            );
        }
        svg
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::{Document, Node};

    use super::*;
    use crate::panel::FONT;

    const SVG: &str = "http://www.w3.org/2000/svg";

    /// Nothing lies on anything else, and nothing outside.
    fn check(svg: &str) {
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        let page = Document::parse(svg).unwrap();
        let number = |node: &Node<'_, '_>, name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
        let size = page.root_element().attribute("viewBox").unwrap().split(' ').map(|x| x.parse().unwrap());
        let size: Vec<f64> = size.collect();
        let texts = page.descendants().filter(|node| node.has_tag_name((SVG, "text"))).map(|node| {
            let text = node.text().unwrap_or_default().to_string();
            let half = width(&text) / 2.0;
            let middle =
                number(&node, "x") + if node.attribute("text-anchor").is_some() { 0.0 } else { half };
            (text, middle - half, middle + half, number(&node, "y"))
        });
        let texts: Vec<_> = texts.collect();
        for (index, (text, left, right, y)) in texts.iter().enumerate() {
            assert!(
                *left >= -0.1 && *right <= size[2] + 0.1 && *y > 0.0 && *y < size[3],
                "{text} is outside"
            );
            for (other, other_left, other_right, other_y) in &texts[..index] {
                let apart = (y - other_y).abs() >= 0.9 * FONT || right <= other_left || left >= other_right;
                assert!(apart, "{text} and {other} lie on each other");
            }
        }
    }

    #[test]
    fn bars_are_as_high_as_their_counts() {
        let panel = Histogram::new("layer 1", [0.0, 1.0, 2.0, 3.0], [62, 31, 0]).note("std 1");
        let svg = Histograms::new("Any").heading("He").row("activation", 0, [panel]).svg();
        check(&svg);
        assert!(svg.contains("v-62.00H") && svg.contains("v-31.00H"), "{svg}");
        assert_eq!(svg.matches("v-").count(), 2);
        assert!(svg.contains("activation: layer 1: std 1."));
    }

    proptest! {
        #[test]
        fn any_histograms_make_a_picture(
            low in -1e12..1e12f64,
            size in 1e-9..1e12f64,
            counts in prop::collection::vec(0..1000u64, 1..50),
            columns in 1..7usize,
            words in any::<String>(),
        ) {
            let bins = counts.len();
            let edges: Vec<f64> = (0..=bins).map(|bin| low + size * bin as f64 / bins as f64).collect();
            let panel = Histogram::new(words.clone(), edges, counts).note(words.clone());
            let all = Histograms::new(words.clone()).heading(words.clone()).row(words, 1, vec![panel; columns]);
            check(&all.svg());
        }
    }
}
