//! Where data, models and settings come from: standard input, files of every kind and age, and what is no
//! file at all.
#![cfg(unix)]

mod common;
#[path = "../../../fuzz/targets/seal.rs"]
mod seal;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use common::{Outcome, Place};
use serde_json::json;

const SMALL: &str = "--hidden 8 --epochs 2 --format json";

/// Runs a command with the content of a file on its standard input.
fn piped(place: &Place, file: &str, words: &str) -> Outcome {
    place.shell(&format!("cat {file} | \"$downhill\" {words}"))
}

#[test]
fn standard_input_is_as_good_as_a_file() {
    let place = Place::new();
    let trained = piped(&place, "good.csv", &format!("train - {SMALL} --name piped")).done();
    assert_eq!(trained.json()["dataset"], "standard input");
    let file = place.run(&format!("train good.csv {SMALL} --name file")).done();
    assert_eq!(trained.hash(), file.hash());
    place.shell("gzip -c good.csv > good.gz").done();
    assert_eq!(
        piped(&place, "good.gz", &format!("train - {SMALL} --name packed")).done().hash(),
        file.hash()
    );

    let predicted = piped(&place, "good.csv", "predict piped -").done().stdout;
    assert_eq!(predicted, place.run("predict file good.csv").done().stdout);
    let kept = piped(&place, "good.csv", "predict piped - --keep b").done().csv();
    assert_eq!((kept[0][0].as_str(), kept[2][0].as_str()), ("b", "7"));
    let [one, other] = [
        piped(&place, "good.csv", "evaluate piped - --format json").done().json(),
        place.run("evaluate file good.csv --format json").done().json(),
    ];
    assert_eq!(
        (&one["rows"], &one["metrics"], &one["loss"]),
        (&40.into(), &other["metrics"], &other["loss"])
    );

    // To validate on, and to go on with: the data has to be given again.
    piped(&place, "good.csv", &format!("train good.csv --valid - {SMALL}")).done();
    piped(&place, "good.csv", "resume piped --epochs 3").done();
    place
        .shell("\"$downhill\" resume piped --epochs 4 < /dev/null")
        .fails(&["data of the run", "standard input"]);
    for command in ["train -", "predict file -", "evaluate file -"] {
        let said = place.shell(&format!("\"$downhill\" {command} < /dev/null"));
        said.fails(&["standard input is empty"]);
    }
    place.write_with_line("ragged.csv", 7, "1,2");
    piped(&place, "ragged.csv", "train -").fails(&["standard input, line 7", "2 values"]);
}

#[test]
fn columns_are_kept_beside_predictions_as_they_are_written() {
    let place = Place::new();
    let row = |i: usize| {
        format!("{:03},\"O'{i}, \"\"Al\"\"\",{i},{}\n", i * 7, if i < 20 { "blue" } else { "red" })
    };
    place.write("people.csv", format!("id,name,a,y\n{}", (0..40).map(row).collect::<String>()));
    place.run(&format!("train people.csv --drop id,name {SMALL} --name run")).done();
    let plain = place.run("predict run people.csv").done().csv();
    for keep in ["id,name", "0,1"] {
        let rows = place.run(&format!("predict run people.csv --keep {keep}")).done().csv();
        assert_eq!(rows[0][..2], ["id", "name"]);
        assert_eq!((rows[2][..2].concat(), rows.len()), ("007O'1, \"Al\"".to_string(), 41));
        assert!(rows.iter().zip(&plain).all(|(row, plain)| row[2..] == plain[..]), "{rows:?}");
    }
    let objects = place.run("predict run people.csv --keep name,id --format json").done().json();
    assert_eq!(objects[1]["kept"], json!({ "name": "O'1, \"Al\"", "id": "007" }));
    assert_eq!(objects[1]["prediction"], plain[2][0].as_str());
    place.run("predict run people.csv --keep nmae").fails(&["no column `nmae`", "did you mean `name`?"]);
    place.write(
        "comma.csv",
        fs::read_to_string(place.path("people.csv")).unwrap().replacen("name", "\"na,me\"", 1),
    );
    place.run_with("predict run comma.csv --keep", &["na,me"]).fails(&["no column `na`", "by its number"]);
}

