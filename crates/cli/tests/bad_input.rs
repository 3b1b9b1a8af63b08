//! Whatever is wrong is told plainly, with exit code 1 or 2, and nothing is lost.

mod common;

use common::{Place, classes};

// The table.

#[test]
fn a_file_that_is_not_there() {
    let place = Place::new();
    place.train("goood.csv").fails(&["there is no file", "goood.csv", "did you mean", "good.csv?"]);
    place.train("irs").fails(&["there is no file irs", "did you mean iris?"]);
    place.train("quite/elsewhere.csv").fails(&["quite/elsewhere.csv", "downhill datasets"]);
    place.train("good.csv --valid numberz.csv").fails(&["numberz.csv", "did you mean", "numbers.csv?"]);
    assert!(!place.exists("runs"), "a run that cannot begin leaves no folder behind");
}

#[test]
fn a_folder_is_no_table() {
    let place = Place::new();
    place.train(".").fails(&["is a folder", "images", "name its file"]);
    std::fs::create_dir(place.path("folder")).unwrap();
    place.train("good.csv --valid folder").fails(&["folder is a folder"]);
}

#[test]
fn tables_with_nothing_in_them() {
    let place = Place::new();
    place.write("empty.csv", "");
    place.train("empty.csv").fails(&["empty.csv is empty"]);
    place.write("blank.csv", "\n  \n\n");
    place.train("blank.csv").fails(&["blank.csv is empty"]);
    place.write("header.csv", "a,b,y\n");
    place.train("header.csv").fails(&["header.csv has a header line and no rows", "--header no"]);
}

#[test]
fn bytes_that_are_no_table_of_text() {
    let place = Place::new();
    let noise: Vec<u8> = (0..3000u32).map(|i| (i.wrapping_mul(2654435761) >> 13) as u8).collect();
    place.write("noise.csv", &noise);
    place.train("noise.csv").fails(&["noise.csv", "not a table of text"]);
    let utf16 = |order: fn(u16) -> [u8; 2], mark: &str| -> Vec<u8> {
        format!("{mark}{}", classes()).encode_utf16().flat_map(order).collect()
    };
    for (order, mark) in
        [(u16::to_le_bytes as fn(u16) -> [u8; 2], "\u{feff}"), (u16::to_be_bytes, "\u{feff}")]
    {
        place.write("wide.csv", utf16(order, mark));
        place.train("wide.csv").done();
    }
    // Without the mark it must be said.
    place.write("wide.csv", utf16(u16::to_le_bytes, ""));
    place.train("wide.csv").fails(&["wide.csv", "UTF-16", "--encoding"]);
    place.train("wide.csv --encoding utf-16le").done();
    place.write("sheet.csv", [b"PK\x03\x04\x14\0".as_slice(), &noise].concat());
    place.train("sheet.csv").fails(&["sheet.csv", "spreadsheet"]);
    place.write("latin.csv", b"a,y\n1,gr\xfcn\n2,blau\n");
    place.train("latin.csv").fails(&["latin.csv, line 2", "not UTF-8"]);
    place.write("cut.csv.gz", b"\x1f\x8b\x08\0\0\0\0\0\0\x03KT");
    place.train("cut.csv.gz").fails(&["cannot read", "cut.csv.gz"]);
}

#[test]
fn lines_that_are_wrong_are_named() {
    let place = Place::new();
    place.write_with_line("ragged.csv", 7, "1,2");
    place.train("ragged.csv").fails(&["ragged.csv, line 7", "2 values", "first line has 3", "--delimiter"]);
    place.write_with_line("long.csv", 9, "1,2,red,4");
    place.train("long.csv").fails(&["long.csv, line 9", "4 values"]);
    place.write_with_line("open.csv", 5, "1,\"2,red");
    place.train("open.csv").fails(&["open.csv, line 5", "quotation mark"]);
    for infinite in ["inf", "-Infinity", "1e999"] {
        place.write_with_line("infinite.csv", 12, &format!("{infinite},2,red"));
        place.train("infinite.csv").fails(&["infinite.csv, line 12", "column `a`", infinite]);
    }
}

#[test]
fn text_in_a_column_of_numbers() {
    let place = Place::new();
    place.write_with_line("text.csv", 4, "oops,2,red");
    place.train("text.csv --numeric a").fails(&["text.csv, line 4, column `a`", "\"oops\"", "--categorical"]);
    place.train("text.csv").done();
    place.train("good.csv --task regression").fails(&[
        "line 2, column `y`",
        "\"blue\"",
        "--task classification",
    ]);
}

