//! A training step allocates nothing, nor does a prediction.

use downhill_core::{Float, Invalid};
use downhill_nn::loss::{CrossEntropy, LossFunction, NamedLoss, Rows, TargetKind};
use downhill_nn::{Batch, Inference, LayerSpec, Loss, Model, Targets, Workspace};
use serde::{Deserialize, Serialize};
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

/// Cross-entropy of a type that Downhill does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Own(CrossEntropy);

impl LossFunction for Own {
    fn sum<F: Float>(&self, rows: Rows<'_, F>) -> f64 {
        self.0.sum(rows)
    }

    fn gradient<F: Float>(&self, rows: Rows<'_, F>, scale: F, gradient: &mut [F]) -> f64 {
        self.0.gradient(rows, scale, gradient)
    }
}

impl NamedLoss for Own {
    const NAME: &'static str = "own";

    fn check(&self) -> Result<(), Invalid> {
        NamedLoss::check(&self.0)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }
}

/// How often ten steps allocate, after some that warm up: with a loss, or in two halves.
fn allocations(specs: &[&str], rows: usize, parallel: bool, loss: Option<&Loss>) -> usize {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let mut model = Model::<f32>::build(&layers, 20, 0).unwrap();
    let x = vec![0.5; rows * 20];
    let classes = vec![1; rows];
    let all: Vec<u32> = (0..rows as u32).collect();
    let mut outputs = vec![0.0; rows * model.training_outputs()];
    let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &all };
    let mut workspace = Workspace::new(&model, rows, parallel);
    let mut before = 0;
    for step in 0..20 {
        if step == 10 {
            before = ALLOCATIONS.load(Ordering::Relaxed);
        }
        match loss {
            Some(loss) => {
                workspace.gradients(&mut model, &batch, loss, 0, step).unwrap();
            }
            None => {
                workspace.forward(&mut model, &x, &all, 0, step, &mut outputs).unwrap();
                workspace.backward(&model, &outputs).unwrap();
            }
        }
    }
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// How often predictions allocate, of up to as many rows as the first; they are those of a workspace.
fn allocations_of_predictions(specs: &[&str], parallel: bool) -> usize {
    const MOST: usize = 700;
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let model = Model::<f32>::build(&layers, 20, 0).unwrap();
    let x: Vec<f32> = (0..MOST * 20).map(|i| (i % 19) as f32 / 10.0 - 0.9).collect();
    let mut expected = vec![0.0; MOST * model.outputs()];
    Workspace::new(&model, 1, false).predict(&model, &x, &mut expected).unwrap();
    let mut inference = Inference::new(&model, parallel);
    let mut outputs = vec![0.0; MOST * model.outputs()];
    let mut before = 0;
    for rows in [MOST, 1, 2, 17, 128, 129, MOST] {
        outputs.fill(7.0);
        let outputs = &mut outputs[..rows * model.outputs()];
        inference.predict(&model, &x[..rows * 20], outputs).unwrap();
        assert!(outputs.iter().zip(&expected).all(|(a, b)| a.to_bits() == b.to_bits()), "{specs:?}, {rows}");
        if before == 0 {
            before = ALLOCATIONS.load(Ordering::Relaxed);
        }
    }
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

// A program of its own, not one of the test harness, whose threads would be counted too.
fn main() {
    let networks: [&[&str]; 7] = [
        &["dense(64)", "relu", "dense(10)"],
        &["dense(300)", "batch-norm", "gelu", "dropout(0.5)", "dense(7)", "layer-norm", "dense(3)"],
        &["batch-norm", "dense(40)", "layer-norm", "mish", "dense(2)"],
        &["dense(40)", "relu", "dense(40)", "batch-norm", "add(1)", "gelu", "add(4)", "dense(2)"],
        &["dense(1100)", "relu", "dense(600)", "relu", "dense(2)"],
        &[
            "members(4)",
            "ensemble(40)",
            "relu",
            "dropout(0.1)",
            "ensemble(30)",
            "heads(2)",
            "average(softmax)",
        ],
        &["piecewise-linear([[-1, 0, 1]])", "dense(9)", "piecewise-linear([[-1, 1], [0, 2, 3]])", "dense(2)"],
    ];
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    // Threads allocate when they start.
    pool.broadcast(|_| ());
    let losses = [Loss::from(CrossEntropy::default()), Loss::own(Own(CrossEntropy::default()))];
    for specs in networks {
        let predictions =
            [false, true].map(|parallel| pool.install(|| allocations_of_predictions(specs, parallel)));
        assert_eq!(predictions, [0, 0], "predictions of {specs:?}");
        for rows in [1, 32, 200, 700] {
            for loss in losses.iter().map(Some).chain([None]) {
                let alone = allocations(specs, rows, false, loss);
                let parallel = pool.install(|| allocations(specs, rows, true, loss));
                assert_eq!([alone, parallel], [0, 0], "{specs:?}, {rows} rows, {loss:?}");
            }
        }
    }
}
