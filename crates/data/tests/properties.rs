//! What holds for any input.

use downhill_data::{Encoder, Error, ReadOptions, Table, Targets, Task, permutation, split};
use proptest::prelude::*;
use std::collections::HashSet;

/// Text as it may stand in a table: with delimiters, quotes and line ends in it, but not looking like a
/// missing value, and neither bounded by spaces nor in single quotes throughout, which reading takes away.
fn value() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9.,;|é\"-][a-zA-Z0-9 ,;|\t\"'.é\n-]{0,6}[b-zB-Z0-9.,;|é\"'-]"
        .prop_filter("a missing value", |text| !text.eq_ignore_ascii_case("nan"))
}

/// A column of numbers, of categories or of both, with values missing.
fn column(rows: usize) -> impl Strategy<Value = Vec<&'static str>> {
    let pools = [
        vec!["1", "2", "2.5", "1e9", "-1."],
        vec!["0", "1", "?"],
        vec!["a", "b", "'a'", "c d"],
        vec!["a", "", "1", "1.0", "inf", "b."],
        vec!["", "?", "1e300", "-1e300", "5e-324"],
        vec!["7"],
    ];
    prop::sample::select(pools.to_vec())
        .prop_flat_map(move |pool| prop::collection::vec(prop::sample::select(pool), rows))
}

/// A table of that many columns, as text.
fn table(columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    (columns, rows).prop_flat_map(|(columns, rows)| prop::collection::vec(column(rows), columns)).prop_map(
        |columns| {
            let row = |row| columns.iter().map(|column| column[row]).collect::<Vec<_>>().join(",") + "\n";
            (0..columns[0].len()).map(row).collect()
        },
    )
}

/// A rectangle of values, as rows.
fn cells() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2..5_usize).prop_flat_map(|width| prop::collection::vec(prop::collection::vec(value(), width), 1..12))
}

