//! What a study has come to so far: the fold of its events, and what it does next.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::sampler::Observation;
use crate::{Budget, Plan, Settings, StopRule};

/// What a trial is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A job of it is under way, or was when the study stopped.
    Running,
    /// It may go on once it leads.
    Paused,
    /// It was stopped for good, before its end.
    Stopped,
    /// It is over.
    Complete,
    /// It came to no value.
    Failed,
}

/// A trial and what it has come to so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Its number, counted from 0.
    pub number: u64,
    /// What is tried.
    pub settings: Settings,
    /// The number of epochs that it has made.
    pub epochs: u64,
    /// The value of what it keeps; none if it has none yet or has failed.
    pub value: Option<f64>,
    /// What it is doing.
    pub state: State,
    /// How long its jobs took.
    pub seconds: f64,
    /// What a person should know of it.
    pub note: Option<String>,
    point: Vec<f64>,
}

/// What a job came to.
#[derive(Clone, Debug)]
struct Landed {
    epochs: u64,
    value: Option<f64>,
    done: bool,
    note: Option<String>,
}

/// What is begun at a place of the logical order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Slot {
    Job { trial: u64, from: u64, until: u64 },
    Wait,
}

/// The states of no more paused trials than these are kept.
const MOST_PAUSED: usize = 512;

/// A trial at a rung, with what is minimised.
type Standing = (f64, u64);

/// What a study has come to so far.
#[derive(Clone, Debug)]
pub struct History {
    plan: Plan,
    rungs: Vec<u64>,
    trials: Vec<Trial>,
    slots: Vec<Slot>,
    landed: BTreeMap<u64, Landed>,
    /// How many slots have been seen; suggestions and decisions know no others.
    seen_slots: usize,
    /// Of each trial, what has been seen.
    seen: Vec<Observation>,
    /// The points of what the plan believes to be good.
    prior: Vec<Vec<f64>>,
    /// The trials that came to each rung but the last, the best first.
    standings: Vec<Vec<Standing>>,
    /// Those that went on from there.
    promoted: Vec<BTreeSet<u64>>,
    /// Those that the median rule lets go on from there.
    cleared: Vec<Vec<u64>>,
    /// The number of epochs of all jobs that were begun.
    epochs_begun: u64,
    /// How many decisions the log has that have not been made again.
    logged_decisions: u64,
    /// Whether whoever leads the study has stopped it.
    halted: bool,
}

impl History {
    pub(crate) fn new(plan: &Plan) -> Self {
        let rungs = plan.stop.rungs(plan.epochs);
        Self {
            plan: plan.clone(),
            standings: vec![Vec::new(); rungs.len() - 1],
            promoted: vec![BTreeSet::new(); rungs.len() - 1],
            cleared: vec![Vec::new(); rungs.len() - 1],
            rungs,
            trials: Vec::new(),
            slots: Vec::new(),
            landed: BTreeMap::new(),
            seen_slots: 0,
            seen: Vec::new(),
            prior: plan.prior.iter().filter_map(|settings| plan.space.point(settings).ok()).collect(),
            epochs_begun: 0,
            logged_decisions: 0,
            halted: false,
        }
    }

    /// Everything that decides what the study comes to.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All trials, in the order of their numbers.
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// The trials that have a value, the best first; of equals, the earlier one.
    pub fn ranking(&self) -> Vec<&Trial> {
        let cost = |trial: &Trial| self.plan.goal.cost(trial.value);
        let mut ranked: Vec<(f64, &Trial)> =
            self.trials.iter().filter_map(|trial| Some((cost(trial)?, trial))).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        ranked.into_iter().map(|(_, trial)| trial).collect()
    }

    /// The best trial, if any has a value.
    pub fn best(&self) -> Option<&Trial> {
        self.ranking().first().copied()
    }

    /// All trials that are over or paused, as samplers see them.
    pub(crate) fn observations(&self) -> Vec<Observation> {
        let known = self.trials.iter().filter(|trial| trial.epochs > 0 || trial.state == State::Failed);
        known
            .map(|trial| Observation {
                point: trial.point.clone(),
                epochs: trial.epochs,
                cost: self.plan.goal.cost(trial.value),
                pending: false,
            })
            .collect()
    }

    /// The jobs that were begun and have not come to an end. None is seen before it has.
    pub(crate) fn unfinished(&self) -> Vec<u64> {
        (self.seen_slots as u64..self.slots.len() as u64).filter(|&slot| self.is_open(slot)).collect()
    }

    /// Whether a job was begun at a place and has not come to an end.
    pub(crate) fn is_open(&self, slot: u64) -> bool {
        matches!(self.slots.get(slot as usize), Some(Slot::Job { .. })) && !self.landed.contains_key(&slot)
    }

