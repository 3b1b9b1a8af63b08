//! Studies of functions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use downhill_search::{
    Budget, Error, Event, Goal, History, Job, Objective, Outcome, Plan, Sampler, Settings, Space, State,
    StopRule, Study, StudyFolder,
};

fn space() -> Space {
    let space = Space::new().with("x", "uniform(-2, 2)").unwrap().with("rate", "log(1e-4, 1)").unwrap();
    space.with("kind", "choice(a, b, c)").unwrap()
}

/// A training in parts: the value falls with the epochs to what the settings come to. Where it is not told to
/// go on from, it starts anew; what it makes is counted.
#[derive(Default)]
struct Training {
    epochs_made: AtomicU64,
    fails_below: Option<f64>,
    stop_after: Option<(u64, Arc<AtomicBool>)>,
}

impl Objective for Training {
    fn make(&self, job: Job<'_>, paused: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let from = paused.map_or(0, |paused| u64::from_le_bytes(paused.try_into().unwrap()));
        let made = self.epochs_made.fetch_add(job.until - from, Ordering::Relaxed);
        if let Some((after, stop)) = &self.stop_after
            && made >= *after
        {
            stop.store(true, Ordering::Relaxed);
            return Ok(Outcome::Interrupted);
        }
        let x = job.settings.number("x").unwrap();
        let rate = job.settings.number("rate").unwrap().log10() + 2.0;
        // Slow ones and fast ones, so that workers overtake each other.
        std::thread::sleep(std::time::Duration::from_micros((x.abs() * 500.0) as u64));
        let fails = self.fails_below.is_some_and(|least| x < least);
        let value = x * x + rate * rate + 1.0 / job.until as f64;
        Ok(Outcome::Reached {
            value: if fails { f64::NAN } else { value },
            epochs: job.until,
            done: fails || job.until == 27,
            note: None,
            paused: Some(job.until.to_le_bytes().to_vec()),
        })
    }
}

fn study() -> Study {
    Study::new(space()).epochs(27).trials(40).seed(3)
}

/// All but what takes time.
fn told(history: &History) -> Vec<(Settings, u64, Option<f64>, State)> {
    let trial =
        |trial: &downhill_search::Trial| (trial.settings.clone(), trial.epochs, trial.value, trial.state);
    history.trials().iter().map(trial).collect()
}

fn plan() -> Plan {
    let budget = Budget { trials: Some(40), ..Budget::default() };
    Plan { space: space(), epochs: 27, seed: 3, budget, ..Plan::default() }
}

/// The log without results, which come in any order, and without its stops.
fn decisions(folder: &StudyFolder) -> Vec<String> {
    let log = std::fs::read_to_string(folder.log_path()).unwrap();
    let is_other = |line: &&str| {
        ["result", "halt", "budget"].iter().any(|event| line.contains(&format!("\"event\":\"{event}\"")))
    };
    log.lines().filter(|line| !is_other(line)).map(str::to_string).collect()
}

#[test]
fn any_number_of_workers_makes_the_same_trials_and_decisions() {
    let place = tempfile::tempdir().unwrap();
    for rule in ["halving", "median", "none"] {
        for sampler in [Sampler::Tpe, Sampler::CoarseToFine] {
            let run = |workers| {
                let plan = Plan { stop: rule.parse().unwrap(), sampler, ..plan() };
                let folder = StudyFolder::create(place.path(), "s", &plan).unwrap();
                let study = Study::in_folder(folder.clone()).unwrap().workers(workers);
                (told(&study.run(&Training::default()).unwrap()), decisions(&folder))
            };
            let one = run(1);
            assert_eq!(run(3), one, "{rule}");
            assert_eq!(run(16), one, "{rule}");
            assert_eq!(one.0.len(), 40);
        }
    }
}

#[test]
fn halving_trains_the_best_to_the_end_and_most_only_a_little() {
    let training = Training::default();
    let history = study().run(&training).unwrap();
    let at = |epochs| history.trials().iter().filter(|trial| trial.epochs == epochs).count();
    let complete = history.trials().iter().filter(|trial| trial.state == State::Complete).count();
    assert!(complete >= 1 && complete == at(27), "{complete}");
    // Early ones are promoted among few, and later ones are better, so more than a third go on.
    assert!(at(1) >= 16 && at(27) <= 6, "{} stay at the first rung, {} reach the last", at(1), at(27));
    let made = training.epochs_made.load(Ordering::Relaxed);
    assert!(made < 40 * 27 / 3, "{made}");
    let whole = study().stop_rule(StopRule::None).run(&Training::default()).unwrap();
    assert!(whole.trials().iter().all(|trial| trial.epochs == 27));
}

