//! Every bad input gives one message that says what, where and what to do.

use downhill_data::{Dataset, Encoder, Error, Examples, ReadOptions, Table, Targets, Task, split};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

fn parse(text: &str) -> Result<Table, Error> {
    Table::parse("t.csv", text.as_bytes(), &ReadOptions::default())
}

fn with(text: &str, change: impl Fn(&mut ReadOptions)) -> Result<Table, Error> {
    let mut options = ReadOptions::default();
    change(&mut options);
    Table::parse("t.csv", text.as_bytes(), &options)
}

/// A temporary file; it is gone with the folder.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[track_caller]
fn says<T: std::fmt::Debug>(result: Result<T, Error>, parts: &[&str]) {
    let message = result.unwrap_err().to_string();
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(!message.contains('\n') && !message.contains("  "), "{message:?}");
    assert!(!message.contains("--"), "no flag is named: {message:?}");
}

/// Rows of two numbers and a label, as many of each label as given.
fn labelled(labels: &[(&str, usize)]) -> String {
    let mut text = "a,b,y\n".to_owned();
    for (label, rows) in labels {
        for row in 0..*rows {
            text += &format!("{}.5,{},{label}\n", row % 7, row * 3 % 5);
        }
    }
    text
}

#[test]
fn a_file_that_is_not_there() {
    let (folder, _) = file("adult.csv", b"a,b\n1,2\n");
    says(
        Table::open(folder.path().join("adlt.csv")),
        &["there is no file", "adlt.csv; did you mean", "adult.csv?"],
    );
    says(Table::open("/no/such/place/at-all.xyz"), &["there is no file /no/such/place/at-all.xyz. Give"]);
    // An extension in common makes no likeness.
    std::fs::write(folder.path().join("const.csv"), "a,b\n1,2\n").unwrap();
    let error = Table::open(folder.path().join("nosuch.csv")).unwrap_err().to_string();
    assert!(!error.contains("did you mean"), "{error}");
    says(Table::open(folder.path().join("adult.cvs")), &["did you mean", "adult.csv?"]);
    says(Table::open(folder.path().join("cosnt.csv")), &["did you mean", "const.csv?"]);
    says(Table::open("iriss"), &["did you mean iris?"]);
}

#[test]
fn a_folder_where_a_file_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    says(Table::open(folder.path()), &["is a folder", "Give the path of a file"]);
    says(Table::images(folder.path(), None), &["is a folder"]);
}

#[test]
fn empty_files_and_files_without_rows() {
    for text in ["", "\n\n", " \r\n \r\n", "\u{feff}"] {
        says(parse(text), &["t.csv is empty"]);
    }
    says(parse("a,b,c\n"), &["t.csv has a header line and no rows"]);
    says(with("1,2\n", |o| o.header = Some(true)), &["no rows"]);
}

#[test]
fn ragged_rows() {
    says(
        parse("a,b\n1,2\n\n1,2,3\n1,2\n"),
        &["t.csv, line 4: 3 values where the first line has 2", "delimiter"],
    );
    says(parse("1,2,x\n3\n4,5,y\n"), &["t.csv, line 2: 1 value where the first line has 3"]);
    says(parse("a,b\n1,\"two\nlines\"\n3\n"), &["line 4: 1 value"]);
}

#[test]
fn quotes_never_closed() {
    says(parse("a,b\n1,2\n3,\"x\n4,5\n6,7\n"), &["t.csv, line 3: a quotation mark", "Close it"]);
}

#[test]
fn bytes_that_are_not_text() {
    let latin = Table::parse("t.csv", b"name,y\nJos\xe9,1\n", &ReadOptions::default());
    says(latin, &["t.csv, line 2: not UTF-8", "Name its encoding", "windows-1252", "José"]);
    let wide: Vec<u8> = "a,b\n1,2\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let unmarked = Table::parse("t.csv", &wide, &ReadOptions::default());
    says(unmarked, &["t.csv is not a table of text", "UTF-16LE", "Name its encoding"]);
    let marked = [&[0xff, 0xfe], &wide[..]].concat();
    assert_eq!(Table::parse("t.csv", &marked, &ReadOptions::default()).unwrap().rows(), 1);
    let parse = |bytes| Table::parse("t.csv", bytes, &ReadOptions::default());
    says(parse(b"PK\x03\x04rest"), &["t.csv is not a table of text", "spreadsheet"]);
    says(parse(b"PAR1rest"), &["t.csv is not a table of text", "Parquet"]);
    says(parse(b"a,b\n1,2\0\n"), &["t.csv is not a table of text, which is CSV or TSV"]);
}

