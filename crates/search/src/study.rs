//! A study: workers that make trials, in an order that is not theirs.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use crate::folder::Log;
use crate::history::Slot;
use crate::{
    Budget, Error, Event, Goal, History, Job, Objective, Outcome, Plan, Sampler, Space, StopRule, StudyFolder,
};

/// What is shown the events of a study as they happen, with what it has come to.
pub type Watch = Box<dyn FnMut(&Event, &History) + Send>;

/// No more paused trials than these are kept in memory; what is beyond them is made again from its start if
/// it goes on, with the same bits.
const MOST_PAUSED: usize = 256;

/// How often a worker that waits looks whether the study is to stop.
const LOOKS: Duration = Duration::from_millis(50);

/// A search for the settings that minimise or maximise an [`Objective`]: settings, all with defaults, then
/// [`run`](Study::run).
#[must_use]
pub struct Study {
    plan: Plan,
    workers: usize,
    folder: Option<StudyFolder>,
    watch: Option<Watch>,
    stop: Option<Arc<AtomicBool>>,
}

impl Study {
    /// A study of this space, kept nowhere.
    pub fn new(space: Space) -> Self {
        Self::from_plan(Plan { space, ..Plan::default() })
    }

    /// A study with everything given, kept nowhere.
    pub fn from_plan(plan: Plan) -> Self {
        Self { plan, workers: 1, folder: None, watch: None, stop: None }
    }

    /// A study that is kept in a folder, which has its plan, and goes on from what its log says. Its budget
    /// may be another one than before.
    ///
    /// # Errors
    ///
    /// If the plan cannot be read.
    pub fn in_folder(folder: StudyFolder) -> Result<Self, Error> {
        let study = Self::from_plan(folder.plan()?);
        Ok(Self { folder: Some(folder), ..study })
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

    /// Makes trials until the budget is spent or somebody stops it.
    ///
    /// # Errors
    ///
    /// If the plan makes no study, the objective fails, or the log cannot be read or written.
    pub fn run<O: Objective>(self, objective: &O) -> Result<History, Error> {
        let Self { plan, workers, folder, watch, stop } = self;
        plan.check()?;
        let mut history = History::new(&plan);
        let log = match &folder {
            Some(folder) => {
                let (log, events) = folder.log()?;
                for (at, event) in events.iter().enumerate() {
                    history.take(event).map_err(|why| Error::Log {
                        path: folder.log_path(),
                        line: at + 1,
                        why,
                    })?;
                }
                Some(log)
            }
            None => None,
        };
        let deadline = plan.budget.time().and_then(|time| Instant::now().checked_add(time));
        let todo = history.unfinished().into();
        let shared =
            Shared { history, log, watch, todo, paused: BTreeMap::new(), failure: None, over: false };
        let study = Workers { shared: Mutex::new(shared), changed: Condvar::new(), deadline, stop };
        std::thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(|| study.work(objective));
            }
            study.work(objective);
        });
        let shared = study.shared.into_inner().expect("no worker panicked");
        if let Some(log) = &shared.log {
            log.sync()?;
        }
        match shared.failure {
            Some(error) => Err(error),
            None if shared.history.trials().is_empty() && shared.over => Err(Error::Mismatch(format!(
                "the budget of epochs does not reach for the first part of a trial, {} epochs; give more",
                plan.stop.rungs(plan.epochs)[0]
            ))),
            None => Ok(shared.history),
        }
    }
}

/// What the workers share.
struct Shared<P> {
    history: History,
    log: Option<Log>,
    watch: Option<Watch>,
    /// Jobs that were begun before and did not come to their end.
    todo: VecDeque<u64>,
    /// What trials go on from.
    paused: BTreeMap<u64, P>,
    failure: Option<Error>,
    over: bool,
}