#[test]
fn missing_values_in_the_data_are_no_error() {
    let place = Place::new();
    place.write("missing.csv", classes() + &"nan,?,red\n,NA,blue\n".repeat(10));
    let summary = place.train("missing.csv").done().json();
    // Two numbers, and for each of them whether it is missing.
    assert_eq!(summary["features"], 4);
    assert!(summary["valid_loss"].as_f64().unwrap().is_finite());
}

#[test]
fn a_target_that_is_not_there() {
    let place = Place::new();
    place.write("people.csv", classes().replacen("a,b,y", "age,height,colour", 1));
    place.train("people.csv --target color").fails(&[
        "people.csv",
        "`color`",
        "did you mean `colour`?",
        "`height`",
    ]);
    place.train("people.csv --target 7").fails(&["no column `7`", "`age`"]);
    place.train("people.csv --target -4").fails(&["no column `-4`"]);
    place.train("people.csv --drop heigth").fails(&["`heigth`", "did you mean `height`?"]);
    place.train("people.csv --drop colour --target colour").fails(&["no column `colour`"]);
    place.train("people.csv --numeric age --drop age").fails(&["`age`", "--numeric", "--drop"]);
}

#[test]
fn targets_that_cannot_be_learnt() {
    let place = Place::new();
    let table = |row: &dyn Fn(usize) -> String, rows| -> String {
        format!("a,b,y\n{}", (0..rows).map(|i| format!("{i},{},{}\n", i % 7, row(i))).collect::<String>())
    };
    place.write("missing.csv", table(&|i| ["", "?", "NA"][i % 3].into(), 30));
    place.train("missing.csv").fails(&["missing.csv", "`y`", "no value in any row", "--target"]);
    place.write("one.csv", table(&|_| "red".into(), 30));
    place.train("one.csv").fails(&["one.csv", "`y`", "one class `red`", "--target"]);
    place.write("same.csv", table(&|_| "1.5".into(), 30));
    place.train("same.csv").fails(&["same.csv", "`y`", "1.5 in every row"]);
    place.write("keys.csv", table(&|i| format!("key{i}"), 30));
    place.train("keys.csv").fails(&["keys.csv", "30 classes in 30 rows"]);
    place.write("many.csv", table(&|i| (i / 3).to_string(), 3600));
    // As many classes as this are no guess, but may be asked for.
    assert_eq!(place.train("many.csv --task classification").done().json()["classes"], 1200);
    place.train("many.csv").done();
    place.write("column.csv", "a\n1\n2\n3\n4\n");
    place.train("column.csv").fails(&["column.csv", "no column is left", "`a`"]);
    place.write("row.csv", "a,y\n1,red\n");
    place.train("row.csv").fails(&["row.csv", "1 row"]);
}

#[test]
fn a_class_with_a_single_row_works_and_is_told() {
    let place = Place::new();
    place.write("single.csv", classes() + "3,3,green\n");
    let trained = place.train("single.csv").done().says(&["note: ", "`green`", "1 row, line 42"]);
    assert_eq!(trained.json()["classes"], 3);
}

#[test]
fn a_batch_larger_than_the_data_is_made_smaller() {
    let place = Place::new();
    let trained = place.train("good.csv --batch 5000").done().says(&["note: ", "5000", "32 rows"]);
    assert_eq!(trained.json()["batch"], 32);
}

// The command line.

#[test]
fn numbers_out_of_range_or_no_numbers() {
    let place = Place::new();
    for (flag, values) in [
        ("valid", &["0", "1", "2", "-0.5", "nan", "0%", "100%", ""][..]),
        ("seed", &["-1", "x", "1.5", "", "99999999999999999999999"]),
        ("epochs", &["0", "-3", "1.5", "x", "18446744073709551615"]),
        ("batch", &["0", "-1", "big"]),
        ("threads", &["0", "-1", "x", "100000"]),
        ("hidden", &["0", "-4", "64,x", "64,,3", "", "99999999999999999999999"]),
        ("dropout", &["1", "1.5", "-0.1", "nan", "inf", "x"]),
        ("label-smoothing", &["1", "1.5", "-0.1", "nan", "x"]),
        ("l1", &["-1", "nan", "inf", "x"]),
        ("l2", &["-1", "nan", "inf", "x"]),
        ("weight-decay", &["-1", "nan", "inf", "x"]),
        ("clip-norm", &["0", "-1", "nan", "inf", "x"]),
        ("clip-value", &["0", "-1", "nan", "inf", "x"]),
        ("lr", &["0", "-1", "nan", "inf", "1e400", "x", ""]),
        ("early-stop", &["0", "-1", "1.5", "nan", "x"]),
        ("delimiter", &["ab", "a", "\"", ""]),
        ("header", &["maybe"]),
        ("batch-norm", &["maybe"]),
    ] {
        for value in values {
            // As it would be typed, and joined on.
            let joined = format!("--{flag}={value}");
            let said = place.run_with("train good.csv", &[&joined]);
            let flag = format!("--{flag}");
            said.refused(&[&format!("invalid value '{value}' for '{flag}")]);
            if flag != "--batch-norm" {
                place.run_with("train good.csv", &[&flag, value]).refused(&[&flag]);
            }
        }
    }
    assert!(!place.exists("runs"));
}

