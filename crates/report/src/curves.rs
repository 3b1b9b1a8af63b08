//! Runs side by side: a curve each, with what is to be said of it.

use std::fmt::Write;

use crate::Lang;
use crate::axis::Axis;
use crate::chart::style;
use crate::escape::escape;
use crate::number::{counted, significant};
use crate::panel::{Entry, FILE_WIDTH, FONT, Panel, Place, Plot, against, width};
use crate::segment::segment_within;

const PLOT_HEIGHT: f64 = 280.0;
/// Half the size of the cross at the end of a curve that is cut.
const CROSS: f64 = 5.0;

/// Curves of several runs against the same axes, each with a word on it where it ends.
///
/// ```
/// use downhill_report::{Axis, Curve, Curves, Lang};
///
/// let good = Curve::new("--lr 0.1", "good", [(0.0, 1.0), (1.0, 0.3), (2.0, 0.1)]);
/// let high = Curve::new("--lr 10", "very high", [(0.0, 1.0), (0.2, 1e9)]).cut();
/// let loss = Axis::new("training loss").within(0.0, 2.0);
/// let (title, x) = ("Loss by rate".into(), Axis::new("epoch"));
/// let chart = Curves { title, x, y: loss, curves: vec![good, high], lang: Lang::En };
/// assert!(chart.svg_file().starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Curves {
    /// What it shows, for those who cannot see it.
    pub title: String,
    /// Along the bottom.
    pub x: Axis,
    /// Along the left.
    pub y: Axis,
    /// In the order of the legend.
    pub curves: Vec<Curve>,
    /// The language of what is not named by others.
    pub lang: Lang,
}

/// A curve of [`Curves`].
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Curve {
    /// Its name in the legend.
    pub name: String,
    /// A word on it, in the legend and where it ends; may be empty.
    pub label: String,
    /// The points it goes through, in order, as far as they can be shown.
    pub points: Vec<(f64, f64)>,
    /// Whether it is drawn thin and grey behind the others, without its name.
    pub is_behind: bool,
    /// Whether it ended before its time: a cross stands where it ends or leaves the chart.
    pub is_cut: bool,
}

impl Curve {
    /// A curve through these points.
    pub fn new(
        name: impl Into<String>,
        label: impl Into<String>,
        points: impl IntoIterator<Item = (f64, f64)>,
    ) -> Self {
        let points = points.into_iter().collect();
        Self { name: name.into(), label: label.into(), points, is_behind: false, is_cut: false }
    }

    /// The same, having ended before its time.
    pub fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    /// The same, behind those that have names.
    pub fn behind(mut self) -> Self {
        self.is_behind = true;
        self
    }

    fn title(&self) -> String {
        if self.label.is_empty() { self.name.clone() } else { format!("{}: {}", self.name, self.label) }
    }
}

impl Curves {
    /// The chart as an SVG file of its own, dark on light or, where the reader's screen is dark, light on
    /// dark.
    pub fn svg_file(&self) -> String {
        let shown = || self.curves.iter().flat_map(|curve| self.shown(curve));
        let named = || self.curves.iter().filter(|curve| !curve.is_behind);
        let titles: Vec<String> = named().map(Curve::title).collect();
        let entry = |(index, name): (usize, &'_ String)| {
            let (colour, dashes) = style(index);
            (colour, dashes, name.clone())
        };
        let mut entries: Vec<_> = titles.iter().enumerate().map(entry).collect();
        let others = self.curves.len() - titles.len();
        if others > 0 {
            entries.push((
                "currentColor",
                "1 3",
                self.lang.said(&counted(others as u64, "other")).into_owned(),
            ));
        }
        let panel = Panel {
            title: &self.title,
            lang: self.lang,
            description: self.description(),
            size: (FILE_WIDTH, PLOT_HEIGHT),
            aside: named().map(|curve| Labels::room(&curve.label)).fold(0.0, f64::max),
            x: self.x.over(shown().map(|point| point.0), 0.0),
            x_label: self.x.label(self.lang),
            y: self.y.over(shown().map(|point| point.1), 0.05),
            y_label: self.y.label(self.lang),
            legend: entries
                .iter()
                .map(|(colour, dashes, name)| Entry { name, colour, dashes, marker: "" })
                .collect(),
        };
        panel.svg(Place::File, |plot| self.inside(&plot))
    }

