//! PyTorch's numbers, scikit-learn's, rtdl_num_embeddings' and TabM's, from `tools/golden/nn.py` and `init.py`.

use downhill_nn::{
    Activation, Batch, ConfusionMatrix, LayerSpec, Loss, Metric, Model, Numbers, QuantileBins, Targets,
    Workspace,
};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Network {
    name: String,
    layers: Vec<LayerSpec>,
    loss: Loss,
    inputs: usize,
    lr: f64,
    params: Vec<f64>,
    x: Vec<f64>,
    targets: Answers,
    steps: Vec<Step>,
    outputs: Vec<f64>,
    mean: f64,
    statistics: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answers {
    Classes(Vec<u32>),
    Values(Vec<f64>),
}

impl Answers {
    fn targets(&self) -> Targets<'_, f64> {
        match self {
            Self::Classes(classes) => Targets::Classes(classes),
            Self::Values(values) => Targets::Values(values),
        }
    }
}

#[derive(Deserialize)]
struct Step {
    rows: [u32; 2],
    loss: f64,
    gradient: Vec<f64>,
}

#[derive(Deserialize)]
struct Measured {
    name: String,
    width: usize,
    outputs: Vec<f64>,
    classes: Option<Vec<u32>>,
    values: Option<Vec<f64>>,
    confusion: Option<Vec<u64>>,
    metrics: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Edges {
    x: Vec<f64>,
    inputs: usize,
    bins: usize,
    edges: Vec<Vec<f64>>,
}

fn close(what: &str, ours: &[f64], theirs: &[f64], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}: lengths");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what}, {i}: {a} is not {b}");
    }
}

#[test]
fn networks_agree_with_pytorch() {
    let cases: Vec<Network> = serde_json::from_str(include_str!("../golden/networks.json")).unwrap();
    assert!(cases.len() > 30);
    for case in &cases {
        let name = &case.name;
        let mut model = Model::<f64>::build(&case.layers, case.inputs, 0).unwrap();
        model.params_mut().copy_from_slice(&case.params);
        let rows = case.x.len() / case.inputs;
        let mut workspace = Workspace::new(&model, rows, false);
        for (i, step) in case.steps.iter().enumerate() {
            let rows: Vec<u32> = (step.rows[0]..step.rows[1]).collect();
            let batch = Batch { x: &case.x, targets: case.targets.targets(), rows: &rows };
            let loss = workspace.gradients(&mut model, &batch, &case.loss, 0, i as u64).unwrap();
            close(&format!("{name}, loss of step {i}"), &[loss], &[step.loss], 1e-12);
            close(&format!("{name}, gradient of step {i}"), workspace.gradient(), &step.gradient, 1e-11);
            for (p, g) in model.params_mut().iter_mut().zip(workspace.gradient()) {
                *p -= case.lr * g;
            }
        }
        close(&format!("{name}, statistics"), model.statistics(), &case.statistics, 1e-12);
        let mut outputs = vec![0.0; rows * model.outputs()];
        workspace.predict(&model, &case.x, &mut outputs).unwrap();
        close(&format!("{name}, outputs"), &outputs, &case.outputs, 1e-11);
        let mean = case.loss.mean(&outputs, case.targets.targets()).unwrap();
        close(&format!("{name}, mean loss"), &[mean], &[case.mean], 1e-12);
    }
}

#[test]
fn edges_of_bins_agree_with_rtdl_num_embeddings() {
    let cases: Vec<Edges> = serde_json::from_str(include_str!("../golden/edges.json")).unwrap();
    assert!(!cases.is_empty());
    for Edges { x, inputs, bins, edges } in cases {
        let layer =
            Numbers::PiecewiseLinear(QuantileBins { bins, ..QuantileBins::default() }).layer(&x, inputs);
        let Some(LayerSpec::PiecewiseLinear(ours)) = layer else { panic!("{layer:?}") };
        for (ours, theirs) in ours.edges.iter().zip(&edges) {
            close("edges", ours, theirs, 1e-12);
        }
        assert_eq!(ours.edges.len(), edges.len());
    }
}

#[test]
fn metrics_agree_with_scikit_learn() {
    let cases: Vec<Measured> = serde_json::from_str(include_str!("../golden/metrics.json")).unwrap();
    for case in &cases {
        let targets = match (&case.classes, &case.values) {
            (Some(classes), _) => Targets::Classes(classes),
            (None, Some(values)) => Targets::Values(values),
            (None, None) => panic!("{}: no targets", case.name),
        };
        for (name, &expected) in &case.metrics {
            let metric: Metric = name.parse().unwrap();
            let value = metric.compute(&case.outputs, case.width, targets).unwrap();
            close(&format!("{}, {name}", case.name), &[value], &[expected], 1e-12);
        }
        if let (Some(expected), Some(classes)) = (&case.confusion, &case.classes) {
            let matrix = ConfusionMatrix::of(&case.outputs, case.width, classes).unwrap();
            let count = matrix.classes() as u32;
            let counts: Vec<u64> = (0..count)
                .flat_map(|c| (0..count).map(move |p| (c, p)))
                .map(|(c, p)| matrix.count(c, p))
                .collect();
            assert_eq!(&counts, expected, "{}", case.name);
        }
    }
}

#[test]
fn gains_agree_with_pytorch() {
    let cases: BTreeMap<String, f64> = serde_json::from_str(include_str!("../golden/gains.json")).unwrap();
    assert_eq!(cases.len(), 14);
    for (name, expected) in cases {
        let activation: Activation = name.parse().unwrap();
        close(&name, &[activation.gain()], &[expected], 1e-14);
    }
}