#[test]
fn words_that_are_not_known() {
    let place = Place::new();
    for (flag, value, parts) in [
        ("--optimizer", "adm", &["`adm` is not an optimizer", "did you mean `adam`?", "\n  ^^^"][..]),
        ("--optimizer", "adam(beta3=0.1)", &["unknown key `beta3`", "did you mean `beta", "\n       ^^^^^"]),
        ("--optimizer", "adam(beta1=1.5)", &["`beta1` of `adam`", "below 1, not 1.5", "\n             ^^^"]),
        ("--optimizer", "adam(beta1=x)", &["expected a number, found `x`"]),
        ("--optimizer", "adam(", &["adam(", "^"]),
        ("--optimizer", "", &["an optimizer"]),
        ("--lr", "cosin(0.1)", &["`cosin` is not a schedule", "did you mean `cosine`?"]),
        ("--lr", "cosine(0.1, over=0)", &["`over` of `cosine`", "not 0", "\n                   ^"]),
        ("--lr", "cosine(0.1, ovr=3)", &["unknown key `ovr`", "did you mean `over`?"]),
        ("--lr", "inverse-time(0.1, decay=nan)", &["expected a number, found `nan`"]),
        ("--lr", "exponential(0.1, rate=-1)", &["`rate` of `exponential`", "not -1"]),
        ("--lr", "step(0.1)", &["`every` is missing"]),
        ("--lr", "warmup(200%, then=0.1)", &["`over` of `warmup`", "200%"]),
        ("--activation", "rleu", &["`rleu` is not an activation", "did you mean `relu`?"]),
        ("--activation", "leaky-relu(slop=1)", &["unknown key `slop`", "did you mean `slope`?"]),
        ("--init", "he-norml", &["did you mean `he-normal`?"]),
        ("--init", "lsuv(tolerance=0)", &["`tolerance` of `lsuv` must be above 0, not 0"]),
        ("--init", "orthogonal(gain=relu)", &["expected a number, or `auto`, found `relu`"]),
        ("--loss", "cross-entrpy", &["did you mean `cross-entropy`?"]),
        ("--class-weights", "foo", &["`foo`", "`balanced`"]),
        ("--early-stop", "after(0)", &["`patience` of `after`", "at least 1"]),
        ("--early-stop", "after(3, patence=3)", &["unknown key `patence`", "did you mean `patience`?"]),
        ("--early-stop", "after(3, metric=acuracy)", &["`acuracy`", "did you mean `accuracy`?"]),
        ("--task", "regresion", &["'regression'"]),
        ("--format", "xml", &["json", "csv"]),
    ] {
        place.run_with("train good.csv", &[flag, value]).refused(parts).refused_for(flag);
    }
    place.run("train good.csv --optimiser adam").refused(&["--optimiser", "did you mean --optimizer?"]);
    place.run("train good.csv --learning-rate 0.1").refused(&["--learning-rate", "did you mean --lr?"]);
    place.run("train good.csv --max_iter=100").refused(&["--max_iter", "did you mean --epochs?"]);
    place.run("trian good.csv").refused(&["trian", "train"]);
    place.run("train").refused(&["DATA"]);
    place.run("train good.csv numbers.csv").refused(&["numbers.csv"]);
    place.run("train good.csv --images x --labels y").refused(&["--images", "cannot be used with"]);
    place.run("train --labels y").refused(&["--images"]);
    place.run("train good.csv --labels y").refused(&["--labels", "cannot be used with"]);
    place.train("--images good.csv").fails(&["good.csv", "no labels", "--labels"]);
    place.run("evaluate").refused(&["RUN", "DATA"]);
    place.run("predict only-a-run").refused(&["DATA"]);
}

#[test]
fn settings_that_do_not_go_together() {
    let place = Place::new();
    place.train("numbers.csv --class-weights balanced").fails(&["class weights", "--task classification"]);
    place.train("numbers.csv --label-smoothing 0.1").fails(&["label smoothing", "--task classification"]);
    place.train("numbers.csv --loss cross-entropy").fails(&["the loss cross-entropy is for classes", "mse"]);
    place.train("good.csv --loss huber").fails(&["the loss huber is for regression", "cross-entropy"]);
    place.train("good.csv --loss mse --label-smoothing 0.1").fails(&["--label-smoothing", "cross-entropy"]);
    place.train("iris --loss binary-cross-entropy").fails(&["2 classes", "has 3"]);
    assert!(!place.exists("runs"));
}

