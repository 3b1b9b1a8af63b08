//! `downhill compare`

mod picture;
mod table;

use std::path::Path;

use downhill::train::{Compared, Contender, RateVerdict, Shelf};
use downhill_report::Lang;
use serde_json::{Map, Value, json};

use crate::args::Format;
use crate::sweep::Sweep;
use crate::{Failure, board, output};

use picture::{chart, curves};
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
    match format {
        Format::Json => output::print_json(&entrants.iter().map(object).collect::<Vec<_>>()),
        Format::Csv => output::print_flat_csv_rows(&entrants.iter().map(object).collect::<Vec<_>>()),
        Format::Text => output::print(&format!("{}{}", curves(&entrants), table(&entrants))),
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
