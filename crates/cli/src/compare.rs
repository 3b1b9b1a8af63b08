//! `downhill compare`

mod picture;
mod table;

use std::path::Path;

use downhill::train::{Compared, Contender, Metrics, RateVerdict, Shelf, Summary, is_by_loss, ranking};
use downhill_report::Lang;
use serde_json::{Map, Value, json};

use crate::args::Format;
use crate::sweep::Sweep;
use crate::{Failure, board, output};

use picture::{chart, curves, is_judged};
use table::table;

/// Settings in which a run differs from the others, and what it came to.
type Entrant = (Vec<(String, String)>, Compared);

pub fn compare(sweep: &Sweep, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let first = &sweep.cases[0].args;
    stop_with_a_word(first.out.as_deref(), quiet)?;
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
        let views = |index: usize| {
            let Contender { name, config, .. } = &of_seed[index];
            first.tensorboard.iter().map(|parent| board::view(parent, name, config)).collect()
        };
        let compared = downhill::train::compare(&of_seed, &data, first.threads, shelf, views, done)?;
        before += members.len();
        for (member, compared) in members.into_iter().zip(compared) {
            results[member] = Some(compared);
        }
    }
    if let (Some(out), false) = (&first.out, quiet) {
        let there = results.iter().flatten().filter(|compared| compared.was_there).count() as u64;
        if there > 0 {
            let (runs, were) = (output::count(there, "run"), if there == 1 { "was" } else { "were" });
            output::note(&format!("{runs} {were} in {} already, and not made again", out.display()));
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

/// Says what Ctrl-C leaves behind.
fn stop_with_a_word(out: Option<&Path>, quiet: bool) -> Result<(), Failure> {
    let word = match out {
        Some(out) => format!(
            "interrupted: what was saved is in {}, and the same command goes on with it",
            out.display()
        ),
        None => "interrupted: nothing was saved; with --out, runs are kept".into(),
    };
    ctrlc::set_handler(move || {
        if !quiet {
            output::tell(&word);
        }
        std::process::exit(130);
    })?;
    Ok(())
}

/// `lr=0.1_dropout=0.2`, without what would have to be quoted in a shell.
fn folder_name(settings: &[(String, String)]) -> String {
    let plain = |text: &str| {
        let fits = |c: char| c.is_alphanumeric() || "=.+%".contains(c);
        let parts = text.split(|c: char| !fits(c)).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("-")
    };
    // A minus in front of a number is no separator.
    let value = |text: &str| if text.starts_with('-') { format!("-{}", plain(text)) } else { plain(text) };
    let parts: Vec<String> = settings.iter().map(|(flag, text)| format!("{flag}={}", value(text))).collect();
    parts.join("_").chars().take(120).collect()
}

/// What a run came to: losses and metric of the weights that are kept, and how it ended, by which its rate is
/// judged.
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

/// The metric that is shown, as it is named in data and for people; where no run came to anything, it is not
/// known which.
fn metric(entrants: &[Entrant]) -> (&'static str, &'static str) {
    match entrants.iter().find_map(|(_, compared)| summary(compared)).map(|summary| &summary.metrics) {
        Some(Metrics::Classification(_)) => ("accuracy", "accuracy"),
        Some(Metrics::Regression(_)) => ("r2", "R²"),
        Some(Metrics::Named(_)) | None => ("score", "score"),
    }
}

fn name(settings: &[(String, String)]) -> String {
    let name: Vec<String> = settings.iter().map(|(flag, value)| format!("--{flag} {value}")).collect();
    output::cell(&name.join(" "))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_need_no_quotes() {
        let settings = [("lr", "0.1"), ("optimizer", "adamw(beta1=0.8, eps=1e-7)"), ("hidden", "64,64")];
        let settings = settings.map(|(flag, value)| (flag.to_string(), value.to_string()));
        assert_eq!(folder_name(&settings), "lr=0.1_optimizer=adamw-beta1=0.8-eps=1e-7_hidden=64-64");
    }
}
