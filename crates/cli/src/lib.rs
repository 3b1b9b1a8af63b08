//! The `downhill` program as a library, for whoever ships it inside something else: the whole program, and
//! its settings by name.

#![forbid(unsafe_code)]

mod advice;
mod args;
mod bar;
mod board;
mod braille;
mod branch;
mod classes;
mod command_line;
mod compare;
mod confidence;
mod control;
mod dashboard;
mod datasets;
mod diagnose;
mod evaluate;
mod explain;
mod export;
mod failure;
mod find_lr;
mod given;
mod init;
#[cfg(feature = "lab")]
mod lab;
mod output;
mod overwrite;
mod path;
mod plot;
mod predict;
mod progress;
mod remedy;
mod replay;
mod report;
mod runs;
mod schedule;
mod search;
mod settings;
mod sweep;
mod train;
mod view;
mod watch;
mod work;

use std::ffi::OsString;

use clap::Parser;
use downhill::optim::simd::{VECTORS, Vectors};
use downhill::train::Command as Told;
use downhill_words::Lang;

use command_line::{Args, Command};
use failure::Failure;

pub use settings::{Search, SettingError, config, members, names};

/// Runs the program with these arguments, the first of which is what the program was called as, and returns
/// its exit code: 0 done, 1 it could not be done, 2 the arguments are wrong, 130 interrupted.
///
/// It writes to standard output and standard error, and takes over Ctrl-C.
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Errors in the arguments are reported in the language of --lang, if that much can be parsed.
    output::speak(asked(&arguments).unwrap_or_else(of_environment));
    let Args { command, format, quiet, lang } = match Args::try_parse_from(&arguments) {
        Ok(args) => args,
        Err(error) => {
            let words = arguments.iter().skip(1).map(|word| word.to_string_lossy().into_owned());
            match advice::on_arguments(error, &words.collect::<Vec<_>>()) {
                // Help is in English.
                Ok(error) if output::lang() == Lang::En || !error.use_stderr() => {
                    let _ = error.print(); // nobody may be reading
                    return error.exit_code() as u8;
                }
                Ok(error) => {
                    output::tell(error.render().to_string().trim_end());
                    return error.exit_code() as u8;
                }
                Err(message) => {
                    output::tell(&message);
                    return 2;
                }
            }
        }
    };
    let lang = lang.unwrap_or_else(of_environment);
    output::speak(lang);
    // The library would take the widest that there are.
    if let Err(error) = Vectors::requested() {
        output::tell(&format!("error: the environment variable {VECTORS}: {error}"));
        return 2;
    }
    let done = match command {
        Command::Train(options) => train::train(*options, format, quiet),
        Command::FindLr(options) => find_lr::find_lr(&options, format, quiet, lang),
        Command::Resume(options) => train::resume(&options, format, quiet),
        Command::Branch(options) => branch::branch(&options, format, quiet),
        Command::Replay(options) => replay::replay(&options, format, quiet),
        Command::Watch(options) => watch::watch(&options, format, quiet),
        Command::SetLr { run, lr } => control::steer(&run, &Told::SetLr { lr }, format),
        Command::Undo(run) => control::steer(&run, &Told::Undo, format),
        Command::Pause(run) => control::steer(&run, &Told::Pause, format),
        Command::Continue(run) => control::steer(&run, &Told::Continue, format),
        Command::Stop(run) => control::steer(&run, &Told::Stop, format),
        Command::End(run) => control::steer(&run, &Told::End, format),
        Command::Checkpoint(run) => control::steer(&run, &Told::Checkpoint, format),
        Command::Compare(sweep) => compare::compare(&sweep, format, quiet, lang),
        Command::Search(options) => search::search(&options, format, quiet, lang),
        Command::Work(options) => work::work(&options, quiet),
        Command::Diagnose(options) => diagnose::diagnose(&options, format, quiet),
        Command::Evaluate(options) => evaluate::evaluate(&options, format, quiet, lang),
        Command::Predict(options) => predict::predict(&options, format, quiet),
        Command::Explain(options) => explain::explain(&options, format, quiet, lang),
        Command::Export(options) => export::export(&options, format, quiet),
        Command::Schedule(options) => schedule::schedule(&options, format, quiet, lang),
        Command::Path(options) => path::path(&options, format, quiet, lang),
        Command::Init(options) => init::init(&options, format, quiet, lang),
        #[cfg(feature = "lab")]
        Command::Lab(options) => lab::lab(&options, quiet),
        Command::Runs(options) => runs::runs(&options, format),
        Command::Report(options) => report::report(&options, format, quiet, lang),
        Command::Datasets => datasets::datasets(format),
    };
    match done {
        Ok(()) | Err(Failure::PipeClosed) => 0,
        Err(Failure::Interrupted) => 130,
        Err(Failure::Message(message)) => {
            output::tell(&format!("error: {message}"));
            1
        }
        Err(Failure::Usage(message)) => {
            output::tell(&format!("error: {message}"));
            2
        }
    }
}

/// The language that arguments name, right or wrong as they may be otherwise.
fn asked(arguments: &[OsString]) -> Option<Lang> {
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let mut after = false;
    let mut asked = None;
    for word in words {
        let value = if after { Some(word.as_ref()) } else { word.strip_prefix("--lang=") };
        asked = value.and_then(|value| value.parse().ok()).or(asked);
        after = word == "--lang";
    }
    asked
}

fn of_environment() -> Lang {
    Lang::of_environment(|name| std::env::var(name).ok())
}
