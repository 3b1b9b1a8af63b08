//! What people's files have in them: each is read as it is meant, or says how it is to be read.

use downhill_data::{Dataset, DateOrder, Decimal, Error, Kind, ReadOptions, Table, Task};

fn parse(text: &str) -> Table {
    Table::parse("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn with(text: &[u8], change: impl Fn(&mut ReadOptions)) -> Result<Table, Error> {
    let mut options = ReadOptions::default();
    change(&mut options);
    Table::parse("t.csv", text, &options)
}

fn numbers(table: &Table, column: usize) -> Vec<Option<f64>> {
    (0..table.rows()).map(|row| table.columns()[column].number(row)).collect()
}

fn texts(table: &Table, column: usize) -> Vec<String> {
    (0..table.rows()).map(|row| table.columns()[column].text(row).unwrap_or_default().into_owned()).collect()
}

/// A table with these values in column `a` and two classes.
fn data(values: impl Iterator<Item = String>) -> Dataset {
    let rows: String =
        values.enumerate().map(|(i, v)| format!("{v};{}\n", if i % 2 == 0 { "p" } else { "q" })).collect();
    parse(&format!("a;y\n{rows}")).target("y").split(0.2, 7).unwrap()
}

#[test]
fn missing_values_among_numbers_and_values_among_text() {
    for token in ["N/A", "n/a", "NULL", "null", "None", "#N/A", "#DIV/0!", "\\N", "-", ".", "-nan"] {
        let table = parse(&format!("a,y\n{token},p\n1.5,q\n2,p\n"));
        assert_eq!(numbers(&table, 0), [None, Some(1.5), Some(2.0)], "{token}");
    }
    assert_eq!(texts(&parse("a,r\n1,EU\n2,NA\n3,AS\n"), 1), ["EU", "NA", "AS"]);
    assert_eq!(texts(&parse("a,r\n1,5\n2,\"NA\"\n3,6\n"), 1), ["5", "NA", "6"]);
    let quoted = parse("a,r\n\"1\",\"5\"\n\"2\",\"NA\"\n");
    assert_eq!(numbers(&quoted, 1), [Some(5.0), None]);
    let named = with(b"a,y\n-1,p\nNA,q\n3,p\n", |o| o.missing = Some(vec!["-1".into(), "NA".into()]));
    assert_eq!(numbers(&named.unwrap(), 0), [None, None, Some(3.0)]);
    let none = with(b"a,y\n?,p\nNA,q\n,p\n", |o| o.missing = Some(Vec::new())).unwrap();
    assert_eq!(texts(&none, 0), ["?", "NA", ""]);
}

#[test]
fn numbers_as_they_are_written() {
    let table = parse("a;b;y\n1,288;0,449;4,026\n-0,066;-0,765;1,5\n");
    assert_eq!(numbers(&table, 1), [Some(0.449), Some(-0.765)]);
    assert!(table.notes()[0].contains("a decimal comma: \"1,288\" is 1.288"), "{:?}", table.notes());
    let table = parse("a,b\n1.5,\"2,449,445.61\"\n2,\"26,763\"\n");
    assert_eq!(numbers(&table, 1), [Some(2_449_445.61), Some(26_763.0)]);
    assert_eq!(numbers(&parse("a,b\n1,64.5%\n2,7%\n"), 1), [Some(64.5), Some(7.0)]);
    assert_eq!(numbers(&parse("a,b\n1,\"$11,449.45\"\n2,$7\n"), 1), [Some(11_449.45), Some(7.0)]);
    assert_eq!(numbers(&parse("a,b\n1,−0.765\n2,3\n"), 1), [Some(-0.765), Some(3.0)]);
    // Either is possible: it is asked for.
    let either = b"a;b\n1;1,234\n2;5,678\n";
    let table = with(either, |_| {}).unwrap();
    assert_eq!(table.columns()[1].kind(), Kind::Categorical);
    assert!(table.notes()[0].contains("`decimal`"), "{:?}", table.notes());
    for (decimal, first) in [(Decimal::Comma, 1.234), (Decimal::Point, 1234.0)] {
        let table = with(either, |o| o.decimal = Some(decimal)).unwrap();
        assert_eq!(numbers(&table, 1)[0], Some(first));
    }
}

#[test]
fn an_encoder_remembers_how_numbers_and_dates_were_written() {
    let trained = data((0..60).map(|i| format!("{i},{}", i % 7)));
    let saved = serde_json::to_string(&trained.encoder).unwrap();
    let encoder: downhill_data::Encoder = serde_json::from_str(&saved).unwrap();
    let one = |text: &str, known: bool| {
        let known = known.then(|| encoder.known());
        let options = ReadOptions { known, ..ReadOptions::default() };
        encoder.encode_features(&Table::parse("t.csv", text.as_bytes(), &options).unwrap()).unwrap()
    };
    assert_eq!(one("a;y\n1,234;p\n", true), one("a;y\n1,234;p\n", false));
    assert_eq!(one("a;y\n1,234;p\n", true), one("a;y\n1.234;p\n", true));
    // Dates: when it is, and the cycles that differ.
    let dates = data((0..60).map(|i| format!("2023-{:02}-{:02}", i % 12 + 1, i % 28 + 1)));
    let names = dates.encoder.unwrap().feature_names();
    assert_eq!(names, ["a", "a:month-sin", "a:month-cos", "a:weekday-sin", "a:weekday-cos"]);
}

#[test]
fn dates_of_which_the_day_may_be_the_month_are_asked_for() {
    let either = b"d,y\n03/04/2024,p\n05/06/2024,q\n";
    let table = with(either, |_| {}).unwrap();
    assert_eq!(table.columns()[0].kind(), Kind::Categorical);
    assert!(table.notes()[0].contains("`dates`: day-first"), "{:?}", table.notes());
    let table = with(either, |o| o.dates = Some(DateOrder::DayFirst)).unwrap();
    assert_eq!(table.columns()[0].kind(), Kind::Date);
}

#[test]
fn encodings_and_lines_in_front() {
    let text = "größe,y\n1,ja\n2,nein\n";
    let wide = |bytes: fn(u16) -> [u8; 2]| {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    };
    let wide: [Vec<u8>; 2] = [wide(u16::to_le_bytes), wide(u16::to_be_bytes)];
    for bytes in &wide {
        assert_eq!(with(bytes, |_| {}).unwrap().columns()[0].name(), "größe");
    }
    let named = |bytes: &[u8], name: &str| with(bytes, |o| o.encoding = Some(name.to_owned()));
    assert_eq!(named(b"gr\xf6\xdfe,y\n1,ja\n", "latin1").unwrap().columns()[0].name(), "größe");
    assert_eq!(named(b"\xb3\xaa\xc0\xcc,y\n1,a\n", "cp949").unwrap().columns()[0].name(), "나이");
    assert!(named(b"a,y\n", "klingon").unwrap_err().to_string().contains("no encoding `klingon`"));
    assert!(
        named(b"a,y\n\xff\xff,1\n", "euc-kr").unwrap_err().to_string().contains("line 2: not text in euc-kr")
    );

    let table = parse("# made by a tool\n# units: m\na,b\n1,2\nx,3\n");
    assert_eq!((table.rows(), table.place(0, "").row.to_string()), (2, "line 4".to_owned()));
    assert!(table.notes()[0].contains("2 lines that begin with `#` are skipped"), "{:?}", table.notes());
    assert_eq!(numbers(&parse("sep=;\na;b\n1;2\n"), 1), [Some(2.0)]);
    assert_eq!(numbers(&with(b"Report\n2024\na,b\n1,2\n", |o| o.skip = Some(2)).unwrap(), 0), [Some(1.0)]);
    let units = parse("time,speed\ns,m/s\n1,2\n3,4\n5,6\n");
    assert_eq!(numbers(&units, 1), [Some(2.0), Some(4.0), Some(6.0)]);
    assert!(units.notes()[0].contains("Line 2 of t.csv"), "{:?}", units.notes());
}

#[test]
fn classes_ids_truths_and_empty_columns() {
    let rows: String = (0..40).map(|i| format!("{i},{}\n", 9_007_199_254_740_992_u64 + i % 2)).collect();
    let big = parse(&format!("a,y\n{rows}")).target("y").split(0.2, 7).unwrap();
    assert_eq!(big.encoder.unwrap().classes(), ["9007199254740992", "9007199254740993"]);
    assert!(big.notes.iter().any(|note| note.contains("`a` numbers the rows")), "{:?}", big.notes);

    let rows: String = (0..4000).map(|i| format!("{},k{}\n", i % 7, i % 1500)).collect();
    let many = parse(&rows);
    let refused = many.target("-1").split(0.2, 7).unwrap_err().to_string();
    assert!(refused.contains("classification is asked for"), "{refused}");
    assert_eq!(many.target("-1").task(Task::Classification).split(0.2, 7).unwrap().outputs(), 1500);

    let truths = parse("a,y\n1,true\n2,True\n3,FALSE\n4,false\n");
    assert_eq!(texts(&truths, 1), ["true", "true", "FALSE", "FALSE"]);
    let rows: String = (0..20).map(|i| format!("{},,NA,{}\n", i * i, i % 2)).collect();
    let empty = parse(&format!("a,b,c,y\n{rows}")).target("y").split(0.2, 7).unwrap();
    assert!(empty.notes.iter().any(|n| n == "Columns `b`, `c` are left out: empty in the training rows."));
}

#[test]
fn sizes_have_limits() {
    let wide = format!("{}\n1\n", ",".repeat(1_000_001));
    let refused = with(wide.as_bytes(), |_| {}).unwrap_err().to_string();
    assert!(refused.contains("1000002 columns, more than 1000000"), "{refused}");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let block = "1,2\n".repeat(1 << 18);
    for _ in 0..65 {
        std::io::Write::write_all(&mut gz, block.as_bytes()).unwrap();
    }
    let refused = with(&gz.finish().unwrap(), |_| {}).unwrap_err().to_string();
    assert!(refused.contains("unpacks to more than 64 MB"), "{refused}");
}

#[cfg(unix)]
#[test]
fn a_pipe_or_device_is_no_file() {
    let error = Table::open("/dev/null").unwrap_err().to_string();
    assert!(error.contains("/dev/null is a pipe or a device, not a file"), "{error}");
}
