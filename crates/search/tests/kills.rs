//! Processes that work on a study are killed and stopped at random, and the database too: the study comes to
//! the same.
//!
//! `DOWNHILL_KILLS=100 cargo test -p downhill-search --all-features --test kills` does so a hundred times for
//! each number of workers and each place; unless given, a few times.
#![cfg(unix)]

#[cfg(feature = "postgres")]
mod server;

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use downhill_core::random::{Purpose, stream};
use downhill_data::{Dataset, Table};
use downhill_run::Monitor;
#[cfg(feature = "postgres")]
use downhill_search::Database;
use downhill_search::{Budget, Error, History, Networks, Plan, Settings, Space, State, Study, StudyFolder};
use downhill_train::{Config, Network, Trainer, usual_schedule};
use rand::RngExt;

/// Where a process finds its study: a folder, or the address of a database and a name.
const STUDY: &str = "DOWNHILL_KILLS_STUDY";
const NAME: &str = "DOWNHILL_KILLS_NAME";
/// Whether the process leads it.
const LEADS: &str = "DOWNHILL_KILLS_LEADS";
/// How often something is killed.
const KILLS: &str = "DOWNHILL_KILLS";

const LEASE: Duration = Duration::from_millis(500);

fn data() -> Dataset {
    Table::bundled("iris").unwrap().default_target().split(0.2, 7).unwrap()
}

fn plan() -> Plan {
    let space = Space::new().with("lr", "log(1e-3, 1)").unwrap().with("dropout", "uniform(0, 0.5)").unwrap();
    let budget = Budget { trials: Some(24), ..Budget::default() };
    Plan { space, epochs: 27, budget, ..Plan::default() }
}

fn configure(settings: &Settings) -> Result<Config, Error> {
    let mut network = Network::mlp([32, 32]);
    network.dropout = settings.number("dropout").unwrap();
    let mut config = Config { epochs: 27, network: network.into(), ..Config::default() };
    config.lr = Some(usual_schedule(&config.optimizer, settings.number("lr").unwrap()));
    Ok(config)
}

/// Everything of each trial but the time it took, and the weights of the best one.
type Told = (Vec<(Settings, u64, Option<f64>, State)>, String);

fn told(history: &History) -> Told {
    let trials = history.trials().iter();
    let trials =
        trials.map(|trial| (trial.settings.clone(), trial.epochs, trial.value, trial.state)).collect();
    let best = configure(&history.best().unwrap().settings).unwrap();
    let weights = Trainer::from_config(best).fit(&data()).unwrap().predictor().weights_sha256();
    (trials, weights)
}

/// A study as a process finds it.
#[derive(Clone)]
struct Kept {
    study: String,
    name: String,
}

impl Kept {
    fn open(&self) -> Study {
        #[cfg(feature = "postgres")]
        if let Ok(database) = self.study.parse::<Database>() {
            let study = database.lease(LEASE).study(&self.name).unwrap();
            return Study::in_store(study.plan().unwrap(), study.store());
        }
        Study::in_folder(StudyFolder::open(Path::new(&self.study)).unwrap().lease(LEASE)).unwrap()
    }

    /// Stops a process, though not in the middle of writing into the log of a folder, which nobody else could
    /// write into then.
    fn stop(&self, process: &Child) {
        let log = Path::new(&self.study).join("trials.jsonl");
        signal(process, "-STOP");
        while !is_free(&log) {
            signal(process, "-CONT");
            std::thread::sleep(Duration::from_millis(3));
            signal(process, "-STOP");
        }
    }

    /// A process that works on it: this program again, with one test.
    fn process(&self, leads: bool) -> Child {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--exact", "a_process", "--nocapture"]).env(STUDY, &self.study).env(NAME, &self.name);
        if leads {
            program.env(LEADS, "yes");
        }
        program.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }
}

/// What such a process does; as a test it does nothing.
#[test]
fn a_process() {
    let Ok(study) = std::env::var(STUDY) else { return };
    let kept = Kept { study, name: std::env::var(NAME).unwrap() };
    let data = data();
    let networks = Networks::new(&data, Monitor::Loss, configure).unwrap();
    let study = kept.open();
    let study = if std::env::var_os(LEADS).is_some() { study } else { study.follow() };
    study.run(&networks).unwrap();
}

/// Whether the lock of a file can be had soon.
fn is_free(log: &Path) -> bool {
    let Ok(log) = File::open(log) else { return true };
    (0..50).any(|_| {
        std::thread::sleep(Duration::from_millis(2));
        log.try_lock().is_ok()
    })
}

fn kills() -> u64 {
    std::env::var(KILLS).map_or(8, |kills| kills.parse().expect("a number of kills"))
}

fn signal(process: &Child, signal: &str) {
    Command::new("kill").args([signal, &process.id().to_string()]).status().unwrap();
}

/// Kills and stops processes at random while there is something to do, on new studies until it was often
/// enough; `crash` takes the database down and up.
fn survives(workers: usize, new: &dyn Fn() -> Kept, crash: Option<&dyn Fn()>) {
    let expected = told(
        &Study::from_plan(plan()).run(&Networks::new(&data(), Monitor::Loss, configure).unwrap()).unwrap(),
    );
    let mut draw = stream(workers as u64, Purpose::Suggest, 0);
    let mut killed = 0;
    while killed < kills() {
        let kept = new();
        let mut all: Vec<Child> = (0..workers).map(|number| kept.process(number == 0)).collect();
        let mut stopped: Vec<Child> = Vec::new();
        let began = Instant::now();
        // Until those that lead have come to an end.
        while all[0].try_wait().unwrap().is_none() {
            assert!(began.elapsed() < Duration::from_secs(300), "the study does not come to its end");
            std::thread::sleep(Duration::from_millis(draw.random_range(20..200)));
            if killed >= kills() {
                continue;
            }
            killed += 1;
            let number = draw.random_range(0..workers);
            match draw.random_range(0..10) {
                0 | 1 if crash.is_some() => crash.iter().for_each(|crash| crash()),
                // One that is stopped is not heard of any more, though it is there.
                2 | 3 if number > 0 => {
                    kept.stop(&all[number]);
                    stopped.push(std::mem::replace(&mut all[number], kept.process(false)));
                }
                _ => {
                    all[number].kill().unwrap();
                    all[number].wait().unwrap();
                    all[number] = kept.process(number == 0);
                }
            }
        }
        for process in all.iter_mut().chain(&mut stopped) {
            let _ = process.kill(); // it may be over
            process.wait().unwrap();
        }
        let history = kept.open().history().unwrap();
        assert_eq!(told(&history), expected, "{workers} workers");
    }
}

#[test]
fn in_a_folder_nothing_is_lost_or_made_twice() {
    let place = tempfile::tempdir().unwrap();
    let new = || {
        let folder = StudyFolder::create(place.path(), "s", &plan()).unwrap();
        Kept { study: folder.path().display().to_string(), name: String::new() }
    };
    for workers in [1, 2, 7] {
        survives(workers, &new, None);
    }
}

#[cfg(feature = "postgres")]
#[test]
fn in_a_database_nothing_is_lost_or_made_twice() {
    let Some(server) = server::Server::start() else { return };
    let database: Database = server.url().parse().unwrap();
    let new = || {
        let study = database.create("s", &plan()).unwrap();
        Kept { study: server.url(), name: study.name().to_string() }
    };
    let crash = || {
        server.crash();
        server.up();
    };
    for workers in [1, 2, 7] {
        survives(workers, &new, Some(&crash));
    }
}
