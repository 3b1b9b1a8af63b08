//! Networks that are no chain: what goes together, what does not, and what comes of it.

use downhill_nn::{Batch, Hessian, LayerSpec, Loss, Model, Shape, Targets, Workspace};
use downhill_optim::Role;

fn layers(specs: &[&str]) -> Vec<LayerSpec> {
    specs.iter().map(|spec| spec.parse().unwrap()).collect()
}

fn error(specs: &[&str], inputs: impl Into<Shape>) -> String {
    Model::<f64>::build(&layers(specs), inputs, 0).unwrap_err().to_string()
}

/// Numbers that are alike on every machine, about as many below 0 as above.
fn numbers(count: usize) -> Vec<f64> {
    (0..count).map(|i| (i as f64 * 12.9898).sin() * 1.7).collect()
}

fn predict(model: &Model<f64>, x: &[f64]) -> Vec<f64> {
    let mut out = vec![0.0; x.len() / model.inputs() * model.outputs()];
    Workspace::new(model, 1, false).predict(model, x, &mut out).unwrap();
    out
}

#[test]
fn a_row_has_a_shape() {
    let model = Model::<f64>::build(&layers(&["tanh"]), [2, 3], 0).unwrap();
    assert_eq!((model.inputs(), model.outputs()), (6, 6));
    assert_eq!((model.input_shape(), model.output_shape()), (&Shape::from([2, 3]), &Shape::from([2, 3])));
    // A dense layer takes all values of a row, however they are laid out.
    let model = Model::<f64>::build(&layers(&["relu", "dense(4)"]), [2, 3], 0).unwrap();
    assert_eq!(model.layout().tensors()[0].shape, [6, 4]);
    assert_eq!(model.output_shape(), &Shape::from(4));
    assert!(error(&["tanh"], [usize::MAX, 2]).contains("inputs are more than"));
    assert!(error(&["tanh"], [4, 0]).contains("at least one input"));
}

#[test]
fn what_is_added_must_be_in_front_and_of_the_same_shape() {
    let bad = error(&["dense(3)", "add(1)"], 2);
    assert_eq!(bad, "layer 1, add: layer 1 does not stand in front of it");
    assert!(error(&["add(0)"], 2).contains("layer 0 does not stand in front of it"));
    let bad = error(&["dense(3)", "dense(5)", "add(0)"], 2);
    assert_eq!(bad, "layer 2, add: it cannot add the 3 outputs of layer 0 to 5 inputs");
    assert!(error(&["relu", "dense(6)", "add(0)"], [2, 3]).contains("2 × 3"));
}

#[test]
fn members_stand_in_front_of_what_they_share() {
    let bad = error(&["dense(3)", "ensemble(4)"], 2);
    assert_eq!(bad, "layer 1, ensemble: there are no members in front of it; `members(16)` makes them");
    assert!(error(&["heads(2)"], 2).contains("members(16)"));
    assert!(error(&["average(values)"], 2).contains("members(16)"));
    assert!(error(&["members(2)", "average(values)", "relu"], 2).contains("it can only be the last layer"));
    let model = Model::<f64>::build(&layers(&["members(4)", "heads(3)", "average(softmax)"]), 2, 0).unwrap();
    assert_eq!((model.outputs(), model.training_outputs()), (3, 12));
    // Factors of 1 and −1, and not only one of them.
    let factors = &model.params()[..8];
    assert!(factors.iter().all(|w| w.abs() == 1.0) && factors.contains(&1.0) && factors.contains(&-1.0));
}

/// The average of probabilities, however sure the members are.
#[test]
fn members_are_averaged_by_what_they_say() {
    let average = |of: &str, outputs: &[f64; 4]| {
        let specs = ["members(2)", "heads(2)", &format!("average({of})")];
        let mut model = Model::<f64>::build(&layers(&specs), 1, 0).unwrap();
        let bias = model.params().len() - 4;
        model.params_mut()[bias..].copy_from_slice(outputs);
        predict(&model, &[0.0])
    };
    assert_eq!(average("values", &[1.0, 10.0, 4.0, 30.0]), [2.5, 20.0]);
    let logits = average("softmax", &[3f64.ln(), 0.0, 0.0, 0.0]);
    assert!((logits[0] - 0.625f64.ln()).abs() < 1e-12 && (logits[1] - 0.375f64.ln()).abs() < 1e-12);
    let logits = average("sigmoid", &[3f64.ln(), 900.0, 0.0, 900.0]);
    assert!((logits[0] - (0.625f64 / 0.375).ln()).abs() < 1e-12 && logits[1] > 50.0);
    assert!(average("softmax", &[900.0, -900.0, 900.0, -900.0]).iter().all(|logit| logit.is_finite()));
}

