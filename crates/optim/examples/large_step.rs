//! Times one step over 25.6 M parameters on two threads, for `bench/optimizer/run`, which interleaves it with
//! PyTorch's.
//!
//! For each line of standard input, such as `adamw`, `clip` or `clip+ema`, makes steps and prints the
//! milliseconds of the median one.

use std::io::{BufRead, Write};
use std::time::Instant;

use downhill_optim::{AdamW, Layout, Optimizer, Regularization};

const LEN: usize = 25_600_000;
const STEPS: usize = 7;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).map_or(Ok(2), |threads| threads.parse())?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let clip = Regularization { clip_norm: Some(1.0), ..Regularization::default() };
    let clip_value = Regularization { clip_value: Some(1.0), ..Regularization::default() };
    let make = |regularization| {
        Optimizer::<f32>::new(AdamW::default(), regularization, &Layout::flat(LEN), threads > 1)
    };
    let mut optimizers = [
        ("adamw", make(Regularization::default())?),
        ("clip", make(clip)?),
        ("clip+ema", make(clip)?.averaged(0.999)?),
        ("clip-value+ema", make(clip_value)?.averaged(0.999)?),
    ];
    let mut params = vec![0.1f32; LEN];
    let grads: Vec<f32> = (0..LEN).map(|i| ((i % 2003) as f32 - 1001.0) * 1e-5).collect();
    let mut index = 0;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let found = optimizers.iter_mut().find(|(name, _)| *name == line);
        let (_, optimizer) = found.ok_or_else(|| format!("there is no `{line}`"))?;
        let mut times = [0.0; STEPS];
        for time in &mut times {
            let start = Instant::now();
            pool.install(|| optimizer.step(index, 1e-3, &mut params, &grads));
            *time = 1e3 * start.elapsed().as_secs_f64();
            index += 1;
        }
        times.sort_by(f64::total_cmp);
        writeln!(std::io::stdout(), "{:.3}", times[STEPS / 2])?;
    }
    Ok(())
}
