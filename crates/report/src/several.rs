//! Several runs on top of each other: a table of what differs between them, and their curves.

use std::collections::BTreeSet;
use std::fmt::Write;

use downhill_run::Metrics;
use serde_json::Value;

use crate::escape::escape;
use crate::limits::limits;
use crate::number::significant;
use crate::page::{RATE, epochs, is_wide, metric, rate_axis, result, section};
use crate::tensorboard::flatten;
use crate::{Axis, Chart, Lang, Run, Series};

/// What runs have in common, and what tells them apart.
pub(crate) fn several(runs: &[Run], lang: Lang) -> String {
    let mut page = differences(runs, lang);
    page += "<ul>\n";
    for Run { folder, settings, history, .. } in runs {
        let _ = writeln!(
            page,
            "<li>{}: {}</li>",
            escape(&folder.name()),
            escape(&lang.said(&result(settings, history)))
        );
    }
    page += "</ul>\n<div class=\"charts\">\n";
    let over = |chart: Chart, points: &dyn Fn(&Run) -> Vec<(f64, f64)>| {
        let line = |(index, run): (usize, &Run)| Series::new(run.folder.name(), points(run)).run(index);
        runs.iter().enumerate().map(line).fold(chart, Chart::line)
    };
    let losses = |title: &str, figure: fn(&downhill_run::Epoch) -> f64| {
        let all: Vec<_> = runs.iter().map(|run| run.history.each(figure)).collect();
        {
            let y = loss_axis(&lang.said(&title.to_lowercase()), &all);
            let chart = Chart::new(lang.said(title), epochs(lang), y).lang(lang);
            over(chart, &|run| run.history.each(figure))
        }
    };
    let mut charts = vec![
        losses("Validation loss", |epoch| epoch.valid_loss),
        losses("Training loss", |epoch| epoch.train_loss),
    ];
    // Of runs with other metrics, each has a chart of its own.
    let metrics: Vec<Chart> = runs.iter().map(|run| metric(&run.history, lang)).collect();
    for (index, first) in metrics.iter().enumerate() {
        if metrics[..index].iter().any(|before| before.title == first.title) {
            continue;
        }
        let mut all = Chart { series: Vec::new(), ..first.clone() };
        let points = |chart: &Chart| -> Vec<(f64, f64)> {
            chart.series.iter().flat_map(|series| series.points.iter().copied()).collect()
        };
        let same =
            || metrics.iter().zip(runs).enumerate().filter(|(_, (chart, _))| chart.title == first.title);
        if first.title == "RMSE" {
            all.y = loss_axis("RMSE", &same().map(|(_, (chart, _))| points(chart)).collect::<Vec<_>>());
        }
        for (run, (chart, of)) in same() {
            all = all.line(Series::new(of.folder.name(), points(chart)).run(run));
        }
        charts.push(all);
    }
    let made = |run: &Run| {
        let [made, _] = run.history.rates();
        made
    };
    let all: Vec<_> = runs.iter().flat_map(made).collect();
    let rate = Chart::new(lang.said(RATE), Axis::new(lang.said("step")).whole(), rate_axis(&all, lang));
    charts.push(over(rate.lang(lang), &made));
    charts.iter().filter(|chart| chart.draws()).for_each(|chart| page += &section(chart, ""));
    page + "</div>\n"
}

/// An axis for losses of several runs, on which one bad run does not flatten the others.
pub(crate) fn loss_axis(label: &str, runs: &[Vec<(f64, f64)>]) -> Axis {
    let (low, high) = limits(runs);
    let shown = runs.iter().flatten().filter(|point| (low..=high).contains(&point.1));
    let log = is_wide(shown);
    Axis::new(label).log(log).within(if log { low } else { f64::NEG_INFINITY }, high)
}

/// The settings that are not the same in all runs, and what each run came to, as a table.
fn differences(runs: &[Run], lang: Lang) -> String {
    let all: Vec<Vec<(String, Value)>> = runs.iter().map(settings).collect();
    let of =
        |run: usize, name: &str| all[run].iter().find(|(other, _)| other == name).map(|(_, value)| value);
    let mut seen = BTreeSet::new();
    let names = all.iter().flatten().map(|(name, _)| name.as_str()).filter(|&name| seen.insert(name));
    let names: Vec<&str> =
        names.filter(|name| (1..runs.len()).any(|run| of(run, name) != of(0, name))).collect();
    let mut html = format!("<h2>{}</h2>\n", lang.said("What differs"));
    if names.is_empty() {
        let _ = writeln!(html, "<p>{}</p>", lang.said("The settings of these runs are the same."));
    }
    let _ = write!(
        html,
        "<div class=\"scroll\"><table>\n<tr><th scope=\"col\" class=\"text\">{}</th>",
        lang.said("run")
    );
    for name in &names {
        // Settings keep their names; where a run branched off is ours to say.
        let name = if *name == BRANCH { lang.said(name) } else { (*name).into() };
        let _ = write!(html, "<th scope=\"col\" class=\"text\">{}</th>", escape(&name));
    }
    for name in ["epochs", "kept epoch", "training loss", "validation loss", score(runs)] {
        let _ = write!(html, "<th scope=\"col\">{}</th>", lang.said(name));
    }
    html += "</tr>\n";
    for (index, run) in runs.iter().enumerate() {
        let _ = write!(html, "<tr><th scope=\"row\" class=\"text\">{}</th>", escape(&run.folder.name()));
        let values = names.iter().map(|name| match of(index, name) {
            None => "–".to_string(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        });
        let kept = run.history.kept.as_ref();
        let figure = |of: fn(&downhill_run::Epoch) -> f64| {
            kept.map(of).filter(|value| value.is_finite()).map_or("–".to_string(), significant)
        };
        let figures = [
            run.history.epochs_made().to_string(),
            kept.map_or("–".into(), |epoch| epoch.epoch.saturating_add(1).to_string()),
            figure(|epoch| epoch.train_loss),
            figure(|epoch| epoch.valid_loss),
            figure(|epoch| epoch.metrics.score()),
        ];
        for value in values {
            let _ = write!(html, "<td class=\"text\">{}</td>", escape(&value));
        }
        for figure in figures {
            let _ = write!(html, "<td>{figure}</td>");
        }
        html += "</tr>\n";
    }
    html + "</table></div>\n"
}

/// What the score of these runs is.
fn score(runs: &[Run]) -> &'static str {
    let kept = || runs.iter().filter_map(|run| run.history.kept.as_ref());
    let is_accuracy = |epoch: &downhill_run::Epoch| matches!(epoch.metrics, Metrics::Classification(_));
    match (kept().any(is_accuracy), kept().all(is_accuracy)) {
        (true, true) => "accuracy",
        (false, _) => "R²",
        (true, false) => "accuracy or R²",
    }
}

/// All settings of a run, each by its name.
/// Where a run branched off, among the settings.
const BRANCH: &str = "branch of";

fn settings(run: &Run) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut tree = run.settings.tree();
    flatten(tree["training"].take(), String::new(), &mut all);
    flatten(tree["data"].take(), "data".into(), &mut all);
    if let (Some(parent), Some(step)) = (tree["parent"]["run"].as_str(), tree["parent"]["step"].as_u64()) {
        all.push((BRANCH.into(), format!("{parent}@step:{step}").into()));
    }
    all
}
