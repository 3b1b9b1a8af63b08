//! A study: workers that make trials, in an order that is not theirs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::history::Slot;
use crate::store::{Bell, Memory};
use crate::{
    Budget, Error, Event, Goal, History, Job, Objective, Outcome, Plan, Sampler, Space, StopRule, Store,
    StudyFolder,
};

/// What is shown the events of a study as they happen, with what it has come to.
pub type Watch = Box<dyn FnMut(&Event, &History) + Send>;

/// How often a worker that waits looks whether the study is to stop.
const LOOKS: Duration = Duration::from_millis(50);

/// How often one that waits looks what others have done, though nothing was heard of them.
const LOOKS_AROUND: Duration = Duration::from_secs(1);

/// How long a store is asked again that cannot be reached.
const PATIENCE: Duration = Duration::from_secs(300);

/// A search for the settings that minimise or maximise an [`Objective`]: settings, all with defaults, then
/// [`run`](Study::run).
#[must_use]
pub struct Study {
    plan: Plan,
    workers: usize,
    store: Box<dyn Store>,
    /// Whether another process leads the study.
    follows: bool,
    watch: Option<Watch>,
    stop: Option<Arc<AtomicBool>>,
    patience: Duration,
    /// When the time of the budget began, if not with the study.
    counts_from: Option<Instant>,
}

impl Study {
    /// A study of this space, kept nowhere.
    pub fn new(space: Space) -> Self {
        Self::from_plan(Plan { space, ..Plan::default() })
    }

    /// A study with everything given, kept nowhere.
    pub fn from_plan(plan: Plan) -> Self {
        Self::in_store(plan, Memory::default())
    }

    /// A study that is kept in a folder, which has its plan, and goes on from what its log says. Its budget
    /// may be another one than before. Any number of processes may work on it at once.
    ///
    /// # Errors
    ///
    /// If the plan cannot be read.
    pub fn in_folder(folder: StudyFolder) -> Result<Self, Error> {
        Ok(Self::in_store(folder.plan()?, folder.store()))
    }

    /// A study that is kept in a store, where it was begun with this plan.
    pub fn in_store(plan: Plan, store: impl Store + 'static) -> Self {
        Self {
            plan,
            workers: 1,
            store: Box::new(store),
            follows: false,
            watch: None,
            stop: None,
            patience: PATIENCE,
            counts_from: None,
        }
    }

    /// Works on a study that another process leads: with its budget, and no longer than that does. Default:
    /// this process leads it; if it is stopped, or its time is over, so are the others.
    pub fn follow(mut self) -> Self {
        self.follows = true;
        self
    }

