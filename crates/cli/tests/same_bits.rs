//! The same run ends in the same weights, bit for bit: on any number of threads, and killed and resumed
//! anywhere.

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

/// The hash of the weights of a run that may have diverged; none if it did before it had any.
fn weights(folder: &Path, args: &[&str]) -> Option<String> {
    let output = downhill(folder, args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() || said.contains("stopped being a finite number"), "{args:?}: {said}");
    let summary: Value = serde_json::from_slice(&output.stdout).ok()?;
    Some(summary["weights_sha256"].as_str().unwrap().to_string())
}

#[test]
fn threads_change_no_bit() {
    let folder = tempfile::tempdir().unwrap();
    // Batches of four shards, the last of each epoch smaller; statistics over the whole batch; penalties and
    // clipping.
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
    // Batches added up, matrices that see themselves whole, an average, groups, a momentum that moves, and
    // cuts that go back.
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
    match trial % 10 {
        2 => flag("members", "3".into()),
        7 => flag("folds", "2".into()),
        _ => {}
    }
    args
}

/// How many runs are killed: `DOWNHILL_KILLS`, or 20.
fn trials() -> u64 {
    std::env::var("DOWNHILL_KILLS").map_or(20, |trials| trials.parse().expect("DOWNHILL_KILLS is a number"))
}

#[test]
fn killed_at_any_moment_and_resumed_it_is_the_same_run() {
    let (trials, mut killed) = (trials(), 0);
    for trial in 0..trials {
        let settings = settings(trial);
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        let undisturbed = hash(folder.path(), &settings);
        let took = began.elapsed();
        std::fs::rename(folder.path().join("runs"), folder.path().join("undisturbed")).unwrap();

        // Kills at moments spread over the whole run, its start and its end included; then it comes to its
        // end.
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
    assert!(killed >= trials as u32, "only {killed} kills met a run under way");
}

/// Draws that are others for every trial.
struct Draws(u64);

impl Draws {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }
}

/// Tells a run something by its socket, if it listens, and does not wait for what becomes of it.
#[cfg(unix)]
fn tell(socket: &Path, command: &str) -> bool {
    use std::io::Write;
    let stream = std::os::unix::net::UnixStream::connect(socket);
    stream.is_ok_and(|mut stream| stream.write_all(format!("{command}\n").as_bytes()).is_ok())
}

/// The undisturbed run with the same events is the one that `replay` makes of the log.
#[cfg(unix)]
#[test]
fn told_things_and_killed_in_the_middle_it_is_the_run_of_its_log() {
    let trials = trials();
    let commands = [
        r#"{"command":"set-lr","lr":"0.7x"}"#,
        r#"{"command":"set-lr","lr":"1.3x"}"#,
        r#"{"command":"set-lr","lr":"0.004"}"#,
        r#"{"command":"set-lr","lr":"cosine(0.01, end=0.001)"}"#,
        r#"{"command":"set-lr","lr":"schedule"}"#,
        r#"{"command":"undo"}"#,
        r#"{"command":"pause"}"#,
        r#"{"command":"checkpoint"}"#,
        r#"{"command":"set-epochs","epochs":45}"#,
    ];
    let (mut killed, mut told, mut obeyed, mut diverged) = (0, 0, 0, 0);
    for trial in 0..trials {
        let mut draws = Draws(trial);
        let settings = settings(trial);
        let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
        let folder = tempfile::tempdir().unwrap();
        let began = Instant::now();
        hash(folder.path(), &settings);
        let took = began.elapsed();
        let run = folder.path().join("runs/killed");
        std::fs::remove_dir_all(&run).unwrap();
        let socket = run.join("control.sock");
        let again = || {
            if run.exists() { vec!["resume", "killed", "--checkpoint-every", "0"] } else { settings.clone() }
        };
        for _ in 0..3 {
            let mut child = downhill(folder.path(), &again()).spawn().unwrap();
            let until = Instant::now() + took * draws.below(100) as u32 / 100;
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                let command = commands[draws.below(commands.len() as u64) as usize];
                if tell(&socket, command) {
                    told += 1;
                    if command.contains("pause") {
                        tell(&socket, r#"{"command":"continue"}"#);
                    }
                }
                std::thread::sleep(took * draws.below(10) as u32 / 100);
            }
            killed += u32::from(child.try_wait().unwrap().is_none());
            child.kill().unwrap(); // SIGKILL
            child.wait().unwrap();
        }
        // What it was told may have made it diverge, and then it fails, but keeps its best weights if it has
        // some.
        let Some(ended) = weights(folder.path(), &again()) else {
            diverged += 1;
            continue;
        };
        let log = std::fs::read_to_string(run.join("events.jsonl")).unwrap();
        obeyed += log.matches("\"event\":\"command\"").count();
        // Even on another number of threads.
        let threads = if trial % 2 == 0 { "2" } else { "1" };
        let replayed = weights(folder.path(), &["replay", "killed", "--threads", threads]);
        assert_eq!(replayed, Some(ended), "trial {trial}: {settings:?}");
    }
    let counts = format!(
        "{trials} runs, {killed} kills met one under way; {told} commands sent, {obeyed} in the logs; {diverged} diverged"
    );
    // A long trial is worth knowing how it went.
    std::io::Write::write_all(&mut std::io::stderr(), format!("{counts}\n").as_bytes()).unwrap();
    assert!(diverged * 10 <= trials, "{counts}");
    assert!(killed >= trials as u32, "{counts}");
    assert!(obeyed as u64 >= trials, "{counts}");
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
