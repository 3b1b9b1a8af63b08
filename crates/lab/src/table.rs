//! All runs of a folder, each in a row, and what has changed of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use downhill_run::{Overview, RunFolder, Settings, State, durable, file, is_name};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// The shortest time between two looks at the folder.
const BETWEEN_LOOKS: Duration = Duration::from_millis(700);

/// Looking takes at most one part in so many of the time.
const REST: u32 = 20;

/// A little curve has no more points than these.
const CURVE: usize = 32;

/// What people write of a run, and how many tags there may be.
const LONGEST_NOTE: usize = 10_000;
const LONGEST_TAG: usize = 60;
const MOST_TAGS: usize = 20;

/// A file of notes has no more bytes than these.
const MOST_BYTES: u64 = 1 << 17;

/// The file in a run's folder that has what people say of it.
const NOTES: &str = "lab.json";

/// What people say of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notes {
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Anything.
    pub note: String,
}

/// A run in the table.
#[derive(Debug, Serialize)]
struct Row {
    #[serde(flatten)]
    overview: Overview,
    /// The settings that are not as the table's base has them; null for one that this run has not.
    settings: BTreeMap<String, Option<String>>,
    /// The validation losses, at most [`CURVE`] of them.
    curve: Vec<Option<f32>>,
    /// The rate that was found, if it was looked for.
    found: Option<f64>,
    #[serde(flatten)]
    notes: Notes,
}

/// The runs of a folder, looked at again and again as long as somebody wants to know.
#[derive(Debug)]
pub struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    runs: PathBuf,
    rows: Mutex<Rows>,
    /// The version of what has changed last.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Rows {
    version: u64,
    /// The settings of the first run that was seen, beside which others are told.
    base: Option<BTreeMap<String, String>>,
    rows: BTreeMap<String, Entry>,
    /// Whether a look was finished.
    looked: bool,
}

#[derive(Debug)]
struct Entry {
    version: u64,
    stamp: Stamp,
    /// The row in JSON; none once the run is gone.
    json: Option<Arc<str>>,
    /// Whether its state can change without a change of its files.
    open: bool,
    running: bool,
}

/// What changes when a run's files do.
type Stamp = [Option<(SystemTime, u64)>; 3];

impl Table {
    /// Of the runs in a folder.
    pub fn new(runs: &Path) -> Self {
        let (changed, _) = watch::channel(0);
        let inner = Arc::new(Inner { runs: runs.to_path_buf(), rows: Mutex::default(), changed });
        let weak = Arc::downgrade(&inner);
        thread::spawn(move || {
            while let Some(inner) = weak.upgrade() {
                let began = Instant::now();
                inner.look();
                let rest = (REST * began.elapsed()).max(BETWEEN_LOOKS);
                drop(inner);
                thread::sleep(rest);
                // Nobody wants to know.
                while weak.upgrade().is_some_and(|inner| inner.changed.receiver_count() == 0) {
                    thread::sleep(Duration::from_millis(100));
                }
            }
        });
        Self { inner }
    }

    /// What tells that something has changed; as long as it is there, the folder is looked at.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.changed.subscribe()
    }

    /// All rows that have changed since a version, as JSON, and the version that they are of.
    pub fn since(&self, version: u64) -> (u64, String) {
        let rows = self.inner.rows();
        let mut changed = Vec::new();
        let mut gone = Vec::new();
        for (name, entry) in rows.rows.iter().filter(|(_, entry)| entry.version > version) {
            match &entry.json {
                Some(json) => changed.push(json.clone()),
                None => gone.push(name),
            }
        }
        let base = serde_json::to_string(&rows.base).expect("text is plain data");
        let gone = serde_json::to_string(&gone).expect("text is plain data");
        let looked = rows.looked;
        let changed = changed.join(",");
        let text = format!(r#"{{"looked":{looked},"base":{base},"gone":{gone},"runs":[{changed}]}}"#);
        (rows.version, text)
    }

    /// Looks at the folder now.
    pub fn look(&self) {
        self.inner.look();
    }
}

