//! Every sampler on a table of costs, for `bench/search/run`: `tables TABLE.json SEEDS TRIALS` prints a line of
//! JSON for each of them, with the costs of its trials for each seed.

use std::io::Write as _;
use std::time::Instant;

use downhill_search::{Plan, Sampler, Settings, Space, Study};
use serde::Deserialize;

#[derive(Deserialize)]
struct Setting {
    name: String,
    options: usize,
    ordered: bool,
}

/// The cost of every point of a grid, the last setting changing first.
#[derive(Deserialize)]
struct Table {
    settings: Vec<Setting>,
    costs: Vec<f64>,
}

impl Table {
    fn space(&self) -> Result<Space, downhill_search::Error> {
        self.settings.iter().try_fold(Space::new(), |space, setting| {
            let domain = match setting.ordered {
                true => format!("int(0, {})", setting.options - 1),
                false => {
                    let options: Vec<String> = (0..setting.options).map(|at| at.to_string()).collect();
                    format!("choice({})", options.join(", "))
                }
            };
            space.with(&setting.name, &domain)
        })
    }

    fn cost(&self, settings: &Settings) -> f64 {
        let place = |at: usize, setting: &Setting| {
            at * setting.options + settings.number(&setting.name).map_or(0, |place| place as usize)
        };
        self.costs[self.settings.iter().fold(0, place)]
    }
}

/// With the seeds below, the constants of the estimator were chosen.
const FIRST_SEED: u64 = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [path, seeds, trials] = &arguments[..] else {
        return Err("usage: tables TABLE.json SEEDS TRIALS".into());
    };
    let (seeds, trials): (u64, u64) = (seeds.parse()?, trials.parse()?);
    let table: Table = serde_json::from_slice(&std::fs::read(path)?)?;
    for (sampler, window) in [
        (Sampler::Random, 1),
        (Sampler::Sobol, 1),
        (Sampler::CoarseToFine, 1),
        (Sampler::Tpe, 1),
        (Sampler::Tpe, 8),
    ] {
        let began = Instant::now();
        let mut costs: Vec<Vec<f64>> = Vec::new();
        for seed in FIRST_SEED..FIRST_SEED + seeds {
            let plan = Plan { sampler, window, seed, space: table.space()?, ..Plan::default() };
            let study = Study::from_plan(plan).trials(trials);
            let history = study.run(&|settings: &Settings| table.cost(settings))?;
            costs.push(history.trials().iter().filter_map(|trial| trial.value).collect());
        }
        let name = match window {
            1 => sampler.to_string(),
            _ => format!("{sampler}, {window} at once"),
        };
        let seconds = began.elapsed().as_secs_f64();
        let line = serde_json::json!({ "sampler": name, "seconds": seconds, "costs": costs });
        writeln!(std::io::stdout(), "{line}")?;
    }
    Ok(())
}
