//! The report of a run, or of several, as a page of HTML.

use std::fmt::Write;

use downhill_run::{
    Classification, EarlyStopping, Environment, Epoch, Metrics, Regression, Settings, Size, Stop,
};

use crate::escape::escape;
use crate::history::{Confusion, History};
use crate::number::{counted, grouped, significant};
use crate::several::several;
use crate::{Axis, Chart, Lang, RangeTest, Run, Series, explanation, layers, sharpness, validation};

/// What spans more than this factor is drawn on a logarithmic axis.
const LOG_FROM: f64 = 30.0;
/// Rates below this share of the highest are not drawn: a cosine ends at zero, and nothing else would be seen
/// of it.
const LOWEST_RATE: f64 = 1e-3;
/// So many events are listed below the chart that has them all.
const MOST_LISTED: usize = 50;

// Colours come from the browser's own light and dark schemes. The policy forbids whatever would fetch or run
// anything.
pub(crate) const HEAD: &str = r#"<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<meta name="color-scheme" content="light dark"/>
<style>
:root { color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { background: #16181b; color: #e4e6e8; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .5rem 0; }
h1 small { font-weight: normal; opacity: .75; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem; }
p { margin: .4rem 0; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 2rem; }
.charts section { max-width: 38rem; min-width: 0; break-inside: avoid; }
.charts .wide { max-width: none; grid-column: 1 / -1; }
h2, h3 { break-after: avoid; }
h1 + p { font-size: 1.1rem; }
.run { border-top: 2px solid rgb(128 128 128 / 50%); margin-top: 2.5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; overflow-wrap: normal; font-size: .9rem; }
caption { text-align: left; padding-bottom: .4rem; }
td, th { padding: .15rem .5rem; text-align: right; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
th { font-weight: 600; }
.text { text-align: left; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .4rem 0; }
dt { opacity: .75; }
dd { margin: 0; }
svg { display: block; }
pre { background: rgb(128 128 128 / 12%); padding: .75rem; border-radius: .3rem; font-size: .85rem; white-space: pre-wrap; }
@media print {
  body { font-size: 10pt; }
  .charts { grid-template-columns: 1fr 1fr; }
  .scroll { overflow: visible; }
  .run { break-before: page; }
}
</style>"#;

/// The page of one run, or of several.
pub(crate) fn html(runs: &[Run], lang: Lang) -> String {
    let names: Vec<String> = runs.iter().map(|run| escape(&run.folder.name())).collect();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n{HEAD}\n<title>{} · Downhill</title>\n</head>\n<body>\n<main>\n",
        lang.code(),
        names.join(", ")
    );
    let trained_on = |run: &Run| {
        let data = run.settings.data_name().unwrap_or_default();
        escape(&lang.said(&format!("trained on {data}")))
    };
    if let [run] = runs {
        let _ = writeln!(page, "<h1>{} <small>{}</small></h1>", names[0], trained_on(run));
        page += &one(run, lang);
    } else {
        let _ = writeln!(page, "<h1>{} <small>{}</small></h1>", names.join(", "), lang.said("side by side"));
        page += &several(runs, lang);
        for (run, name) in runs.iter().zip(&names) {
            let data = trained_on(run);
            let _ = writeln!(page, "<div class=\"run\">\n<h1>{name} <small>{data}</small></h1>");
            page += &one(run, lang);
            page += "</div>\n";
        }
    }
    page + "</main>\n</body>\n</html>\n"
}

/// A chart with its heading, and what else is to stand with it.
pub(crate) fn section(chart: &Chart, below: &str) -> String {
    format!("<section>\n<h2>{}</h2>\n{}{below}</section>\n", escape(&chart.title), chart.svg())
}

/// A list of pairs, of which the left is what the right is.
fn pairs(pairs: &[(&str, String)], lang: Lang) -> String {
    let pair =
        |(name, value): &(&str, String)| format!("<dt>{}</dt><dd>{}</dd>\n", lang.said(name), escape(value));
    format!("<dl>\n{}</dl>\n", pairs.iter().map(pair).collect::<String>())
}

/// All there is to say of a run.
fn one(run: &Run, lang: Lang) -> String {
    let Run { folder, settings, history, explanation: found } = run;
    let mut page = String::new();
    let heading = |text: &str| format!("<h2>{}</h2>\n", lang.said(text));
    for text in [lang.said(&result(settings, history)).into_owned(), makeup(settings, history, lang)] {
        let _ = writeln!(page, "<p>{}</p>", escape(&text));
    }
    let (charts, events) = (charts(run, lang), events(history, lang));
    if charts.is_empty() {
        let _ = writeln!(page, "<p>{}</p>", lang.said("No epoch has ended, so there is nothing to draw."));
        page += &events;
    } else {
        page += "<div class=\"charts\">\n";
        for chart in charts {
            page += &section(&chart, if chart.title == lang.said(RATE) { &events } else { "" });
        }
        if let Some(found) = history.run.found.as_ref().filter(|found| !found.curve.is_empty()) {
            let svg = RangeTest::new(found).lang(lang).svg();
            let _ = write!(page, "<section>\n{}{svg}</section>\n", heading("How the rate was found"));
        }
        let norms = layers::norms(history, lang);
        norms.iter().filter(|chart| chart.draws()).for_each(|chart| page += &section(chart, ""));
        for (title, histograms) in layers::histograms(history, lang) {
            let _ = write!(page, "<section>\n<h2>{title}</h2>\n{}</section>\n", histograms.svg());
        }
        if let Some(found) = &history.residuals {
            let (predictions, spread) = validation::residuals(found, lang);
            if predictions.draws() {
                page += &section(&predictions, "");
            }
            let _ = write!(page, "<section>\n{}{}</section>\n", heading("Residuals"), spread.svg());
        }
        if let Some(found) = &history.confusion {
            page += &validation::confusion(found, lang);
        }
        page += "</div>\n";
    }
    if let Some(found) = found {
        page += &explanation::section(found, lang);
    }

    if !history.notes.is_empty() {
        page += &(heading("Notes") + "<ul>\n");
        for note in &history.notes {
            let _ = writeln!(page, "<li>{}</li>", escape(&lang.said(note)));
        }
        page += "</ul>\n";
    }
    page += &(heading("Data") + &pairs(&data(settings, history, lang), lang));
    let path = |file: &str| shell(&folder.path().join(file).display().to_string());
    let _ = writeln!(page, "{}<pre>{}</pre>", heading("Configuration"), escape(settings.text()));
    if let Some(environment) = &history.environment {
        page += &(heading("Environment") + &pairs(&surroundings(environment, lang), lang));
    }
    // Only a run that the program makes can be made by it again: not a loop of its own, nor one on data in memory.
    if settings.get("session").is_some() || settings.text_of("data.from") == Some("memory") {
        return page;
    }
    let _ = write!(
        page,
        "{}<pre>downhill train --config {}</pre>\n<p>{}</p>\n",
        heading("Make this run again"),
        escape(&path("run.toml")),
        lang.said(
            "On the same data and a machine with the same vector instructions, it ends in the same weights, bit for bit, \
             on any number of threads."
        ),
    );
    if matches!(history.run.stop(), None | Some(Stop::Interrupted)) {
        let _ = writeln!(
            page,
            "{}<pre>downhill resume {}</pre>",
            heading("Go on with it"),
            escape(&shell(&folder.path().display().to_string()))
        );
    }
    page
}

/// The events that are marked in the chart of rates, in words.
fn events(history: &History, lang: Lang) -> String {
    if history.marked.is_empty() {
        return String::new();
    }
    let mut list = String::from("<ul>\n");
    for marked in history.marked.iter().take(MOST_LISTED) {
        let text = format!("Step {}, {}: {}.", grouped(marked.step), marked.kind, marked.text);
        let _ = writeln!(list, "<li>{}</li>", escape(&lang.said(&text)));
    }
    if let Some(more) = history.marked.len().checked_sub(MOST_LISTED).filter(|&more| more > 0) {
        let _ = writeln!(list, "<li>{}</li>", lang.said(&format!("and {} more", grouped(more as u64))));
    }
    list + "</ul>\n"
}

/// What it was trained on.
fn data(settings: &Settings, history: &History, lang: Lang) -> Vec<(&'static str, String)> {
    let from = settings.text_of("data.from").unwrap_or_default();
    let mut pairs = vec![("from", from.to_string())];
    if let Some(target) = settings.text_of("data.target") {
        pairs.push(("target", target.to_string()));
    }
    // A loop that is not Downhill's need not say.
    let size = history.run.size.as_ref().filter(|size| size.features > 0);
    if let Some(&Size { train_rows, valid_rows, features, classes, .. }) = size {
        let said = |text: String| lang.said(&text).into_owned();
        let rows = format!("{} to train on, {} held out", grouped(train_rows), grouped(valid_rows));
        pairs.push(("rows", said(rows)));
        pairs.push(("inputs", grouped(features)));
        pairs.push((
            "task",
            said(classes.map_or("regression".into(), |classes| format!("{classes} classes"))),
        ));
    }
    pairs
}

/// What it was made with.
fn surroundings(environment: &Environment, lang: Lang) -> Vec<(&'static str, String)> {
    let Environment { version, os, arch, vectors, cores, threads } = environment;
    let vectors = if vectors.is_empty() { lang.said("none known").into() } else { vectors.join(", ") };
    vec![
        ("Downhill", version.clone()),
        ("system", format!("{os}, {arch}")),
        ("vector instructions", vectors),
        ("threads", lang.said(&format!("{threads} of {}", counted(*cores as u64, "core"))).into_owned()),
    ]
}

/// How good the run is, and how it stopped, in English.
pub(crate) fn result(settings: &Settings, history: &History) -> String {
    let total = history.epochs_planned().or(settings.epochs()).unwrap_or(0);
    let made = history.epochs_made();
    let networks = settings.networks();
    let mut text = match &history.kept {
        Some(kept) => format!(
            "{} loss of {} on {}, {}.",
            match figures(&kept.metrics, history.confusion.as_ref()) {
                figures if figures.is_empty() => "A".to_string(),
                figures => figures + " and a",
            },
            significant(kept.valid_loss),
            history
                .run
                .size
                .as_ref()
                .filter(|size| size.valid_rows > 0)
                .map_or("the rows held out".into(), |size| counted(size.valid_rows, "row") + " held out"),
            match networks {
                None => format!("with the weights of epoch {}", grouped(kept.epoch.saturating_add(1))),
                Some((count, false)) => format!("with the average of {}", counted(count, "network")),
                Some((count, true)) => {
                    format!(
                        "each predicted by that of {} that was trained without it",
                        counted(count, "network")
                    )
                }
            },
        ),
        None => String::new(),
    };
    let ended = match history.run.stop() {
        None => format!(
            "After {} of {total} the log has no end: the run is under way, or was killed.",
            counted(made, "epoch")
        ),
        Some(Stop::Finished) => format!("It ran to its end: {}.", counted(total, "epoch")),
        Some(Stop::EarlyStopping) => {
            let patience = match settings.text_of("training.early-stopping").map(str::parse) {
                Some(Ok(EarlyStopping::After(after))) if networks.is_none() => {
                    format!(": {} passed without a better one", counted(after.patience, "epoch"))
                }
                Some(Ok(EarlyStopping::After(_) | EarlyStopping::Off) | Err(_)) | None => String::new(),
            };
            format!("It stopped early, after {made} of {}{patience}.", counted(total, "epoch"))
        }
        Some(Stop::Ended) => format!("It was ended by hand, after {made} of {}.", counted(total, "epoch")),
        Some(Stop::Interrupted) => {
            format!("It was interrupted, after {made} of {}.", counted(total, "epoch"))
        }
        Some(Stop::Diverged { lr }) => format!(
            "It diverged: the loss stopped being a finite number in epoch {}, at a learning rate of {}.",
            grouped(made.saturating_add(1)),
            significant(lr)
        ),
    };
    if !text.is_empty() {
        text.push(' ');
    }
    text + &ended
}

/// The metrics in words, the one to judge by first.
fn figures(metrics: &Metrics, confusion: Option<&Confusion>) -> String {
    match metrics {
        Metrics::Classification(Classification { accuracy, macro_f1, .. }) => {
            let positive = confusion.filter(|found| found.classes.len() == 2);
            let f1 = match positive.and_then(|found| found.by_class().pop()) {
                Some(positive) => format!("F1 of class {} {:.3}", positive.class, positive.f1),
                None => format!("macro F1 {macro_f1:.3}"),
            };
            format!("Accuracy {:.1}%, {f1}", 100.0 * accuracy)
        }
        Metrics::Regression(Regression { rmse, r2, .. }) => {
            let r2 = r2.map_or(String::new(), |r2| format!("R² {r2:.3}, "));
            format!("{r2}RMSE {}", significant(*rmse))
        }
        Metrics::Named(figures) => {
            let figures = figures.iter().map(|(name, figure)| format!("{name} {}", significant(*figure)));
            let all = figures.collect::<Vec<_>>().join(", ");
            let mut letters = all.chars();
            letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
        }
    }
}

/// What was trained, on what, for how long.
fn makeup(settings: &Settings, history: &History, lang: Lang) -> String {
    let mut parts = Vec::new();
    match history.kept.as_ref().map(|epoch| &epoch.metrics) {
        Some(Metrics::Classification(_)) => parts.push("classification".to_string()),
        Some(Metrics::Regression(_)) => parts.push("regression".to_string()),
        Some(Metrics::Named(_)) | None => {}
    }
    if let Some(Size { train_rows, .. }) = history.run.size {
        parts.extend((train_rows > 0).then(|| counted(train_rows, "row") + " trained on"));
    }
    parts.extend(network(settings));
    parts.extend(members(settings));
    if let Some(Size { parameters, .. }) = history.run.size {
        parts.extend((parameters > 0).then(|| counted(parameters, "parameter")));
    }
    let seconds: f64 = history.epochs.iter().map(|epoch| epoch.seconds).sum();
    if seconds > 0.0 && seconds.is_finite() {
        parts.push(match seconds {
            _ if seconds < 1.0 => format!("{:.0} ms of training", 1000.0 * seconds),
            _ if seconds < 120.0 => format!("{seconds:.1} s of training"),
            _ => format!("{} min of training", grouped((seconds / 60.0).round() as u64)),
        });
    }
    let mut text = parts.iter().map(|part| lang.said(part)).collect::<Vec<_>>().join(" · ");
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// The network in words, if its settings are those of one of Downhill's.
fn network(settings: &Settings) -> Option<String> {
    if let Some(layers) = settings.get("training.network.layers") {
        let name = |layer: &str| layer.split('(').next().unwrap_or_default().to_string();
        let names = layers.as_array()?.iter().filter_map(|layer| layer.as_str().map(name));
        return Some(format!("layers {}", names.collect::<Vec<_>>().join(", ")));
    }
    let mlp = |key: &str| settings.get(&format!("training.network.mlp.{key}"));
    let sizes: Vec<String> = mlp("hidden")?.as_array()?.iter().map(ToString::to_string).collect();
    if sizes.is_empty() {
        return Some("no hidden layer".into());
    }
    let norm = if mlp("batch-norm")?.as_bool()? { ", batch normalisation" } else { "" };
    let dropout = mlp("dropout").and_then(|dropout| dropout.as_float()).filter(|&dropout| dropout > 0.0);
    let dropout = dropout.map_or(String::new(), |dropout| format!(", dropout {dropout}"));
    let layers = if sizes.len() == 1 { "hidden layer" } else { "hidden layers" };
    let numbers = mlp("numbers").and_then(|numbers| numbers.as_str());
    let numbers = numbers.map_or(String::new(), |numbers| format!(", numbers by {numbers}"));
    let activation = mlp("activation")?.as_str()?;
    Some(format!("{layers} of {} units, {activation}{norm}{dropout}{numbers}", sizes.join(" and ")))
}

/// The members that share the hidden layers, if there are several.
fn members(settings: &Settings) -> Option<String> {
    let members = settings.get("training.network.mlp.ensemble")?.as_integer()?;
    (members > 1).then(|| format!("weights shared by {members} members"))
}

/// The title of the chart of rates.
pub(crate) const RATE: &str = "Learning rate";

pub(crate) fn epochs(lang: Lang) -> Axis {
    Axis::new(lang.said("epoch")).whole()
}

/// The axis of these rates.
pub(crate) fn rate_axis(rates: &[(f64, f64)], lang: Lang) -> Axis {
    let highest = rates.iter().map(|point| point.1).filter(|rate| rate.is_finite()).fold(0.0, f64::max);
    Axis::new(lang.said("learning rate")).log(true).within(LOWEST_RATE * highest, f64::INFINITY)
}

/// The charts of a run's way that there is something to draw in.
fn charts(Run { history, settings, .. }: &Run, lang: Lang) -> Vec<Chart> {
    // Of several networks, each keeps an epoch of its own.
    let marked = |chart: Chart| match history.kept.as_ref().filter(|_| settings.networks().is_none()) {
        Some(kept) => {
            let number = kept.epoch as f64 + 1.0;
            chart.mark(number, lang.said(&format!("kept: epoch {number}")))
        }
        None => chart,
    };

    let validation = history.each(|epoch| epoch.valid_loss);
    let training = history.each(|epoch| epoch.train_loss);
    // Training may fall to nothing; the validation loss would be flat on its scale.
    let y = Axis::new(lang.said("loss")).log(is_wide(validation.iter()));
    let loss = Chart::new(lang.said("Loss"), epochs(lang), y)
        .lang(lang)
        .line(Series::new(lang.said("validation"), validation))
        .line(Series::new(lang.said("training"), training));

    let [made, planned] = history.rates();
    let y = rate_axis(&[&made[..], &planned].concat(), lang);
    let rate = Chart::new(lang.said(RATE), Axis::new(lang.said("step")).whole(), y)
        .lang(lang)
        .line(Series::new(lang.said("used"), made))
        .line(Series::new(lang.said("planned"), planned));
    let rate =
        history.marked.iter().fold(rate, |rate, event| rate.mark(event.step as f64, lang.said(event.kind)));

    let charts = [marked(loss), marked(metric(history, lang)), rate, sharpness::chart(history, lang)];
    charts.into_iter().filter(|chart| !history.epochs.is_empty() && chart.draws()).collect()
}

/// The chart of the metric to judge by: accuracy, R², or, where there is no R², the RMSE.
pub(crate) fn metric(history: &History, lang: Lang) -> Chart {
    let validation = lang.said("validation");
    let classes = |epoch: &Epoch| matches!(epoch.metrics, Metrics::Classification(_));
    if history.epochs.iter().any(classes) {
        let accuracy = history.each(|epoch| 100.0 * epoch.metrics.score());
        return Chart::new(
            lang.said("Accuracy"),
            epochs(lang),
            Axis::new(lang.said("accuracy in %")).within(0.0, 100.0),
        )
        .lang(lang)
        .line(Series::new(validation, accuracy));
    }
    let named = history.epochs.iter().find_map(|epoch| match &epoch.metrics {
        Metrics::Named(_) => epoch.metrics.headline(),
        Metrics::Classification(_) | Metrics::Regression(_) => None,
    });
    if let Some((name, _)) = named {
        let figure = history.each(|epoch| epoch.metrics.score());
        return Chart::new(name, epochs(lang), Axis::new(name))
            .lang(lang)
            .line(Series::new(validation, figure));
    }
    let r2 = history.each(|epoch| epoch.metrics.score());
    if r2.iter().any(|point| point.1.is_finite()) {
        // How far below −1 a beginning was is no news, and would flatten the rest.
        let lowest = if r2.iter().any(|point| point.1 > 0.0) { -1.0 } else { f64::NEG_INFINITY };
        return Chart::new("R²", epochs(lang), Axis::new("R²").within(lowest, 1.0))
            .lang(lang)
            .line(Series::new(validation, r2));
    }
    let rmse = history.each(|epoch| match &epoch.metrics {
        Metrics::Regression(metrics) => metrics.rmse,
        Metrics::Classification(_) | Metrics::Named(_) => f64::NAN,
    });
    Chart::new("RMSE", epochs(lang), Axis::new("RMSE")).lang(lang).line(Series::new(validation, rmse))
}

/// Whether values are so far apart that a linear axis would flatten most of them. The lowest fifth does not
/// count: a cosine ends next to zero, and on a logarithmic axis nothing else would be seen of it.
pub(crate) fn is_wide<'a>(points: impl Iterator<Item = &'a (f64, f64)>) -> bool {
    let mut values: Vec<f64> = points.map(|point| point.1).filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f64::total_cmp);
    let low = values.get(values.len() / 5).copied().unwrap_or_default();
    let high = values.last().copied().unwrap_or_default();
    low > 0.0 && high > LOG_FROM * low
}

/// An argument as a shell takes it.
fn shell(argument: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+:@%,=".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_string()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}
