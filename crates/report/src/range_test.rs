//! How a learning rate was found, as SVG.

use std::fmt::Write;

use downhill_run::{Choice, FoundRate, Point};

use crate::Lang;
use crate::axis::Axis;
use crate::number::two_digits;
use crate::panel::{Entry, FILE_WIDTH, MARKERS, Panel, Place, Plot, STYLES};

const PLOT_HEIGHT: f64 = 260.0;
/// The highest loss that is shown, as a multiple of that at the lowest rate: the curve ends where it blew up.
const HIGHEST: f64 = 1.4;

/// The curve of a range test, with the points on it, and the rehearsals, over the rate; the band is shaded.
///
/// ```
/// use downhill_data::Table;
/// use downhill_report::RangeTest;
/// use downhill_train::Trainer;
///
/// let data = Table::bundled("wine")?.default_target().split(0.2, 7)?;
/// let found = Trainer::default().find_lr(&data)?;
/// assert!(RangeTest::new(&found).svg_file().contains("recommended"));
/// # Ok::<(), downhill_train::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct RangeTest<'a> {
    found: &'a FoundRate,
    lang: Lang,
}

/// What is pointed out on the curve.
struct Mark {
    name: String,
    lr: f64,
    style: usize,
}

impl<'a> RangeTest<'a> {
    /// The picture of a search, in English.
    pub fn new(found: &'a FoundRate) -> Self {
        Self { found, lang: Lang::En }
    }

    /// The same in a language.
    pub fn lang(mut self, lang: Lang) -> Self {
        self.lang = lang;
        self
    }

    /// An `svg` element, as wide as its surroundings allow. Text and axes have the colour of the text around
    /// it.
    pub fn svg(&self) -> String {
        self.draw(Place::Page)
    }

    /// An SVG file of its own, light or dark as the reader's screen is.
    pub fn svg_file(&self) -> String {
        self.draw(Place::File)
    }

    fn marks(&self) -> Vec<Mark> {
        let FoundRate { steepest, valley, minimum_tenth, diverges, limit, .. } = self.found;
        let points = [
            ("steepest", steepest),
            ("valley", valley),
            ("minimum/10", minimum_tenth),
            ("diverges", diverges),
            ("stable below", limit),
        ];
        let mark = |(index, (name, lr)): (usize, (&str, &Option<f64>))| {
            Some(Mark {
                name: format!("{} {}", self.lang.said(name), two_digits((*lr)?)),
                lr: (*lr)?,
                style: index + 2,
            })
        };
        points.into_iter().enumerate().filter_map(mark).collect()
    }

    fn draw(&self, place: Place) -> String {
        let FoundRate { recommended, band, curve, rehearsals, .. } = self.found;
        let lang = self.lang;
        let first = curve.first().and_then(|point| point.loss).unwrap_or(1.0);
        let y = Axis::new(lang.said("loss")).within(0.0, HIGHEST * first.max(f64::MIN_POSITIVE));
        let x = Axis::new(lang.said("learning rate")).log(true);
        let marks = self.marks();
        let (curve, rehearsals) = (places(curve), places(rehearsals));
        let all = || curve.iter().chain(&rehearsals);
        let line = |name, index: usize, marker| Entry {
            name,
            colour: STYLES[index].0,
            dashes: STYLES[index].1,
            marker,
        };
        let name = format!("{} {}", lang.said("recommended"), two_digits(*recommended));
        let [test, tried] =
            ["range test, training loss", "rehearsals, training loss"].map(|name| lang.said(name));
        let mut legend = vec![line(&test, 0, "")];
        if !rehearsals.is_empty() {
            legend.push(line(&tried, 1, MARKERS[0]));
        }
        legend.push(Entry { name: &name, colour: "currentColor", dashes: "none", marker: "" });
        legend.extend(marks.iter().map(|mark| Entry {
            name: &mark.name,
            colour: STYLES[mark.style].0,
            dashes: "0 99",
            marker: MARKERS[mark.style],
        }));
        let panel = Panel {
            title: &lang.said("Learning rate range test"),
            lang,
            description: self.description(&marks),
            // In a page, narrow enough for a telephone.
            size: (if place == Place::Page { crate::chart::WIDTH } else { FILE_WIDTH }, PLOT_HEIGHT),
            aside: 0.0,
            x: x.over(all().map(|point| point.0).chain([*recommended]), 0.01),
            x_label: x.label(lang),
            y: y.over(all().map(|point| point.1), 0.05),
            y_label: y.label(lang),
            legend,
        };
        panel.svg(place, |plot| {
            let across = |lr: f64| plot.place((lr, 1.0)).0;
            let (left, right) = (across(band[0]), across(band[1]));
            let mut svg = format!(
                "<path d=\"M{left:.1} 0V{PLOT_HEIGHT}H{right:.1}V0z\" fill=\"currentColor\" fill-opacity=\".1\"/>\n\
                 <path d=\"M{:.1} 0V{PLOT_HEIGHT}\" stroke=\"currentColor\"/>\n",
                across(*recommended)
            );
            for (points, index) in [(&curve, 0), (&rehearsals, 1)] {
                let (colour, dashes) = STYLES[index];
                let places: Vec<_> = points.iter().map(|&point| plot.place(point)).collect();
                let line = Plot::data(&places);
                let _ = writeln!(svg, "<path d=\"{line}\" stroke=\"{colour}\" stroke-dasharray=\"{dashes}\"/>");
                if index == 1 {
                    for (x, y) in places {
                        let _ = writeln!(svg, "{}", marker(x, y, index - 1, colour));
                    }
                }
            }
            svg += &self.arrow(&plot, &rehearsals);
            for mark in &marks {
                // Where the curve has left the plot, at its edge.
                let (x, y) = plot.place((mark.lr, height(&curve, mark.lr)));
                let y = y.max(6.0);
                let _ = writeln!(svg, "{}", marker(x, y, mark.style, STYLES[mark.style].0));
            }
            svg
        })
    }

