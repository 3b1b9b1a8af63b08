//! Line charts, as SVG.
//!
//! Written by hand rather than with `plotters`: its SVG backend writes a fixed colour into every element and
//! knows no `title` and no `desc`, so a chart could neither take the colour of the text around it, which
//! light, dark and printed pages need, nor be read aloud.

use std::fmt::Write;

use crate::Lang;
use crate::axis::Axis;
use crate::number::significant;
use crate::panel::{Entry, MARKERS, Panel, Place, Plot, STYLES, against};

/// The dashes of marks, by their names: the first name has the first.
const MARKS: [&str; 5] = ["2 2", "7 3", "1 4", "9 2 2 2", "none"];

/// So many marks are named in words.
const MOST_WORDS: usize = 100;

// Narrow, so that a telephone shows the text in a size that can be read.
pub(crate) const WIDTH: f64 = 440.0;
const PLOT_HEIGHT: f64 = 200.0;

/// A chart of lines against two labelled axes.
///
/// ```
/// use downhill_report::{Axis, Chart, Series};
///
/// let chart = Chart::new("Loss", Axis::new("epoch").whole(), Axis::new("loss").within(0.0, f64::INFINITY))
///     .line(Series::new("validation", [(1.0, 0.9), (2.0, 0.4), (3.0, 0.3)]))
///     .line(Series::new("training", [(1.0, 1.2), (2.0, 0.5), (3.0, 0.2)]))
///     .mark(3.0, "kept");
/// assert!(chart.svg().starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Chart {
    /// What it shows, for those who cannot see it.
    pub title: String,
    /// Along the bottom.
    pub x: Axis,
    /// Along the left.
    pub y: Axis,
    /// The lines, in the order of the legend.
    pub series: Vec<Series>,
    /// The places pointed out.
    pub marks: Vec<Mark>,
    /// The language of what is not named by others.
    pub lang: Lang,
}

/// A line of a chart.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// The points it goes through, in order. Where a coordinate is no finite number, or not positive on a
    /// logarithmic axis, the line is broken.
    pub points: Vec<(f64, f64)>,
    /// Whether the points are drawn as dots, with nothing between them.
    pub dots: bool,
    /// Which colour and which dashes it has, counted from 0; by its place among the lines unless given.
    pub style: Option<(usize, usize)>,
}

/// A place on the x axis that is pointed out by a vertical line.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// Its name in the legend, which marks may share.
    pub name: String,
}

impl Series {
    /// A line through these points.
    pub fn new(name: impl Into<String>, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        Self { name: name.into(), points: points.into_iter().collect(), dots: false, style: None }
    }

    /// The same in the colour and the dashes of a run, by its place among several: the same in every chart.
    pub fn run(mut self, index: usize) -> Self {
        self.style = Some((index, index));
        self
    }

    /// The same in the colour of a run, drawn through, or in dashes if it is the `second` line of that run.
    pub fn of_run(mut self, index: usize, second: bool) -> Self {
        self.style = Some((index % STYLES.len(), usize::from(second)));
        self
    }

    /// The same as dots.
    pub fn dots(mut self) -> Self {
        self.dots = true;
        self
    }
}

impl Series {
    /// Its colour and its dashes, as one of several lines.
    fn styled(&self, index: usize) -> (&'static str, &'static str) {
        let (colour, dashes) = self.style.unwrap_or((index, index));
        (style(colour).0, style(dashes).1)
    }
}

impl Chart {
    /// A chart without lines.
    pub fn new(title: impl Into<String>, x: Axis, y: Axis) -> Self {
        Self { title: title.into(), x, y, series: Vec::new(), marks: Vec::new(), lang: Lang::En }
    }

