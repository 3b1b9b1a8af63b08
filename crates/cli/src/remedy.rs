//! What to do about an error of the libraries, in flags.

use std::error::Error as StdError;

use downhill::data::{Error, Excess};

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
    match error {
        Error::NotUtf8 { readings, .. } => {
            let names: Vec<String> = readings.iter().map(|(name, _)| format!("--encoding {name}")).collect();
            let names = if names.is_empty() { "--encoding NAME".into() } else { names.join(" or ") };
            Some(format!("say {names}"))
        }
        Error::Binary { looks: Some(looks), .. } if looks.starts_with("UTF-16") => {
            let name = looks.split(' ').next().unwrap_or_default().to_lowercase();
            Some(format!("say --encoding {name}"))
        }
        Error::NotInEncoding { .. } | Error::UnknownEncoding { .. } => Some("see --encoding".into()),
        Error::NotAFile { .. } => Some("`-` is standard input".into()),
        Error::Ragged { .. } => Some("lines in front of the table are skipped with --skip N".into()),
        Error::TooLarge(large) => Some(match large.what {
            Excess::Columns(_) => {
                "if that is right, say --any-size; if lines are cut wrongly, give the right --delimiter"
                    .into()
            }
            _ => "if that is right, say --any-size".into(),
        }),
        _ => None,
    }
}
