//! How long one training step takes, forward and backward, without the update.
//!
//! `cargo run --release -p downhill-nn --example step`
#![allow(clippy::print_stdout)]

use downhill_nn::{Batch, Dense, Loss, Mlp, Model, Targets, Workspace};
use std::time::Instant;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    measure("784-256-128-10", 784, &[256, 128], 10, 128, false)?;
    measure("784-256-128-10", 784, &[256, 128], 10, 128, true)?;
    measure("32-64-64-2", 32, &[64, 64], 2, 32, false)?;
    Ok(())
}

fn measure(
    name: &str,
    inputs: usize,
    hidden: &[usize],
    outputs: usize,
    batch: usize,
    parallel: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let mut layers = Mlp { hidden: hidden.to_vec(), ..Mlp::default() }.layers();
    layers.push(Dense::new(outputs).into());
    let mut model = Model::<f32>::build(&layers, inputs, 1)?;
    let mut workspace = Workspace::new(&model, batch, parallel);
    let data = 8 * batch;
    let x: Vec<f32> = (0..data * inputs).map(|i| ((i * 7919 % 1009) as f32) / 1009.0 - 0.3).collect();
    let classes: Vec<u32> = (0..data).map(|i| (i * 31 % outputs) as u32).collect();
    let rows: Vec<u32> = (0..batch).map(|i| (i * 5 % data) as u32).collect();
    let loss: Loss = "cross-entropy".parse()?;
    let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &rows };

    let pool = rayon::ThreadPoolBuilder::new().num_threads(if parallel { 2 } else { 1 }).build()?;
    let best = pool.install(|| {
        let mut best = f64::INFINITY;
        // Short samples and the best of them: other programs disturb only some.
        let steps = if inputs > 100 { 2 } else { 50 };
        for _ in 0..1000 {
            let begin = Instant::now();
            for step in 0..steps {
                workspace.gradients(&mut model, &batch, &loss, 1, step)?;
            }
            best = best.min(begin.elapsed().as_secs_f64() / steps as f64);
        }
        Ok::<_, downhill_nn::Error>(best)
    })?;
    let flops: f64 = layers_flops(inputs, hidden, outputs) * rows.len() as f64;
    println!(
        "{name}, batch {}, {}: {:.1} µs a step, {:.0} GFLOP/s",
        rows.len(),
        if parallel { "2 threads" } else { "1 thread" },
        best * 1e6,
        flops / best / 1e9
    );
    Ok(())
}

/// Two operations a weight forward, four backward; two in the first layer.
fn layers_flops(inputs: usize, hidden: &[usize], outputs: usize) -> f64 {
    let mut flops = 0;
    let mut width = inputs;
    for (i, &units) in hidden.iter().chain(&[outputs]).enumerate() {
        flops += width * units * if i == 0 { 4 } else { 6 };
        width = units;
    }
    flops as f64
}
