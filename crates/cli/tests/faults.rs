//! What cannot be written is said, and what was written before is not lost: every write, sync, rename and
//! open of a run fails once, and then the run goes on.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stderr)] // to say that it was skipped

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The layer that lets calls fail; none where there is no C compiler.
fn layer(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("faults.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/faults.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .arg("-ldl")
        .status();
    built.is_ok_and(|status| status.success()).then_some(library)
}

fn downhill(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.current_dir(folder).args(args).args(["--quiet", "--format", "json", "--threads", "1"]);
    command.args(["--checkpoint-every", "0"]);
    command
}

const TRAIN: [&str; 10] =
    ["train", "iris", "--epochs", "4", "--lr", "0.01", "--hidden", "4", "--name", "run"];

fn hash(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    summary["weights_sha256"].as_str().unwrap().to_string()
}

/// Makes a run whose `at`th call of a kind fails.
fn faulty(folder: &Path, layer: &Path, kind: &str, at: u64, args: &[&str]) -> Output {
    let mut command = downhill(folder, args);
    command.env("LD_PRELOAD", layer).env("FAULT_FOLDER", folder.join("runs")).env("FAULT_KIND", kind);
    command.env("FAULT_AT", at.to_string()).env("FAULT_COUNT", folder.join("count"));
    command.output().unwrap()
}

/// Lets each call of a kind fail, in a run of its own.
fn every(kind: &str) {
    let place = tempfile::tempdir().unwrap();
    let Some(layer) = layer(place.path()) else {
        eprintln!("skipped: there is no C compiler (cc) to build the layer with that lets writes fail");
        return;
    };
    let folder = place.path();
    let whole = hash(&downhill(folder, &TRAIN).output().unwrap());
    fs::remove_dir_all(folder.join("runs")).unwrap();
    let never = faulty(folder, &layer, kind, u64::MAX, &TRAIN);
    assert_eq!(hash(&never), whole);
    let calls: u64 = fs::read_to_string(folder.join("count")).unwrap().parse().unwrap();
    assert!(calls > 5, "there were only {calls} calls that could fail");
    let mut noticed = 0;
    for at in 1..=calls {
        let _ = fs::remove_dir_all(folder.join("runs"));
        let broken = faulty(folder, &layer, kind, at, &TRAIN);
        let said = String::from_utf8_lossy(&broken.stderr).into_owned();
        let what = format!("{kind} {at} of {calls}: {said}");
        assert!(!said.contains("panicked"), "{what}");
        noticed += u64::from(!broken.status.success());
        match broken.status.code() {
            // The report is all that may be missing.
            Some(0) => assert_eq!(hash(&broken), whole, "{what}"),
            Some(1) => assert!(said.starts_with("error: "), "{what}"),
            code => assert!(kind == "kill" && code.is_none(), "{code:?} {what}"),
        }
        // What is left behind goes on, or there is nothing that could.
        let run = folder.join("runs/run");
        let next = if run.exists() { vec!["resume", "runs/run"] } else { TRAIN.to_vec() };
        let resumed = downhill(folder, &next).output().unwrap();
        assert_eq!(hash(&resumed), whole, "{what}");
        let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
        assert!(!events.contains("is damaged"), "{what}\n{events}");
        assert_eq!(hash(&downhill(folder, &next).output().unwrap()), whole, "{what}");
    }
    assert!(noticed > calls / 2, "only {noticed} of {calls} failures ended a run");
}

#[test]
fn a_full_disk() {
    every("full");
}

#[test]
fn a_sync_that_fails() {
    every("sync");
}

#[test]
fn a_rename_that_fails() {
    every("rename");
}

#[test]
fn a_file_that_cannot_be_made() {
    every("open");
}

#[test]
fn a_write_torn_by_a_crash() {
    every("kill");
}
