//! `--tensorboard`: each run has a folder of its own inside the one that is named.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use downhill::prelude::Trainer;
use downhill::train::{Config, Event, View};
use downhill_report::TensorBoard;

use crate::output;

/// Writes what a trainer does into a folder inside `parent` that is called like the run.
pub fn attach(trainer: Trainer, parent: &Path, config: &Config, goes_on: bool) -> Trainer {
    let folder = Arc::new(OnceLock::new());
    let named = {
        let (parent, folder) = (parent.to_path_buf(), folder.clone());
        move |run: &downhill::train::RunFolder| {
            folder
                .get_or_init(|| if goes_on { old(&parent, &run.name()) } else { free(&parent, &run.name()) });
        }
    };
    // What is shown before there is a folder is not for TensorBoard.
    trainer.with_folder(named).view(writer(config, move || folder.get().cloned()))
}

/// What writes a run that is called so into a folder inside `parent`.
pub fn view(parent: &Path, name: &str, config: &Config) -> View {
    let folder = free(parent, name);
    Box::new(writer(config, move || Some(folder.clone())))
}

fn writer<F: Fn() -> Option<PathBuf> + Send>(
    config: &Config,
    folder: F,
) -> impl FnMut(&Event) + Send + use<F> {
    let config = config.clone();
    let mut board: Option<TensorBoard> = None;
    let mut warnings = Warnings(Vec::new());
    move |event| {
        if board.is_none() {
            board = folder().map(|folder| TensorBoard::new(&folder, &config));
        }
        if let Some(Err(error)) = board.as_mut().map(|board| board.show(event)) {
            warnings.0.push(format!("warning: {error}; the run went on without"));
        }
    }
}

/// The first folder for a run of this name that has no events of another one, which TensorBoard would show as
/// the same.
fn free(parent: &Path, name: &str) -> PathBuf {
    let mut names = std::iter::once(name.to_string()).chain((2..).map(|number| format!("{name}-{number}")));
    let free = |path: &PathBuf| !TensorBoard::is_taken(path);
    names.by_ref().map(|name| parent.join(name)).find(free).expect("numbers do not end")
}

/// Where the events of a run that goes on are: versions before this one wrote them into the folder itself.
fn old(parent: &Path, name: &str) -> PathBuf {
    if TensorBoard::is_taken(parent) { parent.to_path_buf() } else { parent.join(name) }
}

/// What is said when the run is over.
struct Warnings(Vec<String>);

impl Drop for Warnings {
    fn drop(&mut self) {
        self.0.iter().for_each(|warning| output::tell(warning));
    }
}
