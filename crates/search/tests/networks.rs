//! Studies of networks: the same bits whatever happens on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use downhill_data::{Dataset, Table};
use downhill_run::Monitor;
use downhill_search::{
    Budget, Error, Event, History, Networks, Plan, Settings, Space, State, Study, StudyFolder,
};
use downhill_train::{Config, Network, Trainer, usual_schedule};

fn data() -> Dataset {
    Table::bundled("iris").unwrap().default_target().split(0.2, 7).unwrap()
}

fn space() -> Space {
    Space::new().with("lr", "log(1e-3, 1)").unwrap().with("dropout", "uniform(0, 0.5)").unwrap()
}

fn configure(settings: &Settings) -> Result<Config, Error> {
    let mut network = Network::mlp([8]);
    network.dropout = settings.number("dropout").unwrap();
    let mut config = Config { epochs: 9, network: network.into(), ..Config::default() };
    config.lr = Some(usual_schedule(&config.optimizer, settings.number("lr").unwrap()));
    Ok(config)
}

#[test]
fn pausing_and_going_on_changes_no_bit() {
    let data = data();
    let networks = Networks::new(&data, Monitor::Loss, configure).unwrap();
    let study = |workers| Study::new(space()).epochs(9).trials(12).workers(workers).run(&networks).unwrap();
    let history = study(1);
    let others = study(3);
    for (one, other) in history.trials().iter().zip(others.trials()) {
        assert_eq!((&one.settings, one.value, one.state), (&other.settings, other.value, other.state));
    }
    let complete: Vec<_> =
        history.trials().iter().filter(|trial| trial.state == State::Complete && trial.epochs == 9).collect();
    assert!(!complete.is_empty());
    for trial in complete {
        let alone = Trainer::from_config(configure(&trial.settings).unwrap()).fit(&data).unwrap();
        assert_eq!(Some(alone.summary().valid_loss), trial.value, "trial {}", trial.number);
    }
}

#[test]
fn a_study_that_is_stopped_and_goes_on_comes_to_the_same_values() {
    let (data, place) = (data(), tempfile::tempdir().unwrap());
    let networks = Networks::new(&data, Monitor::Loss, configure).unwrap();
    let budget = Budget { trials: Some(12), ..Budget::default() };
    let plan = Plan { space: space(), epochs: 9, budget, ..Plan::default() };
    // What paused trials go on from is lost in between.
    let values = |name: &str, results_at_once: usize| {
        let folder = StudyFolder::create(place.path(), name, &plan).unwrap();
        for sessions in 1.. {
            let stop = Arc::new(AtomicBool::new(false));
            let (told, mut results) = (stop.clone(), 0);
            let watch = move |event: &Event, _: &History| {
                results += usize::from(matches!(event, Event::Result { .. }));
                told.store(results >= results_at_once, Ordering::Relaxed);
            };
            let study = Study::in_folder(folder.clone()).unwrap().stop_when(stop.clone()).watch(watch);
            let history = study.run(&networks).unwrap();
            if !stop.load(Ordering::Relaxed) {
                let values = history.trials().iter().map(|trial| (trial.epochs, trial.value));
                return (sessions, values.collect::<Vec<_>>());
            }
        }
        unreachable!("it comes to its end")
    };
    let (whole, parts) = (values("whole", usize::MAX), values("parts", 4));
    assert!(whole.0 == 1 && parts.0 > 3, "{} sessions", parts.0);
    assert_eq!(parts.1, whole.1);
}

#[test]
fn one_that_is_stopped_at_once_has_made_nothing() {
    let data = data();
    let networks = Networks::new(&data, Monitor::Loss, configure).unwrap();
    let stop = Arc::new(AtomicBool::new(true));
    let history = Study::new(space()).stop_when(stop).run(&networks).unwrap();
    assert!(history.trials().is_empty());
}

#[test]
fn what_diverges_fails_and_a_metric_of_another_task_is_told() {
    let data = data();
    let diverging = |_: &Settings| {
        let config = Config { epochs: 2, guard: "off".parse().unwrap(), ..Config::default() };
        Ok(Config { lr: Some(1e30.into()), optimizer: "sgd".parse().unwrap(), ..config })
    };
    let networks = Networks::new(&data, Monitor::Loss, diverging).unwrap();
    let history = Study::new(space()).epochs(2).trials(3).run(&networks).unwrap();
    assert!(history.trials().iter().all(|trial| trial.state == State::Failed), "{:?}", history.trials());
    let note = history.trials()[0].note.clone().unwrap();
    assert!(note.contains("the loss stopped being a finite number"), "{note}");
    let error = Networks::new(&data, Monitor::R2, configure).err().unwrap().to_string();
    assert!(error.contains("the search is to watch `r2`, which is for regression"), "{error}");
}

#[test]
fn a_rate_that_is_not_given_is_found_as_in_training() {
    let data = data();
    let automatic = |settings: &Settings| Ok(Config { lr: None, epochs: 9, ..configure(settings)? });
    let networks = Networks::new(&data, Monitor::Accuracy, automatic).unwrap();
    let history = Study::new(space()).goal(networks.goal()).epochs(9).trials(3).run(&networks).unwrap();
    let best = history.best().unwrap();
    let alone = Trainer::from_config(automatic(&best.settings).unwrap()).fit(&data).unwrap();
    let value = best.value.unwrap();
    // The best may be paused, and is better at its end if anything.
    assert!(best.state != State::Complete || best.epochs < 9 || alone.score() == value, "{value}");
}
