//! The same run ends in the same weights, bit for bit: on any number of threads, and killed and resumed anywhere.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

fn downhill(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.current_dir(folder).args(args).args(["--quiet", "--format", "json"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs a command to its end and returns the hash of the weights.
fn hash(folder: &Path, args: &[&str]) -> String {
    let output = downhill(folder, args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    summary["weights_sha256"].as_str().unwrap().to_string()
}

#[test]
fn threads_change_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    // Batches of four shards, the last of each epoch smaller; statistics over the whole batch; penalties and clipping.
    let settings = [
        "train",
        "digits",
        "--epochs",
        "4",
        "--batch",
        "300",
        "--batch-norm",
        "--dropout",
        "0.3",
        "--hidden",
        "300,200",
        "--l1",
        "1e-5",
        "--l2",
        "1e-4",
        "--clip-norm",
        "1",
        "--init",
        "lsuv",
    ];
    let on = |threads| hash(folder.path(), &[&settings[..], &["--threads", threads]].concat());
    let one = on("1");
    for threads in ["2", "3", "8"] {
        assert_eq!(on(threads), one, "{threads} threads");
    }
    // Batches added up, matrices that see themselves whole, an average, groups, a momentum that moves, and cuts that go back.
    let more = [
        "--accumulate=2",
        "--optimizer=muon",
        "--ema=0.9",
        "--group=role(bias, lr=2)",
        "--lr=one-cycle(0.01)",
        "--plateau=cut(0.5, patience=0, metric=accuracy, backtrack=true)",
    ];
    let on = |threads| hash(folder.path(), &[&settings[..], &more, &["--threads", threads]].concat());
    assert_eq!(on("2"), on("1"));
    // And it is no constant.
    assert_ne!(hash(folder.path(), &[&settings[..], &["--seed", "1"]].concat()), one);
}

/// Settings as different as the trials are many.
fn settings(trial: u64) -> Vec<String> {
    let pick = |step: u64, choices: &[&str]| choices[(trial / step) as usize % choices.len()].to_string();
    let mut args = vec!["train".to_string(), pick(1, &["iris", "wine", "diabetes", "breast-cancer"])];
    let mut flag = |name: &str, value: String| args.push(format!("--{name}={value}"));
    flag("name", "killed".into());
    flag("epochs", "40".into());
    let optimizers =
        ["adamw", "momentum(0.9)", "prodigy", "lamb", "schedule-free-adamw", "muon", "rmsprop", "sgd"];
    let averages_itself = trial % optimizers.len() as u64 == 4;
    flag("optimizer", pick(1, &optimizers));
    // The last is too high for most, so that the guard has to go back.
    flag("lr", pick(3, &["cosine(0.01)", "0.003", "step(0.02, every=7ep)", "one-cycle(0.02)", "20"]));
    flag(
        "plateau",
        pick(1, &["off", "cut(0.5, patience=1)", "cut(0.3, patience=0, backtrack=true, min=1e-6)"]),
    );
    flag("accumulate", pick(4, &["1", "3"]));
    if !averages_itself {
        flag("ema", pick(3, &["0", "0.95"]));
        flag("lookahead", pick(5, &["off", "every(4)"]));
    }
    flag("track", pick(3, &["off", "sharpness(10ep, rows=20)"]));
    flag("init", pick(2, &["auto", "lsuv"]));
    flag("dropout", pick(2, &["0", "0.2", "0.5"]));
    flag("batch-norm", pick(3, &["yes", "no"]));
    flag("early-stop", pick(1, &["off", "5", "after(8, min-delta=0.001)"]));
    flag("threads", pick(2, &["1", "2"]));
    flag("checkpoint-every", pick(1, &["0", "0", "0.02"]));
    flag("seed", trial.to_string());
    args
}

#[test]
fn killed_at_any_moment_and_resumed_it_is_the_same_run() {
    let mut killed = 0;
    for trial in 0..20 {
        let settings = settings(trial);
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let undisturbed = hash(folder.path(), &settings);
        let took = began.elapsed();
        std::fs::rename(folder.path().join("runs"), folder.path().join("undisturbed")).unwrap();

        // Kills at moments spread over the whole run, its start and its end included; then it comes to its end.
        let run = folder.path().join("runs/killed");
        let again = || {
            if run.exists() { vec!["resume", "killed", "--checkpoint-every", "0"] } else { settings.clone() }
        };
        for kill in 0..3 {
            let mut child = downhill(folder.path(), &again()).spawn().unwrap();
            std::thread::sleep(took * ((trial as u32 * 37 + kill * 53) % 100) / 100);
            killed += u32::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
        }
        assert_eq!(hash(folder.path(), &again()), undisturbed, "trial {trial}: {settings:?}");
        // Once more: a run that is over only tells its result.
        assert_eq!(
            hash(folder.path(), &["resume", "killed"]),
            undisturbed,
            "trial {trial}, resumed at its end"
        );
    }
    assert!(killed >= 20, "only {killed} kills met a run under way");
}

#[cfg(unix)]
#[test]
fn interrupted_it_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        "train",
        "digits",
        "--epochs",
        "30",
        "--early-stop",
        "off",
        "--hidden",
        "200,200",
        "--checkpoint-every",
        "0",
    ];
    let undisturbed = hash(folder.path(), &settings);
    let mut command = Command::new(env!("CARGO_BIN_EXE_downhill"));
    command.current_dir(folder.path()).args(settings).args(["--name", "stopped"]);
    let child = command.stderr(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let checkpoints = folder.path().join("runs/stopped/checkpoints");
    let began = Instant::now();
    while std::fs::read_dir(&checkpoints).map_or(0, Iterator::count) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "no checkpoint was written");
        std::thread::sleep(Duration::from_millis(1));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains("downhill resume runs/stopped"), "{stderr}");
    assert_eq!(hash(folder.path(), &["resume", "stopped"]), undisturbed);
}
