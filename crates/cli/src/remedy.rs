//! What to do about an error of the libraries, in flags.

use std::error::Error as StdError;
use std::io::ErrorKind;
use std::path::Path;

use downhill::data::{Error, Excess, IdxProblem, Task};
use downhill::{run, train};

/// The flag that helps against an error, in a sentence.
pub fn remedy(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref() {
            return of_data(error);
        }
        if let Some(error) = error.downcast_ref() {
            return of_record(error);
        }
        if let Some(remedy) = error.downcast_ref().and_then(of_training) {
            return Some(remedy);
        }
        cause = error.source();
    }
    None
}

fn of_data(error: &Error) -> Option<String> {
    let remedy = match error {
        Error::NotFound { nearest: None, .. } => "`downhill datasets` lists the bundled ones",
        Error::NoRows { .. } => "if its first line is data, say --header no",
        Error::NotUtf8 { readings, .. } => {
            let names: Vec<String> = readings.iter().map(|(name, _)| format!("--encoding {name}")).collect();
            let names = if names.is_empty() { "--encoding NAME".into() } else { names.join(" or ") };
            return Some(format!("say {names}"));
        }
        Error::Binary { looks: Some(looks), .. } if looks.starts_with("UTF-16") => {
            let name = looks.split(' ').next().unwrap_or_default().to_lowercase();
            return Some(format!("say --encoding {name}"));
        }
        Error::NotInEncoding { .. } | Error::UnknownEncoding { .. } => "see --encoding",
        Error::NotAFile { .. } => "give a file, or `-` for a table on standard input",
        Error::Ragged { .. } => {
            "the delimiter is named with --delimiter, and lines in front of the table are skipped with --skip N"
        }
        Error::TooLarge(large) => match large.what {
            Excess::Columns(_) => {
                "if that is right, say --any-size; if lines are cut wrongly, give the right --delimiter"
            }
            Excess::Line { .. } | Excess::Pixels(_) | Excess::Unpacked | Excess::Piped => {
                "if that is right, say --any-size"
            }
        },
        Error::UnknownColumn { name, columns, .. } if is_part(name, columns) => {
            "flags that take several columns cut them at commas: give one with a comma in its name by its number, \
             counting from 0"
        }
        Error::Conflict { one, other, .. } => {
            return Some(format!("the flags are --{one} and --{other}"));
        }
        Error::NotNumeric { .. } => {
            "if the column holds categories, say so when training, with --categorical (of the target, with --task \
             classification)"
        }
        Error::NoTarget { .. } | Error::OneClass { .. } | Error::ConstantTarget { .. } => {
            "--target names another"
        }
        Error::TooManyClasses { spelling: Some(_), .. } => return None,
        Error::TooManyClasses { numeric: true, .. } => "say --task regression",
        Error::TooManyClasses { most: Some(_), .. } => {
            "--target names another, and --task classification asks for classes"
        }
        Error::TooManyClasses { .. } => "--target names another",
        Error::NoLabels { .. } => "give them with --labels",
        Error::NoFeatures { .. } => "see --target, --drop and --delimiter",
        Error::TooFewRows { .. } => "--valid FILE gives other data to validate on",
        Error::TooFewLeft { .. } => "give a smaller share as --valid",
        Error::Idx { problem, .. } => match problem {
            IdxProblem::LabelsForImages | IdxProblem::ImagesForLabels { .. } | IdxProblem::NotATable => {
                "give images with --images and labels with --labels"
            }
            IdxProblem::NotIdx => "a table of text is given without --images",
            _ => return None,
        },
        _ => return None,
    };
    Some(remedy.into())
}

fn of_record(error: &run::Error) -> Option<String> {
    let remedy = match error {
        run::Error::Name(_) => "--runs says where the folder is made",
        run::Error::NotAFolder { .. } => "--runs names a folder",
        run::Error::NoCheckpoints { run } => return Some(train_again(run)),
        run::Error::IsOver { .. } => "--epochs makes it longer",
        run::Error::UnderWay { run, .. } => {
            return Some(format!("`downhill stop {}` stops it", run.display()));
        }
        run::Error::Io { source, .. } => match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "a run that had begun goes on with `downhill resume`"
            }
            _ => return None,
        },
        _ => return None,
    };
    Some(remedy.into())
}

