//! The same study wherever it is kept, and whoever works on it.

#[cfg(all(unix, feature = "postgres"))]
mod server;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use downhill_search::{
    Budget, Error, Event, History, Job, Objective, Outcome, Plan, Settings, Space, State, Store, Study,
    StudyFolder,
};
#[cfg(feature = "postgres")]
use downhill_search::{Database, DatabaseStudy};

fn plan() -> Plan {
    let space = Space::new().with("x", "uniform(-2, 2)").unwrap().with("rate", "log(1e-4, 1)").unwrap();
    let space = space.with("kind", "choice(a, b, c)").unwrap();
    let budget = Budget { trials: Some(30), ..Budget::default() };
    Plan { space, epochs: 27, seed: 3, budget, ..Plan::default() }
}

/// A training in parts that counts how often each epoch of each trial was made.
#[derive(Default)]
struct Training {
    made: Mutex<BTreeMap<(u64, u64), u32>>,
    milliseconds: u64,
}

impl Objective for Training {
    fn make(&self, job: Job<'_>, paused: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let from = paused.map_or(0, |paused| u64::from_le_bytes(paused.try_into().unwrap()));
        std::thread::sleep(Duration::from_millis(self.milliseconds));
        if job.is_interrupted() {
            return Ok(Outcome::Interrupted);
        }
        for epoch in from..job.until {
            *self.made.lock().unwrap().entry((job.number, epoch)).or_default() += 1;
        }
        let x = job.settings.number("x").unwrap();
        let rate = job.settings.number("rate").unwrap().log10() + 2.0;
        Ok(Outcome::Reached {
            value: x * x + rate * rate + 1.0 / job.until as f64,
            epochs: job.until,
            done: job.until == 27,
            note: None,
            paused: Some(job.until.to_le_bytes().to_vec()),
        })
    }
}

impl Training {
    /// Whether every epoch of every trial that has made some was made once.
    fn is_once(&self, history: &History) -> bool {
        let made = self.made.lock().unwrap();
        let expected: u64 = history.trials().iter().map(|trial| trial.epochs).sum();
        made.values().all(|&times| times == 1) && made.len() as u64 == expected
    }
}

type Told = Vec<(Settings, u64, Option<f64>, State)>;

fn told(history: &History) -> Told {
    let trial =
        |trial: &downhill_search::Trial| (trial.settings.clone(), trial.epochs, trial.value, trial.state);
    history.trials().iter().map(trial).collect()
}

/// Where a study is kept.
#[derive(Clone)]
enum Kept {
    Folder(StudyFolder),
    #[cfg(feature = "postgres")]
    Database(Box<DatabaseStudy>),
}

impl Kept {
    fn study(&self) -> Study {
        match self {
            Self::Folder(folder) => Study::in_folder(folder.clone()).unwrap(),
            #[cfg(feature = "postgres")]
            Self::Database(study) => Study::in_store(study.plan().unwrap(), study.store()),
        }
    }
}

