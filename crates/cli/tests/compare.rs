//! `downhill compare` and `downhill diagnose`.

mod common;

use common::Place;
use serde_json::Value;

const SMALL: &str = "good.csv --hidden 8 --epochs 4 --early-stop off --quiet";

#[test]
fn each_run_is_the_one_that_train_makes() {
    let place = Place::new();
    let compared =
        place.run(&format!("compare {SMALL} --lr 0.001,0.1 --dropout 0,0.3 --out kept --format json"));
    let runs = compared.done().json();
    let runs = runs.as_array().unwrap();
    assert_eq!(runs.len(), 4);
    for run in runs {
        let [lr, dropout] = ["lr", "dropout"].map(|flag| run["settings"][flag].as_str().unwrap());
        let flags = format!("--lr {lr} --dropout {dropout} --threads 1 --format json");
        let alone = place.run(&format!("train {SMALL} {flags}")).done();
        let folder = run["run"].as_str().unwrap();
        let model = |folder: &str| std::fs::read(place.path(folder).join("model.safetensors")).unwrap();
        assert_eq!(model(folder), model(alone.json()["run"].as_str().unwrap()), "{flags}");
        assert_eq!(run["best_epoch"], alone.json()["best_epoch"]);
        assert!(["low", "good", "high", "very-high"].contains(&run["verdict"].as_str().unwrap()));
    }
    assert_eq!(place.files("kept").len(), 4);
}

