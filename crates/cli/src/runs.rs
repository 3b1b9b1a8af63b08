//! `downhill runs`

use std::cmp::Ordering;
use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use downhill::train::{Metrics, Overview, State, path_text};
use serde_json::{Value, json};

use crate::args::{Format, RunsArgs, state};
use crate::{Failure, output};

#[derive(Args)]
pub struct ListArgs {
    /// What comes first: metric is best first, age newest first.
    #[arg(long, value_enum, value_name = "KEY", default_value_t = Sort::Age)]
    pub sort: Sort,

    /// Only those trained on the data of this name.
    #[arg(long, value_name = "NAME")]
    pub data: Option<String>,

    /// Only those that are running, finished, stopped-early, ended, interrupted, diverged, crashed or broken.
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub state: Option<State>,

    #[command(flatten)]
    pub runs: RunsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Name,
    Data,
    State,
    Metric,
    Epochs,
    Age,
}

pub fn runs(options: &ListArgs, format: Format) -> Result<(), Failure> {
    // Where no run has been made yet, there are none.
    let mut all = if options.runs.runs.exists() { Overview::list(&options.runs.runs)? } else { Vec::new() };
    all.retain(|run| options.data.as_ref().is_none_or(|data| run.data.as_ref() == Some(data)));
    all.retain(|run| options.state.is_none_or(|state| run.state == state));
    all.sort_by(|a, b| order(options.sort, a, b));
    let all = tree(all);
    match format {
        Format::Json => output::print_json(&all.iter().map(|(_, run)| object(run)).collect::<Vec<_>>()),
        Format::Csv => {
            let head = CSV.map(str::to_string);
            let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
            let row = |(_, run): &(usize, Overview)| {
                let object = object(run);
                CSV.map(|name| object.get(name).filter(|value| !value.is_null()).map_or(String::new(), cell))
            };
            output::print_csv(std::iter::once(head).chain(all.iter().map(row)))
        }
        Format::Text if all.is_empty() => {
            let runs = options.runs.runs.display();
            output::tell(&match options.runs.runs.exists() {
                true => format!("no such run in {runs}"),
                false => format!("no runs: there is no folder {runs}"),
            });
            Ok(())
        }
        Format::Text => output::print(&table(&all)),
    }
}

const CSV: [&str; 13] = [
    "name",
    "path",
    "parent",
    "data",
    "state",
    "why",
    "metric",
    "score",
    "best_epoch",
    "valid_loss",
    "epochs",
    "total_epochs",
    "changed",
];

/// The first of two runs; of the same, the one that changed last.
fn order(by: Sort, a: &Overview, b: &Overview) -> Ordering {
    let newest = || b.changed.total_cmp(&a.changed).then_with(|| a.name.cmp(&b.name));
    let first = match by {
        Sort::Age => Ordering::Equal,
        Sort::Name => a.name.cmp(&b.name),
        Sort::Data => a.data.cmp(&b.data),
        Sort::State => a.state.cmp(&b.state),
        Sort::Epochs => b.epochs.cmp(&a.epochs),
        Sort::Metric => {
            let [a, b] = [a, b].map(|run| run.metrics.as_ref().and_then(Metrics::headline));
            match (a, b) {
                (Some((one, x)), Some((other, y))) if one == other && one == "rmse" => x.total_cmp(&y),
                (Some((one, x)), Some((other, y))) => one.cmp(other).then(y.total_cmp(&x)),
                (a, b) => b.is_some().cmp(&a.is_some()),
            }
        }
    };
    first.then_with(newest)
}

/// Runs below those that they branched off, with how deep they are; otherwise the order stays.
fn tree(runs: Vec<Overview>) -> Vec<(usize, Overview)> {
    fn place(run: Overview, depth: usize, rest: &mut Vec<Overview>, placed: &mut Vec<(usize, Overview)>) {
        let is_branch = |other: &Overview| other.parent.as_ref() == Some(&run.name);
        let (branches, others) = std::mem::take(rest).into_iter().partition(is_branch);
        *rest = others;
        placed.push((depth, run));
        let branches: Vec<Overview> = branches;
        branches.into_iter().for_each(|branch| place(branch, depth + 1, rest, placed));
    }
    let names: HashSet<String> = runs.iter().map(|run| run.name.clone()).collect();
    let is_root = |run: &Overview| run.parent.as_ref().is_none_or(|parent| !names.contains(parent));
    let (roots, mut rest): (Vec<_>, Vec<_>) = runs.into_iter().partition(is_root);
    let mut placed = Vec::new();
    roots.into_iter().for_each(|root| place(root, 0, &mut rest, &mut placed));
    // Those that say they branched off each other.
    placed.extend(rest.into_iter().map(|run| (0, run)));
    placed
}