proptest! {
    #[test]
    fn what_the_csv_crate_writes_reads_back_the_same(
        cells in cells(),
        delimiter in prop::sample::select(vec![b',', b';', b'\t', b'|', b' ', b':']),
        always in any::<bool>(),
        crlf in any::<bool>(),
    ) {
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .quote_style(if always { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
            .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
            .from_writer(Vec::new());
        for row in &cells {
            writer.write_record(row).unwrap();
        }
        let text = writer.into_inner().unwrap();
        let width = cells[0].len();
        let options = ReadOptions {
            delimiter: Some(delimiter),
            header: Some(false),
            categorical: (0..width).map(|column| format!("c{column}")).collect(),
            ..ReadOptions::default()
        };
        let table = Table::parse("t", &text, &options).unwrap();
        prop_assert_eq!(table.rows(), cells.len());
        for (row, cells) in cells.iter().enumerate() {
            for (column, cell) in table.columns().iter().zip(cells) {
                let found = column.text(row);
                prop_assert_eq!(found.as_deref(), Some(cell.as_str()), "{}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn numbers_read_back_the_same(numbers in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 1..30)) {
        let text: String = numbers.iter().map(|number| format!("{number:e},x\n")).collect();
        let table = Table::parse("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        for (row, &number) in numbers.iter().enumerate() {
            prop_assert_eq!(table.columns()[0].number(row), Some(number));
        }
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Table::parse("t", &bytes, &ReadOptions::default());
    }

    #[test]
    fn no_text_makes_anything_panic(text in "[a-c0-2,;\t\"'?. \r\n-]{0,120}", share in 0.01..0.99, seed in 0..4_u64) {
        let Ok(table) = Table::parse("t", text.as_bytes(), &ReadOptions::default()) else { return Ok(()) };
        for column in 0..table.columns().len() {
            let name = table.columns()[column].name().to_owned();
            for task in [Task::Classification, Task::Regression] {
                let data = match table.target(&name).task(task).split(share, seed) {
                    Ok(data) => data,
                    Err(error) => {
                        prop_assert!(!error.to_string().is_empty());
                        continue;
                    }
                };
                let encoder = data.encoder.unwrap();
                prop_assert_eq!(encoder.features(), encoder.feature_names().len());
                prop_assert_eq!(data.train.x.len(), data.train.rows() * encoder.features());
                prop_assert!(data.train.x.iter().chain(&data.valid.x).all(|x| x.is_finite()));
                let saved = serde_json::to_string(&encoder).unwrap();
                prop_assert_eq!(&serde_json::from_str::<Encoder>(&saved).unwrap(), &encoder);
            }
        }
    }

    #[test]
    fn no_table_makes_anything_panic(
        text in table(3..4, 1..40),
        other in table(2..5, 1..5),
        share in 0.05..0.95,
    ) {
        let options = ReadOptions { delimiter: Some(b','), ..ReadOptions::default() };
        let Ok(table) = Table::parse("t", text.as_bytes(), &options) else { return Ok(()) };
        let other = Table::parse("o", other.as_bytes(), &options);
        for column in 0..3 {
            for task in [Task::Classification, Task::Regression] {
                let target = table.target(&format!("{}", column - 3)).task(task);
                let Ok(data) = target.clone().split(share, 1) else { continue };
                prop_assert!(data.train.x.iter().chain(&data.valid.x).all(|x| x.is_finite()));
                let encoder = data.encoder.unwrap();
                prop_assert_eq!(encoder.encode_features(&table).unwrap().len(), table.rows() * encoder.features());
                if let Ok(other) = &other {
                    let _ = encoder.check(other);
                    let _ = encoder.encode_features(other);
                    let _ = encoder.encode(other, &[0]);
                    let _ = target.validate_on(other);
                }
            }
        }
    }

    #[test]
    fn a_split_is_a_partition_with_the_same_share_of_each_class(
        counts in prop::collection::vec(1..40_usize, 2..6),
        share in 0.01..0.99,
        seed in any::<u64>(),
    ) {
        let mut text = String::new();
        for row in 0..40 {
            for (class, &count) in counts.iter().enumerate() {
                if row < count {
                    text += &format!("{row},k{class}\n");
                }
            }
        }
        let table = Table::parse("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        let rows: usize = counts.iter().sum();
        let parts = match split(&table, 1, Task::Classification, share, seed) {
            Ok(parts) => parts,
            Err(error) => {
                prop_assert!(matches!(error, Error::TooFewRows { .. } | Error::TooManyClasses { .. }), "{}", error);
                return Ok(());
            }
        };
        prop_assert!(parts.train.is_sorted() && parts.valid.is_sorted());
        let together: HashSet<u32> = parts.train.iter().chain(&parts.valid).copied().collect();
        prop_assert_eq!(together.len(), rows);
        prop_assert_eq!(parts.train.len() + parts.valid.len(), rows);
        for (class, &count) in counts.iter().enumerate() {
            let name = format!("k{class}");
            let of_class = |&&row: &&u32| table.columns()[1].text(row as usize).as_deref() == Some(name.as_str());
            let valid = parts.valid.iter().filter(of_class).count();
            prop_assert!(valid < count);
            prop_assert!((valid as f64 - count as f64 * share).abs() <= 1.0, "{} of {} for {}", valid, count, share);
        }
    }

    #[test]
    fn a_permutation_has_every_row_once(length in 0..500_usize, seed in any::<u64>(), epoch in any::<u64>()) {
        let mut order = vec![9; length];
        permutation(&mut order, seed, epoch);
        order.sort_unstable();
        prop_assert!(order.iter().enumerate().all(|(i, &row)| i as u32 == row));
    }

    #[test]
    fn a_regression_target_comes_back_in_its_own_units(numbers in prop::collection::vec(-1e6..1e6_f64, 3..40)) {
        let text: String = numbers.iter().enumerate().map(|(i, y)| format!("{i},{y:.3}\n")).collect();
        let table = Table::parse("t", text.as_bytes(), &ReadOptions::default()).unwrap();
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        let Ok(encoder) = Encoder::fit(&table, &rows, 1, Task::Regression) else { return Ok(()) };
        let (mean, std) = encoder.target_scale();
        let Targets::Values(values) = encoder.encode(&table, &rows).unwrap().y else { panic!("not numbers") };
        for (&value, &number) in values.iter().zip(&numbers) {
            prop_assert!((f64::from(value) * std + mean - number).abs() < 1e-6 * (number.abs() + 10.0 * std) + 1e-3);
        }
    }
}
