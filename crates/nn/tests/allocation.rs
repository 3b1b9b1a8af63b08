//! A training step allocates nothing.

use downhill_nn::{Batch, LayerSpec, Loss, Model, Targets, Workspace};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[allow(unsafe_code)]
// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often ten steps allocate, after some that warm up.
fn allocations(specs: &[&str], rows: usize, parallel: bool) -> usize {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let mut model = Model::<f32>::build(&layers, 20, 0).unwrap();
    let x = vec![0.5; rows * 20];
    let classes = vec![1; rows];
    let all: Vec<u32> = (0..rows as u32).collect();
    let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &all };
    let loss: Loss = "cross-entropy".parse().unwrap();
    let mut workspace = Workspace::new(&model, rows, parallel);
    let mut before = 0;
    for step in 0..20 {
        if step == 10 {
            before = ALLOCATIONS.load(Ordering::Relaxed);
        }
        workspace.gradients(&mut model, &batch, &loss, 0, step).unwrap();
    }
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

// A program of its own, not one of the test harness, whose threads would be counted too.
fn main() {
    let networks: [&[&str]; 5] = [
        &["dense(64)", "relu", "dense(10)"],
        &["dense(300)", "batch-norm", "gelu", "dropout(0.5)", "dense(7)", "layer-norm", "dense(3)"],
        &["batch-norm", "dense(40)", "layer-norm", "mish", "dense(2)"],
        &["dense(40)", "relu", "dense(40)", "batch-norm", "add(1)", "gelu", "add(4)", "dense(2)"],
        &["dense(1100)", "relu", "dense(600)", "relu", "dense(2)"],
    ];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    // Threads allocate when they start.
    pool.broadcast(|_| ());
    for specs in networks {
        for rows in [1, 32, 200, 700] {
            assert_eq!(allocations(specs, rows, false), 0, "{specs:?}, {rows} rows");
            assert_eq!(
                pool.install(|| allocations(specs, rows, true)),
                0,
                "{specs:?}, {rows} rows, parallel"
            );
        }
    }
}