#[test]
fn a_study_that_was_stopped_goes_on_to_the_same_end() {
    let place = tempfile::tempdir().unwrap();
    let whole = StudyFolder::create(place.path(), "whole", &plan()).unwrap();
    let expected = told(&Study::in_folder(whole.clone()).unwrap().run(&Training::default()).unwrap());

    let folder = StudyFolder::create(place.path(), "parts", &plan()).unwrap();
    let mut sessions = 0;
    loop {
        let stop = Arc::new(AtomicBool::new(false));
        let training = Training { stop_after: Some((30, stop.clone())), ..Training::default() };
        let study =
            Study::in_folder(folder.clone()).unwrap().workers(1 + sessions % 3).stop_when(stop.clone());
        let history = study.run(&training).unwrap();
        sessions += 1;
        if !stop.load(Ordering::Relaxed) {
            assert_eq!(told(&history), expected);
            break;
        }
        // A crash in the middle of a line.
        let mut log = std::fs::OpenOptions::new().append(true).open(folder.log_path()).unwrap();
        std::io::Write::write_all(&mut log, b"{\"event\":\"resu").unwrap();
    }
    assert!(sessions > 3, "{sessions}");
    assert_eq!(decisions(&folder), decisions(&whole));
}

#[test]
fn a_study_that_is_over_does_nothing_and_goes_on_with_a_larger_budget() {
    let place = tempfile::tempdir().unwrap();
    let folder = StudyFolder::create(place.path(), "s", &plan()).unwrap();
    let first = Study::in_folder(folder.clone()).unwrap().run(&Training::default()).unwrap();
    let log = std::fs::read(folder.log_path()).unwrap();
    let idle = Training::default();
    let again = Study::in_folder(folder.clone()).unwrap().run(&idle).unwrap();
    assert_eq!((told(&again), idle.epochs_made.load(Ordering::Relaxed)), (told(&first), 0));
    assert_eq!(std::fs::read(folder.log_path()).unwrap(), log);
    let more = Study::in_folder(folder).unwrap().trials(50).run(&Training::default()).unwrap();
    assert_eq!(more.trials().len(), 50);
    let settings = |history: &History| -> Vec<Settings> {
        history.trials().iter().take(40).map(|trial| trial.settings.clone()).collect()
    };
    assert_eq!(settings(&more), settings(&first));
}

#[test]
fn budgets_are_kept() {
    let training = Training::default();
    let budget = Budget { epochs_total: Some(100), ..Budget::default() };
    let history = study().budget(budget).run(&training).unwrap();
    let made = training.epochs_made.load(Ordering::Relaxed);
    assert!((90..=100).contains(&made), "{made}");
    assert!(history.trials().len() > 10);
    let none = study().stop_rule(StopRule::None);
    let budget = Budget { epochs_total: Some(20), ..Budget::default() };
    let error = none.budget(budget).run(&Training::default()).unwrap_err().to_string();
    assert!(error.contains("does not reach for the first part of a trial, 27 epochs"), "{error}");
    let began = std::time::Instant::now();
    let budget = Budget { seconds: Some(0.2), ..Budget::default() };
    study().budget(budget).run(&Training::default()).unwrap();
    assert!(began.elapsed().as_secs_f64() < 5.0);
}

