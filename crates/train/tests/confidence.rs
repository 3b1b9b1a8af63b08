//! Intervals hold what they say.

use downhill_data::{ReadOptions, Table};
use downhill_schedule::Cosine;
use downhill_train::{Error, Network, Predictions, Predictor, Trainer};

/// A table with the columns `a`, `b`, `kind` and `y`; y = 3a + what the kind says + noise as wide as `b`.
fn table(rows: usize, seed: u64) -> Table {
    // Knuth's generator: the high bits are random enough.
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    (0..8).for_each(|_| drop(uniform()));
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
