//! `downhill work`: several processes on one study, which are killed.
#![cfg(unix)]

mod common;
#[path = "../../search/tests/server/mod.rs"]
mod server;

use std::process::{Child, Stdio};
use std::time::Duration;

use common::Place;
use downhill::search::Database;
use serde_json::Value;

const SMALL: &str =
    "search good.csv --epochs 27 --early-stop off --batch 4 --trials 24 --quiet --format json";
const SPACES: [&str; 2] = ["--hidden=choice(4, 8,8)", "--optimizer=choice(adamw, momentum(0.9))"];

/// All but the folder.
fn without_place(mut study: Value) -> Value {
    study["study"].take();
    study["best"]["run"].take();
    study
}

fn start(place: &Place, words: &[&str]) -> Child {
    let mut program = place.program();
    program.args(words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Kills the coordinator and the workers in turn, again and again, and sees that the study comes to the same.
/// `search` are the words with which one begins, `resume` those with which one goes on, and `work` those of a
/// worker.
fn survives(
    place: &Place,
    expected: &Value,
    [search, resume, work]: [&[&str]; 3],
    has_begun: impl Fn() -> bool,
) {
    let first: Vec<&str> = SMALL.split(' ').chain(SPACES).chain(search.iter().copied()).collect();
    let mut coordinator = start(place, &[&first[..], &["--workers", "1"]].concat());
    while !has_begun() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut workers = [start(place, work), start(place, work)];
    for turn in 0u64..6 {
        std::thread::sleep(Duration::from_millis(60 + 35 * (turn * 7 % 5)));
        match turn % 3 {
            0 => {
                coordinator.kill().unwrap();
                coordinator.wait().unwrap();
                let again = [&["search", "--quiet", "--workers", "1"], resume].concat();
                coordinator = start(place, &again);
            }
            other => {
                let worker = &mut workers[other as usize - 1];
                worker.kill().unwrap();
                worker.wait().unwrap();
                *worker = start(place, work);
            }
        }
    }
    coordinator.wait().unwrap();
    let end: Vec<&str> = "search --quiet --format json".split(' ').chain(resume.iter().copied()).collect();
    let end = place.run(&end.join(" ")).done().json();
    assert_eq!(without_place(end), *expected);
    for mut worker in workers {
        let _ = worker.kill();
        worker.wait().unwrap();
    }
}

#[test]
fn killing_whoever_works_on_a_folder_changes_nothing() {
    let place = Place::new();
    let expected = without_place(place.run_with(&format!("{SMALL} --name whole"), &SPACES).done().json());
    survives(
        &place,
        &expected,
        [&["--name", "s"], &["--resume", "studies/s"], &["work", "studies/s", "--workers", "1"]],
        || place.exists("studies/s/trials.jsonl"),
    );
    let trials = std::fs::read_to_string(place.path("studies/s/trials.jsonl")).unwrap();
    let results: Vec<Value> = trials
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|event: &Value| event["event"] == "result")
        .collect();
    let mut slots: Vec<u64> = results.iter().map(|result| result["slot"].as_u64().unwrap()).collect();
    slots.sort_unstable();
    assert!(slots.windows(2).all(|pair| pair[0] < pair[1]), "no job has two results");
    let idle = place.run("work studies/s").done();
    assert!(idle.stderr.contains("studies/s has 24 trials and nothing more to do"), "{}", idle.stderr);
}

#[test]
fn killing_whoever_works_on_a_database_changes_nothing() {
    let Some(server) = server::Server::start() else { return };
    let place = Place::new();
    let expected = without_place(place.run_with(&format!("{SMALL} --name whole"), &SPACES).done().json());
    let url = server.url();
    let database: Database = url.parse().unwrap();
    survives(
        &place,
        &expected,
        [
            &["--name", "s", "--storage", &url, "--lease", "1"],
            &["--resume", "s", "--storage", &url, "--lease", "1"],
            &["work", &url, "--workers", "1", "--lease", "1"],
        ],
        || database.study("s").and_then(|study| study.events()).is_ok_and(|events| events > 0),
    );
    place.run(&format!("work {url} --until-idle --quiet")).done();
    place.run(&format!("report s --storage {url} --plot s.svg")).done();
    assert!(place.read("report-s.html").contains("a search of 24 trials") && place.exists("s.svg"));
    for (words, says) in [
        (format!("work {url} --study nowhere"), "has no study \"nowhere\"; there is s"),
        (format!("report nowhere --storage {url}"), "has no study \"nowhere\"; there is s"),
        (format!("work {}", server.url_with("wrong")), "check the user and the password"),
        ("work postgres://me@127.0.0.1:1/x".into(), "cannot be reached"),
        ("work nowhere".into(), "nowhere is not a study"),
    ] {
        let outcome = place.run(&words);
        assert_eq!(outcome.code, Some(1), "{words}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{words}: {}", outcome.stderr);
    }
}
