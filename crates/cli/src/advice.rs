//! Advice on flags that there are none of.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use downhill::optim::nearest;

use crate::args::Args;

/// What other programs and libraries call it, and the flag that does it here.
const ALSO: [(&str, &str); 33] = [
    ("learning-rate", "lr"),
    ("learning-rate-init", "lr"),
    ("rate", "lr"),
    ("schedule", "lr"),
    ("scheduler", "lr"),
    ("batch-size", "batch"),
    ("bs", "batch"),
    ("num-epochs", "epochs"),
    ("n-epochs", "epochs"),
    ("max-epochs", "epochs"),
    ("max-iter", "epochs"),
    ("iterations", "epochs"),
    ("layers", "hidden"),
    ("hidden-layers", "hidden"),
    ("hidden-layer-sizes", "hidden"),
    ("units", "hidden"),
    ("early-stopping", "early-stop"),
    ("patience", "early-stop"),
    ("val", "valid"),
    ("validation", "valid"),
    ("validation-split", "valid"),
    ("test-size", "valid"),
    ("holdout", "valid"),
    ("random-state", "seed"),
    ("random-seed", "seed"),
    ("solver", "optimizer"),
    ("optim", "optimizer"),
    ("label", "target"),
    ("sep", "delimiter"),
    ("batchnorm", "batch-norm"),
    ("grad-clip", "clip-norm"),
    ("gradient-clip-val", "clip-norm"),
    ("jobs", "threads"),
];

/// A message on a flag that the command does not have, if that is what is wrong.
pub fn on_flag(error: &clap::Error, words: &[String]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--")?.split('=').next()?.to_lowercase().replace('_', "-");
    let mut all = Args::command();
    all.build();
    let command = words.iter().find_map(|word| all.find_subcommand(word))?;
    let here = longs(command);
    let known = |flag: &&str| here.contains(flag);
    let also = ALSO.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours).filter(known);
    let exact = here.iter().copied().find(|flag| *flag == name);
    let advice = match exact.or(also).or_else(|| nearest(&name, here.iter().copied())) {
        Some(meant) => format!("did you mean --{meant}?"),
        None => {
            let others = all.get_subcommands().filter(|other| longs(other).contains(&name.as_str()));
            let others: Vec<String> =
                others.map(|other| format!("`downhill {}`", other.get_name())).collect();
            let list = format!("`downhill {} --help` lists its flags", command.get_name());
            if others.is_empty() { list } else { format!("{} has it; {list}", others.join(", ")) }
        }
    };
    Some(format!("`downhill {}` has no flag {}: {advice}", command.get_name(), flag.split('=').next()?))
}

/// The names of a command's flags.
fn longs(command: &Command) -> Vec<&str> {
    command.get_arguments().filter_map(|flag| flag.get_long()).collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn advice(line: &str) -> String {
        let words: Vec<String> = line.split_whitespace().map(str::to_string).collect();
        let Err(error) = Args::try_parse_from(std::iter::once("downhill".to_string()).chain(words.clone()))
        else {
            panic!("{line} is understood")
        };
        on_flag(&error, &words).unwrap_or_else(|| panic!("no advice on {line}: {error}"))
    }

    #[test]
    fn flags_of_other_programs_are_known() {
        for (line, meant) in [
            ("train iris --learning-rate 0.1", "--lr?"),
            ("train iris --batch_size=32", "--batch?"),
            ("train iris --Random-State 7", "--seed?"),
            ("train iris --epoch 7", "--epochs?"),
            ("compare iris --hidden-layers 3", "--hidden?"),
            ("runs --formt json", "--format?"),
            ("train iris --weight_decay 0.1", "--weight-decay?"),
        ] {
            assert!(advice(line).contains(&format!("did you mean {meant}")), "{line}: {}", advice(line));
        }
        let other = advice("predict iris-1 iris --epochs 3");
        assert!(other.contains("`downhill train`") && other.contains("has it"), "{other}");
        let none = advice("train iris --zzzzzz");
        assert!(
            none.contains("`downhill train` has no flag --zzzzzz: `downhill train --help` lists"),
            "{none}"
        );
        let mut all = Args::command();
        all.build();
        let known: Vec<&str> = all.get_subcommands().flat_map(longs).collect();
        assert!(ALSO.iter().all(|(theirs, ours)| known.contains(ours) && theirs != ours));
    }
}
