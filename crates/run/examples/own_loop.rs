//! A loop that has nothing of Downhill's but the record: a parabola, x ← x − rate·2x, that is logged in a
//! folder, shown as it goes, and steered, from elsewhere (`downhill set-lr runs/parabola 0.5x`) and once by
//! itself.
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::sync::mpsc;
use std::time::Instant;

use downhill_run::{Channels, Command, Epoch, Error, Event, Metrics, Regression, RunFolder, RunState, Stop};

fn main() -> Result<(), Error> {
    descend(Path::new("runs")).map(|folder| println!("{}", folder.path().display()))
}

/// Makes the run in a new folder inside `runs`.
pub fn descend(runs: &Path) -> Result<RunFolder, Error> {
    let folder = RunFolder::create(runs, Some("parabola"), "x²", "[training]\nepochs = 20\n")?;
    let (commands, inbox) = mpsc::channel();
    let mut channels = Channels::kept(&folder, inbox)?;
    #[cfg(unix)]
    let _control = channels.open_control(commands.clone()).map_err(Error::Mismatch)?;
    channels.views.push(Box::new(|event| event.text().iter().for_each(|text| println!("{text}"))));
    let mut state = RunState::new(0.1);
    channels.tell_and_apply(&Event::start("x²", 10, 20), &mut state)?;
    let (mut x, mut began) = (1.0f64, Instant::now());
    while state.step < state.total_steps && channels.apply_commands(&mut state)?.is_none() {
        let (step, lr) = (state.step, state.rate(state.step).unwrap_or_default());
        channels.tell_and_apply(&Event::Step { step, lr, loss: x * x, rows: 1 }, &mut state)?;
        x -= lr * 2.0 * x;
        if state.step.is_multiple_of(state.steps_per_epoch) {
            let metrics = Metrics::Regression(Regression { rmse: x.abs(), mae: x.abs(), r2: None });
            let epoch = Epoch::measured(&state, [x * x, x * x], metrics, began.elapsed());
            channels.tell_and_apply(&Event::Epoch(epoch), &mut state)?;
            began = Instant::now();
        }
        if state.step == 50 {
            let _ = commands.send(Command::SetLr { lr: "0.5x".parse().map_err(Error::Mismatch)? });
        }
    }
    let reason = if state.step < state.total_steps { Stop::Interrupted } else { Stop::Finished };
    let (step, steps_executed) = (state.step, state.steps_executed);
    channels
        .tell_and_apply(&Event::Stop { step, steps_executed, reason, weights_sha256: None }, &mut state)?;
    Ok(folder)
}