#[test]
fn the_number_of_threads_and_keeping_the_runs_change_nothing() {
    let place = Place::new();
    let losses = |words: &str| {
        let runs =
            place.run(&format!("compare {SMALL} --lr 0.001,0.01,0.1 --format json {words}")).done().json();
        let of = |run: &Value| (run["train_loss"].clone(), run["valid_loss"].clone(), run["verdict"].clone());
        runs.as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let one = losses("--threads 1");
    assert_eq!(losses("--threads 3"), one);
    assert_eq!(losses("--out kept"), one);
    assert_eq!(place.files("kept"), ["lr=0.001", "lr=0.01", "lr=0.1"]);
}

#[test]
fn what_is_there_is_not_made_again() {
    let place = Place::new();
    let words = "compare good.csv --hidden 8 --early-stop off --out kept --format json --epochs 6";
    let flags = ["--lr=0.01,cosine(0.1),1e8", "--optimizer=sgd,adamw(beta1=0.8, eps=1e-7)"];
    let first = place.run_with(words, &flags).done();
    let names = place.files("kept");
    assert!(names.iter().all(|name| !name.contains([' ', ',', '(', ')'])), "{names:?}");
    let models = || {
        let changed = |name: &String| {
            let events = place.path(&format!("kept/{name}/events.jsonl"));
            let steps = std::fs::read_to_string(&events).unwrap().matches("\"event\":\"epoch\"").count();
            (name.clone(), steps)
        };
        names.iter().map(changed).collect::<Vec<_>>()
    };
    let before = models();
    let again = place.run_with(words, &flags).done().says(&["6 runs were in kept already"]);
    assert_eq!(again.json(), first.json());
    assert_eq!((place.files("kept"), models()), (names.clone(), before.clone()));

    // One that was cut off goes on; one of other settings is another run; so is one that was told something.
    let cut = format!("kept/{}", names[0]);
    let log = place.read(&format!("{cut}/events.jsonl"));
    let end = log.match_indices("\"event\":\"epoch\"").nth(1).unwrap().0;
    let end = end + log[end..].find('\n').unwrap() + 1;
    place.write(&format!("{cut}/events.jsonl"), &log[..end]);
    for file in place.files(&format!("{cut}/checkpoints")) {
        std::fs::remove_file(place.path(&format!("{cut}/checkpoints/{file}"))).unwrap();
    }
    let again = place.run_with(words, &flags).done().says(&["5 runs were in kept already"]);
    assert_eq!(again.json(), first.json());
    let longer = words.replace("--epochs 6", "--epochs 7");
    place.run_with(&longer, &flags[..1]).done();
    assert!(place.files("kept").contains(&"lr=0.01".to_string()));
    // On other data too.
    place.write_with_line("good.csv", 3, "1,8,blue");
    let other = place.run_with(words, &flags).done();
    assert!(!other.stderr.contains("already"), "{other:?}");
    assert_eq!(place.files("kept").len(), 6 + 3 + 6);
}

#[test]
fn the_table_has_a_column_for_each_setting_and_fifty_runs_fit() {
    let place = Place::new();
    let seeds: Vec<String> = (0..25).map(|seed| seed.to_string()).collect();
    let words = format!(
        "compare good.csv --hidden 4 --epochs 2 --early-stop off --quiet --lr 0.01,0.1 --seed {} --plot many.svg",
        seeds.join(",")
    );
    let text = place.run(&words).done().stdout;
    let head =
        text.lines().find(|line| line.starts_with("rank  --lr  --seed")).unwrap_or_else(|| panic!("{text}"));
    assert!(head.contains("validation  accuracy  epoch"), "{head}");
    assert_eq!(text.matches("epoch 0").count(), 7, "curves in {text}");
    assert!(text.contains("43 more are in the table"), "{text}");
    let svg = place.read("many.svg");
    assert!(svg.contains("43 others") && svg.matches("--lr 0.").count() <= 3 * 7 + 7);
}

#[test]
fn very_high_is_cut_and_named() {
    let place = Place::new();
    let words =
        "compare numbers.csv --hidden 8 --epochs 8 --optimizer sgd --lr 0.00001 --lr 0.03 --lr 1000 --quiet";
    let runs = place.run(&format!("{words} --plot rates.svg --format json")).done().json();
    let verdict = |run: usize| runs[run]["verdict"].as_str().unwrap().to_string();
    assert_eq!([0, 1, 2].map(verdict), ["low", "good", "very-high"]);
    assert!(runs[2]["end_train_loss"].is_null() && runs[2]["diverged_at_epoch"].is_number());
    assert!(runs[1]["run"].is_null() && !place.exists("runs"));
    let svg = place.read("rates.svg");
    for part in ["--lr 1000: very high", "--lr 0.03: good", "m-5-5", "<title>Training loss of numbers"] {
        assert!(svg.contains(part), "{part}");
    }
    let text = place.run(words).done().stdout;
    assert!(text.contains("--lr 1000: very high, blew up in epoch "), "{text}");
    let rows = place.run(&format!("{words} --format csv")).done().csv();
    assert_eq!(rows[0][0], "lr");
    assert_eq!(rows.len(), 4);
}

#[test]
fn runs_are_ranked_by_what_is_kept_of_them() {
    let place = Place::new();
    let words = "compare numbers.csv --hidden 8 --epochs 8 --optimizer sgd --early-stop off --guard off --quiet \
                 --lr 1000000,0.00001,0.03";
    let runs = place.run(&format!("{words} --format json")).done().json();
    let rank = |run: usize| runs[run]["rank"].as_u64().unwrap();
    assert_eq!([0, 1, 2].map(rank), [3, 2, 1]);
    assert!(runs[2]["r2"].is_number() && runs[2]["valid_loss"].is_number());
    let blown_up = &runs[0];
    assert!(blown_up["end_train_loss"].is_null() && blown_up["end_valid_loss"].is_null());
    let at = blown_up["diverged_at_epoch"].as_f64().expect("it blew up");
    assert!(blown_up["best_epoch"].as_f64().is_none_or(|best| best <= at), "{blown_up}");

    let text = place.run(words).done().stdout;
    let line = |lr: &str| {
        let line = |line: &&str| line.split_whitespace().nth(1) == Some(lr);
        text.lines().find(line).unwrap_or_else(|| panic!("{lr}: {text}")).to_string()
    };
    assert!(line("0.03").starts_with("   1  ") && line("0.00001").starts_with("   2  "), "{text}");
    let last = line("1000000");
    assert!(last.starts_with("   3  ") && last.contains("very high, blew up in epoch "), "{text}");
    assert!(text.contains("ranked by the validation loss of the weights that are kept"), "{text}");
    // What is kept is what `train` keeps.
    let kept =
        "train numbers.csv --hidden 8 --epochs 8 --optimizer sgd --early-stop off --guard off --lr 0.03";
    let kept = place.run(&format!("{kept} --quiet --threads 1 --format json")).done().json();
    assert_eq!(kept["valid_loss"], runs[2]["valid_loss"]);
    assert_eq!(kept["metrics"]["r2"], runs[2]["r2"]);
}

#[test]
fn what_is_not_a_rate_is_compared_without_a_verdict() {
    let place = Place::new();
    let compare = |flags: &[&str]| {
        place
            .run_with(&format!("compare {SMALL} --format json"), flags)
            .done()
            .json()
            .as_array()
            .unwrap()
            .clone()
    };
    let runs = compare(&["--hidden=4", "--hidden=4,4", "--optimizer=adamw(beta1=0.8, eps=1e-7),sgd"]);
    // The small network's own --hidden is the third value.
    assert_eq!(runs.len(), 6);
    assert!(runs.iter().all(|run| run["verdict"].is_null()));
    assert_eq!(runs[0]["settings"]["optimizer"], "adamw(beta1=0.8, eps=1e-7)");
    // Rates are judged among the runs that differ in nothing else.
    let runs = compare(&["--lr=0.00001,0.1", "--seed=1,2"]);
    assert!(runs.iter().all(|run| run["verdict"].is_string()));
}

#[test]
fn flags_without_a_value_are_for_all_runs() {
    let place = Place::new();
    let words = "compare good.csv --hidden 4 --epochs 1 --lr 0.01,0.02 --any-size --no-missing --format json";
    assert_eq!(place.run(words).done().json().as_array().unwrap().len(), 2);
}

#[test]
fn bad_input_is_explained() {
    let place = Place::new();
    place.run("compare good.csv").refused(&["there is nothing to compare", "--lr 0.001,0.01,0.1"]);
    place.run("compare good.csv --lr 0.1").refused(&["there is nothing to compare"]);
    place.run("compare --lr 0.1,1").refused(&["<DATA>"]);
    place.run("compare good.csv --lr 0.1,0.1").refused(&["--lr is given 0.1 twice"]);
    place.run("compare good.csv --lr 0.1,").refused(&["--lr"]);
    place.run("compare good.csv --lr 0.1,cosin(1)").refused(&["did you mean `cosine`?"]);
    place.run("compare good.csv --dropout 0.1,1.5").refused(&["--dropout", "below 1"]);
    let many: Vec<String> = (1..=15).map(|seed| seed.to_string()).collect();
    let many = many.join(",");
    place
        .run(&format!("compare good.csv --seed {many} --epochs {many}"))
        .refused(&["more than 200 runs", "15 of --epochs"]);
    place.run("compare none.csv --lr 0.1,1").fails(&["none.csv"]);
    place.run("compare good.csv --lr 0.1,1 --plot x.gif").refused(&[".svg"]);
    place.run("compare good.csv --lr 0.1,1 --loss mse").fails(&["mse is for regression"]);
    // Seen before any run is made.
    place.run("compare good.csv --loss cross-entropy,mse --out kept").fails(&["mse is for regression"]);
    assert!(!place.exists("kept"));
}

#[test]
fn a_run_is_diagnosed() {
    let place = Place::new();
    let train = "train good.csv --hidden 8 --epochs 20 --early-stop off --quiet --optimizer sgd";
    place.run(&format!("{train} --name low --lr 0.0001")).done();
    place.run(&format!("{train} --name wild --lr 100000")).done();
    let low = place.run("diagnose low --format json").done().json();
    assert_eq!(low["verdict"], "low");
    assert_eq!(low["suggestion"], "--lr 0.001");
    assert_eq!(low["forks"].as_array().unwrap().len(), 3);
    let wild = place.run("diagnose wild").done().stdout;
    assert!(wild.starts_with("learning rate: very high\n  the loss blew up at step "), "{wild}");
    let rows = place.run("diagnose low --format csv").done().csv();
    assert_eq!(rows.len(), 1 + 3 * 5);
    place.run("diagnose nothing").fails(&["there is no run nothing"]);
    std::fs::remove_file(place.path("good.csv")).unwrap();
    place.run("diagnose low").fails(&["cannot be read as it was"]);
}

#[test]
fn long_names_above_curves_are_shortened() {
    let place = Place::new();
    let optimizer = format!("adam(beta1=0.8{})", "0".repeat(70_000));
    let words = "compare good.csv --hidden 4 --epochs 2 --lr 0.01 --threads 1 --optimizer";
    let said = place.run_with(words, &[&optimizer, "--optimizer", "sgd"]).done();
    assert!(said.stdout.contains("--optimizer adam(beta1=0.8000"), "{said:?}");
    assert!(said.stdout.lines().all(|line| line.chars().count() < 300), "{said:?}");
}
