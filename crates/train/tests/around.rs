//! What goes around an update rule in a run: sums of batches, averages, cuts of the rate, groups.

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Table};
use downhill_nn::{Batch, Mlp, Model, Targets, Workspace};
use downhill_optim::{Accumulator, Rule};
use downhill_train::{ClassWeights, Config, Error, Event, Guard, Keep, Network, Trained, Trainer};

fn data() -> Dataset {
    Table::bundled("breast-cancer").unwrap().default_target().split(0.2, 1).unwrap()
}

fn config() -> Config {
    let network = Network::Mlp(Mlp { dropout: 0.0, ..Network::mlp([16]) });
    let lr = Some("0.01".parse().unwrap());
    Config {
        epochs: 6,
        batch: Some(60),
        lr,
        network,
        early_stopping: "off".parse().unwrap(),
        keep: Keep::Last,
        ema: Some(0.0),
        ..Config::default()
    }
}

fn run(config: Config) -> Result<(Trained, Vec<Event>), Error> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = seen.clone();
    let view = move |event: &Event| events.lock().unwrap().push(event.clone());
    let trained = Trainer::from_config(config).threads(1).view(view).fit(&data())?;
    let events = seen.lock().unwrap().clone();
    Ok((trained, events))
}

fn losses(events: &[Event]) -> Vec<f64> {
    let loss = |event: &Event| if let Event::Step { loss, .. } = event { Some(*loss) } else { None };
    events.iter().filter_map(loss).collect()
}

fn rates(events: &[Event]) -> Vec<f64> {
    let lr = |event: &Event| if let Event::Epoch(epoch) = event { Some(epoch.lr) } else { None };
    events.iter().filter_map(lr).collect()
}

/// Three batches of 20 make the step of one of 60, whatever the classes weigh.
#[test]
fn batches_add_up_to_a_larger_one() {
    for class_weights in [ClassWeights::None, ClassWeights::Balanced] {
        let whole = run(Config { class_weights, ..config() }).unwrap().1;
        let parts = run(Config { class_weights, batch: Some(20), accumulate: 3, ..config() }).unwrap().1;
        let (whole, parts) = (losses(&whole), losses(&parts));
        assert_eq!(whole.len(), parts.len());
        for (step, (a, b)) in whole.iter().zip(&parts).enumerate() {
            assert!((a - b).abs() < 1e-4 * (1.0 + a), "{class_weights:?}, step {step}: {a} and {b}");
        }
    }
}

/// The same on the gradient itself, in f64.
#[test]
fn gradients_add_up() {
    let layers = ["dense(5)", "tanh", "dense(3)"].map(|layer| layer.parse().unwrap());
    let mut model = Model::<f64>::build(&layers, 4, 3).unwrap();
    let x: Vec<f64> = (0..4 * 10).map(|i| f64::from((i * 7) % 11) / 5.0 - 1.0).collect();
    let labels: Vec<u32> = (0..10).map(|i| i % 3).collect();
    let loss = "cross-entropy(class-weights=[1, 2, 5])".parse::<downhill_nn::Loss>().unwrap();
    let mut workspace = Workspace::new(&model, 10, false);
    let targets = Targets::Classes(&labels);
    let rows: Vec<u32> = (0..10).collect();
    workspace.gradients(&mut model, &Batch { x: &x, targets, rows: &rows }, &loss, 0, 0).unwrap();
    let whole = workspace.gradient().to_vec();
    let mut sum = Accumulator::new(whole.len());
    for rows in rows.chunks(4) {
        let weight =
            loss.batch_weight(3, targets, rows) / loss.batch_weight(3, targets, &(0..10).collect::<Vec<_>>());
        workspace.gradients(&mut model, &Batch { x: &x, targets, rows }, &loss, 0, 0).unwrap();
        sum.add(workspace.gradient(), weight);
    }
    for (a, b) in whole.iter().zip(sum.gradient()) {
        assert!((a - b).abs() < 1e-14, "{a} and {b}");
    }
}

