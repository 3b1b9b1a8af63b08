//! How text is read into tables.

use super::detect::{FirstLine, detect_delimiter};
use super::missing::Missing;
use crate::{Error, ReadOptions, Table};
use std::borrow::Cow;

fn parse(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Table, Error> {
    Table::parse(name, bytes, options)
}

fn detect_header(text: &str, delimiter: u8) -> FirstLine {
    super::detect::detect_header(text, delimiter, &Missing::new(None))
}

fn table(text: &str) -> Table {
    parse("t", text.as_bytes(), &ReadOptions::default()).unwrap()
}

fn row(table: &Table, row: usize) -> Vec<String> {
    table.columns.iter().map(|column| column.text(row).unwrap_or(Cow::Borrowed("-")).into_owned()).collect()
}

#[test]
fn delimiters_are_detected() {
    for (text, delimiter) in [
        ("a,b\n1,2\n", b','),
        ("a\tb\n1\t2,5\n", b'\t'),
        ("a;b\n1,5;2,5\n3,5;4,5\n", b';'),
        ("a|b\n1|2\n", b'|'),
        ("a, b\n1, 2\n", b','),
        ("1.0  2.0\n 3.0   4.0 \n", b' '),
        ("a,b\n\"x;y\",2\n\"x\ty\",3\n", b','),
        ("alone\n1\n2\n", b','),
        ("some text, with a comma\nand, more, of them\nx,y\nz,w\n", b','),
    ] {
        assert_eq!(char::from(detect_delimiter(text)), char::from(delimiter), "{text:?}");
    }
    let options = ReadOptions { delimiter: Some(b':'), ..ReadOptions::default() };
    assert_eq!(parse("t", b"1:2,5\n3:4,5\n", &options).unwrap().width, 2);
}

#[test]
fn headers_are_detected() {
    for (text, header) in [
        ("a,b\n1,2\n", true),
        ("1,2\n3,4\n", false),
        ("x,1\ny,2\n", false),
        ("name,colour\nann,red\nbob,red\n", true),
        ("ann,red\nbob,red\ncid,blue\n", false),
        ("id,?\n1,2\n", false),
        (",a,b\n0,1,2\n1,3,4\n", true),
        (",0,1,2,3,y\n0,5,3,8,8,p\n1,4,4,4,4,q\n", true),
        ("0,1,2,3\n5.5,2,8,1\n", true),
        ("0,1,5,3\n5.5,2,8,1\n", false),
        ("0,1\n1,0\n", false),
        ("0,1,red\n1,0,blue\n", false),
        ("a,b,c\n", true),
        ("1,b,c\n", false),
    ] {
        assert_eq!(detect_header(text, b',') == FirstLine::Header, header, "{text:?}");
    }
}

#[test]
fn a_first_line_unlike_the_rows_below_it_is_a_row_and_told() {
    for (text, doubtful) in [
        ("name,2001,2002\na,0.31,0.77\nb,0.5,0.2\nc,0.1,0.9\n", true),
        ("2001,2002\n0.31,0.77\n0.5,0.2\n0.1,0.9\n", true),
        // Populations, not far from the years.
        ("place,1990,2000\na,2500,2600\nb,9000,9500\nc,5000,4000\n", true),
        ("id,5,y\n1,0.5,p\n2,0.7,q\n", true),
        ("id,?\n1,2\n2,3\n", true),
        ("x,1\ny,2\n", false),
        ("1,0.31\n2,0.77\n3,0.5\n4,0.6\n", false),
        ("1,7,a\n2,8,b\n3,9,a\n4,10,b\n", false),
        ("a,5.1,3.5\nb,4.9,3.0\nb,4.7,3.2\na,4.6,3.6\n", false),
        ("none,1\n0.5,2\nnone,2\n0.7,4\n0.1,1\n", false),
        ("ann,red\nbob,red\n", false),
    ] {
        let first = detect_header(text, b',');
        assert_eq!(first == FirstLine::Doubtful, doubtful, "{text:?}");
        let expected = "No header line was found in t: its first line, ";
        assert_eq!(table(text).notes.iter().any(|n| n.starts_with(expected)), doubtful, "{text:?}");
        for header in [true, false] {
            let options = ReadOptions { header: Some(header), ..ReadOptions::default() };
            let told = parse("t", text.as_bytes(), &options).unwrap();
            assert!(!told.notes.iter().any(|note| note.starts_with(expected)), "{:?}", told.notes);
        }
    }
}

#[test]
fn quotes_spaces_and_blank_lines() {
    let table = table(
        "\u{feff}a, b ,\"c, d\"\r\n\r\n1, 'x' ,\"say \"\"hi\"\"\"\n   \n 2,  \"y\nz\" , plain \r3,'-1',it's\n",
    );
    assert_eq!(table.column_names(), ["a", "b", "c, d"]);
    assert_eq!(row(&table, 0), ["1", "x", "say \"hi\""]);
    assert_eq!(row(&table, 1), ["2", "y\nz", "plain"]);
    assert_eq!(row(&table, 2), ["3", "-1", "it's"]);
    assert_eq!(table.lines, [3, 5, 7]);
}

#[test]
fn missing_values_and_types() {
    let table = table("a,b,c,d\n1,x,,1e3\n?,NA,NaN,-.5\n,\"\",?,+7\n");
    assert_eq!(row(&table, 0), ["1", "x", "-", "1000"]);
    // `NA` is a value among text.
    assert_eq!(row(&table, 1), ["-", "NA", "-", "-0.5"]);
    assert_eq!(row(&table, 2), ["-", "-", "-", "7"]);
    let options = ReadOptions {
        categorical: vec!["0".into()],
        numeric: vec!["d".into()],
        drop: vec!["-2".into()],
        ..ReadOptions::default()
    };
    let table = parse("t", b"a,b,c,d\n01,x,,1e3\n?,NA,NaN,-.5\n", &options).unwrap();
    assert_eq!(table.column_names(), ["a", "b", "d"]);
    assert_eq!(row(&table, 0), ["01", "x", "1000"]);
    assert_eq!(table.column_index("3").unwrap(), 2);
    assert_eq!(table.column_index("-1").unwrap(), 2);
    assert!(table.column_index("2").is_err());
}

#[test]
fn a_name_comes_before_a_number() {
    let options = ReadOptions { header: Some(true), ..ReadOptions::default() };
    let table = parse("t", b"2,1,0\n5,6,7\n", &options).unwrap();
    assert_eq!(table.column_index("2").unwrap(), 0);
    assert_eq!(table.column_index("-1").unwrap(), 2);
}

#[test]
fn options_have_the_names_of_the_command_line() {
    let options: ReadOptions = serde_json::from_str(r#"{"delimiter": ";", "categorical": ["a"]}"#).unwrap();
    assert_eq!((options.delimiter, &options.categorical[..]), (Some(b';'), &["a".to_owned()][..]));
    assert!(serde_json::to_string(&options).unwrap().starts_with(r#"{"delimiter":";""#));
    assert_eq!(
        serde_json::from_str::<ReadOptions>(r#"{"delimiter": "tab"}"#).unwrap().delimiter,
        Some(b'\t')
    );
    for wrong in [r#"{"delimeter": ";"}"#, r#"{"delimiter": ";;"}"#, r#"{"delimiter": "x"}"#] {
        assert!(serde_json::from_str::<ReadOptions>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_table_of_many_blocks_is_the_same_on_any_number_of_threads() {
    let on = |threads: usize, text: &str| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| parse("t", text.as_bytes(), &ReadOptions::default()))
    };
    let line = |i: usize| format!("{i},{}.5,\"word {}\"\n", i % 977, i % 13);
    let rows: Vec<String> = (0..600_000).map(line).collect();
    let text = format!("a,b,c\n{}", rows.concat());
    assert!(text.len() > 5 << 21, "several blocks");
    let alone = on(1, &text).unwrap();
    assert_eq!((alone.rows, alone.columns[0].number(599_999)), (600_000, Some(599_999.0)));
    for threads in [2, 3, 8] {
        let table = on(threads, &text).unwrap();
        assert_eq!((table.rows, &table.lines, &table.notes), (alone.rows, &alone.lines, &alone.notes));
        for at in (0..table.rows).step_by(997) {
            assert_eq!(row(&table, at), row(&alone, at), "row {at} on {threads} threads");
        }
    }
    // Of two errors, the one further up, though the other may be found while that is parsed.
    let wrong = [&rows[..1000].concat(), "1,2\n", &rows[1000..].concat(), "1,\"2\n", &rows.concat()].concat();
    for threads in [1, 2, 8] {
        let error = on(threads, &format!("a,b,c\n{wrong}")).unwrap_err();
        assert!(matches!(error, Error::Ragged { line: 1002, .. }), "{error} on {threads} threads");
    }
}
