//! Gradients against central differences, in `f64`.

use crate::derivatives::{ACTIVATIONS, LOSSES, with_categories};
use downhill_core::random::{Purpose, stream};
use downhill_nn::{Batch, LayerSpec, Loss, Model, Targets, Workspace};
use rand::RngExt;

const ROWS: usize = 9;

fn layers(specs: &[&str]) -> Vec<LayerSpec> {
    specs.iter().map(|spec| spec.parse().unwrap()).collect()
}

/// Numbers between −1 and 1.
fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut rng = stream(seed, Purpose::Shuffle, 0);
    (0..len).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

/// Compares every partial derivative with (ℓ(p + h) − ℓ(p − h))/2h.
fn check(specs: &[&str], loss: &str) {
    let inputs = 4;
    let mut model = Model::<f64>::build(&layers(specs), inputs, 3).unwrap();
    let loss: Loss = loss.parse().unwrap();
    let shaken: Vec<f64> = noise(1, model.params().len());
    model.params_mut().iter_mut().zip(shaken).for_each(|(p, n)| *p += 0.4 * n);
    let x = with_categories(&layers(specs), inputs, noise(2, ROWS * inputs));
    let values: Vec<f64> = noise(3, ROWS * model.outputs()).iter().map(|v| 0.5 + 0.5 * v).collect();
    let classes: Vec<u32> = (0..ROWS).map(|i| (i * 7 % 5 % model.outputs()) as u32).collect();
    let targets = if matches!(loss, Loss::CrossEntropy(_)) {
        Targets::Classes(&classes)
    } else {
        Targets::Values(&values)
    };
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let batch = Batch { x: &x, targets, rows: &rows };
    let mut workspace = Workspace::new(&model, ROWS, false);
    workspace.gradients(&mut model, &batch, &loss, 5, 6).unwrap();
    let gradient = workspace.gradient().to_vec();
    assert!(gradient.iter().any(|g| g.abs() > 1e-3), "{specs:?}: the gradient is nothing");
    let h = 1e-5;
    for (i, &g) in gradient.iter().enumerate() {
        let p = model.params()[i];
        let mut at = |value| {
            model.params_mut()[i] = value;
            workspace.gradients(&mut model, &batch, &loss, 5, 6).unwrap()
        };
        let difference = (at(p + h) - at(p - h)) / (2.0 * h);
        at(p);
        let error = (g - difference).abs() / difference.abs().max(0.01);
        assert!(error < 1e-6, "{specs:?}, {loss}, parameter {i}: {g} is not {difference}");
    }
}

#[test]
fn of_activations() {
    for activation in ACTIVATIONS {
        check(&["dense(6)", activation, "dense(3)"], "cross-entropy");
        check(&["dense(6, bias=false)", activation, "dense(3)"], "mse");
        check(&["dense(6)", "layer-norm", activation, activation, "dense(3)"], "mse");
    }
}

#[test]
fn of_losses() {
    for loss in LOSSES {
        check(&["dense(6)", "tanh", "dense(3)"], loss);
        check(&["dense(3)"], loss);
        check(&["dense(3)", "silu"], loss);
    }
}

#[test]
fn of_layers() {
    check(&["batch-norm", "dense(3)"], "mse");
    check(&["dense(6)", "batch-norm", "relu", "dense(3)"], "cross-entropy");
    check(&["dense(6)", "batch-norm(eps=0.1)", "dense(5)", "batch-norm", "gelu", "dense(3)"], "mse");
    check(&["layer-norm", "dense(20)", "layer-norm(0.1)", "dense(3)"], "cross-entropy");
    check(&["dense(8)", "relu", "dropout(0.4)", "dense(3)"], "mse");
    check(&["dropout(0.3)", "dense(8)", "batch-norm", "tanh", "dropout(0.5)", "dense(3)"], "cross-entropy");
    check(&["dense(3)", "batch-norm"], "mse");
    check(&["dense(40)", "dropout(0.2)", "layer-norm", "dense(3)", "layer-norm"], "mse");
    check(&["embedding([3, 7], dim=2)", "dense(5)", "tanh", "dense(3)"], "cross-entropy");
    check(&["embedding([5, 1, 2, 9], dim=3)", "batch-norm", "dense(3)"], "mse");
    check(&["scale", "dense(5)", "tanh", "scale(0.3)", "dense(3)"], "cross-entropy");
    check(&["dense(5)", "batch-norm", "scale", "relu", "dense(3)", "scale(-1)"], "mse");
    check(&["dense(5)", "silu", "dense(5)", "scale(0.1)", "add(1)", "dense(3)"], "mse");
    let edges = "piecewise-linear([[-0.6, -0.1, 0.2, 0.7], [], [-0.5, 0.5]], scale=0.8)";
    check(&[edges, "dense(5)", "tanh", "dense(3)"], "cross-entropy");
    check(&["dense(4)", edges, "dense(5)", "tanh", edges, "batch-norm", "dense(3)"], "mse");
    check(&["dense(4)", edges, "dense(4)", "add(0)", edges], "mse");
}

/// Members that share weights, whose losses are averaged.
#[test]
fn of_ensembles() {
    let loss = "cross-entropy(label-smoothing=0.1, class-weights=[1, 2, 0.5])";
    check(&["members(3)", "ensemble(6)", "tanh", "heads(3)", "average(softmax)"], loss);
    let shared = ["members(2)", "ensemble(5)", "gelu", "scale", "ensemble(5)", "add(2)", "heads(3)"];
    check(
        &[&["dense(6)", "dropout(0.2)"][..], &shared[..1], &shared[1..5], &["heads(2)", "average(values)"]]
            .concat(),
        "mse",
    );
    check(&[&shared[..], &["average(values)"]].concat(), "huber(0.3)");
    check(
        &["members(4)", "ensemble(5)", "batch-norm", "silu", "dropout(0.3)", "heads(1)", "average(sigmoid)"],
        "binary-cross-entropy",
    );
    check(&["members(3)", "heads(3)", "dense(2)"], "mse");
}

/// Values that are used more than once: by an `add`, by several, on both sides of one, in front of all
/// parameters.
#[test]
fn of_residual_connections() {
    check(&["dense(6)", "tanh", "dense(6)", "add(1)", "dense(3)"], "cross-entropy");
    check(&["dense(6)", "tanh", "dense(6)", "add(0)", "dense(3)"], "mse");
    check(&["identity", "dense(4)", "gelu", "add(0)", "dense(3)"], "mse");
    check(
        &["dense(5)", "silu", "dense(5)", "add(1)", "tanh", "add(1)", "layer-norm", "add(3)", "dense(3)"],
        "mse",
    );
    check(
        &["dense(5)", "batch-norm", "relu", "dense(5)", "batch-norm", "add(1)", "dropout(0.3)", "add(5)"],
        "mse",
    );
    check(&["dense(3)", "add(0)"], "cross-entropy");
    check(&["identity", "batch-norm", "add(0)", "batch-norm", "add(1)", "dense(3)"], "mse");
    check(&["dense(3)", "tanh", "dense(3)", "add(1)"], "cross-entropy");
}
