//! What the tests of the loop's parts share, and those of the loop itself.

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Table};

use super::*;
use crate::Network;

/// 120 training rows.
pub(crate) fn iris() -> Dataset {
    Table::bundled("iris").unwrap().default_target().split(0.2, 7).unwrap()
}

/// A small network with dropout and batch normalisation, 8 steps an epoch.
pub(crate) fn config(data: &Dataset, more: impl FnOnce(&mut Config)) -> Config {
    let mut network = Network::mlp([16]);
    (network.dropout, network.batch_norm) = (0.1, true);
    let mut config = Config {
        lr: Some("cosine(0.01)".parse().unwrap()),
        epochs: 4,
        batch: Some(15),
        network: network.into(),
        ..Config::default()
    };
    more(&mut config);
    config.resolve(data).unwrap().0
}

/// What the run tells from now on.
pub(crate) fn events(run: &mut Run<'_>) -> Arc<Mutex<Vec<Event>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let view = seen.clone();
    run.watch(move |event| view.lock().unwrap().push(event.clone()));
    seen
}

#[test]
fn a_run_goes_on_from_any_snapshot_with_the_same_bits() {
    let data = iris();
    let config = config(&data, |config| {
        config.plateau = "cut(0.5, patience=0, backtrack=true)".parse().unwrap();
    });
    let mut run = Run::new(&config, &data, false).unwrap();
    let mut snapshots = Vec::new();
    while run.advance().unwrap().is_none() {
        snapshots.push(run.snapshot());
    }
    // Whatever takes time differs.
    let timeless = |mut snapshot: Snapshot| {
        let seconds = |epoch: &mut Epoch| (epoch.seconds, epoch.rows_per_second) = (0.0, 0.0);
        let clear = |progress: &mut Progress| {
            (progress.seconds, progress.epoch_seconds) = (0.0, 0.0);
            progress.best.iter_mut().for_each(|best| seconds(&mut best.epoch));
        };
        clear(&mut snapshot.now.progress);
        snapshot.last.iter_mut().for_each(seconds);
        snapshot.rollback_point.iter_mut().for_each(|point| clear(&mut point.progress));
        snapshot
    };
    let end = timeless(run.snapshot());
    for middle in [&snapshots[0], &snapshots[12], &snapshots[15]] {
        let mut other = Run::new(&config, &data, false).unwrap();
        other.restore(middle);
        assert_eq!(&other.snapshot(), middle);
        while other.advance().unwrap().is_none() {}
        assert_eq!(timeless(other.snapshot()), end);
    }
}

#[test]
fn a_run_that_is_over_stays_over_and_goes_on_when_it_is_made_longer() {
    let data = iris();
    let mut run = Run::new(&config(&data, |_| {}), &data, false).unwrap();
    let (sender, inbox) = std::sync::mpsc::channel();
    run.listen(inbox);
    while run.advance().unwrap().is_none() {}
    assert_eq!((run.advance().unwrap(), run.state().step), (Some(Stop::Finished), 32));
    sender.send(crate::Command::SetEpochs { epochs: 5 }).unwrap();
    assert_eq!((run.advance().unwrap(), run.state().step), (None, 33));
}

#[test]
fn a_step_at_given_rates_asks_no_policy() {
    let data = iris();
    let config = config(&data, |config| config.guard = "on(spike=1.01)".parse().unwrap());
    let mut run = Run::new(&config, &data, false).unwrap();
    for _ in 0..20 {
        let rates = StepRates { lr: 3.0, momentum: None };
        assert_eq!(run.step_at(rates).unwrap().lr, 3.0);
    }
    assert_eq!((run.state().step, run.state().rollbacks), (20, 0));
    assert!(run.last_epoch().is_none(), "two epochs have passed, and none was measured");
}
