//! `downhill runs`

mod common;

use std::fs;

use common::Place;

#[test]
fn runs_are_listed_with_what_they_came_to() {
    let place = Place::new();
    assert_eq!(place.run("runs --format json").done().json(), serde_json::json!([]));
    place.train("good.csv --name a").done();
    place.run("train numbers.csv --hidden 8 --name b --epochs 3").done();
    place.train("good.csv --name c --lr 1e30 --guard off").fails(&[]);
    place.train("good.csv --name d").done();
    // A process that is killed leaves a log without an end.
    let log = place.read("runs/d/events.jsonl");
    let lines: Vec<&str> = log.lines().collect();
    fs::write(
        place.path("runs/d/events.jsonl"),
        lines[..lines.len() - 1].join("\n") + "\n{\"time\":1.0,\"ev",
    )
    .unwrap();
    fs::create_dir(place.path("runs/empty")).unwrap();
    fs::create_dir(place.path("runs/wrong")).unwrap();
    fs::write(place.path("runs/wrong/run.toml"), "[training]\nepochs = \"x\"\n").unwrap();
    fs::write(place.path("runs/file"), "").unwrap();

    let json = place.run("runs --sort name --format json").done().json();
    let all: Vec<(&str, &str)> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["name"].as_str().unwrap(), run["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("a", "finished"),
        ("b", "finished"),
        ("c", "diverged"),
        ("d", "crashed"),
        ("empty", "broken"),
        ("wrong", "broken"),
    ];
    assert_eq!(all, expected);
    assert_eq!(
        (&json[0]["epochs"], &json[0]["total_epochs"], &json[0]["metric"]),
        (&2.into(), &2.into(), &"accuracy".into())
    );
    assert_eq!((&json[1]["data"], &json[1]["metric"]), (&"numbers".into(), &"r2".into()));
    assert!(json[4]["why"].as_str().unwrap().contains("has no run.toml"));
    assert!(json[5]["why"].as_str().unwrap().contains("line 2"));

    let table = place.run("runs --sort name").done().stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("name   data     state"), "{table}");
    assert!(
        lines[1].starts_with("a      good     finished  accuracy ") && lines[1].contains("2/2"),
        "{table}"
    );
    assert!(lines[5].contains("broken") && lines[5].contains("has no run.toml"), "{table}");

    let names = |words: &str| -> Vec<String> {
        place.run(&format!("runs {words} --format csv")).done().csv()[1..]
            .iter()
            .map(|row| row[0].clone())
            .collect()
    };
    assert_eq!(names("--data good --sort name"), ["a", "c", "d"]);
    assert_eq!(names("--state broken --sort name"), ["empty", "wrong"]);
    assert_eq!(names("--sort epochs")[0], "b");
    assert_eq!(names("--state finished --sort age"), ["b", "a"]);
    assert_eq!(names("--runs nowhere"), [""; 0]);
    place.run("runs --state finishd").refused(&["did you mean `finished`?"]);
    place.run("runs --sort colour").refused(&["colour"]);
    place.run("runs --runs runs/file").fails(&["runs/file"]);
}

#[test]
fn a_run_under_way_is_running() {
    let place = Place::new();
    let words = [
        "train",
        "digits",
        "--name",
        "long",
        "--epochs",
        "100000",
        "--early-stop",
        "off",
        "--lr",
        "0.001",
        "-q",
    ];
    let mut child = place.program().args(words).spawn().unwrap();
    let state = || place.run("runs --format json").done().json()[0]["state"].clone();
    let seen = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        state() == "running"
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(seen);
    assert_eq!(state(), "crashed");
}