/// What is measured is what is kept: the average, or what the rule averages.
#[test]
fn averages_are_measured_and_kept() {
    let plain = run(config()).unwrap().0;
    for (optimizer, ema) in [("adamw", Some(0.9)), ("schedule-free-adamw", None), ("schedule-free-sgd", None)]
    {
        let optimizer: Rule = optimizer.parse().unwrap();
        let (trained, events) =
            run(Config { optimizer: optimizer.clone(), ema, lr: None, ..config() }).unwrap();
        let Some(Event::Epoch(last)) = events.iter().rev().find(|event| matches!(event, Event::Epoch(_)))
        else {
            panic!("an epoch ended");
        };
        let measured = trained.predictor().evaluate_rows(&data().valid).unwrap();
        assert!((measured.loss - last.valid_loss).abs() < 1e-6, "{optimizer}");
        assert_ne!(trained.summary().weights_sha256, plain.summary().weights_sha256);
        assert!(trained.score() > 0.9, "{optimizer}: {}", trained.score());
    }
}

#[test]
fn a_plateau_cuts_the_rate_and_can_go_back() {
    // Nothing counts as better, so that every second epoch is followed by a cut.
    let plateau = |more: &str| format!("cut(0.5, patience=1, threshold=0.999{more})").parse().unwrap();
    let events = run(Config { plateau: plateau(""), epochs: 8, ..config() }).unwrap().1;
    assert_eq!(rates(&events), [0.01, 0.01, 0.01, 0.005, 0.005, 0.0025, 0.0025, 0.00125]);
    let cuts: Vec<(f64, Option<u64>)> = events
        .iter()
        .filter_map(|event| {
            if let Event::Cut { scale, back_to, .. } = event { Some((*scale, *back_to)) } else { None }
        })
        .collect();
    assert_eq!(cuts, [(0.5, None), (0.25, None), (0.125, None)]);

    let lowest = run(Config { plateau: plateau(", min=0.004"), epochs: 8, ..config() }).unwrap().1;
    assert_eq!(rates(&lowest)[3..], [0.005, 0.005, 0.004, 0.004, 0.004]);
}

/// A cut that goes back goes on from the weights and the state of the best epoch: with no rate left, it stays
/// there.
#[test]
fn going_back_is_to_the_weights_of_the_best_epoch() {
    let weights = |trained: &Trained| trained.predictor().members()[0].model().params().to_vec();
    // Three epochs down; from then on a rate that only does harm. Nothing after the third epoch counts as
    // better.
    let lr = |later: &str| Some(format!("sequence(0.01, 3ep, {later})").parse().unwrap());
    let best = run(Config { epochs: 3, ..config() }).unwrap().0;
    let plateau = "cut(1e-30, patience=2, threshold=0.5, backtrack=true)".parse().unwrap();
    let back = Config { lr: lr("2"), epochs: 20, plateau, guard: Guard::Off, ..config() };
    let (trained, events) = run(back).unwrap();
    let cut =
        events.iter().find_map(|event| if let Event::Cut { back_to, .. } = event { *back_to } else { None });
    let last_best = events.iter().filter_map(|event| match event {
        Event::Epoch(epoch) if epoch.best => Some(epoch.epoch),
        _ => None,
    });
    assert_eq!(cut, last_best.collect::<Vec<_>>().pop());
    assert_eq!(cut, Some(2), "the third epoch is the best; else this is not a test");
    assert_eq!(weights(&trained), weights(&best));
}

/// The step after going back is the one that would have been made then: Adam's corrections go with its state.
#[test]
fn going_back_takes_the_corrections_along() {
    // All rows in one batch, so that an epoch is a step and its order is no matter.
    let settings = Config {
        batch: Some(1000),
        early_stopping: "after(1000, min-delta=1e9)".parse().unwrap(),
        keep: Keep::Last,
        plateau: "cut(0.5, patience=1, threshold=1e9, threshold-mode=abs, backtrack=true)".parse().unwrap(),
        epochs: 4,
        ..config()
    };
    // Two steps too many, back to the first, and one at half the rate.
    let back = run(settings.clone()).unwrap();
    assert!(back.1.iter().any(|event| matches!(event, Event::Cut { step: 3, back_to: Some(0), .. })));
    let lr = Some("sequence(0.01, 1, 0.005)".parse().unwrap());
    let straight = run(Config { plateau: "off".parse().unwrap(), lr, epochs: 2, ..settings }).unwrap();
    let weights = |trained: &Trained| trained.predictor().members()[0].model().params().to_vec();
    for (a, b) in weights(&back.0).iter().zip(&weights(&straight.0)) {
        assert!((a - b).abs() < 1e-4, "{a} and {b}");
    }
}

