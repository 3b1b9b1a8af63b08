//! Files that were dropped on the page.

use std::fs::{self, File};
use std::future::poll_fn;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};
use downhill_run::is_name;
use serde::Serialize;
use tokio::sync::mpsc::{Receiver, channel};

use crate::jobs::OWN;

/// The largest file that is taken.
pub const LARGEST: u64 = 256 << 20;

/// What of its beginning is shown, to choose columns by.
const HEAD: usize = 4096;

/// A file that is there.
#[derive(Debug, Serialize)]
pub struct Taken {
    /// Where it is kept.
    path: String,
    /// How it begins.
    head: String,
    /// Its size in bytes.
    bytes: u64,
}

/// Takes a file and keeps it beside the runs.
///
/// # Errors
///
/// If it is too large, its name is none, or it cannot be written; then nothing is left of it.
pub async fn take(runs: &Path, name: &str, announced: Option<u64>, mut body: Body) -> Result<Taken, String> {
    if announced.is_some_and(|bytes| bytes > LARGEST) {
        return Err(too_large());
    }
    let ends = [".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz"];
    if !is_name(name) || name.len() > 200 || !ends.iter().any(|end| name.to_lowercase().ends_with(end)) {
        return Err(format!(
            "{name:?} is not the name of a table; give a file that ends in .csv or .tsv, or .gz behind it"
        ));
    }
    let (sender, receiver) = channel::<Bytes>(4);
    let (folder, name) = (runs.join(OWN).join("data"), name.to_string());
    let writer = tokio::task::spawn_blocking(move || write(&folder, &name, receiver));
    let mut whole = true;
    loop {
        match poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            Some(Ok(frame)) => {
                let Ok(bytes) = frame.into_data() else { continue };
                if sender.send(bytes).await.is_err() {
                    break; // the writer says why
                }
            }
            Some(Err(_)) => {
                whole = false;
                break;
            }
            None => break,
        }
    }
    if whole {
        // An empty piece is the end of a file that came whole.
        let _ = sender.send(Bytes::new()).await;
    }
    drop(sender);
    writer.await.map_err(|_| "the file could not be written: a fault of the program".to_string())?
}

fn too_large() -> String {
    format!("the file has more than {} MiB; train on it where it is, by its path", LARGEST >> 20)
}

fn write(folder: &Path, name: &str, mut pieces: Receiver<Bytes>) -> Result<Taken, String> {
    let failed =
        |error: std::io::Error| format!("the file could not be kept in {}: {error}", folder.display());
    fs::create_dir_all(folder).map_err(failed)?;
    let aside = free(folder, &format!(".{name}.part"));
    let mut file = File::create_new(&aside).map_err(failed)?;
    let (mut bytes, mut head, mut whole) = (0, Vec::new(), false);
    let mut result = Ok(());
    while let Some(piece) = pieces.blocking_recv() {
        if piece.is_empty() {
            whole = true;
            break;
        }
        bytes += piece.len() as u64;
        if bytes > LARGEST {
            result = Err(too_large());
            break;
        }
        let room = HEAD.saturating_sub(head.len()).min(piece.len());
        head.extend_from_slice(&piece[..room]);
        result = file.write_all(&piece).map_err(failed);
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() && !whole {
        result = Err("the file did not come to its end; drop it again".into());
    }
    let path = free(folder, name);
    let kept = result.and_then(|()| fs::rename(&aside, &path).map_err(failed));
    if kept.is_err() {
        let _ = fs::remove_file(&aside); // the first error is the one to tell
    }
    kept?;
    let path = path.display().to_string();
    // What is compressed has no columns that could be read here.
    let head =
        if name.ends_with(".gz") { String::new() } else { String::from_utf8_lossy(&head).into_owned() };
    Ok(Taken { path, head, bytes })
}

/// A path that is free: the name, or with a number in front of its end.
fn free(folder: &Path, name: &str) -> PathBuf {
    let (stem, end) = name.split_once('.').filter(|(stem, _)| !stem.is_empty()).unwrap_or((name, ""));
    let end = if end.is_empty() { String::new() } else { format!(".{end}") };
    let names = std::iter::once(name.to_string()).chain((2..).map(|number| format!("{stem}-{number}{end}")));
    names.map(|name| folder.join(name)).find(|path| !path.exists()).expect("numbers do not end")
}
