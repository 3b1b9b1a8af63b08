//! How far predictions can be trusted, and what they go by: `evaluate`, `predict --interval`, `explain`.

mod common;

use common::Place;

#[test]
fn probabilities_are_judged() {
    let place = Place::new();
    place.run("train breast-cancer --hidden 8 --epochs 4 --name run").done();
    let said = place.run("evaluate run breast-cancer --costs 1,5 --plot trust.svg").done().stdout;
    for words in
        ["log loss 0.", "Brier score 0.", "calibration error 0.", "costs least: 0.", "where 0.5 costs 0."]
    {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let found = place.run("evaluate run breast-cancer --costs 1,5 --format json").done().json();
    let confidence = &found["confidence"];
    assert!((confidence["log_loss"].as_f64().unwrap() - found["loss"].as_f64().unwrap()).abs() < 1e-4);
    let rows = confidence["bins"].as_array().unwrap().iter().map(|bin| bin["rows"].as_u64().unwrap());
    assert_eq!(rows.sum::<u64>(), 569);
    assert!(found["cheapest"]["cost"].as_f64() <= found["cheapest"]["cost_at_half"].as_f64());
    let svg = place.read("trust.svg");
    for words in ["Probabilities beside what happened", "ROC", "Precision and recall", "What thresholds cost"]
    {
        assert!(svg.contains(words), "no {words:?}");
    }
    assert_eq!(svg.matches("role=\"img\"").count(), 5);
    place.run("evaluate run breast-cancer --plot trust.png --quiet").done();
    place.run("evaluate run breast-cancer --plot ko.svg --lang ko --quiet").done();
    assert!(place.read("ko.svg").contains("임계값"));
    // Of several classes there are curves of each, and no threshold.
    place.run("train iris --hidden 8 --epochs 2 --name iris").done();
    place.run("evaluate iris iris --plot three.svg").done();
    assert_eq!(place.read("three.svg").matches("role=\"img\"").count(), 4);
    place.run("evaluate iris iris --costs 1,5").fails(&["--costs is for two classes"]);
    for wrong in ["1", "1,2,3", "-1,2", "0,0", "a,b", "nan,1"] {
        place.run(&format!("evaluate run breast-cancer --costs={wrong}")).refused(&["give two numbers"]);
    }
    place.run("evaluate run breast-cancer --plot trust.pdf").refused(&[".svg or a .png"]);
}

#[test]
fn numbers_have_intervals() {
    let place = Place::new();
    place.run("train diabetes --hidden 8 --epochs 4 --name run").done();
    let said = place.run("evaluate run diabetes --plot trust.svg").done().stdout;
    assert!(said.contains("are to hold 90% of rows, and hold "), "{said}");
    assert_eq!(place.read("trust.svg").matches("role=\"img\"").count(), 3);
    let margin = |level: &str| {
        let rows = place.run(&format!("predict run diabetes --interval {level} --format csv")).done().csv();
        assert_eq!(rows[0], ["prediction", "lower", "upper"]);
        let numbers: Vec<f64> = rows[1].iter().map(|cell| cell.parse().unwrap()).collect();
        assert!((numbers[0] - numbers[1] - (numbers[2] - numbers[0])).abs() < 1e-6, "{numbers:?}");
        numbers[2] - numbers[0]
    };
    assert!(margin("0.5") < margin("0.9"));
    let found = place.run("predict run diabetes --interval 0.9 --format json").done().json();
    assert!(found[0]["lower"].as_f64() < found[0]["prediction"].as_f64());
    assert!(place.run("predict run diabetes --format json").done().json()[0]["lower"].is_null());
    for wrong in ["90", "0", "1", "nan", "x"] {
        place.run(&format!("predict run diabetes --interval {wrong}")).refused(&["between 0 and 1"]);
    }
    place.run("predict run diabetes --interval 0.999").fails(&["needs the errors of 999 validation rows"]);
    place.run("train good.csv --hidden 8 --epochs 1 --name classes").done();
    place.run("predict classes good.csv --interval 0.9").fails(&["predicts classes"]);
}

#[test]
fn models_are_explained() {
    let place = Place::new();
    place.run("train iris --hidden 8 --epochs 20 --lr 0.03 --name run").done();
    let said = place.run("explain run iris --columns 2 --worst 3 --plot why.svg").done().stdout;
    for words in
        ["importance: ", "petal", " ± ", "how the probabilities depend on ", "the worst rows", "line "]
    {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
    let svg = place.read("why.svg");
    assert_eq!(svg.matches("role=\"img\"").count(), 4);
    place.run("explain run iris --plot why.png --quiet").done();
    place.run("explain run iris --plot ko.svg --lang ko --quiet").done();
    assert!(place.read("ko.svg").contains("중요도"));
    let found = place.run("explain run iris --columns 2 --worst 3 --format json").done().json();
    assert_eq!(found["importance"].as_array().unwrap().len(), 4);
    assert_eq!(found["dependence"].as_array().unwrap().len(), 2);
    assert_eq!(found["worst"].as_array().unwrap().len(), 3);
    // The report of the run has it from then on; what is no explanation is left out.
    place.run("report run").done();
    assert!(place.read("runs/run/report.html").contains("What predictions go by"));
    place.write("runs/run/explanation.json", "{}");
    place.run("report run").done();
    assert!(!place.read("runs/run/report.html").contains("What predictions go by"));
    let csv = place.run("explain run iris --format csv").done().csv();
    assert_eq!(csv[0], ["column", "increase", "standard_error"]);
    place.run("explain run iris --repeats 0").fails(&["repeats", "at least 1"]);
    // A column of categories, and a target that is a number.
    let row = |i: usize| format!("{},{},{}\n", i % 13, ["low", "high", ""][i % 3], i % 3 * 10 + i % 2);
    place.write("mixed.csv", format!("a,kind,y\n{}", (0..90).map(row).collect::<String>()));
    place.run("train mixed.csv --target y --task regression --hidden 8 --epochs 20 --name mixed").done();
    let said = place.run("explain mixed mixed.csv --plot mixed.svg").done().stdout;
    assert!(
        said.contains("how the mean prediction of y depends on kind") && said.contains("(missing)"),
        "{said}"
    );
}