/// Branches of branches are moved to the right so often.
const MOST_DEPTH: usize = 20;

fn object(run: &Overview) -> Value {
    let (metric, score) = run.metrics.as_ref().and_then(Metrics::headline).unzip();
    json!({
        "name": run.name, "path": path_text::to_text(&run.path), "parent": run.parent, "data": run.data, "state": run.state, "why": run.why,
        "metric": metric, "score": score, "best_epoch": run.best_epoch, "valid_loss": run.valid_loss,
        "metrics": run.metrics, "epochs": run.epochs, "total_epochs": run.total_epochs, "changed": run.changed,
    })
}

fn table(runs: &[(usize, Overview)]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
    let row = |(depth, run): &(usize, Overview)| {
        let metric = match run.metrics.as_ref().and_then(Metrics::headline) {
            Some(("accuracy", value)) => {
                output::said(&format!("accuracy {:.1}%", 100.0 * value)).into_owned()
            }
            Some(("r2", value)) => format!("R² {value:.3}"),
            Some(("rmse", value)) => format!("RMSE {}", output::fixed(value)),
            Some((name, value)) => output::cell(&format!("{name} {}", output::fixed(value))),
            None => String::new(),
        };
        let branch = if *depth > 0 {
            format!("{}└ ", "  ".repeat((depth - 1).min(MOST_DEPTH)))
        } else {
            String::new()
        };
        let epochs = run.total_epochs.map_or(String::new(), |total| format!("{}/{total}", run.epochs));
        [
            format!("{branch}{}", output::cell(&run.name)),
            output::cell(run.data.as_deref().unwrap_or_default()),
            output::said(run.state.name()).into_owned(),
            metric,
            run.best_epoch.map_or(String::new(), |epoch| epoch.to_string()),
            epochs,
            output::said(&age(now - run.changed)).into_owned(),
            output::cell(&output::said(run.why.as_deref().unwrap_or_default())),
        ]
    };
    let head = ["name", "data", "state", "kept", "of epoch", "epochs", "age", ""]
        .map(|name| output::said(name).into_owned());
    let rows: Vec<[String; 8]> = std::iter::once(head).chain(runs.iter().map(row)).collect();
    let wide = |column: usize| rows.iter().map(|row| output::width_of(&row[column])).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(wide);
    let line = |row: &[String; 8]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| output::left(cell, width));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// A time for people, in one unit.
fn age(seconds: f64) -> String {
    let units = [(86400.0, "d"), (3600.0, "h"), (60.0, "min")];
    let unit = units.into_iter().find(|(length, _)| seconds >= *length);
    unit.map_or(format!("{:.0} s", seconds.max(0.0)), |(length, name)| {
        format!("{:.0} {name}", (seconds / length).floor())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, parent: Option<&str>) -> Overview {
        let mut run = Overview::of(std::path::Path::new(name));
        assert_eq!(run.state, State::Broken, "there is no such folder");
        run.parent = parent.map(str::to_string);
        run
    }

    #[test]
    fn branches_stand_below_what_they_branched_off() {
        let runs = [
            run("c", Some("b")),
            run("a", None),
            run("b", Some("a")),
            run("lost", Some("gone")),
            run("x", Some("y")),
            run("y", Some("x")),
            run("d", Some("a")),
        ];
        let placed = tree(runs.to_vec());
        let names: Vec<_> = placed.iter().map(|(depth, run)| (*depth, run.name.as_str())).collect();
        assert_eq!(names, [(0, "a"), (1, "b"), (2, "c"), (1, "d"), (0, "lost"), (0, "x"), (0, "y")]);
        assert!(table(&placed).contains("\n└ b") && table(&placed).contains("\n  └ c"));
    }

    #[test]
    fn ages_have_one_unit() {
        let ages = [
            (0.0, "0 s"),
            (59.4, "59 s"),
            (60.0, "1 min"),
            (7300.0, "2 h"),
            (200_000.0, "2 d"),
            (-5.0, "0 s"),
        ];
        ages.into_iter().for_each(|(seconds, text)| assert_eq!(age(seconds), text));
    }
}