    fn shown<'a>(&'a self, curve: &'a Curve) -> impl Iterator<Item = (f64, f64)> + 'a {
        curve.points.iter().copied().filter(|point| self.x.shows(point.0) && self.y.shows(point.1))
    }

    fn inside(&self, plot: &Plot) -> String {
        let (mut svg, mut words) = (String::new(), Vec::new());
        for curve in self.curves.iter().filter(|curve| curve.is_behind) {
            let places: Vec<_> = self.shown(curve).map(|point| plot.place(point)).collect();
            let _ = writeln!(
                svg,
                "<path d=\"{}\" stroke=\"currentColor\" stroke-width=\"1\" stroke-opacity=\".25\"/>",
                Plot::data(&places)
            );
        }
        for (index, curve) in self.curves.iter().filter(|curve| !curve.is_behind).enumerate() {
            let (colour, dashes) = style(index);
            let places: Vec<_> = self.shown(curve).map(|point| plot.place(point)).collect();
            let Some(&last) = places.last() else { continue };
            let data = Plot::data(&places);
            let _ = writeln!(svg, "<path d=\"{data}\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\"/>");
            // Where it is last seen.
            let inside = |pair: &[(f64, f64)]| {
                segment_within(pair[0], pair[1], (0.0, plot.width), (0.0, plot.height)).map(|ends| ends.1)
            };
            let end = places.windows(2).rev().find_map(inside).unwrap_or(last);
            if curve.is_cut {
                let within = |at: f64, most: f64| at.max(CROSS).min(most - CROSS);
                let _ = writeln!(
                    svg,
                    "<path d=\"M{:.1} {:.1}m-5-5l10 10m0-10l-10 10\" stroke=\"{colour}\"/>",
                    within(end.0, plot.width),
                    within(end.1, plot.height)
                );
            }
            words.push((end, colour, &curve.label));
        }
        // From the top down, so that those which have to make room for each other stay in their order.
        words.sort_by(|a, b| a.0.1.total_cmp(&b.0.1));
        let mut labels = Labels::default();
        words.into_iter().for_each(|(end, colour, label)| labels.place(plot, end, colour, label));
        svg + &labels.svg
    }

    /// The chart in words.
    fn description(&self) -> String {
        let lang = self.lang;
        let mut words = against(&self.y.label(lang), &self.x.label(lang), lang);
        for curve in self.curves.iter().filter(|curve| !curve.is_behind) {
            let mut shown = self.shown(curve);
            let Some(first) = shown.next() else { continue };
            let last = shown.last().unwrap_or(first);
            let [x, y] = [last.0, last.1].map(significant);
            let (title, first) = (curve.title(), significant(first.1));
            let ends = if curve.is_cut { "cut off at" } else { "ends with" };
            words += &lang.said(&format!(" {title}: begins with {first}, {ends} {y} at {x}."));
        }
        words
    }
}

/// Words at the ends of curves, none upon another.
#[derive(Default)]
struct Labels {
    svg: String,
    /// Left, right and the line each stands on.
    boxes: Vec<(f64, f64, f64)>,
}

impl Labels {
    const GAP: f64 = 6.0;

    /// How much room a word needs to the right of its curve.
    fn room(label: &str) -> f64 {
        if label.is_empty() { 0.0 } else { width(label) + Self::GAP }
    }

    /// Writes a word as near to a place as there is room; the legend has it too, so nothing is lost if there
    /// is none.
    fn place(&mut self, plot: &Plot, (x, y): (f64, f64), colour: &str, label: &str) {
        const STEP: f64 = 3.0;
        let wide = width(label);
        let fits = x + Self::room(label) <= plot.width + plot.aside;
        let left = if fits { x + Self::GAP } else { x - Self::GAP - wide };
        let free = |line: &f64| {
            let fits = (FONT..=plot.height - 4.0).contains(line);
            let apart = |other: &(f64, f64, f64)| {
                (other.2 - line).abs() >= FONT || other.0 >= left + wide || other.1 <= left
            };
            fits && self.boxes.iter().all(apart)
        };
        // Beside the end of a curve that ends at the right; above that of another, out of the way of what
        // goes on.
        let line = if left >= plot.width { y + 4.5 } else { y - 7.0 };
        let first = line.clamp(FONT, plot.height - 4.0);
        let around = (0..20).flat_map(|far| [first - STEP * f64::from(far), first + STEP * f64::from(far)]);
        let Some(line) = around.into_iter().find(free).filter(|_| !label.is_empty() && left >= 0.0) else {
            return;
        };
        self.boxes.push((left, left + wide, line));
        let _ = writeln!(
            self.svg,
            "<text x=\"{left:.1}\" y=\"{line:.1}\" fill=\"{colour}\" stroke=\"none\" font-weight=\"bold\">{}</text>",
            escape(label)
        );
    }
}