fn of_training(error: &train::Error) -> Option<String> {
    let remedy = match error {
        train::Error::NoData => "`downhill datasets` lists the bundled ones",
        train::Error::NotReadAsTable { .. } => {
            "these are --delimiter, --header, --encoding, --skip, --decimal, --missing, --no-missing, \
             --dates, --categorical, --numeric and --drop"
        }
        train::Error::OtherTask { wants: Task::Classification, .. } => "or say --task classification",
        train::Error::OtherTask { wants: Task::Regression, .. } => "or say --task regression",
        train::Error::TooManyUnits { .. } => "the flags are --hidden and --batch",
        train::Error::NoCheckpoint { run, .. } => return Some(train_again(run)),
        train::Error::NoEnd { run } => {
            return Some(format!("finish it with `downhill resume {}`", run.display()));
        }
        train::Error::BranchInit => "leave --init out",
        train::Error::BranchIsOver { .. } => "--epochs says how many",
        train::Error::Diverged { .. } => "--clip-norm 1 clips them",
        _ => return None,
    };
    Some(remedy.into())
}

/// What to do where nothing of a run is left but its settings.
fn train_again(run: &Path) -> String {
    format!("train again with --config {}", run.join("run.toml").display())
}

/// Whether a name is a part, between commas, of the name of a column.
fn is_part(name: &str, columns: &[String]) -> bool {
    let mut parts = columns.iter().filter(|column| column.contains(',')).flat_map(|column| column.split(','));
    parts.any(|part| part.trim() == name)
}

#[cfg(test)]
mod tests {
    use std::io;

    use downhill::train::OfTask;

    use super::*;

    #[test]
    fn what_the_libraries_say_names_no_flag_and_its_remedy_does() {
        let run = || std::path::PathBuf::from("runs/a");
        let full = || io::Error::from(ErrorKind::StorageFull);
        let other = |setting, wants| train::Error::OtherTask { setting, wants };
        let errors: [(train::Error, &str); 15] = [
            (run::Error::Name("a/b".into()).into(), "--runs"),
            (run::Error::NotAFolder { path: run() }.into(), "--runs"),
            (run::Error::NoCheckpoints { run: run() }.into(), "train again with --config runs/a/run.toml"),
            (run::Error::IsOver { epochs: 3 }.into(), "--epochs"),
            (run::Error::UnderWay { run: run(), holder: None }.into(), "downhill stop runs/a"),
            (run::Error::Io { doing: "write", path: run(), source: full() }.into(), "downhill resume"),
            (train::Error::NoData, "downhill datasets"),
            (train::Error::NotReadAsTable { from: "iris".into() }, "--delimiter"),
            (other(OfTask::Loss("mse".into()), Task::Regression), "--task regression"),
            (other(OfTask::ClassWeights, Task::Classification), "--task classification"),
            (train::Error::TooManyUnits { units: 9, rows: 9 }, "--hidden"),
            (train::Error::NoCheckpoint { run: run(), damaged: Vec::new() }, "--config runs/a/run.toml"),
            (train::Error::NoEnd { run: run() }, "downhill resume runs/a"),
            (train::Error::BranchInit, "--init"),
            (train::Error::BranchIsOver { epochs: 3 }, "--epochs"),
        ];
        for (error, flag) in errors {
            let (text, remedy) = (error.to_string(), remedy(&error).unwrap_or_default());
            assert!(!text.contains("--") && !text.contains("downhill "), "{text}");
            assert!(remedy.contains(flag), "{text}: {remedy}");
        }
    }

    #[test]
    fn an_error_inside_another_is_helped_as_well() {
        let inner = Error::NoLabels { table: "a.idx".into() };
        assert_eq!(remedy(&train::Error::from(inner)).as_deref(), Some("give them with --labels"));
        assert_eq!(remedy(&train::Error::Interrupted), None);
    }
}
