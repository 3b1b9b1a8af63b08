//! Two settings against each other: where the good trials are.

use std::fmt::Write;

use super::{BEST_SHARE, Scale, Study};
use crate::axis::Range;
use crate::panel::{Entry, FILE_WIDTH, MARKERS, Panel, Place, Plot, STYLES};

const PLOT_HEIGHT: f64 = 260.0;
/// The map is made of so many rectangles along each axis.
const CELLS: usize = 28;
/// How far a trial tells of its surroundings, as a share of each axis.
const WIDTH: f64 = 0.09;
/// Where the trials around are of less weight than one at this distance, in widths, nothing is said.
const FURTHEST: f64 = 2.2;

impl Study {
    /// The learning rate, or else the setting that matters most, against the one that matters most besides:
    /// the darker, the better are the trials there, as their ranks averaged around. None if there are no two
    /// settings of numbers, or nothing to draw.
    pub(super) fn map(&self, place: Place) -> Option<(String, f64)> {
        let is_number =
            |at: &usize| self.trials.iter().any(|trial| trial.values[*at].is_some()) && self.is_ordered(*at);
        let numbers: Vec<usize> = (0..self.settings.len()).filter(is_number).collect();
        let share = |at: usize| {
            let name = &self.settings[at].name;
            self.importance.iter().find(|(other, _)| other == name).map_or(0.0, |found| found.1)
        };
        let most = |but: Option<usize>| {
            let others = numbers.iter().copied().filter(|&at| Some(at) != but);
            others.max_by(|&a, &b| share(a).total_cmp(&share(b)).then(b.cmp(&a)))
        };
        let rate = numbers.iter().copied().find(|&at| self.settings[at].name == "lr");
        let first = rate.or_else(|| most(None))?;
        let second = most(Some(first))?;

        let shares = self.shares();
        let points: Vec<(f64, f64, f64)> = self
            .trials
            .iter()
            .zip(&shares)
            .filter_map(|(trial, share)| Some((trial.values[first]?, trial.values[second]?, (*share)?)))
            .collect();
        if points.len() < 2 {
            return None;
        }
        let (x, y) = (self.settings[first].axis(), self.settings[second].axis());
        let name = |at: usize| self.settings[at].name.as_str();
        let title = format!("{} · {}", name(first), name(second));
        let darker = self.lang.said("The darker, the better are the trials there.");
        let best = self.lang.said("the best fifth");
        let others = self.lang.said("others");
        let entry = |name, style: usize| Entry {
            name,
            colour: STYLES[style].0,
            dashes: "0 99",
            marker: MARKERS[style],
        };
        let panel = Panel {
            title: &title,
            lang: self.lang,
            description: darker.into_owned(),
            size: (FILE_WIDTH, PLOT_HEIGHT),
            aside: 0.0,
            x: x.over(points.iter().map(|point| point.0), 0.04),
            x_label: x.label(self.lang),
            y: y.over(points.iter().map(|point| point.1), 0.04),
            y_label: y.label(self.lang),
            legend: vec![entry(&best, 1), entry(&others, 6)],
        };
        Some((panel.svg(place, |plot| inside(&plot, &points)), panel.height()))
    }

    fn is_ordered(&self, setting: usize) -> bool {
        match self.settings[setting].scale {
            Scale::Linear | Scale::Log => true,
            Scale::Options(_) => false,
        }
    }
}

fn inside(plot: &Plot, points: &[(f64, f64, f64)]) -> String {
    let share = |range: &Range, value: f64| range.share(value);
    let at: Vec<(f64, f64, f64)> =
        points.iter().map(|&(x, y, rank)| (share(&plot.x, x), share(&plot.y, y), rank)).collect();
    let (wide, high) = (plot.width / CELLS as f64, plot.height / CELLS as f64);
    let mut svg = format!("<g fill=\"{}\" stroke=\"none\">\n", STYLES[0].0);
    for row in 0..CELLS {
        for column in 0..CELLS {
            let centre = |cell: usize| (cell as f64 + 0.5) / CELLS as f64;
            let Some(rank) = around(&at, centre(column), centre(row)) else { continue };
            let dark = 0.75 * (1.0 - rank).powi(2);
            let _ = writeln!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{wide:.2}\" height=\"{high:.2}\" fill-opacity=\"{dark:.2}\"/>",
                column as f64 * wide,
                plot.height - (row + 1) as f64 * high,
            );
        }
    }
    svg += "</g>\n";
    // The best on top.
    for best in [false, true] {
        let (colour, marker) = if best { (STYLES[1].0, MARKERS[1]) } else { (STYLES[6].0, MARKERS[6]) };
        let _ = write!(svg, "<g fill=\"{colour}\" fill-opacity=\"{}\">", if best { 1.0 } else { 0.6 });
        for &(x, y, _) in points.iter().filter(|point| (point.2 < BEST_SHARE) == best) {
            let (x, y) = plot.place((x, y));
            let _ = write!(svg, "<path transform=\"translate({x:.1} {y:.1})\" d=\"{marker}\"/>");
        }
        svg += "</g>\n";
    }
    svg
}

/// The mean rank of the trials around a place, weighted by a normal distribution; none where there are none
/// near.
fn around(points: &[(f64, f64, f64)], x: f64, y: f64) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for &(other_x, other_y, rank) in points {
        let distance = ((x - other_x) / WIDTH).powi(2) + ((y - other_y) / WIDTH).powi(2);
        let weight = (-0.5 * distance).exp();
        sum += weight * rank;
        weights += weight;
    }
    (weights > (-0.5 * FURTHEST * FURTHEST).exp()).then(|| sum / weights)
}
