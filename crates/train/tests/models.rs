//! Model files and checkpoints that say what cannot be: everybody can write one, with a checksum that is
//! right.

#[path = "../../../fuzz/targets/seal.rs"]
mod seal;

use std::fs;
use std::path::{Path, PathBuf};

use downhill_data::{Examples, ReadOptions, Table, Targets};
use downhill_train::{Network, Predictor, RunFolder, Source, Trainer};
use serde_json::{Value, json};

/// A network that was trained for a moment, and its file.
fn model(folder: &Path, data: &str, network: impl Into<Network>) -> PathBuf {
    let data = Table::bundled(data).unwrap().default_target().split(0.2, 1).unwrap();
    let trained = Trainer::new(network).epochs(1).lr(0.01).threads(1).fit(&data).unwrap();
    let path = folder.join("model.safetensors");
    trained.predictor().save(&path).unwrap();
    path
}

fn layers(specs: &[&str]) -> Network {
    Network::Layers(specs.iter().map(|spec| spec.parse().unwrap()).collect())
}

fn refused(path: &Path, change: impl FnOnce(&mut Value)) -> String {
    let changed = path.with_extension("changed");
    fs::write(&changed, seal::described(&fs::read(path).unwrap(), change).unwrap()).unwrap();
    Predictor::load(&changed).map(|_| "loaded".to_string()).unwrap_or_else(|error| error.to_string())
}

#[test]
fn a_model_file_that_contradicts_itself_is_refused_when_it_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = model(folder.path(), "iris", Network::mlp([4]));
    assert_eq!(refused(&path, |_| ()), "loaded");
    let classes = "/encoder/target/encoding/classes/classes";
    for (place, value, says) in [
        (classes, json!([]), "its target `species` has 0 classes"),
        (classes, json!(["a", "b"]), "its target has 2 classes, and its network tells 3 apart"),
        (classes, json!(["a", "b", "c", "d"]), "its target has 4 classes, and its network tells 3 apart"),
        ("/loss", json!("mse"), "its network has 3 outputs, and its loss needs 1"),
        ("/loss", json!("binary-cross-entropy"), "its network has 3 outputs, and its loss needs 1"),
        ("/loss", json!("cross-entropy(class-weights=[1, 2])"), "its loss needs an output for each of its 2"),
        ("/encoder/target/encoding", json!({"number": {"mean": 0.0, "std": 1.0}}), "its target is a number"),
        (
            "/encoder/inputs/0/encoding",
            json!({"pixels": {"count": 2, "mean": 0.0, "std": 1.0}}),
            "5 features",
        ),
        ("/encoder/inputs/0/encoding/number/indicator", json!(true), "its encoder makes 5 features"),
        (
            "/encoder/inputs/3/encoding",
            json!({"pixels": {"count": u64::MAX, "mean": 0.0, "std": 1.0}}),
            "from number 3 on, of only 5",
        ),
        ("/encoder/inputs", json!([]), "has no inputs"),
        ("/inputs", json!(5), "`0.weight` is of the shape [4, 4], not [5, 4]"),
        ("/inputs", json!(0), "at least one input"),
        ("/inputs", json!(1u64 << 62), "inputs are more than"),
        ("/layers", json!(["dense(3)"]), "`0.weight` is of the shape [4, 4], not [4, 3]"),
        ("/layers", json!(["dense(50000000)"]), "`0.weight` is of the shape [4, 4], not [4, 50000000]"),
        ("/layers", json!(["dense(4)", "relu", "dense(3)", "batch-norm"]), "it has no tensor `3.scale`"),
        ("/layers", json!(["dense(4)", "relu", "dense(3, init=orthogonal)"]), "loaded"),
        ("/layers", json!(["dense(4)", "relu"]), "its target has 3 classes, and its network tells 4 apart"),
    ] {
        let said = refused(&path, |about| *about.pointer_mut(place).unwrap() = value.clone());
        assert!(said.contains(says), "{place} {value}: {said}");
    }
}

