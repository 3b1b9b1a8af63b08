//! A run that blows up goes back, at a lower rate, and is as reproducible as any.

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Table};
use downhill_optim::Rule;
use downhill_train::{Config, Event, Guard, Network, Stop, Trained, Trainer, usual_rate};

fn data(name: &str) -> Dataset {
    Table::bundled(name).unwrap().default_target().split(0.2, 1).unwrap()
}

/// A run at so many times the rate that suits the rule.
fn run(
    name: &str,
    rule: &str,
    times: f64,
    guard: Guard,
    threads: usize,
) -> (Result<Trained, String>, Vec<Event>) {
    let optimizer: Rule = rule.parse().unwrap();
    let peak = usual_rate(&optimizer);
    let config = Config {
        optimizer,
        lr: Some((times * peak).into()),
        epochs: 25,
        guard,
        network: Network::Mlp(Network::mlp([32, 32])),
        ..Config::default()
    };
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = seen.clone();
    let view = move |event: &Event| events.lock().unwrap().push(event.clone());
    let trained = Trainer::from_config(config).threads(threads).view(view).fit(&data(name));
    let events = seen.lock().unwrap().clone();
    (trained.map_err(|error| error.to_string()), events)
}

fn rollbacks(events: &[Event]) -> Vec<(u64, f64)> {
    let of = |event: &Event| {
        if let Event::Rollback { to, scale, .. } = event { Some((*to, *scale)) } else { None }
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn a_rate_a_thousand_times_too_high_is_survived() {
    for name in ["iris", "wine", "diabetes", "breast-cancer"] {
        for rule in [
            "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "lion", "lamb", "muon",
            "prodigy",
        ] {
            let (trained, _) = run(name, rule, 1000.0, Guard::default(), 1);
            let trained = trained.unwrap_or_else(|error| panic!("{rule} on {name}: {error}"));
            let measured = trained.predictor().evaluate_rows(&data(name).valid).unwrap();
            assert!(measured.loss.is_finite(), "{rule} on {name}");
        }
    }
}

#[test]
fn it_goes_back_to_where_it_was_well_and_halves_the_rate() {
    let (trained, events) = run("diabetes", "sgd", 60.0, Guard::default(), 1);
    let trained = trained.unwrap();
    assert!(matches!(trained.stop(), Stop::Finished | Stop::EarlyStopping));
    let back = rollbacks(&events);
    assert!(!back.is_empty(), "not a test");
    assert_eq!(back[0], (0, 0.5));
    assert!(back.windows(2).all(|pair| pair[1].1 < pair[0].1));
    // The step gone back to is made again, with the same batch and another rate.
    let at = events.iter().position(|event| matches!(event, Event::Rollback { .. })).unwrap();
    let step = |events: &[Event]| {
        let found = events.iter().find_map(|event| match event {
            Event::Step { step, lr, loss, .. } => Some((*step, *lr, *loss)),
            _ => None,
        });
        found.unwrap()
    };
    let (first, again) = (step(&events), step(&events[at..]));
    assert_eq!((first.0, first.2), (again.0, again.2));
    assert_eq!(again.1, 0.5 * first.1);
    assert!(trained.score() > 0.2, "{}", trained.score());
}

#[test]
fn without_a_guard_it_stops() {
    let (trained, events) = run("diabetes", "sgd", 1e6, Guard::Off, 1);
    assert!(trained.err().unwrap().contains("stopped being a finite number"));
    assert!(rollbacks(&events).is_empty());
    assert!(matches!(events.last(), Some(Event::Stop { reason: Stop::Diverged { .. }, .. })));
}

#[test]
fn a_run_that_is_well_is_left_alone() {
    for name in ["iris", "diabetes"] {
        let hash = |guard| {
            let (trained, events) = run(name, "adamw", 1.0, guard, 1);
            assert!(rollbacks(&events).is_empty());
            trained.unwrap().summary().weights_sha256.clone()
        };
        assert_eq!(hash(Guard::default()), hash(Guard::Off));
    }
}

#[test]
fn rollbacks_are_the_same_on_any_threads() {
    let on = |threads| {
        let (trained, events) = run("diabetes", "momentum", 300.0, Guard::default(), threads);
        let back = rollbacks(&events);
        assert!(!back.is_empty());
        (trained.unwrap().summary().weights_sha256.clone(), back)
    };
    assert_eq!(on(1), on(2));
}