#[test]
fn damaged_gzip() {
    let mut gz = GzEncoder::new(Vec::new(), Compression::default());
    gz.write_all(b"a,b\n1,2\n3,4\n").unwrap();
    let bytes = gz.finish().unwrap();
    let (_folder, path) = file("t.csv.gz", &bytes);
    let table = Table::open(&path).unwrap();
    assert_eq!((table.name(), table.rows()), ("t", 2));
    let (_folder, path) = file("t.csv.gz", &bytes[..bytes.len() - 6]);
    says(Table::open(&path), &["cannot read", "t.csv.gz"]);
}

#[test]
fn delimiters_that_cannot_be() {
    for delimiter in [b'"', b'\n', b'a', b'5', 0xe9] {
        says(with("a,b\n1,2\n", |o| o.delimiter = Some(delimiter)), &["cannot be a delimiter"]);
    }
}

#[test]
fn a_target_that_is_not_there() {
    let table = parse("age,income,sex\n1,2,f\n3,4,m\n5,6,f\n").unwrap();
    let error = table.target("incme").split(0.2, 7);
    says(error, &["t.csv has no column `incme`; did you mean `income`?", "`age`, `income`, `sex`"]);
    says(table.target("3").split(0.2, 7), &["no column `3`"]);
    says(table.target("-4").split(0.2, 7), &["no column `-4`"]);
    says(table.target("").split(0.2, 7), &["no column ``"]);
    says(with("a,b\n1,2\n", |o| o.drop = vec!["z".into()]), &["no column `z`"]);
    let both = with("a,b\n1,2\n", |o| {
        o.numeric = vec!["a".into()];
        o.drop = vec!["0".into()];
    });
    says(both, &["column `a` is named by both `numeric` and `drop`"]);
    let wide: Vec<String> = (0..100).map(|i| format!("x{i}")).collect();
    let table = parse(&format!("{}\n{}\n", wide.join(","), vec!["1"; 100].join(","))).unwrap();
    says(table.target("y").split(0.2, 7), &["100 columns, from `x0` to `x99`"]);
}

#[test]
fn a_target_without_values() {
    let table = parse("a,y\n1,\n2,?\n3,NA\n4,nan\n").unwrap();
    says(table.target("y").split(0.2, 7), &["column `y`, has no value in any row", "Choose another"]);
}

#[test]
fn rows_without_a_target_are_left_out_and_told() {
    let text = labelled(&[("x", 10), ("y", 10)]) + "1,2,\n\n3,4,?\n";
    let data = parse(&text).unwrap().target("y").split(0.25, 7).unwrap();
    assert_eq!((data.train.rows(), data.valid.rows()), (15, 5));
    let note = "2 rows of t.csv without a value of the target `y` are left out, the first on line 22.";
    assert!(data.notes.iter().any(|n| n == note), "{:?}", data.notes);

    let table = parse(&text).unwrap();
    says(
        Encoder::fit(&table, &[0, 20], 2, Task::Classification),
        &["t.csv, line 22, column `y`: the target has no"],
    );
}

#[test]
fn one_class() {
    let table = parse(&labelled(&[("yes", 8)])).unwrap();
    says(table.target("y").split(0.2, 7), &["column `y`, has the one class `yes`", "Choose another"]);
    let table = parse("a,y\n1,5\n2,5\n3,5\n4,5\n").unwrap();
    says(table.target("y").split(0.25, 7), &["the one class `5`"]);
    says(table.target("y").task(Task::Regression).split(0.25, 7), &["is 5 in every row to learn from"]);
}

#[test]
fn a_class_with_a_single_row_is_trained_on_and_told() {
    let table = parse(&labelled(&[("x", 10), ("odd", 1), ("y", 10)])).unwrap();
    for seed in 0..20 {
        let data = table.target("y").split(0.2, seed).unwrap();
        let Targets::Classes { labels, .. } = &data.train.y else { panic!("not classes") };
        assert!(labels.contains(&0), "odd is not in training");
        let told = data.notes.iter().any(|note| note.contains("class `odd` (1 row, line 12)"));
        assert!(told, "{:?}", data.notes);
    }
}

