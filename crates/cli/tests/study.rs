//! `downhill search`.
#![cfg(unix)]

mod common;

use common::Place;
use serde_json::Value;

const SMALL: &str = "search good.csv --epochs 9 --early-stop off --batch 8 --quiet --format json";
const SPACES: [&str; 2] = ["--hidden=choice(4, 8,8)", "--optimizer=choice(adamw, momentum(0.9))"];

/// All but the folder, which is another one each time.
fn without_place(study: &Value) -> Value {
    let mut study = study.clone();
    study["study"].take();
    study["best"]["run"].take();
    study
}

#[test]
fn any_number_of_workers_comes_to_the_same_and_train_to_the_same_weights() {
    let place = Place::new();
    let run = |more: &str| place.run_with(&format!("{SMALL} --trials 14 {more}"), &SPACES).done().json();
    let one = run("--workers 1");
    assert_eq!(without_place(&run("--workers 3")), without_place(&one));
    let trials = one["trials"].as_array().unwrap();
    assert_eq!(trials.len(), 14);
    for (number, trial) in trials.iter().enumerate() {
        assert_eq!(trial["number"], number);
        assert!(trial["settings"]["lr"].is_number() && trial["settings"]["hidden"].is_string());
        assert!(["paused", "complete", "failed"].contains(&trial["state"].as_str().unwrap()));
    }
    let importance: f64 = one["importance"].as_object().unwrap().values().map(|x| x.as_f64().unwrap()).sum();
    assert!((importance - 1.0).abs() < 1e-9, "{}", one["importance"]);

    let command = one["best"]["command"].as_str().unwrap();
    let words = command.strip_prefix("downhill train ").unwrap();
    let alone = place.shell(&format!("\"$downhill\" train {words} --quiet --format json")).done().json();
    assert_eq!(alone["weights_sha256"], one["best"]["weights_sha256"], "{command}");
    assert_eq!(alone["valid_loss"], one["best"]["value"]);
    let kept = one["best"]["run"].as_str().unwrap();
    place.run(&format!("evaluate {kept} good.csv --format json")).done();
}

#[test]
fn a_study_goes_on_with_a_larger_budget() {
    let place = Place::new();
    let first =
        place.run_with(&format!("{SMALL} --trials 6 --name s --seed 5 --no-missing"), &SPACES).done().json();
    assert_eq!(first["study"], "studies/s");
    let again = place.run("search --resume studies/s --quiet --format json").done().json();
    assert_eq!(again, first);
    let more = place.run("search --resume studies/s --trials 10 --quiet --format json").done().json();
    assert_eq!(more["trials"].as_array().unwrap().len(), 10);
    let settings = |study: &Value| -> Vec<Value> {
        let trials = study["trials"].as_array().unwrap();
        trials.iter().take(6).map(|trial| trial["settings"].clone()).collect()
    };
    assert_eq!(settings(&more), settings(&first));
}

#[test]
fn people_are_told_the_ranking_and_what_to_do_with_it() {
    let place = Place::new();
    let words = "search good.csv --epochs 3 --trials 3 --metric accuracy --stop none --sampler sobol";
    let told = place.run(words).done();
    assert!(told.stdout.starts_with("rank  trial  accuracy  epochs  settings\n"), "{}", told.stdout);
    assert!(told.stdout.contains("\ndownhill train ") && told.stdout.contains("kept in studies/good/best"));
    assert!(
        told.stderr.contains("trial 0: accuracy ") && told.stderr.contains("complete after 3 of 3 epochs")
    );
    let rows = place.run(&format!("{words} --quiet --format csv")).done();
    assert!(rows.stdout.starts_with("number,lr,hidden,"), "{}", rows.stdout);
}

#[test]
fn a_study_is_drawn_and_reported_and_its_luck_is_told() {
    let place = Place::new();
    let words =
        "search good.csv --epochs 3 --trials 14 --repeats 2 --name s --plot s.svg --export optuna s.log";
    let told = place.run_with(words, &SPACES).done();
    assert!(
        told.stdout.contains("\ntrained again over 2 seeds (mean ± standard deviation):\n  trial "),
        "{}",
        told.stdout
    );
    assert!(told.stdout.contains("told apart from the first\n"), "{}", told.stdout);
    let picture = place.read("s.svg");
    for text in ["History of the best", "What mattered", "All settings", "best so far", "momentum(0.9)"] {
        assert!(picture.contains(text), "{text}");
    }
    place.run("report studies/s --plot s.png").done();
    let page = place.read("studies/s/report.html");
    assert!(page.contains("a search of 14 trials") && page.contains("<pre>downhill train "), "{page}");
    assert!(page.matches("<svg").count() > 5 && !page.contains("<script"));
    let two = place.run("report studies/s studies/s");
    assert_eq!(two.code, Some(2));
    assert!(two.stderr.contains("is a study, whose report is one by itself"), "{}", two.stderr);

    // One that was cut off can be reported too.
    let log = place.read("studies/s/trials.jsonl");
    let half: String = log.lines().take(log.lines().count() / 2).map(|line| format!("{line}\n")).collect();
    place.write("studies/s/trials.jsonl", half);
    place.run("report studies/s --output half.html").done();
    assert!(place.read("half.html").contains("Ranking"));
}

