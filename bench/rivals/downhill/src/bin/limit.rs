//! How fast single precision is multiplied here by the `gemm` crate: what a share of the arithmetic limit is a share of.
//!
//! `limit THREADS`; for each line of standard input, the best of some products of 512 to 1024 rows and columns, in
//! floating-point operations a second.

use std::io::BufRead;
use std::time::Instant;

use gemm::Parallelism;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let threads = std::env::args().nth(1).ok_or("usage: limit THREADS")?.parse()?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build()?;
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    println!("{{\"version\": \"gemm 0.19\"}}");
    for line in std::io::stdin().lock().lines() {
        line?;
        let best =
            pool.install(|| [512, 768, 1024].into_iter().map(|n| rate(n, parallelism)).fold(0.0, f64::max));
        println!("{{\"rate\": {best:e}}}");
    }
    Ok(())
}

/// The best of seven products of n×n matrices.
fn rate(n: usize, parallelism: Parallelism) -> f64 {
    let a: Vec<f32> = (0..n * n).map(|i| (i % 17) as f32 - 8.0).collect();
    let mut c = vec![0.0f32; n * n];
    let product = |c: &mut [f32]| {
        let begin = Instant::now();
        // SAFETY: all three are n×n, in rows of n.
        unsafe {
            let (s, p) = (n as isize, a.as_ptr());
            let to = c.as_mut_ptr();
            gemm::gemm(
                n,
                n,
                n,
                to,
                1,
                s,
                false,
                p,
                1,
                s,
                p,
                1,
                s,
                0.0,
                1.0,
                false,
                false,
                false,
                parallelism,
            );
        }
        begin.elapsed().as_secs_f64()
    };
    let best = (0..7).map(|_| product(&mut c)).fold(f64::INFINITY, f64::min);
    std::hint::black_box(&c);
    2.0 * (n as f64).powi(3) / best
}
