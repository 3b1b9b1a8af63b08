//! A PostgreSQL server of the tests' own, where the machine has one to start.

#![allow(dead_code)] // each test file uses its part

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A server in a folder of its own, that listens on a socket in it.
pub struct Server {
    programs: PathBuf,
    folder: tempfile::TempDir,
}

impl Server {
    /// Starts one; none, which is said, if there is none to start.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let _ = writeln!(std::io::stderr(), "skipped: there is no PostgreSQL here (initdb and pg_ctl)");
            return None;
        };
        // A socket's path has at most some hundred bytes.
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let server = Self { programs, folder };
        if is_root() {
            let chown = Command::new("chown").arg("postgres").arg(server.folder.path()).status();
            assert!(chown.is_ok_and(|status| status.success()), "a user `postgres` is needed by root");
        }
        let data = server.data();
        let made = server
            .program("initdb")
            .args(["--no-sync", "--auth=scram-sha-256", "--username=me", "--encoding=UTF8", "--pgdata"])
            .arg(&data)
            .arg(format!("--pwfile={}", server.password().display()))
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success(), "initdb failed");
        server.up();
        Some(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The file with the password that the server is made with.
    fn password(&self) -> PathBuf {
        let path = self.folder.path().join("password");
        std::fs::write(&path, "secret\n").unwrap();
        path
    }

    /// A program of the server's, as the user that may run it.
    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match is_root() {
            true => {
                let mut command = Command::new("runuser");
                command.args(["-u", "postgres", "--"]).arg(path);
                command
            }
            false => Command::new(path),
        };
        command.current_dir(self.folder.path());
        command
    }

    fn control(&self, arguments: &[&str]) {
        let status = self
            .program("pg_ctl")
            .args(["--wait", "--silent", "--pgdata"])
            .arg(self.data())
            .args(arguments)
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "pg_ctl {arguments:?} failed");
    }

    pub fn up(&self) {
        let folder = self.folder.path().display();
        let options = format!("-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off");
        let log = self.folder.path().join("log");
        self.control(&["--options", &options, "--log", &log.display().to_string(), "start"]);
    }

    /// Stops it as a crash does: all connections break.
    pub fn crash(&self) {
        self.control(&["--mode=immediate", "stop"]);
    }

    /// The address of the database, with this password.
    pub fn url_with(&self, password: &str) -> String {
        let folder = self.folder.path().display().to_string().replace('/', "%2F");
        format!("postgres://me:{password}@{folder}/postgres")
    }

    pub fn url(&self) -> String {
        self.url_with("secret")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self
            .program("pg_ctl")
            .args(["--mode=immediate", "--silent", "--pgdata"])
            .arg(self.data())
            .arg("stop")
            .status();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// Where the server's programs are: Debian has them outside of the usual places.
fn programs() -> Option<PathBuf> {
    let has = |folder: &Path| folder.join("initdb").is_file() && folder.join("pg_ctl").is_file();
    let installed = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let installed = installed.map(|version| version.path().join("bin"));
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let all: Vec<PathBuf> = installed.chain(std::env::split_paths(&paths)).collect();
    all.into_iter().find(|folder| has(folder))
}
