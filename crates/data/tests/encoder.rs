//! What the encoder learns, and how it meets other tables.

use downhill_data::{Encoder, Examples, ReadOptions, RowNumbers, Table, Targets, Task};

fn parse(text: &str) -> Table {
    Table::parse("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn all(table: &Table) -> Vec<u32> {
    (0..table.rows() as u32).collect()
}

fn fit(table: &Table, target: &str) -> Encoder {
    let target = table.column_index(target).unwrap();
    Encoder::fit(table, &all(table), target, Task::of(table, target).unwrap()).unwrap()
}

#[test]
fn categories_get_a_slot_each_and_the_rare_and_unseen_ones_share_one() {
    let mut text = "colour,plain,y\n".to_owned();
    for (colour, rows) in [("red", 4), ("blue", 3), ("pink", 1), ("teal", 1), ("", 2)] {
        for row in 0..rows {
            text += &format!("{colour},{},{}\n", row % 2, if row % 2 == 0 { "p" } else { "q" });
        }
    }
    let table = parse(&text);
    let encoder = fit(&table, "y");
    let names = ["colour=blue", "colour=red", "colour:missing", "colour:other", "plain"];
    assert_eq!(encoder.feature_names(), names);
    let x = encoder.encode_features(&parse("colour,plain\nred,0\npink,0\ngreen,1\n?,0\n")).unwrap();
    let slots: Vec<&[f32]> = x.chunks(5).map(|row| &row[..4]).collect();
    assert_eq!(slots[0], [0.0, 1.0, 0.0, 0.0]);
    assert_eq!(slots[1], [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(slots[2], [0.0, 0.0, 0.0, 1.0]);
    assert_eq!(slots[3], [0.0, 0.0, 1.0, 0.0]);
}

#[test]
fn unseen_categories_are_all_zero_where_no_shared_slot_was_trained() {
    let encoder = fit(&parse("c,y\na,p\nb,q\na,p\nb,q\n"), "y");
    let other = parse("c\na\nz\n?\nz\nb\n");
    let x = encoder.encode_features(&other).unwrap();
    assert_eq!(x, [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    assert_eq!(encoder.check(&other).unwrap(), ["Column `c` has 1 category never seen in training: `z`."]);
}

#[test]
fn categories_never_seen_are_told_though_rare_ones_share_a_slot_with_them() {
    let days = |year: usize| -> String {
        // Twenty frequent days, and a tenth of the rows on days of their own.
        let day =
            |i: usize| if i % 10 == 9 { format!("{year}-rare-{i}") } else { format!("{year}-01-{}", i % 20) };
        (0..400).map(|i| format!("{},{},{}\n", day(i), i % 7, i % 2)).collect()
    };
    let header = "day,x,y\n";
    let encoder = fit(&parse(&format!("{header}{}", days(2024))), "y");
    assert!(encoder.feature_names().contains(&"day:other".to_owned()));
    let check = |text: &str| encoder.check(&parse(&format!("{header}{text}"))).unwrap();
    assert!(check(&days(2024)).is_empty());
    // Other rare days, and no more of them.
    assert!(check(&days(2024).replace("rare", "odd")).is_empty());
    let notes = check(&days(1999));
    assert_eq!(notes.len(), 1, "{notes:?}");
    let parts = ["Column `day`: 100 % of its values", "where 10 % were not", "never seen: `1999-01-0`"];
    assert!(parts.iter().all(|part| notes[0].contains(part)), "{notes:?}");
    // A model saved before the share was kept says nothing.
    let saved = serde_json::to_value(&encoder).unwrap();
    let mut old = saved.clone();
    let removed = old["inputs"][0]["encoding"]["categories"].as_object_mut().unwrap().remove("rare");
    assert_eq!(removed, Some(0.1.into()));
    let old: Encoder = serde_json::from_value(old).unwrap();
    assert!(old.check(&parse(&format!("{header}{}", days(1999)))).unwrap().is_empty());
}

#[test]
fn keys_and_constant_columns_are_left_out_and_named() {
    let mut text = "name,flat,gone,x,y\n".to_owned();
    for row in 0..40 {
        text += &format!("person {row},7,,{},{}\n", row % 5, row % 2);
    }
    let data = parse(&text).target("y").split(0.25, 7).unwrap();
    let encoder = data.encoder.unwrap();
    assert_eq!(encoder.dropped(), ["name", "flat", "gone"]);
    assert_eq!(encoder.feature_names(), ["x"]);
    assert!(data.notes.iter().any(|n| n.contains("`flat` is left out: constant")), "{:?}", data.notes);
    assert!(
        data.notes.iter().any(|n| n.contains("`name` is left out: text that differs")),
        "{:?}",
        data.notes
    );
}

#[test]
fn a_column_that_only_numbers_the_rows_is_left_out() {
    // As pandas and R write it: sorted, so that it would tell the class of every row that is held out.
    let mut text = "\"\",x,y\n".to_owned();
    for row in 0..40 {
        text += &format!("{row},{},{}\n", row * 7 % 5, if row < 20 { "p" } else { "q" });
    }
    let learnt = |options: &ReadOptions, text: &str| {
        let table = Table::parse("t.csv", text.as_bytes(), options).unwrap();
        let data = table.target("-1").split(0.25, 7).unwrap();
        (data.encoder.unwrap(), data.notes)
    };
    let (encoder, notes) = learnt(&ReadOptions::default(), &text);
    assert_eq!(encoder.feature_names(), ["x"]);
    assert_eq!(encoder.dropped(), ["c0"]);
    assert!(notes.iter().any(|note| note.contains("`c0` is left out: it numbers the rows")), "{notes:?}");
    // New rows may have one of their own, or none.
    assert_eq!(
        encoder.encode_features(&parse("\"\",x\n77,3\n")).unwrap(),
        encoder.encode_features(&parse("x\n3\n")).unwrap()
    );

    let numeric = ReadOptions { numeric: vec!["c0".into()], ..ReadOptions::default() };
    let kept = ReadOptions { row_numbers: Some(RowNumbers::Keep), ..ReadOptions::default() };
    for options in [numeric, kept] {
        assert_eq!(learnt(&options, &text).0.feature_names(), ["c0", "x"]);
    }
    // There is nothing else to learn from.
    let alone: String = (0..40).map(|row| format!("{row},{}\n", 2 * row + 1)).collect();
    assert_eq!(learnt(&ReadOptions::default(), &alone).0.feature_names(), ["c0"]);
}

#[test]
fn a_constant_with_gaps_becomes_its_gaps() {
    let encoder = fit(&parse("a,y\n5,p\n,q\n5,p\n,q\n"), "y");
    assert_eq!(encoder.feature_names(), ["a:missing"]);
    assert_eq!(encoder.encode_features(&parse("a\n9\n?\n")).unwrap(), [0.0, 1.0]);
}

#[test]
fn columns_go_by_name_where_there_are_names() {
    let table = parse("a,b,y\n1,10,p\n2,30,q\n3,20,p\n4,50,q\n");
    let encoder = fit(&table, "y");
    let straight = encoder.encode_features(&table).unwrap();
    let other = parse("note,y,b,a\nfoo,p,10,1\nbar,q,30,2\nfoo,p,20,3\nbar,q,50,4\n");
    assert_eq!(encoder.encode_features(&other).unwrap(), straight);
    assert_eq!(encoder.encode(&other, &all(&other)).unwrap(), encoder.encode(&table, &all(&table)).unwrap());
    assert_eq!(encoder.check(&other).unwrap(), ["`note` is ignored: the model was trained without it."]);
    assert_eq!(encoder.target_column(&other).unwrap(), Some(1));
    assert!(encoder.check(&table).unwrap().is_empty());
}

#[test]
fn columns_go_by_position_where_there_are_none() {
    let table = parse("p,1,10\nq,2,30\np,3,20\nq,4,50\n");
    assert!(!table.has_header());
    let encoder = fit(&table, "0");
    assert_eq!(encoder.feature_names(), ["c1", "c2"]);
    let straight = encoder.encode_features(&table).unwrap();
    let without = parse("1,10\n2,30\n3,20\n4,50\n");
    assert_eq!(encoder.encode_features(&without).unwrap(), straight);
    assert_eq!(encoder.target_column(&without).unwrap(), None);
    let with_names = parse("y,a,b\np,1,10\nq,2,30\np,3,20\nq,4,50\n");
    assert_eq!(encoder.encode_features(&with_names).unwrap(), straight);
    assert!(encoder.check(&with_names).unwrap()[0].contains("matched by position"));
    assert!(encoder.encode_features(&parse("1\n2\n")).is_err());
}

#[test]
fn a_first_line_of_the_names_learnt_is_a_header_whatever_it_looks_like() {
    let read = |text: &str, options: ReadOptions| Table::parse("t.csv", text.as_bytes(), &options).unwrap();
    let text = "name,2001,2002,y\na,0.31,0.77,p\nb,0.5,0.2,q\na,0.1,0.9,p\nb,0.4,0.9,q\n";
    let table = read(text, ReadOptions { header: Some(true), ..ReadOptions::default() });
    let encoder = fit(&table, "y");
    let known = || ReadOptions { known: Some(encoder.known()), ..ReadOptions::default() };
    assert!(!read(text, ReadOptions::default()).has_header());
    let other = "2002,name,2001\n0.77,a,0.31\n0.2,b,0.5\n0.9,a,0.1\n0.9,b,0.4\n";
    for text in [text, other] {
        let again = read(text, known());
        assert!(again.has_header() && again.rows() == 4 && again.notes().is_empty(), "{:?}", again.notes());
        assert_eq!(encoder.encode_features(&again).unwrap(), encoder.encode_features(&table).unwrap());
        assert!(encoder.check(&again).unwrap().is_empty());
    }
    // A row is still a row, and what is said still goes first.
    assert!(!read("a,0.5,0.2,p\n", known()).has_header());
    assert!(!read(text, ReadOptions { header: Some(false), ..known() }).has_header());
    let bare = parse("1,p\n2,q\n3,p\n4,q\n");
    // Columns without names name none.
    let options = ReadOptions { known: Some(fit(&bare, "1").known()), ..ReadOptions::default() };
    assert!(!read("1,p\n2,q\n", options).has_header());
}

#[test]
fn columns_left_out_on_request_may_be_there_or_not() {
    let text = "id,a,y\n7,1,p\n8,2,q\n9,3,p\n10,4,q\n";
    let options = ReadOptions { drop: vec!["id".into()], ..ReadOptions::default() };
    let table = Table::parse("t.csv", text.as_bytes(), &options).unwrap();
    let encoder = fit(&table, "-1");
    assert_eq!(encoder.feature_names(), ["a"]);
    assert!(encoder.check(&parse(text)).unwrap().is_empty());
    assert_eq!(
        encoder.encode_features(&parse("a\n1\n2\n3\n4\n")).unwrap(),
        encoder.encode_features(&table).unwrap()
    );

    let options = ReadOptions { drop: vec!["0".into()], ..ReadOptions::default() };
    let bare = "7,1,p\n8,2,q\n9,3,p\n10,4,q\n";
    let table = Table::parse("t.csv", bare.as_bytes(), &options).unwrap();
    assert_eq!(table.columns()[0].name(), "c1");
    assert_eq!(table.column_index("-1").unwrap(), 1);
    let encoder = fit(&table, "2");
    assert_eq!(encoder.encode_features(&parse(bare)).unwrap(), encoder.encode_features(&table).unwrap());
}

#[test]
fn categories_and_labels_that_are_numbers_match_however_they_are_spelt() {
    let table = parse("c,y\n1,1.0\n2,2.0\nx,1.0\n1,2.0\n2,1.0\nx,2.0\n");
    let encoder = fit(&table, "y");
    assert_eq!(encoder.classes(), ["1", "2"]);
    assert_eq!(encoder.feature_names(), ["c=1", "c=2", "c=x"]);
    let other = parse("c,y\n1.0,'2'\n2.0,'1.'\n");
    let examples = encoder.encode(&other, &[0, 1]).unwrap();
    assert_eq!(examples.x, [1.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(examples.y, Targets::Classes { labels: vec![1, 0], classes: 2 });
}

#[test]
fn a_full_stop_matters_where_both_labels_are_known() {
    let encoder = fit(&parse("x,y\n1,a\n2,a.\n3,a\n4,a.\n"), "y");
    let examples: Examples = encoder.encode(&parse("x,y\n1,a.\n2,a\n"), &[0, 1]).unwrap();
    assert_eq!(examples.y, Targets::Classes { labels: vec![1, 0], classes: 2 });
}

#[test]
fn missing_numbers_where_training_had_none_are_told() {
    let encoder = fit(&parse("a,y\n1,p\n2,q\n9,p\n4,q\n"), "y");
    let other = parse("a\n?\n3\n");
    let x = encoder.encode_features(&other).unwrap();
    // The median and the mean of 1, 2, 9, 4 are 3 and 4.
    assert_eq!(x[0], x[1]);
    assert!(encoder.check(&other).unwrap()[0].contains("has 1 missing value and had none in training"));
}

#[test]
fn forced_categories_keep_their_spelling() {
    let text = "zip,y\n01,1\n1,2\n01,1\n1,2\n";
    let options = ReadOptions { categorical: vec!["zip".into(), "y".into()], ..ReadOptions::default() };
    let table = Table::parse("t.csv", text.as_bytes(), &options).unwrap();
    let encoder = fit(&table, "y");
    assert_eq!(encoder.feature_names(), ["zip=01", "zip=1"]);
    assert_eq!(encoder.task(), Task::Classification);
}

#[test]
fn at_most_256_categories_of_a_column_are_kept() {
    let mut text = "city,x,y\n".to_owned();
    for row in 0..3000 {
        text += &format!("city {},{},{}\n", row % 400, row % 13, row % 2);
    }
    let encoder = fit(&parse(&text), "y");
    assert_eq!(encoder.features(), 256 + 1 + 1);
}

#[test]
fn a_saved_encoder_is_the_same_encoder() {
    let table = parse("a,b,c,y\n0.1,u,5,1.1\n0.7,v,,2.3\n1e-7,u,5,0.3\n123456.789,v,,1e10\n");
    let encoder = fit(&table, "y");
    let saved = serde_json::to_string(&encoder).unwrap();
    let again: Encoder = serde_json::from_str(&saved).unwrap();
    assert_eq!(encoder, again);
    assert_eq!(encoder.encode(&table, &all(&table)).unwrap(), again.encode(&table, &all(&table)).unwrap());
    assert!(serde_json::from_str::<Encoder>(&saved.replace("\"width\"", "\"wdith\"")).is_err());
    // A damaged one is an error, at the latest when it is used.
    let damaged = saved.replace("\"number\":0", "\"number\":18446744073709551615");
    let damaged: Encoder = serde_json::from_str(&damaged).unwrap();
    let bare = Table::parse("t", b"1,u,5,1\n", &ReadOptions::default()).unwrap();
    assert!(damaged.encode_features(&bare).is_err());
}

#[test]
fn validation_rows_of_their_own() {
    let train = parse("a,y\n1,p\n2,q\n3,p\n4,q\n");
    let valid = parse("y,a,z\np,1,0\nq,2,0\n,3,1\n");
    let data = train.target("y").validate_on(&valid).unwrap();
    assert_eq!((data.train.rows(), data.valid.rows()), (4, 2));
    assert_eq!(data.train.row(0), data.valid.row(0));
    assert!(data.notes.iter().any(|note| note.contains("`z` is ignored")), "{:?}", data.notes);
    assert!(data.notes.iter().any(|note| note.contains("1 row of t.csv without")), "{:?}", data.notes);
    assert!(train.target("y").validate_on(&parse("a\n1\n2\n")).is_err());
}

#[test]
fn the_task_is_chosen_from_the_target() {
    let task = |values: &[&str]| {
        let text: String = values.iter().map(|value| format!("1,{value}\n")).collect();
        Task::of(&parse(&text), 1).unwrap()
    };
    use Task::{Classification, Regression};
    assert_eq!(task(&["a", "b", "c"]), Classification);
    assert_eq!(task(&["0", "1", "0"]), Classification);
    assert_eq!(task(&["0.5", "1", "0"]), Regression);
    assert_eq!(task(&["1.0", "2.0", "1.0", "3.0", "3.0", "2.0"]), Classification);
    assert_eq!(task(&["2", "4", "6", "8", "10"]), Regression);
    let many: Vec<String> = (0..2100).map(|i| (i % 21).to_string()).collect();
    assert_eq!(task(&many.iter().map(String::as_str).collect::<Vec<_>>()), Regression);
    let few: Vec<String> = (0..200).map(|i| (i % 20 - 5).to_string()).collect();
    assert_eq!(task(&few.iter().map(String::as_str).collect::<Vec<_>>()), Classification);
    assert_eq!("regression".parse::<Task>().unwrap(), Regression);
    assert!("regresion".parse::<Task>().is_err());
}
