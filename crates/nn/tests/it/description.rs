//! Descriptions: their spellings, their defaults, their errors.

use downhill_nn::{
    Activation, Batch, BatchNorm, Dense, Dropout, LayerSpec, Loss, Metric, Mlp, Model, Relu, Targets,
    Workspace,
};
use downhill_optim::{Init, Role};

fn layers(specs: &[&str]) -> Vec<LayerSpec> {
    specs.iter().map(|spec| spec.parse().unwrap()).collect()
}

#[test]
fn every_spelling_reads_back() {
    let specs = [
        "dense(64)",
        "dense(3, init=he-normal, bias=false)",
        "dropout(0.1)",
        "batch-norm",
        "batch-norm(0.3, eps=0.001)",
        "layer-norm(0.01)",
        "add(3)",
        "add(from=0)",
        "embedding([12, 5], dim=8)",
        "embedding([3], 2, std=0.1)",
        "scale",
        "scale(0.1)",
        "piecewise-linear([[-1.5e-7, 0, 2.5], [], [0.25, 1]])",
        "piecewise-linear([[0, 1]], scale=2)",
        "members(16)",
        "ensemble(128)",
        "ensemble(128, init=he-normal)",
        "heads(3)",
        "heads(3, std=0.1)",
        "average(softmax)",
        "average(of=values)",
        "relu",
        "leaky-relu(0.2)",
        "elu",
        "selu",
        "gelu",
        "silu",
        "mish",
        "tanh",
        "sigmoid",
        "softplus",
        "identity",
    ];
    for spec in specs {
        let layer: LayerSpec = spec.parse().unwrap_or_else(|error| panic!("{spec}: {error}"));
        assert_eq!(layer.to_string().parse::<LayerSpec>().unwrap(), layer);
        let json = serde_json::to_string(&layer).unwrap();
        assert_eq!(serde_json::from_str::<LayerSpec>(&json).unwrap(), layer, "{json}");
        if let Some(activation) = layer.activation() {
            assert_eq!(spec.parse::<Activation>().unwrap(), activation);
            assert_eq!(LayerSpec::from(activation), layer);
        }
        assert!(spec.starts_with(&layer.name()));
    }
    for spec in ["cross-entropy", "cross-entropy(0.1, class-weights=[1, 2])", "mse", "mae", "huber(2)"] {
        let loss: Loss = spec.parse().unwrap();
        assert_eq!(loss.to_string().parse::<Loss>().unwrap(), loss);
    }
    for spec in ["accuracy", "top-k(3)", "balanced-accuracy", "f1", "roc-auc", "rmse", "mae", "r2"] {
        let metric: Metric = spec.parse().unwrap();
        assert_eq!(metric.to_string().parse::<Metric>().unwrap(), metric);
    }
}

#[test]
fn defaults() {
    let dense: LayerSpec = "dense(64)".parse().unwrap();
    assert_eq!(dense, Dense { units: 64, init: Init::Auto, bias: true }.into());
    assert_eq!(BatchNorm::default(), BatchNorm { momentum: 0.1, eps: 1e-5 });
    let mlp: Mlp = serde_json::from_str(r#"{"hidden": [8], "batch-norm": true, "dropout": 0.2}"#).unwrap();
    let expected: Vec<LayerSpec> = vec![
        Dense { units: 8, init: Init::Auto, bias: false }.into(),
        BatchNorm::default().into(),
        Relu {}.into(),
        Dropout { rate: 0.2 }.into(),
    ];
    assert_eq!(mlp.layers(), expected);
}

#[test]
fn errors_name_the_layer_the_key_and_the_value() {
    let bad: [(LayerSpec, &[&str]); 6] = [
        (Dropout { rate: 1.0 }.into(), &["layer 1, dropout", "rate", "1"]),
        (Dropout { rate: f64::NAN }.into(), &["layer 1, dropout", "rate", "NaN"]),
        (Dense::new(0).into(), &["layer 1, dense", "units", "0"]),
        (BatchNorm { momentum: 0.0, eps: 1e-5 }.into(), &["layer 1, batch-norm", "momentum", "0"]),
        (BatchNorm { momentum: 0.1, eps: -1.0 }.into(), &["layer 1, batch-norm", "eps", "-1"]),
        (downhill_nn::LeakyRelu { slope: -0.1 }.into(), &["layer 1, leaky-relu", "slope", "-0.1"]),
    ];
    for (layer, words) in bad {
        let error = Model::<f32>::build(&[Dense::new(3).into(), layer], 2, 0).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{error:?} does not say {word:?}");
        }
    }
    assert!(Model::<f32>::build(&[], 2, 0).is_err());
    assert!(Model::<f32>::build(&layers(&["dense(2)"]), 0, 0).is_err());
    let huge = Model::<f32>::build(&[Dense::new(usize::MAX / 2).into()], 64, 0).unwrap_err().to_string();
    assert!(huge.contains("layer 0, dense"), "{huge}");
    for bad in ["dropout(1.5)", "densse(3)", "dense(3, unit=4)", "relu(1)", "dense", "leaky-relu(-1)"] {
        assert!(bad.parse::<LayerSpec>().is_err(), "{bad}");
    }
    for bad in ["huber(0)", "cross-entropy(1)", "cross-entropy(class-weights=[0, 0])"] {
        assert!(bad.parse::<Loss>().is_err(), "{bad}");
    }
}

