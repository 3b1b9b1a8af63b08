//! Where a study is kept that many machines work on: PostgreSQL.

use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::str::FromStr;
use std::time::{Duration, Instant};

use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, NoTls, Transaction};

use crate::folder::check_name;
use crate::store::{Bell, LEASE, Turn};
use crate::{Error, Event, Plan, Store};

/// The version of the tables; a database of another one is not touched.
const VERSION: i32 = 1;

/// What is heard when something was appended.
const CHANNEL: &str = "downhill";

/// How long a server may take to answer before it counts as unreachable.
const ANSWERS: Duration = Duration::from_secs(20);

/// Tables are made by one process at a time: the number of the lock for that.
const TABLES_LOCK: i64 = 0x646f_776e_6869_6c6c;

const TABLES: &str = "
CREATE TABLE downhill_version (version int NOT NULL);
CREATE TABLE downhill_studies (
    id bigserial PRIMARY KEY,
    name text NOT NULL UNIQUE,
    plan text NOT NULL,
    begun timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE downhill_events (
    study bigint NOT NULL REFERENCES downhill_studies ON DELETE CASCADE,
    place bigint NOT NULL,
    event json NOT NULL,
    PRIMARY KEY (study, place)
);
CREATE TABLE downhill_jobs (
    study bigint NOT NULL REFERENCES downhill_studies ON DELETE CASCADE,
    slot bigint NOT NULL,
    worker text,
    lease timestamptz,
    PRIMARY KEY (study, slot)
);
CREATE TABLE downhill_states (
    study bigint NOT NULL REFERENCES downhill_studies ON DELETE CASCADE,
    trial bigint NOT NULL,
    epochs bigint NOT NULL,
    state bytea NOT NULL,
    PRIMARY KEY (study, trial, epochs)
);
";

/// A PostgreSQL database with studies, at a URL such as `postgres://user:password@host:5432/database`.
///
/// The tables, whose names begin with `downhill_`, are made when the first study is. Connections are not
/// encrypted: across networks that are not trusted, go through a tunnel.
#[derive(Clone)]
pub struct Database {
    config: Config,
    lease: Duration,
}

impl fmt::Debug for Database {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.to_string()).finish()
    }
}

impl fmt::Display for Database {
    /// Where it is, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use postgres::config::Host;

        let host = match self.config.get_hosts().first() {
            Some(Host::Tcp(name)) => name.clone(),
            #[cfg(unix)]
            Some(Host::Unix(path)) => path.display().to_string().replace('/', "%2F"),
            None => self.config.get_hostaddrs().first().map_or("localhost".into(), ToString::to_string),
        };
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        let user = self.config.get_user().unwrap_or("you");
        let name = self.config.get_dbname().unwrap_or(user);
        write!(f, "postgres://{user}@{host}:{port}/{name}")
    }
}

impl FromStr for Database {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut config: Config = text.parse().map_err(|error: postgres::Error| {
            // The text may have a password, so it is not repeated.
            Error::Mismatch(format!(
                "this is no address of a PostgreSQL database: {}; give one such as \
                 postgres://user:password@host:5432/database",
                reason(&error)
            ))
        })?;
        if config.get_ssl_mode() == postgres::config::SslMode::Require {
            return Err(Error::Mismatch(
                "connections to the database are not encrypted here, and sslmode=require asks for that; leave \
                 it out, and go through a tunnel where the network is not trusted"
                    .into(),
            ));
        }
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(Duration::from_secs(10));
        }
        config.application_name("downhill").keepalives(true).keepalives_idle(ANSWERS);
        config.keepalives_interval(Duration::from_secs(5)).keepalives_retries(3);
        #[cfg(target_os = "linux")]
        config.tcp_user_timeout(ANSWERS);
        Ok(Self { config, lease: LEASE })
    }
}

impl Database {
    /// Whether a text is meant to be the address of a database.
    pub fn is_meant(text: &str) -> bool {
        text.starts_with("postgres://") || text.starts_with("postgresql://")
    }

