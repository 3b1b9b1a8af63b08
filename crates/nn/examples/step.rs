//! How long one training step takes, from the gathering of the batch to the update, and inference; beside
//! what one core computes at most.
//!
//! `cargo run --release -p downhill-nn --example step` for all workloads, `… -- digits small` for some of
//! them; `… -- --count 10 small` makes so many steps of one workload and prints nothing, for counting
//! instructions. `DOWNHILL_VECTORS=avx2` in the environment makes it use narrower vectors.
#![allow(clippy::print_stdout)]

#[path = "../../matmul/examples/peak/mod.rs"]
mod peak;

use downhill_core::simd::Vectors;
use downhill_nn::{
    Activation, Batch, BatchNorm, Dense, Dropout, Gelu, LayerSpec, Loss, Model, Relu, Targets, Workspace,
};
use downhill_optim::{Adam, AdamW, Optimizer, Regularization, Rule};
use std::time::Instant;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A network, and how it is trained.
struct Workload {
    name: &'static str,
    what: &'static str,
    inputs: usize,
    hidden: &'static [usize],
    outputs: usize,
    batch: usize,
    /// Batch normalisation and dropout behind every hidden layer; AdamW and clipping instead of Adam.
    regularised: bool,
}

const WORKLOADS: [Workload; 5] = [
    Workload {
        name: "digits",
        what: "784-256-128-10, batch 128, Adam",
        inputs: 784,
        hidden: &[256, 128],
        outputs: 10,
        batch: 128,
        regularised: false,
    },
    Workload {
        name: "gelu",
        what: "784-256-128-10, GELU, batch 128, Adam",
        inputs: 784,
        hidden: &[256, 128],
        outputs: 10,
        batch: 128,
        regularised: false,
    },
    Workload {
        name: "small",
        what: "32-64-64-2, batch 32, Adam",
        inputs: 32,
        hidden: &[64, 64],
        outputs: 2,
        batch: 32,
        regularised: false,
    },
    Workload {
        name: "deep",
        what: "64-[64]×8-1, batch 64, batch-norm, dropout, AdamW, clipping",
        inputs: 64,
        hidden: &[64; 8],
        outputs: 1,
        batch: 64,
        regularised: true,
    },
    Workload {
        name: "wide",
        what: "512-2048-2048-100, batch 512, Adam",
        inputs: 512,
        hidden: &[2048, 2048],
        outputs: 100,
        batch: 512,
        regularised: false,
    },
];

fn main() -> Result<()> {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    if names.first().is_some_and(|first| first == "--count") {
        let [_, count, name] = &names[..] else { return Err("--count takes a number and a workload".into()) };
        let workload = WORKLOADS.iter().find(|workload| workload.name == name).ok_or("no such workload")?;
        let (count, mut training) = (count.parse::<u64>()?, Training::new(workload, false)?);
        return (0..count).try_for_each(|_| training.step());
    }
    if names.is_empty() {
        names = WORKLOADS.iter().map(|workload| workload.name.into()).collect();
    }
    let peak = peak::peak();
    println!("{}, 1 thread: {:.0} GFLOP/s at most", Vectors::in_use(), peak / 1e9);
    for workload in WORKLOADS.iter().filter(|workload| names.iter().any(|name| name == workload.name)) {
        for threads in [1, 2] {
            let seconds = steps(workload, threads)?;
            println!(
                "{}, {threads} thread{}: {:.1} µs a step, {:.0} GFLOP/s, {:.0} % of the peak",
                workload.what,
                if threads == 1 { "" } else { "s" },
                seconds * 1e6,
                workload.flops() / seconds / 1e9,
                100.0 * workload.flops() / seconds / peak / threads as f64
            );
        }
        for rows in [1, 10_000] {
            let seconds = inference(workload, rows)?;
            println!("{}, inference of {rows}: {:.1} µs", workload.what, seconds * 1e6);
        }
    }
    Ok(())
}