#[test]
fn how_a_table_is_read_is_written_down_and_read_back() {
    let place = Place::new();
    let row = |i: usize| {
        let (day, month) = (1 + i % 12, 1 + i % 11);
        let width = if i.is_multiple_of(9) { "k.A.".to_string() } else { format!("{},5", i % 7) };
        format!("{i};{width};0{}/{month:02}/2024;{}\n", day % 10, if i < 20 { "gr\u{fc}n" } else { "blau" })
    };
    let text = format!("from the lab\n\nnr;breite;tag;farbe\n{}", (0..40).map(row).collect::<String>());
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    place.write("odd.csv", latin);
    let flags = "--encoding windows-1252 --skip 2 --delimiter ; --header yes --decimal , --missing k.A.,? \
                 --dates day-first \
                 --categorical nr --any-size";
    let first = place.run(&format!("train odd.csv {flags} {SMALL} --name first")).done();
    let toml = place.read("runs/first/run.toml");
    for line in [
        "encoding = \"windows-1252\"",
        "skip = 2",
        "delimiter = \";\"",
        "header = true",
        "decimal = \"comma\"",
        "missing = [\"k.A.\", \"?\"]",
        "dates = \"day-first\"",
        "any-size = true",
        "categorical = [\"nr\"]",
    ] {
        assert!(toml.lines().any(|written| written == line), "no `{line}` in\n{toml}");
    }
    assert_eq!(first.json()["classes"], 2);
    let again = place.run("train --config runs/first/run.toml --format json --name again").done();
    assert_eq!((again.hash(), place.read("runs/again/run.toml")), (first.hash(), toml.clone()));
    // Without them it is another table.
    place.run(&format!("train odd.csv {SMALL}")).fails(&["odd.csv"]);
    // Whoever goes on needs no flag; whoever predicts says how that file is read.
    assert_eq!(place.run("resume first --epochs 4 --format json").done().json()["epochs"], 4);
    place.run("branch first@1ep --epochs 3 --name branch").done();
    assert!(place.read("runs/branch/run.toml").contains("encoding = \"windows-1252\""));
    place.run("replay first").done();
    let use_flags = flags.replace("--categorical nr ", "");
    place.run(&format!("evaluate first odd.csv {use_flags}")).done();
    place.run("evaluate first odd.csv").fails(&["not UTF-8", "--encoding"]);
}

#[test]
fn models_of_older_versions_predict_what_they_did() {
    let place = Place::new();
    // Written when neither rare categories nor decimal marks were said.
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/model");
    for (model, data, task) in [("iris", "iris", "accuracy"), ("diabetes", "diabetes", "r2")] {
        fs::copy(seeds.join(model), place.path(model)).unwrap();
        let evaluated = place.run(&format!("evaluate {model} {data} --format json")).done().json();
        assert!(evaluated["metrics"][task].is_number(), "{evaluated}");
    }
    let row = |i: usize| format!("{},{}\n", ["north", "south", "east", "west"][i % 4], i % 2);
    place.write("places.csv", format!("place,y\n{}", (0..80).map(row).collect::<String>()));
    place.run(&format!("train places.csv --task classification {SMALL} --name run")).done();
    let file = fs::read(place.path("runs/run/model.safetensors")).unwrap();
    let mut removed = 0;
    let older = seal::described(&file, |description| {
        for input in description["encoder"]["inputs"].as_array_mut().unwrap() {
            let categories = input["encoding"]["categories"].as_object_mut().unwrap();
            removed += usize::from(categories.remove("rare").is_some());
        }
    });
    assert_eq!(removed, 1);
    place.write("older.safetensors", older.unwrap());
    let [now, then] =
        ["run", "older.safetensors"].map(|model| place.run(&format!("predict {model} places.csv")));
    assert_eq!(now.done().stdout, then.done().stdout);
    // One of a version to come says so.
    let newer = seal::described(&file, |description| description["encoder"]["colours"] = json!(true));
    place.write("newer.safetensors", newer.unwrap());
    place.run("predict newer.safetensors places.csv").fails(&["newer.safetensors", "another version"]);
}

/// An IDX file of bytes, whatever its header says.
fn idx(dimensions: &[u32], bytes: &[u8]) -> Vec<u8> {
    let sizes = dimensions.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, dimensions.len() as u8].into_iter().chain(sizes).chain(bytes.iter().copied()).collect()
}

#[test]
fn images_have_limits() {
    let place = Place::new();
    place.write("labels", idx(&[2], &[0, 1]));
    place.write("large", idx(&[1, 10_000, 1000], &vec![7; 10_000_000]));
    let train = |images: &str| place.run(&format!("train --images {images} --labels labels {SMALL}"));
    train("large").fails(&["large has images of 10000000 pixels, more than 1000000", "--any-size"]);
    place.shell("gzip large").done();
    train("large.gz").fails(&["images of 10000000 pixels", "--any-size"]);
    for (dimensions, bytes, says) in [
        (&[u32::MAX; 3][..], 10, "cut short"),
        (&[u32::MAX; 5], 10, "cut short"),
        (&[2, u32::MAX, u32::MAX, 0], 0, "no image"),
        (&[0, 28, 28], 0, "no image"),
        (&[2, 3, 3], 17, "cut short: 33 bytes where its header announces 34"),
        (&[2, 3, 3], 19, "it has 35 bytes where its header announces 34"),
        (&[3, 3, 3], 27, "2 labels for 3 images"),
        (&[2], 2, "these are labels"),
        (&[], 0, "cut short: 4 bytes where its header announces 5"),
        (&[], 1, "no image"),
    ] {
        place.write("odd", idx(dimensions, &vec![1; bytes]));
        train("odd").fails(&[says]);
    }
    place.write("many", [&[0, 0, 8, 255][..], &[255; 40]].concat());
    train("many").fails(&["cut short"]);
}

