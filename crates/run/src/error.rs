//! What can go wrong with the record of a run.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Something that cannot be done with the record of a run: what was wrong, where, and what to do.
///
/// No message names a flag: a program that has some adds the one that helps, by the variant.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// What is asked for does not go with what is there.
    Mismatch(String),
    /// What cannot be the name of a run, which is that of a folder.
    Name(String),
    /// A file where the folder that runs are kept in is to be.
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// The checkpoints of a run are gone, with their folder. Train again with its configuration.
    NoCheckpoints {
        /// The folder of the run.
        run: PathBuf,
    },
    /// A change of the rate of a run that has no step left to make.
    IsOver {
        /// The epochs that were made.
        epochs: u64,
    },
    /// A run that another process makes.
    UnderWay {
        /// The folder of the run.
        run: PathBuf,
        /// Which process, as far as is known.
        holder: Option<String>,
    },
    /// A file or folder that could not be read or written.
    Io {
        /// What was being done: `write the checkpoint`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file whose content is not what was written.
    Damaged {
        /// The file.
        path: PathBuf,
        /// How that shows.
        why: String,
    },
    /// A configuration file that does not say what it should.
    Config {
        /// The file.
        path: PathBuf,
        /// Where and what is wrong.
        why: String,
    },
}

/// What the system said, without the number it has for it.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(message) => f.write_str(message),
            Self::Name(name) => write!(
                f,
                "{name:?} cannot be the name of a run, which is that of a folder: leave out slashes and a \
                 dot in front"
            ),
            Self::NotAFolder { path } => {
                write!(f, "could not make the run's folder in {}: that is a file", path.display())
            }
            Self::NoCheckpoints { run } => {
                write!(f, "the run {} has lost its folder of checkpoints, and cannot go on", run.display())
            }
            Self::IsOver { epochs } => write!(
                f,
                "the run is over after {epochs} epochs, and there is no step left to make at another rate; give \
                 it more epochs, or branch off before its end"
            ),
            Self::UnderWay { run, holder } => {
                let holder = holder.as_deref().unwrap_or("another process");
                write!(f, "the run {} is under way in {holder}; wait for it, or stop it", run.display())
            }
            Self::Io { doing, path, source } => {
                write!(f, "could not {doing} {}: {}", path.display(), reason(source))?;
                match source.kind() {
                    io::ErrorKind::StorageFull
                    | io::ErrorKind::QuotaExceeded
                    | io::ErrorKind::FileTooLarge => {
                        f.write_str("; what was saved before is untouched: make room")
                    }
                    _ => Ok(()),
                }
            }
            Self::Damaged { path, why } => write!(f, "{} is damaged: {why}", path.display()),
            Self::Config { path, why } => write!(f, "{}: {why}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Mismatch(_)
            | Self::Name(_)
            | Self::NotAFolder { .. }
            | Self::NoCheckpoints { .. }
            | Self::IsOver { .. }
            | Self::UnderWay { .. }
            | Self::Damaged { .. }
            | Self::Config { .. } => None,
        }
    }
}