#[test]
fn too_few_rows() {
    says(
        parse("a,y\n1,x\n").unwrap().target("y").split(0.2, 7),
        &["t.csv has 1 row with a target: too few", "other data"],
    );
    says(parse("a,y\n1,x\n2,z\n").unwrap().target("y").split(0.2, 7), &["2 rows with a target: too few"]);
    let text = "a,y\n1,1.5\n2,2.5\n3,3.5\n";
    assert_eq!(parse(text).unwrap().target("y").split(0.01, 7).unwrap().valid.rows(), 1);
    assert_eq!(parse(text).map(|t| split(&t, 1, Task::Regression, 0.99, 7).unwrap().train.len()).unwrap(), 1);
    for share in [0.0, 1.0, -0.5, f64::NAN, f64::INFINITY, 20.0] {
        says(parse(text).unwrap().target("y").split(share, 7), &["is not a share", "0.2"]);
    }
}

#[test]
fn a_share_that_leaves_too_few_rows_to_train_on() {
    let iris = Table::bundled("iris").unwrap();
    let parts = ["iris: only 3 of 150 rows with a target are left to train on", "Hold out fewer"];
    says(iris.default_target().split(0.999, 7), &parts);
    let diabetes = Table::bundled("diabetes").unwrap();
    says(
        diabetes.default_target().task(Task::Regression).split(0.9999, 7),
        &["diabetes: only 1 of 442 rows with a target is left to train on", "Hold out fewer"],
    );
}

#[test]
fn numbers_too_large_to_be_told_apart() {
    let text: String = (0..40)
        .map(|i| {
            format!(
                "{},{},{}\n",
                1_000_000_000_000_000_000_u64 + i,
                i % 7,
                if i % 2 == 0 { "p" } else { "q" }
            )
        })
        .collect();
    let data = parse(&format!("id,a,y\n{text}")).unwrap().target("y").split(0.2, 7).unwrap();
    let found = data.notes.iter().find(|note| note.contains("Column `id` has whole numbers too large"));
    let note = found.unwrap_or_else(|| panic!("{:?}", data.notes));
    assert!(note.contains("1000000000000000001 on line 3 is the first"), "{note}");
    // Large ones that are kept are fine.
    let kept = parse("id,y\n9007199254740992,p\n1000000000000000000,q\n-4e300,p\n1e18,q\n").unwrap();
    assert!(kept.notes().is_empty(), "{:?}", kept.notes());
}

#[test]
fn names_with_commas_go_by_number() {
    let text = "\"b, c\",a,y\n1,2,p\n2,3,q\n";
    let by_name = with(text, |o| o.drop = vec!["b".into(), " c".into()]);
    says(by_name, &["no column `b`", "did you mean `b, c`?"]);
    let by_number = with(text, |o| o.drop = vec!["0".into()]).unwrap();
    assert_eq!(by_number.columns().len(), 2);
}

#[test]
fn more_classes_than_can_be_learnt() {
    let text: String = (0..50).map(|i| format!("{i},n{i}\n")).collect();
    says(parse(&text).unwrap().target("-1").split(0.2, 7), &["50 classes in 50 rows", "choose another"]);
    let text: String = (0..50).map(|i| format!("{i},{}.5\n", i * i)).collect();
    let table = parse(&text).unwrap();
    says(table.target("-1").task(Task::Classification).split(0.2, 7), &["50 classes", "regression predicts"]);
    let text: String =
        (0..50).map(|i| if i == 9 { "9,none\n".into() } else { format!("{i},{}.5\n", i * i) }).collect();
    says(
        parse(&text).unwrap().target("-1").split(0.2, 7),
        &["line 10, column `c1`: \"none\" is not a number"],
    );
    let text: String = (0..5000).map(|i| format!("{i},n{}\n", i % 1500)).collect();
    says(parse(&text).unwrap().target("-1").split(0.2, 7), &["1500 classes in 5000 rows"]);
}

#[test]
fn text_in_a_column_of_numbers() {
    let text = "a,y\n1,x\n2,z\nabc,x\n4,z\n";
    let numeric = with(text, |o| o.numeric = vec!["a".into()]);
    says(numeric, &["t.csv, line 4, column `a`: \"abc\" is not a number", "Correct it"]);
    // Without --numeric it is a column of categories, and a note says why.
    let table = parse(text).unwrap();
    assert!(
        table.notes()[0].contains("1 value in it is not a number: \"abc\" on line 4"),
        "{:?}",
        table.notes()
    );
    says(
        parse(text).unwrap().target("y").task(Task::Regression).split(0.5, 7),
        &["line 2, column `y`: \"x\""],
    );
}

