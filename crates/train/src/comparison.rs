//! The same run with several settings, side by side.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use downhill_data::Dataset;
use downhill_nn::Loss;
use downhill_run::has_grown;
use downhill_schedule::{Position, Schedule};
use rayon::prelude::*;

use crate::engine::first_guess;
use crate::finder::peak;
use crate::trainer::{check_threads, pool};
use crate::{
    Attempt, ClassWeights, Command, Config, Epoch, Error, Event, RateVerdict, Source, Stop, Trained, Trainer,
    View, rate_verdicts, usual_rate, usual_schedule,
};

mod kept;

use kept::KeptRun;

/// One of the runs to compare.
#[derive(Clone, Debug)]
pub struct Contender {
    /// How it is trained.
    pub config: Config,
    /// What its folder is called, if it is kept.
    pub name: String,
    /// Runs of the same group differ in their learning rate only, and are judged by it among each other.
    pub group: usize,
}

/// What one of the compared runs came to.
#[derive(Debug)]
pub struct Compared {
    /// The network; none if the run blew up before an epoch ended.
    pub trained: Option<Trained>,
    /// How it went.
    pub course: Course,
    /// The highest rate that its schedule comes to.
    pub peak_rate: f64,
    /// Whether it was there already, and was not made again.
    pub was_there: bool,
    /// What its rate was among those of its group; none if there is no other rate in the group.
    pub verdict: Option<RateVerdict>,
    /// What it minimises: losses of runs that differ in it cannot be compared.
    objective: (Option<Loss>, ClassWeights),
}

impl Compared {
    /// Whether it blew up and what is kept of it, if anything is, is no better than the first guess.
    fn is_spoilt(&self) -> bool {
        let kept = self.trained.as_ref().map_or(f64::INFINITY, |trained| trained.summary().valid_loss);
        let blew_up = self.course.blow_up.is_some() || self.course.grown().is_some();
        // A loss that is not a number is not below it either.
        blew_up && (kept.is_nan() || kept >= self.course.baseline)
    }
}

/// The places of runs in order, the best first: by the validation loss of the weights that are kept, or by
/// accuracy or R² if not all runs minimise the same. Runs that blew up come last if nothing better than the
/// first guess is kept of them.
pub fn ranking(runs: &[&Compared]) -> Vec<usize> {
    let by_loss = is_by_loss(runs);
    let cost = |run: &Compared| match run.trained.as_ref().map(Trained::summary) {
        Some(summary) if by_loss => summary.valid_loss,
        Some(summary) => -summary.metrics.score(),
        None => f64::INFINITY,
    };
    // What is not a number is after all that are.
    let key = |place: usize| {
        let (run, cost) = (runs[place], cost(runs[place]));
        (run.is_spoilt(), cost.is_nan(), cost)
    };
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by(|&a, &b| {
        let (a, b) = (key(a), key(b));
        (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2))
    });
    order
}

/// Whether all runs minimise the same loss, so that they can be ranked by it.
pub fn is_by_loss(runs: &[&Compared]) -> bool {
    runs.windows(2).all(|pair| pair[0].objective == pair[1].objective)
}

/// How a run went, from its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Course {
    /// The mean loss of the first guess, before any step.
    pub baseline: f64,
    /// The epochs before the run blew up, if it did.
    pub epochs: Vec<Epoch>,
    /// Where it first blew up.
    pub blow_up: Option<BlowUp>,
    /// How many epochs were planned.
    pub planned: u64,
    /// The schedule, if its rate was found.
    found: Option<Schedule>,
    steps_per_epoch: u64,
    last_loss: f64,
}

/// Where a run blew up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlowUp {
    /// How many epochs had been made, with a part of the one under way.
    pub epoch: f64,
    /// The loss of the last batch.
    pub loss: f64,
}

impl Course {
    /// Takes note of an event. What happens after a blow-up happens at another rate, and is left out.
    fn take(&mut self, event: &Event) {
        if self.blow_up.is_some() {
            return;
        }
        let blow_up = |step: u64| BlowUp {
            epoch: step as f64 / self.steps_per_epoch.max(1) as f64,
            loss: self.last_loss,
        };
        match event {
            Event::Start { total_steps, steps_per_epoch, .. } => {
                self.steps_per_epoch = *steps_per_epoch;
                self.planned = total_steps / steps_per_epoch.max(&1);
            }
            Event::Rate(found) => self.found = Some(found.schedule.clone()),
            Event::Step { loss, .. } => self.last_loss = *loss,
            // Of one that goes on, what was made after the checkpoint is made again.
            Event::Resume { step, .. } => self.epochs.retain(|epoch| epoch.step <= *step),
            Event::Epoch(epoch) => self.epochs.push(epoch.clone()),
            Event::Rollback { step, .. } | Event::Stop { step, reason: Stop::Diverged { .. }, .. } => {
                self.blow_up = Some(blow_up(*step));
            }
            _ => {}
        }
    }

    /// The first epoch from which on the training loss is clearly above the first guess's, if it is at the
    /// end.
    pub fn grown(&self) -> Option<u64> {
        let grown = |epoch: &&Epoch| has_grown(self.baseline, epoch.train_loss);
        self.epochs.iter().rev().take_while(grown).last().map(|epoch| epoch.epoch)
    }

    /// What [`rate_verdicts`] judges.
    pub fn attempt(&self, rate: f64) -> Attempt {
        let losses = self.epochs.iter().map(|epoch| epoch.train_loss).collect();
        Attempt { rate, losses, diverged: self.blow_up.is_some() }
    }
}

