//! The steps of runs that are under way, which their logs do not have: one connection for each run, however
//! many look at it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use downhill_run::control::Remote;
use downhill_run::{Event, RunFolder};
use tokio::sync::broadcast;

/// A reader who is so many steps behind misses some.
const BEHIND: usize = 64;

/// How long a run has to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is shown of a run besides its log.
#[derive(Clone, Debug)]
pub enum Shown {
    /// A step: which, its rate, and its loss.
    Step(u64, f64, f64),
    /// How far the search for the rate is: steps made, and the most that there will be.
    Search(u64, u64),
}

/// The runs that somebody looks at.
#[derive(Clone, Debug, Default)]
pub struct Live(Arc<Mutex<BTreeMap<String, broadcast::Sender<Shown>>>>);

impl Live {
    /// What is shown of a run from now on.
    pub fn follow(&self, folder: &RunFolder) -> broadcast::Receiver<Shown> {
        let name = folder.name();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = all.get(&name) {
            return sender.subscribe();
        }
        let (sender, receiver) = broadcast::channel(BEHIND);
        all.insert(name.clone(), sender.clone());
        let (live, folder) = (self.clone(), folder.clone());
        thread::spawn(move || {
            watch(&folder, &sender);
            live.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&name);
        });
        receiver
    }
}

/// Tells what happens as long as it does and somebody listens.
fn watch(folder: &RunFolder, sender: &broadcast::Sender<Shown>) {
    let Ok(Some(remote)) = Remote::connect(folder) else { return };
    let Ok((_, happening)) = remote.watch(PATIENCE) else { return };
    for record in happening {
        let shown = match record.map(|record| record.event) {
            Ok(Event::Step { step, lr, loss, .. }) => Shown::Step(step, lr, loss),
            Ok(Event::SearchProgress { steps_executed, at_most }) => Shown::Search(steps_executed, at_most),
            Ok(_) => continue,
            Err(_) => return,
        };
        if sender.send(shown).is_err() {
            return; // nobody looks any more
        }
    }
}