#[test]
fn numbers_that_are_not_written_as_numbers() {
    let rows = |value: &dyn Fn(usize) -> String| -> String {
        (0..60).map(|i| format!("{};{};{}\n", i % 7, value(i), if i % 2 == 0 { "p" } else { "q" })).collect()
    };
    // Not all agree: the last is something else.
    let values: [(&dyn Fn(usize) -> String, &str); 3] = [
        (
            &|i| if i == 59 { "x".into() } else { format!("{},{}", i, i % 9 + 1) },
            "a decimal comma, such as \"0,1\"",
        ),
        (
            &|i| if i == 59 { "x".into() } else { format!("{},{:03}", i + 1, i) },
            "a thousands separator, such as \"1,000\"",
        ),
        (&|i| if i == 59 { "x".into() } else { format!("{i}%") }, "a unit, such as \"0%\""),
    ];
    for (value, spelling) in values {
        let text = format!("a;b;y\n{}", rows(value));
        let data = parse(&text).unwrap().target("y").split(0.2, 7).unwrap();
        let note = data.notes.iter().find(|note| note.contains("Column `b` is read as categories"));
        let note = note.unwrap_or_else(|| panic!("{:?}", data.notes));
        assert!(note.contains(spelling) && note.contains("`categorical`"), "{note}");
        let meant = with(&text, |o| o.categorical = vec!["b".into()]).unwrap();
        assert!(meant.notes().is_empty(), "{:?}", meant.notes());
        // As the target, and as the only column to learn from.
        let spelling = spelling.split(',').next().unwrap();
        says(parse(&text).unwrap().target("b").split(0.2, 7), &[spelling, "plain numbers such as 10.3"]);
        let regression = parse(&text).unwrap().target("b").task(Task::Regression).split(0.2, 7);
        says(regression, &["line 2, column `b`", spelling, "10.3"]);
        let alone = with(&text, |o| o.drop = vec!["a".into()]).unwrap();
        says(alone.target("y").split(0.2, 7), &["no column is left", "`b` looks like numbers", "10.3"]);
    }
    let names = parse("a,name,y\n1,ann,p\n2,bob,q\n3,cid,p\n").unwrap();
    assert!(names.notes().is_empty(), "{:?}", names.notes());
}

#[test]
fn infinity() {
    for value in ["inf", "-inf", "1e999", "Infinity", "-1e400"] {
        let text = format!("a,y\n1,x\n{value},z\n3,x\n");
        says(parse(&text), &["t.csv, line 3, column `a`: ", value, "not a number that can be learnt"]);
    }
    // Among text it is text.
    assert!(parse("a,y\nred,x\ninf,z\n").is_ok());
}

#[test]
fn numbers_of_any_size_are_standardised() {
    let text =
        "a,b,y\n1e300,1e-300,x\n-1e300,2e-300,z\n1e308,3e-300,x\n-1.7e308,5e-324,z\n0,0,x\n1,1e-310,z\n";
    let data = parse(text).unwrap().target("y").split(0.3, 7).unwrap();
    assert!(data.train.x.iter().chain(&data.valid.x).all(|x| x.is_finite()));
    let narrow = parse("a,y\n1e-300,0\n2e-300,1\n1e-300,0\n2e-300,1\n").unwrap();
    let encoder = Encoder::fit(&narrow, &[0, 1, 2, 3], 1, Task::Classification).unwrap();
    let wide = parse("a,y\n1e-300,0\n1e100,1\n").unwrap();
    says(encoder.encode_features(&wide), &["t.csv, line 3, column `a`"]);
}

#[test]
fn nothing_to_learn_from() {
    says(
        parse("y\nx\nz\nx\nz\n").unwrap().target("y").split(0.5, 7),
        &["no column is left to predict `y` from"],
    );
    let constant = parse("a,y\n1,x\n1,z\n1,x\n1,z\n").unwrap();
    says(constant.target("y").split(0.5, 7), &["no column is left", "`a`"]);
}