/// What any number of processes comes to, stopped and going on, wherever the study is kept.
fn is_the_same(new: &dyn Fn() -> Kept) {
    let expected = told(&Study::from_plan(plan()).run(&Training::default()).unwrap());
    assert_eq!(expected.len(), 30);

    // One process with one worker, and one with three.
    for workers in [1, 3] {
        let training = Training { milliseconds: workers as u64 - 1, ..Training::default() };
        let history = new().study().workers(workers).run(&training).unwrap();
        assert_eq!(told(&history), expected, "{workers} workers");
        assert!(training.is_once(&history));
    }

    // One that leads and two that follow, as processes do: each has its own handle. What one pauses, another
    // promotes.
    let (kept, training) = (new(), Training { milliseconds: 2, ..Training::default() });
    let histories: Vec<History> = std::thread::scope(|scope| {
        let work = |follows: bool| {
            let study = kept.study().workers(2);
            let study = if follows { study.follow() } else { study };
            study.run(&training).unwrap()
        };
        let all = [
            scope.spawn(move || work(false)),
            scope.spawn(move || work(true)),
            scope.spawn(move || work(true)),
        ];
        all.map(|one| one.join().unwrap()).into()
    });
    for history in &histories {
        assert_eq!(told(history), expected, "three processes");
    }
    assert!(training.is_once(&histories[0]), "no epoch is made twice");

    // Stopped again and again; what was paused goes on from where it was.
    let (kept, training) = (new(), Training::default());
    for sessions in 1.. {
        let stop = Arc::new(AtomicBool::new(false));
        let (told_to, mut results) = (stop.clone(), 0);
        let watch = move |event: &Event, _: &History| {
            results += usize::from(matches!(event, Event::Result { .. }));
            told_to.store(results >= 9, Ordering::Relaxed);
        };
        let history =
            kept.study().workers(1 + sessions % 3).stop_when(stop.clone()).watch(watch).run(&training);
        let history = history.unwrap();
        if !stop.load(Ordering::Relaxed) {
            assert!(sessions > 3, "{sessions}");
            assert_eq!(told(&history), expected, "stopped");
            assert!(training.is_once(&history), "no epoch is made twice");
            break;
        }
        // Followers of a study that was stopped have nothing to do.
        kept.study().follow().run(&Training::default()).unwrap();
    }
}

#[test]
fn in_a_folder() {
    let place = tempfile::tempdir().unwrap();
    let new = || Kept::Folder(StudyFolder::create(place.path(), "s", &plan()).unwrap());
    is_the_same(&new);
    // Nothing that is no more needed is left.
    for study in std::fs::read_dir(place.path()).unwrap() {
        let mut names: Vec<_> =
            std::fs::read_dir(study.unwrap().path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        names.sort();
        assert_eq!(names, ["search.toml", "trials.jsonl"]);
    }

    // A worker that has a job, is there, and is not heard of, as one that was stopped.
    let folder = StudyFolder::create(place.path(), "left", &plan()).unwrap();
    let folder = folder.lease(Duration::from_millis(300));
    let mut stopped = folder.store();
    let expected = left(&mut stopped);
    let mut other = folder.store();
    assert_eq!(Store::claim(&mut other, &[0]).unwrap(), None, "it is taken");
    let training = Training::default();
    let history = Study::in_folder(folder.clone()).unwrap().workers(2).run(&training).unwrap();
    assert_eq!(told(&history), expected);
    assert!(training.is_once(&history));
    // When it goes on, it gives back nothing that is somebody else's.
    std::fs::create_dir_all(folder.path().join("claims")).unwrap();
    assert_eq!(Store::claim(&mut other, &[0]).unwrap(), Some(0));
    Store::release(&mut stopped, 0).unwrap();
    let mut third = folder.store();
    assert_eq!(Store::claim(&mut third, &[0]).unwrap(), None, "it is still taken");
}

/// Begins a study whose first job this worker then has; returns what the study is to come to.
fn left(worker: &mut dyn Store) -> Told {
    let expected = told(&Study::from_plan(plan()).run(&Training::default()).unwrap());
    let began = Event::Start {
        slot: 0,
        trial: 0,
        settings: expected[0].0.clone(),
        until: 1,
        reason: "drawn at random: 0 of the 4 results that the estimator needs are known".into(),
    };
    worker.turn(0, &mut |_| Ok(vec![began.clone()])).unwrap();
    assert_eq!(worker.claim(&[0]).unwrap(), Some(0));
    assert_eq!(worker.claim(&[0]).unwrap(), None, "it is taken");
    expected
}

#[test]
fn a_state_that_is_damaged_or_gone_is_made_again() {
    let place = tempfile::tempdir().unwrap();
    let folder = StudyFolder::create(place.path(), "s", &plan()).unwrap();
    let expected = told(&Study::from_plan(plan()).run(&Training::default()).unwrap());
    let paused = folder.path().join("paused");
    let objective = move |job: &Job<'_>| {
        if job.number == 12 {
            let _ = std::fs::remove_dir_all(&paused);
        }
    };
    struct Removing<F>(F, Training);
    impl<F: Fn(&Job<'_>) + Sync> Objective for Removing<F> {
        fn make(&self, job: Job<'_>, paused: Option<Vec<u8>>) -> Result<Outcome, Error> {
            self.0(&job);
            self.1.make(job, paused)
        }
    }
    let removing = Removing(objective, Training::default());
    let history = Study::in_folder(folder).unwrap().run(&removing).unwrap();
    assert_eq!(told(&history), expected);
    assert!(!removing.1.is_once(&history));
}

