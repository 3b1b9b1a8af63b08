//! What was wrong with a run, by trying what would have been otherwise.
//!
//! A run is a function of its configuration, its data and its events, so it can be made again in memory, and branched
//! off where one likes.

mod findings;
mod judge;

use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Examples};
use rayon::prelude::*;
use serde::Serialize;

use crate::checkpoint::Snapshot;
use crate::finder::{peak, sample};
use crate::script::Script;
use crate::session::fork::Course;
use crate::session::{Outside, Session};
use crate::trainer::{check_threads, pool, settle};
use crate::{Config, Epoch, Error, Event, RateVerdict, RunFolder, Track, log};

pub use findings::{Finding, Trouble};

/// Where branches begin, as shares of the run.
const FORKS: [f64; 3] = [0.0, 0.3, 0.6];

/// How long a branch is, as a share of the run.
const LENGTH: f64 = 0.3;

/// The rates that are tried, as multiples of the one in force.
const FACTORS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];

/// The training loss is measured on no more rows than about these.
const MOST_ROWS: usize = 4096;

/// What was found out about a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// What its learning rate was.
    pub verdict: RateVerdict,
    /// Why, in numbers.
    pub evidence: String,
    /// A flag to try, if the rate was not good.
    pub suggestion: Option<String>,
    /// What else there is to say.
    pub findings: Vec<Finding>,
    /// The mean training loss of the first guess, which knows nothing.
    pub baseline: f64,
    /// The mean training loss at the end of the run, on the same rows and in the same way as in the branches. None if it
    /// was no finite number.
    pub end: Option<f64>,
    /// The highest rate of the schedule.
    pub peak_rate: f64,
    /// Where it was branched off.
    pub forks: Vec<Fork>,
    /// How many steps it took to find out, those of making the run again included.
    pub steps: u64,
    /// How many steps the run has.
    pub run_steps: u64,
    /// What a person should know of the replay.
    pub notes: Vec<String>,
    /// The epochs of the replay, counted from 0, and their training losses.
    #[serde(skip)]
    pub(crate) replayed: Vec<(u64, f64)>,
}

/// A point from which a run was continued at other rates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fork {
    /// The steps made before it.
    pub step: u64,
    /// The rate of the next step.
    pub lr: f64,
    /// The mean training loss there; none if it is no finite number.
    pub loss: Option<f64>,
    /// How many steps each branch has.
    pub steps: u64,
    /// The branches: the schedule's rate times each factor for half of the steps, then down to zero.
    pub branches: Vec<Branch>,
    /// The loss after as many steps of the schedule as it is, without going down to zero.
    pub held: Option<f64>,
}

/// A continuation of a run at another rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Branch {
    /// What the rates of the schedule are multiplied by.
    pub factor: f64,
    /// The mean training loss at its end; none if it blew up.
    pub loss: Option<f64>,
}

/// What making the run again showed.
struct Replay {
    snapshots: Vec<Snapshot>,
    epochs: Vec<Epoch>,
    /// The step and the rate at which it first blew up.
    blow_up: Option<(u64, f64)>,
    /// The highest rate that a step was made with.
    peak: f64,
    steps: u64,
}

/// Finds out what was wrong with a run, above all with its learning rate.
///
/// The run is made again in memory. At its start and after 30% and 60% of its steps it is branched off and continued for
/// another 30% of them, at 0.1, 0.3, 1, 3 and 10 times the rate in force: for half of its steps a branch keeps to the
/// schedule times that factor, and then its rate goes down to zero, so that a rate is judged by where it leads and not by
/// how widely it circles there. All losses are means over the same training rows in evaluation mode, and all branches see
/// the same batches, so that differences are the rate's doing. This costs 6.4 runs, on as many threads as there are (one a
/// core unless given); the result is the same bit for bit on any number of them.
///
/// The verdict takes the best of all branches for the best that could have been reached: a rate is good if the run
/// misses at most 1.5% of what that gains over the first guess, low if the best branch has a higher rate, high if
/// it has the same or a lower one, and very high if the run blew up or its loss has grown.
///
/// # Errors
///
/// If the configuration does not go with the data.
pub fn diagnose(config: &Config, data: &Dataset, threads: Option<usize>) -> Result<Diagnosis, Error> {
    diagnose_kept(config, data, threads, None)
}

