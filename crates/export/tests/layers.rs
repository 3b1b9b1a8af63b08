//! Every layer and every loss that there is can be exported: whoever adds one finds out here.

use downhill_export::{Error, Inputs, Network, Predictor, json, onnx};
use downhill_nn::{LayerSpec, Loss, Model};

/// A network around a layer of this name.
fn layers(name: &str) -> Vec<LayerSpec> {
    let spec = match name {
        "dense" => "dense(3)",
        "dropout" => "dropout(0.5)",
        "batch-norm" => "batch-norm",
        "layer-norm" => "layer-norm",
        "add" => "add(0)",
        "embedding" => "embedding(categories=[2, 3], dim=4)",
        "scale" => "scale(2)",
        "members" => "members(4)",
        "ensemble" => "ensemble(5)",
        "heads" => "heads(1)",
        "average" => "average(values)",
        "piecewise-linear" => "piecewise-linear([[-1, 0, 2], [], [0, 1]])",
        "relu" | "leaky-relu" | "elu" | "selu" | "gelu" | "silu" | "mish" | "tanh" | "sigmoid"
        | "softplus" | "identity" => name,
        new => panic!(
            "`{new}` is a new layer: add it to src/layers.rs and src/json.rs, to this test, and to the networks of \
             tests/onnxruntime.rs"
        ),
    };
    let specs: &[&str] = match name {
        "embedding" => &[spec, "dense(1)"],
        "add" => &["identity", "dense(3)", spec, "dense(1)"],
        "members" | "ensemble" | "heads" | "average" => {
            &["dense(3)", "members(4)", "ensemble(5)", "heads(1)", "average(values)"]
        }
        _ => &["dense(3)", spec, "dense(1)"],
    };
    specs.iter().map(|spec| spec.parse().unwrap()).collect()
}

#[test]
fn every_layer_can_be_exported() {
    for name in LayerSpec::names() {
        let layers = layers(&name);
        assert!(layers.iter().any(|layer| layer.name() == name));
        let model = Model::<f32>::build(&layers, 3, 1).unwrap();
        let loss: Loss = "mse".parse().unwrap();
        let predictor = Predictor { networks: vec![Network { model: &model, encoder: None }], loss: &loss };
        for inputs in [Inputs::Table, Inputs::Numeric] {
            onnx(&predictor, inputs).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        json(&predictor).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}

#[test]
fn every_loss_can_be_exported() {
    let model = Model::<f32>::build(&["dense(1)".parse().unwrap()], 3, 1).unwrap();
    for name in Loss::NAMES {
        let loss: Loss = name.parse().unwrap();
        let predictor = Predictor { networks: vec![Network { model: &model, encoder: None }], loss: &loss };
        let known = onnx(&predictor, Inputs::Table).map(|_| ()).and(json(&predictor).map(|_| ()));
        assert_eq!(known, Ok::<(), Error>(()), "{name}");
    }
}

#[test]
fn what_cannot_be_averaged_is_refused() {
    let loss: Loss = "mse".parse().unwrap();
    let model = |inputs| Model::<f32>::build(&["dense(1)".parse().unwrap()], inputs, 1).unwrap();
    let (two, three) = (model(2), model(3));
    let network = |model| Network { model, encoder: None };
    let error = |networks| onnx(&Predictor { networks, loss: &loss }, Inputs::Table).unwrap_err();
    assert_eq!(error(vec![]), Error::NoNetwork);
    assert_eq!(error(vec![network(&two), network(&three)]), Error::DifferentInputs { column: "x".into() });
}