    /// How long a job is somebody's who does not say that he is alive, which is done three times as often.
    /// Default 60 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    fn connect(&self) -> Result<Client, Error> {
        let connect = || {
            let mut client = self.config.connect(NoTls)?;
            // A process that is stopped in the middle of a turn does not keep the others from theirs.
            let most = ANSWERS.as_millis();
            client.batch_execute(&format!("SET idle_in_transaction_session_timeout = {most}"))?;
            Ok(client)
        };
        connect().map_err(|error| self.explain(&error))
    }

    /// Connects, and fails if the tables are not there or of another version.
    fn open(&self) -> Result<Client, Error> {
        let mut client = self.connect()?;
        match self.version(&mut client)? {
            Some(VERSION) => Ok(client),
            Some(other) => Err(self.other_version(other)),
            None => {
                Err(Error::Mismatch(format!("the database {self} has no studies yet; begin one there first")))
            }
        }
    }

    fn other_version(&self, version: i32) -> Error {
        Error::Mismatch(format!(
            "the tables in the database {self} are of version {version}, and this program is for version \
             {VERSION}; take {} version of the program, or another database",
            if version > VERSION { "a newer" } else { "the older" }
        ))
    }

    fn version(&self, client: &mut impl postgres::GenericClient) -> Result<Option<i32>, Error> {
        let explain = |error| self.explain(&error);
        let there: bool = client
            .query_one("SELECT to_regclass('downhill_version') IS NOT NULL", &[])
            .map_err(explain)?
            .get(0);
        if !there {
            return Ok(None);
        }
        let row = client.query_opt("SELECT version FROM downhill_version", &[]).map_err(explain)?;
        Ok(Some(row.map_or(0, |row| row.get(0))))
    }

    /// Makes the tables unless they are there.
    fn prepare(&self) -> Result<Client, Error> {
        let explain = |error| self.explain(&error);
        let mut client = self.connect()?;
        let mut transaction = client.transaction().map_err(explain)?;
        transaction.execute("SELECT pg_advisory_xact_lock($1)", &[&TABLES_LOCK]).map_err(explain)?;
        match self.version(&mut transaction)? {
            Some(VERSION) => {}
            Some(other) => return Err(self.other_version(other)),
            None => {
                transaction.batch_execute(TABLES).map_err(explain)?;
                transaction
                    .execute("INSERT INTO downhill_version VALUES ($1)", &[&VERSION])
                    .map_err(explain)?;
            }
        }
        transaction.commit().map_err(explain)?;
        Ok(client)
    }

    /// Begins a study called `name`, or `name-2` and so on if there is one.
    ///
    /// # Errors
    ///
    /// If the plan makes no study, the name is not that of one, or the database cannot be reached or is of
    /// another version.
    pub fn create(&self, name: &str, plan: &Plan) -> Result<DatabaseStudy, Error> {
        plan.check()?;
        check_name(name)?;
        let text = plan.to_toml()?;
        let mut client = self.prepare()?;
        let names = std::iter::once(name.to_string()).chain((2..).map(|number| format!("{name}-{number}")));
        for name in names {
            let insert = "INSERT INTO downhill_studies (name, plan) VALUES ($1, $2) \
                          ON CONFLICT (name) DO NOTHING RETURNING id";
            let row = client.query_opt(insert, &[&name, &text]).map_err(|error| self.explain(&error))?;
            if let Some(row) = row {
                return Ok(DatabaseStudy { database: self.clone(), name, id: row.get(0) });
            }
        }
        unreachable!("numbers do not end")
    }

    /// Opens a study.
    ///
    /// # Errors
    ///
    /// If there is none of this name, or the database cannot be reached or is of another version.
    pub fn study(&self, name: &str) -> Result<DatabaseStudy, Error> {
        let all = self.studies()?;
        let names: Vec<&str> = all.iter().map(|study| study.name.as_str()).collect();
        let there = match downhill_core::nearest(name, names.iter().copied()) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None if names.is_empty() => "there is none yet".into(),
            None => format!("there is {}", names.join(", ")),
        };
        let missing = format!("the database {self} has no study {name:?}; {there}");
        all.into_iter().find(|study| study.name == name).ok_or(Error::Mismatch(missing))
    }

    /// All studies, in the order in which they were begun; none if no study was ever begun here.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached or is of another version.
    pub fn studies(&self) -> Result<Vec<DatabaseStudy>, Error> {
        let mut client = self.connect()?;
        match self.version(&mut client)? {
            None => return Ok(Vec::new()),
            Some(VERSION) => {}
            Some(other) => return Err(self.other_version(other)),
        }
        let rows = client
            .query("SELECT id, name FROM downhill_studies ORDER BY id", &[])
            .map_err(|error| self.explain(&error))?;
        let study =
            |row: &postgres::Row| DatabaseStudy { database: self.clone(), id: row.get(0), name: row.get(1) };
        Ok(rows.iter().map(study).collect())
    }

    /// What an error means to whoever wants to reach this database.
    fn explain(&self, error: &postgres::Error) -> Error {
        let why = reason(error);
        let user = self.config.get_user().unwrap_or("you");
        match error.code() {
            Some(code)
                if *code == SqlState::INVALID_PASSWORD
                    || *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
            {
                Error::Mismatch(format!(
                    "the database {self} does not let {user} in: {why}; check the user and the password in the \
                     address"
                ))
            }
            Some(code) if *code == SqlState::INVALID_CATALOG_NAME => Error::Mismatch(format!(
                "there is no database at {self}: {why}; make it with `createdb`, or correct the address"
            )),
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Error::Mismatch(format!(
                "{user} may not do what a study needs in the database {self}: {why}; grant the right to create \
                 tables, or take another database"
            )),
            Some(code) if passes(code) => {
                Error::Unreachable(format!("the database {self} does not answer for now: {why}"))
            }
            Some(code) => Error::Mismatch(format!("the database {self} says: {why} ({})", code.code())),
            None if is_missing_password(error) => Error::Mismatch(format!(
                "the database {self} asks {user} for a password, and the address has none; give \
                 postgres://{user}:PASSWORD@…"
            )),
            None => Error::Unreachable(format!(
                "the database {self} cannot be reached: {why}; check the address, and that the server runs and \
                 listens there"
            )),
        }
    }
}

