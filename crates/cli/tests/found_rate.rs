//! The rate that is found, and advised, on real data on which it was once wrong.

mod common;

use common::Place;
use common::shared::shared;
use serde_json::Value;

/// The flags that train on the 10 000 test images of MNIST.
fn mnist() -> Option<[String; 4]> {
    let file = |name: &str| Some(shared(name)?.to_str()?.to_string());
    let images = file("mnist/t10k-images-idx3-ubyte.gz")?;
    let labels = file("mnist/t10k-labels-idx1-ubyte.gz")?;
    Some(["--images".into(), images, "--labels".into(), labels])
}

#[test]
fn advice_on_a_run_that_the_guard_cut_holds_as_it_is_typed() {
    let Some(mnist) = mnist() else { return };
    let images = mnist.each_ref().map(String::as_str);
    let place = Place::new();
    let train = |lr: &str, name: &str| {
        let words = format!("train --epochs 5 --lr {lr} --name {name} --format json");
        place.run_with(&words, &[&images[..], &["--optimizer", "momentum(0.9)"]].concat()).done().json()
    };
    train("3", "cut");
    let diagnosis = place.run("diagnose cut --format json").done().json();
    assert_eq!(diagnosis["verdict"], "very-high");
    let lr = diagnosis["suggestion"].as_str().unwrap().strip_prefix("--lr ").unwrap().to_string();
    let followed = train(&lr, "followed");
    assert!(followed["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "--lr {lr}: {followed}");
    // Units that the rate killed are the rate's finding, not the activation's.
    let findings = diagnosis["findings"].as_array().unwrap();
    let dead: Vec<_> = findings.iter().filter(|finding| finding["trouble"] == "dead-units").collect();
    assert!(!dead.is_empty(), "else this is not a test: {diagnosis}");
    dead.iter().for_each(|finding| assert_eq!(finding["suggestion"], diagnosis["suggestion"]));
}

#[test]
fn the_band_holds_the_best_rehearsal_and_the_correction_adds_up() {
    let Some(mnist) = mnist() else { return };
    let images = mnist.each_ref().map(String::as_str);
    let place = Place::new();
    let flags = [&images[..], &["--optimizer", "momentum(0.9)", "--format", "json"]].concat();
    let found = place.run_with("find-lr --batch-norm --epochs 10", &flags).done().json();
    let number = |value: &Value| value.as_f64().unwrap();
    let better = &found["choice"]["better"];
    let rehearsals = found["rehearsals"].as_array().unwrap();
    let best = rehearsals.iter().min_by(|a, b| number(&a["loss"]).total_cmp(&number(&b["loss"]))).unwrap();
    assert!((number(&best["lr"]) / number(&better["best"]) - 1.0).abs() < 1e-9, "{found}");
    let [low, high] = [0, 1].map(|end| number(&found["band"][end]));
    let recommended = number(&found["recommended"]);
    // Shown with two digits.
    let within = |rate: f64| low * 0.95 <= rate && rate <= high * 1.05;
    assert!(within(recommended) && within(number(&best["lr"])), "{found}");
    let corrected: f64 =
        ["best", "between", "length", "pull"].iter().map(|part| number(&better[*part])).product();
    assert!((recommended / corrected).ln().abs() < 0.05, "{recommended} is not {corrected}: {found}");
}

#[test]
fn skewed_targets_are_learned() {
    for file in ["odd/skew.csv", "odd/lognormal1.csv", "odd/lognormal3.csv"] {
        let Some(path) = shared(file) else { continue };
        let place = Place::new();
        for seed in 0..3 {
            let words = format!("train {} --seed {seed} --format json", path.display());
            let run = place.run(&words).done().json();
            let r2 = run["metrics"]["r2"].as_f64().unwrap();
            assert!(r2 > 0.9, "{file}, seed {seed}: R² {r2} by {}", run["schedule"]);
        }
    }
}
