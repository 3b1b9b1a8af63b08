//! Real tables, where they are at hand: in the folder `DOWNHILL_SHARED_DATA`, or in `shared/data` beside the
//! repository. They are not part of it; where they are absent, these tests say so and pass.

mod shared;

use downhill_data::{Dataset, Encoder, Kind, Table, Targets, Task};
use shared::shared;

fn note<'a>(data: &'a Dataset, words: &str) -> &'a str {
    let found = data.notes.iter().find(|note| note.contains(words));
    found.unwrap_or_else(|| panic!("no note with {words:?} in {:#?}", data.notes))
}

#[test]
fn every_table_loads_with_its_task() {
    let expected = [
        ("abalone.csv", 4177, 9, None, 10),
        ("adult-train.csv", 32561, 15, Some(2), 0),
        ("adult-test.csv", 16281, 15, Some(2), 0),
        ("auto_imports.csv", 201, 26, None, 0),
        ("banknote_authentication.csv", 1372, 5, Some(2), 4),
        ("german.csv", 1000, 21, Some(2), 0),
        ("glass.csv", 214, 10, Some(6), 9),
        ("ionosphere.csv", 351, 35, Some(2), 33),
        ("mammography.csv", 11183, 7, Some(2), 6),
        ("phoneme.csv", 5404, 6, Some(2), 5),
        ("pima-indians-diabetes.csv", 768, 9, Some(2), 8),
        ("wheat-seeds.csv", 210, 8, Some(3), 7),
        ("winequality-white.csv", 4898, 12, Some(7), 11),
    ];
    for (file, rows, columns, classes, features) in expected {
        let Some(path) = shared(file) else { continue };
        let table = Table::open(&path).unwrap();
        assert_eq!((table.rows(), table.columns().len()), (rows, columns), "{file}");
        assert!(!table.has_header(), "{file}");
        assert!(table.notes().is_empty(), "{file}: {:?}", table.notes());
        let data = table.default_target().split(0.2, 7).unwrap();
        let encoder = data.encoder.as_ref().unwrap();
        assert_eq!(data.train.rows() + data.valid.rows(), rows, "{file}");
        assert_eq!(data.task() == Task::Classification, classes.is_some(), "{file}");
        assert_eq!(data.outputs(), classes.unwrap_or(1), "{file}");
        assert_eq!(data.features(), encoder.feature_names().len(), "{file}");
        if features > 0 {
            assert_eq!(data.features(), features, "{file}: {:?}", encoder.feature_names());
        }
        note(&data, &format!("The target is the last column, `c{}`", columns - 1));
        let saved = serde_json::to_string(encoder).unwrap();
        assert_eq!(*encoder, serde_json::from_str::<Encoder>(&saved).unwrap(), "{file}");
    }
}

#[test]
fn labels_of_the_adult_test_file_match_though_they_end_in_a_full_stop() {
    let (Some(train), Some(test)) = (shared("adult-train.csv"), shared("adult-test.csv")) else { return };
    let (train, test) = (Table::open(train).unwrap(), Table::open(test).unwrap());
    let data = train.target("-1").validate_on(&test).unwrap();
    let encoder = data.encoder.as_ref().unwrap();
    assert_eq!(encoder.classes(), ["<=50K", ">50K"]);
    let Targets::Classes { labels, .. } = &data.valid.y else { panic!("not classes") };
    assert_eq!(labels.len(), 16281);
    assert_eq!(labels.iter().filter(|&&label| label == 1).count(), 3846);
    // Missing in training often enough for a feature of its own.
    assert!(encoder.feature_names().contains(&"c1:missing".to_owned()));
}

#[test]
fn labels_of_all_spellings() {
    let classes = |file: &str| -> Option<Vec<String>> {
        let data = Table::open(shared(file)?).unwrap().target("-1").split(0.25, 1).unwrap();
        Some(data.encoder.unwrap().classes().to_vec())
    };
    let expected: [(&str, &[&str]); 5] = [
        ("mammography.csv", &["-1", "1"]),
        ("glass.csv", &["1", "2", "3", "5", "6", "7"]),
        ("ionosphere.csv", &["b", "g"]),
        ("german.csv", &["1", "2"]),
        ("winequality-white.csv", &["3", "4", "5", "6", "7", "8", "9"]),
    ];
    for (file, expected) in expected {
        let Some(found) = classes(file) else { continue };
        assert_eq!(found, expected, "{file}");
    }
}

#[test]
fn the_constant_column_of_ionosphere_is_dropped_and_named() {
    let Some(path) = shared("ionosphere.csv") else { return };
    let data = Table::open(path).unwrap().target("c34").split(0.2, 7).unwrap();
    assert_eq!(data.encoder.as_ref().unwrap().dropped(), ["c1"]);
    note(&data, "Column `c1` is left out: constant");
}

#[test]
fn wine_quality_can_be_predicted_as_a_number() {
    let Some(path) = shared("winequality-white.csv") else { return };
    let table = Table::open(path).unwrap();
    let data = table.default_target().split(0.2, 7).unwrap();
    note(&data, "7 different integers");
    let data = table.default_target().task(Task::Regression).split(0.2, 7).unwrap();
    assert_eq!(data.outputs(), 1);
}

#[test]
fn images_load_with_one_mean_and_deviation() {
    let (Some(images), Some(labels)) =
        (shared("mnist/t10k-images-idx3-ubyte.gz"), shared("mnist/t10k-labels-idx1-ubyte.gz"))
    else {
        return;
    };
    let table = Table::images(&images, Some(&labels)).unwrap();
    assert_eq!((table.rows(), table.columns().len()), (10000, 785));
    assert_eq!(table.columns()[783].kind(), Kind::Pixel);
    let data = table.default_target().split(0.1, 7).unwrap();
    let encoder = data.encoder.as_ref().unwrap();
    assert_eq!((data.features(), data.outputs()), (784, 10));
    assert!(encoder.dropped().is_empty());
    assert_eq!(encoder.feature_names()[783], "p783");

    let n = data.train.x.len() as f64;
    let mean = data.train.x.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    let variance = data.train.x.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>() / n;
    assert!(mean.abs() < 1e-6 && (variance - 1.0).abs() < 1e-6, "{mean} {variance}");

    let saved = serde_json::to_string(encoder).unwrap();
    assert!(saved.len() < 500, "{saved}");
    let unlabelled = Table::images(&images, None).unwrap();
    let x = encoder.encode_features(&unlabelled).unwrap();
    assert_eq!(x.len(), 10000 * 784);
}
