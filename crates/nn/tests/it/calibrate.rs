//! Layer-sequential unit variance.

use downhill_core::random::{Purpose, stream};
use downhill_nn::{Calibration, LayerSpec, Model};
use rand::RngExt;

fn model(specs: &[&str], inputs: usize) -> Model<f64> {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    Model::build(&layers, inputs, 5).unwrap()
}

fn random(count: usize) -> Vec<f64> {
    let mut rng = stream(1, Purpose::Split, 0);
    (0..count).map(|_| 3.0f64.sqrt() * (2.0 * rng.random::<f64>() - 1.0)).collect()
}

fn tensor(model: &Model<f64>, name: &str) -> Vec<f64> {
    let tensor = model.layout().tensors().iter().find(|tensor| tensor.name == name).unwrap();
    model.params()[tensor.range()].to_vec()
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// x·W + b, by hand.
fn dense(model: &Model<f64>, position: usize, x: &[f64], inputs: usize) -> Vec<f64> {
    let (weight, bias) =
        (tensor(model, &format!("{position}.weight")), tensor(model, &format!("{position}.bias")));
    let units = bias.len();
    let row = |x: &[f64]| -> Vec<f64> {
        (0..units).map(|j| bias[j] + (0..inputs).map(|i| x[i] * weight[i * units + j]).sum::<f64>()).collect()
    };
    x.chunks(inputs).flat_map(row).collect()
}

/// Through each activation, whatever the scale of the data, every layer's outputs have variance 1, worked out
/// anew here.
#[test]
fn every_layer_has_variance_one() {
    type Function = fn(f64) -> f64;
    let cases: [(&str, Function); 3] =
        [("relu", |x| x.max(0.0)), ("tanh", f64::tanh), ("sigmoid", |x| 1.0 / (1.0 + (-x).exp()))];
    for (activation, f) in cases {
        for scale in [1e-3, 1.0, 50.0] {
            let init = "lsuv(tolerance=1e-6, iterations=50)";
            let layer = |units| format!("dense({units}, init={init})");
            let specs =
                [layer(40), activation.into(), layer(30), activation.into(), layer(20), activation.into()];
            let mut model = model(&specs.each_ref().map(String::as_str), 12);
            let mut x: Vec<f64> = random(12 * 100).iter().map(|x| scale * x).collect();
            let done = model.calibrate(&x).unwrap();
            assert_eq!(done.iter().map(|c| c.position).collect::<Vec<_>>(), [0, 2, 4]);
            let mut inputs = 12;
            for (at, units) in [(0, 40), (2, 30), (4, 20)] {
                let y = dense(&model, at, &x, inputs);
                assert!((variance(&y) - 1.0).abs() < 1.1e-6, "{activation}, {scale}, {at}: {}", variance(&y));
                assert!((done[at / 2].variance - variance(&y)).abs() < 1e-9 && done[at / 2].reached);
                (x, inputs) = (y.into_iter().map(f).collect(), units);
            }
        }
    }
}

#[test]
fn the_papers_tolerance_is_met_and_weights_stay_orthogonal() {
    let mut model =
        model(&["dense(64, init=lsuv)", "relu", "dense(64, init=lsuv)", "relu", "dense(3, init=zeros)"], 64);
    let head = tensor(&model, "4.weight");
    assert!(model.needs_calibration());
    let biases = tensor(&model, "0.bias");
    for calibration in model.calibrate(&random(64 * 128)).unwrap() {
        assert!((calibration.variance - 1.0).abs() <= 0.1 && calibration.iterations <= 10, "{calibration:?}");
    }
    // Only the scale has changed, and of the weights only.
    let w = tensor(&model, "2.weight");
    let product = |a: usize, b: usize| (0..64).map(|i| w[i * 64 + a] * w[i * 64 + b]).sum::<f64>();
    assert!((product(0, 0) - product(9, 9)).abs() < 1e-12 && product(0, 9).abs() < 1e-12);
    assert!((product(0, 0) - 1.0).abs() > 0.1);
    assert_eq!((tensor(&model, "4.weight"), tensor(&model, "0.bias")), (head, biases));
}

/// Batch normalisation between takes the rows' own moments, and keeps its running statistics to itself.
#[test]
fn normalisation_between() {
    let specs = [
        "dense(50, init=lsuv, bias=false)",
        "batch-norm",
        "relu",
        "dropout(0.5)",
        "dense(50, init=lsuv(0.001))",
    ];
    let mut model = model(&specs, 10);
    let statistics = model.statistics().to_vec();
    // Features of very different scales, so that the first layer's units have different variances.
    let x: Vec<f64> =
        random(10 * 200).iter().enumerate().map(|(i, x)| x * (1 + i % 10) as f64 * 3.0 + 7.0).collect();
    let done = model.calibrate(&x).unwrap();
    assert_eq!(model.statistics(), statistics);
    assert!(done[1].reached, "{done:?}");
    // By hand: normalise each unit, then ReLU.
    let weight = tensor(&model, "0.weight");
    let mut h: Vec<f64> = x
        .chunks(10)
        .flat_map(|x| (0..50).map(|j| (0..10).map(|i| x[i] * weight[i * 50 + j]).sum()).collect::<Vec<f64>>())
        .collect();
    for unit in 0..50 {
        let column: Vec<f64> = h.iter().skip(unit).step_by(50).copied().collect();
        let (mean, std) = (column.iter().sum::<f64>() / 200.0, (variance(&column) + 1e-5).sqrt());
        h.iter_mut().skip(unit).step_by(50).for_each(|h| *h = ((*h - mean) / std).max(0.0));
    }
    let y = dense(&model, 4, &h, 50);
    assert!((variance(&y) - done[1].variance).abs() < 1e-9, "{} {:?}", variance(&y), done[1]);
}

/// Data that does not vary gives no scale: nothing is divided by 0, and the weights are left.
#[test]
fn constant_features_leave_the_weights() {
    for value in [0.0, 3.0, -1e-30] {
        let mut model = model(&["dense(8, init=lsuv)", "relu", "dense(4, init=lsuv)"], 6);
        let before = model.params().to_vec();
        let done = model.calibrate(&[value; 6 * 20]).unwrap();
        assert!(done.iter().all(|c: &Calibration| !c.reached && c.iterations == 0), "{done:?}");
        assert_eq!(model.params(), before);
    }
    // One feature that varies is enough, however little it does.
    let mut model = model(&["dense(8, init=lsuv)"], 6);
    let x: Vec<f64> = (0..120).map(|i| if i % 6 == 2 { 1e-6 * f64::from(i) } else { 0.0 }).collect();
    let done = model.calibrate(&x).unwrap();
    assert!(done[0].reached && done[0].iterations > 1, "{done:?}");
    // A single row has no variance to speak of.
    assert!(!model.calibrate(&x[..6]).unwrap()[0].reached);
    for x in [&x[..0], &x[..7]] {
        assert!(model.calibrate(x).unwrap_err().to_string().contains("are not rows of 6"));
    }
}
