//! Ways over a surface, as SVG.

use std::fmt::Write;

use crate::Lang;
use crate::axis::{Axis, Range};
use crate::number::significant;
use crate::panel::{Entry, FILE_WIDTH, FONT, MARKERS, Panel, Place, Plot, STYLES, against, width};
use crate::{Field, segment_within};

const PLOT_HEIGHT: f64 = 280.0;
/// What is smaller than this is not seen.
const FINEST: f64 = 0.1;
/// A trajectory of more points than this has markers at some of them only.
const MOST_MARKERS: usize = 200;

/// The trajectories that optimizers take over a surface: over its contour lines, or along its curve.
///
/// ```
/// use downhill_report::{Field, Ground, Landscape, Lang, Trajectory};
///
/// let bowl = Field::sample((-2.0, 2.0), (-1.0, 1.0), (80, 80), |x, y| x * x + 4.0 * y * y);
/// let points = vec![(-1.5, 0.5), (-0.9, -0.3), (-0.5, 0.2)];
/// let trajectories = vec![Trajectory { name: "sgd".into(), points }];
/// let landscape = Landscape {
///     title: "x^2 + 4*y^2".into(),
///     labels: ["x".into(), "y".into()],
///     ground: Ground::Contours(bowl),
///     trajectories,
///     lang: Lang::En,
/// };
/// assert!(landscape.svg_file().starts_with("<svg"));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Landscape {
    /// What it shows, for those who cannot see it: the function.
    pub title: String,
    /// What lies along the bottom and along the left.
    pub labels: [String; 2],
    /// What the trajectories lead over.
    pub ground: Ground,
    /// The trajectories, in the order of the legend.
    pub trajectories: Vec<Trajectory>,
    /// The language of what is not named by others.
    pub lang: Lang,
}

/// What trajectories lead over.
#[derive(Clone, Debug, PartialEq)]
pub enum Ground {
    /// A function of two variables, by its contour lines.
    Contours(Field),
    /// A function of one variable, by its curve.
    Curve {
        /// Its points, in order of x, which reach from end to end of the picture.
        points: Vec<(f64, f64)>,
        /// The lowest and the highest value shown.
        values: (f64, f64),
    },
}

/// The trajectory of one optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct Trajectory {
    /// Its name in the legend.
    pub name: String,
    /// The points it goes through: the first is the start. Those behind one that has no finite coordinates
    /// are left out, and what is outside the picture is cut off.
    pub points: Vec<(f64, f64)>,
}

impl Landscape {
    /// The picture as an SVG file of its own, dark on light or, where the reader's screen is dark, light on
    /// dark.
    pub fn svg_file(&self) -> String {
        let [x, y] = match &self.ground {
            Ground::Contours(field) => field.ranges(),
            Ground::Curve { points, values } => {
                let end = |point: Option<&(f64, f64)>| point.map_or(0.0, |point| point.0);
                [(end(points.first()), end(points.last())), *values]
            }
        };
        let range = |(low, high): (f64, f64)| -> Range { Axis::new("").over([low, high].into_iter(), 0.0) };
        let legend = self.trajectories.iter().enumerate().map(|(index, trajectory)| Entry {
            name: &trajectory.name,
            colour: style(index).0,
            dashes: "none",
            marker: style(index).1,
        });
        let panel = Panel {
            title: &self.title,
            lang: self.lang,
            description: self.description(),
            size: (FILE_WIDTH, PLOT_HEIGHT),
            aside: 0.0,
            x: range(x),
            x_label: self.labels[0].clone(),
            y: range(y),
            y_label: self.labels[1].clone(),
            legend: legend.collect(),
        };
        panel.svg(Place::File, |plot| self.inside(&plot))
    }

