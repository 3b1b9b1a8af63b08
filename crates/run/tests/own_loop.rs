//! The record of a loop that is not Downhill's.

use downhill_run::{Event, Overview, Phase, RunState, State, Stop, log};

#[path = "../examples/own_loop.rs"]
#[allow(dead_code)]
mod own_loop;

#[test]
fn a_loop_without_a_network_is_recorded_and_steered() {
    let runs = tempfile::tempdir().unwrap();
    let folder = own_loop::descend(runs.path()).unwrap();
    let (records, warning) = log::read(&folder.log_path()).unwrap();
    assert_eq!(warning, None);
    let mut state = RunState::new(0.1);
    records.iter().for_each(|record| _ = state.apply(&record.event));
    assert_eq!((state.phase, state.step, state.steps_executed), (Phase::Over(Stop::Finished), 200, 200));
    assert_eq!((state.rate(0), state.epochs_ended()), (Some(0.05), 20));
    let told = records.iter().find(|record| matches!(record.event, Event::Command { .. })).unwrap();
    assert_eq!(told.event.step(), Some(50));
    // (1 − 0.2)^50·(1 − 0.1)^150, squared.
    let loss = (0.8f64.powi(100) * 0.9f64.powi(300)).ln();
    assert!((state.best().unwrap().valid_loss.ln() - loss).abs() < 1e-9);
    let overview = &Overview::list(runs.path()).unwrap()[0];
    assert_eq!((overview.state, overview.epochs, overview.total_epochs), (State::Finished, 20, Some(20)));
    assert_eq!((overview.best_epoch, overview.name.as_str()), (Some(20), "parabola"));
}