#[test]
fn tensors_are_named_and_begin_as_they_should() {
    let specs = layers(&["dense(500)", "batch-norm", "selu", "dense(400)", "tanh", "dense(2)"]);
    let model = Model::<f32>::build(&specs, 300, 1).unwrap();
    let names: Vec<&str> = model.layout().tensors().iter().map(|tensor| tensor.name.as_str()).collect();
    let expected = ["0.weight", "0.bias", "1.scale", "1.shift", "3.weight", "3.bias", "5.weight", "5.bias"];
    assert_eq!(names, expected);
    let statistics: Vec<&str> =
        model.statistics_layout().tensors().iter().map(|tensor| tensor.name.as_str()).collect();
    assert_eq!(statistics, ["1.running-mean", "1.running-variance"]);
    assert_eq!(model.layout().tensors()[0].shape, [300, 500]);
    assert_eq!(model.layout().tensors()[2].role, Role::Scale);
    let values = |i: usize| &model.params()[model.layout().tensors()[i].range()];
    let deviation = |i: usize| {
        let values = values(i);
        (values.iter().map(|w| f64::from(w * w)).sum::<f64>() / values.len() as f64).sqrt()
    };
    // LeCun normal before SELU, past the normalisation; Glorot uniform before tanh and at the head.
    assert!((deviation(0) / (1.0f64 / 300.0).sqrt() - 1.0).abs() < 0.02);
    assert!((deviation(4) / (2.0f64 / 900.0).sqrt() - 1.0).abs() < 0.02);
    let limit = (6.0f32 / 900.0).sqrt();
    assert!(values(4).iter().all(|w| w.abs() <= limit));
    // Biases are uniform in ±1/√n_in, but for a layer of zeros.
    assert!((deviation(1) / (1.0f64 / 900.0).sqrt() - 1.0).abs() < 0.1);
    assert!(values(1).iter().all(|b| b.abs() <= 1.0 / 300.0f32.sqrt()));
    let zeros = Model::<f32>::build(&layers(&["dense(5, init=zeros)"]), 3, 1).unwrap();
    assert!(zeros.params().iter().all(|&p| p == 0.0));
    assert!(values(3).iter().all(|&b| b == 0.0));
    assert!(values(2).iter().all(|&s| s == 1.0));
    assert_eq!(model.statistics()[..500], [0.0; 500]);
    assert_eq!(model.statistics()[500..], [1.0; 500]);

    let again = Model::<f32>::build(&specs, 300, 1).unwrap();
    assert_eq!(again.params(), model.params());
    assert_ne!(Model::<f32>::build(&specs, 300, 2).unwrap().params(), model.params());
}