#[test]
fn a_journal_of_optunas_says_the_same() {
    let place = Place::new();
    let words = format!("{SMALL} --trials 12 --repeats 0 --name s --metric accuracy --export optuna s.log");
    let study = place.run_with(&words, &SPACES).done().json();
    assert_eq!(study["repeated"].as_array().unwrap().len(), 0);
    let journal = place.read("s.log");
    let lines: Vec<Value> = journal.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), lines[0]["directions"][0].as_u64()), (13, Some(2)), "accuracy is maximised");
    let Some(python) = common::python("optuna") else { return };
    let script = "import json, optuna\n\
        storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend('s.log'))\n\
        study = optuna.load_study(study_name='s', storage=storage)\n\
        print(json.dumps([[t.params, t.value, t.state.name] for t in study.trials]))\n";
    place.write("load.py", script);
    let loaded = place.shell(&format!("{python} load.py")).done().json();
    for (theirs, ours) in loaded.as_array().unwrap().iter().zip(study["trials"].as_array().unwrap()) {
        assert_eq!(theirs[0], ours["settings"]);
        let state = match ours["state"].as_str().unwrap() {
            "complete" => "COMPLETE",
            "failed" => "FAIL",
            _ => "PRUNED",
        };
        assert_eq!(theirs[2], state);
    }
}

#[test]
fn the_mean_over_seeds_is_searched() {
    let place = Place::new();
    let words = format!("{SMALL} --trials 6 --stop none --repeats 2 --seeds 2 --name s");
    let study = place.run_with(&words, &SPACES).done().json();
    let first = &study["repeated"][0];
    let values: Vec<f64> = first["values"].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect();
    let mean = (values[0] + values[1]) / 2.0;
    let number = first["number"].as_u64().unwrap() as usize;
    assert!((study["trials"][number]["value"].as_f64().unwrap() - mean).abs() < 1e-12, "{first}");
    assert_eq!(study["best"]["value"], values[0], "the run that is kept is that of the first seed");
    let again = place.run("search --resume studies/s --quiet --format json --repeats 2").done().json();
    assert_eq!(without_place(&again), without_place(&study));
}

#[test]
fn what_cannot_be_searched_is_told() {
    let place = Place::new();
    for (words, flag, code, says) in [
        ("search good.csv", "--lr=log(1, 0.1)", 2, "the lowest value, 1, is above the highest, 0.1"),
        ("search good.csv", "--optimizer=choice(adamw, adamm)", 2, "adamm"),
        ("search good.csv", "--dropout=uniform(0, 2)", 2, "below 1"),
        ("search good.csv", "--hidden=choice()", 2, "nothing to choose from"),
        ("search good.csv", "--seed=int(0, 9)", 2, "--seed cannot be searched"),
        ("search good.csv", "--metric=acuracy", 2, "did you mean `accuracy`"),
        ("search good.csv", "--sampler=tpee", 2, "did you mean `tpe`"),
        ("search good.csv", "--time=5d", 2, "90s, 5m or 1h"),
        ("search good.csv", "--metric=r2", 1, "which is for regression"),
        ("search good.csv", "--trials=0", 1, "give at least 1"),
        ("search good.csv", "--name=a/b", 1, "cannot be the name of a study"),
        ("search", "--resume=nowhere", 1, "nowhere is not a study"),
        ("search good.csv", "--resume=nowhere", 2, "keeps its own settings"),
        ("search --resume=nowhere", "--sampler=random", 2, "keeps its own settings"),
        ("search nowhere.csv", "--trials=1", 1, "nowhere.csv"),
        ("search good.csv", "--lr=log(1, 0.1)", 2, "Usage: downhill search "),
        ("search good.csv", "--seeds=0", 2, "--seeds"),
        ("search good.csv --export tune", "x.log", 2, "--export writes for optuna, not for `tune`"),
        ("search good.csv", "--storage=mysql://x", 2, "no address of a PostgreSQL database"),
        ("search good.csv", "--storage=postgres://me@127.0.0.1:1/x", 1, "cannot be reached"),
    ] {
        let outcome = place.run_with(words, &[flag]);
        assert_eq!(outcome.code, Some(code), "{words} {flag}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{words} {flag}: {}", outcome.stderr);
    }
    assert!(!place.exists("studies"));
}

#[test]
fn a_search_that_is_interrupted_or_killed_goes_on_to_the_same_end() {
    let place = Place::new();
    let words = "search good.csv --epochs 60 --early-stop off --trials 40 --stop none --quiet --format json";
    let whole = place.run_with(&format!("{words} --name whole"), &SPACES).done().json();
    for (signal, code) in [("-INT", Some(130)), ("-KILL", None)] {
        let mut program = place.program();
        let name = format!("cut{signal}");
        program.args(words.split_whitespace()).args(SPACES).args(["--name", &name, "--workers", "2"]);
        program.stdout(std::process::Stdio::null());
        let mut child = program.spawn().unwrap();
        let log = place.path(&format!("studies/{name}/trials.jsonl"));
        while !std::fs::read_to_string(&log).is_ok_and(|log| log.matches("\"result\"").count() > 2) {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        std::process::Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().code(), code, "{signal}");
        let before = std::fs::read_to_string(&log).unwrap();
        assert!(before.matches("\"result\"").count() < 40, "it was over before it was told");
        let words = format!("search --resume studies/{name} --quiet --format json --workers 3");
        let resumed = place.run(&words).done().json();
        assert_eq!(without_place(&resumed), without_place(&whole), "{signal}");
        assert!(std::fs::read_to_string(&log).unwrap().starts_with(before.rsplit_once('\n').unwrap().0));
    }
}
