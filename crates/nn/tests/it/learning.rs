//! Small networks, trained by hand.

use downhill_nn::{Batch, LayerSpec, Loss, Model, Targets, Workspace};

const XOR: [f32; 8] = [0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0];

/// Gradient descent; the last loss and the outputs.
fn train(specs: &[&str], loss: &str, targets: Targets<'_, f32>, steps: u64) -> (f64, Vec<f32>) {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let loss: Loss = loss.parse().unwrap();
    let mut model = Model::<f32>::build(&layers, 2, 7).unwrap();
    let mut workspace = Workspace::new(&model, 4, false);
    let batch = Batch { x: &XOR, targets, rows: &[0, 1, 2, 3] };
    let mut last = f64::NAN;
    for step in 0..steps {
        last = workspace.gradients(&mut model, &batch, &loss, 7, step).unwrap();
        for (p, g) in model.params_mut().iter_mut().zip(workspace.gradient()) {
            *p -= 0.3 * g;
        }
    }
    let mut outputs = vec![0.0; 4 * model.outputs()];
    workspace.predict(&model, &XOR, &mut outputs).unwrap();
    (last, outputs)
}

#[test]
fn xor_is_learned() {
    let classes = Targets::Classes(&[0, 1, 1, 0]);
    for activation in ["relu", "tanh", "gelu", "selu"] {
        let (loss, outputs) = train(&["dense(16)", activation, "dense(2)"], "cross-entropy", classes, 600);
        assert!(loss < 0.05, "{activation}: {loss}");
        let right =
            outputs.chunks(2).zip([false, true, true, false]).all(|(row, odd)| (row[1] > row[0]) == odd);
        assert!(right, "{activation}: {outputs:?}");
        let (loss, outputs) =
            train(&["dense(16)", activation, "dense(1)"], "binary-cross-entropy", classes, 600);
        assert!(loss < 0.05, "{activation}: {loss}");
        assert!(outputs.iter().zip([false, true, true, false]).all(|(x, odd)| (*x > 0.0) == odd));
    }
    let values = Targets::Values(&[0.0, 1.0, 1.0, 0.0]);
    for loss in ["mse", "huber"] {
        let (loss, _) = train(&["dense(16)", "tanh", "dense(1)"], loss, values, 1500);
        assert!(loss < 0.01, "{loss}");
    }
}

#[test]
fn outputs_become_probabilities() {
    let mut row = [0.0, 2.0f64.ln(), 5.0f64.ln(), 1000.0, 1000.0, -1000.0];
    "cross-entropy".parse::<Loss>().unwrap().probabilities(&mut row, 3);
    let expected = [0.125, 0.25, 0.625, 0.5, 0.5, 0.0];
    assert!(row.iter().zip(expected).all(|(p, q)| (p - q).abs() < 1e-15), "{row:?}");
    let mut row = [0.0, 3.0f64.ln(), -1000.0, 1000.0];
    "binary-cross-entropy".parse::<Loss>().unwrap().probabilities(&mut row, 1);
    assert!(row.iter().zip([0.5, 0.75, 0.0, 1.0]).all(|(p, q)| (p - q).abs() < 1e-15), "{row:?}");
    let mut row = [0.5, -3.0f64];
    "mse".parse::<Loss>().unwrap().probabilities(&mut row, 1);
    assert_eq!(row, [0.5, -3.0]);
}