/// The same for a run that is kept, which may be a branch of another and have been told things on the way.
fn diagnose_kept(
    config: &Config,
    data: &Dataset,
    threads: Option<usize>,
    kept: Option<(&RunFolder, Script)>,
) -> Result<Diagnosis, Error> {
    let threads = check_threads(threads)?;
    let (mut config, _) = config.resolve(data)?;
    // What is measured on the way changes nothing, and nobody looks at it here.
    config.track = Track::Off;
    settle(&mut config, data, threads, &mut Outside::default())?;
    pool(threads)?.install(|| examine(&config, data, threads > 1, kept))
}

/// The same for a run that is kept, with all that it was told on the way.
///
/// # Errors
///
/// As [`diagnose`], and if the folder is not that of a run or its data cannot be read.
pub fn diagnose_run(folder: &RunFolder, threads: Option<usize>) -> Result<Diagnosis, Error> {
    let config = folder.config()?;
    let data = folder.load_data(&config)?;
    let (records, _) = log::read(&folder.log_path())?;
    let kept = Some((folder, Script::of(&records)));
    let mut diagnosis = diagnose_kept(&config.training, &data, threads, kept)?;
    let logged = records.iter().rev().find_map(|record| match &record.event {
        Event::Epoch(epoch) => Some((epoch.epoch, epoch.train_loss)),
        _ => None,
    });
    let again = |(epoch, loss)| diagnosis.replayed.iter().any(|(e, l)| *e == epoch && *l == loss);
    if logged.is_some_and(|logged| !again(logged)) {
        diagnosis.notes.push(
            "made again, the run does not come to the losses of its log: the data, the program or the machine is another \
             now, or the run was cut short; the diagnosis is of the run as it is now"
                .into(),
        );
    }
    Ok(diagnosis)
}

fn examine(
    config: &Config,
    data: &Dataset,
    parallel: bool,
    kept: Option<(&RunFolder, Script)>,
) -> Result<Diagnosis, Error> {
    let mut session = Session::new(config, data, parallel)?;
    let mut script = Script::default();
    if let Some((folder, told)) = kept {
        session.restore_start(folder)?;
        script = told;
    }
    let (baseline, start) = (session.baseline(), session.progress().step);
    let total = session.total_steps() - start;
    let planned = peak(session.schedule(), session.position());
    let told = !script.is_empty();
    let at = |share: f64| (share * total as f64) as u64;
    let replay = replay(session, FORKS.map(|share| start + at(share)).to_vec(), script)?;
    let peak_rate = if told { replay.peak } else { planned };
    let rows = sample(&data.train, MOST_ROWS)?;
    let length = at(LENGTH).max(1);

    let mut last = Session::new(config, data, false)?;
    let end = match replay.snapshots.last() {
        Some(snapshot) => {
            last.go_back(snapshot);
            Some(last.loss_of(&rows)?).filter(|loss| loss.is_finite())
        }
        None => None,
    };
    let forks = branch(config, data, &replay, &rows, length)?;
    let mut steps = replay.steps;
    for fork in &forks {
        steps += (FACTORS.len() as u64 + 1) * fork.steps;
    }
    let judged = judge::judge(baseline, end, replay.blow_up, &forks);
    let findings = findings::findings(config, &replay, &forks, &mut last, &rows, (baseline, end))?;
    let next = || judged.factor.map(|factor| factor * peak_rate);
    let suggestion = (judged.verdict != RateVerdict::Good)
        .then(|| judge::suggestion(config.lr.as_ref().expect("resolved"), next()));
    Ok(Diagnosis {
        verdict: judged.verdict,
        evidence: judged.evidence,
        suggestion,
        findings,
        baseline,
        end,
        peak_rate,
        forks,
        steps,
        run_steps: replay.steps,
        notes: Vec::new(),
        replayed: replay.epochs.iter().map(|epoch| (epoch.epoch, epoch.train_loss)).collect(),
    })
}

