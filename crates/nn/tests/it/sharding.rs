//! How a batch is cut, and on how many threads it is worked on, must not show.

use downhill_nn::{Batch, LayerSpec, Loss, Model, Targets, Workspace};

const INPUTS: usize = 11;
const OUTPUTS: usize = 3;

fn model<F: downhill_core::Float>(specs: &[&str]) -> Model<F> {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    Model::build(&layers, INPUTS, 4).unwrap()
}

fn data<F: downhill_core::Float>(rows: usize) -> (Vec<F>, Vec<u32>) {
    let x = (0..rows * INPUTS).map(|i| F::of(((i * 7919) % 2003) as f64 / 1000.0 - 1.0)).collect();
    let classes = (0..rows).map(|i| (i * i % 7 % OUTPUTS) as u32).collect();
    (x, classes)
}

/// Some steps with batches of many sizes, then a prediction: all bits of it.
fn bits(specs: &[&str], parallel: bool) -> Vec<u32> {
    let mut model = model::<f32>(specs);
    let (x, classes) = data(1100);
    let loss: Loss = "cross-entropy(0.1)".parse().unwrap();
    let mut workspace = Workspace::new(&model, 1100, parallel);
    let mut bits = Vec::new();
    for (step, size) in [1, 63, 127, 128, 129, 200, 321, 513, 1000, 1100, 1, 64].into_iter().enumerate() {
        let rows: Vec<u32> = (0..size as u32).map(|i| (i * 17 + step as u32) % 1100).collect();
        let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &rows };
        let mean = workspace.gradients(&mut model, &batch, &loss, 8, step as u64).unwrap();
        bits.push((mean as f32).to_bits());
        for (p, g) in model.params_mut().iter_mut().zip(workspace.gradient()) {
            *p -= 0.05 * g;
        }
    }
    bits.extend(model.params().iter().chain(model.statistics()).map(|x| x.to_bits()));
    let mut outputs = vec![0.0; 1100 * OUTPUTS];
    workspace.predict(&model, &x, &mut outputs).unwrap();
    bits.extend(outputs.iter().map(|x| x.to_bits()));
    assert!(outputs.iter().all(|x| x.is_finite()));
    bits
}

#[test]
fn threads_change_no_bit() {
    let networks: [&[&str]; 7] = [
        &["dense(130)", "relu", "dense(70)", "tanh", "dense(3)"],
        &["dense(33)", "relu", "dense(17)", "gelu", "dense(3)"],
        &["dense(33)", "batch-norm", "relu", "dropout(0.3)", "dense(17)", "batch-norm", "tanh", "dense(3)"],
        &["batch-norm", "dropout(0.1)", "dense(16)", "layer-norm", "silu", "dropout(0.5)", "dense(3)"],
        &[
            "dense(20)",
            "relu",
            "dense(20)",
            "batch-norm",
            "add(1)",
            "tanh",
            "dropout(0.2)",
            "add(4)",
            "dense(3)",
        ],
        &[
            "members(3)",
            "ensemble(30)",
            "relu",
            "dropout(0.2)",
            "ensemble(20)",
            "heads(3)",
            "average(softmax)",
        ],
        // Large enough for shards of several parts on few threads.
        &["dense(370)", "layer-norm", "relu", "dropout(0.2)", "dense(360)", "batch-norm", "tanh", "dense(3)"],
    ];
    for specs in networks {
        let serial = bits(specs, false);
        for threads in [1, 2, 3, 8] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert!(pool.install(|| bits(specs, true)) == serial, "{specs:?} on {threads} threads");
        }
    }
}

/// The loss and the gradient of some rows.
fn gradient(specs: &[&str], rows: &[u32]) -> (f64, Vec<f64>) {
    let mut model = model::<f64>(specs);
    let (x, classes) = data(600);
    let mut workspace = Workspace::new(&model, rows.len(), false);
    let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows };
    let loss = workspace.gradients(&mut model, &batch, &"cross-entropy".parse().unwrap(), 0, 0).unwrap();
    (loss, workspace.gradient().to_vec())
}

#[test]
fn shards_add_up_to_the_batch() {
    let specs = ["dense(20)", "layer-norm", "mish", "dense(3)"];
    let rows: Vec<u32> = (0..560).collect();
    let (loss, whole) = gradient(&specs, &rows);
    // Batches of 70 rows are not cut.
    let (mut mean, mut sum) = (0.0, vec![0.0; whole.len()]);
    for rows in rows.chunks(70) {
        let (loss, part) = gradient(&specs, rows);
        mean += loss / 8.0;
        sum.iter_mut().zip(part).for_each(|(sum, g)| *sum += g / 8.0);
    }
    assert!((loss - mean).abs() < 1e-13);
    assert!(whole.iter().zip(&sum).all(|(a, b)| (a - b).abs() < 1e-13));
}

