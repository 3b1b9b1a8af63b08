//! Flags that are given several values: every combination of them is a run.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};

use crate::args::{NetworkArgs, RateArgs, SetupArgs, TrainingArgs, threads};
use crate::given::{self, given};
use crate::plot::PlotFile;

/// More runs than this are taken for a mistake.
const MOST_RUNS: usize = 200;

// The settings of one of the runs to compare.
#[derive(Args)]
pub struct CompareArgs {
    #[command(flatten)]
    pub setup: SetupArgs,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,

    /// Keep each run in a folder of its own in this one, and make none again that is there already. Unless
    /// given, no run is kept.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Write what each run does for TensorBoard into a folder of its own in this one.
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    /// The number of runs at once, each on one thread; it changes no bit of the result. [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub threads: Option<usize>,
}

/// The runs that a command line asks for, at least two.
pub struct Sweep {
    pub cases: Vec<Case>,
}

/// One of the runs.
pub struct Case {
    /// What tells it apart: flags without their dashes, and the values as they were spelt.
    pub settings: Vec<(String, String)>,
    pub args: CompareArgs,
}

/// The flags that may be given several values.
pub fn varied() -> BTreeSet<String> {
    let command = NetworkArgs::augment_args(Command::new("flags"));
    let command = TrainingArgs::augment_args(RateArgs::augment_args(command));
    // A group given again is one more group.
    command.get_arguments().map(|flag| flag.get_id().to_string()).filter(|flag| flag != "group").collect()
}

fn plain() -> Command {
    CompareArgs::augment_args(Command::new("compare").bin_name("downhill compare").no_binary_name(true))
}

impl Args for Sweep {
    fn augment_args(command: Command) -> Command {
        let varied = varied();
        let as_text = |flag: Arg| match varied.contains(flag.get_id().as_str()) {
            true => flag.value_parser(value_parser!(String)).action(ArgAction::Append),
            false => flag,
        };
        CompareArgs::augment_args(command).mut_args(as_text)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Sweep {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let varied = varied();
        // What all runs are told, and the flags with several values.
        let mut words: Vec<OsString> = Vec::new();
        let mut axes: Vec<(String, Vec<String>)> = Vec::new();
        let plain = plain();
        for flag in given(matches, &plain) {
            let id = flag.id.as_str();
            let Some(long) = flag.long.as_ref().filter(|_| flag.takes_values && varied.contains(id)) else {
                words.extend(flag.words());
                continue;
            };
            let texts = matches.get_many::<String>(id).into_iter().flatten();
            let values: Vec<String> = match id {
                "hidden" => texts.cloned().collect(),
                _ => texts.flat_map(|text| separated(text)).collect(),
            };
            if let [one] = &values[..] {
                words.push(format!("--{long}={one}").into());
                continue;
            }
            if let Some(twice) = values.iter().enumerate().find(|(at, value)| values[..*at].contains(value)) {
                return Err(wrong(&format!("--{long} is given {} twice; give each value once", twice.1)));
            }
            axes.push((long.to_string(), values));
        }
        if axes.is_empty() {
            return Err(wrong(
                "there is nothing to compare; give a flag several values, such as --lr 0.001,0.01,0.1",
            ));
        }
        let runs = axes.iter().try_fold(1usize, |runs, (_, values)| runs.checked_mul(values.len()));
        if runs.is_none_or(|runs| runs > MOST_RUNS) {
            let factors: Vec<String> =
                axes.iter().map(|(flag, values)| format!("{} of --{flag}", values.len())).collect();
            return Err(wrong(&format!(
                "all combinations ({}) are more than {MOST_RUNS} runs; give fewer values",
                factors.join(" times ")
            )));
        }
        let mut all = vec![Vec::new()];
        for (flag, values) in &axes {
            let with = |settings: &Vec<(String, String)>| {
                let settings = settings.clone();
                values.iter().map(move |value| [&settings[..], &[(flag.clone(), value.clone())]].concat())
            };
            all = all.iter().flat_map(with).collect();
        }
        let case = |settings: Vec<(String, String)>| {
            let own = settings.iter().map(|(flag, value)| OsString::from(format!("--{flag}={value}")));
            let matches = plain.clone().try_get_matches_from(own.chain(words.iter().cloned()))?;
            Ok(Case { settings, args: CompareArgs::from_arg_matches(&matches)? })
        };
        Ok(Self { cases: all.into_iter().map(case).collect::<Result<_, Error>>()? })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn wrong(message: &str) -> Error {
    given::wrong(Sweep::augment_args(Command::new("compare").bin_name("downhill compare")), message)
}

/// The parts of a text between its commas, those inside brackets apart.
fn separated(text: &str) -> Vec<String> {
    let mut depth = 0i32;
    let outside = |character: char| {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            _ => {}
        }
        character == ',' && depth <= 0
    };
    text.split(outside).map(|part| part.trim().to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_brackets_separate_nothing() {
        let parts = separated("0.1, warmup(5%, then=cosine(0.1)),piecewise(1, at=[2,3], rates=[4,5]),-1");
        assert_eq!(
            parts,
            ["0.1", "warmup(5%, then=cosine(0.1))", "piecewise(1, at=[2,3], rates=[4,5])", "-1"]
        );
        assert_eq!(separated("1,,2"), ["1", "", "2"]);
        assert_eq!(separated("adam(,0.1"), ["adam(,0.1"]);
    }
}
