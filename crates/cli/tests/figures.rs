//! Figures that people read: small ones are not nothing, and means are not taken for figures of a class.

mod common;

use common::Place;

/// A number to predict of a few millionths, in 60 rows.
fn small() -> String {
    let row = |i: usize| format!("{},{:e}\n", i as f64 / 10.0, (3.0 + i as f64 / 10.0) * 1e-6);
    format!("t,y\n{}", (0..60).map(row).collect::<String>())
}

#[test]
fn small_numbers_are_not_shown_as_zero() {
    let place = Place::new();
    place.write("mol.csv", small());
    let train = "train mol.csv --hidden none --dropout 0 --epochs 40 --early-stop off --lr 0.05 --name mol";
    let trained = place.run(train).done();
    let evaluated = place.run("evaluate mol mol.csv").done();
    for text in [&trained.stdout, &evaluated.stdout] {
        let line = text.lines().find(|line| line.contains("RMSE")).unwrap();
        assert!(line.contains("e-") && !line.contains("0.0000"), "{line}");
    }
    // A loss of nearly nothing too.
    place.write("line.csv", (0..64).map(|i| format!("{i},{}\n", 2 * i)).collect::<String>());
    let words = "train line.csv --hidden none --dropout 0 --epochs 300 --early-stop off --optimizer adam \
                 --lr cosine(0.3) --name line --checkpoint-every 0";
    let trained = place.run(words).done();
    let last = trained.stderr.lines().rfind(|line| line.starts_with("epoch ")).unwrap();
    assert!(!last.contains(" 0.0000 "), "{last}");
    let runs = place.run("runs").done().stdout;
    assert!(!runs.contains("0.0000"), "{runs}");
    let diagnosed = place.run("diagnose line").done().stdout;
    assert!(!diagnosed.contains("0.0000"), "{diagnosed}");
}

#[test]
fn figures_of_two_classes_are_of_the_positive_one() {
    let place = Place::new();
    let rows =
        |i: usize| format!("{},{}\n", i * 7 % 50, if i.is_multiple_of(10) { "sick" } else { "healthy" });
    place.write("rare.csv", format!("x,y\n{}", (0..200).map(rows).collect::<String>()));
    let words = "train rare.csv --hidden none --epochs 1 --lr 0.001 --early-stop off --name rare --quiet";
    let text = place.run(words).done().stdout;
    // Hardly any row is found to be sick, which a mean of both classes would hide.
    assert!(text.contains("F1 of class sick 0.000"), "{text}");
    for part in ["precision", "recall", "macro mean"] {
        assert!(text.contains(part), "no {part} in {text}");
    }
    let metrics = place.run("evaluate rare rare.csv --format json").done().json()["metrics"].clone();
    assert_eq!(metrics["positive"]["class"], "sick");
    assert_eq!(metrics["positive"]["support"], 20);
    assert_eq!(metrics["by_class"][0]["recall"], 1.0);
    assert!(metrics["macro_f1"].as_f64().unwrap() > 0.4, "{metrics}");
    let report = place.read("runs/rare/report.html");
    assert!(report.contains("F1 of class sick 0.000") && report.contains("Figures by class"));

    let iris = place.run("train iris --epochs 2 --lr 0.01 --quiet").done().stdout;
    assert!(iris.contains("macro F1") && !iris.contains("of class"), "{iris}");
}

#[test]
fn classes_that_differ_in_their_ends_are_told_apart() {
    let place = Place::new();
    let names = ["billing", "returns", "shipping"].map(|end| format!("customer-service-{end}"));
    let row = |i: usize| format!("{},{}\n", i % 7, names[i % 3]);
    place.write("ends.csv", format!("a,y\n{}", (0..150).map(row).collect::<String>()));
    let text = place.run("train ends.csv --hidden 4 --epochs 2 --lr 0.01 --quiet").done().stdout;
    for end in ["billing", "returns", "hipping"] {
        // In the columns, in the rows, and in the table by class.
        assert_eq!(text.matches(end).count(), 3, "{end} in {text}");
    }
}

#[test]
fn a_batch_of_one_row_is_refused_or_avoided_under_batch_normalisation() {
    let place = Place::new();
    let refused = ["batch normalisation cannot train on a batch of one row", "at least 2 rows a batch"];
    place.train("good.csv --batch-norm --batch 1 --lr 0.01").fails(&refused);
    place.run("compare good.csv --batch-norm --batch 1 --lr 0.01,0.1 --quiet").fails(&refused);
    place.run("find-lr good.csv --batch-norm --batch 1").fails(&refused);
    assert!(!place.exists("runs"));
    place.train("good.csv --batch 1 --lr 0.01").done();
    // 31 of the 40 rows are trained on: one would be left over by batches of 10, 15 or 30.
    for batch in [10, 15, 30] {
        let words = format!("good.csv --valid 0.23 --batch-norm --batch {batch} --lr 0.01 --name a{batch}");
        assert_eq!(place.train(&words).done().json()["train_rows"], 31);
        place.run(&format!("replay a{batch} --quiet")).done();
    }
}
