//! `downhill compare`

use downhill::train::{Compared, Contender, Metrics, RateVerdict, Shelf, Summary, is_by_loss, ranking};
use downhill_report::{Axis, Curve, Curves, Lang, Word};
use serde_json::{Map, Value, json};

use crate::args::Format;
use crate::braille::{self, Frame, number};
use crate::sweep::Sweep;
use crate::{Failure, output};

/// Settings in which a run differs from the others, and what it came to.
type Entrant = (Vec<(String, String)>, Compared);

pub fn compare(sweep: &Sweep, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let first = &sweep.cases[0].args;
    let mut groups: Vec<String> = Vec::new();
    let mut contenders = Vec::new();
    let mut configs = Vec::new();
    for case in &sweep.cases {
        let config = case.args.setup.config()?;
        let key = case.settings.iter().filter(|(flag, _)| flag != "lr");
        let key = key.map(|(flag, value)| format!("--{flag} {value} ")).collect::<String>();
        let group = groups.iter().position(|other| *other == key).unwrap_or_else(|| {
            groups.push(key);
            groups.len() - 1
        });
        contenders.push(Contender {
            config: config.training.clone(),
            name: folder_name(&case.settings),
            group,
        });
        configs.push(config);
    }
    // The split is a function of the seed, so there are as many data sets as seeds.
    let mut results: Vec<Option<Compared>> = contenders.iter().map(|_| None).collect();
    let mut before = 0;
    let total = contenders.len();
    let mut seeds: Vec<u64> = Vec::new();
    configs.iter().for_each(|config| {
        if !seeds.contains(&config.training.seed) {
            seeds.push(config.training.seed);
        }
    });
    for seed in seeds {
        let members: Vec<usize> =
            (0..total).filter(|&member| configs[member].training.seed == seed).collect();
        let source = &configs[members[0]].data;
        let data = source.load(seed)?;
        let shelf = first.out.as_deref().map(|runs| Shelf { runs, source });
        let of_seed: Vec<Contender> = members.iter().map(|&member| contenders[member].clone()).collect();
        let done = |done: usize| {
            if !quiet {
                output::tell(&format!("{} of {total} runs made", before + done));
            }
        };
        let compared = downhill::train::compare(&of_seed, &data, first.threads, shelf, done)?;
        before += members.len();
        for (member, compared) in members.into_iter().zip(compared) {
            results[member] = Some(compared);
        }
    }
    let settings = sweep.cases.iter().map(|case| case.settings.clone());
    let entrants: Vec<Entrant> = settings.zip(results.into_iter().flatten()).collect();

    if let Some(file) = &first.plot {
        let dataset = configs[0].data.name();
        file.write(&chart(&dataset, &entrants, lang).svg_file(), quiet)?;
    }
    let runs: Vec<&Compared> = entrants.iter().map(|(_, compared)| compared).collect();
    let order = ranking(&runs);
    let objects = || -> Vec<Value> {
        let rank = |place| 1 + order.iter().position(|&other| other == place).expect("all are ranked");
        entrants.iter().enumerate().map(|(place, entrant)| object(entrant, rank(place), &entrants)).collect()
    };
    match format {
        Format::Json => output::print_json(&objects()),
        Format::Csv => output::print_flat_csv_rows(&objects()),
        Format::Text => {
            let by = if is_by_loss(&runs) { "validation loss" } else { metric(&entrants).1 };
            output::print(&format!("{}{}", curves(&entrants), table(&entrants, &order, by)))
        }
    }
}

/// `lr=0.1, dropout=0.2`, without what a folder's name cannot have.
fn folder_name(settings: &[(String, String)]) -> String {
    let parts: Vec<String> = settings.iter().map(|(flag, value)| format!("{flag}={value}")).collect();
    let fits = |c: char| if c.is_alphanumeric() || " =.,()[]%+-_".contains(c) { c } else { '-' };
    parts.join(", ").chars().map(fits).take(120).collect()
}

/// What a run came to: losses and metric of the weights that are kept, and how it ended, by which its rate is judged.
fn object((settings, compared): &Entrant, rank: usize, entrants: &[Entrant]) -> Value {
    let settings: Map<String, Value> =
        settings.iter().map(|(flag, value)| (flag.clone(), value.clone().into())).collect();
    let summary = summary(compared);
    let last = compared.course.epochs.last().filter(|_| compared.course.blow_up.is_none());
    let mut object = json!({
        "settings": settings,
        "rank": rank,
        "train_loss": summary.and_then(|summary| summary.train_loss),
        "valid_loss": summary.map(|summary| summary.valid_loss),
    });
    object[metric(entrants).0] = summary.map(|summary| summary.metrics.score()).into();
    object["best_epoch"] = summary.and_then(|summary| summary.best_epoch).into();
    object["end_train_loss"] = last.map(|epoch| epoch.train_loss).into();
    object["end_valid_loss"] = last.map(|epoch| epoch.valid_loss).into();
    object["verdict"] = json!(compared.verdict);
    object["diverged_at_epoch"] = compared.course.blow_up.map(|blow_up| blow_up.epoch).into();
    object["run"] = summary.and_then(|summary| summary.run.clone()).into();
    object
}

