//! Runs that the page has begun: each a process of its own, which goes on when the page is closed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use downhill_run::is_name;
use serde::Serialize;

/// How long is waited for a run's folder, or for why there will be none.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a process says of what went wrong is shown so far.
const LONGEST: u64 = 8 * 1024;

/// No more than these are under way at once, and no more that are over are remembered.
const MOST_UNDER_WAY: usize = 64;
const MOST_OVER: usize = 200;

/// The folder inside that of the runs where the page keeps what is its own; names with a dot are no runs.
pub const OWN: &str = ".lab";

/// What has become of the processes that were begun.
#[derive(Debug)]
pub struct Jobs {
    program: Option<PathBuf>,
    runs: PathBuf,
    all: Arc<Mutex<BTreeMap<String, Job>>>,
}

/// A process that was begun.
#[derive(Clone, Debug, Serialize)]
pub struct Job {
    /// The name of its run.
    pub name: String,
    /// Whether it is there.
    pub running: bool,
    /// What it said, if it went wrong.
    pub error: Option<String>,
}

impl Jobs {
    /// None yet; `program` is what will be started.
    pub fn new(program: Option<PathBuf>, runs: &Path) -> Self {
        Self { program, runs: runs.to_path_buf(), all: Arc::default() }
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Job>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether runs can be begun.
    pub fn can_begin(&self) -> bool {
        self.program.is_some()
    }

    /// What has become of all, by name.
    pub fn list(&self) -> Vec<Job> {
        self.all().values().cloned().collect()
    }

    /// Begins a run: the command and its arguments, to which the folder and the name are added. Returns the
    /// run's name once its folder is there.
    ///
    /// # Errors
    ///
    /// What the program says, if it makes no run.
    pub fn begin(&self, name: &str, arguments: &[String]) -> Result<String, String> {
        let program = self.program.as_ref().ok_or("this page can begin no runs")?;
        let name = self.reserve(name)?;
        let begun = self.spawn(program, &name, arguments);
        if let Err(why) = &begun {
            self.conclude(&name, Some(why.clone()));
        }
        begun.map(|()| name)
    }

    /// Takes a name that no run has.
    fn reserve(&self, wanted: &str) -> Result<String, String> {
        if !is_name(wanted) || wanted.len() > 200 {
            return Err(format!(
                "{wanted:?} cannot be the name of a run, which is that of a folder: leave out slashes and a dot in front"
            ));
        }
        let mut all = self.all();
        if all.values().filter(|job| job.running).count() >= MOST_UNDER_WAY {
            return Err(format!(
                "{MOST_UNDER_WAY} runs that this page began are under way; wait for one to end"
            ));
        }
        while all.len() > MOST_OVER {
            let over = all.iter().find(|(_, job)| !job.running).map(|(name, _)| name.clone());
            let Some(over) = over else { break };
            all.remove(&over);
        }
        let taken =
            |name: &str| self.runs.join(name).exists() || all.get(name).is_some_and(|job| job.running);
        let mut names = std::iter::once(wanted.to_string()).chain((2..).map(|n| format!("{wanted}-{n}")));
        let name = names.find(|name| !taken(name)).expect("numbers do not end");
        all.insert(name.clone(), Job { name: name.clone(), running: true, error: None });
        Ok(name)
    }

    fn conclude(&self, name: &str, error: Option<String>) {
        conclude(&self.all, name, error);
    }

    fn spawn(&self, program: &Path, name: &str, arguments: &[String]) -> Result<(), String> {
        let failed = |doing: &str| {
            let doing = doing.to_string();
            move |error: std::io::Error| format!("{doing}: {error}")
        };
        let place = self.runs.join(OWN);
        fs::create_dir_all(&place).map_err(failed("the folder for what runs say cannot be made"))?;
        let said = place.join(format!("{name}.log"));
        let file = File::create(&said).map_err(failed("the file for what the run says cannot be made"))?;
        let mut command = Command::new(program);
        let mut runs = OsString::from("--runs=");
        runs.push(&self.runs);
        let own = [runs, format!("--name={name}").into(), "--quiet".into(), "--format=json".into()];
        // Behind the command itself, as `--` may stand among its arguments.
        let (first, rest) = arguments.split_at(1.min(arguments.len()));
        let given = first.iter().map(OsString::from).chain(own).chain(rest.iter().map(OsString::from));
        command.args(given).stdin(Stdio::null()).stdout(Stdio::null()).stderr(file);
        // It is no part of the terminal's job: Ctrl-C there ends the page and leaves the run.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(failed("the program that trains cannot be started"))?;
        let (folder, began) = (self.runs.join(name), Instant::now());
        loop {
            let ended = child.try_wait().map_err(failed("the process cannot be waited for"))?;
            let is_there = folder.join("run.toml").is_file();
            match ended {
                Some(status) if !status.success() && !is_there => return Err(tail(&said)),
                _ if is_there || ended.is_some() => break,
                _ if began.elapsed() > PATIENCE => break,
                _ => thread::sleep(Duration::from_millis(20)),
            }
        }
        let (all, name) = (self.all.clone(), name.to_string());
        thread::spawn(move || {
            let status = child.wait();
            let well = status.is_ok_and(|status| status.success() || status.code() == Some(130));
            conclude(&all, &name, (!well).then(|| tail(&said)));
            let _ = fs::remove_file(said);
        });
        Ok(())
    }
}

fn conclude(all: &Mutex<BTreeMap<String, Job>>, name: &str, error: Option<String>) {
    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(job) = all.get_mut(name) {
        (job.running, job.error) = (false, error);
    }
}

/// What a process has said, without what stands in front of it for a terminal.
fn tail(said: &Path) -> String {
    let mut text = String::new();
    if let Ok(file) = File::open(said) {
        let _ = file.take(LONGEST).read_to_string(&mut text);
    }
    // Where to find more is said to who has a command line.
    let text = text.split("\n\nFor more information, try").next().unwrap_or_default();
    let text = text.trim().trim_start_matches("error: ").to_string();
    if text.is_empty() { "the program ended without saying why".into() } else { text }
}