#[test]
fn early_stopping_on_a_metric_that_is_not_there_is_refused_before_the_first_step() {
    let place = Place::new();
    let stop = |metric: &str| format!("--early-stop after(5,metric={metric})");
    for metric in ["r2", "rmse", "mae"] {
        let said = place.train(&format!("good.csv {}", stop(metric)));
        said.fails(&[&format!("`{metric}`"), "for regression", "accuracy"]);
        place.train(&format!("numbers.csv {}", stop(metric))).done();
    }
    for metric in ["accuracy", "balanced-accuracy", "f1", "roc-auc"] {
        let said = place.train(&format!("numbers.csv {}", stop(metric)));
        said.fails(&[&format!("`{metric}`"), "for classes", "rmse"]);
        place.train(&format!("good.csv {}", stop(metric))).done();
    }
    place.write("red.csv", "a,b,y\n30,3,red\n31,4,red\n");
    place
        .train(&format!("good.csv --valid red.csv {} --name no", stop("roc-auc")))
        .fails(&["`roc-auc`", "one class"]);
    place.write("row.csv", "a,b,y\n30,3,46\n");
    place.train(&format!("numbers.csv --valid row.csv {} --name no", stop("r2"))).fails(&["`r2`", "single"]);
    assert!(!place.exists("runs/no"));
}

#[test]
fn networks_too_large_for_any_memory() {
    let place = Place::new();
    place.run("train good.csv --hidden 1000000000").fails(&["units", "--hidden"]);
    place.run("train good.csv --hidden 100000000,100000000").fails(&["units", "--hidden"]);
    place.run("train good.csv --hidden 100000,100000").fails(&["parameters are too many", "at most"]);
    assert!(!place.exists("runs"));
}

#[test]
fn a_rate_that_makes_the_run_diverge() {
    let place = Place::new();
    // In the first epoch: there is nothing to keep.
    let said = place.train("numbers.csv --lr 1e30 --optimizer sgd --guard off --name first");
    let said = said.fails(&["stopped being a finite number", "epoch 1", "1.000e30", "--clip-norm 1"]);
    assert_eq!(said.stdout, "");
    assert!(place.read("runs/first/events.jsonl").lines().last().unwrap().contains("diverged"));
    place.run("resume first").fails(&["stopped being a finite number"]);
    // Later: the best epoch is kept, and the folder can be used.
    let later = "numbers.csv --epochs 30 --optimizer sgd --guard off --name later";
    let said = place
        .run_with(&format!("train {later} --format json --hidden 8"), &["--lr", "warmup(90%, then=1e3)"]);
    let said = said.fails(&["stopped being a finite number", "epoch 1 are kept in runs/later"]);
    assert_eq!((&said.json()["stop"], &said.json()["best_epoch"]), (&"diverged".into(), &1.into()));
    place.run("predict later numbers.csv").done();
    // The guard goes back a few times, and gives up where no rate near this one will do.
    let said = place.run("train numbers.csv --lr 1e30 --optimizer sgd --name hopeless");
    said.fails(&["The loss", "back to step 0", "stopped being a finite number", "--clip-norm 1"]);
}

// The folder of a run.

#[test]
fn a_run_never_takes_the_place_of_another() {
    let place = Place::new();
    let name = |outcome: common::Outcome| outcome.done().json()["run"].as_str().unwrap().to_string();
    assert_eq!(name(place.train("good.csv")), "runs/good-1");
    assert_eq!(name(place.train("good.csv")), "runs/good-2");
    assert_eq!(name(place.train("good.csv --name mine")), "runs/mine");
    let before = place.read("runs/mine/events.jsonl");
    assert_eq!(name(place.train("good.csv --name mine")), "runs/mine-2");
    assert_eq!(name(place.train("good.csv --name mine")), "runs/mine-3");
    assert_eq!(place.read("runs/mine/events.jsonl"), before);
    assert_eq!(place.files("runs"), ["good-1", "good-2", "mine", "mine-2", "mine-3"]);
}

