//! What is served, and where.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use crate::form::Form;
use crate::jobs::Jobs;
use crate::live::Live;
use crate::table::Table;
use crate::{Error, server};

/// What a lab is opened with.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The folder of runs, which is made if it is not there.
    pub runs: PathBuf,
    /// The folder of studies, which need not be there.
    pub studies: PathBuf,
    /// The port of this machine to listen at; 0, the default, for any that is free.
    pub port: u16,
    /// The program that makes runs; without one, none can be begun from the page.
    pub program: Option<PathBuf>,
    /// What can be set of a run that is begun from the page.
    pub form: Form,
}

/// The page: bound to a port, and not served yet.
#[derive(Debug)]
pub struct Lab {
    listener: TcpListener,
    at: SocketAddr,
    shared: Arc<Shared>,
}

/// What every answer knows.
#[derive(Debug)]
pub(crate) struct Shared {
    pub runs: PathBuf,
    pub studies: PathBuf,
    pub port: u16,
    /// Whoever knows it may ask for everything: 128 random bits, in hexadecimal digits.
    pub token: String,
    pub form: Form,
    pub table: Table,
    pub live: Live,
    pub jobs: Jobs,
}

impl Lab {
    /// Listens at a port of this machine, which no other machine can reach.
    ///
    /// # Errors
    ///
    /// If the port is taken, or the folder of runs cannot be made.
    pub fn open(options: Options) -> Result<Self, Error> {
        let Options { runs, studies, port, program, form } = options;
        let made = fs::create_dir_all(&runs).and_then(|()| fs::canonicalize(&runs));
        let runs = made.map_err(|source| Error::Folder { path: runs, source })?;
        // The programs that make runs do so elsewhere.
        let studies = std::path::absolute(&studies).unwrap_or(studies);
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|source| Error::Port { port, source })?;
        let at = listener.local_addr().map_err(Error::System)?;
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| Error::System(error.into()))?;
        let token = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let (table, live, jobs) = (Table::new(&runs), Live::default(), Jobs::new(program, &runs));
        let shared = Shared { runs, studies, port: at.port(), token, form, table, live, jobs };
        Ok(Self { listener, at, shared: Arc::new(shared) })
    }

    /// The address of the page, with the token in it without which nothing is answered.
    pub fn address(&self) -> String {
        format!("http://{}/{}/", self.at, self.shared.token)
    }

    /// Serves the page, for as long as the process is there.
    ///
    /// # Errors
    ///
    /// If the system gives no threads or timers for it.
    pub fn serve(self) -> Result<(), Error> {
        server::serve(self.listener, self.shared).map_err(Error::System)
    }
}