impl<P> Shared<P> {
    /// Logs events, takes them in, and shows them. Decisions are taken in where they are made.
    fn tell(&mut self, events: &[&Event]) -> Result<(), Error> {
        if let Some(log) = &mut self.log {
            log.append(events)?;
        }
        for event in events {
            match event {
                Event::Start { .. } | Event::Promote { .. } | Event::Wait { .. } | Event::Result { .. } => {
                    self.history.take(event).map_err(Error::Mismatch)?;
                }
                Event::Pause { .. } | Event::Stop { .. } | Event::Complete { .. } | Event::Fail { .. } => {}
            }
            if let Some(watch) = &mut self.watch {
                watch(event, &self.history);
            }
        }
        Ok(())
    }

    /// The place of the next job in the logical order, if one can be begun.
    fn next(&mut self) -> Result<Option<u64>, Error> {
        if let Some(slot) = self.todo.pop_front() {
            return Ok(Some(slot));
        }
        while !self.over && self.history.can_go_on() {
            let (decisions, begun) = self.history.next();
            let events: Vec<&Event> = decisions.iter().chain(&begun).collect();
            self.tell(&events)?;
            match begun {
                Some(Event::Start { slot, .. } | Event::Promote { slot, .. }) => return Ok(Some(slot)),
                Some(_) => {}
                None => self.over = true,
            }
        }
        Ok(None)
    }

    /// Keeps what a trial goes on from, and lets go of the worst if they are many.
    fn pause(&mut self, trial: u64, paused: P) {
        self.paused.insert(trial, paused);
        if self.paused.len() <= MOST_PAUSED {
            return;
        }
        let cost = |trial: u64| {
            let trial = self.history.trial(trial);
            let goal = self.history.plan().goal;
            (trial.epochs, -goal.cost(trial.value).unwrap_or(f64::INFINITY))
        };
        let least = |a: &u64, b: &u64| {
            let (a, b) = (cost(*a), cost(*b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        };
        if let Some(worst) = self.paused.keys().copied().min_by(least) {
            self.paused.remove(&worst);
        }
    }
}

struct Workers<P> {
    shared: Mutex<Shared<P>>,
    changed: Condvar,
    deadline: Option<Instant>,
    stop: Option<Arc<AtomicBool>>,
}

impl<P: Send> Workers<P> {
    fn is_stopped(&self) -> bool {
        self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed))
            || self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    fn lock(&self) -> MutexGuard<'_, Shared<P>> {
        self.shared.lock().expect("no worker panicked")
    }

    /// Makes jobs until there are none.
    fn work<O: Objective<Paused = P>>(&self, objective: &O) {
        let mut shared = self.lock();
        while !shared.over && shared.failure.is_none() && !self.is_stopped() {
            let slot = match shared.next() {
                Ok(Some(slot)) => slot,
                Ok(None) if shared.over => break,
                Ok(None) => {
                    shared = self.changed.wait_timeout(shared, LOOKS).expect("no worker panicked").0;
                    continue;
                }
                Err(error) => {
                    shared.failure.get_or_insert(error);
                    break;
                }
            };
            let Slot::Job { trial, until, .. } = shared.history.slot(slot) else { continue };
            let settings = shared.history.trial(trial).settings.clone();
            let paused = shared.paused.remove(&trial);
            drop(shared);
            let interrupted = || self.is_stopped();
            let began = Instant::now();
            let job = Job { number: trial, settings: &settings, until, interrupted: &interrupted };
            let outcome = objective.make(job, paused);
            shared = self.lock();
            let landed = match outcome {
                Ok(Outcome::Interrupted) => break,
                Ok(Outcome::Reached { value, epochs, done, note, paused }) => {
                    let seconds = began.elapsed().as_secs_f64();
                    let value = value.is_finite().then_some(value);
                    let event = Event::Result { slot, trial, epochs, value, done, seconds, note };
                    shared.tell(&[&event]).map(|()| paused)
                }
                Err(error) => Err(error),
            };
            match landed {
                Ok(Some(paused)) => shared.pause(trial, paused),
                Ok(None) => {}
                Err(error) => {
                    shared.failure.get_or_insert(error);
                }
            }
            self.changed.notify_all();
        }
        self.changed.notify_all();
    }
}