#[test]
fn names_and_folders_that_cannot_be() {
    let place = Place::new();
    for name in ["../x", "a/b", "", ".", "..", ".hidden", "a\nb"] {
        place.train_with("good.csv --name", &[name]).fails(&["cannot be the name of a run"]);
    }
    place.train("good.csv --runs good.csv").fails(&["good.csv", "is a file", "--runs"]);
    // Permissions stop no superuser; a file in the way stops everybody.
    place.train("good.csv --runs good.csv/runs").fails(&["could not make the run's folder good.csv/runs"]);
    assert_eq!(place.files("."), ["good.csv", "numbers.csv"]);
    assert_eq!(place.read("good.csv"), classes());
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_nobody_can_write() {
    let place = Place::new();
    place.train("good.csv --runs /proc/runs").fails(&["could not make the run's folder /proc/runs"]);
}

/// A file that grows too large stands in for a disk that is full: in both cases the write itself fails.
#[cfg(target_os = "linux")]
mod full_disk {
    use super::*;

    /// Trains with no file allowed to grow beyond so many KiB.
    fn train(place: &Place, kib: u64, words: &str) -> common::Outcome {
        // Some shells count in blocks of 512 bytes and some of 1024: the one that is there is measured.
        let probe = place
            .shell("trap '' XFSZ; ulimit -f 4; head -c 8192 /dev/zero > probe 2> probe.err; wc -c < probe");
        let block = probe.stdout.trim().parse::<u64>().unwrap() / 4;
        assert!(block == 512 || block == 1024, "{probe:?}");
        let blocks = kib * 1024 / block;
        place.shell(&format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$downhill\" train {words} --checkpoint-every 0 --format json"
        ))
    }

    #[test]
    fn before_the_first_checkpoint() {
        let place = Place::new();
        let said = train(&place, 16, "good.csv --epochs 3 --name big --hidden 128,128");
        let said = said.fails(&["runs/big/checkpoints/step-00000002.safetensors", "too large", "make room"]);
        assert_eq!(said.stdout, "");
        assert_eq!(place.files("runs/big/checkpoints"), [""; 0], "nothing half-written is left");
        // With room again, the run is what it would have been.
        let whole = place.run("train good.csv --epochs 3 --name whole --hidden 128,128 --format json").done();
        assert_eq!(place.run("resume big --format json").done().hash(), whole.hash());
    }

    #[test]
    fn while_the_log_grows() {
        let place = Place::new();
        let words = "good.csv --epochs 60 --early-stop off --hidden 8";
        let said = train(&place, 8, &format!("{words} --name log"));
        said.fails(&["runs/log/events.jsonl", "too large", "make room"]);
        let checkpoints = place.files("runs/log/checkpoints");
        assert!(!checkpoints.is_empty() && checkpoints.iter().all(|name| name.ends_with(".safetensors")));
        let whole = place.run(&format!("train {words} --name whole --format json")).done();
        assert_eq!(place.run("resume log --format json").done().hash(), whole.hash());
    }

    #[test]
    fn before_there_is_a_run() {
        let place = Place::new();
        train(&place, 0, "good.csv --epochs 3 --name none").fails(&["run.toml", "too large"]);
        assert_eq!(place.files("runs"), [""; 0]);
    }

    #[test]
    fn on_standard_output() {
        let place = Place::new();
        place.shell("\"$downhill\" datasets > /dev/full").fails(&["standard output", "No space left"]);
    }
}

// Files that are damaged.

/// Every way to spoil a file.
fn spoilt(bytes: &[u8]) -> Vec<Vec<u8>> {
    let flipped = |at: usize, bit: u8| {
        let mut bytes = bytes.to_vec();
        bytes[at] ^= 1 << bit;
        bytes
    };
    let last = bytes.len() - 1;
    vec![
        vec![],
        b"no model at all".to_vec(),
        bytes[..bytes.len() / 2].to_vec(),
        bytes[..last].to_vec(),
        [bytes, b"x"].concat(),
        flipped(0, 3),
        flipped(7, 6),
        flipped(last, 0),
        flipped(last - 100, 7),
        vec![0; bytes.len()],
    ]
}

#[test]
fn a_damaged_model() {
    let place = Place::new();
    place.train("good.csv --name run").done();
    let model = std::fs::read(place.path("runs/run/model.safetensors")).unwrap();
    for bytes in spoilt(&model) {
        place.write("runs/run/model.safetensors", &bytes);
        for command in ["predict run good.csv", "evaluate run good.csv"] {
            let said = place.run(command);
            let said = said.fails(&["runs/run/model.safetensors is damaged", "downhill resume runs/run"]);
            assert_eq!(said.stdout, "");
        }
        place
            .run("predict runs/run/model.safetensors good.csv")
            .fails(&["runs/run/model.safetensors is damaged"]);
    }
    // What the message advises is true.
    place.run("resume run").done();
    assert_eq!(std::fs::read(place.path("runs/run/model.safetensors")).unwrap(), model);
}

