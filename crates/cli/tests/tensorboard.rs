//! `--tensorboard`: what TensorBoard's own reader finds in the files.

mod common;

use std::process::Command;

use common::{Place, python};
use serde_json::Value;

/// Reads a folder as TensorBoard does, and prints all there is as JSON.
const READ: &str = r#"
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

read = EventAccumulator(sys.argv[1], size_guidance={"scalars": 0, "histograms": 0}).Reload()
tags = read.Tags()
scalars = {tag: [[e.step, e.value] for e in read.Scalars(tag)] for tag in tags["scalars"]}
histograms = {
    tag: [[e.step, e.histogram_value.num, list(e.histogram_value.bucket)] for e in read.Histograms(tag)]
    for tag in tags["histograms"]
}
hparams = {}
for tag, content in read.PluginTagToContent("hparams").items():
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    if tag == "_hparams_/session_start_info":
        for name, value in data.session_start_info.hparams.items():
            hparams[name] = getattr(value, value.WhichOneof("kind"))
    if tag == "_hparams_/experiment":
        metrics = [info.name.tag for info in data.experiment.metric_infos]
    if tag == "_hparams_/session_end_info":
        status = data.session_end_info.status
print(json.dumps([scalars, histograms, hparams, metrics, status]))
"#;

fn read(python: &str, place: &Place, folder: &str) -> [Value; 5] {
    let output = Command::new(python).args(["-c", READ]).arg(place.path(folder)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The epochs in a run's log: how many steps had been made, and a figure.
fn epochs(place: &Place, run: &str, figure: impl Fn(&Value) -> f64) -> Vec<(u64, f64)> {
    let log = place.read(&format!("runs/{run}/events.jsonl"));
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let epochs = events.filter(|event| event["event"] == "epoch");
    epochs.map(|epoch| (epoch["step"].as_u64().unwrap(), figure(&epoch))).collect()
}

#[track_caller]
fn same(scalars: &Value, tag: &str, logged: &[(u64, f64)]) {
    let found = scalars[tag].as_array().unwrap_or_else(|| panic!("no {tag} in {scalars}"));
    assert_eq!(found.len(), logged.len(), "{tag}: {found:?}");
    for (found, (step, value)) in found.iter().zip(logged) {
        assert_eq!(found[0].as_u64(), Some(*step), "{tag}");
        assert_eq!(found[1].as_f64().unwrap() as f32, *value as f32, "{tag}");
    }
}

#[test]
fn tensorboard_reads_what_was_logged() {
    let Some(python) = python("tensorboard") else { return };
    let place = Place::new();
    place.run("train good.csv --hidden 8 --name a --epochs 4 --lr 0.01 --tensorboard logs").done();
    let [scalars, histograms, hparams, metrics, status] = read(&python, &place, "logs/a");
    same(&scalars, "loss/validation", &epochs(&place, "a", |epoch| epoch["valid_loss"].as_f64().unwrap()));
    same(&scalars, "loss/training", &epochs(&place, "a", |epoch| epoch["train_loss"].as_f64().unwrap()));
    let accuracy = epochs(&place, "a", |epoch| epoch["metrics"]["accuracy"].as_f64().unwrap());
    same(&scalars, "metrics/accuracy", &accuracy);
    assert_eq!(scalars["learning_rate"].as_array().unwrap().len(), 8, "two steps an epoch");
    assert_eq!(scalars["learning_rate"][7], serde_json::json!([8, f64::from(0.01f32)]));
    assert_eq!(scalars["gradient_norm/0.weight"].as_array().unwrap().len(), 4);
    let weights = histograms["weights/0.weight"].as_array().unwrap();
    assert_eq!((weights.len(), &weights[0][0], &weights[0][1]), (2, &0.into(), &16.0.into()));
    assert_eq!(hparams["epochs"], 4.0);
    assert_eq!(hparams["batch"], 16.0);
    assert!(hparams["optimizer"].as_str().unwrap().starts_with("adamw("), "{hparams}");
    assert_eq!(hparams["lr"], 0.01);
    assert!(hparams["schedule"].as_str().unwrap().contains("0.01"), "{hparams}");
    assert_eq!(metrics, serde_json::json!(["loss/validation", "loss/training", "metrics/accuracy"]));
    assert_eq!(status, 1);
}

#[test]
fn what_is_made_again_is_there_once() {
    let Some(python) = python("tensorboard") else { return };
    let place = Place::new();
    place
        .run("train digits --hidden 8 --name a --epochs 6 --lr 0.01 --checkpoint-every 0 --tensorboard logs")
        .done();
    // As if it had been killed before the last checkpoint: the last epoch is made again.
    let whole = epochs(&place, "a", |epoch| epoch["valid_loss"].as_f64().unwrap());
    let steps: Vec<u64> = whole.iter().map(|epoch| epoch.0).collect();
    let last = format!("{:08}", steps[5]);
    let files = place.files("runs/a/checkpoints");
    let lost: Vec<_> = files.iter().filter(|name| name.contains(&last)).collect();
    assert_eq!(lost.len(), 1, "{files:?}");
    std::fs::remove_file(place.path(&format!("runs/a/checkpoints/{}", lost[0]))).unwrap();

    place.run("resume a --tensorboard logs").done();
    assert_eq!(place.files("logs/a").len(), 2);
    let [scalars, ..] = read(&python, &place, "logs/a");
    same(&scalars, "loss/validation", &whole);
}

#[test]
fn a_folder_for_tensorboard_that_cannot_be_written_stops_no_run() {
    let place = Place::new();
    place.write("file", "");
    let trained = place.train("good.csv --name a --tensorboard file").done();
    let trained =
        trained.says(&["warning: could not write for TensorBoard to file", "the run went on without"]);
    assert_eq!(trained.stderr.matches("warning: ").count(), 1, "{trained:?}");
    assert_eq!(trained.hash(), place.train("good.csv --name b").done().hash());
}

#[test]
fn each_run_has_a_folder_of_its_own() {
    let place = Place::new();
    for _ in 0..2 {
        place.train("good.csv --tensorboard logs").done();
    }
    place.run("branch good-1@1ep --epochs 3 --tensorboard logs --quiet").done();
    // Of the same name, in another folder of runs.
    place.train("good.csv --runs elsewhere --tensorboard logs").done();
    assert_eq!(place.files("logs"), ["good-1", "good-1-2", "good-1-branch", "good-2"]);
    place.run("resume good-1 --epochs 4 --tensorboard logs --quiet").done();
    assert_eq!(place.files("logs/good-1").len(), 2);

    place.run("compare good.csv --hidden 8 --epochs 2 --lr 0.01,0.1 --tensorboard both --quiet").done();
    assert_eq!(place.files("both"), ["lr=0.01", "lr=0.1"]);
    assert_eq!(place.files("both/lr=0.1").len(), 1);
}

#[test]
fn a_run_that_goes_on_stays_where_an_older_version_wrote_it() {
    let place = Place::new();
    place.train("good.csv --name a --tensorboard logs").done();
    let file = place.files("logs/a").remove(0);
    std::fs::rename(place.path(&format!("logs/a/{file}")), place.path(&format!("logs/{file}"))).unwrap();
    std::fs::remove_dir(place.path("logs/a")).unwrap();
    place.run("resume a --epochs 4 --tensorboard logs --quiet").done();
    assert_eq!(place.files("logs").len(), 2);
}
