//! Statistics of batch normalisation taken anew.

use downhill_nn::{LayerSpec, Model};

fn model(layers: &[&str]) -> Model<f64> {
    let layers: Vec<LayerSpec> = layers.iter().map(|layer| layer.parse().unwrap()).collect();
    Model::build(&layers, 3, 7).unwrap()
}

#[test]
fn they_are_the_moments_of_the_rows_without_dropout() {
    // In front of everything: the moments of the inputs themselves.
    let mut first = model(&["batch-norm", "dense(4)", "relu", "dropout(0.5)", "batch-norm", "dense(2)"]);
    let x: Vec<f64> = (0..3 * 50).map(|i| f64::from((i * i) % 17) / 4.0 - f64::from(i % 3)).collect();
    first.retake_statistics(&x).unwrap();
    for column in 0..3 {
        let values: Vec<f64> = x.iter().skip(column).step_by(3).copied().collect();
        let mean = values.iter().sum::<f64>() / 50.0;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / 50.0;
        let [found_mean, found_variance] = [first.statistics()[column], first.statistics()[3 + column]];
        assert!((found_mean - mean).abs() < 1e-12, "{found_mean} and {mean}");
        assert!((found_variance - variance).abs() < 1e-12, "{found_variance} and {variance}");
    }
    // A second time it is the same: nothing depends on what was there before.
    let once = first.statistics().to_vec();
    first.retake_statistics(&x).unwrap();
    assert_eq!(first.statistics(), once);
}

#[test]
fn half_rows_are_refused_and_nothing_else_changes() {
    let mut plain = model(&["dense(4)", "relu", "dense(2)"]);
    let before = plain.params().to_vec();
    assert!(plain.retake_statistics(&[0.0; 4]).is_err());
    assert!(plain.retake_statistics(&[]).is_err());
    plain.retake_statistics(&[0.5; 6]).unwrap();
    assert_eq!(plain.params(), before);
}