    fn inside(&self, plot: &Plot) -> String {
        let mut svg = match &self.ground {
            Ground::Contours(field) => {
                let mut data = String::new();
                for line in field.levels().into_iter().flat_map(|level| field.contours(level)) {
                    data += &Plot::data(&straightened(
                        &line.iter().map(|&point| plot.place(point)).collect::<Vec<_>>(),
                    ));
                }
                format!(
                    "<path d=\"{data}\" stroke=\"currentColor\" stroke-opacity=\".3\" stroke-width=\"1\"/>\n"
                )
            }
            Ground::Curve { points, .. } => {
                let places: Vec<_> = points.iter().map(|&point| plot.place(point)).collect();
                let mut data = String::new();
                for piece in places.chunk_by(|a, b| finite(a) && finite(b)) {
                    data +=
                        &Plot::data(&straightened(&piece.iter().copied().filter(finite).collect::<Vec<_>>()));
                }
                format!("<path d=\"{data}\" stroke=\"currentColor\" stroke-opacity=\".45\"/>\n")
            }
        };
        for (index, trajectory) in self.trajectories.iter().enumerate() {
            let (colour, marker) = style(index);
            let places: Vec<_> = trajectory
                .points
                .iter()
                .take_while(|point| finite(point))
                .map(|&point| plot.precisely(point))
                .collect();
            let pieces: Vec<_> = places.windows(2).filter_map(|pair| plot.near(pair[0], pair[1])).collect();
            let mut data = String::new();
            for joined in pieces.chunk_by(|a, b| a.1 == b.0) {
                let corners: Vec<_> = joined
                    .iter()
                    .take(1)
                    .map(|piece| piece.0)
                    .chain(joined.iter().map(|piece| piece.1))
                    .collect();
                data += &Plot::data(&corners);
            }
            let _ = writeln!(svg, "<path d=\"{data}\" stroke=\"{colour}\" stroke-width=\"1.5\"/>");
            let every = places.len().div_ceil(MOST_MARKERS).max(1);
            let seen: Vec<_> =
                places.iter().skip(every).step_by(every).filter(|place| plot.shows(**place)).collect();
            let _ = write!(svg, "<g fill=\"{colour}\">");
            for (x, y) in seen {
                let _ = write!(svg, "<path transform=\"translate({x:.1} {y:.1})\" d=\"{marker}\"/>");
            }
            svg += "</g>\n";
            if let Some((x, y)) = places.last().filter(|place| plot.shows(**place)) {
                let _ = writeln!(
                    svg,
                    "<path transform=\"translate({x:.1} {y:.1}) scale(1.7)\" d=\"{marker}\" fill=\"{colour}\" \
                     stroke=\"#fff\" stroke-width=\".7\"/>"
                );
            }
        }
        if let Some(&start) = self
            .trajectories
            .first()
            .and_then(|trajectory| trajectory.points.first())
            .filter(|point| finite(point))
        {
            let (x, y) = plot.place(start);
            let (label_x, label_y) = self.free_corner(plot, (x, y));
            let _ = writeln!(
                svg,
                "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"5\" stroke=\"currentColor\"/>\
                 <text x=\"{label_x:.1}\" y=\"{label_y:.1}\" fill=\"currentColor\">{}</text>",
                self.lang.said("start")
            );
        }
        svg
    }

    /// Where the start's label begins: beside the start, where the fewest lines would run through it.
    fn free_corner(&self, plot: &Plot, start: (f64, f64)) -> (f64, f64) {
        let (x, y) = start;
        let (wide, high) = (width(&self.lang.said("start")), FONT);
        let across = [x + 9.0, x - wide - 9.0, x - wide / 2.0, 2.0f64.max(x - wide - 4.0)];
        let down = [y - 9.0, y + 20.0, y + 5.0];
        let corners = down.into_iter().flat_map(|y| across.map(|x| (x, y)));
        let crossed = |&(x, y): &(f64, f64)| {
            let outside = x < 0.0 || x + wide > plot.width || y < high - 3.0 || y > plot.height;
            let through = |pair: &&[(f64, f64)]| {
                let [from, to] = [pair[0], pair[1]].map(|point| plot.precisely(point));
                segment_within(from, to, (x - 2.0, x + wide), (y - high, y + 3.0)).is_some()
            };
            let lines = self
                .trajectories
                .iter()
                .map(|trajectory| trajectory.points.windows(2).filter(through).count())
                .sum::<usize>();
            if outside { usize::MAX } else { lines }
        };
        corners.min_by_key(crossed).unwrap_or((x, y))
    }

