//! scikit-learn's numbers for probabilities, from `tools/golden/confidence.py`.

use downhill_nn::metric::{Confidence, Thresholds};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: usize,
    probabilities: Vec<f32>,
    labels: Vec<u32>,
    log_loss: f64,
    brier: f64,
    calibration_error: f64,
    bins: Vec<(usize, f64, f64)>,
    roc: Option<Vec<(f64, f64)>>,
    thresholds: Option<Vec<f64>>,
    precision_recall: Option<Vec<(f64, f64)>>,
    average_precision: Option<f64>,
    costs: Option<Vec<f64>>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../golden/confidence.json")).unwrap()
}

fn close(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() < 1e-6, "{what}: {ours} is not {theirs}");
}

fn all_close(what: &str, ours: &[(f64, f64)], theirs: &[(f64, f64)]) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (ours, theirs) in ours.iter().zip(theirs) {
        close(what, ours.0, theirs.0);
        close(what, ours.1, theirs.1);
    }
}

#[test]
fn what_probabilities_are_worth() {
    for case in cases() {
        let found = Confidence::of(&case.probabilities, case.classes, &case.labels).unwrap();
        close(&case.name, found.log_loss, case.log_loss);
        close(&case.name, found.brier, case.brier);
        close(&case.name, found.calibration_error, case.calibration_error);
        let rows: Vec<usize> = found.bins.iter().map(|bin| bin.rows).collect();
        assert_eq!(rows, case.bins.iter().map(|bin| bin.0).collect::<Vec<_>>(), "{}", case.name);
        let ours: Vec<_> = found.bins.iter().map(|bin| (bin.probability, bin.share)).collect();
        let theirs: Vec<_> = case.bins.iter().map(|bin| (bin.1, bin.2)).collect();
        all_close(&case.name, &ours, &theirs);
    }
}

#[test]
fn what_thresholds_find_and_cost() {
    let mut checked = 0;
    for case in cases().into_iter().filter(|case| case.classes == 2) {
        let scores: Vec<f32> = case.probabilities.iter().skip(1).step_by(2).copied().collect();
        let is_of: Vec<bool> = case.labels.iter().map(|&label| label == 1).collect();
        let found = Thresholds::of(&scores, &is_of).unwrap();
        all_close(&case.name, &found.roc().collect::<Vec<_>>(), &case.roc.unwrap());
        let thresholds: Vec<f64> = found.points().iter().skip(1).map(|point| point.threshold).collect();
        let pairs = |values: Vec<f64>| values.into_iter().map(|value| (value, 0.0)).collect::<Vec<_>>();
        all_close(&case.name, &pairs(thresholds), &pairs(case.thresholds.unwrap()));
        let curve: Vec<(f64, f64)> = found.precision_recall().collect();
        // scikit-learn leaves out what lies behind the first threshold that finds all.
        let theirs = case.precision_recall.unwrap();
        all_close(&case.name, &curve[..theirs.len()], &theirs);
        assert!(curve[theirs.len()..].iter().all(|point| point.0 == 1.0), "{}", case.name);
        close(&case.name, found.average_precision(), case.average_precision.unwrap());
        let costs: Vec<f64> = found.points().iter().map(|point| found.cost(point, 1.0, 4.0)).collect();
        let theirs = case.costs.unwrap();
        all_close(&case.name, &pairs(costs), &pairs(theirs.clone()));
        close(&case.name, found.cheapest(1.0, 4.0).1, theirs.into_iter().fold(f64::INFINITY, f64::min));
        checked += 1;
    }
    assert_eq!(checked, 2);
}
