//! The socket's file.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
pub(super) use std::os::unix::net::UnixStream as Stream;
use std::path::{Path, PathBuf};

use crate::durable::unguessable;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketType, bind, listen, socket};

/// The longest path that every system takes for a socket, of macOS's 104 bytes with the zero at the end.
const LONGEST_PATH: usize = 103;

/// A path to a socket that is short enough, and the folder that must stay open for it.
struct Short {
    path: PathBuf,
    _folder: Option<File>,
}

fn short(path: &Path) -> io::Result<Short> {
    if path.as_os_str().as_bytes().len() <= LONGEST_PATH {
        return Ok(Short { path: path.to_path_buf(), _folder: None });
    }
    let (Some(folder), Some(name), true) = (path.parent(), path.file_name(), cfg!(target_os = "linux"))
    else {
        let why = format!("its path is longer than {LONGEST_PATH} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidFilename, why));
    };
    // Linux gives every open folder a short name.
    let folder = File::open(folder)?;
    let path = Path::new("/proc/self/fd").join(folder.as_raw_fd().to_string()).join(name);
    Ok(Short { path, _folder: Some(folder) })
}

/// Listens at `path`, in the place of a socket that may have been left there. Only the user who runs this can
/// connect.
pub(super) fn open(path: &Path) -> io::Result<UnixListener> {
    // As long as `control.sock`, and a name that nobody can guess.
    let aside = path.with_file_name(format!("ctl-{}", &unguessable()[..8]));
    let opened = || -> io::Result<UnixListener> {
        let short = short(&aside)?;
        let socket = socket(AddressFamily::UNIX, SocketType::STREAM, None)?;
        rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)?;
        bind(&socket, &SocketAddrUnix::new(&short.path)?)?;
        // Nobody can connect before it listens.
        fs::set_permissions(&aside, Permissions::from_mode(0o600))?;
        listen(&socket, 1024)?;
        let listener = UnixListener::from(socket);
        listener.set_nonblocking(true)?;
        fs::rename(&aside, path)?;
        Ok(listener)
    };
    opened().inspect_err(|_| _ = fs::remove_file(&aside))
}

/// Connects with who listens at `path`.
pub(super) fn connect(path: &Path) -> io::Result<Stream> {
    Stream::connect(&short(path)?.path)
}