#[test]
fn data_that_does_not_fit_is_an_error() {
    let mut model = Model::<f32>::build(&layers(&["dense(3)"]), 2, 0).unwrap();
    let mut other = Model::<f32>::build(&layers(&["dense(4)"]), 2, 0).unwrap();
    let mut workspace = Workspace::new(&model, 4, false);
    let loss: Loss = "cross-entropy".parse().unwrap();
    let x = [0.5; 10];
    let classes = Targets::Classes(&[0, 1, 2, 1, 0]);
    let good = Batch { x: &x, targets: classes, rows: &[0, 4] };
    assert!(workspace.gradients(&mut model, &good, &loss, 0, 0).is_ok());
    let bad = [
        Batch { rows: &[], ..good },
        Batch { rows: &[0, 1, 2, 3, 4], ..good },
        Batch { rows: &[5], ..good },
        Batch { x: &x[..9], ..good },
        Batch { targets: Targets::Classes(&[0, 1]), ..good },
        Batch { targets: Targets::Classes(&[3, 0, 0, 0, 0]), ..good },
        Batch { targets: Targets::Values(&[0.0; 15]), ..good },
        Batch { targets: Targets::Values(&[0.0; 5]), ..good },
    ];
    for batch in &bad {
        assert!(workspace.gradients(&mut model, batch, &loss, 0, 0).is_err(), "{batch:?}");
    }
    assert!(workspace.gradients(&mut other, &good, &loss, 0, 0).is_err());
    let weighted = "cross-entropy(class-weights=[1, 2])".parse().unwrap();
    assert!(workspace.gradients(&mut model, &good, &weighted, 0, 0).is_err());
    for loss in ["mse", "mae", "huber", "binary-cross-entropy"] {
        assert!(workspace.gradients(&mut model, &good, &loss.parse().unwrap(), 0, 0).is_err(), "{loss}");
    }
    let mut out = [0.0; 15];
    assert!(workspace.predict(&model, &x, &mut out).is_ok());
    assert!(workspace.predict(&model, &x, &mut out[..14]).is_err());
    assert!(workspace.predict(&model, &x[..9], &mut out).is_err());
    assert!(workspace.predict(&other, &x, &mut [0.0; 20]).is_err());
    assert!(loss.mean(&out, classes).is_ok());
    assert!(loss.mean(&out[..14], classes).is_err());
    assert!(loss.mean::<f32>(&[], Targets::Classes(&[])).is_err());
    let accuracy: Metric = "accuracy".parse().unwrap();
    assert!(accuracy.compute(&out, 3, classes).is_ok());
    assert!(accuracy.compute(&out, 2, classes).is_err());
    assert!(accuracy.compute(&out, 0, classes).is_err());
    assert!(accuracy.compute(&out, 3, Targets::Values(&[0.0; 15])).is_err());
    assert!(accuracy.compute::<f32>(&[], 3, Targets::Classes(&[])).is_err());
    assert!("rmse".parse::<Metric>().unwrap().compute(&out, 3, classes).is_err());
}

/// `gain=auto` is that of the activation that follows: the same weights as with the number.
#[test]
fn gains_follow_the_activation() {
    let weights = |init: &str, following: &[&str]| {
        let first = format!("dense(6, init={init})");
        let specs = std::iter::once(first.as_str()).chain(following.iter().copied());
        let layers: Vec<LayerSpec> = specs.map(|spec| spec.parse().unwrap()).collect();
        Model::<f64>::build(&layers, 5, 1).unwrap().params()[..30].to_vec()
    };
    for name in ["orthogonal", "glorot-uniform", "glorot-normal"] {
        let auto = |following: &[&str]| weights(&format!("{name}(gain=auto)"), following);
        assert_eq!(auto(&["relu"]), weights(&format!("{name}(1.4142135623730951)"), &[]));
        assert_eq!(auto(&["batch-norm", "leaky-relu(1)", "dense(2)"]), weights(name, &[]));
        assert_eq!(auto(&["dense(2)", "relu"]), weights(name, &[]));
    }
}

#[test]
fn what_a_description_needs_is_known_before_memory_is_taken() {
    let layers: Vec<LayerSpec> = ["dense(7)", "batch-norm", "relu", "dense(2, bias=false)"]
        .map(|layer| layer.parse().unwrap())
        .to_vec();
    let built = Model::<f32>::build(&layers, 5, 3).unwrap();
    let (layout, statistics) = Model::<f32>::layouts(&layers, 5).unwrap();
    assert_eq!((&layout, &statistics), (built.layout(), built.statistics_layout()));
    let mut zeroed = Model::<f32>::zeroed(&layers, 5).unwrap();
    assert!(zeroed.params().iter().all(|&value| value == 0.0));
    assert_eq!(zeroed.statistics(), built.statistics());
    zeroed.params_mut().copy_from_slice(built.params());
    assert_eq!((zeroed.params(), zeroed.outputs()), (built.params(), 2));

    // A normalisation has two parameters for each of its inputs, however many those are said to be.
    let norm = |inputs| Model::<f32>::layouts(&["batch-norm".parse().unwrap()], inputs).unwrap_err();
    for inputs in [1 << 28, 1 << 40, usize::MAX] {
        assert!(norm(inputs).to_string().contains("268435456"), "{}", norm(inputs));
    }
    // Orthogonal weights of this size would take minutes.
    let slow = ["dense(8000, init=orthogonal)".parse().unwrap()];
    Model::<f32>::zeroed(&slow, 8000).unwrap();
}
