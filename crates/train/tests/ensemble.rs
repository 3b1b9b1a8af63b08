//! Several networks whose predictions are averaged: the same bits on any number of threads, resumed and
//! replayed; and the folds of a cross-validation.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use downhill_data::{Folds, Table, TimeOrder};
use downhill_train::{
    BranchPoint, Command, Config, Ensemble, Epoch, Error, Event, MeanError, Network, Predictor, RunConfig,
    RunFolder, Source, Stop, Trained, Trainer,
};

fn config() -> Config {
    let mut network = Network::mlp([12]);
    (network.dropout, network.batch_norm) = (0.1, true);
    Config {
        lr: Some("cosine(0.02)".parse().unwrap()),
        epochs: 10,
        batch: Some(20),
        seed: 5,
        early_stopping: "after(3)".parse().unwrap(),
        network: network.into(),
        ..Config::default()
    }
}

fn three() -> Trainer {
    Trainer::from_config(config()).members(3).threads(2).checkpoint_every(Duration::ZERO)
}

fn bits(trained: &Trained) -> &str {
    &trained.summary().weights_sha256
}

/// Has a trainer stop, or whatever else it is told, at the end of an epoch of the whole; returns the epochs
/// that it tells.
fn told_at(trainer: Trainer, at: u64, command: Command) -> (Trainer, Arc<Mutex<Vec<Epoch>>>) {
    let (sender, inbox) = mpsc::channel();
    let epochs = Arc::new(Mutex::new(Vec::new()));
    let seen = epochs.clone();
    let view = move |event: &Event| {
        if let Event::Epoch(epoch) = event {
            if epoch.epoch == at {
                sender.send(command.clone()).unwrap();
            }
            seen.lock().unwrap().push(epoch.clone());
        }
    };
    (trainer.inbox(inbox).view(view), epochs)
}

#[test]
fn each_is_a_run_of_its_own_on_any_number_of_threads() {
    let data = Source::new("iris").load(5).unwrap();
    let (trainer, epochs) = told_at(three(), u64::MAX, Command::End);
    let trained = trainer.fit(&data).unwrap();
    for threads in [1, 3, 5] {
        assert_eq!(bits(&three().threads(threads).fit(&data).unwrap()), bits(&trained));
    }
    let summary = trained.summary();
    let each = summary.ensemble.as_ref().unwrap();
    assert_eq!((each.networks.len(), each.networks[0].seed), (3, 5));
    let alone: Vec<Trained> = (each.networks.iter())
        .map(|network| {
            let own = Config { seed: network.seed, ..config() };
            let alone = Trainer::from_config(own).threads(1).fit(&data).unwrap();
            assert_eq!(bits(&alone), network.weights_sha256);
            assert_eq!(alone.summary().valid_loss, network.valid_loss);
            assert_eq!(alone.summary().best_epoch, network.best_epoch);
            alone
        })
        .collect();
    assert_ne!(bits(&alone[0]), bits(&alone[1]));
    let average = Predictor::average(alone.iter().map(|alone| alone.predictor().clone())).unwrap();
    assert_eq!(average.weights_sha256(), bits(&trained));
    let evaluation = average.evaluate_rows(&data.valid).unwrap();
    assert_eq!((evaluation.loss, &evaluation.metrics), (summary.valid_loss, &summary.metrics));
    let losses: Vec<f64> = alone.iter().map(|alone| alone.summary().valid_loss).collect();
    let MeanError { mean, standard_error } = MeanError::of(&losses);
    assert_eq!((each.mean_valid_loss, each.valid_loss_error), (mean, standard_error));
    // What the last epoch of the whole tells is what it comes to, which is better than one alone.
    let epochs = epochs.lock().unwrap();
    let last = epochs.last().unwrap();
    assert!(
        (last.valid_loss - summary.valid_loss).abs() < 1e-9,
        "{} {}",
        last.valid_loss,
        summary.valid_loss
    );
    assert!(summary.valid_loss < mean);
    assert_eq!(epochs.len() as u64, summary.epochs);
}

#[test]
fn the_rate_is_found_once_and_shared() {
    let data = Source::new("iris").load(5).unwrap();
    let own = Config { lr: None, epochs: 6, ..config() };
    let found = Trainer::from_config(own.clone()).threads(1).find_lr(&data).unwrap();
    let runs = tempfile::tempdir().unwrap();
    let trainer = Trainer::from_config(own).threads(2).members(2);
    trainer.fit_in(runs.path(), Some("run"), &Source::new("iris")).unwrap();
    let folder = RunFolder::open(&runs.path().join("run")).unwrap();
    for path in [folder.path().to_path_buf(), folder.member(0), folder.member(1)] {
        let config = RunConfig::of(&RunFolder::open(&path).unwrap()).unwrap();
        assert_eq!(config.training.lr.as_ref(), Some(&found.schedule));
    }
}

