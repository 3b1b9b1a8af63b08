//! What became of the layers: norms along the run, and how weights and activations are spread first and last.

use downhill_run::{Distribution, Norms};

use crate::history::{Distributions, History};
use crate::number::{grouped, two_digits};
use crate::{Axis, Chart, Histogram, Histograms, Lang, Series};

/// No more tensors or layers than these are drawn; of more, some from the first to the last.
const MOST: usize = 12;

/// The norms of gradients and of steps along the run, a line for each weight tensor.
pub(crate) fn norms(history: &History, lang: Lang) -> Vec<Chart> {
    let Some(first) = history.norms.values().next() else { return Vec::new() };
    let chart = |title: &str, y: &str, value: fn(&Norms) -> f64| {
        let lines = evenly(first.len()).map(|index| {
            let points = history
                .norms
                .iter()
                .filter_map(|(&step, tensors)| Some((step as f64, value(tensors.get(index)?))));
            Series::new(first[index].name.clone(), points)
        });
        let [title, step, y] = [title, "step", y].map(|name| lang.said(name));
        let empty = Chart::new(title, Axis::new(step).whole(), Axis::new(y).log(true)).lang(lang);
        lines.fold(empty, Chart::line)
    };
    vec![
        chart("Gradients by layer", "norm of the gradient", |norms| norms.gradient),
        chart("Updates by layer", "norm of a step", |norms| norms.update),
        chart("Updates against weights", "norm of a step ÷ norm of the weights", |norms| {
            norms.update / norms.weights
        }),
    ]
}

/// Weights and activations, each before the first step and with the weights that are kept.
pub(crate) fn histograms(history: &History, lang: Lang) -> Vec<(String, Histograms)> {
    let Some(first) = &history.first else { return Vec::new() };
    let last = history.last.as_ref();
    let rows =
        |title: &'static str, kind: usize, of: fn(&Distributions) -> &Vec<Distribution>, word: &str| {
            let before = of(first);
            let empty = Histograms::new(lang.said(&format!("{title}, before training and after"))).lang(lang);
            let all = evenly(before.len()).fold(empty, |all, index| {
                let panel = |when: String, found: &Distribution| {
                    let [mean, std] = [found.mean, found.std].map(two_digits);
                    let counts = found.bins.without_zeros();
                    let all: f64 = found.bins.counts.iter().map(|&count| count as f64).sum();
                    let share = found.bins.zeros as f64 / all.max(1.0);
                    let zeros =
                        if share > 0.0 { format!(", {:.0}% zero", 100.0 * share) } else { String::new() };
                    Histogram::new(lang.said(&when), found.bins.edges.iter().copied(), counts)
                        .note(lang.said(&format!("{mean} ± {std}{zeros}")))
                };
                let mut panels = vec![panel("before the first step".into(), &before[index])];
                if let Some(last) = last
                    && let Some(found) = of(last).iter().find(|found| found.name == before[index].name)
                {
                    panels.push(panel(format!("after {} steps", grouped(last.step)), found));
                }
                all.row(lang.said(&format!("{word}{}, mean ± std", before[index].name)), kind, panels)
            });
            (lang.said(title).into_owned(), all, before.is_empty())
        };
    let all = [
        rows("Weights", 0, |found| &found.weights, ""),
        rows("Activations", 2, |found| &found.activations, "behind layer "),
    ];
    all.into_iter().filter(|(.., empty)| !empty).map(|(title, all, _)| (title, all)).collect()
}

/// The numbers below `count`, or some of them, from the first to the last.
fn evenly(count: usize) -> impl Iterator<Item = usize> {
    let shown = count.min(MOST);
    (0..shown).map(move |index| if shown > 1 { index * (count - 1) / (shown - 1) } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_the_first_and_the_last_are_shown() {
        assert_eq!(evenly(0).count(), 0);
        assert_eq!(evenly(1).collect::<Vec<_>>(), [0]);
        assert_eq!(evenly(12).collect::<Vec<_>>(), (0..12).collect::<Vec<_>>());
        let some: Vec<_> = evenly(100).collect();
        assert_eq!((some.len(), some[0], some[11]), (12, 0, 99));
        assert!(some.is_sorted_by(|a, b| a < b));
    }
}
