//! Products with the Hessian, against PyTorch's and against differences of our own gradients.

use crate::derivatives::{ACTIVATIONS, LOSSES, with_categories};
use downhill_core::random::{Purpose, stream};
use downhill_nn::{Batch, Hessian, LayerSpec, Loss, Model, Targets, Workspace};
use rand::RngExt;
use serde::Deserialize;

const ROWS: usize = 9;
const INPUTS: usize = 4;

/// Numbers between −1 and 1.
fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut rng = stream(seed, Purpose::Probe, 0);
    (0..len).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

/// Compares H·v with (g(p + hv) − g(p − hv))/2h, which is within about 1e-9 of it where nothing has a kink.
fn check(specs: &[&str], loss: &str) {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let mut model = Model::<f64>::build(&layers, INPUTS, 3).unwrap();
    let loss: Loss = loss.parse().unwrap();
    let len = model.params().len();
    model.params_mut().iter_mut().zip(noise(1, len)).for_each(|(p, n)| *p += 0.4 * n);
    let x = with_categories(&layers, INPUTS, noise(2, ROWS * INPUTS));
    let values: Vec<f64> = noise(3, ROWS * model.outputs()).iter().map(|v| 0.5 + 0.5 * v).collect();
    let classes: Vec<u32> = (0..ROWS).map(|i| (i * 7 % 5 % model.outputs()) as u32).collect();
    let targets = if matches!(loss, Loss::CrossEntropy(_)) {
        Targets::Classes(&classes)
    } else {
        Targets::Values(&values)
    };
    let rows: Vec<u32> = (0..ROWS as u32).rev().collect();
    let batch = Batch { x: &x, targets, rows: &rows };
    let mut workspace = Workspace::new(&model, ROWS, false);
    workspace.gradients(&mut model, &batch, &loss, 0, 0).unwrap();
    let mut hessian = Hessian::new(&model, &batch, &loss).unwrap();
    let biggest = |values: &[f64]| values.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    let close = |what: &str, ours: &[f64], other: &[f64], tolerance: f64| {
        let scale = biggest(other).max(1e-3);
        for (i, (a, b)) in ours.iter().zip(other).enumerate() {
            assert!((a - b).abs() <= tolerance * scale, "{specs:?}, {loss}, {what} {i}: {a} is not {b}");
        }
    };
    close("gradient", hessian.gradient(), workspace.gradient(), 1e-12);

    let mut products = Vec::new();
    for seed in 4..6 {
        let v = noise(seed, len);
        let mut product = vec![0.0; len];
        hessian.product(&v, &mut product);
        let (h, at) = (1e-5, model.params().to_vec());
        let mut gradient = |h: f64| {
            model.params_mut().iter_mut().zip(at.iter().zip(&v)).for_each(|(p, (at, v))| *p = at + h * v);
            workspace.gradients(&mut model, &batch, &loss, 0, 0).unwrap();
            workspace.gradient().to_vec()
        };
        let (above, below) = (gradient(h), gradient(-h));
        gradient(0.0);
        let difference: Vec<f64> = above.iter().zip(&below).map(|(a, b)| (a - b) / (2.0 * h)).collect();
        close("product", &product, &difference, 1e-6);
        products.push((v, product));
    }
    // H is symmetric: u·Hv = v·Hu.
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (a, b) = (dot(&products[0].0, &products[1].1), dot(&products[1].0, &products[0].1));
    assert!((a - b).abs() <= 1e-11 * a.abs().max(1.0), "{specs:?}, {loss}: {a} and {b}");
}

