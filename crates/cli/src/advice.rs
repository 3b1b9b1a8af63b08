//! Errors of the command line: advice on flags that do not exist, and what is repeated of arguments.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};
use downhill::optim::excerpt::{shortened, word};
use downhill::optim::nearest;

use crate::command_line::Args;
use crate::output::visible;

/// What other programs and libraries call it, and the flag that does it here.
const ALSO: &[(&str, &str)] = &[
    ("learning-rate", "lr"),
    ("learning-rate-init", "lr"),
    ("learning-rate-schedule", "lr"),
    ("lr-schedule", "lr"),
    ("lr-scheduler", "lr"),
    ("lr-scheduler-type", "lr"),
    ("lr-decay", "lr"),
    ("scheduler", "lr"),
    ("schedule", "lr"),
    ("rate", "lr"),
    ("eta", "lr"),
    ("eta0", "lr"),
    ("warmup", "lr"),
    ("warmup-steps", "lr"),
    ("warmup-ratio", "lr"),
    ("batch-size", "batch"),
    ("bs", "batch"),
    ("minibatch-size", "batch"),
    ("mini-batch-size", "batch"),
    ("train-batch-size", "batch"),
    ("per-device-train-batch-size", "batch"),
    ("num-epochs", "epochs"),
    ("n-epochs", "epochs"),
    ("nb-epoch", "epochs"),
    ("max-epochs", "epochs"),
    ("num-train-epochs", "epochs"),
    ("max-iter", "epochs"),
    ("max-steps", "epochs"),
    ("iterations", "epochs"),
    ("layers", "hidden"),
    ("hidden-layers", "hidden"),
    ("hidden-layer-sizes", "hidden"),
    ("hidden-size", "hidden"),
    ("hidden-dim", "hidden"),
    ("units", "hidden"),
    ("early-stopping", "early-stop"),
    ("patience", "early-stop"),
    ("n-iter-no-change", "early-stop"),
    ("early-stopping-rounds", "early-stop"),
    ("reduce-lr-on-plateau", "plateau"),
    ("restore-best-weights", "keep"),
    ("save-best-only", "keep"),
    ("val", "valid"),
    ("validation", "valid"),
    ("validation-split", "valid"),
    ("validation-data", "valid"),
    ("validation-fraction", "valid"),
    ("val-split", "valid"),
    ("valid-size", "valid"),
    ("eval-set", "valid"),
    ("test-size", "valid"),
    ("holdout", "valid"),
    ("random-state", "seed"),
    ("random-seed", "seed"),
    ("manual-seed", "seed"),
    ("solver", "optimizer"),
    ("optim", "optimizer"),
    ("amsgrad", "optimizer"),
    ("betas", "optimizer"),
    ("nesterov", "optimizer"),
    ("nesterovs-momentum", "optimizer"),
    ("criterion", "loss"),
    ("loss-fn", "loss"),
    ("loss-function", "loss"),
    ("objective", "loss"),
    ("alpha", "l2"),
    ("l2-regularization", "l2"),
    ("kernel-initializer", "init"),
    ("weight-init", "init"),
    ("dropout-rate", "dropout"),
    ("drop-rate", "dropout"),
    ("batchnorm", "batch-norm"),
    ("batch-normalization", "batch-norm"),
    ("grad-clip", "clip-norm"),
    ("gradient-clip-val", "clip-norm"),
    ("gradient-clipping", "clip-norm"),
    ("max-grad-norm", "clip-norm"),
    ("clipnorm", "clip-norm"),
    ("global-clipnorm", "clip-norm"),
    ("clipvalue", "clip-value"),
    ("gradient-accumulation-steps", "accumulate"),
    ("accumulate-grad-batches", "accumulate"),
    ("ema-decay", "ema"),
    ("use-ema", "ema"),
    ("class-weight", "class-weights"),
    ("categorical-features", "categorical"),
    ("cat-features", "categorical"),
    ("label", "target"),
    ("label-column", "target"),
    ("target-column", "target"),
    ("sep", "delimiter"),
    ("skiprows", "skip"),
    ("na-values", "missing"),
    ("drop-columns", "drop"),
    ("log-dir", "tensorboard"),
    ("logdir", "tensorboard"),
    ("output-dir", "runs"),
    ("save-dir", "runs"),
    ("run-name", "name"),
    ("jobs", "threads"),
    ("n-jobs", "threads"),
    ("num-workers", "threads"),
    ("num-threads", "threads"),
];

/// A message repeats no more characters than these of a line that it was given.
const LONGEST_LINE: usize = 400;

/// What to say of arguments that are wrong: the parser's error to be shown as it is, or a message instead of
/// it.
pub fn on_arguments(mut error: clap::Error, words: &[String]) -> Result<clap::Error, String> {
    if !error.use_stderr() {
        return Ok(error);
    }
    if let Some(message) = on_flag(&error, words) {
        return Err(format!("error: {message}"));
    }
    if words.iter().all(|given| visible(&shortened(given, LONGEST_LINE)) == *given) {
        return Ok(error);
    }
    let given = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) => Some((kind, visible(&word(text)))),
        _ => None,
    });
    for (kind, text) in given.collect::<Vec<_>>() {
        error.insert(kind, ContextValue::String(text));
    }
    // Messages about values and proposals repeat arguments too. Without colours, what is not ours can be
    // escaped.
    let plain = error.render().to_string();
    let lines = plain.trim_end().lines().map(|line| visible(&shortened(line, LONGEST_LINE)));
    Err(lines.collect::<Vec<_>>().join("\n"))
}

/// A message on a flag that the command does not have, if that is what is wrong.
fn on_flag(error: &clap::Error, words: &[String]) -> Option<String> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let flag = flag.split('=').next()?;
    let name = flag.strip_prefix("--")?.to_lowercase().replace('_', "-");
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
    Some(format!("`downhill {}` has no flag {}: {advice}", command.get_name(), word(flag)))
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
            ("train iris --lr-scheduler cosine", "--lr?"),
            ("train iris --patience 3", "--early-stop?"),
            ("train iris --early_stopping=3", "--early-stop?"),
            ("train iris --max_iter 100", "--epochs?"),
            ("find-lr iris --hidden-layer-sizes 3", "--hidden?"),
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
        for (theirs, ours) in ALSO {
            assert!(known.contains(ours), "there is no --{ours}");
            let train = longs(all.find_subcommand("train").unwrap());
            assert!(!train.contains(theirs), "--{theirs} is a flag of train");
        }
    }
}