    /// The picture in words: where each trajectory leads.
    fn description(&self) -> String {
        let lang = self.lang;
        let mut words = match &self.ground {
            Ground::Contours(field) => match field.extremes() {
                Some((low, high)) => {
                    let [low, high] = [low, high].map(significant);
                    lang.said(&format!("Contour lines between {low} and {high}.")).into_owned()
                }
                None => lang.said("No contour lines.").into_owned(),
            },
            Ground::Curve { .. } => against(&self.labels[1], &self.labels[0], lang),
        };
        for trajectory in &self.trajectories {
            let mut points = trajectory.points.iter().take_while(|point| finite(point));
            if let Some(first) = points.next() {
                let last = points.last().unwrap_or(first);
                let [x, y, last_x, last_y] = [first.0, first.1, last.0, last.1].map(significant);
                let name = &trajectory.name;
                words += &lang.said(&format!(" {name}: from {x}, {y} to {last_x}, {last_y}."));
            }
        }
        words
    }
}

/// The colour and the marker of a trajectory; those after the seventh have a colour again, with other
/// markers.
fn style(index: usize) -> (&'static str, &'static str) {
    let count = STYLES.len();
    (STYLES[index % count].0, MARKERS[(index + index / count) % count])
}

/// The corners of a line that it cannot do without to look the same, after Douglas and Peucker.
fn straightened(places: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if places.len() < 3 {
        return places.to_vec();
    }
    let mut needed = vec![false; places.len()];
    let mut stretches = vec![(0, places.len() - 1)];
    while let Some((first, last)) = stretches.pop() {
        (needed[first], needed[last]) = (true, true);
        let (a, b) = (places[first], places[last]);
        let (wide, high) = (b.0 - a.0, b.1 - a.1);
        let length = wide.hypot(high);
        // The ends of a closed line are one place, from which distances are measured.
        let off = |&(x, y): &(f64, f64)| match length > 0.0 {
            true => (wide * (y - a.1) - high * (x - a.0)).abs() / length,
            false => (x - a.0).hypot(y - a.1),
        };
        let inner = first + 1..last;
        let furthest = inner.max_by(|&i, &j| off(&places[i]).total_cmp(&off(&places[j])));
        if let Some(furthest) = furthest.filter(|&furthest| off(&places[furthest]) > FINEST) {
            stretches.extend([(first, furthest), (furthest, last)]);
        }
    }
    places.iter().zip(needed).filter_map(|(&place, needed)| needed.then_some(place)).collect()
}

fn finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

impl Plot {
    /// Where a point lies, however far outside.
    fn precisely(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (self.x.share(x) * self.width, (1.0 - self.y.share(y)) * self.height)
    }

    /// Whether a place is inside.
    fn shows(&self, (x, y): (f64, f64)) -> bool {
        (-1.0..=self.width + 1.0).contains(&x) && (-1.0..=self.height + 1.0).contains(&y)
    }