fn summary(compared: &Compared) -> Option<&Summary> {
    compared.trained.as_ref().map(|trained| trained.summary())
}

/// The metric that is shown, as it is named in data and for people; where no run came to anything, it is not known which.
fn metric(entrants: &[Entrant]) -> (&'static str, &'static str) {
    match entrants.iter().find_map(|(_, compared)| summary(compared)).map(|summary| &summary.metrics) {
        Some(Metrics::Classification(_)) => ("accuracy", "accuracy"),
        Some(Metrics::Regression(_)) => ("r2", "R²"),
        None => ("score", "score"),
    }
}

fn name(settings: &[(String, String)]) -> String {
    settings.iter().map(|(flag, value)| format!("--{flag} {value}")).collect::<Vec<_>>().join(" ")
}

/// The runs in order, the best first, with what is kept of each; and behind it what its rate is judged by.
fn table(entrants: &[Entrant], order: &[usize], by: &str) -> String {
    let names: Vec<String> = entrants.iter().map(|(settings, _)| name(settings)).collect();
    let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let heads = ["validation", metric(entrants).1, "epoch", "training"];
    let [valid, score, epoch, train] = heads;
    let mut text =
        format!("{:>4}  {:<wide$}  {valid:>10}  {score:>8}  {epoch:>5}  {train:>10}\n", "rank", "");
    let none = || "–".to_string();
    for (rank, &place) in order.iter().enumerate() {
        let (name, compared) = (&names[place], &entrants[place].1);
        let summary = summary(compared);
        let valid = summary.map_or_else(none, |summary| number(summary.valid_loss));
        let score = summary.map_or_else(none, |summary| match &summary.metrics {
            Metrics::Classification(metrics) => format!("{:.1}%", 100.0 * metrics.accuracy),
            Metrics::Regression(metrics) => metrics.r2.map_or_else(none, |r2| format!("{r2:.3}")),
        });
        let epoch =
            summary.and_then(|summary| summary.best_epoch).map_or_else(none, |epoch| epoch.to_string());
        let end = compared.course.attempt(compared.peak_rate).end();
        let train = end.map_or_else(none, number);
        let line = format!(
            "{:>4}  {name:<wide$}  {valid:>10}  {score:>8}  {epoch:>5}  {train:>10}  {}",
            rank + 1,
            verdict(compared)
        );
        text += &format!("{}\n", line.trim_end());
    }
    text += &format!("ranked by the {by} of the weights that are kept, those of the epoch shown\n");
    if is_judged(entrants) {
        text += "rates are judged by the training loss at the end: good is within 5% of the best one's gain, and at most 1.5 \
                 times its loss\n";
    }
    text
}

/// The verdict in words, with where the run blew up or its loss began to grow.
fn verdict(compared: &Compared) -> String {
    let words = compared.verdict.map_or("", RateVerdict::words);
    let rescued = summary(compared).is_some_and(|summary| summary.stop != "diverged");
    let trouble = match (compared.course.blow_up, compared.course.grown()) {
        (Some(blow_up), _) => {
            let went_on = if rescued { ", and went on at a lower rate" } else { "" };
            format!("blew up in epoch {}{went_on}", blow_up.epoch.floor() + 1.0)
        }
        (None, Some(epoch)) => format!("above the first guess's loss from epoch {} on", epoch + 1),
        (None, None) => String::new(),
    };
    let comma = if words.is_empty() || trouble.is_empty() { "" } else { ", " };
    format!("{words}{comma}{trouble}")
}

/// The losses to draw: those of training where rates are judged, as they are judged by them, and of validation else.
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

fn is_judged(entrants: &[Entrant]) -> bool {
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

fn chart(dataset: &str, entrants: &[Entrant], lang: Lang) -> Curves {
    let training = is_judged(entrants);
    let ((low, high), log) = range(entrants);
    let loss = if training { Word::TrainingLoss } else { Word::ValidationLoss };
    let curve = |(settings, compared): &Entrant| {
        let label = compared.verdict.map_or("", |verdict| lang.rate_verdict(verdict));
        let curve = Curve::new(name(settings), label, points(compared, training));
        if compared.course.blow_up.is_some() { curve.cut() } else { curve }
    };
    Curves {
        title: lang.losses_of(loss, dataset),
        x: Axis::new(lang.word(Word::Epoch)).whole(),
        y: Axis::new(lang.word(loss)).log(log).within(low, high),
        curves: entrants.iter().map(curve).collect(),
        lang,
    }
}

/// The curves for a terminal, one below the other on the same axes: colours alone would not tell them apart
/// everywhere.
fn curves(entrants: &[Entrant]) -> String {
    const WIDTH: usize = 66;
    let training = is_judged(entrants);
    let (range, log) = range(entrants);
    let frame = Frame { range, log, size: (WIDTH, 5) };
    let epochs = entrants.iter().map(|(_, compared)| compared.course.planned).max().unwrap_or(1);
    let mut text = String::new();
    for (settings, compared) in entrants {
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
            braille::curve(&values, frame, "epoch 0", &end)
        );
    }
    text
}