    /// Whether whoever leads the study has stopped it.
    pub(crate) fn is_halted(&self) -> bool {
        self.halted
    }

    /// Of each trial, after how many epochs its state is needed: those after fewer are not. What is beyond
    /// the best [`MOST_PAUSED`] is made again from its start if it goes on, with the same bits.
    pub(crate) fn needed(&self) -> Vec<(u64, u64)> {
        let running: BTreeMap<u64, u64> = (self.seen_slots as u64..self.slots.len() as u64)
            .filter(|&slot| self.is_open(slot))
            .filter_map(|slot| match self.slots[slot as usize] {
                Slot::Job { trial, from, .. } => Some((trial, from)),
                Slot::Wait => None,
            })
            .collect();
        let mut paused: Vec<u64> = self.promotable().into_iter().collect();
        let cost = |trial: u64| {
            let trial = self.trial(trial);
            (trial.epochs, self.plan.goal.cost(trial.value).unwrap_or(f64::INFINITY))
        };
        paused.sort_by(|a, b| {
            let (a, b) = (cost(*a), cost(*b));
            b.0.cmp(&a.0).then(a.1.total_cmp(&b.1))
        });
        paused.truncate(MOST_PAUSED);
        let paused: BTreeSet<u64> = paused.into_iter().collect();
        let needed = |trial: &Trial| match running.get(&trial.number) {
            Some(&from) => (trial.number, from),
            None if paused.contains(&trial.number) => (trial.number, trial.epochs),
            None => (trial.number, trial.epochs + 1),
        };
        self.trials.iter().map(needed).collect()
    }

    /// The paused trials that may go on, whatever comes. A trial's place at a rung never gets better, so that
    /// it is out once it is not among those that would be promoted if all came there that can.
    fn promotable(&self) -> BTreeSet<u64> {
        // Their results are there, but nobody has decided on them.
        let unseen = |trial: &&Trial| {
            trial.state == State::Paused && self.seen[trial.number as usize].epochs < trial.epochs
        };
        let mut all: BTreeSet<u64> = self.trials.iter().filter(unseen).map(|trial| trial.number).collect();
        let budget = &self.plan.budget;
        let more = (budget.most_trials().saturating_sub(self.trials.len() as u64))
            .min(budget.most_epochs().saturating_sub(self.epochs_begun) / self.rungs[0].max(1));
        let unseen = self.slots[self.seen_slots..].iter().filter(|&&slot| slot != Slot::Wait).count();
        let mut coming = more.saturating_add(unseen as u64);
        for (rung, standings) in self.standings.iter().enumerate() {
            let is_new = |trial: &u64| !self.promoted[rung].contains(trial);
            let here: Vec<u64> = match &self.plan.stop {
                StopRule::None => Vec::new(),
                StopRule::Halving(halving) => {
                    let best = (standings.len() as u64).saturating_add(coming) / halving.eta;
                    let best = usize::try_from(best).unwrap_or(usize::MAX);
                    let finite = standings.iter().take(best).filter(|standing| standing.0.is_finite());
                    finite.map(|standing| standing.1).filter(is_new).collect()
                }
                StopRule::Median(_) => self.cleared[rung].iter().copied().filter(is_new).collect(),
            };
            coming = coming.saturating_add(here.len() as u64);
            all.extend(here);
        }
        all
    }

    pub(crate) fn slot(&self, slot: u64) -> Slot {
        self.slots[slot as usize]
    }

    pub(crate) fn trial(&self, number: u64) -> &Trial {
        &self.trials[number as usize]
    }