#[test]
fn several_networks_that_contradict_each_other_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let network = |units: usize, seed: u64| {
        let data = Table::bundled("iris").unwrap().default_target().split(0.2, seed).unwrap();
        let trained = Trainer::new(Network::mlp([units])).epochs(1).lr(0.01).threads(1).fit(&data).unwrap();
        trained.predictor().clone()
    };
    let average = Predictor::average([network(4, 1), network(4, 1), network(3, 2)]).unwrap();
    let path = folder.path().join("average.safetensors");
    average.save(&path).unwrap();
    assert_eq!(refused(&path, |_| ()), "loaded");
    let loaded = Predictor::load(&path).unwrap();
    let iris = Table::bundled("iris").unwrap();
    assert_eq!(loaded.predict(&iris).unwrap(), average.predict(&iris).unwrap());
    assert_eq!(loaded.evaluate(&iris).unwrap(), average.evaluate(&iris).unwrap());
    // Features are those of one encoder.
    let said = loaded.predict_rows(&[0.0; 4]).unwrap_err().to_string();
    assert!(said.contains("each encodes a table in its own way: give it a table"), "{said}");
    let said = |change: &dyn Fn(&mut Value)| refused(&path, change);
    for (change, says) in [
        (&(|about: &mut Value| about["members"] = json!([])) as &dyn Fn(&mut Value), "no tensor `0.weight`"),
        (
            &|about: &mut Value| about["members"] = json!([{}, {}, {}]),
            "of its network 2, `members.2.0.weight`",
        ),
        (
            &|about: &mut Value| about["members"] = json!([{}, {}, {}, {}]),
            "of its network 2, `members.2.0.weight`",
        ),
        (
            &|about: &mut Value| about["members"][1]["inputs"] = json!(5),
            "of its network 1, `members.1.0.weight`",
        ),
        (&|about: &mut Value| about["members"][1]["layer"] = json!([]), "unknown field `layer`"),
        (
            &|about: &mut Value| {
                let classes = &mut about["members"][2]["encoder"]["target"]["encoding"]["classes"]["classes"];
                *classes = json!(["a", "b", "c"]);
            },
            "its networks cannot be averaged: they tell other classes of `species` apart",
        ),
    ] {
        assert!(said(change).contains(says), "{says}: {}", said(change));
    }
}

#[test]
fn tensors_of_another_shape_or_type_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    // As many values either way: the weights would be those of other inputs.
    let path = model(folder.path(), "iris", layers(&["dense(2)", "dense(3)"]));
    let bytes = fs::read(&path).unwrap();
    for (from, to, says) in [
        (&b"\"shape\":[4,2]"[..], &b"\"shape\":[2,4]"[..], "`0.weight` is of the shape [2, 4], not [4, 2]"),
        (
            b"{\"dtype\":\"F32\",\"shape\":[4,2]",
            b"{\"dtype\":\"I32\",\"shape\":[4,2]",
            "of the type I32, not F32",
        ),
    ] {
        let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
        let mut changed = bytes.clone();
        changed[at..at + to.len()].copy_from_slice(to);
        fs::write(&path, seal::sealed(&changed).unwrap()).unwrap();
        let said = Predictor::load(&path).unwrap_err().to_string();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn predictions_that_are_no_numbers_name_the_row_and_the_column() {
    let folder = tempfile::tempdir().unwrap();
    let text = |values: &[f64]| {
        let row = |(i, x): (usize, &f64)| format!("{x},{},{}\n", i % 7, i);
        format!("width,height,price\n{}", values.iter().enumerate().map(row).collect::<String>())
    };
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).unwrap();
        Table::read(folder.path().join(name), &ReadOptions::default()).unwrap()
    };
    let values: Vec<f64> = (0..40).map(f64::from).collect();
    let data = write("train.csv", text(&values)).target("price").split(0.2, 1).unwrap();
    let trained = Trainer::new(Network::mlp([8])).epochs(2).threads(1).fit(&data).unwrap();
    let path = folder.path().join("model.safetensors");
    trained.predictor().save(&path).unwrap();
    // Weights that are large, and fine for rows as in training.
    let mut file = fs::read(&path).unwrap();
    let start = 8 + u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    file[start..].chunks_exact_mut(4).for_each(|value| value.copy_from_slice(&1e18_f32.to_le_bytes()));
    fs::write(&path, seal::sealed(&file).unwrap()).unwrap();
    let predictor = Predictor::load(&path).unwrap();
    let mut odd = values.clone();
    (odd[5], odd[9]) = (1e30, 1e39);
    let odd = write("odd.csv", text(&odd));
    for said in [predictor.predict(&odd).unwrap_err(), predictor.evaluate(&odd).unwrap_err()] {
        let said = said.to_string();
        let parts =
            ["odd.csv, line 7: the prediction of `price` is not a finite number", "column of `width`"];
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
    }
    let fine = predictor.predict(&write("fine.csv", text(&values))).unwrap();
    assert!(matches!(fine, downhill_train::Predictions::Values(values) if values.len() == 40));

    let rows = Examples::new(vec![0.5; 80], 2, Targets::Values(vec![0.0; 40])).unwrap();
    let mut x = rows.x.clone();
    (x[6], x[7]) = (f32::MAX, f32::MAX);
    let said = predictor.predict_rows(&x).unwrap_err().to_string();
    assert!(said.starts_with("row 3: the prediction of `price`"), "{said}");
}