    /// How long a database that cannot be reached is asked again before the study fails. Default 5 minutes.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The random seed of the suggestions. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.plan.seed = seed;
        self
    }

    /// How settings are suggested. Default TPE.
    pub fn sampler(mut self, sampler: Sampler) -> Self {
        self.plan.sampler = sampler;
        self
    }

    /// Which trials go on. Default successive halving.
    pub fn stop_rule(mut self, rule: StopRule) -> Self {
        self.plan.stop = rule;
        self
    }

    /// What is better. Default a lower value.
    pub fn goal(mut self, goal: Goal) -> Self {
        self.plan.goal = goal;
        self
    }

    /// How many epochs a whole trial has. Default 1, for an objective that is not made in parts.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.plan.epochs = epochs;
        self
    }

    /// The number of trials. Default 50, if nothing else limits the study.
    pub fn trials(mut self, trials: u64) -> Self {
        self.plan.budget.trials = Some(trials);
        self
    }

    /// How much may be spent, in all.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.plan.budget = budget;
        self
    }

    /// When the time of the budget began, which may be before the study does. Default when it is run.
    pub fn counts_from(mut self, instant: Instant) -> Self {
        self.counts_from = Some(instant);
        self
    }

    /// How many jobs are made at once, each on a thread of its own; it changes no bit of the result. Default
    /// 1.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = workers.max(1);
        self
    }

    /// Shows every event to `watch`, on the threads of the workers.
    pub fn watch(mut self, watch: impl FnMut(&Event, &History) + Send + 'static) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Stops soon after this becomes true; what is under way is given up, and made again when the study goes
    /// on.
    pub fn stop_when(mut self, stop: Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// What the study is.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the study has come to so far, without making anything.
    ///
    /// # Errors
    ///
    /// If the plan makes no study, or the log cannot be read.
    pub fn history(self) -> Result<History, Error> {
        self.plan.check()?;
        let mut shared = Shared::new(self.plan, self.store, None);
        shared.turn(|_| Ok(Vec::new()))?;
        Ok(shared.history)
    }

    /// Makes trials until the budget is spent or somebody stops it.
    ///
    /// # Errors
    ///
    /// If the plan makes no study, the objective fails, or the log cannot be read or written.
    pub fn run<O: Objective>(self, objective: &O) -> Result<History, Error> {
        let Self { plan, workers, store, follows, watch, stop, patience, counts_from } = self;
        plan.check()?;
        let began = counts_from.unwrap_or_else(Instant::now);
        let deadline = plan.budget.time().and_then(|time| began.checked_add(time));
        let bell = store.bell()?;
        let shared = Shared::new(plan, store, watch);
        let study = Workers { shared: Mutex::new(shared), changed: Condvar::new(), deadline, stop, patience };
        study.begin(follows)?;
        std::thread::scope(|scope| {
            if let Some(bell) = bell {
                scope.spawn(|| study.keep(bell));
            }
            let others: Vec<_> =
                (1..workers).map(|_| scope.spawn(|| study.work(objective, follows))).collect();
            study.work(objective, follows);
            for other in others {
                let _ = other.join(); // a panic is passed on when the scope ends
            }
            study.lock().ended = true;
        });
        let is_over = study.lock().over;
        if !follows && !is_over && study.is_stopped() {
            study.halt()?;
        }
        let shared = study.shared.into_inner().expect("no worker panicked");
        match shared.failure {
            Some(error) => Err(error),
            None if shared.history.trials().is_empty() && shared.over => Err(Error::Mismatch(format!(
                "the budget of epochs does not reach for the first part of a trial, {} epochs; give more",
                shared.plan.stop.rungs(shared.plan.epochs)[0]
            ))),
            None => Ok(shared.history),
        }
    }
}

/// What the workers of this process share.
struct Shared {
    plan: Plan,
    store: Box<dyn Store>,
    log_name: String,
    watch: Option<Watch>,
    /// The fold of the first `read` events of the log.
    history: History,
    read: u64,
    /// How many of them were shown.
    shown: u64,
    /// The jobs that are made here.
    busy: BTreeSet<u64>,
    /// Of each trial, after how many epochs its state may still be needed.
    forgotten: BTreeMap<u64, u64>,
    /// Whether something may have been appended since the log was read.
    heard: bool,
    /// How often something has changed that a worker may wait for.
    changes: u64,
    failure: Option<Error>,
    over: bool,
    /// Whether all workers have ended.
    ended: bool,
}

impl Shared {
    fn new(plan: Plan, store: Box<dyn Store>, watch: Option<Watch>) -> Self {
        Self {
            history: History::new(&plan),
            plan,
            log_name: store.log_name(),
            store,
            watch,
            read: 0,
            shown: 0,
            busy: BTreeSet::new(),
            forgotten: BTreeMap::new(),
            heard: true,
            changes: 0,
            failure: None,
            over: false,
            ended: false,
        }
    }

    /// Takes in events from the log, and shows those that were not shown.
    fn absorb(&mut self, events: &[Event]) -> Result<(), Error> {
        for event in events {
            self.history.take(event).map_err(|why| Error::Log {
                log: self.log_name.clone(),
                line: self.read as usize + 1,
                why,
            })?;
            self.count(event);
        }
        Ok(())
    }

    /// Counts an event that is taken in, and shows it unless it was shown before.
    fn count(&mut self, event: &Event) {
        self.read += 1;
        if self.read > self.shown {
            self.shown = self.read;
            if let Some(watch) = &mut self.watch {
                watch(event, &self.history);
            }
        }
    }

    /// Removes the states that no trial needs any more.
    fn forget(&mut self) -> Result<(), Error> {
        let mut below = self.history.needed();
        below.retain(|(trial, epochs)| self.forgotten.get(trial).copied().unwrap_or(0) < *epochs);
        if !below.is_empty() {
            self.store.forget(&below)?;
            self.forgotten.extend(below);
        }
        Ok(())
    }

    /// Appends what `decide` returns once all that others have appended is taken in; `decide` takes in what
    /// it returns itself.
    fn turn(&mut self, mut decide: impl FnMut(&mut Self) -> Result<Vec<Event>, Error>) -> Result<(), Error> {
        self.heard = false;
        // The store is lent out for the turn.
        let mut store = std::mem::replace(&mut self.store, Box::new(Memory::default()));
        let mut own = Vec::new();
        let done = store.turn(self.read, &mut |events| {
            self.absorb(&events)?;
            own = decide(self)?;
            Ok(own.clone())
        });
        self.store = store;
        match done {
            Ok(()) => {
                own.iter().for_each(|event| self.count(event));
                Ok(())
            }
            Err(error) => {
                // What was appended is only known to whoever reads it again.
                (self.history, self.read) = (History::new(&self.plan), 0);
                Err(error)
            }
        }
    }
}

struct Workers {
    shared: Mutex<Shared>,
    changed: Condvar,
    deadline: Option<Instant>,
    stop: Option<Arc<AtomicBool>>,
    patience: Duration,
}

impl Workers {
    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().expect("no worker panicked")
    }

    /// Does something with the store, again and again while that cannot be reached.
    fn insist<T>(&self, mut what: impl FnMut(&mut Shared) -> Result<T, Error>) -> Result<T, Error> {
        let began = Instant::now();
        let mut pause = LOOKS;
        loop {
            let done = what(&mut self.lock());
            match done {
                Err(Error::Unreachable(why)) if began.elapsed() >= self.patience || self.is_stopped() => {
                    return Err(Error::Unreachable(why));
                }
                Err(Error::Unreachable(_)) => std::thread::sleep(pause),
                done => return done,
            }
            pause = (pause * 2).min(LOOKS_AROUND);
        }
    }

    /// Reads what there is, and says that the study goes on if it was stopped, or has another budget now.
    fn begin(&self, follows: bool) -> Result<(), Error> {
        self.insist(|shared| {
            // What was there before is not shown again.
            shared.shown = u64::MAX;
            shared.turn(|shared| {
                shared.shown = shared.read;
                let Budget { trials, epochs_total, seconds } = shared.plan.budget;
                let same = shared.history.plan().budget == shared.plan.budget;
                if follows || (same && !shared.history.is_halted()) {
                    return Ok(Vec::new());
                }
                let event = Event::Budget { trials, epochs_total, seconds };
                shared.history.take(&event).map_err(Error::Mismatch)?;
                Ok(vec![event])
            })
        })
    }

    /// Tells whoever else works on the study that it is stopped.
    fn halt(&self) -> Result<(), Error> {
        let reason = match self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            true => "its time is over",
            false => "it was interrupted",
        };
        let event = Event::Halt { reason: reason.into() };
        self.lock().turn(|shared| {
            shared.history.take(&event).map_err(Error::Mismatch)?;
            Ok(vec![event.clone()])
        })
    }

    /// Hears what other processes append, and says that those here are alive.
    fn keep(&self, mut bell: Bell) {
        let mut renewed = Instant::now();
        let every = self.lock().store.renewed_every();
        loop {
            let heard = bell(LOOKS);
            let mut shared = self.lock();
            if shared.ended {
                return;
            }
            if every.is_some_and(|every| renewed.elapsed() >= every) && !shared.busy.is_empty() {
                renewed = Instant::now();
                let _ = shared.store.renew(); // said again in a while
            }
            if heard {
                shared.heard = true;
                shared.changes += 1;
                self.changed.notify_all();
            }
        }
    }

    /// Takes a job, or begins the next one in logical order; none if there is nothing to do now.
    fn next(&self, follows: bool) -> Result<Option<u64>, Error> {
        self.insist(|shared| {
            if shared.heard {
                shared.turn(|_| Ok(Vec::new()))?;
            }
            loop {
                if follows && shared.history.is_halted() {
                    shared.over = true;
                }
                if shared.over {
                    return Ok(None);
                }
                let mut open = shared.history.unfinished();
                open.retain(|slot| !shared.busy.contains(slot));
                let claimed = match open.is_empty() {
                    true => None,
                    false => shared.store.claim(&open)?,
                };
                if let Some(slot) = claimed {
                    // Its result may have come in since the log was read.
                    shared.turn(|_| Ok(Vec::new()))?;
                    if shared.history.is_open(slot) {
                        shared.busy.insert(slot);
                        return Ok(Some(slot));
                    }
                    shared.store.release(slot)?;
                    continue;
                }
                let mut begun = false;
                shared.turn(|shared| {
                    let mut events = Vec::new();
                    while !begun && !shared.over && shared.history.can_go_on() {
                        let (decisions, next) = shared.history.next();
                        events.extend(decisions);
                        let Some(next) = next else {
                            shared.over = true;
                            break;
                        };
                        shared.history.take(&next).map_err(Error::Mismatch)?;
                        begun = !matches!(next, Event::Wait { .. });
                        events.push(next);
                    }
                    Ok(events)
                })?;
                if shared.over {
                    shared.forget()?;
                }
                if !begun {
                    return Ok(None);
                }
            }
        })
    }

    /// Makes jobs until there are none.
    fn work<O: Objective>(&self, objective: &O, follows: bool) {
        let done = self.make_jobs(objective, follows);
        let mut shared = self.lock();
        if let Err(error) = done {
            shared.failure.get_or_insert(error);
        }
        // Others may wait for what does not come.
        shared.changes += 1;
        self.changed.notify_all();
    }

    fn make_jobs<O: Objective>(&self, objective: &O, follows: bool) -> Result<(), Error> {
        let mut looked = Instant::now();
        loop {
            let seen = {
                let mut shared = self.lock();
                if shared.over || shared.failure.is_some() || self.is_stopped() {
                    return Ok(());
                }
                if looked.elapsed() >= LOOKS_AROUND {
                    (shared.heard, looked) = (true, Instant::now());
                }
                shared.changes
            };
            let Some(slot) = self.next(follows)? else {
                // Until something has changed, or was not looked for in a while.
                let mut shared = self.lock();
                while !shared.over
                    && shared.changes == seen
                    && looked.elapsed() < LOOKS_AROUND
                    && !self.is_stopped()
                {
                    shared = self.changed.wait_timeout(shared, LOOKS).expect("no worker panicked").0;
                }
                continue;
            };
            let made = self.make(objective, slot);
            self.lock().changes += 1;
            self.changed.notify_all();
            made?;
        }
    }

    /// Makes a job that is claimed, and gives it back.
    fn make<O: Objective>(&self, objective: &O, slot: u64) -> Result<(), Error> {
        let made = self.make_claimed(objective, slot);
        let mut shared = self.lock();
        shared.busy.remove(&slot);
        let released = shared.store.release(slot);
        match released {
            // One that is not given back is taken over after a while.
            Err(Error::Unreachable(_)) | Ok(()) => made,
            Err(error) => made.and(Err(error)),
        }
    }

    fn make_claimed<O: Objective>(&self, objective: &O, slot: u64) -> Result<(), Error> {
        let (trial, until, settings, paused) = self.insist(|shared| {
            let Slot::Job { trial, from, until } = shared.history.slot(slot) else {
                return Err(Error::Mismatch(format!("there is no job at {slot}")));
            };
            let paused = match from {
                0 => None,
                _ => shared.store.load(trial, from)?,
            };
            Ok((trial, until, shared.history.trial(trial).settings.clone(), paused))
        })?;
        let interrupted = || self.is_stopped();
        let began = Instant::now();
        let job = Job::new(trial, &settings, until, &interrupted);
        let Outcome::Reached { value, epochs, done, note, paused } = objective.make(job, paused)? else {
            return Ok(());
        };
        let seconds = began.elapsed().as_secs_f64();
        let value = value.is_finite().then_some(value);
        if let Some(paused) = paused.filter(|_| value.is_some() && !done) {
            self.insist(|shared| shared.store.save(trial, epochs, &paused))?;
        }
        let event = Event::Result { slot, trial, epochs, value, done, seconds, note };
        self.insist(|shared| {
            shared.turn(|shared| {
                // Another process may have taken the job over and been faster, with the same result.
                if !shared.history.is_open(slot) {
                    return Ok(Vec::new());
                }
                shared.history.take(&event).map_err(Error::Mismatch)?;
                Ok(vec![event.clone()])
            })?;
            shared.forget()
        })
    }
}