    /// Takes an event in.
    ///
    /// # Errors
    ///
    /// If it does not follow from those before it, in words.
    pub(crate) fn take(&mut self, event: &Event) -> Result<(), String> {
        match event {
            Event::Start { slot, trial, settings, until, .. } => {
                self.check_slot(*slot)?;
                if *trial != self.trials.len() as u64 {
                    return Err(format!("trial {trial} begins, and trial {} is next", self.trials.len()));
                }
                let point = self.plan.space.point(settings)?;
                self.seen.push(Observation { point: point.clone(), epochs: 0, cost: None, pending: true });
                self.trials.push(Trial {
                    number: *trial,
                    settings: settings.clone(),
                    epochs: 0,
                    value: None,
                    state: State::Running,
                    seconds: 0.0,
                    note: None,
                    point,
                });
                self.begin(*trial, 0, *until);
            }
            Event::Promote { slot, trial, from, until, .. } => {
                self.check_slot(*slot)?;
                self.check_trial(*trial)?;
                let rung = self.rungs.iter().position(|rung| rung == from);
                let Some(promoted) = rung.and_then(|rung| self.promoted.get_mut(rung)) else {
                    return Err(format!("there is no rung at epoch {from} to go on from"));
                };
                promoted.insert(*trial);
                self.trials[*trial as usize].state = State::Running;
                self.begin(*trial, *from, *until);
            }
            Event::Wait { slot } => {
                self.check_slot(*slot)?;
                self.slots.push(Slot::Wait);
            }
            Event::Result { slot, trial, epochs, value, done, seconds, note } => {
                let expected = self.slots.get(*slot as usize);
                if !matches!(expected, Some(Slot::Job { trial: other, .. }) if other == trial) {
                    return Err(format!("a result of trial {trial} at {slot}, where it has no job"));
                }
                let (epochs, value, done) = (*epochs, *value, *done);
                if self.landed.insert(*slot, Landed { epochs, value, done, note: note.clone() }).is_some() {
                    return Err(format!("a second result of the job at {slot}"));
                }
                let last = self.rungs.last().is_none_or(|&last| epochs >= last);
                let trial = &mut self.trials[*trial as usize];
                (trial.epochs, trial.value, trial.note) = (epochs, value, note.clone());
                trial.seconds += seconds;
                trial.state = match value {
                    None => State::Failed,
                    Some(_) if done || last => State::Complete,
                    Some(_) => State::Paused,
                };
            }
            Event::Stop { trial, .. } => {
                self.check_trial(*trial)?;
                self.trials[*trial as usize].state = State::Stopped;
                self.logged_decisions += 1;
            }
            Event::Pause { .. } | Event::Complete { .. } | Event::Fail { .. } => self.logged_decisions += 1,
            Event::Halt { .. } => self.halted = true,
            Event::Budget { trials, epochs_total, seconds } => {
                self.plan.budget = Budget { trials: *trials, epochs_total: *epochs_total, seconds: *seconds };
                self.halted = false;
            }
        }
        Ok(())
    }

    fn begin(&mut self, trial: u64, from: u64, until: u64) {
        self.slots.push(Slot::Job { trial, from, until });
        self.epochs_begun = self.epochs_begun.saturating_add(until.saturating_sub(from));
    }

    fn check_slot(&self, slot: u64) -> Result<(), String> {
        match slot == self.slots.len() as u64 {
            true => Ok(()),
            false => Err(format!("place {slot} of the order is taken up, and {} is next", self.slots.len())),
        }
    }

    fn check_trial(&self, trial: u64) -> Result<(), String> {
        match trial < self.trials.len() as u64 {
            true => Ok(()),
            false => Err(format!("there is no trial {trial}")),
        }
    }

    /// Whether the results are there that what comes next may know of.
    pub(crate) fn can_go_on(&self) -> bool {
        let visible = (self.slots.len() as u64 + 1).saturating_sub(self.plan.window);
        (self.seen_slots as u64..visible).all(|slot| match self.slots[slot as usize] {
            Slot::Wait => true,
            Slot::Job { .. } => self.landed.contains_key(&slot),
        })
    }

    /// What happens next in logical order, given that it [can](Self::can_go_on): the decisions on the results
    /// that are now seen, then what is begun, which is none if the study is over. Decisions that are in the
    /// log already are left out.
    pub(crate) fn next(&mut self) -> (Vec<Event>, Option<Event>) {
        let visible = (self.slots.len() as u64 + 1).saturating_sub(self.plan.window);
        let mut decisions = Vec::new();
        while (self.seen_slots as u64) < visible {
            let decision = self.see(self.seen_slots as u64);
            self.seen_slots += 1;
            let Some(decision) = decision else { continue };
            match self.logged_decisions.checked_sub(1) {
                Some(left) => self.logged_decisions = left,
                None => {
                    if let Event::Stop { trial, .. } = &decision {
                        self.trials[*trial as usize].state = State::Stopped;
                    }
                    decisions.push(decision);
                }
            }
        }
        let slot = self.slots.len() as u64;
        let begun = self.promotion(slot).or_else(|| self.suggestion(slot));
        let waits = self.slots.iter().rev().take_while(|&&slot| slot == Slot::Wait).count() as u64;
        let is_over = begun.is_none() && (waits >= self.plan.window || self.slots.is_empty());
        (decisions, begun.or((!is_over).then_some(Event::Wait { slot })))
    }

