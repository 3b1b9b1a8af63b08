//! Runs that are kept, killed and resumed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use downhill::prelude::*;
use downhill::train::{RunFolder, Source};

/// The hash of the weights that were kept.
pub fn bits(trained: &Trained) -> String {
    trained.predictor().weights_sha256()
}

/// An empty folder for the runs of a test.
pub fn runs(test: &str) -> PathBuf {
    let file = env!("CARGO_CRATE_NAME");
    let runs = std::env::temp_dir().join(format!("downhill-{file}-{}-{test}", std::process::id()));
    let _ = std::fs::remove_dir_all(&runs);
    runs
}

/// In the process that is cut off: trains until a checkpoint is on the disk, and is gone.
fn train_and_die(runs: &Path, trainer: Trainer, data: &str) {
    let dies = trainer.checkpoint_every(Duration::ZERO).view(|event| {
        if matches!(event, Event::Epoch(epoch) if epoch.epoch == 5) {
            std::process::abort();
        }
    });
    dies.fit_in(runs, Some("run"), &Source::new(data)).unwrap();
}

const FOLDER: &str = "DOWNHILL_TEST_RUNS";

/// Makes a run in a process of its own, which is killed, and resumes it here, where `register` makes known
/// what is the user's own: it ends in the same bits as a run that was never killed. To be called by the test
/// `test` and nothing else, as that is run again in the other process. Returns what was resumed; none in that
/// process.
pub fn killed_and_resumed(
    test: &str,
    trainer: impl Fn() -> Trainer,
    data: &str,
    register: impl FnOnce(),
) -> Option<Trained> {
    if let Some(runs) = std::env::var_os(FOLDER) {
        train_and_die(Path::new(&runs), trainer(), data);
        return None;
    }
    let runs = runs("killed");
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(FOLDER, &runs)
        .output()
        .unwrap()
        .status;
    assert!(!status.success());

    // This process may have met it nowhere else.
    register();
    let folder = RunFolder::open(&runs.join("run")).unwrap();
    let (sender, steps) = std::sync::mpsc::channel();
    let resumed = Trainer::default().threads(1).view(move |event| {
        if let Event::Resume { step, .. } = event {
            sender.send(*step).unwrap();
        }
    });
    let resumed = resumed.resume(folder).unwrap();
    assert!(steps.recv().unwrap() > 0);
    let whole = trainer().fit(&Source::new(data).load(3).unwrap()).unwrap();
    assert_eq!(bits(&resumed), bits(&whole));
    std::fs::remove_dir_all(&runs).unwrap();
    Some(resumed)
}