    /// From the best rehearsal to what is recommended, if that is another rate.
    fn arrow(&self, plot: &Plot, rehearsals: &[(f64, f64)]) -> String {
        let Some(Choice::Better { best, .. }) = &self.found.choice else { return String::new() };
        let (from, y) = plot.place((*best, height(rehearsals, *best)));
        let to = plot.place((self.found.recommended, 1.0)).0;
        // Beside the marker, and no longer than there is room.
        let sign = (to - from).signum();
        let (from, room) = (from + 6.0 * sign, (to - from).abs() - 6.0);
        if room < 4.0 {
            return String::new();
        }
        let head = room.min(6.0) * sign;
        format!(
            "<path class=\"correction\" d=\"M{from:.1} {y:.1}H{to:.1}M{:.1} {:.1}L{to:.1} {y:.1}L{:.1} {:.1}\" \
             stroke=\"currentColor\" fill=\"none\"/>\n",
            to - head,
            y - 4.0,
            to - head,
            y + 4.0
        )
    }

    /// The picture in words.
    fn description(&self, marks: &[Mark]) -> String {
        let FoundRate { band: [low, high], steps, run_steps, .. } = self.found;
        let [low, high] = [*low, *high].map(two_digits);
        let recommended = two_digits(self.found.recommended);
        let loss = "Loss against learning rate.";
        let mut words = self.lang.said(&format!(
            "{loss} Recommended {recommended}, band {low} to {high}, found in {steps} steps for a run of {run_steps}."
        ))
        .into_owned();
        if let Some(correction) = self.found.correction() {
            words += &self.lang.said(&format!(" {correction}."));
        }
        for mark in marks {
            let _ = write!(words, " {}.", mark.name);
        }
        words
    }
}

fn places(points: &[Point]) -> Vec<(f64, f64)> {
    points.iter().filter_map(|point| Some((point.lr, point.loss?))).collect()
}

/// The curve at a rate, or at the nearest that it has.
fn height(curve: &[(f64, f64)], lr: f64) -> f64 {
    let distance = |point: &&(f64, f64)| (point.0 / lr).ln().abs();
    curve.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).map_or(0.0, |point| point.1)
}

/// A marker that is larger than a line is thick.
fn marker(x: f64, y: f64, shape: usize, colour: &str) -> String {
    let shape = MARKERS[shape];
    format!("<path transform=\"translate({x:.1} {y:.1}) scale(1.5)\" d=\"{shape}\" fill=\"{colour}\"/>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> FoundRate {
        let point = |i: i32| Point {
            lr: 10f64.powi(i),
            loss: Some(if i < 0 { 2.0 + f64::from(i) / 10.0 } else { 9.0 }),
        };
        FoundRate {
            recommended: 0.004,
            usual: 0.003,
            choice: Some(Choice::Better {
                best: 0.001,
                lead: Some([0.2, 0.1]),
                between: 1.0,
                length: 0.8,
                pull: 5.0,
            }),
            band: [0.001, 0.01],
            schedule: 0.004.into(),
            steepest: Some(0.01),
            valley: None,
            minimum_tenth: Some(0.001),
            diverges: Some(1.0),
            limit: Some(0.5),
            steps: 100,
            run_steps: 1000,
            seconds: 0.1,
            rehearsals: vec![Point { lr: 0.001, loss: Some(1.5) }, Point { lr: 0.1, loss: None }],
            curve: (-5..=0).map(point).collect(),
        }
    }

    #[test]
    fn what_was_found_is_there_and_nothing_else() {
        let found = found();
        let svg = RangeTest::new(&found).svg_file();
        roxmltree::Document::parse(&svg).unwrap();
        for name in [
            "recommended 0.004",
            "steepest 0.01",
            "minimum/10 0.001",
            "diverges 1",
            "stable below 0.5",
            "rehearsals",
        ] {
            assert!(svg.contains(name), "{name}");
        }
        assert!(!svg.contains("valley") && !svg.contains("NaN"));
        // An arrow leads from the best rehearsal to the recommendation, and the words say how.
        assert!(svg.contains("class=\"correction\"") && svg.contains("best rehearsal 0.001"));
        let none = FoundRate { rehearsals: Vec::new(), curve: Vec::new(), ..found };
        roxmltree::Document::parse(&RangeTest::new(&none).svg()).unwrap();
    }
}
