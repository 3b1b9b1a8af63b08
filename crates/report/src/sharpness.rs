//! How near the rates of a run came to the highest that are stable.

use crate::history::History;
use crate::{Axis, Chart, Lang, Series};

/// The rate as a multiple of the stability limit, where it was tracked: 1 is the edge of stability.
pub(crate) fn chart(history: &History, lang: Lang) -> Chart {
    let ratios: Vec<(f64, f64)> = history.ratios.iter().map(|(&step, &ratio)| (step as f64, ratio)).collect();
    let steps = [ratios.first(), ratios.last()];
    let edge = steps.into_iter().flatten().map(|&(step, _)| (step, 1.0)).collect::<Vec<_>>();
    let [title, step, ratio] =
        ["Edge of stability", "step", "rate ÷ stability limit"].map(|name| lang.said(name));
    Chart::new(title, Axis::new(step).whole(), Axis::new(ratio))
        .lang(lang)
        .line(Series::new(lang.said("rate"), ratios))
        .line(Series::new(lang.said("limit"), edge))
}
