//! A study of many trials whose objective costs nothing, for `bench/search/many`: `many FOLDER TRIALS` prints, as
//! JSON, how long suggestions took, how long it takes to read the study again, and how large it is.

use std::io::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use downhill_search::{Budget, Event, Plan, Settings, Space, Study, StudyFolder};

/// As many settings as `downhill search` looks among.
fn space() -> Result<Space, downhill_search::Error> {
    let space = Space::new().with("lr", "log(1e-4, 1)")?.with("dropout", "uniform(0, 0.5)")?;
    let space = space.with("hidden", "choice(64, 128, 256, 64,64, 128,128, 256,256, 128,128,128)")?;
    let space = space.with("activation", "choice(relu, gelu, silu)")?.with("decay", "log(1e-4, 1)")?;
    let space = space.with("optimizer", "choice(adamw, muon, nesterov)")?;
    space.with("batch", "choice(16, 32, 64, 128)")?.with("ema", "choice(0, 0.9, 0.99)")
}

/// The most memory that this process had, where the system says so.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().trim_end_matches(" kB").parse::<u64>().ok()?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, trials] = &arguments[..] else {
        return Err("usage: many FOLDER TRIALS".into());
    };
    let budget = Budget { trials: Some(trials.parse()?), ..Budget::default() };
    let plan = Plan { space: space()?, epochs: 27, budget, ..Plan::default() };
    let folder = StudyFolder::create(std::path::Path::new(folder), "many", &plan)?;
    // When each trial began: between two of them there is nothing but what the study itself does.
    let starts: Arc<Mutex<Vec<Instant>>> = Arc::default();
    let seen = starts.clone();
    let objective = |settings: &Settings| {
        let number = |name| settings.number(name).unwrap_or(f64::NAN);
        (number("lr").log10() + 2.0).powi(2) + (number("dropout") - 0.2).abs()
    };
    let began = Instant::now();
    let study = Study::in_folder(folder.clone())?.watch(move |event, _| {
        if matches!(event, Event::Start { .. }) {
            seen.lock().expect("no worker panicked").push(Instant::now());
        }
    });
    let history = study.run(&objective)?;
    let seconds = began.elapsed().as_secs_f64();
    let starts = starts.lock().expect("no worker panicked");
    let pause = |pair: &[Instant]| 1e3 * (pair[1] - pair[0]).as_secs_f64();
    let mut last: Vec<f64> = starts.windows(2).rev().take(100).map(pause).collect();
    last.sort_by(f64::total_cmp);
    let began = Instant::now();
    let again = Study::in_folder(folder.clone())?.history()?;
    let read = began.elapsed().as_secs_f64();
    let answer = serde_json::json!({
        "trials": history.trials().len(),
        "seconds": seconds,
        "ms_between_the_last_trials": { "median": last[last.len() / 2], "most": last[last.len() - 1] },
        "seconds_to_read": read,
        "read": again.trials().len(),
        "bytes_of_log": std::fs::metadata(folder.log_path())?.len(),
        "bytes_of_process": most_memory(),
    });
    writeln!(std::io::stdout(), "{answer}")?;
    Ok(())
}
