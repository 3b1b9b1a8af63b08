//! Several networks whose predictions are averaged, and the folds of a cross-validation, by the program.

mod common;

use common::Place;

#[test]
fn members_are_one_model_and_runs_of_their_own() {
    let place = Place::new();
    let trained = place.train("good.csv --members 3 --lr 0.01 --threads 2").done().json();
    let networks = trained["ensemble"]["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 3);
    let losses: Vec<f64> = networks.iter().map(|network| network["valid_loss"].as_f64().unwrap()).collect();
    let mean = losses.iter().sum::<f64>() / 3.0;
    assert!((trained["ensemble"]["mean_valid_loss"].as_f64().unwrap() - mean).abs() < 1e-12);
    assert!(trained["best_epoch"].is_null());
    let plain = place.train("good.csv --lr 0.01").done().json();
    assert_eq!(networks[0]["weights_sha256"], plain["weights_sha256"], "the first is the run alone");
    let sha256 = &trained["weights_sha256"];
    assert_eq!(&place.run("resume good-1 --format json").done().json()["weights_sha256"], sha256);
    let replayed = place.run("replay good-1 --format json --threads 2").done().json();
    assert_eq!(&replayed["weights_sha256"], sha256);

    let evaluated = place.run("evaluate good-1 good.csv").done();
    assert!(evaluated.stdout.contains("average of 3 networks"), "{evaluated:?}");
    assert_eq!(place.run("predict good-1 good.csv --format csv").done().csv().len(), 41);
    let one = place.run("evaluate runs/good-1/members/2 good.csv --format json").done().json();
    assert_eq!(one["epoch"], networks[2]["best_epoch"]);
    place.run("replay runs/good-1/members/2 --quiet").done();
    place.run("report runs/good-1/members/2").done();
    place.run("branch runs/good-1/members/2@1ep --epochs 3 --quiet").done();
    let report = place.read("runs/good-1/report.html");
    for part in ["with the average of 3 networks", "standard error of 3 networks"] {
        assert!(report.contains(part), "{part}");
    }
    let runs = place.run("runs --format json").done().json();
    let run = runs.as_array().unwrap().iter().find(|run| run["name"] == "good-1").unwrap();
    assert_eq!((&run["state"], run["best_epoch"].is_null()), (&"finished".into(), true));
    // Rounding aside, it is the loss of the average.
    assert!((run["valid_loss"].as_f64().unwrap() - trained["valid_loss"].as_f64().unwrap()).abs() < 1e-9);
    place.run("train good.csv --epochs 2 --members 2 --name one --format csv").done().csv();
    // The configuration is that of the whole.
    let again = place.run("train --config runs/good-1/run.toml --format json --name again").done().json();
    assert_eq!(&again["weights_sha256"], sha256);
    let one = place.run("train --config runs/good-1/run.toml --members 1 --format json").done().json();
    assert_eq!(one["weights_sha256"], plain["weights_sha256"]);
}

#[test]
fn folds_say_means_with_their_errors() {
    let place = Place::new();
    let text = place.run("train good.csv --folds 4 --lr 0.05 --epochs 5").done();
    assert!(text.stdout.starts_with("4 folds of 5 epochs in "), "{text:?}");
    for part in [
        "(mean ± standard error over 4 folds)",
        "accuracy ",
        "all rows, each by a network that was trained without it",
    ] {
        assert!(text.stdout.contains(part), "{part}: {text:?}");
    }
    let folded = place.train("numbers.csv --folds 3 --lr 0.05").done().json();
    assert_eq!(folded["valid_rows"], 40);
    assert_eq!(folded["ensemble"]["networks"][0]["valid_rows"], 14);
    let one = place.run("evaluate runs/numbers-1 numbers.csv --format json").done().json();
    assert_eq!(one["rows"], 40);
    place.run("replay numbers-1 --quiet").done();
    // One fold by itself, from its own configuration.
    let fold = "train --config runs/numbers-1/members/2/run.toml --format json --name fold";
    let alone = place.run(fold).done().json();
    assert_eq!(alone["weights_sha256"], folded["ensemble"]["networks"][2]["weights_sha256"]);

    let days: String = (0..40).map(|i| format!("2024-01-{:02},{},{}\n", 1 + i / 2, i % 5, i % 3)).collect();
    place.write("days.csv", format!("day,who,y\n{days}"));
    for flags in ["--folds 3 --group-by who", "--folds 3 --time-split=day", "--folds 3 --time-split"] {
        place.train(&format!("days.csv {flags} --task regression --lr 0.01 --name days")).done();
        place.run("replay days --quiet").done();
        std::fs::remove_dir_all(place.path("runs/days")).unwrap();
    }
}

#[test]
fn what_several_networks_are_not_for_is_refused() {
    let place = Place::new();
    place.train("good.csv --members 2 --lr 0.01 --name two").done();
    place.run("branch two").fails(&["is of several networks", "two/members/0"]);
    place.run("diagnose two").fails(&["is of several networks", "two/members/0"]);
    place.run("resume two --epochs 9").fails(&["their rate and their length cannot be changed"]);
    place.run("compare --config runs/two/run.toml --lr 0.01,0.1").fails(&["run.toml", "[ensemble]"]);
    place.run("find-lr --config runs/two/run.toml").fails(&["run.toml", "[ensemble]"]);
    for (flags, parts) in [
        ("--members 0", &["--members", "from 1 to 1000"][..]),
        ("--members 2000", &["from 1 to 1000"]),
        ("--members x", &["from 1 to 1000"]),
        ("--folds 1", &["--folds", "from 2 to 1000"]),
        ("--folds 3 --members 2", &["--folds", "--members", "cannot be used with"]),
        ("--folds 3 --valid 0.3", &["--folds", "--valid", "cannot be used with"]),
        ("--group-by a", &["--folds"]),
        ("--time-split", &["--folds"]),
        ("--folds 3 --time-split --group-by a", &["cannot be used with"]),
    ] {
        place.train(&format!("good.csv {flags}")).refused(parts);
    }
    place.train("good.csv --folds 41").fails(&["40 rows with a target: too few for 41 folds"]);
    place.train("good.csv --folds 3 --group-by c").fails(&["`c`"]);
    place
        .train("good.csv --folds 3 --time-split=y")
        .fails(&["line 2", "`blue` is neither a number nor a date"]);
    assert_eq!(place.files("runs"), ["two"], "nothing is left of what could not begin");
}