#[test]
fn what_does_not_go_together_is_said() {
    let refused = |config: Config| run(config).unwrap_err().to_string();
    let with = |optimizer: &str| Config { optimizer: optimizer.parse().unwrap(), ..config() };
    for (config, message) in [
        (
            Config { momentum: Some("0.5".parse().unwrap()), ..with("sgd") },
            "sgd has no momentum that could follow a schedule",
        ),
        (
            Config { momentum: Some("linear(0.9, end=1.2)".parse().unwrap()), ..with("adam") },
            "at least 0 and below 1 all the way",
        ),
        (
            Config { ema: Some(0.9), ..with("schedule-free-sgd") },
            "does not go with schedule-free-sgd, which averages",
        ),
        (Config { ema: Some(1.0), ..config() }, "`ema` of `training` must be at least 0 and below 1, not 1"),
        (Config { accumulate: 0, ..config() }, "`accumulate` of `training` must be from 1 to 1000000, not 0"),
        (
            Config { groups: vec!["name(7.*, lr=0)".parse().unwrap()], ..config() },
            "`pattern` of `name` fits no tensor; there is `0.weight`, `0.bias`",
        ),
        (
            Config { plateau: "cut(metric=r2)".parse().unwrap(), ..config() },
            "the plateau is to watch `r2`, which is for regression",
        ),
    ] {
        let found = refused(config);
        assert!(found.contains(message), "{found}");
    }
}

/// Weights whose group has no rate stay where they began.
#[test]
fn a_group_without_rate_holds_still() {
    let frozen = Config { groups: vec!["name(0.*, lr=0)".parse().unwrap()], ..config() };
    let short = |config: Config| run(Config { epochs: 1, ..config }).unwrap().0;
    let longer = |config: Config| run(Config { epochs: 3, ..config }).unwrap().0;
    let first = |trained: &Trained| trained.predictor().members()[0].model().params()[..16].to_vec();
    assert_eq!(first(&short(frozen.clone())), first(&longer(frozen)));
    assert_ne!(first(&short(config())), first(&longer(config())));
}

/// Averages with a β for much longer runs, and with batch normalisation, whose statistics must be those of
/// the averaged weights.
#[test]
fn an_average_is_good_from_the_first_steps_on() {
    let data = Table::bundled("digits").unwrap().default_target().split(0.2, 0).unwrap();
    let accuracy = |ema: f64, batch_norm: bool| {
        let network = Mlp { batch_norm, dropout: 0.2, ..Network::mlp([128, 128]) }.into();
        let lr = Some("warmup(5%, then=cosine(0.003))".parse().unwrap());
        let config = Config { ema: Some(ema), lr, network, epochs: 8, batch: Some(64), ..Config::default() };
        let trained = Trainer::from_config(config).threads(1).fit(&data).unwrap();
        // What is kept is what was measured, statistics and all.
        let measured = trained.predictor().evaluate_rows(&data.valid).unwrap();
        assert!((measured.loss - trained.summary().valid_loss).abs() < 1e-9);
        trained.score()
    };
    for batch_norm in [false, true] {
        for ema in [0.99, 0.999] {
            let score = accuracy(ema, batch_norm);
            assert!(score > 0.95, "{score} with ema {ema}, batch normalisation: {batch_norm}");
        }
    }
}

/// Whether a run stops early and which weights it keeps are two settings.
#[test]
fn the_best_epoch_is_kept_without_early_stopping() {
    // Good at first, and then a rate that only does harm.
    let lr = Some("sequence(0.01, 3ep, 0.5)".parse().unwrap());
    let config = Config { lr, guard: Guard::Off, epochs: 12, keep: Keep::Best, ..config() };
    let best = run(config.clone()).unwrap().0;
    let last = run(Config { keep: Keep::Last, ..config }).unwrap().0;
    assert!(best.summary().best_epoch.unwrap() < 12, "else this is not a test");
    assert_eq!((last.summary().best_epoch, last.summary().epochs), (Some(12), 12));
    assert!(best.summary().valid_loss < last.summary().valid_loss);
}