#[test]
fn what_is_no_model() {
    let place = Place::new();
    place.train("good.csv --name run").done();
    place.run("predict good.csv good.csv").fails(&["good.csv", "not a safetensors file", "folder of a run"]);
    let checkpoint = format!("runs/run/checkpoints/{}", place.files("runs/run/checkpoints")[0]);
    place
        .run(&format!("predict {checkpoint} good.csv"))
        .fails(&[&checkpoint, "is a checkpoint, not a model"]);
    place.run("predict rund good.csv").fails(&["there is no run rund", "did you mean run?"]);
    place.run("predict . good.csv").fails(&["no run.toml", "not a run's folder"]);
    std::fs::remove_file(place.path("runs/run/model.safetensors")).unwrap();
    place.run("evaluate run good.csv").fails(&["no model yet", "downhill resume runs/run"]);
    place.run("train good.csv --lr 1e300 --optimizer sgd --guard off --name far").fails(&["finite"]);
    place.run("predict far good.csv").fails(&["no model yet", "finite", "lower rate"]);
}

#[test]
fn a_damaged_checkpoint_gives_way_to_the_one_before() {
    let place = Place::new();
    // Every epoch is the best so far, so each checkpoint stands on its own.
    let words = "train good.csv --hidden 8 --epochs 12 --early-stop off --checkpoint-every 0 --format json";
    let whole = place.run(&format!("{words} --name run")).done().hash();
    let checkpoints = place.files("runs/run/checkpoints");
    assert!(checkpoints.len() >= 2, "{checkpoints:?}");
    let latest = format!("runs/run/checkpoints/{}", checkpoints.last().unwrap());
    for bytes in spoilt(&std::fs::read(place.path(&latest)).unwrap()) {
        place.write(&latest, bytes);
        let resumed = place.run("resume run --format json").done();
        let resumed = resumed.says(&["note: ", &latest, "is damaged", "one before it"]);
        assert_eq!(resumed.hash(), whole);
    }
    for checkpoint in place.files("runs/run/checkpoints") {
        place.write(&format!("runs/run/checkpoints/{checkpoint}"), "rubbish");
    }
    place.run("resume run").fails(&[
        "no checkpoint of runs/run can be used",
        &latest,
        "--config runs/run/run.toml",
    ]);
    std::fs::remove_dir_all(place.path("runs/run/checkpoints")).unwrap();
    place.run("resume run").fails(&["lost its folder of checkpoints", "--config runs/run/run.toml"]);
}

#[test]
fn a_log_that_lost_its_beginning() {
    let place = Place::new();
    place.train("good.csv --name run").done();
    place.run("resume run --epochs 12 --lr 0.5x").done();
    let log = place.read("runs/run/events.jsonl");
    let begun = log.find("\"event\":\"resume\"").unwrap();
    let kept = &log[log[..begun].rfind('\n').unwrap() + 1..];
    for rest in ["", kept] {
        place.write("runs/run/events.jsonl", rest);
        place.run("replay run").fails(&["runs/run", "does not begin with its start"]);
        place
            .run("resume run --epochs 14")
            .says(&["note: ", "some of it is gone", "cannot be made again"])
            .done();
    }
}

#[test]
fn a_line_of_the_log_that_is_no_event() {
    let place = Place::new();
    place.train("good.csv --name run").done();
    let log = place.read("runs/run/events.jsonl");
    place.write("runs/run/events.jsonl", log.replacen("{\"time\"", "rubbish", 1));
    for command in ["resume run", "set-lr run 0.5x", "replay run"] {
        place.run(command).fails(&["runs/run/events.jsonl is damaged", "line 1 is no event", "take it out"]);
    }
    let broken = place.run("runs --state broken").done().stdout;
    assert!(broken.contains("line 1 is no event"), "{broken}");
}

#[test]
fn a_torn_last_line_of_the_log() {
    let place = Place::new();
    let whole = place.train("good.csv --name run").done().hash();
    let log = place.read("runs/run/events.jsonl");
    place.write("runs/run/events.jsonl", &log[..log.len() - 9]);
    let resumed = place.run("resume run --format json").done();
    let resumed = resumed.says(&["note: ", "runs/run/events.jsonl", "torn"]);
    assert_eq!(resumed.hash(), whole);
    for line in place.read("runs/run/events.jsonl").lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
}

// Going on with a run.

