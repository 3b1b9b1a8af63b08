//! A checkpoint, with a checksum that is right: a run goes on from it, and stops at its next step, or refuses
//! to.

use std::fs;
use std::path::PathBuf;
use std::sync::{OnceLock, mpsc};

use downhill::prelude::Trainer;
use downhill::train::{Command, Network, RunFolder, Source};
use serde_json::Value;

/// A run that was made once, and its checkpoint.
fn made() -> &'static (RunFolder, PathBuf) {
    static MADE: OnceLock<(RunFolder, PathBuf)> = OnceLock::new();
    MADE.get_or_init(|| {
        let runs = super::file("marker", b"").with_file_name("runs");
        let _ = fs::remove_dir_all(&runs);
        let trainer = Trainer::new(Network::mlp([2])).epochs(1).lr(0.01).threads(1);
        trainer.fit_in(&runs, Some("run"), &Source::new("iris")).expect("a run");
        let folder = RunFolder::open(&runs.join("run")).expect("its folder");
        let entries = fs::read_dir(folder.checkpoints()).expect("its checkpoints");
        let last = entries.map(|entry| entry.expect("an entry").path()).max().expect("one of them");
        (folder, last)
    })
}

/// The fingerprints that a checkpoint of the run has: one of another data set or configuration is not looked
/// at further.
fn origin_of_the_run() -> &'static Value {
    static ORIGIN: OnceLock<Value> = OnceLock::new();
    ORIGIN.get_or_init(|| {
        let mut origin = Value::Null;
        super::seal::described(original(), |description| origin.clone_from(&description["origin"]));
        origin
    })
}

/// The checkpoint as it was written.
fn original() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| fs::read(&made().1).expect("it is there"))
}

pub fn run(bytes: &[u8]) {
    origin_of_the_run();
    let (folder, last) = made();
    for entry in fs::read_dir(folder.checkpoints()).expect("its checkpoints") {
        fs::remove_file(entry.expect("an entry").path()).expect("it can be removed");
    }
    fs::write(folder.log_path(), "").expect("room for nothing");
    let of_this_run = super::seal::described(bytes, |description| {
        if let Some(origin) = description.get_mut("origin") {
            origin.clone_from(origin_of_the_run());
        }
    });
    fs::write(last, of_this_run.as_deref().unwrap_or(bytes)).expect("room for it");
    let (sender, inbox) = mpsc::channel();
    sender.send(Command::Stop).expect("it is there");
    let _ = Trainer::default().threads(1).inbox(inbox).resume(folder.clone());
}