fn run(runs: &Path) -> RunFolder {
    let trainer = Trainer::new(Network::mlp([4])).epochs(2).lr(0.01).threads(1);
    trainer.fit_in(runs, Some("run"), &Source::new("iris")).unwrap();
    RunFolder::open(&runs.join("run")).unwrap()
}

#[test]
fn a_checkpoint_that_contradicts_itself_is_damaged() {
    let runs = tempfile::tempdir().unwrap();
    let run = run(runs.path());
    let last = fs::read_dir(run.checkpoints()).unwrap().map(|entry| entry.unwrap().path()).max().unwrap();
    let good = fs::read(&last).unwrap();
    for (place, value, says) in [
        ("/progress/step", json!(3), "its name says step 16, and its content step 3"),
        ("/progress/made", json!(2), "16 steps of which only 2 were made"),
        ("/progress/updates", json!(u64::MAX), "after 18446744073709551615 updates"),
        ("/progress/epochs", json!(u64::MAX), "18446744073709551615 epochs"),
        ("/progress/steering/scale", json!(0.0), "a scale of 0"),
        ("/progress/steering/scale", json!(-1e300), "a scale of -1e300"),
        ("/progress/best/epoch/step", json!(99), "its best epoch ended at step 99"),
    ] {
        let changed = seal::described(&good, |about| {
            *about.pointer_mut(place).unwrap_or_else(|| panic!("no {place}")) = value.clone();
        })
        .unwrap();
        for entry in fs::read_dir(run.checkpoints()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        fs::write(&last, changed).unwrap();
        let said = Trainer::default().threads(1).resume(run.clone()).unwrap_err().to_string();
        assert!(said.contains(says), "{place}: {said}");
    }
    fs::write(&last, good).unwrap();
    Trainer::default().threads(1).resume(run).unwrap();
}

#[cfg(unix)]
#[test]
fn nothing_is_written_or_removed_through_links_in_a_runs_folder() {
    use std::os::unix::fs::symlink;

    let runs = tempfile::tempdir().unwrap();
    let run = run(runs.path());
    let elsewhere = runs.path().join("elsewhere");
    fs::rename(run.checkpoints(), &elsewhere).unwrap();
    symlink(&elsewhere, run.checkpoints()).unwrap();
    let before = fs::read_dir(&elsewhere).unwrap().count();
    let said = Trainer::default().threads(1).resume(run.clone()).unwrap_err().to_string();
    assert!(said.contains("is a link to elsewhere"), "{said}");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), before);
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_waited_for() {
    let runs = tempfile::tempdir().unwrap();
    let run = run(runs.path());
    let fifo = |path: &Path| {
        let _ = fs::remove_file(path);
        rustix::fs::mkfifoat(rustix::fs::CWD, path, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR).unwrap();
    };
    let is_fifo = |said: String| assert!(said.contains("it is a FIFO, not a file"), "{said}");
    fifo(&run.model_path());
    is_fifo(Predictor::load(run.model_path()).unwrap_err().to_string());
    let log = fs::read(run.log_path()).unwrap();
    fifo(&run.log_path());
    is_fifo(Trainer::default().threads(1).resume(run.clone()).unwrap_err().to_string());
    is_fifo(downhill_train::log::read(&run.log_path()).unwrap_err().to_string());
    is_fifo(downhill_train::Overview::of(run.path()).why.unwrap());
    assert!(!run.is_under_way());
    fs::remove_file(run.log_path()).unwrap();
    fs::write(run.log_path(), log).unwrap();
    for entry in fs::read_dir(run.checkpoints()).unwrap() {
        fifo(&entry.unwrap().path());
    }
    is_fifo(Trainer::default().threads(1).resume(run.clone()).unwrap_err().to_string());
}
