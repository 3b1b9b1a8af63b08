//! Intervals hold what they say, and what predictions go by is found.

use downhill_data::{ReadOptions, Table};
use downhill_schedule::Cosine;
use downhill_train::{Error, ExplainOptions, Network, Predictions, Predictor, Trainer};

/// A table with the columns `a`, `b`, `kind` and `y`; y = 3a + what the kind says + noise as wide as `b`.
fn table(rows: usize, seed: u64) -> Table {
    // Knuth's generator: the high bits are random enough.
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    (0..8).for_each(|_| _ = uniform());
    let mut text = String::from("a,b,kind,y\n");
    for _ in 0..rows {
        let (a, b, of, noise) = (uniform(), uniform(), uniform(), uniform());
        let kind = ["low", "high"][usize::from(of > 0.5)];
        let y = 3.0 * a + if of > 0.5 { 1.0 } else { 0.0 } + b * (noise - 0.5);
        text += &format!("{a:.6},{b:.6},{kind},{:.6}\n", 100.0 * y);
    }
    Table::parse("made", text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn trained(table: &Table, seed: u64, epochs: u64) -> Predictor {
    let dataset = table.default_target().split(0.3, seed).unwrap();
    let trainer = Trainer::new(Network::mlp([16])).epochs(epochs).seed(seed).batch(32);
    trainer.lr(Cosine::new(0.01)).fit(&dataset).unwrap().predictor().clone()
}

#[test]
fn intervals_hold_as_many_rows_as_they_say() {
    let mut held = [0.0; 3];
    let seeds = 1..=8;
    for seed in seeds.clone() {
        let predictor = trained(&table(600, seed), seed, 10);
        let new = table(500, 100 + seed);
        let nine_in_ten = predictor.evaluate(&new).unwrap().intervals.unwrap();
        assert_eq!(nine_in_ten.level, 0.9);
        assert!((nine_in_ten.margin - predictor.margin(0.9).unwrap()).abs() < 1e-9);
        held[0] += nine_in_ten.coverage;
        let Predictions::Values(values) = predictor.predict(&new).unwrap() else { panic!() };
        let truth = |row: usize| new.columns()[3].number(row).unwrap();
        for (held, level) in held[1..].iter_mut().zip([0.5, 0.8]) {
            let margin = predictor.margin(level).unwrap();
            let inside =
                values.iter().enumerate().filter(|(row, value)| (**value - truth(*row)).abs() <= margin);
            *held += inside.count() as f64 / values.len() as f64;
        }
    }
    for (held, level) in held.into_iter().zip([0.9, 0.5, 0.8]) {
        let held = held / seeds.clone().count() as f64;
        // The errors of 180 rows each, and 4000 rows to count.
        assert!((held - level).abs() < 0.03, "{level}: {held}");
    }
}

#[test]
fn intervals_outlive_saving_and_say_what_they_cannot_do() {
    let predictor = trained(&table(40, 1), 1, 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    predictor.save(&path).unwrap();
    let again = Predictor::load(&path).unwrap();
    assert_eq!(again.margin(0.5).unwrap(), predictor.margin(0.5).unwrap());
    // Twelve rows were held out.
    let says = |level: f64| match again.margin(level) {
        Err(Error::Mismatch(why)) => why,
        other => panic!("{other:?}"),
    };
    assert!(
        says(0.95).contains("needs the errors of 19 validation rows") && says(0.95).contains("beside 12")
    );
    for level in [0.0, 1.0, -1.0, f64::NAN] {
        assert!(matches!(again.margin(level), Err(Error::Setting(_))), "{level}");
    }
    let iris = Table::bundled("iris").unwrap();
    let classes = trained(&iris, 1, 1);
    assert!(matches!(classes.margin(0.9), Err(Error::Mismatch(why)) if why.contains("predicts classes")));
    let evaluation = classes.evaluate(&iris).unwrap();
    let confidence = evaluation.confidence.unwrap();
    assert!(evaluation.intervals.is_none() && (confidence.log_loss - evaluation.loss).abs() < 1e-4);
}

#[test]
fn importance_is_what_the_columns_are_worth() {
    let predictor = trained(&table(800, 3), 3, 40);
    let new = table(1000, 4);
    let explanation = predictor.explain(&new, ExplainOptions::default()).unwrap();
    let of = |name: &str| explanation.importance.iter().find(|one| one.column == name).unwrap();
    let names: Vec<&str> = explanation.importance.iter().map(|one| &*one.column).collect();
    assert_eq!(names, ["a", "kind", "b"]);
    // The squared error grows by twice the variance of what the column adds, in units of that of y: 100² · 9/12
    // and 100² · 1/4; to y, noise adds a third of a twelfth.
    let variance = 9.0 / 12.0 + 1.0 / 4.0 + 1.0 / 36.0;
    for (column, adds) in [("a", 9.0 / 12.0), ("kind", 1.0 / 4.0)] {
        let (found, expected) = (of(column), 2.0 * adds / variance);
        assert!((found.increase - expected).abs() < 0.15 * expected, "{column}: {found:?}, not {expected}");
        assert!(found.standard_error > 0.0 && found.standard_error < 0.1 * expected, "{found:?}");
    }
    assert!(of("b").increase.abs() < 0.02, "{:?}", of("b"));
    // The same seed finds the same.
    assert_eq!(predictor.explain(&new, ExplainOptions::default()).unwrap(), explanation);
}

#[test]
fn dependence_is_the_function_that_was_learnt() {
    let predictor = trained(&table(800, 3), 3, 40);
    let new = table(1000, 4);
    let explanation =
        predictor.explain(&new, ExplainOptions { columns: 2, worst: 3, ..Default::default() }).unwrap();
    let [a, kind] = &explanation.dependence[..] else { panic!("{:?}", explanation.dependence) };
    assert_eq!((&*a.column, &*kind.column, &a.of[..]), ("a", "kind", &["y".to_owned()][..]));
    // 3a, and a half of the kind's 1, a hundred times.
    for point in &a.points {
        let (expected, found) = (100.0 * (3.0 * point.number.unwrap() + 0.5), point.means[0]);
        assert!((found - expected).abs() < 15.0, "{point:?}: {expected}");
    }
    assert!(a.points.len() == 25 && a.points.is_sorted_by(|a, b| a.number < b.number));
    let mean =
        |text: &str| kind.points.iter().find(|point| point.text.as_deref() == Some(text)).unwrap().means[0];
    assert!((mean("high") - mean("low") - 100.0).abs() < 15.0, "{kind:?}");
    assert_eq!(explanation.worst.len(), 3);
    assert!(explanation.worst.is_sorted_by(|a, b| a.loss >= b.loss));
    let worst = &explanation.worst[0];
    assert_eq!(worst.place, format!("line {}", worst.row + 2));
    let truth = new.columns()[3].number(worst.row as usize).unwrap();
    assert!((worst.truth.parse::<f64>().unwrap() - truth).abs() < 1e-3);
}

#[test]
fn classes_are_explained_too() {
    let iris = Table::bundled("iris").unwrap();
    let predictor = trained(&iris, 1, 30);
    let explanation = predictor.explain(&iris, ExplainOptions::default()).unwrap();
    assert!(explanation.importance[0].column.starts_with("petal"), "{:?}", explanation.importance);
    for dependence in &explanation.dependence {
        assert_eq!(dependence.of.len(), 3);
        for point in &dependence.points {
            assert!((point.means.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{point:?}");
        }
    }
    let worst = &explanation.worst[0];
    assert!((worst.loss + worst.probability.unwrap().ln()).abs() < 1e-4, "{worst:?}");
    let none = ExplainOptions { repeats: 0, ..Default::default() };
    assert!(matches!(predictor.explain(&iris, none), Err(Error::Setting(_))));
}
