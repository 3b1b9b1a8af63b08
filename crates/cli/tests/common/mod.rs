//! The program, run as a person would run it, in a folder of its own.

#![allow(dead_code)] // each test file uses its part

#[path = "../../../data/tests/shared/mod.rs"]
pub mod shared;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// A fresh folder to run the program in.
pub struct Place(TempDir);

/// What a command came to.
pub struct Outcome {
    pub command: String,
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A Python that has a package, if there is one: `DOWNHILL_PYTHON`, or `python3`.
pub fn python(package: &str) -> Option<String> {
    let name = std::env::var("DOWNHILL_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&name).args(["-c", &format!("import {package}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(name);
    }
    let _ = writeln!(
        std::io::stderr(),
        "skipped: {name} has no package {package}; DOWNHILL_PYTHON names another Python"
    );
    None
}

/// Two classes that one look at `a` tells apart, in 40 rows from line 2 on.
pub fn classes() -> String {
    let row = |i: usize| format!("{},{},{}\n", i, i * 7 % 11, if i < 20 { "blue" } else { "red" });
    format!("a,b,y\n{}", (0..40).map(row).collect::<String>())
}

/// A number to predict, in 40 rows.
pub fn numbers() -> String {
    let row = |i: usize| format!("{},{},{}\n", i, i * 7 % 11, i as f64 * 1.5 + 0.25);
    format!("a,b,y\n{}", (0..40).map(row).collect::<String>())
}

impl Place {
    /// With `good.csv` ([`classes`]) and `numbers.csv` ([`numbers`]) in it.
    pub fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        place.write("good.csv", classes());
        place.write("numbers.csv", numbers());
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// `good.csv` with one of its lines, counted from 1, replaced.
    pub fn write_with_line(&self, name: &str, line: usize, text: &str) {
        let good = classes();
        let lines: Vec<&str> =
            good.lines().enumerate().map(|(i, old)| if i + 1 == line { text } else { old }).collect();
        self.write(name, lines.join("\n") + "\n");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The files of a folder, in order.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program, to be given its arguments.
    pub fn program(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
        command.current_dir(self.0.path()).env_remove("NO_COLOR").env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs `downhill` with these words.
    pub fn run(&self, words: &str) -> Outcome {
        self.run_with(words, &[])
    }

    /// Runs `downhill` with these words, and arguments that have spaces in them or are empty.
    pub fn run_with(&self, words: &str, more: &[&str]) -> Outcome {
        let output = self.program().args(words.split_whitespace()).args(more).output().unwrap();
        Outcome::of(format!("downhill {words} {more:?}"), output)
    }

    /// Trains a small network quickly, with these words besides.
    pub fn train(&self, words: &str) -> Outcome {
        self.train_with(words, &[])
    }

    pub fn train_with(&self, words: &str, more: &[&str]) -> Outcome {
        self.run_with(&format!("train --hidden 8 --epochs 2 --format json {words}"), more)
    }

    /// Runs a line of shell, in which `$downhill` is the program.
    #[cfg(unix)]
    pub fn shell(&self, line: &str) -> Outcome {
        let mut command = Command::new("sh");
        command.current_dir(self.0.path()).args(["-c", line]);
        let output = command.env("downhill", env!("CARGO_BIN_EXE_downhill")).output().unwrap();
        Outcome::of(line.to_string(), output)
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }
}

impl Outcome {
    fn of(command: String, output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let outcome = Self {
            command,
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        };
        for jargon in
            ["panicked", "os error", "RUST_BACKTRACE", "Error {", "untagged", "u64", "usize", "serde"]
        {
            assert!(!outcome.stderr.contains(jargon), "{jargon:?} in what {outcome:?} says");
        }
        outcome
    }

    /// Checks that it was done.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Checks that it could not be done, and that each of these is said.
    #[track_caller]
    pub fn fails(self, parts: &[&str]) -> Self {
        self.ends(1, parts)
    }

    /// Checks that the command line is wrong, and that each of these is said.
    #[track_caller]
    pub fn refused(self, parts: &[&str]) -> Self {
        self.ends(2, parts)
    }

    #[track_caller]
    fn ends(self, code: i32, parts: &[&str]) -> Self {
        assert_eq!(self.code, Some(code), "{self:?}");
        assert!(
            self.stderr.starts_with("error: ") || self.stderr.contains("\nerror: "),
            "no `error: ` in {self:?}"
        );
        self.says(parts)
    }

    /// Checks that standard error has each of these.
    #[track_caller]
    pub fn says(self, parts: &[&str]) -> Self {
        for part in parts {
            assert!(self.stderr.contains(part), "no {part:?} in {self:?}");
        }
        self
    }

    /// Standard output, which must be one JSON value and nothing else.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// Standard output as the lines of a CSV file, which must all be as long as the first.
    #[track_caller]
    pub fn csv(&self) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(self.stdout.as_bytes());
        let records =
            reader.records().map(|record| record.unwrap_or_else(|error| panic!("{error} in {self:?}")));
        records.map(|record| record.iter().map(str::to_string).collect()).collect()
    }

    /// The hash of the weights in the summary.
    #[track_caller]
    pub fn hash(&self) -> String {
        self.json()["weights_sha256"].as_str().unwrap().to_string()
    }
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, code, stdout, stderr } = self;
        write!(f, "\n$ {command}\n{stdout}{stderr}[exit code {code:?}]\n")
    }
}