impl Inner {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        // Whoever panics with it has changed nothing by halves.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self) {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.runs).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if is_name(&name) && entry.path().is_dir() {
                names.push(name);
            }
        }
        names.sort_unstable();
        // Read by all cores at first, when there may be thousands.
        let stale: Vec<(String, Stamp)> = {
            let rows = self.rows();
            let is_stale = |name: &String| {
                let folder = self.runs.join(name);
                let stamp = stamp(&folder);
                let known = rows.rows.get(name).filter(|entry| entry.json.is_some());
                let same = known.is_some_and(|entry| {
                    entry.stamp == stamp && (!entry.open || entry.running == is_running(&folder))
                });
                (!same).then(|| (name.clone(), stamp))
            };
            names.iter().filter_map(is_stale).collect()
        };
        if stale.is_empty() && self.rows().looked && self.none_gone(&names) {
            return;
        }
        let base = self.base(&stale);
        let threads = thread::available_parallelism().map_or(1, usize::from).min(8);
        for part in stale.chunks(256) {
            let size = part.len().div_ceil(threads).max(1);
            let read = thread::scope(|scope| {
                let work = |names: &[(String, Stamp)]| {
                    let entry =
                        |(name, stamp): &(String, Stamp)| (name.clone(), self.entry(name, *stamp, &base));
                    names.iter().map(entry).collect::<Vec<_>>()
                };
                let parts: Vec<_> = part.chunks(size).map(|names| scope.spawn(move || work(names))).collect();
                parts.into_iter().flat_map(|part| part.join().unwrap_or_default()).collect::<Vec<_>>()
            });
            let mut rows = self.rows();
            rows.version += 1;
            let version = rows.version;
            rows.rows.extend(read.into_iter().map(|(name, entry)| (name, Entry { version, ..entry })));
            drop(rows);
            self.changed.send_replace(version);
        }
        let mut rows = self.rows();
        let version = rows.version + 1;
        for (_, entry) in rows.rows.iter_mut().filter(|(name, _)| names.binary_search(name).is_err()) {
            if entry.json.take().is_some() {
                entry.version = version;
            }
        }
        (rows.version, rows.looked) = (version, true);
        drop(rows);
        self.changed.send_replace(version);
    }

    fn none_gone(&self, names: &[String]) -> bool {
        self.rows().rows.values().filter(|entry| entry.json.is_some()).count() == names.len()
    }

    /// The settings beside which those of all runs are told.
    fn base(&self, stale: &[(String, Stamp)]) -> BTreeMap<String, String> {
        let known = self.rows().base.clone();
        let first = || {
            let found = stale.iter().find_map(|(name, _)| settings(&self.runs.join(name)));
            self.rows().base.clone_from(&found);
            found.unwrap_or_default()
        };
        known.unwrap_or_else(first)
    }

    fn entry(&self, name: &str, stamp: Stamp, base: &BTreeMap<String, String>) -> Entry {
        let folder = self.runs.join(name);
        let overview = Overview::of(&folder);
        let own = settings(&folder).unwrap_or_default();
        let mut differ: BTreeMap<String, Option<String>> =
            base.keys().filter(|key| !own.contains_key(*key)).map(|key| (key.clone(), None)).collect();
        let others = own.into_iter().filter(|(key, value)| base.get(key) != Some(value));
        differ.extend(others.map(|(key, value)| (key, Some(value))));
        let (curve, found) = curve(&folder.join("events.jsonl"));
        let running = overview.state == State::Running;
        let open = matches!(overview.state, State::Running | State::Crashed | State::Interrupted);
        let notes = Notes::of(&folder).unwrap_or_default();
        let row = Row { overview, settings: differ, curve, found, notes };
        let json = serde_json::to_string(&row).expect("rows are plain data").into();
        Entry { version: 0, stamp, json: Some(json), open, running }
    }
}

fn is_running(folder: &Path) -> bool {
    RunFolder::open(folder).is_ok_and(|folder| folder.is_under_way())
}

fn stamp(folder: &Path) -> Stamp {
    ["events.jsonl", "run.toml", NOTES].map(|name| {
        let about = fs::metadata(folder.join(name)).ok()?;
        Some((about.modified().ok()?, about.len()))
    })
}

/// All settings of a run by their paths; where it came from is no setting.
fn settings(folder: &Path) -> Option<BTreeMap<String, String>> {
    let settings = Settings::of(&RunFolder::open(folder).ok()?).ok()?;
    let mut flat = BTreeMap::new();
    flatten(String::new(), &settings.tree(), &mut flat);
    flat.retain(|key, _| !key.starts_with("parent."));
    Some(flat)
}

fn flatten(path: String, value: &serde_json::Value, flat: &mut BTreeMap<String, String>) {
    match value {
        serde_json::Value::Object(entries) => {
            for (key, value) in entries {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(path, value, flat);
            }
        }
        serde_json::Value::String(text) => _ = flat.insert(path, text.clone()),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_) => _ = flat.insert(path, value.to_string()),
    }
}