    /// Sets the language.
    pub fn lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// Adds a line.
    pub fn line(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// Points out a place on the x axis.
    pub fn mark(mut self, x: f64, name: impl Into<String>) -> Self {
        self.marks.push(Mark { x, name: name.into() });
        self
    }

    /// The chart as an `svg` element, as wide as its surroundings allow. Text and axes have the colour of the
    /// text around it.
    pub fn svg(&self) -> String {
        self.drawn(Place::Page).0
    }

    /// The chart as an SVG file of its own, dark on light or, where the reader's screen is dark, light on
    /// dark.
    pub fn svg_file(&self) -> String {
        self.drawn(Place::File).0
    }

    /// The chart, and its height.
    pub(crate) fn drawn(&self, place: Place) -> (String, f64) {
        let drawn: Vec<(&Series, (&str, &str))> =
            self.series.iter().enumerate().map(|(index, series)| (series, series.styled(index))).collect();
        let drawn: Vec<_> =
            drawn.into_iter().filter(|(series, _)| series.points.iter().any(|p| self.shows(p))).collect();
        let shown = || drawn.iter().flat_map(|(series, _)| &series.points).filter(|point| self.shows(point));
        let mut legend: Vec<_> = drawn
            .iter()
            .map(|(series, style)| Entry {
                name: &series.name,
                colour: style.0,
                dashes: if series.dots { "0 99" } else { style.1 },
                marker: if series.dots { MARKERS[0] } else { "" },
            })
            .collect();
        let marks = self.marks.iter().filter(|mark| self.x.shows(mark.x)).collect::<Vec<_>>();
        let mut names: Vec<&str> = Vec::new();
        for mark in &marks {
            if !names.contains(&&*mark.name) {
                names.push(&mark.name);
            }
        }
        let dashes = |name: &str| {
            MARKS[names.iter().position(|other| *other == name).unwrap_or_default() % MARKS.len()]
        };
        legend.extend(names.iter().map(|name| Entry {
            name,
            colour: "currentColor",
            dashes: dashes(name),
            marker: "",
        }));
        let panel = Panel {
            title: &self.title,
            lang: self.lang,
            description: self.description(&drawn.iter().map(|(series, _)| *series).collect::<Vec<_>>()),
            size: (WIDTH, PLOT_HEIGHT),
            aside: 0.0,
            x: self.x.over(shown().map(|point| point.0), 0.0),
            x_label: self.x.label(self.lang),
            y: self.y.over(shown().map(|point| point.1), 0.05),
            y_label: self.y.label(self.lang),
            legend,
        };
        let height = panel.height();
        let svg = panel.svg(place, |plot| {
            let mut svg = String::new();
            for mark in marks {
                let at = plot.place((mark.x, 1.0)).0;
                let _ = writeln!(
                    svg,
                    "<path d=\"M{at:.1} 0V{PLOT_HEIGHT}\" stroke=\"currentColor\" stroke-width=\"1.5\" stroke-dasharray=\"{}\"/>",
                    dashes(&mark.name)
                );
            }
            for (series, (colour, dashes)) in &drawn {
                if series.dots {
                    let shown = series.points.iter().filter(|point| self.shows(point));
                    svg += &dots(shown.map(|&point| plot.place(point)), colour);
                    continue;
                }
                let _ = write!(svg, "<g stroke=\"{colour}\" stroke-dasharray=\"{dashes}\">");
                for points in series.points.chunk_by(|a, b| self.shows(a) && self.shows(b)) {
                    if self.shows(&points[0]) {
                        svg += &piece(&plot, points);
                    }
                }
                svg += "</g>\n";
            }
            svg
        });
        (svg, height)
    }

    /// Whether there is anything to draw in it.
    pub fn draws(&self) -> bool {
        self.series.iter().any(|series| series.points.iter().any(|point| self.shows(point)))
    }

    fn shows(&self, point: &(f64, f64)) -> bool {
        self.x.shows(point.0) && self.y.shows(point.1)
    }

    /// The chart in words: the range of each line, and the marks.
    fn description(&self, series: &[&Series]) -> String {
        let lang = self.lang;
        let mut words = against(&self.y.label(lang), &self.x.label(lang), lang);
        for series in series {
            let shown = || series.points.iter().filter(|point| self.shows(point));
            let least = shown().min_by(|a, b| a.1.total_cmp(&b.1));
            let most = shown().max_by(|a, b| a.1.total_cmp(&b.1));
            if let (Some(first), Some(last), Some(least), Some(most)) =
                (shown().next(), shown().next_back(), least, most)
            {
                let [first_y, last_y, least_y, most_y] = [first.1, last.1, least.1, most.1].map(significant);
                let [first_x, last_x, least_x, most_x] = [first.0, last.0, least.0, most.0].map(significant);
                let name = &series.name;
                words += &lang.said(&format!(
                    " {name}: {first_y} at {first_x}, {last_y} at {last_x}; lowest {least_y} at {least_x}, highest \
                     {most_y} at {most_x}."
                ));
            }
        }
        for mark in self.marks.iter().take(MOST_WORDS) {
            let _ = write!(words, " {}: {}.", mark.name, significant(mark.x));
        }
        if series.is_empty() {
            words += &format!(" {}", lang.said("There is nothing to draw."));
        }
        words
    }
}

/// The colour and the dashes of a line; those after the seventh have a colour again, with other dashes.
pub(crate) fn style(index: usize) -> (&'static str, &'static str) {
    let count = STYLES.len();
    (STYLES[index % count].0, STYLES[(index + index / count) % count].1)
}

/// Points as dots, which let those below them shine through.
fn dots(places: impl Iterator<Item = (f64, f64)>, colour: &str) -> String {
    let data: String = places.map(|(x, y)| format!("M{x:.1} {y:.1}h0")).collect();
    format!(
        "<path d=\"{data}\" stroke=\"{colour}\" stroke-width=\"4\" stroke-linecap=\"round\" stroke-opacity=\".8\"/>\n"
    )
}

/// An unbroken piece of a line.
fn piece(plot: &Plot, points: &[(f64, f64)]) -> String {
    let places: Vec<_> = points.iter().map(|&point| plot.place(point)).collect();
    if let [(x, y)] = places[..] {
        return format!(
            "<path d=\"M{x:.1} {y:.1}h0\" stroke-width=\"7\" stroke-linecap=\"round\" stroke-dasharray=\"none\"/>"
        );
    }
    format!("<path d=\"{}\"/>", Plot::data(&thin(&places)))
}

/// The points that make the same picture: of those in one column of pixels the first, the lowest, the highest
/// and the last.
fn thin(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut kept = Vec::new();
    for column in places.chunk_by(|a, b| (2.0 * a.0).floor() == (2.0 * b.0).floor()) {
        let indices = 0..column.len();
        let by_height = |&a: &usize, &b: &usize| column[a].1.total_cmp(&column[b].1);
        let lowest = indices.clone().min_by(by_height).unwrap_or(0);
        let highest = indices.max_by(by_height).unwrap_or(0);
        let mut corners = vec![0, lowest, highest, column.len() - 1];
        corners.sort_unstable();
        corners.dedup();
        kept.extend(corners.into_iter().map(|index| column[index]));
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;
    use roxmltree::{Document, Node};

    use super::*;
    use crate::panel::{FONT, width};

    const SVG: &str = "http://www.w3.org/2000/svg";

    fn chart() -> Chart {
        Chart::new("Any", Axis::new("x"), Axis::new("y"))
    }

    /// The texts of a chart, each with the box it fills: left, right, the line it stands on.
    fn texts(svg: &Document<'_>) -> Vec<(String, f64, f64, f64)> {
        let of = |node: Node<'_, '_>| {
            let text = node.text().unwrap_or_default().to_string();
            let at = |name: &str| node.attribute(name).unwrap().parse::<f64>().unwrap();
            let wide = width(&text);
            let left = match node.attribute("text-anchor") {
                Some("end") => at("x") - wide,
                Some("middle") => at("x") - wide / 2.0,
                _ => at("x"),
            };
            (text, left, left + wide, at("y"))
        };
        svg.descendants().filter(|node| node.has_tag_name((SVG, "text"))).map(of).collect()
    }

    /// The lines inside the axes, as their path data.
    fn lines(svg: &Document<'_>) -> Vec<String> {
        let groups = svg.descendants().filter(|node| node.has_tag_name((SVG, "g")));
        let paths = groups.flat_map(|group| group.children().filter(Node::is_element));
        paths.map(|path| path.attribute("d").unwrap().to_string()).collect()
    }

    /// Nothing lies on anything else, and nothing outside.
    fn check_layout(svg: &str) {
        let svg = Document::parse(svg).unwrap();
        let texts = texts(&svg);
        let size = svg.root_element().attribute("viewBox").unwrap().split(' ').map(|x| x.parse().unwrap());
        let size: Vec<f64> = size.collect();
        for (index, (text, left, right, y)) in texts.iter().enumerate() {
            assert!(*left >= 0.0 && *right <= size[2] && *y > 0.0 && *y < size[3], "{text} is outside");
            for (other, other_left, other_right, other_y) in &texts[..index] {
                let apart = (y - other_y).abs() >= 0.9 * FONT || right <= other_left || left >= other_right;
                assert!(apart, "{text} and {other} lie on each other");
            }
        }
    }

    #[test]
    fn a_line_goes_through_its_points() {
        let svg = chart().line(Series::new("a", [(0.0, 0.0), (1.0, 10.0), (2.0, 5.0)])).svg();
        check_layout(&svg);
        let svg = Document::parse(&svg).unwrap();
        let plot = svg.descendants().find(|node| node.attribute("overflow").is_some()).unwrap();
        let wide = plot.attribute("width").unwrap().parse::<f64>().unwrap() - 6.0;
        let [line] = &lines(&svg)[..] else { panic!() };
        // Five parts in a hundred are left free above; below, zero is the end.
        let high = |share: f64| (1.0 - share / 1.05) * PLOT_HEIGHT;
        let heights: Vec<_> = line.split(['M', 'L']).filter_map(|place| place.split_once(' ')).collect();
        let heights: Vec<_> = heights.iter().map(|place| place.1).collect();
        assert_eq!(heights, [high(0.0), high(1.0), high(0.5)].map(|high| format!("{high:.1}")));
        assert!(line.starts_with("M0.0 ") && line.contains(&format!("L{wide:.1} ")), "{line}");
    }

    #[test]
    fn what_is_no_number_leaves_a_gap() {
        let values = [1.0, 2.0, f64::NAN, 3.0, f64::INFINITY, -1.0, 4.0, 5.0];
        let points = values.iter().enumerate().map(|(x, &y)| (x as f64, y));
        let series = Series::new("a", points);
        let svg = chart().line(series.clone()).svg();
        let lines_of = |svg: &str| lines(&Document::parse(svg).unwrap()).len();
        assert_eq!(lines_of(&svg), 3);
        // On a logarithmic axis there is no −1.
        let log = Chart { y: Axis::new("y").log(true), ..chart() }.line(series).svg();
        assert_eq!(lines_of(&log), 3);
        assert!(log.contains("lowest 1 at 0, highest 5 at 7"));
        assert!(svg.contains("lowest -1 at 5, highest 5 at 7"));
    }

    #[test]
    fn a_chart_of_nothing_is_a_chart() {
        for chart in
            [chart(), chart().line(Series::new("a", [])), chart().line(Series::new("a", [(f64::NAN, 1.0)]))]
        {
            assert!(!chart.draws());
            let svg = chart.svg();
            check_layout(&svg);
            assert!(svg.contains("There is nothing to draw"));
        }
    }

    #[test]
    fn lines_differ_in_colour_and_in_dashes() {
        for (index, (colour, dashes)) in STYLES.iter().enumerate() {
            assert!(STYLES[..index].iter().all(|other| other.0 != *colour && other.1 != *dashes));
        }
        let all: HashSet<_> = (0..49).map(style).collect();
        assert_eq!(all.len(), 49);
        let mut many = chart();
        for rate in 0..20 {
            many =
                many.line(Series::new(format!("--lr 1e-{rate} & <more>"), [(0.0, rate as f64), (1.0, 2.0)]));
        }
        many = many.line(Series::new("a long name ".repeat(30), [(0.0, 1.0), (1.0, 2.0)]));
        check_layout(&many.mark(0.5, "half").svg());
    }

    #[test]
    fn a_long_line_is_thinned_and_keeps_its_peaks() {
        let points =
            (0..1_000_000).map(|x| (x as f64, if x == 654_321 { 9.0 } else { (x % 7) as f64 / 7.0 }));
        let svg = chart().line(Series::new("a", points)).svg();
        assert!(svg.len() < 80_000, "{}", svg.len());
        let svg = Document::parse(&svg).unwrap();
        let peak = format!(" {:.1}", (1.0 - 1.0 / 1.05) * PLOT_HEIGHT);
        assert!(lines(&svg)[0].contains(&peak));
    }

    #[test]
    fn lines_that_leave_the_axes_stay_near() {
        let axis = Axis::new("loss").within(0.0, 1.0);
        let svg = Chart { y: axis, ..chart() }.line(Series::new("a", [(0.0, 0.5), (1.0, 1e290)])).svg();
        check_layout(&svg);
        let lines = lines(&Document::parse(&svg).unwrap());
        assert!(lines[0].ends_with(" -1000.0"), "{lines:?}");
    }

    proptest! {
        #[test]
        fn any_numbers_make_a_chart(
            points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20),
            (log_x, log_y, whole) in any::<(bool, bool, bool)>(),
            bounds in any::<(f64, f64)>(),
            mark in any::<f64>(),
        ) {
            let x = if whole { Axis::new("x").whole() } else { Axis::new("x") };
            let y = Axis::new("y").log(log_y).within(bounds.0, bounds.1);
            let chart = Chart::new("Any", x.log(log_x), y).line(Series::new("a", points)).mark(mark, "m");
            let svg = chart.svg();
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", svg);
            check_layout(&svg);
        }

        #[test]
        fn any_names_make_a_chart(names in prop::collection::vec(any::<String>(), 4)) {
            let chart = Chart::new(names[0].clone(), Axis::new(names[1].clone()), Axis::new(names[2].clone()));
            check_layout(&chart.line(Series::new(names[3].clone(), [(0.0, 1.0)])).svg());
        }
    }
}
