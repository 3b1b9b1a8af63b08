//! Steering a run from another process: a Unix socket in its folder, on which it takes
//! [`Command`](crate::Command)s and tells its events.
//!
//! One request a line and one answer a line, both JSON; `docs/control.md` has them all. What is read and
//! answered is in [`Connection`], which does no input or output; a thread of the run's process serves all
//! connections.

mod connection;
mod line;
mod protocol;
mod remote;
#[cfg(unix)]
mod server;
#[cfg(not(unix))]
#[path = "control/no_socket.rs"]
mod socket;
#[cfg(unix)]
mod socket;

pub use connection::{Asked, Connection};
pub use protocol::{Status, Took, Watching};
pub use remote::{Happening, Remote};
#[cfg(unix)]
pub use server::Control;
