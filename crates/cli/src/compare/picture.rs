//! The losses of compared runs, as curves.

use downhill::train::{Compared, ranking};
use downhill_report::{Axis, Curve, Curves, Lang};

use super::{Entrant, name, verdict};
use crate::braille::{self, Frame};
use crate::output;

/// Of more runs than these, the best are drawn in colours and with names, and the others behind them: so many
/// colours can be told apart.
const MOST_NAMED: usize = 7;

/// Which runs are drawn with their names: the best, as the table ranks them.
fn named(entrants: &[Entrant]) -> Vec<bool> {
    let order = ranking(&entrants.iter().map(|(_, compared)| compared).collect::<Vec<_>>());
    let mut named = vec![false; entrants.len()];
    order.into_iter().take(MOST_NAMED).for_each(|index| named[index] = true);
    named
}

/// The losses to draw: those of training where rates are judged, as they are judged by them, and of
/// validation else.
fn points(compared: &Compared, training: bool) -> Vec<(f64, f64)> {
    let course = &compared.course;
    let mut points = vec![(0.0, course.baseline)];
    points.extend(
        course.epochs.iter().map(|epoch| {
            (epoch.epoch as f64 + 1.0, if training { epoch.train_loss } else { epoch.valid_loss })
        }),
    );
    // Far above, so that the curve leaves the chart.
    points.extend(course.blow_up.map(|blow_up| (blow_up.epoch, 1e3 * course.baseline)));
    points
}

pub fn is_judged(entrants: &[Entrant]) -> bool {
    entrants.iter().any(|(_, compared)| compared.verdict.is_some())
}

/// The losses between which curves are drawn, and whether on a logarithmic axis.
fn range(entrants: &[Entrant]) -> ((f64, f64), bool) {
    let training = is_judged(entrants);
    let top = 2.0 * entrants.iter().map(|(_, compared)| compared.course.baseline).fold(0.0, f64::max);
    let losses = entrants.iter().flat_map(|(_, compared)| points(compared, training)).map(|point| point.1);
    let least = losses.filter(|loss| *loss > 0.0).fold(top, f64::min);
    // Where the best loss is small, a linear axis would show all good ones as one line at the bottom.
    let log = least < top / 20.0;
    ((if log { least } else { 0.0 }, top), log)
}

pub fn chart(dataset: &str, entrants: &[Entrant], lang: Lang) -> Curves {
    let training = is_judged(entrants);
    let ((low, high), log) = range(entrants);
    let (title, loss) =
        if training { ("Training loss", "training loss") } else { ("Validation loss", "validation loss") };
    let curve = |((settings, compared), named): (&Entrant, bool)| {
        let label = compared.verdict.map_or_else(Default::default, |verdict| lang.said(verdict.words()));
        let curve = Curve::new(name(settings), label, points(compared, training));
        let curve = if named { curve } else { curve.behind() };
        if compared.course.blow_up.is_some() { curve.cut() } else { curve }
    };
    Curves {
        title: lang.said(&format!("{title} of {dataset}, run by run")).into_owned(),
        x: Axis::new(lang.said("epoch")).whole(),
        y: Axis::new(lang.said(loss)).log(log).within(low, high),
        curves: entrants.iter().zip(named(entrants)).map(curve).collect(),
        lang,
    }
}

/// The curves for a terminal, one below the other on the same axes: colours alone would not tell them apart
/// everywhere.
pub fn curves(entrants: &[Entrant]) -> String {
    const WIDTH: usize = 66;
    let training = is_judged(entrants);
    let (range, log) = range(entrants);
    let frame = Frame { range, log, size: (WIDTH, 5) };
    let epochs = entrants.iter().map(|(_, compared)| compared.course.planned).max().unwrap_or(1);
    let mut text = String::new();
    let shown = entrants.iter().zip(named(entrants)).filter(|(_, named)| *named);
    for ((settings, compared), _) in shown {
        let points = points(compared, training);
        let wide = epochs as f64 / (2 * WIDTH - 1) as f64;
        let at = |column: usize| {
            let epoch = wide * column as f64;
            // A curve that is cut is seen to leave, however soon it does.
            let is_last = |point: &(f64, f64)| compared.course.blow_up.is_some() && epoch < point.0 + wide;
            let Some(next) = points.iter().position(|point| point.0 >= epoch) else {
                return points.last().filter(|point| is_last(point)).map(|point| point.1);
            };
            let (to, from) = (points[next], points[next.saturating_sub(1)]);
            let share = if to.0 > from.0 { (epoch - from.0) / (to.0 - from.0) } else { 1.0 };
            Some(from.1 + share * (to.1 - from.1))
        };
        let values: Vec<f64> = (0..2 * WIDTH).map(|column| at(column).unwrap_or(f64::NAN)).collect();
        let verdict = verdict(compared);
        let colon = if verdict.is_empty() { "" } else { ": " };
        let end = format!("epoch {epochs}");
        text += &format!(
            "{}{colon}{verdict}\n{}\n",
            name(settings),
            braille::curve(&values, frame, &output::said("epoch 0"), &output::said(&end))
        );
    }
    if let Some(others) = entrants.len().checked_sub(MOST_NAMED).filter(|&others| others > 0) {
        text += &format!("The curves are of the {MOST_NAMED} best; {others} more are in the table.\n\n");
    }
    text
}