/// The best of samples of about this many seconds each, in seconds a call: other programs disturb only some.
fn best(mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    const SAMPLE: f64 = 1e-3;
    const SAMPLES: usize = 1000;
    const TOGETHER: f64 = 4.0;
    let begin = Instant::now();
    call()?;
    call()?;
    let calls = (SAMPLE / (begin.elapsed().as_secs_f64() / 2.0)).ceil() as usize;
    let (mut best, begin) = (f64::INFINITY, Instant::now());
    for _ in 0..SAMPLES {
        let sample = Instant::now();
        for _ in 0..calls {
            call()?;
        }
        best = best.min(sample.elapsed().as_secs_f64() / calls as f64);
        if begin.elapsed().as_secs_f64() > TOGETHER {
            break;
        }
    }
    Ok(best)
}

fn steps(workload: &Workload, threads: usize) -> Result<f64> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let run = || -> std::result::Result<f64, String> {
        let mut training = Training::new(workload, threads > 1).map_err(|e| e.to_string())?;
        best(|| training.step()).map_err(|e| e.to_string())
    };
    Ok(pool.install(run)?)
}

fn inference(workload: &Workload, rows: usize) -> Result<f64> {
    let model = Model::<f32>::build(&workload.layers(), workload.inputs, 1)?;
    let mut workspace = Workspace::new(&model, 1, false);
    let (x, mut out) = (workload.rows(rows), vec![0.0; rows * workload.outputs]);
    best(|| Ok(workspace.predict(&model, &x, &mut out)?))
}

impl Workload {
    fn layers(&self) -> Vec<LayerSpec> {
        let mut layers = Vec::new();
        for &units in self.hidden {
            layers.push(Dense::new(units).into());
            if self.regularised {
                layers.push(BatchNorm::default().into());
            }
            layers.push(self.activation().into());
            if self.regularised {
                layers.push(Dropout { rate: 0.2 }.into());
            }
        }
        layers.push(Dense::new(self.outputs).into());
        layers
    }

    fn activation(&self) -> Activation {
        if self.name == "gelu" { Gelu {}.into() } else { Relu {}.into() }
    }

    fn rows(&self, rows: usize) -> Vec<f32> {
        (0..rows * self.inputs).map(|i| ((i * 7919 % 1009) as f32) / 1009.0 - 0.3).collect()
    }

    /// The operations of the products of a step: two for each weight and row forward, four backward; two in
    /// the first layer.
    fn flops(&self) -> f64 {
        let (mut flops, mut width) = (0, self.inputs);
        for (i, &units) in self.hidden.iter().chain(&[self.outputs]).enumerate() {
            flops += width * units * if i == 0 { 4 } else { 6 };
            width = units;
        }
        (flops * self.batch) as f64
    }
}

/// A network in training.
struct Training {
    model: Model<f32>,
    workspace: Workspace<f32>,
    optimizer: Optimizer<f32>,
    loss: Loss,
    x: Vec<f32>,
    classes: Vec<u32>,
    rows: Vec<u32>,
    step: u64,
}

impl Training {
    fn new(workload: &Workload, parallel: bool) -> Result<Self> {
        let model = Model::build(&workload.layers(), workload.inputs, 1)?;
        let (rule, regularization): (Rule, _) = if workload.regularised {
            (AdamW::default().into(), Regularization { clip_norm: Some(1.0), ..Regularization::default() })
        } else {
            (Adam::default().into(), Regularization::default())
        };
        let data = 8 * workload.batch;
        let loss = if workload.outputs == 1 { "binary-cross-entropy" } else { "cross-entropy" };
        Ok(Self {
            workspace: Workspace::new(&model, workload.batch, parallel),
            optimizer: Optimizer::new(rule, regularization, model.layout(), parallel)?,
            model,
            loss: loss.parse()?,
            x: workload.rows(data),
            classes: (0..data).map(|i| (i * 31 % workload.outputs.max(2)) as u32).collect(),
            rows: (0..workload.batch).map(|i| (i * 5 % data) as u32).collect(),
            step: 0,
        })
    }

    fn step(&mut self) -> Result<()> {
        let batch = Batch { x: &self.x, targets: Targets::Classes(&self.classes), rows: &self.rows };
        self.workspace.gradients(&mut self.model, &batch, &self.loss, 1, self.step)?;
        self.optimizer.step(self.step, 1e-4, self.model.params_mut(), self.workspace.gradient());
        self.step += 1;
        Ok(())
    }
}
