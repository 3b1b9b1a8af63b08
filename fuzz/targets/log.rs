//! A run's log: its lines are read, listed and drawn.

use downhill::train::{Overview, RunFolder, log};

pub fn run(bytes: &[u8]) {
    super::file("run.toml", b"[data]\nfrom = \"iris\"\n");
    let path = super::file("events.jsonl", bytes);
    let folder = RunFolder::open(path.parent().expect("it is in a folder")).expect("it has a configuration");
    let _ = log::read(&path);
    let overview = Overview::of(folder.path());
    serde_json::to_string(&overview).expect("what is listed can be written");
    downhill_report::html_of(&[folder]).expect("a log that is read is drawn");
}
