//! `downhill export`

mod common;

use common::Place;
use serde_json::Value;

/// Predicts `good.csv` with an exported model.
const ONNXRUNTIME: &str = r#"
import csv, json, sys
import numpy as np, onnx, onnxruntime
onnx.checker.check_model(onnx.load(sys.argv[1]), full_check=True)
rows = list(csv.DictReader(open(sys.argv[2])))
session = onnxruntime.InferenceSession(sys.argv[1])
column = lambda name: np.array([[float(row[name])] for row in rows])
labels, probabilities = session.run(["label", "probabilities"], {name: column(name) for name in "ab"})
print(json.dumps([labels.tolist(), probabilities.tolist()]))
"#;

#[test]
fn an_exported_model_predicts_as_predict_does() {
    let place = Place::new();
    place.run("train good.csv --hidden 8 --epochs 5 --name run").done();
    let said = place.run("export run model.onnx").done().stdout;
    assert!(
        said.contains("a ") && said.contains("double [rows, 1]") && said.contains("probabilities"),
        "{said}"
    );
    let ports = place.run("export run model.onnx --format json").done().json();
    assert_eq!(ports["inputs"][1]["name"], "b");
    assert_eq!(ports["outputs"][0]["element"], "string");
    let csv = place.run("export runs/run/model.safetensors model.onnx --format csv").done().csv();
    assert_eq!(csv.len(), 5);
    place.run("export run numbers.bin --to onnx --inputs numeric --quiet").done();
    let Some(python) = common::python("onnx") else { return };
    let script = std::process::Command::new(python)
        .args(["-c", ONNXRUNTIME])
        .args([place.path("model.onnx"), place.path("good.csv")])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&script.stderr);
    assert!(script.status.success(), "{error}");
    let theirs: Value = serde_json::from_slice(&script.stdout).unwrap();
    let ours = place.run("predict run good.csv --format json").done().json();
    let ours = ours.as_array().unwrap();
    assert_eq!(ours.len(), theirs[0].as_array().unwrap().len());
    for (row, ours) in ours.iter().enumerate() {
        assert_eq!(ours["prediction"], theirs[0][row]);
        let red = (&ours["probabilities"]["red"], &theirs[1][row][1]);
        let (ours, theirs) = (red.0.as_f64().unwrap(), red.1.as_f64().unwrap());
        assert!((ours - theirs).abs() < 1e-5, "row {row}: {ours} and {theirs}");
    }
}

#[test]
fn the_same_in_plain_words() {
    let place = Place::new();
    place.run("train numbers.csv --hidden 8 --epochs 2 --name run").done();
    let outcome = place.run("export run model.json").done();
    assert!(outcome.stdout.is_empty() && outcome.stderr.contains("exported into model.json"));
    let model: Value = serde_json::from_str(&place.read("model.json")).unwrap();
    let model = &model["networks"][0];
    assert_eq!(model["inputs"][0]["column"], "a");
    assert!(model["inputs"][0]["words"].as_str().unwrap().starts_with("(value − "), "{}", model["inputs"]);
    assert_eq!(model["layers"][1]["words"], "max(0, x)");
    assert_eq!(model["tensors"]["0.weight"]["shape"], serde_json::json!([2, 8]));
    assert_eq!(model["output"]["target"], "y");
}

#[test]
fn what_cannot_be_exported_says_why() {
    let place = Place::new();
    place.run("train good.csv --hidden 8 --epochs 1 --name run").done();
    for (command, code, words) in [
        ("export run model.bin", 2, "give --to onnx or --to json"),
        ("export run model", 2, "give --to onnx or --to json"),
        ("export run model.json --inputs numeric", 2, "--inputs is for ONNX"),
        ("export rum model.onnx", 1, "did you mean run?"),
        ("export good.csv model.onnx", 1, "model.safetensors"),
        ("export run nowhere/model.onnx", 1, "nowhere"),
    ] {
        let outcome = place.run(command);
        assert_eq!(outcome.code, Some(code), "{command}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(words), "{command}: {}", outcome.stderr);
        assert!(!place.path("model.onnx").exists() && !place.path("model.json").exists(), "{command}");
    }
}
