//! What the dashboard knows of a run, from its events alone, whoever tells them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use downhill::run::RunState;
use downhill::train::{Epoch, Event};

use super::series::Series;
use crate::output;
use crate::progress::{self, Pace};

/// The number of latest events that are kept.
const MOST: usize = 200;

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Note,
    Told,
    Trouble,
    Checkpoint,
}

/// A run, as far as its events have told.
#[derive(Clone)]
pub struct State {
    /// Where it is.
    pub run: RunState,
    /// Since when it does what it is doing.
    pub since: Instant,
    pub beginning: String,
    pub train: Series,
    pub valid: Series,
    pub metric: Series,
    pub metric_name: String,
    pub rate: Series,
    happened: VecDeque<(Kind, String)>,
    /// Why a command was refused, until somebody has taken it.
    pub refused: Option<String>,
    pace: Option<Pace>,
    /// The most rows that a step was made from; the last of an epoch may have fewer.
    rows: u64,
}

/// Over less time than this, in seconds, nothing can be said of a pace.
const LEAST: f64 = 0.2;

impl Default for State {
    fn default() -> Self {
        Self {
            run: RunState::default(),
            since: Instant::now(),
            beginning: String::new(),
            train: Series::default(),
            valid: Series::default(),
            metric: Series::default(),
            metric_name: "metric".into(),
            rate: Series::default(),
            happened: VecDeque::new(),
            refused: None,
            pace: None,
            rows: 0,
        }
    }
}

impl State {
    /// Learns of an event. Of a step, without allocating.
    pub fn feed(&mut self, event: &Event) {
        let phase = self.run.phase;
        let back = self.run.apply(event);
        if let Event::Step { step, lr, loss, rows } = event {
            self.train.push(*step, *loss);
            self.rate.push(*step, *lr);
            self.pace.get_or_insert_with(|| Pace::from(step + 1));
            self.rows = self.rows.max(*rows);
            return;
        }
        if let Some(step) = back {
            self.go_back(step);
        }
        let begins = matches!(event, Event::Start { .. } | Event::Resume { .. });
        if begins || self.run.phase != phase {
            (self.since, self.pace) = (Instant::now(), None);
        }
        match event {
            Event::Start { .. } => self.beginning = progress::beginning(event),
            Event::Epoch(epoch) => self.end_epoch(epoch),
            Event::Refused { .. } => self.refused = event.text(),
            _ => {}
        }
        self.note(event);
    }

    /// Steps from here on were not made, or will be made again.
    fn go_back(&mut self, step: u64) {
        self.pace = None;
        self.train.cut(step);
        self.rate.cut(step);
        // An epoch is at the step after its last one.
        self.valid.cut(step + 1);
        self.metric.cut(step + 1);
    }

    fn end_epoch(&mut self, epoch: &Epoch) {
        let Epoch { step, lr, train_loss, valid_loss, metrics, .. } = epoch;
        // Of an epoch that was read in a log, the steps are not known.
        let began = step.saturating_sub(self.run.steps_per_epoch.max(1));
        if self.train.last_step().is_none_or(|last| last < began) {
            self.train.push(step - 1, *train_loss);
            self.rate.push(step - 1, *lr);
        }
        self.valid.push(*step, *valid_loss);
        if let Some((name, value)) = progress::figure(metrics) {
            self.metric_name = output::visible(name);
            self.metric.push(*step, value);
        }
    }

    fn note(&mut self, event: &Event) {
        let kind = match event {
            Event::Command { .. } => Kind::Told,
            Event::Cut { .. } | Event::Rollback { .. } => Kind::Trouble,
            Event::Checkpoint { .. } => Kind::Checkpoint,
            _ => Kind::Note,
        };
        let text = match event {
            Event::Checkpoint { step, .. } => Some(format!("Checkpoint at step {step}")),
            event => event.text(),
        };
        let Some(text) = text else { return };
        // They come every second, and the last one is the one that counts.
        if kind == Kind::Checkpoint {
            self.happened.retain(|(kind, _)| *kind != Kind::Checkpoint);
        }
        if self.happened.len() == MOST {
            self.happened.pop_front();
        }
        self.happened.push_back((kind, text));
    }

    /// What happened, the last at the end.
    pub fn happened(&self) -> impl DoubleEndedIterator<Item = (Kind, &str)> {
        self.happened.iter().map(|(kind, text)| (*kind, text.as_str()))
    }

    /// The epoch under way, counted from 1, and the number of them.
    pub fn epochs(&self) -> (u64, u64) {
        let RunState { step, steps_per_epoch, total_steps, .. } = self.run;
        let total = progress::epochs(total_steps, steps_per_epoch);
        ((step / steps_per_epoch.max(1) + 1).min(total), total)
    }

    fn pace(&self, now: Instant) -> Option<Pace> {
        self.pace.filter(|pace| pace.seconds(now) > LEAST)
    }

    /// How many rows are trained on in a second.
    pub fn rows_per_second(&self, now: Instant) -> Option<f64> {
        let pace = self.pace(now).and_then(|pace| Some(self.rows as f64 / pace.a_step(self.run.step, now)?));
        pace.or(self.run.last.as_ref().map(|epoch| epoch.rows_per_second))
    }