#[test]
fn what_is_no_file_is_an_error_at_once() {
    let place = Place::new();
    place.run(&format!("train good.csv {SMALL} --name run")).done();
    place.write("pixels", idx(&[2, 1, 1], &[0, 1]));
    place.write("labels", idx(&[2], &[0, 1]));
    place.shell("mkfifo fifo; mkdir folder; ln -s fifo link").done();
    for (odd, what) in [
        ("fifo", &["pipe or a device", "FIFO"][..]),
        ("link", &["pipe or a device", "FIFO"]),
        ("/dev/zero", &["pipe or a device", "a device"]),
        ("folder", &["folder"]),
    ] {
        for command in [
            "train ODD",
            "train good.csv --valid ODD",
            "train --images ODD --labels labels",
            "train --images pixels --labels ODD",
            "train --config ODD",
            "find-lr ODD",
            "predict run ODD",
            "predict ODD good.csv",
            "evaluate run ODD",
            "evaluate ODD good.csv",
            "evaluate run --images ODD",
            "resume ODD",
            "replay ODD",
            "report ODD",
            "branch ODD@1ep",
            "set-lr ODD 0.5x",
        ] {
            let said = place.shell(&format!("timeout 30 \"$downhill\" {}", command.replace("ODD", odd)));
            let said = said.fails(&[odd]);
            let runs = ["resume", "replay", "report", "branch", "set-lr", "predict ODD", "evaluate ODD"];
            let is_run = runs.iter().any(|word| command.starts_with(word));
            let no_run =
                ["not a run's folder", "is no folder"].iter().any(|words| said.stderr.contains(words));
            let named = what.iter().any(|what| said.stderr.contains(what));
            assert!(named || is_run && no_run, "{said:?}");
        }
    }
    // Where a pipe is meant, it is standard input.
    place.run("train fifo").fails(&["give a file, or `-` for a table on standard input"]);
}

#[test]
fn every_kind_of_path_may_be_other_than_utf8() {
    let place = Place::new();
    let at = |bytes: &'static [u8]| place.root().join(OsStr::from_bytes(bytes));
    let run = |words: &str, more: &[&'static [u8]]| {
        let more = more.iter().map(|bytes| OsStr::from_bytes(bytes));
        let output = place.program().args(words.split_whitespace()).args(more).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let done = |words: &str, more: &[&'static [u8]]| {
        let (code, said) = run(words, more);
        assert_eq!(code, Some(0), "{words}: {said}");
    };
    let pixels: Vec<u8> = (0..60).map(|i| 100 * (i % 2)).collect();
    fs::write(at(b"p\xff"), idx(&[30, 1, 2], &pixels)).unwrap();
    fs::write(at(b"l\xff"), idx(&[30], &[0, 1].repeat(15))).unwrap();
    done("train --hidden 4 --epochs 2 --lr 0.01 --name images --images", &[b"p\xff", b"--labels", b"l\xff"]);
    done("resume images --epochs 3", &[]);
    done("evaluate images --images", &[b"p\xff", b"--labels", b"l\xff"]);
    done("train --name again --tensorboard", &[b"t\xff", b"--config", b"runs/images/run.toml"]);
    assert!(at(b"t\xff/again").is_dir());
    fs::copy(place.path("runs/again/run.toml"), at(b"c\xff.toml")).unwrap();
    done("train --name third --config", &[b"c\xff.toml"]);
    fs::create_dir(at(b"f\xff")).unwrap();
    fs::copy(at(b"p\xff"), at(b"f\xff/train-images-idx3-ubyte")).unwrap();
    fs::copy(at(b"l\xff"), at(b"f\xff/train-labels-idx1-ubyte")).unwrap();
    done("train --hidden 4 --epochs 2 --lr 0.01 --name folder", &[b"f\xff"]);
    done("compare good.csv --hidden 4 --epochs 2 --lr 0.01,0.1 --out", &[b"o\xff"]);
    for (words, more) in [
        ("train", &[&b"no\xff.csv"[..]][..]),
        ("train --config", &[b"no\xff.toml"]),
        ("predict", &[b"no\xff", b"good.csv"]),
        ("resume", &[b"no\xff"]),
        ("train good.csv --valid", &[b"no\xff.csv"]),
    ] {
        let (code, said) = run(words, more);
        assert!(
            code == Some(1) && said.contains("no\u{fffd}") && said.contains("error: "),
            "{words}: {said}"
        );
    }
    // What must be text is refused for what it is.
    let (code, said) = run("train good.csv --optimizer", &[b"ad\xffam"]);
    assert!(code == Some(2) && said.contains("UTF-8"), "{said}");
}