#[test]
fn idx_files() {
    let image = |n: u32, pixels: &[u8]| {
        [&[0, 0, 8, 3][..], &n.to_be_bytes(), &[0, 0, 0, 2, 0, 0, 0, 2], pixels].concat()
    };
    let labels = |n: u32, labels: &[u8]| [&[0, 0, 8, 1][..], &n.to_be_bytes(), labels].concat();
    let read = |images: &[u8], labels: &[u8]| {
        let (_a, images) = file("images", images);
        let (_b, labels) = file("labels", labels);
        Table::images(images, Some(&labels))
    };
    let two = image(2, &[1, 2, 3, 4, 5, 6, 7, 8]);
    let table = read(&two, &labels(2, &[3, 9])).unwrap();
    assert_eq!(table.columns()[1].number(1), Some(6.0));
    assert_eq!(table.columns()[4].number(1), Some(9.0));

    says(read(b"P5 28 28", &labels(2, &[3, 9])), &["images: this is not an IDX file"]);
    says(read(b"", &labels(2, &[3, 9])), &["this is not an IDX file"]);
    says(read(&two[..5], &labels(2, &[3, 9])), &["it is cut short: 5 bytes where its header announces 16"]);
    says(read(&two[..20], &labels(2, &[3, 9])), &["it is cut short: 20 bytes where its header announces 24"]);
    says(read(&[&two[..], &[0]].concat(), &labels(2, &[3, 9])), &["25 bytes where"]);
    says(read(&two, &labels(3, &[3, 9, 1])), &["labels: 3 labels for 2 images in", "belong together"]);
    says(read(&labels(2, &[3, 9]), &two), &["images: these are labels"]);
    says(read(&two, &two), &["labels: labels are an IDX file of one dimension, and this one has 3"]);
    says(read(&image(0, &[]), &labels(0, &[])), &["no image"]);
    says(read(&[&[0, 0, 13, 3], &two[4..]].concat(), &labels(2, &[3, 9])), &["of type 0x0d"]);
    says(read(&image(u32::MAX, &[]), &labels(2, &[3, 9])), &["cut short"]);
    let (_folder, path) = file("images", &two);
    says(Table::open(&path), &["this is an IDX file"]);
    says(Table::images(&path, None).unwrap().default_target().split(0.5, 7), &["no labels"]);
    says(Table::images("no-such-images", None), &["there is no file no-such-images"]);
}

#[test]
fn tables_that_do_not_fit_a_model() {
    let table = parse("age,sex,y\n1,f,p\n2,m,q\n3,f,p\n4,m,q\n5,f,p\n6,m,q\n").unwrap();
    let rows: Vec<u32> = (0..6).collect();
    let encoder = Encoder::fit(&table, &rows, 2, Task::Classification).unwrap();

    let other = parse("years,sex\n1,f\n2,m\n").unwrap();
    let parts = ["t.csv lacks the column `age` that the model was trained on", "`years`, `sex`"];
    says(encoder.encode_features(&other), &parts);
    says(encoder.check(&other), &parts);
    let unlabelled = parse("age,sex\n1,f\n2,m\n").unwrap();
    says(encoder.encode(&unlabelled, &[0]), &["lacks the column `y`"]);
    says(encoder.encode(&table, &[6]), &["has 6 rows and none at 6"]);
    let text = parse("age,sex\n1,f\nold,m\n").unwrap();
    says(encoder.encode_features(&text), &["t.csv, line 3, column `age`: \"old\" is not a number"]);
    let labels = parse("age,sex,y\n1,f,p\n2,m,maybe\n").unwrap();
    says(encoder.encode(&labels, &[0, 1]), &["line 3, column `y`: the label `maybe` is none of", "`p`, `q`"]);
    let headerless = with("1,f,p,0\n", |o| o.header = Some(false)).unwrap();
    says(
        encoder.encode_features(&headerless),
        &["t.csv has 4 columns", "trained on a table of 3", "position"],
    );
}

#[test]
fn plain_data_that_does_not_fit_together() {
    let classes = |labels: &[u32], classes| Targets::Classes { labels: labels.to_vec(), classes };
    says(Examples::new(vec![1.0, 2.0, 3.0], 2, classes(&[0, 1], 2)), &["2 targets and 2 features"]);
    says(Examples::new(vec![], 2, classes(&[], 2)), &["there must be a row"]);
    says(Examples::new(vec![1.0, 2.0], 1, classes(&[0, 2], 2)), &["row 1 has label 2"]);
    says(Examples::new(vec![1.0, f32::NAN], 1, classes(&[0, 1], 2)), &["feature 0 of row 1 is NaN"]);
    says(Examples::new(vec![1.0], 1, Targets::Values(vec![f32::INFINITY])), &["target of row 0 is inf"]);
    let one = Examples::new(vec![1.0, 2.0], 1, classes(&[0, 1], 2)).unwrap();
    let three = Examples::new(vec![1.0, 2.0], 1, classes(&[0, 1], 3)).unwrap();
    let wide = Examples::new(vec![1.0, 2.0], 2, classes(&[0], 2)).unwrap();
    let number = Examples::new(vec![1.0], 1, Targets::Values(vec![0.5])).unwrap();
    says(Dataset::from_examples(one.clone(), three), &["2 classes", "of 3"]);
    says(Dataset::from_examples(one.clone(), wide), &["1 features", "rows 2"]);
    says(Dataset::from_examples(one.clone(), number), &["classes as targets and the other numbers"]);
    assert_eq!(Dataset::from_examples(one.clone(), one).unwrap().outputs(), 2);
}