    /// How long the rest will take, if nothing stops the run before.
    pub fn left(&self, now: Instant) -> Option<Duration> {
        self.pace(now)?.left(self.run.step, self.run.total_steps, now)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use downhill::run::Phase;
    use downhill::train::{Classification, Command, Metrics, Steering, Stop};

    use super::*;

    pub fn start() -> Event {
        Event::Start {
            version: "0".into(),
            dataset: "digits".into(),
            features: 64,
            classes: Some(10),
            total_steps: 100,
            steps_per_epoch: 10,
            train_rows: 320,
            valid_rows: 80,
            parameters: 1000,
            data_fingerprint: None,
        }
    }

    pub fn plan(step: u64, schedule: &str, steering: Steering) -> Event {
        let schedule = schedule.parse().unwrap();
        Event::Plan { step, total_steps: 100, steps_per_epoch: 10, schedule, steering }
    }

    /// Steering that halves all rates.
    pub fn halved() -> Steering {
        let mut steering = Steering::default();
        steering.scale = 0.5;
        steering
    }

    pub fn step(step: u64, loss: f64) -> Event {
        Event::Step { step, lr: 0.01, loss, rows: 32 }
    }

    pub fn epoch(epoch: u64, loss: f64, best: bool) -> Event {
        let metrics = Metrics::Classification(Classification {
            accuracy: 1.0 - loss / 4.0,
            top_3_accuracy: None,
            balanced_accuracy: 0.0,
            macro_precision: 0.0,
            macro_recall: 0.0,
            macro_f1: 0.0,
            roc_auc: None,
            positive: None,
            by_class: None,
            confusion: None,
        });
        let step = 10 * (epoch + 1);
        let (train_loss, valid_loss) = (loss, 1.1 * loss);
        let (seconds, rows_per_second) = (0.1, 3200.0);
        let lr = 0.01;
        Event::Epoch(Epoch {
            epoch,
            step,
            lr,
            train_loss,
            valid_loss,
            metrics,
            best,
            seconds,
            rows_per_second,
        })
    }

    pub fn told(step: u64, command: Command) -> Event {
        Event::Command { step, steps_executed: step, command, lr_before: 0.01, lr: 0.005 }
    }

    /// A run after so many epochs of its ten.
    pub fn under_way(epochs: u64) -> State {
        let mut state = State::default();
        state.feed(&start());
        state.feed(&plan(0, "linear(0.01, end=0)", Steering::default()));
        for at in 0..epochs {
            (10 * at..10 * at + 10).for_each(|at| state.feed(&step(at, 2.0 / (at + 1) as f64)));
            state.feed(&epoch(at, 2.0 / (at + 1) as f64, at < 3));
        }
        state
    }

    #[test]
    fn a_run_is_followed() {
        let mut state = State::default();
        assert_eq!(state.run.phase, Phase::Waiting);
        state.feed(&Event::Search);
        assert_eq!(state.run.phase, Phase::Searching);
        let mut state = under_way(5);
        assert_eq!(state.epochs(), (6, 10));
        assert_eq!(state.run.best().unwrap().epoch, 2);
        assert_eq!(state.run.rate(50), Some(0.005));
        state.feed(&plan(50, "linear(0.01, end=0)", halved()));
        assert_eq!(state.run.rate(50), Some(0.0025));
        assert_eq!(state.run.steering().scale, 0.5);
        state.feed(&told(50, Command::Pause));
        assert_eq!(state.run.phase, Phase::Paused);
        assert!(state.left(Instant::now() + Duration::from_secs(1)).is_none());
        state.feed(&told(50, Command::Continue));
        assert_eq!(state.run.phase, Phase::Training);
        // A watcher sees some steps only.
        state.feed(&step(50, 0.1));
        state.feed(&step(60, 0.1));
        let later = Instant::now() + Duration::from_secs(1);
        let left = state.left(later).unwrap().as_secs_f64();
        assert!((3.9..3.95).contains(&left), "{left}");
        let rows = state.rows_per_second(later).unwrap();
        assert!((315.0..=320.0).contains(&rows), "{rows}");
        assert_eq!(state.happened().count(), 2);
        state.feed(&Event::Stop { step: 51, steps_executed: 51, reason: Stop::Ended, weights_sha256: None });
        assert_eq!(state.run.phase, Phase::Over(Stop::Ended));
    }

    #[test]
    fn what_is_gone_back_over_is_not_drawn_twice() {
        let mut state = under_way(5);
        let back = Event::Rollback {
            step: 50,
            steps_executed: 50,
            to: 20,
            scale: 0.5,
            cause: downhill::train::Cause::Spike,
        };
        state.feed(&back);
        assert_eq!(state.run.step, 20);
        assert_eq!(state.train.last_step(), Some(19));
        assert_eq!(state.valid.last_step(), Some(20));
        assert_eq!(state.happened().next_back().unwrap().0, Kind::Trouble);
    }

    #[test]
    fn a_log_without_steps_is_enough() {
        let mut state = State::default();
        state.feed(&start());
        (0..4).for_each(|at| state.feed(&epoch(at, 1.0, true)));
        assert_eq!(state.train.points().count(), 4);
        assert_eq!(state.rate.last_step(), Some(39));
        assert_eq!(state.run.step, 40);
    }

    #[test]
    fn the_last_checkpoint_is_enough_and_there_are_not_endlessly_many_lines() {
        let mut state = State::default();
        let checkpoint = |step| Event::Checkpoint { step, file: String::new() };
        (0..10).for_each(|step| state.feed(&checkpoint(step)));
        assert_eq!(state.happened().collect::<Vec<_>>(), [(Kind::Checkpoint, "Checkpoint at step 9")]);
        (0..1000).for_each(|step| state.feed(&told(step, Command::Undo)));
        assert_eq!(state.happened().count(), MOST);
    }
}