#[test]
fn every_decision_has_its_reason() {
    let events = Arc::new(std::sync::Mutex::new(Vec::new()));
    let told = events.clone();
    let training = Training { fails_below: Some(-1.5), ..Training::default() };
    study().watch(move |event, _| told.lock().unwrap().push(event.clone())).run(&training).unwrap();
    let events = events.lock().unwrap();
    let reasons = |wanted: fn(&Event) -> Option<&String>| -> Vec<String> {
        events.iter().filter_map(wanted).cloned().collect()
    };
    let paused = reasons(|event| match event {
        Event::Pause { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(
        paused
            .iter()
            .any(|reason| reason.contains("paused at epoch 1: ") && reason.contains(" there; the best "))
    );
    let promoted = reasons(|event| match event {
        Event::Promote { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(promoted[0].starts_with("goes on to epoch 3: 1st of "), "{}", promoted[0]);
    let failed = reasons(|event| match event {
        Event::Fail { reason, .. } => Some(reason),
        _ => None,
    });
    assert!(failed[0].contains("no finite number"), "{failed:?}");
}

#[test]
fn a_higher_value_is_better_where_it_is_to_be() {
    let space = Space::new().with("x", "uniform(-2, 2)").unwrap();
    let peak = |settings: &Settings| -(settings.number("x").unwrap() - 1.0).powi(2);
    let history = Study::new(space).goal(Goal::Maximise).trials(40).run(&peak).unwrap();
    assert!(history.best().unwrap().value.unwrap() > -0.01);
    let values: Vec<f64> = history.ranking().iter().map(|trial| trial.value.unwrap()).collect();
    assert!(values.windows(2).all(|pair| pair[0] >= pair[1]));
}

#[test]
fn a_grid_ends_after_its_last_point() {
    let space = Space::new().with("n", "int(1, 3)").unwrap().with("kind", "choice(a, b)").unwrap();
    let value = |settings: &Settings| settings.number("n").unwrap();
    let history = Study::new(space).sampler(Sampler::Grid).workers(2).run(&value).unwrap();
    assert_eq!(history.trials().len(), 6);
}

#[test]
fn what_makes_no_study_is_told() {
    let none = |_: &Settings| 0.0;
    let error = |study: Study| study.run(&none).unwrap_err().to_string();
    assert!(error(Study::new(Space::new())).contains("the space is empty"));
    assert!(error(Study::new(space()).trials(0)).contains("give at least 1"));
    assert!(error(Study::new(space()).epochs(0)).contains("no epochs"));
    let all_fail = Study::new(space()).trials(30).run(&|_: &Settings| f64::NAN).unwrap();
    assert!(all_fail.best().is_none());
    assert!(all_fail.trials().iter().all(|trial| trial.state == State::Failed));
}

#[test]
fn a_log_that_was_changed_is_told_with_its_line() {
    let place = tempfile::tempdir().unwrap();
    let folder = StudyFolder::create(place.path(), "s", &plan()).unwrap();
    Study::in_folder(folder.clone()).unwrap().trials(3).run(&Training::default()).unwrap();
    let log = std::fs::read_to_string(folder.log_path()).unwrap();
    let error = |text: String| {
        std::fs::write(folder.log_path(), text).unwrap();
        Study::in_folder(folder.clone()).unwrap().run(&Training::default()).unwrap_err().to_string()
    };
    assert!(error(log.replacen("\"trial\":0", "\"trial\":7", 1)).contains("line 1: trial 7 begins"));
    assert!(error(format!("{log}nonsense\n")).contains("this is no event of a study"));
    assert!(
        error(log.replacen("\"kind\":", "\"sort\":", 1)).contains("the setting sort is not in the space")
    );
    let twice = log.lines().find(|line| line.contains("\"result\"")).unwrap();
    assert!(error(format!("{log}{twice}\n")).contains("a second result"));
}

#[test]
fn a_folder_without_a_plan_is_no_study() {
    let place = tempfile::tempdir().unwrap();
    assert!(StudyFolder::open(place.path()).unwrap_err().to_string().contains("has no search.toml"));
    let file = place.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = StudyFolder::create(&file, "s", &plan()).unwrap_err().to_string();
    assert!(error.ends_with("is not a folder, so no study can be kept in it; give another place"), "{error}");
}

/// As it is with the log of a run: what is planted in its place is not written to, and one that is gone is
/// noticed.
#[cfg(unix)]
#[test]
fn a_log_that_is_a_link_or_is_deleted_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str| StudyFolder::create(folder.path(), name, &plan()).unwrap();
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    let linked = make("linked");
    std::os::unix::fs::symlink(&victim, linked.log_path()).unwrap();
    let error = Study::in_folder(linked).unwrap().run(&|_: &Settings| 1.0).unwrap_err().to_string();
    assert!(error.ends_with("it is a link to elsewhere, not a file"), "{error}");
    assert_eq!(std::fs::read(&victim).unwrap(), b"mine");

    let deleted = make("deleted");
    let log = deleted.log_path();
    let deletes = |_: &Settings| {
        let _ = std::fs::remove_file(&log);
        1.0
    };
    let error = Study::in_folder(deleted).unwrap().run(&deletes).unwrap_err().to_string();
    assert!(error.contains("was deleted or replaced while the study was under way"), "{error}");
}
