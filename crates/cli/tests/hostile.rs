//! What strangers put into folders, names and files: nothing of it panics, takes other runs down, or reaches
//! a terminal as it is.
#![cfg(unix)]

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use common::Place;

#[test]
fn one_bad_folder_does_not_take_down_the_list_of_runs() {
    let place = Place::new();
    place.train("good.csv --name good").done();
    for (name, toml) in [
        ("long", format!("[training]\nlr = \"{}\"\n", "x".repeat(100_000))),
        ("key", format!("{} = 1\n", "x".repeat(100_000))),
        ("many", format!("bogus = 1{}", "\n#".repeat(700_000))),
    ] {
        fs::create_dir(place.path("runs").join(name)).unwrap();
        fs::write(place.path("runs").join(name).join("run.toml"), toml).unwrap();
    }
    fs::create_dir(place.path("runs").join("fifo")).unwrap();
    place.shell("mkfifo runs/fifo/run.toml").done();
    fs::create_dir(place.path("runs").join(OsStr::from_bytes(b"odd\xff"))).unwrap();
    fs::create_dir(place.path("runs").join("esc\x1b[2J\u{9b}")).unwrap();
    fs::create_dir(place.path("runs").join("two\nlines")).unwrap();

    let table = place.run("runs").done().stdout;
    assert!(table.contains("good  ") && table.lines().count() == 9, "{table}");
    assert!(table.contains("esc\\u{1b}[2J\\u{9b}") && !table.contains(['\x1b', '\u{9b}']), "{table}");
    assert!(table.lines().all(|line| line.chars().count() < 500), "{table}");
    let json = place.run("runs --format json").done().json();
    let paths: Vec<&str> = json.as_array().unwrap().iter().map(|run| run["path"].as_str().unwrap()).collect();
    assert!(paths.len() == 8 && paths.contains(&"file://runs/odd%FF"), "{paths:?}");
    place.run("runs --format csv").done();
}

#[test]
fn paths_that_are_not_utf8_work() {
    let place = Place::new();
    let bytes = |bytes: &'static [u8]| OsStr::from_bytes(bytes);
    let run = |words: &str, more: &[&OsStr]| {
        let output = place.program().args(words.split_whitespace()).args(more).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words} {more:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    fs::copy(place.path("good.csv"), place.root().join(bytes(b"d\xff.csv"))).unwrap();
    let train = "train --hidden 4 --epochs 2 --lr 0.01 --name a --runs";
    run(train, &[bytes(b"r\xff"), bytes(b"d\xff.csv"), OsStr::new("--valid"), bytes(b"d\xff.csv")]);
    assert!(place.root().join(bytes(b"r\xff/a/report.html")).exists());
    run("resume", &[bytes(b"r\xff/a")]);
    run("evaluate", &[bytes(b"r\xff/a"), bytes(b"d\xff.csv")]);
    run("predict", &[bytes(b"r\xff/a/model.safetensors"), bytes(b"d\xff.csv")]);
    run("replay", &[bytes(b"r\xff/a")]);
    run("branch --epochs 3", &[bytes(b"r\xff/a@1ep")]);
    run("runs --format json --runs", &[bytes(b"r\xff")]);
    run("report", &[bytes(b"r\xff/a"), OsStr::new("--plot"), bytes(b"p\xff.svg")]);
    assert!(place.root().join(bytes(b"p\xff.svg")).exists());
}

#[test]
fn names_do_not_reach_the_terminal_as_they_are() {
    let place = Place::new();
    place.write("a\x1b[31mb.csv", common::classes());
    let trained = place.run_with("train --hidden 4 --epochs 2 --lr 0.01", &["a\x1b[31mb.csv"]).done();
    let evaluated = place.run_with("evaluate runs/a-[31mb-1", &["a\x1b[31mb.csv"]).done();
    fs::rename(place.path("runs/a-[31mb-1"), place.path("runs").join("c\x1b[0m")).unwrap();
    let report = place.run_with("report", &["c\x1b[0m"]).done();
    for outcome in [trained, evaluated, report] {
        assert!(!outcome.stdout.contains('\x1b') && !outcome.stderr.contains('\x1b'), "{outcome:?}");
    }
}

#[test]
fn a_log_that_says_a_step_of_a_billion_is_drawn() {
    let place = Place::new();
    place.train("good.csv --name a").done();
    let log = place.read("runs/a/events.jsonl");
    let epoch = log.lines().find(|line| line.contains("\"event\":\"epoch\"")).unwrap();
    let step = epoch.find("\"step\":").unwrap() + "\"step\":".len();
    let rest = &epoch[step..][epoch[step..].find(',').unwrap()..];
    let late = format!("{}1000000000000{rest}", &epoch[..step]);
    let odd = log.replacen(epoch, &late, 1);
    place.write("runs/a/events.jsonl", odd);
    place.run("report a").done();
    place.run("runs").done();
}

#[test]
fn arguments_are_repeated_shortened_and_escaped() {
    let place = Place::new();
    let long = "x".repeat(70_000);
    let escapes = "\x1b[2J\u{9b}1m\u{202e}";
    for (words, odd) in [
        ("train good.csv", vec![format!("--{long}")]),
        ("train good.csv", vec![format!("--{escapes}=3")]),
        ("train good.csv", vec![format!("-{escapes}")]),
        ("", vec![long.clone()]),
        ("", vec![format!("tra{escapes}in")]),
        ("train good.csv --epochs", vec![long.clone()]),
        ("train good.csv --epochs", vec![escapes.into()]),
        ("train good.csv --task", vec![format!("{escapes}{long}")]),
        ("train good.csv --hidden", vec![format!("{long},{escapes}")]),
        ("train good.csv --lr", vec![format!("cosine({escapes}{long})")]),
        ("train good.csv", vec![long.clone()]),
        ("train good.csv", vec![escapes.into(), escapes.into()]),
        ("path", vec![format!("x^{escapes}{long}"), "--lr".into(), "1".into()]),
    ] {
        let odd: Vec<&str> = odd.iter().map(String::as_str).collect();
        let said = place.run_with(words, &odd).refused(&[]);
        assert!(said.stderr.len() < 3000, "{} bytes: {}", said.stderr.len(), &said.stderr[..2000]);
        assert!(!said.stderr.contains(['\x1b', '\u{9b}', '\u{202e}']), "{said:?}");
    }
}