fn is_missing_password(error: &postgres::Error) -> bool {
    reason(error).contains("password missing")
}

/// Whether what went wrong may go well another time: the server goes down or up, two transactions met, or
/// one took too long because this process was stopped.
fn passes(code: &SqlState) -> bool {
    let class = &code.code()[..2];
    ["08", "57", "53", "40"].contains(&class) || *code == SqlState::IDLE_IN_TRANSACTION_SESSION_TIMEOUT
}

/// An error and what is behind it, in words.
fn reason(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return error.message().to_string();
    }
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        source = error.source();
    }
    // The system's number of an error helps nobody.
    match text.find(" (os error") {
        Some(at) => text[..at].to_string(),
        None => text,
    }
}

/// A study in a database.
#[derive(Clone, Debug)]
pub struct DatabaseStudy {
    database: Database,
    name: String,
    id: i64,
}

impl DatabaseStudy {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The database that it is in.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Its plan, as it was when the study began.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or makes no study.
    pub fn plan(&self) -> Result<Plan, Error> {
        let mut client = self.database.open()?;
        let row = client
            .query_opt("SELECT plan FROM downhill_studies WHERE id = $1", &[&self.id])
            .map_err(|error| self.database.explain(&error))?;
        let text: String = row.ok_or_else(|| self.gone())?.get(0);
        let wrong = |error: toml::de::Error| {
            Error::Mismatch(format!("the plan of the study {}: {}", self.name, error.message()))
        };
        let plan: Plan = toml::from_str(&text).map_err(wrong)?;
        plan.check()?;
        Ok(plan)
    }

    /// The number of its events, which grows as long as somebody works on it.
    ///
    /// # Errors
    ///
    /// If the database cannot be reached.
    pub fn events(&self) -> Result<u64, Error> {
        let mut client = self.database.open()?;
        let count = "SELECT count(*) FROM downhill_events WHERE study = $1";
        let row = client.query_one(count, &[&self.id]).map_err(|error| self.database.explain(&error))?;
        Ok(row.get::<_, i64>(0) as u64)
    }

    /// The study as something to be worked on.
    pub fn store(&self) -> impl Store + 'static {
        let own = RandomState::new().hash_one(Instant::now());
        Open { study: self.clone(), client: None, worker: format!("{}-{own:016x}", std::process::id()) }
    }

    fn gone(&self) -> Error {
        Error::Mismatch(format!("the study {} is no more in the database {}", self.name, self.database))
    }
}

/// A study in a database that is worked on.
struct Open {
    study: DatabaseStudy,
    client: Option<Client>,
    /// What no other process calls itself.
    worker: String,
}

