//! What can go wrong before the page is there.

use std::fmt;
use std::io;
use std::path::PathBuf;

use downhill_run::reason;

/// Why there is no page.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The port cannot be listened at.
    Port {
        /// Which; 0 for any that is free.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// The folder of runs is none, or cannot be made.
    Folder {
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The system gives no random numbers for the token, or no timers and threads.
    System(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port { port, source } if source.kind() == io::ErrorKind::AddrInUse => {
                write!(f, "port {port} of this machine is in use by another program")
            }
            Self::Port { port, source } => write!(f, "port {port} cannot be listened at: {}", reason(source)),
            Self::Folder { path, source } => {
                let (path, why) = (path.display(), reason(source));
                write!(f, "the folder of runs, {path}, cannot be made or read: {why}")
            }
            Self::System(source) => write!(f, "the page cannot be served: {}", reason(source)),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Port { source, .. } | Self::Folder { source, .. } | Self::System(source) => Some(source),
        }
    }
}
