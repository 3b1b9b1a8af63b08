//! Workers whose trials take a while and no processor, for `bench/search/workers`:
//!
//! - `sleepers URL NAME begin TRIALS WINDOW` begins a study in a database.
//! - `sleepers URL NAME lead|follow SECONDS` makes its trials, one at a time, each of which takes so long, and
//!   prints, as JSON, how many it made, how long they took, and how long it was from the first to the last.

use std::io::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use downhill_search::{Budget, Database, Error, Job, Objective, Outcome, Plan, Space, StopRule, Study};

/// When each trial began and ended here.
struct Sleeping(Duration, Mutex<Vec<(Instant, Instant)>>);

impl Objective for Sleeping {
    fn make(&self, job: Job<'_>, _: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let began = Instant::now();
        std::thread::sleep(self.0);
        self.1.lock().expect("no worker panicked").push((began, Instant::now()));
        let value = job.settings.number("x").unwrap_or(f64::NAN).powi(2);
        Ok(Outcome::Reached { value, epochs: job.until, done: true, note: None, paused: None })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let lease = Duration::from_secs(10);
    match words[..] {
        [url, name, "begin", trials, window] => {
            let budget = Budget { trials: Some(trials.parse()?), ..Budget::default() };
            let space = Space::new().with("x", "uniform(-2, 2)")?.with("kind", "choice(a, b, c)")?;
            let plan =
                Plan { space, budget, window: window.parse()?, stop: StopRule::None, ..Plan::default() };
            url.parse::<Database>()?.create(name, &plan)?;
        }
        [url, name, role @ ("lead" | "follow"), seconds] => {
            let study = url.parse::<Database>()?.lease(lease).study(name)?;
            let sleeping = Sleeping(Duration::from_secs_f64(seconds.parse()?), Mutex::default());
            let work = Study::in_store(study.plan()?, study.store());
            let history = if role == "lead" { work } else { work.follow() }.run(&sleeping)?;
            let made = sleeping.1.into_inner().expect("no worker panicked");
            let trained: f64 = made.iter().map(|(began, ended)| (*ended - *began).as_secs_f64()).sum();
            let whole = made.first().zip(made.last()).map_or(0.0, |(a, b)| (b.1 - a.0).as_secs_f64());
            let answer = serde_json::json!({
                "trials": history.trials().len(), "made": made.len(), "trained": trained, "whole": whole,
            });
            writeln!(std::io::stdout(), "{answer}")?;
        }
        _ => return Err("usage: sleepers URL NAME begin TRIALS WINDOW | lead|follow SECONDS".into()),
    }
    Ok(())
}
