//! The momentum that a step is made with, where a schedule moves it.

use downhill_core::spec;
use downhill_schedule::{Position, Schedule};

use crate::{Config, Error};

/// The momentum that is asked for at a position, if it is not just the rule's own: by its schedule, or by
/// that of the rate, which may count its steps from another one.
pub(crate) fn momentum(config: &Config, position: Position, rate: (&Schedule, Position)) -> Option<f64> {
    match &config.momentum {
        Some(schedule) => Some(schedule.at(position)),
        None => rate.0.momentum(rate.1),
    }
}

/// Fails if a momentum schedule leaves [0, 1), or goes with a rule that has none that could move.
pub(crate) fn check_momentum(config: &Config, steps_per_epoch: u64, total_steps: u64) -> Result<(), Error> {
    let Some(schedule) = &config.momentum else { return Ok(()) };
    let mut rule = config.optimizer.clone();
    if rule.momentum_mut().is_none() {
        let name = spec::name(&rule);
        let instead =
            if name == "rmsprop" { "give it one, as in rmsprop(momentum=0.9)" } else { "leave it out" };
        return Err(Error::Mismatch(format!(
            "{name} has no momentum that could follow a schedule; {instead}"
        )));
    }
    // Of a very long run, not every step: the steps look again.
    let stride = (total_steps / 100_000).max(1) as usize;
    for step in (0..total_steps).step_by(stride) {
        let momentum = schedule.at(Position { step, steps_per_epoch, total_steps });
        check_momentum_at(momentum, step)?;
    }
    Ok(())
}

pub(crate) fn check_momentum_at(momentum: f64, step: u64) -> Result<(), Error> {
    if (0.0..1.0).contains(&momentum) {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "the momentum is {momentum:.3e} at step {step} of its schedule; it must be at least 0 and below 1 all the way"
    )))
}