#[test]
fn runs_that_cannot_go_on() {
    let place = Place::new();
    place.train("good.csv --name mine").done();
    place.run("resume mien").fails(&["there is no run mien", "did you mean mine?"]);
    place.run("resume quite-other").fails(&["there is no run quite-other", "runs"]);
    place.run("resume mine --runs elsewhere").fails(&["there is no run mine", "elsewhere"]);
    place.run("resume runs").fails(&["runs has no run.toml", "not a run's folder"]);
    place.run("resume good.csv").fails(&["good.csv is a file"]);

    place.write_with_line("good.csv", 5, "77,2,red");
    place.run("resume mine").fails(&["data", "changed"]);
    place.write_with_line("good.csv", 5, "77,2");
    place.run("resume mine").fails(&["data of the run runs/mine", "good.csv, line 5"]);
    std::fs::remove_file(place.path("good.csv")).unwrap();
    place.run("resume mine").fails(&["data of the run runs/mine", "there is no file", "good.csv"]);
    place.write("good.csv", classes());
    place.run("resume mine").done();
}

#[test]
fn configurations_that_are_wrong() {
    let place = Place::new();
    place.run("train --config nowhere.toml").fails(&["nowhere.toml", "No such file"]);
    place.run("train --config .").fails(&["this is a folder", "run.toml"]);
    place.write("noise.toml", [0xff, 0xfe, 0, 1]);
    place.run("train --config noise.toml").fails(&["noise.toml", "not UTF-8"]);
    for (text, parts) in [
        ("bogus = 1", &["line 1, column 1", "unknown key `bogus`", "\n  bogus = 1\n  ^^^^^\n"][..]),
        ("[training]\nepoch = 3", &["line 2, column 1", "unknown key `epoch`; did you mean `epochs`?"]),
        ("[training]\nepochs = \"x\"", &["line 2, column 10", "a whole number", "found `\"x\"`"]),
        ("[training]\nepochs = -1", &["line 2, column 10", "found `-1`"]),
        ("[training]\nepochs = 0", &["`epochs` of `training`", "not 0"]),
        ("[training]\nbatch = 0", &["`batch` of `training`", "not 0"]),
        ("[training]\nlr = nan", &["line 2, column 6", "expected a number"]),
        ("[training]\nlr = \"cosine(0.1, ovr=2)\"", &["line 2, column 19", "`ovr`; did you mean `over`?"]),
        ("[training]\noptimizer = \"adm\"", &["line 2, column 14", "did you mean `adam`?"]),
        ("[training]\noptimizer = { adam = { beta1 = 2 } }", &["line 2, column 13", "`beta1` of `adam`"]),
        ("[training]\nearly-stopping = \"after(0)\"", &["line 2", "`patience` of `after`"]),
        ("[training]\nclass-weights = \"balance\"", &["line 2", "`balance`", "`balanced`"]),
        ("[training.network.mlp]\nhiden = [3]", &["line 2, column 1", "did you mean `hidden`?"]),
        ("[training.network.mlp]\nhidden = [0]", &["`hidden` of `mlp`", "not 0"]),
        ("[training.network.mlp]\ndropout = 0.5", &["line 1", "the key `hidden` is missing"]),
        ("[training.network.mlp]\nhidden = [3]\ndropout = 1.5", &["`dropout` of `mlp`", "not 1.5"]),
        ("[training.network.mlp]\nhidden = [3]\nactivation = \"rleu\"", &["line 3", "did you mean `relu`?"]),
        (
            "[training.network]\nlayers = [\"dense(8)\", \"rlu\"]",
            &["line 2, column 24", "did you mean `relu`?"],
        ),
        ("[data]\nvalid = true", &["line 2, column 9", "a share of the rows", "found `true`"]),
        ("[data]\nfrom = 3", &["line 2, column 8", "text in quotes", "found `3`"]),
        ("[data.read]\ndelimiter = \"xx\"", &["line 2, column 13", "cannot be a delimiter"]),
        ("a = = 3", &["line 1, column 5"]),
    ] {
        place.write("c.toml", text);
        let said = place.run("train good.csv --config c.toml");
        said.fails(&[&["c.toml: "], parts].concat());
    }
    place.write("c.toml", "[training]\nepochs = 3\n");
    place.run("train --config c.toml").fails(&["no data is named", "downhill datasets"]);
    place.write("c.toml", "[data]\nfrom = \"good.csv\"\nvalid = 2\n");
    place.run("train --config c.toml").fails(&["2 is not a share of the rows"]);
    place.write("c.toml", "[data]\nfrom = \"good.csv\"\n[training.network]\nlayers = [\"dense(4)\"]\n");
    place.run("train --config c.toml --hidden 8").fails(&["--hidden", "lists the network's layers"]);
    assert!(!place.exists("runs"));
}

// Using a model.

