//! All settings of all trials, as lines across an axis for each.

use std::fmt::Write;

use super::{BEST_SHARE, Scale, Study};
use crate::axis::Range;
use crate::escape::escape;
use crate::number::two_digits;
use crate::panel::{FILE_WIDTH, LINE, Place, Plot, STYLES, clipped};

const PLOT_HEIGHT: f64 = 240.0;
/// Words along an axis are no wider than the distance between axes less this.
const BETWEEN: f64 = 6.0;
/// Options beyond these have no name along their axis.
const MOST_NAMED: usize = 8;

/// An axis: its name, where each trial is on it, and the words along it.
struct Column {
    name: String,
    places: Vec<Option<f64>>,
    words: Vec<(f64, String)>,
}

impl Study {
    /// The trials as lines, the best fifth in colour; the last axis is what they came to. None if there is
    /// nothing to draw.
    pub(super) fn parallel(&self, place: Place) -> Option<(String, f64)> {
        let shares = self.shares();
        let ranking = self.ranking();
        if self.settings.is_empty() || ranking.is_empty() {
            return None;
        }
        let mut columns: Vec<Column> = (0..self.settings.len()).map(|setting| self.column(setting)).collect();
        let values: Vec<Option<f64>> = self.trials.iter().map(|trial| trial.value).collect();
        let range = self.values_axis().over(values.iter().flatten().copied(), 0.0);
        columns.push(Column {
            name: self.metric.clone(),
            places: values.iter().map(|value| Some(range.share((*value)?).clamp(0.0, 1.0))).collect(),
            words: ends(&range),
        });

        let apart = FILE_WIDTH / columns.len() as f64;
        let x = |column: usize| (column as f64 + 0.5) * apart;
        let top = 2.0 * LINE + 8.0;
        let height = top + PLOT_HEIGHT + 2.0 * LINE;
        let y = |share: f64| top + (1.0 - share) * PLOT_HEIGHT;
        let title = self.lang.said("All settings");
        let description =
            self.lang.said("A line for each trial; the best fifth stands out, and the darkest is the best.");
        let mut svg = place.open(self.lang, (FILE_WIDTH, height), &title, &description);
        let _ = writeln!(svg, "<text x=\"2\" y=\"14\">{}</text>", escape(&title));
        // The best last, on top of the others.
        for &number in ranking.iter().rev() {
            let places: Vec<(f64, f64)> = columns
                .iter()
                .enumerate()
                .filter_map(|(at, column)| Some((x(at), y(column.places[number]?))))
                .collect();
            let is_best = shares[number].is_some_and(|share| share < BEST_SHARE);
            let (colour, opacity, thick) = match is_best {
                true if number == ranking[0] => (STYLES[1].0, 1.0, 3.0),
                true => (STYLES[0].0, 0.8, 1.5),
                false => ("currentColor", 0.15, 1.0),
            };
            let _ = writeln!(
                svg,
                "<path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-opacity=\"{opacity}\" \
                 stroke-width=\"{thick}\"/>",
                Plot::data(&places)
            );
        }
        for (at, column) in columns.iter().enumerate() {
            let middle = x(at);
            let _ = writeln!(
                svg,
                "<path d=\"M{middle:.1} {top:.1}v{PLOT_HEIGHT}\" stroke=\"currentColor\" stroke-opacity=\".6\"/>\
                 <text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"11\">{}</text>",
                top + PLOT_HEIGHT + 1.6 * LINE,
                escape(&clipped(&column.name, 1.25 * (apart - BETWEEN)))
            );
            for (share, word) in &column.words {
                let below = if *share <= 0.0 { 14.0 } else { -5.0 };
                let _ = writeln!(
                    svg,
                    "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\" font-size=\"10\">{}</text>",
                    y(*share) + below,
                    escape(&clipped(word, 1.35 * (apart - BETWEEN)))
                );
            }
        }
        Some((svg + "</svg>\n", height))
    }

    fn column(&self, setting: usize) -> Column {
        let about = &self.settings[setting];
        let values: Vec<Option<f64>> = self.trials.iter().map(|trial| trial.values[setting]).collect();
        let (range, words) = match &about.scale {
            Scale::Linear | Scale::Log => {
                let range = about.axis().over(values.iter().flatten().copied(), 0.0);
                let found = values.iter().flatten().copied();
                let low = found.clone().fold(f64::INFINITY, f64::min);
                let high = found.fold(f64::NEG_INFINITY, f64::max);
                let finite = [low, high].into_iter().filter(|end| end.is_finite());
                (range, finite.map(|end| (range.share(end).clamp(0.0, 1.0), two_digits(end))).collect())
            }
            Scale::Options(words) => {
                let last = words.len().saturating_sub(1).max(1) as f64;
                let range = about.axis().over([0.0, last].into_iter(), 0.0);
                let named = words.iter().enumerate().take(MOST_NAMED);
                (range, named.map(|(at, word)| (range.share(at as f64), word.clone())).collect())
            }
        };
        let places = values.iter().map(|value| Some(range.share((*value)?).clamp(0.0, 1.0))).collect();
        Column { name: about.name.clone(), places, words }
    }
}

/// The words at the ends of an axis of numbers.
fn ends(range: &Range) -> Vec<(f64, String)> {
    let ticks = range.ticks(3);
    let named = |tick: &(f64, String)| (range.share(tick.0).clamp(0.0, 1.0), tick.1.clone());
    match (ticks.first(), ticks.last()) {
        (Some(first), Some(last)) if ticks.len() > 1 => vec![named(first), named(last)],
        (Some(only), _) => vec![named(only)],
        (None, _) => Vec::new(),
    }
}
