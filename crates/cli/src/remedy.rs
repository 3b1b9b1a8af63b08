//! What to do about an error of the libraries, in flags.

use std::error::Error as StdError;

use downhill::data::{Error, Excess, IdxProblem};

/// The flag that helps against an error, in a sentence.
pub fn remedy(error: &(dyn StdError + 'static)) -> Option<String> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<Error>() {
            return of_data(error);
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
            Excess::Line { .. } | Excess::Pixels(_) | Excess::Unpacked => "if that is right, say --any-size",
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

/// Whether a name is a part, between commas, of the name of a column.
fn is_part(name: &str, columns: &[String]) -> bool {
    let mut parts = columns.iter().filter(|column| column.contains(',')).flat_map(|column| column.split(','));
    parts.any(|part| part.trim() == name)
}