    /// What of a straight line lies inside or next to it; to move its far end nearer would turn it.
    fn near(&self, from: (f64, f64), to: (f64, f64)) -> Option<((f64, f64), (f64, f64))> {
        segment_within(from, to, (-self.width, 2.0 * self.width), (-self.height, 2.0 * self.height))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::{Document, Node};

    use super::*;

    fn landscape(points: Vec<(f64, f64)>) -> Landscape {
        let field = Field::sample((-1.0, 1.0), (-1.0, 1.0), (40, 40), |x, y| x * x + y * y);
        let trajectories = vec![Trajectory { name: "a & b".into(), points }];
        Landscape {
            title: "t".into(),
            labels: ["x".into(), "y".into()],
            ground: Ground::Contours(field),
            trajectories,
            lang: Lang::En,
        }
    }

    /// The line of the first trajectory.
    fn line(svg: &str) -> String {
        let svg = Document::parse(svg).unwrap();
        let is_line = |node: &Node<'_, '_>| {
            node.attribute("stroke-width") == Some("1.5") && node.attribute("stroke") == Some(STYLES[0].0)
        };
        svg.descendants().find(is_line).unwrap().attribute("d").unwrap().to_string()
    }

    #[test]
    fn a_way_leads_through_its_points() {
        let svg = landscape(vec![(-1.0, 1.0), (0.0, 0.0), (1.0, 0.0)]).svg_file();
        let parsed = Document::parse(&svg).unwrap();
        let plot = parsed.descendants().find(|node| node.attribute("overflow").is_some()).unwrap();
        let wide = plot.attribute("width").unwrap().parse::<f64>().unwrap() - 6.0;
        let corners: Vec<f64> =
            line(&svg).split(['M', 'L', ' ']).filter_map(|number| number.parse().ok()).collect();
        let middle = PLOT_HEIGHT / 2.0;
        for (found, expected) in corners.iter().zip([0.0, 0.0, wide / 2.0, middle, wide, middle]) {
            assert!((found - expected).abs() < 0.11, "{corners:?}");
        }
        assert_eq!(corners.len(), 6);
        assert!(svg.contains("a &amp; b: from -1, 1 to 1, 0."), "{svg}");
    }

    #[test]
    fn a_way_that_leaves_keeps_its_direction() {
        // Towards a point a million times as far away, at 45° in the shares of the picture.
        let svg = landscape(vec![(0.0, 0.0), (1e6, 1e6), (f64::INFINITY, 0.0), (0.5, 0.5)]).svg_file();
        let line = line(&svg);
        let corners: Vec<f64> =
            line.split(['M', 'L', ' ']).filter_map(|number| number.parse().ok()).collect();
        let [x, y, far_x, far_y] = corners[..] else { panic!("{line}") };
        let slope = (far_y - y) / (far_x - x);
        assert!((slope + PLOT_HEIGHT / (2.0 * x)).abs() < 0.01, "{line}");
        assert!(!svg.contains("inf") && !svg.contains("NaN"));
    }

    #[test]
    fn many_ways_differ_in_colour_and_in_markers() {
        let all: std::collections::HashSet<_> = (0..49).map(style).collect();
        assert_eq!(all.len(), 49);
    }

    #[test]
    fn straightening_keeps_what_is_seen() {
        let circle: Vec<_> = (0..=1000)
            .map(|i| f64::from(i) / 1000.0 * std::f64::consts::TAU)
            .map(|a| (50.0 * a.cos(), 50.0 * a.sin()))
            .collect();
        let fewer = straightened(&circle);
        assert!(
            fewer.len() < 100 && fewer[0] == circle[0] && fewer.last() == circle.last(),
            "{}",
            fewer.len()
        );
        let sagitta =
            |pair: &[(f64, f64)]| 50.0 - ((pair[0].0 + pair[1].0) / 2.0).hypot((pair[0].1 + pair[1].1) / 2.0);
        assert!(fewer.windows(2).all(|pair| sagitta(pair) < 2.0 * FINEST));
        assert_eq!(straightened(&[(0.0, 0.0), (1.0, 1.0), (3.0, 3.0)]), [(0.0, 0.0), (3.0, 3.0)]);
        assert_eq!(straightened(&[(1.0, 2.0)]), [(1.0, 2.0)]);
        assert!(straightened(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn any_numbers_make_a_picture(
            points in prop::collection::vec((any::<f64>(), any::<f64>()), 0..20),
            values in prop::collection::vec(any::<f64>(), 16),
            curve in any::<bool>(),
        ) {
            let mut landscape = landscape(points.clone());
            landscape.ground = if curve {
                Ground::Curve { points, values: (values[0], values[1]) }
            } else {
                let at = |x: f64, y: f64| values[(x * 3.0) as usize * 4 + (y * 3.0) as usize];
                Ground::Contours(Field::sample((0.0, 1.0), (0.0, 1.0), (4, 4), at))
            };
            let svg = landscape.svg_file();
            Document::parse(&svg).unwrap();
            prop_assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", svg);
        }
    }
}