    /// Sees the result at a place, and decides on it.
    fn see(&mut self, slot: u64) -> Option<Event> {
        let Slot::Job { trial, until, .. } = self.slots[slot as usize] else { return None };
        let Landed { epochs, value, done, note } = self.landed[&slot].clone();
        let cost = self.plan.goal.cost(value);
        let seen = &mut self.seen[trial as usize];
        (seen.epochs, seen.cost, seen.pending) = (epochs, cost, false);
        let note = note.map_or(String::new(), |note| format!(": {note}"));
        let rung =
            self.rungs.iter().position(|&rung| rung == until).filter(|rung| rung + 1 < self.rungs.len());
        if let (Some(rung), true) = (rung, cost.is_none() || !done) {
            let standing = (cost.unwrap_or(f64::INFINITY), trial);
            let standings = &mut self.standings[rung];
            let place = standings.partition_point(|other| (other.0, other.1) < standing);
            standings.insert(place, standing);
        }
        if cost.is_none() {
            let reason = if note.is_empty() {
                format!("failed at epoch {epochs}: its value is no finite number")
            } else {
                format!("failed at epoch {epochs}{note}")
            };
            return Some(Event::Fail { trial, reason });
        }
        let Some(rung) = rung.filter(|_| !done) else {
            let reason = format!("complete after {epochs} of {} epochs{note}", self.plan.epochs);
            return Some(Event::Complete { trial, epochs, reason });
        };
        let standings = &self.standings[rung];
        match &self.plan.stop {
            StopRule::None => None,
            StopRule::Halving(halving) => {
                let best = standings.len() / halving.eta as usize;
                let place = standings.iter().position(|other| other.1 == trial)?;
                let rest = match best {
                    _ if place < best => return None,
                    0 => "too few are there for one to go on".to_string(),
                    1 => "only the best goes on".to_string(),
                    best => format!("the best {best} go on"),
                };
                let reason =
                    format!("paused at epoch {epochs}: {} of {} there; {rest}", nth(place), standings.len());
                Some(Event::Pause { trial, epochs, reason })
            }
            StopRule::Median(median) => {
                let others: Vec<f64> =
                    standings.iter().filter(|other| other.1 != trial).map(|other| other.0).collect();
                let middle = others.get(others.len() / 2).copied().unwrap_or(f64::INFINITY);
                if (others.len() as u64) < median.trials || cost? <= middle {
                    self.cleared[rung].push(trial);
                    return None;
                }
                let middle = self.plan.goal.value(middle);
                let reason = format!(
                    "stopped at epoch {epochs}: worse than {middle:.4}, the median of the {} others there",
                    others.len()
                );
                Some(Event::Stop { trial, epochs, reason })
            }
        }
    }

    /// The trial that goes on from the highest rung at which one does, if one can.
    fn promotion(&self, slot: u64) -> Option<Event> {
        (0..self.standings.len()).rev().find_map(|rung| {
            let (standings, promoted) = (&self.standings[rung], &self.promoted[rung]);
            let (from, until) = (self.rungs[rung], self.rungs[rung + 1]);
            if self.epochs_begun.saturating_add(until - from) > self.plan.budget.most_epochs() {
                return None;
            }
            let is_new = |trial: &u64| !promoted.contains(trial);
            let (trial, reason) = match &self.plan.stop {
                StopRule::None => return None,
                StopRule::Halving(halving) => {
                    let best = standings.iter().take(standings.len() / halving.eta as usize).enumerate();
                    let finite = best.filter(|(_, standing)| standing.0.is_finite());
                    let (place, trial) = finite
                        .map(|(place, standing)| (place, standing.1))
                        .find(|(_, trial)| is_new(trial))?;
                    (trial, format!("{} of {} at epoch {from}", nth(place), standings.len()))
                }
                StopRule::Median(_) => {
                    let trial = self.cleared[rung].iter().copied().find(is_new)?;
                    (trial, format!("no worse than the median at epoch {from}"))
                }
            };
            let reason = format!("goes on to epoch {until}: {reason}");
            Some(Event::Promote { slot, trial, from, until, reason })
        })
    }

    /// A new trial, if there is to be one.
    fn suggestion(&self, slot: u64) -> Option<Event> {
        let (trial, until) = (self.trials.len() as u64, self.rungs[0]);
        let budget = &self.plan.budget;
        if trial >= budget.most_trials() || self.epochs_begun.saturating_add(until) > budget.most_epochs() {
            return None;
        }
        let Plan { sampler, space, seed, first, .. } = &self.plan;
        let (settings, reason) = match trial.checked_sub(first.len() as u64) {
            None => (first[trial as usize].clone(), "given to be tried first".to_string()),
            Some(number) => sampler.suggest(space, *seed, number, &self.seen, &self.prior)?,
        };
        Some(Event::Start { slot, trial, settings, until, reason })
    }
}

/// `1st`, for 0.
fn nth(place: usize) -> String {
    let number = place + 1;
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
