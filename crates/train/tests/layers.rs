//! What a run tells of its layers: right, and without changing anything.

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Table};
use downhill_nn::Mlp;
use downhill_train::{Config, Event, Metrics, Network, Predictions, Trained, Trainer};

fn data(name: &str) -> Dataset {
    Table::bundled(name).unwrap().default_target().split(0.2, 7).unwrap()
}

fn config(epochs: u64) -> Config {
    Config {
        epochs,
        optimizer: "sgd".parse().unwrap(),
        lr: Some("0.02".parse().unwrap()),
        network: Network::mlp([8, 4]).into(),
        ..Config::default()
    }
}

/// A run, and what it told but for its steps.
fn run(config: Config, data: &Dataset) -> (Trained, Vec<Event>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = events.clone();
    let view = move |event: &Event| {
        if !matches!(event, Event::Step { .. }) {
            seen.lock().unwrap().push(event.clone());
        }
    };
    let trained = Trainer::from_config(config).threads(1).view(view).fit(data).unwrap();
    let events = events.lock().unwrap().clone();
    (trained, events)
}

#[test]
fn nothing_changes_for_being_looked_at() {
    let data = data("wine");
    let network = Mlp { batch_norm: true, dropout: 0.2, ..Network::mlp([8]) };
    let config = Config { network: network.into(), ..config(3) };
    let unseen = Trainer::from_config(config.clone()).threads(1).fit(&data).unwrap();
    assert_eq!(run(config, &data).0.summary().weights_sha256, unseen.summary().weights_sha256);
}

#[test]
fn a_step_of_sgd_goes_as_far_as_rate_and_gradient_say() {
    let (_, events) = run(config(5), &data("wine"));
    let mut epochs = 0;
    for event in &events {
        let Event::Norms { step, tensors } = event else { continue };
        epochs += 1;
        assert_eq!(step % 9, 0, "142 rows are 9 batches of 16");
        let names: Vec<&str> = tensors.iter().map(|norms| norms.name.as_str()).collect();
        assert_eq!(names, ["0.weight", "2.weight", "4.weight"]);
        for norms in tensors {
            let far = (norms.update - 0.02 * norms.gradient).abs();
            assert!(far < 1e-4 * norms.update + 1e-7, "{norms:?}");
        }
    }
    assert_eq!(epochs, 5);
}

#[test]
fn norms_of_a_long_run_are_told_of_some_epochs() {
    let (_, events) = run(Config { early_stopping: "off".parse().unwrap(), ..config(450) }, &data("wine"));
    let told = events.iter().filter(|event| matches!(event, Event::Norms { .. })).count();
    assert_eq!(told, 150);
}

#[test]
fn the_last_distributions_are_of_the_weights_that_are_kept() {
    let (trained, events) = run(config(4), &data("wine"));
    let told = events.iter().filter_map(|event| match event {
        Event::Distributions { step, weights, activations } => Some((*step, weights, activations)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let [(0, first, _), (step, last, activations)] = &told[..] else { panic!("{told:?}") };
    assert_eq!(*step, 9 * trained.summary().best_epoch.unwrap());
    // The head begins at zero.
    assert_eq!((first[2].name.as_str(), first[2].mean, first[2].std), ("4.weight", 0.0, 0.0));
    assert_eq!(activations.iter().map(|layer| layer.name.as_str()).collect::<Vec<_>>(), ["0", "2"]);
    assert_eq!(activations[0].bins.counts.iter().sum::<u64>(), 128 * 8);
    let model = trained.predictor().members()[0].model();
    for (tensor, found) in model.layout().tensors().iter().filter(|t| t.name.ends_with("weight")).zip(*last) {
        let weights = &model.params()[tensor.range()];
        let mean = weights.iter().map(|&w| f64::from(w)).sum::<f64>() / weights.len() as f64;
        assert!((mean - found.mean).abs() < 1e-9, "{found:?}");
        assert_eq!(found.bins.counts.iter().sum::<u64>(), weights.len() as u64);
    }
    assert!(matches!(events.last(), Some(Event::Stop { .. })));
}

#[test]
fn the_confusion_is_that_of_the_summary() {
    let (trained, events) = run(config(4), &data("wine"));
    let told = events.iter().find_map(|event| match event {
        Event::Confusion { classes, counts, .. } => Some((classes, counts)),
        _ => None,
    });
    let (classes, counts) = told.unwrap();
    let Metrics::Classification(metrics) = &trained.summary().metrics else { panic!() };
    assert_eq!(metrics.confusion.as_ref(), Some(counts));
    assert_eq!(classes, trained.predictor().encoder().unwrap().classes());
}

#[test]
fn residuals_are_in_the_unit_of_the_target() {
    let table = Table::bundled("diabetes").unwrap();
    let data = table.default_target().split(0.2, 7).unwrap();
    let (trained, events) = run(config(4), &data);
    let told = events.iter().find_map(|event| match event {
        Event::Residuals { residuals, pairs, .. } => Some((residuals, pairs)),
        _ => None,
    });
    let (residuals, pairs) = told.unwrap();
    let Metrics::Regression(metrics) = &trained.summary().metrics else { panic!() };
    let rmse = (residuals.mean.powi(2) + residuals.std.powi(2)).sqrt();
    assert!((rmse - metrics.rmse).abs() < 1e-4 * rmse, "{rmse} {}", metrics.rmse);
    assert_eq!(pairs.len(), data.valid.rows());
    // The pairs are rows of the table: its targets are whole numbers from 25 to 346.
    assert!(pairs.iter().all(
        |[_, actual]| (actual - actual.round()).abs() < 1e-3 && (25.0..=346.0).contains(&actual.round())
    ));
    let Predictions::Values(predicted) = trained.predictor().predict_rows(&data.valid.x).unwrap() else {
        panic!()
    };
    assert_eq!(pairs.iter().map(|pair| pair[0]).collect::<Vec<_>>(), predicted);
}