/// Where the runs are kept: the folder that theirs are made in, and what they are trained on.
#[derive(Clone, Copy, Debug)]
pub struct Shelf<'a> {
    /// The folder.
    pub runs: &'a Path,
    /// Where the data is from.
    pub source: &'a Source,
}

/// Makes several runs on the same data, as many at once as there are threads (one a core unless given), each
/// on one of them. The result of each is the same bit for bit as if it were made alone.
///
/// A run that is kept and is there already, made of the same settings and data, is not made again; one that
/// was cut off goes on. `views` gives what looks at a run that is made, by its place in `contenders`. `done`
/// is called after each run with the number of those that are over.
///
/// # Errors
///
/// If the settings of a run are wrong or do not go with the data, which is seen before the first step of any;
/// or a run cannot be kept. A run that blows up is no error.
pub fn compare(
    contenders: &[Contender],
    data: &Dataset,
    threads: Option<usize>,
    kept: Option<Shelf<'_>>,
    views: impl Fn(usize) -> Vec<View> + Sync,
    done: impl Fn(usize) + Sync,
) -> Result<Vec<Compared>, Error> {
    compare_until(contenders, data, threads, kept, views, done, &Arc::default())
}

/// The same, until `stop` is true: the runs that are under way then stop at their next step.
///
/// # Errors
///
/// As [`compare`], and [`Error::Interrupted`] if it was stopped.
pub fn compare_until(
    contenders: &[Contender],
    data: &Dataset,
    threads: Option<usize>,
    kept: Option<Shelf<'_>>,
    views: impl Fn(usize) -> Vec<View> + Sync,
    done: impl Fn(usize) + Sync,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Compared>, Error> {
    for contender in contenders {
        contender.config.resolve(data)?;
    }
    let threads = check_threads(threads)?;
    let over = Mutex::new(0);
    let make = |(index, contender): (usize, &Contender)| -> Result<Compared, Error> {
        let compared = run(contender, data, kept, || views(index), stop)?;
        if stop.load(Ordering::Relaxed) {
            return Err(Error::Interrupted);
        }
        let mut over = over.lock().expect("nobody panics with it");
        *over += 1;
        done(*over);
        Ok(compared)
    };
    // One at a time for each thread: runs are long, and not all as long.
    let runs = contenders.par_iter().enumerate().with_max_len(1).map(make);
    let mut compared = pool(threads)?.install(|| runs.collect::<Result<Vec<_>, Error>>())?;
    let groups = contenders.iter().map(|contender| contender.group + 1).max().unwrap_or(0);
    for group in 0..groups {
        let members = || (0..compared.len()).filter(|&at| contenders[at].group == group);
        let attempts: Vec<Attempt> =
            members().map(|at| compared[at].course.attempt(compared[at].peak_rate)).collect();
        if attempts.iter().all(|attempt| attempt.rate == attempts[0].rate) {
            continue;
        }
        let baseline = members().next().map_or(0.0, |at| compared[at].course.baseline);
        let verdicts = rate_verdicts(baseline, &attempts);
        for (at, verdict) in members().collect::<Vec<_>>().into_iter().zip(verdicts) {
            compared[at].verdict = Some(verdict);
        }
    }
    Ok(compared)
}

fn run(
    contender: &Contender,
    data: &Dataset,
    kept: Option<Shelf<'_>>,
    views: impl Fn() -> Vec<View>,
    stop: &Arc<AtomicBool>,
) -> Result<Compared, Error> {
    let (config, _) = contender.config.resolve(data)?;
    let baseline = config.weighted_loss(data).map_or(Ok(0.0), |loss| first_guess(&loss, data))?;
    let course = Arc::new(Mutex::new(Course { baseline, ..Course::default() }));
    let view = {
        let course = course.clone();
        move |event: &Event| course.lock().expect("nobody panics with it").take(event)
    };
    let there = kept.and_then(|shelf| KeptRun::find(&contender.name, &config, data, shelf));
    let was_there = there.as_ref().is_some_and(|run| run.is_over);
    let (commands, inbox) = mpsc::channel();
    let stops = {
        let stop = stop.clone();
        move |_: &Event| {
            if stop.load(Ordering::Relaxed) {
                let _ = commands.send(Command::Stop);
            }
        }
    };
    let trainer = Trainer::from_config(contender.config.clone()).threads(1).inbox(inbox);
    let mut trainer = trainer.view(view).view(stops);
    if !was_there {
        trainer = views().into_iter().fold(trainer, Trainer::view);
    }
    let fitted = match (kept, there) {
        (_, Some(run)) => {
            let mut course = course.lock().expect("nobody panics with it");
            run.events.iter().for_each(|event| course.take(event));
            drop(course);
            run.go_on(trainer, data)
        }
        (Some(Shelf { runs, source }), None) => trainer.fit_kept(data, runs, Some(&contender.name), source),
        (None, None) => trainer.fit(data),
    };
    let trained = match fitted {
        Ok(trained) => Some(trained),
        Err(Error::Diverged { .. }) => None,
        Err(error) => return Err(error),
    };
    let course = course.lock().expect("nobody panics with it").clone();
    let total_steps = course.planned * course.steps_per_epoch;
    let rule = &config.optimizer;
    let lr =
        config.lr.or_else(|| course.found.clone()).unwrap_or_else(|| usual_schedule(rule, usual_rate(rule)));
    Ok(Compared {
        peak_rate: peak(&lr, Position { step: 0, steps_per_epoch: course.steps_per_epoch, total_steps }),
        trained,
        course,
        was_there,
        verdict: None,
        objective: (config.loss, config.class_weights),
    })
}
