//! The encoder against scikit-learn: `StandardScaler`, after `SimpleImputer` where numbers are missing.

use downhill_data::{Encoder, ReadOptions, Table, Targets, Task, bundled};
use serde_json::Value;

fn golden() -> Value {
    serde_json::from_str(include_str!("golden/data.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

fn assert_close(ours: f64, theirs: f64, tolerance: f64, what: &str) {
    assert!((ours - theirs).abs() <= tolerance * theirs.abs().max(1e-3), "{what}: {ours} is not {theirs}");
}

#[test]
fn bundled_tables_are_standardised_as_scikit_learn_does() {
    let golden = golden();
    for entry in bundled::catalogue() {
        let golden = &golden[entry.name];
        let table = Table::bundled(entry.name).unwrap();
        let rows: Vec<u32> = (0..table.rows() as u32).filter(|row| row % 3 != 2).collect();
        let target = table.column_index(entry.target).unwrap();
        let encoder = Encoder::fit(&table, &rows, target, entry.task).unwrap();

        // The statistics in full precision, from the saved form.
        let saved = serde_json::to_value(&encoder).unwrap();
        let inputs = saved["inputs"].as_array().unwrap();
        let (means, stds) = (numbers(&golden["mean"]), numbers(&golden["std"]));
        assert_eq!(inputs.len(), means.len(), "{}", entry.name);
        for (input, (mean, std)) in inputs.iter().zip(means.into_iter().zip(stds)) {
            let learnt = &input["encoding"]["number"];
            assert_close(learnt["mean"].as_f64().unwrap(), mean, 1e-12, entry.name);
            assert_close(learnt["std"].as_f64().unwrap(), std, 1e-12, entry.name);
        }

        let examples = encoder.encode(&table, &rows).unwrap();
        for (row, theirs) in golden["rows"].as_array().unwrap().iter().enumerate() {
            for (&ours, theirs) in examples.row(row).iter().zip(numbers(theirs)) {
                assert_close(ours.into(), theirs, 1e-6, entry.name);
            }
        }
        if entry.task == Task::Regression {
            let theirs = numbers(&golden["target"]);
            let (mean, std) = encoder.target_scale();
            assert_close(mean, theirs[0], 1e-12, "mean of the target");
            assert_close(std, theirs[1], 1e-12, "deviation of the target");
            let Targets::Values(values) = examples.y else { panic!("not numbers") };
            let first = table.columns()[target].number(0).unwrap();
            assert_close(f64::from(values[0]) * std + mean, first, 1e-6, "target");
        }
    }
}

#[test]
fn missing_numbers_are_the_median_and_told() {
    let golden = golden();
    let column = golden["missing"]["column"].as_array().unwrap();
    let text: String = column
        .iter()
        .enumerate()
        .map(|(row, value)| {
            format!("{},{}\n", value.as_f64().map(|v| v.to_string()).unwrap_or_default(), row % 2)
        })
        .collect();
    let table = Table::parse("missing", text.as_bytes(), &ReadOptions::default()).unwrap();
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    let encoder = Encoder::fit(&table, &rows, 1, Task::Classification).unwrap();
    assert_eq!(encoder.feature_names(), ["c0", "c0:missing"]);
    let examples = encoder.encode(&table, &rows).unwrap();
    for (row, (theirs, value)) in numbers(&golden["missing"]["scaled"]).into_iter().zip(column).enumerate() {
        assert_close(examples.row(row)[0].into(), theirs, 1e-6, "missing");
        assert_eq!(examples.row(row)[1], if value.is_null() { 1.0 } else { 0.0 });
    }
}