#[test]
fn of_activations() {
    for activation in ACTIVATIONS {
        check(&["dense(6)", activation, "dense(3)"], "cross-entropy");
        check(&["dense(6, bias=false)", activation, "dense(5)", activation, "dense(3)"], "mse");
        check(&[activation, "dense(6)", "layer-norm", activation, activation, "dense(3)"], "mse");
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
    check(&["dense(3)", "batch-norm"], "mse");
    check(&["dense(40)", "layer-norm", "dense(3)", "layer-norm"], "mse");
    check(&["batch-norm", "layer-norm", "dense(3)", "batch-norm", "layer-norm"], "mse");
}

#[test]
fn dropout_is_left_out() {
    let product = |specs: &[&str]| {
        let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
        let model = Model::<f64>::build(&layers, INPUTS, 3).unwrap();
        let (x, values) = (noise(2, ROWS * INPUTS), noise(3, ROWS * 2));
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        let batch = Batch { x: &x, targets: Targets::Values(&values), rows: &rows };
        let mut product = vec![0.0; model.params().len()];
        let v = noise(4, product.len());
        Hessian::new(&model, &batch, &"mse".parse().unwrap()).unwrap().product(&v, &mut product);
        product
    };
    // The same tensors in the same order, so the same numbers.
    let dropped = product(&["dropout(0.5)", "dense(5)", "tanh", "dropout(0.3)", "dense(2)"]);
    assert_eq!(dropped, product(&["dense(5)", "tanh", "dense(2)"]));
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = Model::<f32>::build(&["dense(3)".parse().unwrap()], 2, 0).unwrap();
    let refused =
        |batch: Batch<'_, f32>, loss: &str| Hessian::new(&model, &batch, &loss.parse().unwrap()).is_err();
    let classes = Targets::Classes(&[0, 1]);
    assert!(!refused(Batch { x: &[0.0; 4], targets: classes, rows: &[0, 1] }, "cross-entropy"));
    assert!(refused(Batch { x: &[0.0; 4], targets: classes, rows: &[] }, "cross-entropy"));
    assert!(refused(Batch { x: &[0.0; 3], targets: classes, rows: &[0] }, "cross-entropy"));
    assert!(refused(Batch { x: &[0.0; 4], targets: classes, rows: &[2] }, "cross-entropy"));
    assert!(refused(Batch { x: &[0.0; 4], targets: classes, rows: &[0] }, "mse"));
    assert!(refused(Batch { x: &[0.0; 2], targets: Targets::Classes(&[3]), rows: &[0] }, "cross-entropy"));
}

#[test]
fn of_embeddings() {
    check(&["embedding([3, 7], dim=2)", "dense(5)", "tanh", "dense(3)"], "cross-entropy");
    check(&["embedding([5, 1, 2, 9], dim=3)", "batch-norm", "dense(3)"], "mse");
    check(&["embedding([4], dim=1)", "gelu", "layer-norm", "dense(4)", "add(0)"], "mse");
}

#[test]
fn of_factors() {
    check(&["scale", "dense(5)", "tanh", "scale(0.3)", "dense(3)"], "cross-entropy");
    check(&["dense(5)", "batch-norm", "scale", "gelu", "dense(3)", "scale(-1)"], "mse");
    check(&["dense(5)", "silu", "dense(5)", "scale(0.1)", "add(1)", "dense(3)"], "mse");
}

#[test]
fn of_piecewise_linear_encodings() {
    let edges = "piecewise-linear([[-0.6, -0.1, 0.2, 0.7], [], [-0.5, 0.5]], scale=0.8)";
    check(&[edges, "dense(5)", "tanh", "dense(3)"], "cross-entropy");
    check(&["dense(4)", edges, "dense(5)", "tanh", edges, "dense(3)"], "mse");
    check(&["dense(4)", edges, "dense(4)", "add(0)", edges], "mse");
}

#[test]
fn of_ensembles() {
    check(&["members(3)", "ensemble(6)", "tanh", "heads(3)", "average(softmax)"], "cross-entropy");
    check(
        &["dense(4)", "members(2)", "ensemble(5)", "gelu", "ensemble(5)", "heads(2)", "average(values)"],
        "mse",
    );
    check(&["members(2)", "heads(3)", "silu", "heads(2)"], "mse");
}

#[test]
fn of_residual_connections() {
    check(&["dense(6)", "tanh", "dense(6)", "add(1)", "dense(3)"], "cross-entropy");
    check(&["dense(6)", "tanh", "dense(6)", "add(0)", "dense(3)"], "mse");
    check(&["identity", "dense(4)", "gelu", "add(0)", "dense(3)"], "mse");
    check(
        &["dense(5)", "silu", "dense(5)", "add(1)", "tanh", "add(1)", "layer-norm", "add(3)", "dense(3)"],
        "mse",
    );
    check(&["dense(5)", "batch-norm", "tanh", "dense(5)", "batch-norm", "add(1)", "add(5)"], "mse");
    check(&["dense(3)", "add(0)"], "cross-entropy");
}

#[derive(Deserialize)]
struct Case {
    name: String,
    layers: Vec<LayerSpec>,
    loss: Loss,
    inputs: usize,
    params: Vec<f64>,
    x: Vec<f64>,
    targets: Answers,
    vector: Vec<f64>,
    product: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answers {
    Classes(Vec<u32>),
    Values(Vec<f64>),
}

#[test]
fn products_agree_with_pytorch() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../golden/hessian.json")).unwrap();
    assert_eq!(cases.len(), 28);
    for Case { name, layers, loss, inputs, params, x, targets, vector, product } in cases {
        let mut model = Model::<f64>::build(&layers, inputs, 0).unwrap();
        model.params_mut().copy_from_slice(&params);
        let targets = match &targets {
            Answers::Classes(classes) => Targets::Classes(classes),
            Answers::Values(values) => Targets::Values(values),
        };
        let rows: Vec<u32> = (0..(x.len() / inputs) as u32).collect();
        let mut ours = vec![0.0; params.len()];
        let batch = Batch { x: &x, targets, rows: &rows };
        Hessian::new(&model, &batch, &loss).unwrap().product(&vector, &mut ours);
        assert_eq!(ours.len(), product.len());
        for (i, (a, b)) in ours.iter().zip(&product).enumerate() {
            assert!((a - b).abs() <= 1e-11 * b.abs().max(1.0), "{name}, {i}: {a} is not {b}");
        }
    }
}
