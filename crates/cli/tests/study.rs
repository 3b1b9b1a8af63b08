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
    let luck: Vec<&str> = told.stdout.lines().filter(|line| line.starts_with("  trial ")).collect();
    let says = ["not told apart from the first", "worse than the first, by more than seeds explain"];
    assert!(luck.len() == 3 && says.iter().any(|says| luck[1].ends_with(says)), "{}", told.stdout);
    let wins = luck[0].trim_start().split(':').next().unwrap();
    assert!(told.stdout.contains(&format!("\nbest: {wins}, ")), "{}", told.stdout);
    let picture = place.read("s.svg");
    for text in ["History of the best", "What mattered", "All settings", "best so far", "momentum(0.9)"] {
        assert!(picture.contains(text), "{text}");
    }
    place.run("report s --plot s.png").done();
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
    assert_eq!(study["best"]["number"].as_u64(), Some(number as u64));
    assert!((study["trials"][number]["value"].as_f64().unwrap() - mean).abs() < 1e-12, "{first}");
    assert_eq!(study["best"]["value"], values[0], "the run that is kept is that of the first seed");
    let again = place.run("search --resume s --quiet --format json --repeats 2").done().json();
    assert_eq!(without_place(&again), without_place(&study));
}

#[test]
fn the_mean_over_folds_is_what_training_with_them_comes_to() {
    let place = Place::new();
    let row =
        |i: usize| format!("{},{},{},{}\n", i % 10, i * 7 % 11, i / 3, if i % 10 < 5 { "x" } else { "y" });
    place.write("groups.csv", format!("a,b,who,y\n{}", (0..60).map(row).collect::<String>()));
    for folds in
        ["--folds 3", "--folds 3 --group-by who", "--folds 2 --time-split", "--folds 2 --time-split=who"]
    {
        let words = format!("search groups.csv --epochs 9 --early-stop off --batch 8 --trials 8 {folds}");
        let words = format!("{words} --repeats 2 --quiet --format json");
        let run = |more: &str| place.run_with(&format!("{words} {more}"), &SPACES).done().json();
        let study = run("--workers 1 --name one");
        assert_eq!(without_place(&run("--workers 3 --name three")), without_place(&study), "{folds}");

        // The winner's command makes the same networks, and their mean loss is the value of the trial.
        let command = study["best"]["command"].as_str().unwrap();
        let flags = folds.replace(' ', "' '").replace("--time-split'", "--time-split");
        assert!(flags.split("' '").all(|flag| command.contains(flag.trim_matches('\''))), "{command}");
        let words = command.strip_prefix("downhill train ").unwrap();
        let alone = place.shell(&format!("\"$downhill\" train {words} --quiet --format json")).done().json();
        assert_eq!(alone["weights_sha256"], study["best"]["weights_sha256"], "{command}");
        let mean = alone["ensemble"]["mean_valid_loss"].as_f64().unwrap();
        assert!((study["best"]["value"].as_f64().unwrap() - mean).abs() < 1e-12, "{folds}");
        let best = &study["trials"][study["best"]["number"].as_u64().unwrap() as usize];
        if best["state"] == "complete" {
            assert!((best["value"].as_f64().unwrap() - mean).abs() < 1e-12, "{folds}: {best}");
        }
        // And so are those of the repeats.
        assert!((study["repeated"][0]["values"][0].as_f64().unwrap() - mean).abs() < 1e-12, "{folds}");
        // It goes on as it was, and makes nothing again.
        let one = study["study"].as_str().unwrap();
        let again =
            place.run(&format!("search --resume {one} --quiet --format json --repeats 2")).done().json();
        assert_eq!(again, study, "{folds}");
        place.run("report studies/one --output one.html").done();
        std::fs::remove_dir_all(place.path("studies")).unwrap();
    }
}

