//! A run that blows up goes back, at a lower rate, and is as reproducible as any.

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Table, Targets};
use downhill_optim::Rule;
use downhill_train::{Cause, Config, Event, Guard, Network, Stop, Trained, Trainer, usual_rate};

/// A table and a rule whose network dies without a high loss on the way.
const DEAD: (&str, &str) = ("wine", "muon");

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

/// What always predicting the shares of the classes, or the mean, of the training rows costs on the
/// validation rows.
fn constant_loss(data: &Dataset) -> f64 {
    let mean = |losses: Vec<f64>| losses.iter().sum::<f64>() / losses.len() as f64;
    match (&data.train.y, &data.valid.y) {
        (Targets::Classes { labels, .. }, Targets::Classes { labels: valid, .. }) => {
            let share = |class: &u32| {
                labels.iter().filter(|&label| label == class).count() as f64 / labels.len() as f64
            };
            mean(valid.iter().map(|class| -share(class).ln()).collect())
        }
        (Targets::Values(values), Targets::Values(valid)) => {
            let middle = mean(values.iter().map(|&value| f64::from(value)).collect());
            mean(valid.iter().map(|&value| (f64::from(value) - middle).powi(2)).collect())
        }
        _ => unreachable!("both are of one kind"),
    }
}

#[test]
fn a_rate_a_thousand_times_too_high_still_learns() {
    for name in ["iris", "wine", "diabetes", "breast-cancer"] {
        let constant = constant_loss(&data(name));
        for rule in Rule::NAMES {
            let (trained, _) = run(name, rule, 1000.0, Guard::default(), 1);
            let trained = trained.unwrap_or_else(|error| panic!("{rule} on {name}: {error}"));
            let loss = trained.summary().valid_loss;
            assert!(loss < constant, "{rule} on {name}: {loss}, and a constant prediction {constant}");
        }
    }
}

#[test]
fn a_network_that_has_died_goes_back_too() {
    let (trained, events) = run(DEAD.0, DEAD.1, 1000.0, Guard::default(), 1);
    let causes: Vec<Cause> = events
        .iter()
        .filter_map(|event| if let Event::Rollback { cause, .. } = event { Some(*cause) } else { None })
        .collect();
    let stuck = causes.iter().position(|&cause| cause == Cause::Stuck).expect("not a test");
    assert!(stuck > 0, "a run that has not blown up is left alone");
    assert!(trained.unwrap().score() > 0.8);
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
    for (name, rule, times) in [("diabetes", "momentum", 300.0), (DEAD.0, DEAD.1, 1000.0)] {
        let on = |threads| {
            let (trained, events) = run(name, rule, times, Guard::default(), threads);
            let back = rollbacks(&events);
            assert!(!back.is_empty());
            (trained.unwrap().summary().weights_sha256.clone(), back)
        };
        assert_eq!(on(1), on(2));
    }
}
