//! Full-batch training on the bundled digits beside its stability limit, for `docs/stability-limit.md`:
//! prints a table of runs whose rate is held at a multiple of the limit (classes, cross-entropy) and one of
//! runs at constant rates (the digit as a number, squared error), and writes a picture of the latter.
//!
//!     cargo run --release -p downhill-report --example edge_of_stability --
//! docs/images/edge-of-stability.svg
#![allow(clippy::print_stdout)]

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Table, Targets, Task};
use downhill_nn::{Batch, Dense, LayerSpec, Loss, Mlp, Model, Tanh, Workspace};
use downhill_optim::{Init, Optimizer, Regularization, Rule};
use downhill_report::{Axis, Chart, Series};
use downhill_train::{Config, EarlyStopping, Error, Event, Guard, Network, Trainer, stability_limit};

const SEED: u64 = 3;
const STEPS: u64 = 100;
const CONSTANT_STEPS: u64 = 1000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("give a file to draw into")?;
    let digits = Table::bundled("digits")?;
    let data = digits.default_target().split(0.2, 1)?;
    let numbers = digits.default_target().task(Task::Regression).split(0.2, 1)?;

    println!(
        "| rate ÷ limit | rule | loss at the start | after {STEPS} steps | highest | steps that went up |"
    );
    println!("| ---: | --- | ---: | ---: | ---: | ---: |");
    for rule in ["sgd", "momentum(0.9)"] {
        for times in [0.5, 0.9, 1.0, 1.1, 1.5, 2.0] {
            let losses = at_multiple(&data, rule, times)?;
            let ups = losses.windows(2).filter(|pair| pair[1] > pair[0]).count();
            let highest = losses.iter().copied().fold(0.0, f64::max);
            let (first, last) = (losses[0], losses[losses.len() - 1]);
            println!("| {times} | `{rule}` | {first:.3} | {last:.4} | {highest:.3} | {ups} |");
        }
    }

    println!(
        "\n| rule | rate η | rate ÷ limit at the start | highest | mean of the last quarter | loss at the end |"
    );
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    let x = Axis::new("step").whole();
    let mut chart = Chart::new("Full-batch training on digits", x, Axis::new("rate ÷ stability limit"));
    for (rule, lr) in [
        ("sgd", 0.05),
        ("sgd", 0.1),
        ("sgd", 0.2),
        ("momentum(0.9)", 0.02),
        ("momentum(0.9)", 0.05),
        ("adam", 0.001),
        ("adam", 0.003),
    ] {
        let (ratios, loss) = at_constant(&numbers, rule, lr)?;
        let late = &ratios[ratios.len() * 3 / 4..];
        let mean = late.iter().map(|of| of.1).sum::<f64>() / late.len() as f64;
        let highest = ratios.iter().map(|of| of.1).fold(0.0, f64::max);
        println!("| `{rule}` | {lr} | {:.3} | {highest:.3} | {mean:.3} | {loss:.4} |", ratios[0].1);
        chart = chart.line(Series::new(format!("{rule} at {lr}"), ratios));
    }
    let edge = [(0.0, 1.0), (CONSTANT_STEPS as f64, 1.0)];
    std::fs::write(file, chart.line(Series::new("limit", edge)).svg_file())?;
    Ok(())
}

/// The losses of steps at so many times the limit, which is measured again before every step.
fn at_multiple(data: &Dataset, rule: &str, times: f64) -> Result<Vec<f64>, Box<dyn std::error::Error>> {
    let Targets::Classes { labels, .. } = &data.train.y else { return Err("digits are classes".into()) };
    let layers: [LayerSpec; 3] =
        [Dense::new(32).into(), Tanh {}.into(), Dense { init: Init::Zeros, ..Dense::new(10) }.into()];
    let mut model = Model::<f32>::build(&layers, data.features(), SEED)?;
    let rule: Rule = rule.parse()?;
    let mut optimizer = Optimizer::new(rule, Regularization::default(), model.layout(), false)?;
    let loss: Loss = "cross-entropy".parse()?;
    let rows: Vec<u32> = (0..data.train.rows() as u32).collect();
    let mut workspace = Workspace::new(&model, rows.len(), false);
    let batch = Batch { x: &data.train.x, targets: downhill_nn::Targets::Classes(labels), rows: &rows };
    let mut losses = Vec::new();
    for step in 0..STEPS {
        let found = stability_limit(&model, &optimizer, step, data, &loss, rows.len(), SEED)?;
        let lr = times * found.limit().unwrap_or_default();
        losses.push(workspace.gradients(&mut model, &batch, &loss, SEED, step)?);
        optimizer.step(step, lr, model.params_mut(), workspace.gradient());
    }
    Ok(losses)
}

/// The rate as a multiple of the limit along a run at a constant rate, and its last training loss.
fn at_constant(data: &Dataset, rule: &str, lr: f64) -> Result<(Vec<(f64, f64)>, f64), Error> {
    let config = Config {
        seed: SEED,
        epochs: CONSTANT_STEPS,
        batch: Some(usize::MAX),
        optimizer: rule.parse().expect("a rule"),
        lr: Some(lr.into()),
        guard: Guard::Off,
        early_stopping: EarlyStopping::Off,
        track: "sharpness(25)".parse().expect("something to track"),
        network: Network::Mlp(Mlp { hidden: vec![64, 64], activation: Tanh {}.into(), ..Mlp::default() }),
        ..Config::default()
    };
    let ratios = Arc::new(Mutex::new(Vec::new()));
    let seen = ratios.clone();
    let view = move |event: &Event| {
        if let Event::Sharpness { step, ratio: Some(ratio), .. } = event {
            seen.lock().expect("nobody panics").push((*step as f64, *ratio));
        }
    };
    let trained = Trainer::from_config(config).view(view).fit(data)?;
    let ratios = ratios.lock().expect("nobody panics").clone();
    Ok((ratios, trained.summary().train_loss.unwrap_or(f64::NAN)))
}