/// A run that was cut in the middle of its epochs, as by a crash that took one of its networks' folders, the
/// end of another's log, and, in the last case, the log of the whole.
fn cut(runs: &Path, at: u64, source: &Source, trainer: Trainer, damage: usize) -> RunFolder {
    let name = format!("cut-{at}-{damage}");
    let (trainer, _) = told_at(trainer, at, Command::Stop);
    let trained = trainer.fit_in(runs, Some(&name), source).unwrap();
    assert_eq!(trained.stop(), Stop::Interrupted);
    let folder = RunFolder::open(&runs.join(name)).unwrap();
    fs::remove_file(folder.model_path()).unwrap();
    if damage > 0 {
        fs::remove_dir_all(folder.member(1)).unwrap();
        let own = RunFolder::open(&folder.member(0)).unwrap();
        let log = fs::read(own.log_path()).unwrap();
        fs::write(own.log_path(), &log[..log.len() - 40]).unwrap();
        let last = own.steps().unwrap()[0];
        fs::remove_file(own.checkpoint(last)).unwrap();
    }
    if damage > 1 {
        fs::remove_file(folder.log_path()).unwrap();
    }
    folder
}

#[test]
fn resumed_and_replayed_it_is_the_same() {
    let runs = tempfile::tempdir().unwrap();
    let source = Source::new("iris");
    let whole = three().fit_in(runs.path(), Some("whole"), &source).unwrap();
    let folds =
        || Trainer::from_config(config()).threads(2).checkpoint_every(Duration::ZERO).folds(Folds::new(3));
    let folded = folds().fit_in(runs.path(), Some("folds"), &source).unwrap();
    for (at, damage) in [(0, 0), (4, 0), (4, 1), (2, 2)] {
        for (trainer, expected) in [(three(), &whole), (folds(), &folded)] {
            let name = runs.path().join(format!("cut-{at}-{damage}"));
            let folder = cut(runs.path(), at, &source, trainer, damage);
            let resumed = Trainer::default().threads(2).resume(folder.clone()).unwrap();
            assert_eq!(bits(&resumed), bits(expected), "{at} {damage}");
            let (resumed, expected) = (resumed.summary(), expected.summary());
            assert_eq!((resumed.valid_loss, &resumed.metrics), (expected.valid_loss, &expected.metrics));
            assert_eq!(&resumed.ensemble, &expected.ensemble);
            // And once more, where there is nothing left to do.
            let again = Trainer::default().threads(1).resume(folder.clone()).unwrap();
            assert_eq!(again.summary().weights_sha256, expected.weights_sha256);
            let loaded = Predictor::load(folder.model_path()).unwrap();
            assert_eq!(loaded.weights_sha256(), expected.weights_sha256);
            let replayed = Trainer::default().threads(2).replay(&folder).unwrap();
            assert!(replayed.matches && replayed.difference.is_none(), "{at} {damage}");
            assert_eq!(replayed.trained.summary().metrics, expected.metrics);
            fs::remove_dir_all(name).unwrap();
        }
    }
}

#[test]
fn one_of_them_is_a_run_like_any_other() {
    let runs = tempfile::tempdir().unwrap();
    let folds = Folds { group_by: Some("petal width (cm)".into()), ..Folds::new(3) };
    let trainer = Trainer::from_config(config()).threads(2).folds(folds);
    let trained = trainer.fit_in(runs.path(), Some("run"), &Source::new("iris")).unwrap();
    let folder = RunFolder::open(&runs.path().join("run")).unwrap();
    let own = RunFolder::open(&folder.member(2)).unwrap();
    let network = &trained.summary().ensemble.as_ref().unwrap().networks[2];
    let replayed = Trainer::default().threads(1).replay(&own).unwrap();
    assert!(replayed.matches);
    assert_eq!(replayed.trained.summary().weights_sha256, network.weights_sha256);
    assert_eq!(replayed.trained.summary().valid_loss, network.valid_loss);
    let model = Predictor::load(own.model_path()).unwrap();
    assert_eq!(model.weights_sha256(), network.weights_sha256);
    let branch = |parent: &RunFolder| {
        let config = RunConfig::of(parent).unwrap();
        Trainer::default().threads(1).branch(parent, BranchPoint::Epochs(0), config, runs.path(), None)
    };
    branch(&own).unwrap();
    let refused = branch(&folder).unwrap_err();
    assert!(matches!(refused, Error::Several { .. }), "{refused}");
}