#[test]
fn the_rate_is_a_multiple_of_the_one_that_is_found() {
    let place = Place::new();
    let words = format!("{SMALL} --trials 10 --repeats 0 --name s");
    let study = place.run_with(&words, &SPACES).done().json();
    let plan = place.read("studies/s/search.toml");
    let found = |optimizer: &str| -> f64 {
        let place = plan.find(&format!("--found-rate={optimizer}=")).unwrap_or_else(|| panic!("{plan}"));
        let rest = plan[place..].split('"').next().unwrap();
        rest.rsplit('=').next().unwrap().parse().unwrap()
    };
    // It is what `find-lr` finds, with the same settings.
    for optimizer in ["adamw", "momentum(0.9)"] {
        let words = "find-lr good.csv --epochs 9 --batch 8 --early-stop off --format json --quiet";
        let alone = place.run_with(words, &[&format!("--optimizer={optimizer}")]).done().json();
        assert_eq!(alone["recommended"].as_f64().unwrap(), found(optimizer), "{optimizer}");
    }
    for trial in study["trials"].as_array().unwrap() {
        let settings = &trial["settings"];
        let multiple = settings["lr"].as_f64().unwrap() / found(settings["optimizer"].as_str().unwrap());
        assert!((0.009..110.0).contains(&multiple), "{trial}");
    }
    // That of the study counts, whatever would be found now.
    let word = format!("--found-rate=adamw={}", found("adamw"));
    place.write("studies/s/search.toml", plan.replace(&word, "--found-rate=adamw=0.5"));
    std::fs::remove_file(place.path("studies/s/trials.jsonl")).unwrap();
    let other = place.run("search --resume s --quiet --format json --repeats 0").done().json();
    let trial = |study: &Value, number: usize| study["trials"][number]["settings"].clone();
    let of_adamw = (0..10).filter(|&number| trial(&study, number)["optimizer"] == "adamw");
    let first = of_adamw.min().unwrap();
    let rate = |study: &Value| trial(study, first)["lr"].as_f64().unwrap();
    assert!((rate(&other) / rate(&study) / (0.5 / found("adamw")) - 1.0).abs() < 1e-2, "{other}");
}

#[test]
fn a_search_begins_with_a_run_or_with_what_was_good_in_another() {
    let place = Place::new();
    let flags = "--epochs 9 --early-stop off --batch 8 --quiet";
    place
        .run_with(
            &format!("train good.csv {flags} --hidden 8,8 --dropout 0.125 --weight-decay 0.03 --name mine"),
            &["--lr=warmup(5%, then=cosine(0.00425))", "--ema=0.9", "--activation=silu"],
        )
        .done();
    let spaces = [
        "--hidden=choice(4, 8,8)",
        "--optimizer=choice(adamw, momentum(0.9))",
        "--dropout=uniform(0, 0.5)",
        "--weight-decay=log(1e-3, 1)",
        "--ema=choice(0, 0.9)",
        "--activation=choice(relu, silu)",
        "--label-smoothing=uniform(0, 0.2)",
    ];
    let words = format!("search good.csv {flags} --trials 12 --repeats 0 --format json");
    let study = place.run_with(&format!("{words} --name a --start-from runs/mine"), &spaces).done().json();
    let expected = serde_json::json!({
        "lr": 0.00425, "hidden": "8,8", "optimizer": "adamw", "dropout": 0.125, "weight-decay": 0.03, "ema": "0.9",
        "activation": "silu", "label-smoothing": 0,
    });
    assert_eq!(study["trials"][0]["settings"], expected);
    // With the sampler that learns, the usual settings are tried too, where they are in the space.
    let usual =
        place.run_with(&words, &["--hidden=choice(8, 128,128)", "--dropout=uniform(0, 0.5)"]).done().json();
    assert_eq!(usual["trials"][0]["settings"]["hidden"], "128,128");
    assert_eq!(usual["trials"][0]["settings"]["dropout"], 0.2);

    let narrow = place.run_with(&format!("{words} --start-from runs/mine"), &["--dropout=uniform(0.2, 0.5)"]);
    assert_eq!(narrow.code, Some(1));
    assert!(
        narrow.stderr.contains("dropout 0.125 is not in uniform(0.2, 0.5); give that flag a space"),
        "{}",
        narrow.stderr
    );
    let other = place.run_with(&format!("{words} --start-from runs/mine"), &["--hidden=choice(4, 16)"]);
    assert!(other.stderr.contains("--hidden is none of 4, 16; give that flag a space"), "{}", other.stderr);

    let prior = place.run_with(&format!("{words} --name b --seed 5 --prior studies/a"), &spaces);
    let log = {
        prior.done();
        place.read("studies/b/trials.jsonl")
    };
    assert!(log.contains("near what was good before: 0 of the 4 results"), "{log}");
    for (flags, says) in [
        ("--prior studies/a --sampler sobol", "take tpe, or no prior"),
        ("--prior nowhere", "nowhere is not a study"),
        ("--start-from nowhere", "nowhere"),
        ("--prior studies/a --epochs 9", "none of the good trials"),
    ] {
        let few = if says.starts_with("none") { &["--l2=log(1e-5, 1)"][..] } else { &spaces };
        let outcome =
            place.run_with(&format!("{words} {flags}").replace("--epochs 9 --early", "--early"), few);
        assert_eq!(outcome.code, Some(1), "{flags}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{flags}: {}", outcome.stderr);
    }
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
        ("search good.csv", "--folds=1", 2, "--folds"),
        ("search good.csv", "--group-by=a", 2, "--folds"),
        ("search good.csv --folds 3", "--valid=0.3", 2, "cannot be used with"),
        ("search good.csv --folds 3", "--group-by=nobody", 1, "nobody"),
        ("search good.csv --folds 50", "--epochs=2", 1, "too few for 50 folds"),
        ("search --resume=nowhere", "--folds=3", 2, "keeps its own settings"),
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
