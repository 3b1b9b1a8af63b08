//! Cross-validation: which rows each fold trains on, and which it validates on.

use downhill_data::{Error, Folds, ReadOptions, Split, Table, Targets, Task, TimeOrder, folds};

fn table(text: &str) -> Table {
    Table::parse("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn by_group(count: usize, column: &str) -> Folds {
    Folds { group_by: Some(column.into()), ..Folds::new(count) }
}

fn in_time(count: usize, order: TimeOrder) -> Folds {
    Folds { time_split: Some(order), ..Folds::new(count) }
}

/// Every row that has a target is held out once, and is trained on in all other folds.
fn partitions(splits: &[Split], rows: &[u32]) {
    let mut held: Vec<u32> = splits.iter().flat_map(|split| split.valid.clone()).collect();
    held.sort_unstable();
    assert_eq!(held, rows);
    for split in splits {
        let mut all = [&split.train[..], &split.valid].concat();
        all.sort_unstable();
        assert_eq!(all, rows);
        assert!(split.train.is_sorted() && split.valid.is_sorted());
    }
}

#[test]
fn every_row_is_held_out_once_and_classes_are_spread_evenly() {
    // 7 of `a`, 12 of `b`, 26 of `c`, and every ninth row without a target.
    let class = |i: usize| {
        if i < 7 {
            "a"
        } else if i < 19 {
            "b"
        } else {
            "c"
        }
    };
    let rows: Vec<String> =
        (0..50).map(|i| format!("{i},{}", if i % 9 == 8 { "" } else { class(i) })).collect();
    let table = table(&format!("x,y\n{}\n", rows.join("\n")));
    let with_target: Vec<u32> = (0..50).filter(|i| i % 9 != 8).collect();
    for count in [2, 3, 5, 7] {
        let splits = folds(&table, 1, Task::Classification, &Folds::new(count), 3).unwrap();
        partitions(&splits, &with_target);
        let spread = |of: &dyn Fn(&u32) -> bool| {
            let sizes: Vec<usize> =
                splits.iter().map(|split| split.valid.iter().filter(|row| of(row)).count()).collect();
            sizes.iter().max().unwrap() - sizes.iter().min().unwrap()
        };
        assert!(spread(&|_| true) <= 1);
        for of in ["a", "b", "c"] {
            assert!(spread(&|&row| class(row as usize) == of) <= 1, "{of} in {count} folds");
        }
    }
    let two = |seed| folds(&table, 1, Task::Classification, &Folds::new(4), seed).unwrap();
    assert_eq!(two(1), two(1));
    assert_ne!(two(1), two(2));
    // If this changes, runs made before can no longer be replayed.
    assert_eq!(two(1)[0].valid, [0, 5, 9, 14, 18, 22, 25, 29, 33, 40, 43, 49]);
}

#[test]
fn the_only_row_of_a_class_is_always_trained_on() {
    let table = table("x,y\n1,a\n2,a\n3,a\n4,b\n5,b\n6,only\n7,a\n8,b\n9,a\n10,b\n11,a\n12,b\n");
    for data in table.target("y").folds(&Folds::new(3), 0).unwrap() {
        let Targets::Classes { labels, classes } = &data.train.y else { panic!() };
        assert_eq!(*classes, 3);
        assert_eq!(labels.iter().filter(|&&label| label == 2).count(), 1);
        assert_eq!(data.valid.rows() + data.train.rows(), 12);
    }
}

#[test]
fn rows_of_a_group_are_never_on_both_sides() {
    // Groups of 1 to 12 rows, some rows without a group; the classes come in groups too.
    let group = |i: usize| (0..).find(|g| i < (g + 1) * (g + 2) / 2).unwrap();
    let rows: Vec<String> = (0..78)
        .map(|i| {
            let name = if i % 17 == 3 { String::new() } else { format!("g{}", group(i)) };
            format!("{i},{name},{}", ["no", "yes"][usize::from((i * 7) % 10 < 3)])
        })
        .collect();
    let table = table(&format!("x,who,y\n{}\n", rows.join("\n")));
    for (count, seed) in [(2, 0), (3, 1), (4, 2), (5, 3)] {
        let splits = folds(&table, 2, Task::Classification, &by_group(count, "who"), seed).unwrap();
        partitions(&splits, &(0..78).collect::<Vec<_>>());
        let name = |row: u32| table.columns()[1].text(row as usize).map(|name| name.into_owned());
        for split in &splits {
            let trained: std::collections::HashSet<_> = split.train.iter().map(|&row| name(row)).collect();
            assert!(split.valid.iter().all(|&row| !trained.contains(&name(row))));
        }
        // The largest group has 12 rows; nothing is further from an even share.
        let share = 78 / count;
        assert!(splits.iter().all(|split| split.valid.len().abs_diff(share) <= 12), "{count}");
        let yes = |split: &Split| split.valid.iter().filter(|&&row| (row * 7) % 10 < 3).count();
        let all: usize = splits.iter().map(yes).sum();
        assert!(splits.iter().all(|split| yes(split).abs_diff(all / count) <= 4), "{count}");
    }
    // The group is no input.
    let data = table.target("y").folds(&by_group(3, "who"), 0).unwrap();
    assert!(data.iter().all(|data| data.encoder.as_ref().unwrap().feature_names() == ["x"]));
    assert!(data[0].encoder.as_ref().unwrap().check(&table).unwrap().is_empty());
}

#[test]
fn what_is_validated_on_comes_after_what_is_trained_on() {
    let rows: Vec<String> = (0..30).map(|i| format!("2024-03-{:02},{}", 1 + (i * 7) % 10, i % 4)).collect();
    let table = table(&format!("day,y\n{}\n", rows.join("\n")));
    let day = |row: u32| (row * 7) % 10;
    let order = TimeOrder::Column("day".into());
    let splits = folds(&table, 1, Task::Regression, &in_time(4, order), 9).unwrap();
    assert_eq!(splits.len(), 4);
    let mut before = 0;
    for split in &splits {
        let last = split.train.iter().map(|&row| day(row)).max().unwrap();
        assert!(split.valid.iter().all(|&row| day(row) > last), "a day is on one side alone");
        assert!(split.train.len() > before && !split.valid.is_empty());
        before = split.train.len();
    }
    assert_eq!(splits[3].train.len() + splits[3].valid.len(), 30);
    assert!(splits.windows(2).all(|pair| pair[1].train.len() == pair[0].train.len() + pair[0].valid.len()));

    let splits = folds(&table, 1, Task::Regression, &in_time(4, TimeOrder::File), 9).unwrap();
    let ranges: Vec<(usize, u32)> =
        splits.iter().map(|split| (split.train.len(), *split.valid.last().unwrap())).collect();
    assert_eq!(ranges, [(6, 11), (12, 17), (18, 23), (24, 29)]);
}

#[test]
fn a_fold_learns_from_the_rows_that_it_trains_on() {
    let rows: Vec<String> = (0..40).map(|i| format!("{},{i}", i * i)).collect();
    let table = table(&format!("x,y\n{}\n", rows.join("\n")));
    let all = table.clone().target("y").task(Task::Regression).folds(&Folds::new(4), 5).unwrap();
    for (number, data) in all.iter().enumerate() {
        let Targets::Values(values) = &data.train.y else { panic!() };
        let mean = values.iter().sum::<f32>() / 30.0;
        assert!(mean.abs() < 1e-5, "standardised by what is trained on: {mean}");
        let alone = table.target("y").task(Task::Regression).fold(&Folds::new(4), number, 5).unwrap();
        assert_eq!(&alone, data);
    }
}

#[test]
fn folds_that_cannot_be_say_why() {
    let text = "x,when,who,y\n1,a,p,0\n2,b,p,1\n3,c,q,0\n4,d,q,1\n5,e,q,0\n6,f,q,1\n";
    let table = table(text);
    let why = |folds: &Folds| match table.target("y").folds(folds, 0).unwrap_err() {
        Error::Folds(why) => why,
        other => other.to_string(),
    };
    let both = Folds { time_split: Some(TimeOrder::File), ..by_group(2, "who") };
    for (folds, says) in [
        (Folds::new(1), "at least 2 folds, and not 1"),
        (Folds::new(7), "t.csv has 6 rows with a target: too few for 7 folds"),
        (by_group(3, "who"), "t.csv has 2 groups by `who`: too few for 3 folds"),
        (by_group(2, "y"), "`y` is the target"),
        (by_group(2, "whom"), "whom"),
        (
            in_time(2, TimeOrder::Column("when".into())),
            "t.csv, line 2, column `when`: `a` is neither a number nor a date",
        ),
        (in_time(6, TimeOrder::File), "cannot be cut into the 7 parts in time that 6 folds need"),
        (both, "either by group or in the order of time"),
    ] {
        assert!(why(&folds).contains(says), "{says}: {}", why(&folds));
    }
    assert!(table.target("y").fold(&Folds::new(2), 2, 0).unwrap_err().to_string().contains("no fold 2"));
}