/// Makes the run again, and keeps its states before these steps.
fn replay(session: Session<'_>, keep: Vec<u64>, script: Script) -> Result<Replay, Error> {
    #[derive(Default)]
    struct Seen {
        epochs: Vec<Epoch>,
        blow_up: Option<(u64, f64)>,
        lr: f64,
        peak: f64,
        steps: u64,
    }
    let seen = Arc::new(Mutex::new(Seen::default()));
    let view = {
        let seen = seen.clone();
        move |event: &Event| {
            let mut seen = seen.lock().expect("nobody panics with it");
            match event {
                Event::Step { lr, .. } => {
                    seen.lr = *lr;
                    seen.peak = seen.peak.max(*lr);
                    seen.steps += 1;
                }
                Event::Epoch(epoch) => seen.epochs.push(epoch.clone()),
                Event::Rollback { step, to, .. } => {
                    let lr = seen.lr;
                    seen.blow_up.get_or_insert((*step, lr));
                    seen.epochs.retain(|epoch| epoch.step <= *to);
                }
                Event::Stop { step, reason: crate::Stop::Diverged { lr }, .. } => {
                    seen.blow_up.get_or_insert((*step, *lr));
                }
                _ => {}
            }
        }
    };
    let mut outside = Outside { views: vec![Box::new(view)], keep, script, ..Outside::default() };
    match session.run(&mut outside) {
        Ok(_) | Err(Error::Diverged { .. }) => {}
        Err(error) => return Err(error),
    }
    let Seen { epochs, blow_up, peak, steps, .. } =
        std::mem::take(&mut *seen.lock().expect("nobody panics with it"));
    Ok(Replay { snapshots: outside.kept, epochs, blow_up, peak, steps })
}

/// Goes on from each state but the last, at each rate.
fn branch(
    config: &Config,
    data: &Dataset,
    replay: &Replay,
    rows: &Examples,
    length: u64,
) -> Result<Vec<Fork>, Error> {
    let (_, starts) =
        replay.snapshots.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
    let courses = FACTORS.map(|factor| (factor, Course::Settled)).into_iter().chain([(1.0, Course::Held)]);
    let courses: Vec<_> = courses.collect();
    let jobs: Vec<_> =
        starts.iter().flat_map(|start| courses.iter().map(move |course| (start, *course))).collect();
    let lead = |(start, (factor, course)): (&Snapshot, (f64, Course))| -> Result<Option<f64>, Error> {
        let mut session = Session::new(config, data, false)?;
        if !session.go_on(start, factor, length, course)? {
            return Ok(None);
        }
        Ok(Some(session.loss_of(rows)?).filter(|loss| loss.is_finite()))
    };
    let losses = jobs.into_par_iter().with_max_len(1).map(lead).collect::<Result<Vec<_>, Error>>()?;
    let mut session = Session::new(config, data, false)?;
    let mut forks = Vec::new();
    for (start, losses) in starts.iter().zip(losses.chunks(courses.len())) {
        session.go_back(start);
        let branches = FACTORS.iter().zip(losses).map(|(&factor, &loss)| Branch { factor, loss });
        forks.push(Fork {
            step: start.progress.step,
            lr: session.rate_in_force(),
            loss: Some(session.loss_of(rows)?).filter(|loss| loss.is_finite()),
            steps: length.min(session.total_steps() - start.progress.step),
            branches: branches.collect(),
            held: losses[FACTORS.len()],
        });
    }
    Ok(forks)
}