#[test]
fn folds_are_told_by_their_mean_and_over_all_rows() {
    for (name, folds) in [
        ("diabetes", Folds::new(4)),
        ("diabetes", Folds { time_split: Some(TimeOrder::File), ..Folds::new(3) }),
        ("wine", Folds::new(5)),
    ] {
        let data = Source::new(name).load_folds(&folds, 5).unwrap();
        let trainer = || Trainer::from_config(Config { batch: None, ..config() }).threads(2);
        let trained = trainer().fit_folds(&data).unwrap();
        let summary = trained.summary();
        let each = summary.ensemble.as_ref().unwrap();
        assert!(each.folds && each.networks.len() == data.len());
        // Of equal folds the mean of the accuracies is that over all rows, and so it is of squared errors.
        let rows: usize = each.networks.iter().map(|network| network.valid_rows).sum();
        assert_eq!(summary.valid_rows, rows);
        let weighted = |of: &dyn Fn(&downhill_train::NetworkSummary) -> f64| {
            let terms = each.networks.iter().map(|network| network.valid_rows as f64 * of(network));
            terms.sum::<f64>() / rows as f64
        };
        match &summary.metrics {
            downhill_train::Metrics::Named(_) => panic!("not of a network"),
            downhill_train::Metrics::Classification(all) => {
                assert!((weighted(&|network| network.metrics.score()) - all.accuracy).abs() < 1e-12);
                assert!((weighted(&|network| network.valid_loss) - summary.valid_loss).abs() < 1e-9);
                assert_eq!(all.confusion.as_ref().unwrap().iter().flatten().sum::<u64>(), rows as u64);
            }
            downhill_train::Metrics::Regression(all) => {
                let squared = weighted(&|network| match &network.metrics {
                    downhill_train::Metrics::Regression(own) => own.rmse.powi(2),
                    _ => panic!("no number"),
                });
                assert!((squared.sqrt() / all.rmse - 1.0).abs() < 1e-5, "{} {}", squared.sqrt(), all.rmse);
            }
        }
        // The average predicts a table, each network by its own encoder.
        let table = Table::bundled(name).unwrap();
        assert_eq!(trained.predictor().evaluate(&table).unwrap().rows, table.rows());
        assert_eq!(trained.predictor().members().len(), data.len());
    }
}

#[test]
fn all_are_ended_and_nothing_else_is_done_to_them() {
    let data = Source::new("iris").load(5).unwrap();
    let long =
        || Trainer::from_config(Config { early_stopping: "off".parse().unwrap(), ..config() }).members(2);
    let (trainer, epochs) = told_at(long().threads(2), 3, Command::End);
    let ended = trainer.fit(&data).unwrap();
    assert_eq!((ended.stop(), epochs.lock().unwrap().len(), ended.summary().epochs), (Stop::Ended, 4, 4));

    let (trainer, _) = told_at(long().threads(2), 2, Command::SetLr { lr: "0.5x".parse().unwrap() });
    let (sender, refused) = mpsc::channel();
    let trainer = trainer.view(move |event| {
        if let Event::Refused { why, .. } = event {
            sender.send(why.clone()).unwrap();
        }
    });
    let unchanged = trainer.fit(&data).unwrap();
    assert!(refused.recv().unwrap().contains("several networks are trained at once"));
    assert_eq!(bits(&unchanged), bits(&long().threads(1).fit(&data).unwrap()));
}

#[test]
fn what_cannot_be_says_why() {
    let data = Source::new("iris").load(5).unwrap();
    let trainer = || Trainer::from_config(config()).threads(1);
    let says = |result: Result<Trained, Error>, part: &str| {
        let said = result.unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    };
    says(trainer().members(0).fit(&data), "at least 2 networks, and not of 0");
    says(trainer().members(5000).fit(&data), "5000 networks are more than the 1000");
    says(trainer().folds(Folds::new(3)).fit(&data), "data sets of their own, and this is one");
    says(trainer().fit_folds(std::slice::from_ref(&data)), "at least 2 folds, and not 1");
    let command = Command::SetEpochs { epochs: 3 };
    says(trainer().members(2).command(command).fit(&data), "cannot be changed on the way");
    // One is nothing special.
    assert_eq!(bits(&trainer().members(1).fit(&data).unwrap()), bits(&trainer().fit(&data).unwrap()));

    let runs = tempfile::tempdir().unwrap();
    let mut source = Source::new("iris");
    source.valid = Some(downhill_train::Validation::Share(0.3));
    says(trainer().folds(Folds::new(3)).fit_in(runs.path(), None, &source), "leave the validation data out");
    let path = runs.path().join("bad.toml");
    for (ensemble, part) in [
        ("members = 1", "at least 2 networks"),
        ("[ensemble.folds]\ncount = 1", "at least 2 folds"),
        ("[ensemble.folds]\ncount = 3\ntime-split = false", "leave `time-split` out"),
        ("[ensemble.folds]\ncount = 3\ngroup = \"a\"", "unknown key `group`"),
        ("networks = 3", "unknown"),
    ] {
        let table =
            if ensemble.starts_with('[') { ensemble.into() } else { format!("[ensemble]\n{ensemble}") };
        fs::write(&path, table).unwrap();
        let said = RunConfig::read(&path).unwrap_err().to_string();
        assert!(said.contains(part), "{said}");
    }
    fs::write(&path, "[ensemble.folds]\ncount = 3\ntime-split = \"when\"\n").unwrap();
    let read = RunConfig::read(&path).unwrap().ensemble;
    let folds = Folds { time_split: Some(TimeOrder::Column("when".into())), ..Folds::new(3) };
    assert_eq!(read, Some(Ensemble::Folds(folds)));
}