/// What is in front of an activation can be added too: the layer and its activation are then not run as one.
#[test]
fn a_layer_is_named_with_or_without_its_activation() {
    let x = numbers(3 * 40);
    let plain = Model::<f64>::build(&layers(&["dense(4)"]), 3, 5).unwrap();
    let before = predict(&plain, &x);
    for (from, value) in [(0, &(|x: f64| x) as &dyn Fn(f64) -> f64), (1, &|x: f64| x.max(0.0))] {
        let add = format!("add({from})");
        let mut model = Model::<f64>::build(&layers(&["dense(4)", "relu", "tanh", &add]), 3, 0).unwrap();
        model.params_mut().copy_from_slice(plain.params());
        for (y, &z) in predict(&model, &x).iter().zip(&before) {
            assert!((y - (z.max(0.0).tanh() + value(z))).abs() < 1e-12);
        }
    }
}

/// A residual block whose last layer is zeros passes everything on, and so does its gradient.
#[test]
fn a_block_of_zeros_is_the_identity() {
    let specs = ["dense(4)", "tanh", "dense(7)", "relu", "dense(4, init=zeros)", "add(1)", "dense(2)"];
    let mut deep = Model::<f64>::build(&layers(&specs), 3, 9).unwrap();
    let mut flat = Model::<f64>::build(&layers(&["dense(4)", "tanh", "dense(2)"]), 3, 9).unwrap();
    let tensor = |model: &Model<f64>, name: &str| {
        model.layout().tensors().iter().find(|tensor| tensor.name == name).unwrap().range()
    };
    for (to, from) in
        [("0.weight", "0.weight"), ("0.bias", "0.bias"), ("2.weight", "6.weight"), ("2.bias", "6.bias")]
    {
        let values = deep.params()[tensor(&deep, from)].to_vec();
        let place = tensor(&flat, to);
        flat.params_mut()[place].copy_from_slice(&values);
    }
    let (x, targets) = (numbers(3 * 50), numbers(2 * 50));
    assert_eq!(predict(&deep, &x), predict(&flat, &x));
    let rows: Vec<u32> = (0..50).collect();
    let batch = Batch { x: &x, targets: Targets::Values(&targets), rows: &rows };
    let gradient = |model: &mut Model<f64>| {
        let mut workspace = Workspace::new(model, 50, false);
        workspace.gradients(model, &batch, &"mse".parse::<Loss>().unwrap(), 0, 0).unwrap();
        workspace.gradient()[..3 * 4 + 4].to_vec()
    };
    for (a, b) in gradient(&mut deep).iter().zip(gradient(&mut flat)) {
        assert!((a - b).abs() < 1e-14, "{a} is not {b}");
    }
}

#[test]
fn a_workspace_is_for_one_graph() {
    let specs = |from| layers(&["dense(4)", "dense(4)", "dense(4)", from]);
    let mut first = Model::<f64>::build(&specs("add(0)"), 3, 0).unwrap();
    let mut second = Model::<f64>::build(&specs("add(1)"), 3, 0).unwrap();
    let mut again = Model::<f64>::build(&specs("add(0)"), 3, 1).unwrap();
    let mut workspace = Workspace::new(&first, 5, false);
    let (x, dy) = (numbers(3 * 5), numbers(4 * 5));
    assert!(workspace.backpropagate(&mut first, &x, &dy, 0, 0).is_ok());
    assert!(workspace.backpropagate(&mut second, &x, &dy, 0, 0).is_err());
    assert!(workspace.backpropagate(&mut again, &x, &dy, 0, 0).is_ok());
    let (mut gelu, mut relu) = (layers(&["dense(4)", "gelu"]), layers(&["dense(4)", "relu"]));
    let [mut gelu, mut relu] =
        [&mut gelu, &mut relu].map(|layers| Model::<f64>::build(layers, 3, 0).unwrap());
    let mut workspace = Workspace::new(&relu, 5, false);
    assert!(workspace.backpropagate(&mut relu, &x, &dy, 0, 0).is_ok());
    assert!(workspace.backpropagate(&mut gelu, &x, &dy, 0, 0).is_err());
}

