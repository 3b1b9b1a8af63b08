//! What the products of some networks reach on one core, as shares of what its multiply-adds do at most with the
//! vectors in use; and the `gemm` crate's best, with the widest there are.
//!
//! `cargo run --release -p downhill-matmul --example shapes`, with `DOWNHILL_VECTORS=avx2` for narrower ones.
#![allow(clippy::print_stdout, unsafe_code)]

mod peak;

use downhill_core::simd::Vectors;
use downhill_matmul::{Scratch, Shape, multiply, multiply_at_part, multiply_bt};

/// Rows of a shard of a batch, inputs and outputs of a layer.
const LAYERS: [(usize, usize, usize); 13] = [
    (32, 64, 32),
    (32, 32, 64),
    (32, 64, 64),
    (32, 64, 2),
    (64, 64, 64),
    (64, 784, 256),
    (64, 256, 128),
    (64, 128, 10),
    (128, 512, 2048),
    (128, 2048, 2048),
    (128, 2048, 100),
    (512, 2048, 2048),
    (1, 784, 256),
];

fn main() {
    let (peak, gemm) = (peak::peak(), [512, 1024].map(by_gemm).into_iter().fold(0.0, f64::max));
    println!(
        "{}: {:.0} GFLOP/s at most; `gemm`, with the widest: {:.0}",
        Vectors::in_use(),
        peak / 1e9,
        gemm / 1e9
    );
    println!("{:>18} {:>9} {:>9} {:>9}", "rows×inner×columns", "x·W", "dy·Wᵀ", "xᵀ·dy");
    for (rows, inputs, outputs) in LAYERS {
        let flops = 2.0 * (rows * inputs * outputs) as f64;
        let (x, w) = (noise(rows * inputs), noise(inputs * outputs));
        let (mut y, mut dx, mut dw) = (noise(rows * outputs), noise(rows * inputs), noise(inputs * outputs));
        let mut scratch = Scratch::new();
        let forward = Shape { rows, inner: inputs, columns: outputs };
        let forward = best(|| multiply(forward, &x, &w, &mut y, &mut scratch));
        let backward = Shape { rows, inner: outputs, columns: inputs };
        let backward = best(|| multiply_bt(backward, &y, &w, &mut dx, &mut scratch));
        let weights = Shape { rows: inputs, inner: rows, columns: outputs };
        let weights = best(|| multiply_at_part(weights, 0..inputs, &x, &y, &mut dw, false, &mut scratch));
        let [forward, backward, weights] =
            [forward, backward, weights].map(|seconds| 100.0 * flops / seconds / peak);
        let shape = format!("{rows}×{inputs}×{outputs}");
        println!("{shape:>18} {forward:>8.0}% {backward:>8.0}% {weights:>8.0}%");
    }
}

/// Operations a second of a square product by the `gemm` crate.
fn by_gemm(n: usize) -> f64 {
    let (a, b, mut c) = (noise(n * n), noise(n * n), noise(n * n));
    let one = n as isize;
    // SAFETY: three row-major matrices of n × n elements.
    let seconds = best(|| unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            n,
            n,
            n,
            c.as_mut_ptr(),
            1,
            one,
            false,
            a.as_ptr(),
            1,
            one,
            b.as_ptr(),
            1,
            one,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    });
    2.0 * (n * n * n) as f64 / seconds
}

fn noise(len: usize) -> Vec<f32> {
    (0..len).map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0).collect()
}

/// Seconds of processor time a call, in the best of many samples: other programs disturb only some.
fn best(mut call: impl FnMut()) -> f64 {
    const SAMPLE: f64 = 2e-4;
    const TOGETHER: f64 = 0.2;
    let begin = seconds();
    call();
    let calls = (SAMPLE / (seconds() - begin)).ceil() as usize;
    let (mut best, begin) = (f64::INFINITY, seconds());
    while seconds() - begin < TOGETHER {
        let sample = seconds();
        (0..calls).for_each(|_| call());
        best = best.min((seconds() - sample) / calls as f64);
    }
    best
}

/// The processor time of this thread; the time of day where there is no such clock.
fn seconds() -> f64 {
    #[cfg(target_os = "linux")]
    {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
    }
    #[cfg(not(target_os = "linux"))]
    {
        use std::time::SystemTime;
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
    }
}
