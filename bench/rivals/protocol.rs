//! How a rival in Rust talks to the runner: the same as in `protocol.py`, which says what each part is for.

use std::error::Error;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::time::Instant;

use serde::Deserialize;
use serde_json::json;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MEASURED_ROWS: usize = 2048;

/// A workload's description.
#[derive(Clone, Deserialize)]
pub struct Spec {
    pub task: String,
    pub inputs: usize,
    pub hidden: Vec<usize>,
    pub outputs: usize,
    pub batch: usize,
    pub rows: usize,
    pub epochs: u64,
    pub optimizer: String,
    pub lr: f64,
    pub weight_decay: f64,
    pub clip: f64,
    pub batch_norm: bool,
    pub dropout: f64,
    pub rates: Vec<f64>,
    pub rows_a_call: usize,
    pub calls: usize,
    x: String,
    y: String,
}

/// A description with its rows; the targets are classes, or values if there is one output.
pub struct Work {
    pub spec: Spec,
    pub threads: usize,
    pub x: Vec<f32>,
    pub classes: Vec<u32>,
    pub values: Vec<f32>,
}

/// The numbers in a file, one after the other, so that its bytes are not in memory too.
fn numbers<T>(path: &str, of: fn([u8; 4]) -> T) -> Result<Vec<T>> {
    let file = fs::File::open(path)?;
    let len = file.metadata()?.len() as usize / 4;
    let (mut file, mut numbers, mut word) = (BufReader::new(file), Vec::with_capacity(len), [0; 4]);
    for _ in 0..len {
        file.read_exact(&mut word)?;
        numbers.push(of(word));
    }
    Ok(numbers)
}

impl Work {
    fn read() -> Result<Self> {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let [description, threads] = args.as_slice() else {
            return Err("usage: RIVAL DESCRIPTION THREADS".into());
        };
        let spec: Spec = serde_json::from_slice(&fs::read(description)?)?;
        let x = numbers(&spec.x, f32::from_le_bytes)?;
        let (mut classes, mut values) = (Vec::new(), Vec::new());
        if spec.outputs == 1 {
            values = numbers(&spec.y, f32::from_le_bytes)?;
        } else {
            classes = numbers(&spec.y, u32::from_le_bytes)?;
        }
        Ok(Self { threads: threads.parse()?, spec, x, classes, values })
    }

    pub fn regression(&self) -> bool {
        self.spec.outputs == 1
    }

    /// How many rows the loss is measured on, from the first.
    pub fn measured(&self) -> usize {
        self.spec.rows.min(MEASURED_ROWS)
    }

    /// The rates of all trainings: those of a sweep, or the one.
    pub fn rates(&self) -> Vec<f64> {
        if self.spec.rates.is_empty() { vec![self.spec.lr] } else { self.spec.rates.clone() }
    }
}

/// One workload in one library.
pub trait Rival {
    fn fresh(&mut self, seed: u64) -> Result<()>;
    fn train(&mut self) -> Result<()>;
    /// One for every training.
    fn losses(&mut self) -> Result<Vec<f64>>;
    /// The outputs of some rows.
    fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>>;
}

/// The optimizer's step alone, on one tensor of weights that begins as zeros.
pub trait Update {
    /// Sees to the gradient of the next step.
    fn prepare(&mut self) -> Result<()>;
    fn step(&mut self) -> Result<()>;
    /// The mean of the weights' absolute values.
    fn size(&mut self) -> Result<f64>;
}

/// For the only layer's weights, numbers of both signs of which none dies out.
pub fn gradient(spec: &Spec) -> Vec<f32> {
    (0..spec.inputs * spec.outputs).map(|i| ((i % 2003) as f32 - 1001.0) * 1e-5).collect()
}

/// A new order of rows, by the shuffle of Fisher and Yates with splitmix64.
pub fn permutation(rows: usize, seed: u64) -> Vec<u32> {
    let mut state = seed;
    let mut order: Vec<u32> = (0..rows as u32).collect();
    for last in (1..rows).rev() {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let random = mixed ^ (mixed >> 31);
        order.swap(last, ((u128::from(random) * (last as u128 + 1)) >> 64) as usize);
    }
    order
}

fn training(rival: &mut impl Rival, seed: u64) -> Result<f64> {
    rival.fresh(seed)?;
    let begin = Instant::now();
    rival.train()?;
    Ok(begin.elapsed().as_secs_f64())
}

/// Seconds a call.
fn predicting(spec: &Spec, x: &[f32], rival: &mut impl Rival) -> Result<f64> {
    let mut whole = 0;
    let begin = Instant::now();
    for call in 0..spec.calls {
        let row = call * spec.rows_a_call % (spec.rows - spec.rows_a_call + 1);
        let outputs = rival.predict(&x[row * spec.inputs..][..spec.rows_a_call * spec.inputs])?;
        whole += usize::from(outputs.len() == spec.rows_a_call * spec.outputs);
    }
    let seconds = begin.elapsed().as_secs_f64() / spec.calls as f64;
    if whole == spec.calls { Ok(seconds) } else { Err("a prediction has the wrong size".into()) }
}

/// Seconds a step: the median, as a step is short.
fn updating(spec: &Spec, update: &mut impl Update) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..spec.calls {
        update.prepare()?;
        let begin = Instant::now();
        update.step()?;
        times.push(begin.elapsed().as_secs_f64());
    }
    Ok(median(times))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    (values[values.len() / 2] + values[(values.len() - 1) / 2]) / 2.0
}

/// Answers every line of standard input with a round, of which `round` makes the seconds and the loss.
fn answer(version: &str, mut round: impl FnMut(u64) -> Result<(f64, f64)>) -> Result<()> {
    println!("{}", json!({"version": version}));
    for (seed, line) in (1..).zip(std::io::stdin().lock().lines()) {
        line?;
        let (seconds, loss) = round(seed)?;
        println!("{}", json!({"seconds": seconds, "loss": loss}));
    }
    Ok(())
}

pub fn serve<R: Rival, U: Update>(
    version: &str,
    train: impl FnOnce(Work) -> Result<R>,
    update: impl FnOnce(Work) -> Result<U>,
) -> Result<()> {
    let work = Work::read()?;
    let spec = work.spec.clone();
    let x = if spec.task == "predict" { work.x.clone() } else { Vec::new() };
    if spec.task == "update" {
        let mut update = update(work)?;
        updating(&spec, &mut update)?;
        return answer(version, |_| Ok((updating(&spec, &mut update)?, update.size()?)));
    }
    let mut rival = train(work)?;
    training(&mut rival, 0)?;
    if spec.task == "whole" {
        println!("{}", json!({"loss": rival.losses()?[0]}));
        return Ok(());
    }
    answer(version, |seed| {
        let seconds = match spec.task.as_str() {
            "predict" => predicting(&spec, &x, &mut rival)?,
            _ => training(&mut rival, seed)?,
        };
        Ok((seconds, median(rival.losses()?)))
    })
}