#[cfg(test)]
mod tests {
    use roxmltree::Document;

    use super::*;

    fn chart(curves: Vec<Curve>) -> Curves {
        let y = Axis::new("loss").log(true).within(0.0, 2.0);
        Curves { title: "Loss by rate".into(), x: Axis::new("epoch").whole(), y, curves, lang: Lang::En }
    }

    #[test]
    fn labels_stand_apart_and_are_all_there() {
        let curve = |index: usize| Curve::new(format!("--lr {index}"), "good", [(0.0, 1.0), (9.0, 0.1)]);
        let svg = chart((0..4).map(curve).collect()).svg_file();
        let svg = Document::parse(&svg).unwrap();
        let labels = svg.descendants().filter(|node| node.attribute("font-weight").is_some());
        let mut lines: Vec<f64> =
            labels.map(|label| label.attribute("y").unwrap().parse().unwrap()).collect();
        lines.sort_by(f64::total_cmp);
        assert_eq!(lines.len(), 4);
        assert!(lines.windows(2).all(|pair| pair[1] - pair[0] >= FONT), "{lines:?}");
    }

    #[test]
    fn fifty_curves_have_a_short_legend() {
        let curve = |index: usize| {
            let curve = Curve::new(format!("--seed {index}"), "", [(0.0, 1.0), (9.0, 0.1)]);
            if index < 7 { curve } else { curve.behind() }
        };
        let [ten, fifty] = [10, 50].map(|count| chart((0..count).map(curve).collect()).svg_file());
        assert!(fifty.contains("43 others") && !fifty.contains("--seed 7"), "{fifty}");
        let height = |svg: &str| {
            Document::parse(svg).unwrap().root_element().attribute("height").unwrap().parse::<f64>().unwrap()
        };
        assert_eq!(height(&fifty), height(&ten));
        assert_eq!(fifty.matches("<path d=\"M").count() - ten.matches("<path d=\"M").count(), 40);
        let korean = Curves { lang: Lang::Ko, ..chart((0..8).map(curve).collect()) }.svg_file();
        assert!(korean.contains("나머지 1개"));
    }

    #[test]
    fn a_curve_that_leaves_the_chart_has_its_cross_where_it_leaves() {
        let high = Curve::new("--lr 10", "very high", [(0.0, 1.0), (1.0, 1e12)]).cut();
        let svg = chart(vec![high, Curve::new("--lr 1", "good", [(0.0, 1.0), (9.0, 0.01)])]).svg_file();
        let document = Document::parse(&svg).unwrap();
        let data = document.descendants().filter_map(|node| node.attribute("d"));
        let cross: Vec<&str> = data.filter(|data| data.contains("m-5-5")).collect();
        let [cross] = cross[..] else { panic!("{cross:?}") };
        let at: Vec<f64> =
            cross[1..].split('m').next().unwrap().split(' ').map(|number| number.parse().unwrap()).collect();
        assert_eq!(at[1], CROSS, "at the top");
        assert!(at[0] > 0.0 && at[0] < 20.0, "soon: {at:?}");
        let words =
            document.descendants().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "desc")));
        assert!(words.unwrap().text().unwrap().contains("--lr 10: very high: begins with 1, cut off at"));
    }

    #[test]
    fn what_cannot_be_shown_is_left_out() {
        for points in [vec![], vec![(0.0, f64::NAN)], vec![(0.0, -1.0), (f64::INFINITY, 1.0)]] {
            let svg = chart(vec![Curve::new("<a>", "&", points).cut()]).svg_file();
            assert!(!svg.contains("NaN") && !svg.contains("inf"));
            Document::parse(&svg).unwrap();
        }
    }
}
