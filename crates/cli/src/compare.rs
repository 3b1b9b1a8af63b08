//! `downhill compare`

use downhill::train::{Compared, Contender, RateVerdict, Shelf};
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
    match format {
        Format::Json => output::print_json(&entrants.iter().map(object).collect::<Vec<_>>()),
        Format::Csv => output::print_flat_csv_rows(&entrants.iter().map(object).collect::<Vec<_>>()),
        Format::Text => output::print(&format!("{}{}", curves(&entrants), table(&entrants))),
    }
}

/// `lr=0.1, dropout=0.2`, without what a folder's name cannot have.
fn folder_name(settings: &[(String, String)]) -> String {
    let parts: Vec<String> = settings.iter().map(|(flag, value)| format!("{flag}={value}")).collect();
    let fits = |c: char| if c.is_alphanumeric() || " =.,()[]%+-_".contains(c) { c } else { '-' };
    parts.join(", ").chars().map(fits).take(120).collect()
}

fn object((settings, compared): &Entrant) -> Value {
    let settings: Map<String, Value> =
        settings.iter().map(|(flag, value)| (flag.clone(), value.clone().into())).collect();
    let summary = compared.trained.as_ref().map(|trained| trained.summary());
    let end = ended(compared);
    json!({
        "settings": settings,
        "train_loss": end.map(|end| end.0),
        "valid_loss": end.map(|end| end.1),
        "best_epoch": summary.and_then(|summary| summary.best_epoch),
        "verdict": compared.verdict,
        "diverged_at_epoch": compared.course.blow_up.map(|blow_up| blow_up.epoch),
        "run": summary.and_then(|summary| summary.run.clone()),
    })
}

/// The losses of training and validation in the last epoch, unless the run blew up.
fn ended(compared: &Compared) -> Option<(f64, f64)> {
    let last = compared.course.epochs.last().filter(|_| compared.course.blow_up.is_none())?;
    Some((last.train_loss, last.valid_loss))
}

fn name(settings: &[(String, String)]) -> String {
    settings.iter().map(|(flag, value)| format!("--{flag} {value}")).collect::<Vec<_>>().join(" ")
}

fn table(entrants: &[Entrant]) -> String {
    let names: Vec<String> = entrants.iter().map(|(settings, _)| output::cell(&name(settings))).collect();
    let wide = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{:<wide$}  {:>10}  {:>10}  {:>5}\n", "", "training", "validation", "best");
    for (name, (_, compared)) in names.iter().zip(entrants) {
        let [train, valid] = match ended(compared) {
            Some((train, valid)) => [number(train), number(valid)],
            None => ["–", "–"].map(String::from),
        };
        let best = compared.trained.as_ref().and_then(|trained| trained.summary().best_epoch);
        let best = best.map_or("–".into(), |best| best.to_string());
        let verdict = verdict(compared);
        let line = format!("{name:<wide$}  {train:>10}  {valid:>10}  {best:>5}  {verdict}");
        text += &format!("{}\n", line.trim_end());
    }
    text
}

/// The verdict in words, with where the run blew up.
fn verdict(compared: &Compared) -> String {
    let words = compared.verdict.map_or("", RateVerdict::words);
    match compared.course.blow_up {
        Some(blow_up) => {
            let comma = if words.is_empty() { "" } else { ", " };
            format!("{words}{comma}blew up in epoch {}", blow_up.epoch.floor() + 1.0)
        }
        None => words.into(),
    }
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
