//! What a traced step shows, and gradients given instead of a loss.

use downhill_nn::{Batch, LayerSpec, Loss, Model, Targets, Workspace};

fn layers(specs: &[&str]) -> Vec<LayerSpec> {
    specs.iter().map(|spec| spec.parse().unwrap()).collect()
}

/// Numbers that are alike on every machine, about as many below 0 as above.
fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i as f64 * 12.9898).sin() * 1.7).collect()
}

const NETWORK: [&str; 8] =
    ["dense(7)", "batch-norm", "gelu", "dense(6)", "relu", "layer-norm", "dense(5, bias=false)", "tanh"];

/// The gradients that are given are those of a loss: of ½Σ(y − t)², which mse has up to a factor.
#[test]
fn gradients_may_be_given() {
    let mut model = Model::<f64>::build(&layers(&NETWORK), 4, 3).unwrap();
    for rows in [3, 200] {
        let x = numbers(4 * rows);
        let targets = numbers(5 * rows);
        let all: Vec<u32> = (0..rows as u32).collect();
        let batch = Batch { x: &x, targets: Targets::Values(&targets), rows: &all };
        let mut workspace = Workspace::new(&model, rows, false).tracing();
        let mse: Loss = "mse".parse().unwrap();
        workspace.gradients(&mut model, &batch, &mse, 0, 0).unwrap();
        let expected = workspace.gradient().to_vec();
        let traced = workspace.trace(&model).unwrap();

        let outputs = &traced.last().unwrap().outputs;
        let scale = 2.0 / (5 * rows) as f64;
        let dy: Vec<f64> = outputs.iter().zip(&targets).map(|(y, t)| scale * (y - t)).collect();
        workspace.backpropagate(&mut model, &x, &dy, 0, 0).unwrap();
        for (a, b) in workspace.gradient().iter().zip(&expected) {
            assert!((a - b).abs() <= 1e-12 * b.abs().max(1e-3), "{a} is not {b}");
        }
        assert_eq!(workspace.trace(&model).unwrap().last().unwrap().gradient, dy);
    }
}

/// The gradient of an output is what the loss changes by when a bias right behind it changes: a layer norm's
/// shift, a batch norm's shift, summed over the rows.
#[test]
fn traces_show_every_layer() {
    let mut model = Model::<f64>::build(&layers(&NETWORK), 4, 3).unwrap();
    let rows = 150;
    let (x, dy) = (numbers(4 * rows), numbers(5 * rows));
    let mut workspace = Workspace::new(&model, rows, false).tracing();
    workspace.backpropagate(&mut model, &x, &dy, 0, 0).unwrap();
    let traces = workspace.trace(&model).unwrap();
    let shapes: Vec<_> = traces.iter().map(|trace| (trace.position, trace.units)).collect();
    assert_eq!(shapes, [(0, 7), (1, 7), (2, 7), (3, 6), (5, 6), (6, 5)]);
    for trace in &traces {
        assert_eq!((trace.outputs.len(), trace.gradient.len()), (rows * trace.units, rows * trace.units));
        let slopes = if trace.activation.is_some() { rows * trace.units } else { 0 };
        assert_eq!(trace.slopes.len(), slopes);
    }
    for (index, name) in [(1, "1.shift"), (4, "5.shift")] {
        let trace = &traces[index];
        let tensor = model.layout().tensors().iter().find(|tensor| tensor.name == name).unwrap();
        for (unit, &expected) in workspace.gradient()[tensor.range()].iter().enumerate() {
            let sum: f64 = trace.gradient.iter().skip(unit).step_by(trace.units).sum();
            assert!(
                (sum - expected).abs() < 1e-12 * expected.abs().max(1.0),
                "{name}: {sum} is not {expected}"
            );
        }
    }
    // A dense layer's bias sits in front of its activation.
    let (trace, gelu) = (&traces[3], &traces[2]);
    let tensor = model.layout().tensors().iter().find(|tensor| tensor.name == "3.bias").unwrap();
    for (unit, &expected) in workspace.gradient()[tensor.range()].iter().enumerate() {
        let both = trace.gradient.iter().zip(&trace.slopes).skip(unit).step_by(6);
        let sum: f64 = both.map(|(gradient, slope)| gradient * slope).sum();
        assert!((sum - expected).abs() < 1e-12 * expected.abs().max(1.0), "{sum} is not {expected}");
    }
    for (&y, &slope) in trace.outputs.iter().zip(&trace.slopes) {
        assert_eq!(slope, if y > 0.0 { 1.0 } else { 0.0 });
    }
    // GELU rises from left of its least to right of it: its slope is not a function of its output.
    assert!(gelu.slopes.iter().any(|&slope| slope < 0.0) && gelu.slopes.iter().any(|&slope| slope > 1.0));

    // Fewer rows than before leave none behind, and without tracing there is nothing.
    workspace.backpropagate(&mut model, &x[..8], &dy[..10], 0, 0).unwrap();
    assert!(workspace.trace(&model).unwrap().iter().all(|trace| trace.outputs.len() == 2 * trace.units));
    let mut plain = Workspace::new(&model, rows, false);
    plain.backpropagate(&mut model, &x, &dy, 0, 0).unwrap();
    assert!(plain.trace(&model).unwrap().is_empty());
}

#[test]
fn what_does_not_fit_is_refused() {
    let mut model = Model::<f64>::build(&layers(&["dense(2)"]), 3, 0).unwrap();
    let mut workspace = Workspace::new(&model, 4, false);
    for (x, dy, says) in [
        (0, 0, "a batch has 1 to 4 rows here, not 0"),
        (7, 4, "7 inputs are not rows of 3"),
        (6, 5, "2 rows of 2 outputs are not 5 numbers"),
        (15, 10, "a batch has 1 to 4 rows here, not 5"),
    ] {
        let error = workspace.backpropagate(&mut model, &numbers(x), &numbers(dy), 0, 0).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
    let other = Model::<f64>::build(&layers(&["dense(2)"]), 4, 0).unwrap();
    assert!(workspace.trace(&other).is_err());
}
