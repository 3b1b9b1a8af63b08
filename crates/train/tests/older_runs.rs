//! Runs that older versions made open, say what they kept, and go on. They are in `older/`: five epochs of
//! iris each, made before averages and the choice of the kept weights had defaults; `best` with early
//! stopping, `last` without it and with an average of its own.

use std::fs;
use std::path::Path;

use downhill_train::{Command, EarlyStopping, Keep, Patience, RunConfig, RunFolder, Trainer};

/// A copy to go on with.
fn older(name: &str, to: &Path) -> RunFolder {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/older").join(name);
    let to = to.join(name);
    fs::create_dir_all(to.join("checkpoints")).unwrap();
    for part in ["run.toml", "events.jsonl", "model.safetensors", "checkpoints/step-00000040.safetensors"] {
        fs::copy(from.join(part), to.join(part)).unwrap();
    }
    RunFolder::open(&to).unwrap()
}

#[test]
fn their_settings_are_what_they_were() {
    let runs = tempfile::tempdir().unwrap();
    let config = |name: &str| RunConfig::of(&older(name, runs.path())).unwrap().training;
    let (best, last) = (config("best"), config("last"));
    assert_eq!((best.ema, best.keep), (Some(0.0), Keep::Best));
    assert_eq!(best.early_stopping, EarlyStopping::After(Patience { patience: 20, ..Patience::default() }));
    assert_eq!((last.ema, last.keep, last.early_stopping), (Some(0.9), Keep::Last, EarlyStopping::Off));
}

#[test]
fn they_go_on_from_their_checkpoints() {
    let runs = tempfile::tempdir().unwrap();
    for name in ["best", "last"] {
        let folder = older(name, runs.path());
        let longer = Trainer::default().command(Command::SetEpochs { epochs: 8 });
        let trained = longer.resume(folder.clone()).unwrap();
        assert_eq!(trained.summary().epochs, 8, "{name}");
        // A second time from a checkpoint of this version.
        let again = Trainer::default().resume(folder).unwrap();
        assert_eq!(again.summary().weights_sha256, trained.summary().weights_sha256);
    }
}

#[test]
fn what_a_person_writes_has_the_defaults_of_now() {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), "[training]\nlr = 0.1\nearly-stopping = 'off'\n").unwrap();
    let config = RunConfig::read(file.path()).unwrap().training;
    assert_eq!((config.ema, config.keep), (None, Keep::Best));
}
