//! What goes around AdamW costs next to nothing in the same pass: `cargo bench -p downhill-optim`, on two
//! threads.
//!
//! A step over 25.6 M parameters is bound by memory, so the floats that are read and written are counted too.

use divan::{Bencher, counter::BytesCount};
use downhill_optim::{AdamW, Layout, Optimizer, Regularization};

const LEN: usize = 25_600_000;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 15, sample_size = 1, args = ["adamw", "clip value + adamw", "clip value + adamw + ema", "clip norm + adamw + ema"])]
fn step(bencher: Bencher, what: &str) {
    let regularization = Regularization {
        clip_value: what.contains("value").then_some(1.0),
        clip_norm: what.contains("norm").then_some(1.0),
        ..Regularization::default()
    };
    let mut floats = 7; // p, g, m and v are read; p, m and v are written
    let mut optimizer =
        Optimizer::<f32>::new(AdamW::default(), regularization, &Layout::flat(LEN), true).unwrap();
    if what.contains("ema") {
        optimizer = optimizer.averaged(0.999).unwrap();
        floats += 2;
    }
    floats += usize::from(what.contains("norm"));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let (mut params, grads) = (vec![0.1f32; LEN], vec![1e-3f32; LEN]);
    let mut index = 0;
    bencher.counter(BytesCount::of_many::<f32>(floats * LEN)).bench_local(|| {
        pool.install(|| optimizer.step(index, 1e-3, &mut params, &grads));
        index += 1;
    });
}