#[test]
fn tables_that_do_not_go_with_the_model() {
    let place = Place::new();
    place.train("good.csv --name run").done();
    let whole = place.run("predict run good.csv").done().stdout;
    let columns = |wanted: &[usize], more: &str| -> String {
        let cells = |line: &str| {
            let all: Vec<&str> = line.split(',').collect();
            let kept: Vec<&str> = wanted.iter().map(|&column| all[column]).collect();
            kept.join(",") + more + "\n"
        };
        classes().lines().map(cells).collect()
    };
    place.write("missing.csv", columns(&[0, 2], ""));
    for command in ["predict run missing.csv", "evaluate run missing.csv"] {
        place.run(command).fails(&["missing.csv lacks the column `b`", "`a`, `y`"]);
    }
    place.write("reordered.csv", columns(&[2, 1, 0], ""));
    assert_eq!(place.run("predict run reordered.csv").done().stdout, whole);
    place.write("extra.csv", columns(&[0, 1, 2], ",z"));
    let extra = place.run("predict run extra.csv").done().says(&["note: ", "`z` is ignored"]);
    assert_eq!(extra.stdout, whole);
    assert_eq!(place.run("predict run extra.csv --quiet").done().stderr, "");
    place.write("unlabelled.csv", columns(&[0, 1], ""));
    assert_eq!(place.run("predict run unlabelled.csv").done().stdout, whole);
    place.run("evaluate run unlabelled.csv").fails(&["unlabelled.csv has no column `y`"]);
    place.write("other.csv", classes() + "3,4,green\n");
    place.run("evaluate run other.csv").fails(&[
        "other.csv, line 42, column `y`",
        "`green`",
        "`blue`, `red`",
    ]);
    place.write_with_line("text.csv", 6, "oops,2,red");
    place.run("predict run text.csv").fails(&["text.csv, line 6, column `a`", "\"oops\""]);
    place.run("predict run iris").fails(&["iris lacks the columns `a`, `b`"]);
    place.run("predict run god.csv").fails(&["there is no file god.csv", "did you mean good.csv?"]);
}

#[cfg(unix)]
#[test]
fn whoever_stops_reading_causes_no_error() {
    let place = Place::new();
    place.train("good.csv --name run").done();
    // Far more than a pipe holds.
    let rows: String = classes().lines().skip(1).map(|line| format!("{line}\n")).collect();
    place.write("long.csv", format!("a,b,y\n{}", rows.repeat(500)));
    for command in ["predict run long.csv", "predict run long.csv --format json"] {
        let line = format!("{{ \"$downhill\" {command}; echo $? > code; }} | head -c 10");
        let said = place.shell(&line).done();
        assert_eq!((said.stdout.len(), said.stderr.as_str()), (10, ""));
        assert_eq!(place.read("code").trim(), "0");
    }
    // Nor where messages go.
    let line = "{ \"$downhill\" train good.csv --epochs 300 --early-stop off --hidden 8 2>&1 >/dev/null; echo $? > code; } | head -c 10";
    place.shell(line).done();
    assert_eq!(place.read("code").trim(), "0");
}

impl common::Outcome {
    /// Checks that the command line's error names this flag.
    #[track_caller]
    fn refused_for(self, flag: &str) {
        self.says(&[&format!("for '{flag} <")]);
    }
}

#[test]
fn networks_that_cannot_be_looked_at() {
    let place = Place::new();
    for (words, parts) in [
        ("--layers 0x5", &["--layers", "`0x5` is not a size", "100x5"][..]),
        ("--layers 100x", &["`100x` is not a size"]),
        ("--layers 100,", &["`` is not a size"]),
        ("--layers -3", &["`-3` is not a size"]),
        ("--layers 1e9x100", &["`1e9x100` is not a size"]),
        ("--layers 1000000000x100", &["1 GB", "smaller layers"]),
        ("--layers 18446744073709551615x1000", &["1 GB"]),
        ("--layers 10x1000000000", &["more than 1000 layers"]),
        ("--layers 10x600,10x600", &["more than 1000 layers"]),
        ("--rows 1", &["--rows", "at least 2"]),
        ("--rows 1000000000", &["1 GB", "fewer rows"]),
        ("--scheme xavir", &["`xavir` is not an initialiser", "did you mean `xavier`?", "\n  ^^^^^"]),
        ("--scheme normal(-1)", &["`std` of `normal` must be above 0, not -1"]),
        ("--activation rellu", &["`rellu` is not an activation", "did you mean `relu`?"]),
        ("--layers 20,10 --scheme identity", &["20 inputs and 10 outputs", "one size"]),
    ] {
        place.run(&format!("init {words}")).refused(parts);
    }
    place.run("init --plot picture.jpg").refused(&["picture.jpg", ".svg or a .png"]);
    place.run("init --plot nowhere/picture.svg").fails(&["could not draw into nowhere/picture.svg: "]);
}
