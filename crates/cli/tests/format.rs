//! The model file is what `docs/format.md` says: the reader on that page predicts what `downhill predict`
//! does.

mod common;

use std::path::Path;

use common::{Place, python};
use downhill::prelude::{Network, Predictor, Trainer};
use downhill::train::{Source, path_text};

/// A table of numbers and texts, some missing, with a target of the kind that is asked for.
fn table(target: impl Fn(usize) -> String) -> String {
    let row = |i: usize| {
        let b = if i.is_multiple_of(5) { String::new() } else { format!("{}", i * i % 11) };
        format!("{},{b},{},{}\n", i % 7, ["red", "blue", ""][i % 3], target(i))
    };
    format!("a,b,c,y\n{}", (0..90).map(row).collect::<String>())
}

#[test]
fn the_reader_of_the_documentation_predicts_the_same() {
    let Some(python) = python("numpy") else { return };
    let place = Place::new();
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/format.md")).unwrap();
    let (_, code) = page.split_once("```python\n").unwrap();
    place.write("predict.py", code.split_once("\n```").unwrap().0);
    place.write("class.csv", table(|i| ["x", "y", "z"][i % 7 / 3].into()));
    place.write("number.csv", table(|i| format!("{}.5", 100 + i % 7 * 2 + i % 3)));
    for (file, flags) in [
        ("class", "--activation tanh"),
        ("class", "--batch-norm"),
        ("number", "--batch-norm --activation silu"),
        ("number", "--hidden none"),
    ] {
        place.run(&format!("train {file}.csv --name {file} --epochs 20 --lr 0.01 {flags}")).done();
        let run = place.files("runs").pop().unwrap();
        compare(&place, python.as_ref(), &format!("runs/{run}/model.safetensors"), file);
        std::fs::remove_dir_all(place.path("runs")).unwrap();
    }
    // Several networks, of which one knows the rows as another does, and one knows others.
    for file in ["class", "number"] {
        let train = |seed: u64, hidden: usize| {
            let source = Source::new(path_text::to_text(&place.path(&format!("{file}.csv"))));
            let trainer = Trainer::new(Network::mlp([hidden])).lr(0.01).epochs(20).seed(seed);
            trainer.fit(&source.load(seed.min(1)).unwrap()).unwrap().predictor().clone()
        };
        let average = Predictor::average([train(1, 8), train(2, 4), train(0, 8)]).unwrap();
        average.save(place.path("average.safetensors")).unwrap();
        let loaded = Predictor::load(place.path("average.safetensors")).unwrap();
        assert_eq!(loaded.members().len(), 3);
        assert_eq!(loaded.weights_sha256(), average.weights_sha256());
        compare(&place, python.as_ref(), "average.safetensors", file);
    }
}

/// Compares what the reader predicts of a table's rows with what the program does.
fn compare(place: &Place, python: &Path, model: &str, file: &str) {
    let predicted = place.run(&format!("predict {model} {file}.csv --format csv")).done().csv();
    let mut command = std::process::Command::new(python);
    let output =
        command.current_dir(place.root()).args(["predict.py", model, &format!("{file}.csv")]).output();
    let output = output.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<Vec<f64>> =
        text.lines().map(|line| line.split(',').map(|number| number.parse().unwrap()).collect()).collect();
    assert_eq!(rows.len(), 90);
    for (row, ours) in rows.iter().zip(&predicted[1..]) {
        // Of classes, the likeliest stands in front of the probabilities.
        let ours: Vec<f64> =
            ours[ours.len() - row.len()..].iter().map(|cell| cell.parse().unwrap()).collect();
        for (theirs, ours) in row.iter().zip(&ours) {
            assert!((theirs - ours).abs() < 1e-5 * ours.abs().max(1.0), "{model} {file}: {theirs} {ours}");
        }
    }
}