#[cfg(all(unix, feature = "postgres"))]
#[test]
fn in_a_database() {
    let Some(server) = server::Server::start() else { return };
    let database: Database = server.url().parse().unwrap();
    assert!(database.studies().unwrap().is_empty());
    let new = || Kept::Database(Box::new(database.create("s", &plan()).unwrap()));
    is_the_same(&new);
    let names: Vec<String> =
        database.studies().unwrap().iter().map(|study| study.name().to_string()).collect();
    assert_eq!(names, ["s", "s-2", "s-3", "s-4"]);

    // A worker that claimed a job and is heard of no more.
    let short = database.clone().lease(Duration::from_millis(300));
    let study = short.create("left", &plan()).unwrap();
    let expected = left(&mut study.store());
    let history = Study::in_store(plan(), study.store()).run(&Training::default()).unwrap();
    assert_eq!(told(&history), expected);

    // The server goes down and up while three processes work.
    let kept = Kept::Database(Box::new(database.create("restarts", &plan()).unwrap()));
    let training = Training { milliseconds: 30, ..Training::default() };
    let histories: Vec<History> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3)
            .map(|number| {
                let study = if number == 0 { kept.study() } else { kept.study().follow() };
                let training = &training;
                scope.spawn(move || study.run(training).unwrap())
            })
            .collect();
        for _ in 0..2 {
            std::thread::sleep(Duration::from_millis(150));
            server.crash();
            server.up();
        }
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    for history in &histories {
        assert_eq!(told(history), expected);
    }

    // What is wrong is said.
    let error = |url: &str| {
        url.parse::<Database>().and_then(|database| database.create("s", &plan())).unwrap_err().to_string()
    };
    let wrong = error(&server.url_with("wrong"));
    assert!(
        wrong.contains("does not let me in") && wrong.contains("check the user and the password"),
        "{wrong}"
    );
    assert!(!wrong.contains(":wrong@"), "{wrong}");
    assert!(error(&server.url().replace("/postgres", "/nowhere")).contains("there is no database at"));
    assert!(error("postgres://me@127.0.0.1:1/x").contains("cannot be reached"));
    assert!(error("postgres://me@127.0.0.1:port/x").contains("no address of a PostgreSQL database"));
    assert!(error(&format!("{}?sslmode=require", server.url())).contains("not encrypted"));
    let missing = database.study("lefft").unwrap_err().to_string();
    assert!(missing.contains("did you mean `left`?"), "{missing}");
    let version = |version: i32| {
        let mut client = postgres::Client::connect(&server.url(), postgres::NoTls).unwrap();
        client.execute("UPDATE downhill_version SET version = $1", &[&version]).unwrap();
    };
    version(7);
    let other = error(&server.url());
    assert!(
        other.contains("are of version 7") && other.contains("a newer version of the program"),
        "{other}"
    );
    version(1);
    let study = kept.study().patience(Duration::from_millis(200));
    server.crash();
    let impatient = study.run(&Training::default()).unwrap_err();
    assert!(matches!(impatient, Error::Unreachable(_)), "{impatient}");
}