/// Batch normalisation over a cut batch is that over the whole: with every row twice, in shards of 64 that
/// each hold other rows, the gradient is that of every row once.
#[test]
fn batch_norm_sees_the_whole_batch() {
    let specs = ["dense(20)", "batch-norm", "tanh", "dense(9)", "batch-norm", "dense(3)"];
    let once: Vec<u32> = (0..100).collect();
    let twice: Vec<u32> = (0..200).map(|i| i / 2).collect();
    let (loss, whole) = gradient(&specs, &once);
    let (loss_twice, cut) = gradient(&specs, &twice);
    assert!((loss - loss_twice).abs() < 1e-13);
    assert!(whole.iter().zip(&cut).all(|(a, b)| (a - b).abs() < 1e-13));
}

#[test]
fn a_batch_of_one_row_works() {
    let mut model = model::<f64>(&["dense(4)", "batch-norm", "relu", "dense(3)"]);
    let (x, classes) = data(5);
    let mut workspace = Workspace::new(&model, 5, false);
    let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &[3] };
    let loss = workspace.gradients(&mut model, &batch, &"cross-entropy".parse().unwrap(), 0, 0).unwrap();
    assert!(loss.is_finite());
    assert!(workspace.gradient().iter().all(|g| g.is_finite()));
    assert!(model.statistics()[..4].iter().any(|&mean| mean != 0.0));
    assert_eq!(model.statistics()[4..], [1.0; 4]);
    let mut out = [0.0; OUTPUTS];
    workspace.predict(&model, &x[..INPUTS], &mut out).unwrap();
    assert!(out.iter().all(|x| x.is_finite()));
}

#[test]
fn rows_of_a_prediction_do_not_know_of_each_other() {
    let model = model::<f64>(&["dense(20)", "batch-norm", "gelu", "dropout(0.5)", "dense(3)"]);
    let (x, _) = data(300);
    let mut workspace = Workspace::new(&model, 32, true);
    let mut all = vec![0.0; 300 * OUTPUTS];
    workspace.predict(&model, &x, &mut all).unwrap();
    for row in [0, 127, 128, 299] {
        let mut one = [0.0; OUTPUTS];
        workspace.predict(&model, &x[row * INPUTS..][..INPUTS], &mut one).unwrap();
        assert!(one.iter().zip(&all[row * OUTPUTS..]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
    workspace.predict(&model, &[], &mut []).unwrap();
}

#[test]
fn dropout_does_nothing_in_prediction() {
    let (x, _) = data(10);
    let outputs = |specs: &[&str]| {
        let model = model::<f64>(specs);
        let mut out = vec![0.0; 10 * OUTPUTS];
        Workspace::new(&model, 1, false).predict(&model, &x, &mut out).unwrap();
        out
    };
    let without = outputs(&["dense(8)", "relu", "dense(3)"]);
    // The last tensor is drawn by its number, which dropout does not change.
    assert_eq!(outputs(&["dense(8)", "relu", "dropout(0.5)", "dense(3)"]), without);
    assert!(without.iter().any(|&x| x != 0.0));
}

/// The gradient of a table of vectors, whose rows the threads share among them.
#[test]
fn threads_change_no_bit_of_an_embedding() {
    let layers: Vec<LayerSpec> = ["embedding([700, 3], dim=16)", "dense(64)", "relu", "dense(3)"]
        .map(|spec| spec.parse().unwrap())
        .to_vec();
    let gradient = |parallel| {
        let mut model = Model::<f32>::build(&layers, 2, 4).unwrap();
        let x: Vec<f32> = (0..900).flat_map(|i| [(i * i % 700) as f32, (i % 3) as f32]).collect();
        let classes: Vec<u32> = (0..900).map(|i| i % 3).collect();
        let rows: Vec<u32> = (0..900).collect();
        let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &rows };
        let mut workspace = Workspace::new(&model, 900, parallel);
        let loss: Loss = "cross-entropy".parse().unwrap();
        workspace.gradients(&mut model, &batch, &loss, 0, 0).unwrap();
        workspace.gradient().to_vec()
    };
    let serial = gradient(false);
    assert!(serial[..703 * 16].iter().any(|&g| g != 0.0));
    for threads in [2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert!(pool.install(|| gradient(true)) == serial, "{threads} threads");
    }
}
