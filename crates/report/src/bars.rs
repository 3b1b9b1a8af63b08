//! Named numbers as horizontal bars, as SVG.

use std::fmt::Write;

use crate::Lang;
use crate::axis::Axis;
use crate::chart::WIDTH;
use crate::escape::escape;
use crate::number::significant;
use crate::panel::{LINE, Place, STYLES, clipped, width};

/// The names take no more of the width than this.
const NAMES: f64 = 0.4;

/// Bars one below the other, each with a name and perhaps a whisker for its error.
///
/// ```
/// use downhill_report::{Bar, Bars};
///
/// let svg = Bars::new("Importance", "increase of the loss").bar(Bar::new("age", 0.3).error(0.02)).svg();
/// assert!(svg.starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Bars {
    title: String,
    label: String,
    lang: Lang,
    bars: Vec<Bar>,
}

/// A named number.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Bar {
    name: String,
    value: f64,
    error: f64,
}

impl Bar {
    /// A number without an error.
    pub fn new(name: impl Into<String>, value: f64) -> Self {
        Self { name: name.into(), value, error: 0.0 }
    }

    /// Draws a whisker, so far to either side.
    pub fn error(mut self, error: f64) -> Self {
        self.error = error;
        self
    }

    fn ends(&self) -> [f64; 2] {
        [self.value - self.error, self.value + self.error]
    }

    fn is_shown(&self) -> bool {
        self.ends().iter().all(|end| end.is_finite())
    }
}

impl Bars {
    /// None yet; `label` says what the numbers are.
    pub fn new(title: impl Into<String>, label: impl Into<String>) -> Self {
        Self { title: title.into(), label: label.into(), lang: Lang::En, bars: Vec::new() }
    }

    /// Says in which language the texts are.
    pub fn lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// Adds a bar below the others. Numbers that are not finite are left out.
    pub fn bar(mut self, bar: Bar) -> Self {
        self.bars.push(bar);
        self
    }

    /// An `svg` element, as wide as its surroundings allow, in the colour of the text around it.
    pub fn svg(&self) -> String {
        self.drawn(Place::Page).0
    }

    /// The bars as a file of its own, light or dark as the reader's screen is.
    pub fn svg_file(&self) -> String {
        self.drawn(Place::File).0
    }

    /// The bars, and their height.
    pub(crate) fn drawn(&self, place: Place) -> (String, f64) {
        let bars: Vec<&Bar> = self.bars.iter().filter(|bar| bar.is_shown()).collect();
        let names = bars.iter().map(|bar| width(&bar.name)).fold(0.0, f64::max).min(NAMES * WIDTH);
        let (left, right) = (names + 10.0, WIDTH - 8.0);
        let range = Axis::new("").over(bars.iter().flat_map(|bar| bar.ends()).chain([0.0]), 0.03);
        let at = |value: f64| left + range.share(value) * (right - left);
        let mut body = String::new();
        let label = escape(&clipped(&self.label, WIDTH - 4.0));
        let _ = writeln!(body, "<text x=\"2\" y=\"14\">{label}</text>");
        let top = LINE + 6.0;
        for (row, bar) in bars.iter().enumerate() {
            let y = top + LINE * row as f64;
            let name = escape(&clipped(&bar.name, names));
            let (from, to) = (at(bar.value.min(0.0)), at(bar.value.max(0.0)));
            let _ = writeln!(
                body,
                "<text x=\"{names:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\
                 <rect x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"13\" fill=\"{}\"/>",
                y + 14.0,
                y + 3.0,
                (to - from).max(0.8),
                STYLES[0].0
            );
            if bar.error > 0.0 {
                let [low, high] = bar.ends().map(at);
                let _ = writeln!(
                    body,
                    "<path d=\"M{low:.1} {0:.1}v7M{high:.1} {0:.1}v7M{low:.1} {1:.1}H{high:.1}\" \
                     stroke=\"currentColor\" fill=\"none\"/>",
                    y + 6.0,
                    y + 9.5
                );
            }
        }
        let bottom = top + LINE * bars.len() as f64 + 4.0;
        let zero = at(0.0);
        let _ = writeln!(
            body,
            "<path d=\"M{zero:.1} {top:.1}V{bottom:.1}M{left:.1} {bottom:.1}H{right:.1}\" stroke=\"currentColor\" \
             stroke-opacity=\".6\"/>"
        );
        for (value, text) in range.ticks(5) {
            let half = width(&text) / 2.0;
            let x = at(value).clamp(left + half, right - half);
            let _ = writeln!(
                body,
                "<text x=\"{x:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{text}</text>",
                bottom + LINE
            );
        }
        let height = bottom + LINE + 8.0;
        let words: Vec<String> = bars.iter().map(|bar| bar.words()).collect();
        let opening = place.open(self.lang, (WIDTH, height), &self.title, &words.join(" "));
        (format!("{opening}{body}</svg>\n"), height)
    }
}

impl Bar {
    fn words(&self) -> String {
        let Self { name, value, error } = self;
        if *error > 0.0 {
            format!("{name}: {} ± {}.", significant(*value), significant(*error))
        } else {
            format!("{name}: {}.", significant(*value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roxmltree::Document;

    #[test]
    fn bars_have_their_names_and_reach_from_zero() {
        let bars = Bars::new("Importance", "loss")
            .bar(Bar::new("a & b", 2.0).error(0.5))
            .bar(Bar::new("x".repeat(200), -1.0))
            .bar(Bar::new("none", f64::NAN));
        for svg in [bars.svg(), bars.svg_file()] {
            let document = Document::parse(&svg).unwrap();
            let rects: Vec<_> = document.descendants().filter(|node| node.has_tag_name("rect")).collect();
            let of = |node: &roxmltree::Node<'_, '_>, name: &str| {
                node.attribute(name).unwrap_or("0").parse::<f64>().unwrap()
            };
            let bars: Vec<_> = rects.iter().filter(|rect| rect.attribute("height") == Some("13")).collect();
            assert_eq!(bars.len(), 2);
            let (first, second) = (bars[0], bars[1]);
            // The second ends where the first begins, at 0, and is half as long.
            assert!((of(second, "x") + of(second, "width") - of(first, "x")).abs() < 0.2, "{svg}");
            assert!((of(first, "width") - 2.0 * of(second, "width")).abs() < 0.3, "{svg}");
            assert!(svg.contains("a &amp; b") && svg.contains("…") && !svg.contains("none:"));
        }
    }

    #[test]
    fn nothing_is_drawn_as_nothing() {
        assert!(Document::parse(&Bars::new("", "").svg()).is_ok());
    }
}
