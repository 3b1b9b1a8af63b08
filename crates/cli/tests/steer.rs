//! A run is changed on the way, made again, and branched off.

mod common;

use common::Place;

/// A run called `run`, of ten epochs of which 8 rows are held out: 2 steps each.
fn place() -> Place {
    let place = Place::new();
    let words = "train good.csv --hidden 4 --epochs 10 --batch 16 --lr 0.01 --early-stop off --name run";
    place.run(words).done();
    place
}

#[test]
fn a_run_made_again_is_the_same() {
    let place = place();
    let again = place.run("replay run --threads 2 --format json").done();
    let (train, again) = (place.run("resume run --format json").done().json(), again.json());
    assert_eq!(again["matches"], true);
    assert_eq!(again["weights_sha256"], train["weights_sha256"]);
    assert_eq!(again["logged_sha256"], train["weights_sha256"]);
    assert!(place.run("replay run").done().stdout.contains("bit for bit"));

    let log = place.read("runs/run/events.jsonl");
    let hash = train["weights_sha256"].as_str().unwrap();
    place.write("runs/run/events.jsonl", log.replace(hash, &"0".repeat(64)));
    place.run("replay run").fails(&["does not come to the weights of its log", "at step 20"]);

    // As if it had been killed before its end.
    let cut = log.lines().take_while(|line| !line.contains(r#""event":"stop""#));
    place.write("runs/run/events.jsonl", cut.map(|line| format!("{line}\n")).collect::<String>());
    place.run("replay run").fails(&["downhill resume"]);
}

#[test]
fn a_run_is_resumed_with_changes() {
    let place = place();
    place.run("resume run --lr 0.5x").fails(&["--epochs"]);
    place.run("resume run --epochs 3").fails(&["3 epochs", "give 10"]);
    place.run("resume run --epochs 0").refused(&["from 1"]);
    for change in ["nonsense", "-1", "0x", "cosine(", "1e999"] {
        place.run(&format!("resume run --lr {change}")).refused(&["--lr"]);
    }
    let longer = place.run("resume run --epochs 12 --lr 0.5x").done();
    longer.says(&["a length of 12 epochs", "the rate was 1.000e-2 and is 5.000e-3"]);
    let summary = place.run("resume run --format json").done().json();
    assert_eq!(summary["epochs"], 12);
    place.run("replay run").done();
    assert!(place.read("runs/run/report.html").contains("0.5 times the rate"));
}

#[test]
fn a_run_is_branched_off() {
    let place = place();
    let told = place.run("branch run@step:7 --lr 0.5x --format json").done().json();
    assert_eq!(told["run"], "runs/run-branch");
    assert_eq!(told["epochs"], 10);
    let toml = place.read("runs/run-branch/run.toml");
    assert!(toml.contains("[parent]") && toml.contains("step = 7"), "{toml}");
    place.run("replay run-branch").done();
    // What it has to be better than is its parent's best epoch so far.
    let log = place.read("runs/run-branch/events.jsonl");
    assert!(log.contains(r#""event":"epoch","epoch":2,"step":6"#), "{log}");
    place.run("branch run@-2ep --epochs 20 --optimizer momentum(0.9) --name other").done();
    place.run("branch run@best --epochs 12").done();
    place.run("branch run-branch@step:9").done();

    for point in ["", "twelve", "12", "1.5ep"] {
        place.run(&format!("branch run@{point}")).refused(&["no place in a run", "12ep"]);
    }
    for (words, says) in [
        ("branch run", "--epochs"),
        ("branch run@11ep", "10 epochs"),
        ("branch run@-11ep", "only 10 epochs"),
        ("branch ruin@1ep", "did you mean run"),
        ("branch run@1ep --hidden 8", "leave the layers as they are"),
        ("branch run@1ep --init normal(5)", "leave --init out"),
        ("branch run@1ep iris", "leave the layers as they are"),
        ("branch run-branch@step:3", "branch off its parent"),
    ] {
        place.run(words).fails(&[says]);
    }
    // Nothing that was refused left a folder.
    assert_eq!(place.files("runs"), ["other", "run", "run-branch", "run-branch-2", "run-branch-branch"]);
    // Its settings are a branch's no more when they are used for another run.
    place.run("train --config runs/run-branch/run.toml --name anew").done();
    assert!(!place.read("runs/anew/run.toml").contains("[parent]"));
}