/// What looks at data goes along the edges too: weights that are scaled, and statistics that are taken anew.
#[test]
fn data_goes_along_the_edges() {
    let x = numbers(6 * 300);
    let specs =
        ["dense(6, init=lsuv(1e-6))", "tanh", "dense(6, init=lsuv(1e-6))", "add(1)", "batch-norm", "add(0)"];
    let mut model = Model::<f64>::build(&layers(&specs), 6, 2).unwrap();
    let done = model.calibrate(&x).unwrap();
    assert!(done.iter().map(|done| done.position).eq([0, 2]) && done.iter().all(|done| done.reached));
    model.retake_statistics(&x).unwrap();
    let mut front = Model::<f64>::build(&layers(&specs[..4]), 6, 2).unwrap();
    front.params_mut().copy_from_slice(&model.params()[..2 * (36 + 6)]);
    let sums = predict(&front, &x);
    for unit in 0..6 {
        let mean = sums.iter().skip(unit).step_by(6).sum::<f64>() / 300.0;
        assert!((model.statistics()[unit] - mean).abs() < 1e-12);
    }
}

#[test]
fn an_embedding_looks_its_vectors_up() {
    let model = Model::<f64>::build(&layers(&["embedding([3, 2], dim=2)"]), 3, 5).unwrap();
    assert_eq!((model.layout().tensors()[0].shape.clone(), model.outputs()), (vec![5, 2], 5));
    let w = model.params();
    // The second input's vectors are behind the three of the first; the third input is passed on.
    assert_eq!(predict(&model, &[2.0, 1.0, -7.5]), [w[4], w[5], w[8], w[9], -7.5]);
    assert_eq!(predict(&model, &[0.0, 0.0, 1.0]), [w[0], w[1], w[6], w[7], 1.0]);
}

#[test]
fn what_is_no_category_is_an_error() {
    let mut model = Model::<f64>::build(&layers(&["embedding([3, 2], dim=2)", "dense(1)"]), 3, 5).unwrap();
    let mut workspace = Workspace::new(&model, 2, false);
    let loss: Loss = "mse".parse().unwrap();
    for bad in [2.0, -1.0, 0.5, f64::NAN, f64::INFINITY] {
        let x = [0.0, 1.0, 9.0, 2.0, bad, 9.0];
        let targets = Targets::Values(&[0.0, 0.0]);
        let says = format!("row 1, input 1: {bad} is not a category, which are whole numbers from 0 to 1");
        let batch = Batch { x: &x, targets, rows: &[1, 0] };
        let error = workspace.gradients(&mut model, &batch, &loss, 0, 0).unwrap_err();
        assert_eq!(error.to_string(), says);
        assert_eq!(workspace.predict(&model, &x, &mut [0.0; 2]).unwrap_err().to_string(), says);
        assert_eq!(workspace.backpropagate(&mut model, &x, &[1.0; 2], 0, 0).unwrap_err().to_string(), says);
        assert_eq!(Hessian::new(&model, &batch, &loss).unwrap_err().to_string(), says);
        assert!(model.calibrate(&x).is_err() && model.retake_statistics(&x).is_err());
        // A row that is not in the batch does no harm.
        let batch = Batch { rows: &[0], ..batch };
        workspace.gradients(&mut model, &batch, &loss, 0, 0).unwrap();
    }
    assert!(
        error(&["dense(2)", "embedding([3], dim=2)"], 3).contains("layer 1, embedding: it reads the data")
    );
    assert!(error(&["embedding([3, 2], dim=2)"], 1).contains("categories for 2 inputs"));
    let huge = error(&["embedding([16777216, 16777216], dim=16)"], 2);
    assert!(huge.contains("33554432 times 16 more parameters are too many"), "{huge}");
    for bad in
        ["embedding([], dim=2)", "embedding([0], dim=2)", "embedding([2], dim=0)", "embedding([2], 3, std=0)"]
    {
        assert!(bad.parse::<LayerSpec>().is_err(), "{bad}");
    }
}

#[test]
fn layers_say_how_many_outputs_they_make() {
    let units = |spec: &str| spec.parse::<LayerSpec>().unwrap().units();
    let specs = ["dense(7)", "embedding([3, 2], dim=5)", "batch-norm", "add(0)", "relu"];
    assert_eq!(specs.map(units), [7, 10, 0, 0, 0]);
}

#[test]
fn factors_begin_where_they_are_told() {
    let mut model = Model::<f64>::build(&layers(&["scale(0.5)"]), 2, 0).unwrap();
    let tensor = &model.layout().tensors()[0];
    assert_eq!((tensor.name.as_str(), tensor.role), ("0.scale", Role::Scale));
    assert_eq!(predict(&model, &[3.0, -4.0]), [1.5, -2.0]);
    model.params_mut()[1] = 2.0;
    assert_eq!(predict(&model, &[3.0, -4.0]), [1.5, -8.0]);
    assert!("scale(inf)".parse::<LayerSpec>().is_err());
}