impl Open {
    /// Does something on the connection, which is made if there is none. One that broke is not used again.
    fn on<T>(
        &mut self,
        what: impl FnOnce(&mut Client, &DatabaseStudy, &str) -> Result<T, Failed>,
    ) -> Result<T, Error> {
        let database = &self.study.database;
        let client = match &mut self.client {
            Some(client) if !client.is_closed() => client,
            client => client.insert(database.open()?),
        };
        match what(client, &self.study, &self.worker) {
            Ok(done) => Ok(done),
            Err(Failed::Study(error)) => Err(error),
            Err(Failed::Database(error)) => {
                let error = database.explain(&error);
                if matches!(error, Error::Unreachable(_)) {
                    self.client = None;
                }
                Err(error)
            }
        }
    }
}

/// Why something was not done.
enum Failed {
    Database(postgres::Error),
    Study(Error),
}

impl From<postgres::Error> for Failed {
    fn from(error: postgres::Error) -> Self {
        Self::Database(error)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Study(error)
    }
}

/// A number as a column has it.
fn column(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Store for Open {
    fn log_name(&self) -> String {
        format!("the events of the study {} in {}", self.study.name, self.study.database)
    }

    fn turn(&mut self, from: u64, turn: &mut Turn<'_>) -> Result<(), Error> {
        let log = self.log_name();
        self.on(|client, study, _| {
            let mut transaction = client.transaction()?;
            // Whoever has the row has the turn.
            let lock = "SELECT id FROM downhill_studies WHERE id = $1 FOR UPDATE";
            if transaction.query_opt(lock, &[&study.id])?.is_none() {
                return Err(study.gone().into());
            }
            let select =
                "SELECT event::text FROM downhill_events WHERE study = $1 AND place >= $2 ORDER BY place";
            let rows = transaction.query(select, &[&study.id, &column(from)])?;
            let read = |(at, row): (usize, &postgres::Row)| {
                serde_json::from_str(row.get(0)).map_err(|error| Error::Log {
                    log: log.clone(),
                    line: from as usize + at + 1,
                    why: format!("this is no event of a study: {error}"),
                })
            };
            let events = rows.iter().enumerate().map(read).collect::<Result<Vec<Event>, Error>>()?;
            let place = from + events.len() as u64;
            let new = turn(events)?;
            if new.is_empty() {
                transaction.rollback()?;
                return Ok(());
            }
            append(&mut transaction, study.id, place, &new)?;
            transaction.execute("SELECT pg_notify($1, $2)", &[&CHANNEL, &study.id.to_string()])?;
            Ok(transaction.commit()?)
        })
    }

    fn claim(&mut self, _: &[u64]) -> Result<Option<u64>, Error> {
        self.on(|client, study, worker| {
            let claim = "UPDATE downhill_jobs SET worker = $2, lease = now() + $3 * interval '1 second' \
                         WHERE study = $1 AND slot = ( \
                             SELECT slot FROM downhill_jobs WHERE study = $1 AND (lease IS NULL OR lease < now()) \
                             ORDER BY slot LIMIT 1 FOR UPDATE SKIP LOCKED) \
                         RETURNING slot";
            let lease = study.database.lease.as_secs_f64();
            let row = client.query_opt(claim, &[&study.id, &worker, &lease])?;
            Ok(row.map(|row| row.get::<_, i64>(0) as u64))
        })
    }

    fn release(&mut self, slot: u64) -> Result<(), Error> {
        self.on(|client, study, worker| {
            let release = "UPDATE downhill_jobs SET worker = NULL, lease = NULL \
                           WHERE study = $1 AND slot = $2 AND worker = $3";
            client.execute(release, &[&study.id, &column(slot), &worker])?;
            Ok(())
        })
    }

    fn save(&mut self, trial: u64, epochs: u64, state: &[u8]) -> Result<(), Error> {
        self.on(|client, study, _| {
            let save = "INSERT INTO downhill_states VALUES ($1, $2, $3, $4) \
                        ON CONFLICT (study, trial, epochs) DO UPDATE SET state = excluded.state";
            client.execute(save, &[&study.id, &column(trial), &column(epochs), &state])?;
            Ok(())
        })
    }

    fn load(&mut self, trial: u64, epochs: u64) -> Result<Option<Vec<u8>>, Error> {
        self.on(|client, study, _| {
            let load = "SELECT state FROM downhill_states WHERE study = $1 AND trial = $2 AND epochs = $3";
            let row = client.query_opt(load, &[&study.id, &column(trial), &column(epochs)])?;
            Ok(row.map(|row| row.get(0)))
        })
    }

    fn forget(&mut self, below: &[(u64, u64)]) -> Result<(), Error> {
        let (trials, epochs): (Vec<i64>, Vec<i64>) =
            below.iter().map(|&(trial, epochs)| (column(trial), column(epochs))).unzip();
        self.on(|client, study, _| {
            let forget = "DELETE FROM downhill_states AS state \
                          USING unnest($2::bigint[], $3::bigint[]) AS below (trial, epochs) \
                          WHERE state.study = $1 AND state.trial = below.trial AND state.epochs < below.epochs";
            client.execute(forget, &[&study.id, &trials, &epochs])?;
            Ok(())
        })
    }

    fn bell(&self) -> Result<Option<Bell>, Error> {
        let (database, id) = (self.study.database.clone(), self.study.id.to_string());
        let mut listening: Option<Client> = None;
        let mut tried: Option<Instant> = None;
        Ok(Some(Box::new(move |most| {
            if listening.as_ref().is_none_or(Client::is_closed) {
                // What is not heard is looked for now and then.
                listening = None;
                if tried.is_none_or(|tried| tried.elapsed() >= Duration::from_secs(1)) {
                    tried = Some(Instant::now());
                    let listen = |mut client: Client| {
                        client.batch_execute(&format!("LISTEN {CHANNEL}")).ok().map(|()| client)
                    };
                    listening = database.connect().ok().and_then(listen);
                }
            }
            let Some(client) = &mut listening else {
                std::thread::sleep(most);
                return false;
            };
            let heard = hear(client, &id, most);
            if heard.is_err() {
                listening = None;
            }
            heard.unwrap_or(true)
        })))
    }

    fn renew(&mut self) -> Result<(), Error> {
        self.on(|client, study, worker| {
            let renew = "UPDATE downhill_jobs SET lease = now() + $3 * interval '1 second' \
                         WHERE study = $1 AND worker = $2";
            client.execute(renew, &[&study.id, &worker, &study.database.lease.as_secs_f64()])?;
            Ok(())
        })
    }

    fn renewed_every(&self) -> Option<Duration> {
        Some(self.study.database.lease / 3)
    }
}

/// Waits for a notification of a study, but no longer than `most`.
fn hear(client: &mut Client, study: &str, most: Duration) -> Result<bool, postgres::Error> {
    let mut notifications = client.notifications();
    let mut heard = notifications.timeout_iter(most);
    while let Some(notification) = heard.next()? {
        if notification.payload() == study {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Appends events, and what follows from them: which jobs there are.
fn append(transaction: &mut Transaction<'_>, study: i64, place: u64, events: &[Event]) -> Result<(), Failed> {
    let broken = |error| Error::Mismatch(format!("an event cannot be written: {error}"));
    let texts: Vec<String> = events
        .iter()
        .map(|event| serde_json::to_string(event).map_err(broken))
        .collect::<Result<_, Error>>()?;
    let insert = "INSERT INTO downhill_events \
                  SELECT $1, $2 + line.number - 1, line.event::json \
                  FROM unnest($3::text[]) WITH ORDINALITY AS line (event, number)";
    transaction.execute(insert, &[&study, &column(place), &texts])?;
    let mut jobs: BTreeMap<u64, bool> = BTreeMap::new();
    for event in events {
        match event {
            Event::Start { slot, .. } | Event::Promote { slot, .. } => _ = jobs.insert(*slot, true),
            Event::Result { slot, .. } => _ = jobs.insert(*slot, false),
            Event::Wait { .. }
            | Event::Pause { .. }
            | Event::Stop { .. }
            | Event::Complete { .. }
            | Event::Fail { .. }
            | Event::Halt { .. }
            | Event::Budget { .. } => {}
        }
    }
    for (slot, open) in jobs {
        let change = match open {
            true => "INSERT INTO downhill_jobs (study, slot) VALUES ($1, $2)",
            false => "DELETE FROM downhill_jobs WHERE study = $1 AND slot = $2",
        };
        transaction.execute(change, &[&study, &column(slot)])?;
    }
    Ok(())
}