/// Some of the validation losses of a log, and the rate that was found.
fn curve(log: &Path) -> (Vec<Option<f32>>, Option<f64>) {
    #[derive(Deserialize)]
    struct Loss {
        #[serde(default)]
        valid_loss: Option<f32>,
        #[serde(default)]
        recommended: Option<f64>,
    }
    let Ok(text) = file::read("read the log", log) else { return (Vec::new(), None) };
    let read = |line: &[u8]| serde_json::from_slice::<Loss>(line).ok();
    let of = |kind: &'static [u8]| {
        text.split(|&byte| byte == b'\n')
            .filter(move |line| line[..line.len().min(100)].windows(kind.len()).any(|part| part == kind))
    };
    let found = of(b"\"event\":\"rate\"").next().and_then(read).and_then(|found| found.recommended);
    let epochs: Vec<&[u8]> = of(b"\"event\":\"epoch\"").collect();
    let last = epochs.len().saturating_sub(1);
    let count = epochs.len().min(CURVE);
    let at = |point: usize| epochs[point * last / (count - 1).max(1)];
    let loss = |line: &[u8]| read(line).and_then(|line| line.valid_loss);
    ((0..count).map(|point| loss(at(point))).collect(), found)
}

impl Notes {
    /// What people say of the run in a folder.
    pub fn of(folder: &Path) -> Option<Self> {
        let path = folder.join(NOTES);
        path.is_file().then_some(())?;
        serde_json::from_slice(&file::read_at_most("read the notes", &path, MOST_BYTES).ok()?).ok()
    }

    /// Writes it in place of what they said before.
    pub fn write(mut self, folder: &Path) -> Result<(), String> {
        self.tags.iter_mut().for_each(|tag| *tag = tag.trim().to_string());
        self.tags.retain(|tag| !tag.is_empty());
        self.tags.dedup();
        let shown = |text: &str| text.chars().all(|c| !c.is_control() || c == '\n');
        if self.tags.len() > MOST_TAGS || self.tags.iter().any(|tag| tag.chars().count() > LONGEST_TAG) {
            return Err(format!("a run has at most {MOST_TAGS} tags of {LONGEST_TAG} characters"));
        }
        if self.note.chars().count() > LONGEST_NOTE {
            return Err(format!("a note has at most {LONGEST_NOTE} characters"));
        }
        if !shown(&self.note) || !self.tags.iter().all(|tag| shown(tag) && !tag.contains('\n')) {
            return Err("tags and notes have no control characters".into());
        }
        let text = serde_json::to_vec_pretty(&self).expect("text is plain data");
        durable::write("write the notes", &folder.join(NOTES), &text).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_its_ends_and_no_more_points_than_fit() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("events.jsonl");
        let line = |loss: usize| format!("{{\"time\":1.0,\"event\":\"epoch\",\"valid_loss\":{loss}}}\n");
        for epochs in [0, 1, 2, 31, 32, 33, 500] {
            fs::write(&log, (0..epochs).map(line).collect::<String>()).unwrap();
            let (curve, found) = curve(&log);
            assert_eq!((curve.len(), found), (epochs.min(CURVE), None));
            if epochs > 0 {
                assert_eq!(curve[0], Some(0.0));
                assert_eq!(curve[curve.len() - 1], Some(epochs as f32 - 1.0));
            }
        }
    }

    #[test]
    fn notes_are_bounded_and_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let notes = Notes { tags: vec![" good ".into(), String::new()], note: "<b>\nsee".into() };
        notes.write(folder.path()).unwrap();
        let read = Notes::of(folder.path()).unwrap();
        assert_eq!(read, Notes { tags: vec!["good".into()], note: "<b>\nsee".into() });
        for wrong in [
            Notes { tags: vec!["x".repeat(61)], note: String::new() },
            Notes { tags: (0..21).map(|tag| tag.to_string()).collect(), note: String::new() },
            Notes { tags: Vec::new(), note: "x".repeat(10_001) },
            Notes { tags: vec!["\u{1b}[0m".into()], note: String::new() },
        ] {
            assert!(wrong.write(folder.path()).is_err());
        }
        assert_eq!(Notes::of(folder.path()).unwrap(), read, "what was there is left");
        fs::write(folder.path().join(NOTES), "rubbish").unwrap();
        assert_eq!(Notes::of(folder.path()), None);
    }
}
