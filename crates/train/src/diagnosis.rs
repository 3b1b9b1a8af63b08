//! What was wrong with a run, by trying what would have been otherwise.
//!
//! A run is a function of its configuration, its data and its events, so it can be made again in memory, and
//! branched off where one likes.

mod advice;
mod branches;
mod findings;
mod judge;
mod replay;
mod suggestion;

use downhill_data::{Dataset, Examples};
use downhill_run::{Channels, CommandReplay};
use downhill_schedule::Schedule;
use serde::Serialize;

use crate::finder::{peak, sample};
use crate::run::Run;
use crate::trainer::{check_threads, pool, settle};
use crate::{Config, Error, Event, Plateau, RateVerdict, RunConfig, RunFolder, Track, log};

use advice::Change;
use branches::FACTORS;
use judge::{Besides, Came, Judged};

pub use advice::Tried;
pub use branches::{Branch, Fork};
pub use findings::{Finding, Trouble};
pub use suggestion::{Setting, Suggestion};

/// Where branches begin, as shares of the run.
const FORKS: [f64; 3] = [0.0, 0.3, 0.6];

/// How long a branch is, as a share of the run.
const LENGTH: f64 = 0.3;

/// The training loss is measured on no more rows than about these.
const MOST_ROWS: usize = 4096;

/// What was found out about a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diagnosis {
    /// What its learning rate was.
    pub verdict: RateVerdict,
    /// Why, in numbers.
    pub evidence: String,
    /// What to try, if the rate was not good: the best of those that were tried, or to have the rate found if
    /// none below one that is very high is known to do better. None if no whole run that was tried does
    /// better.
    pub suggestion: Option<Suggestion>,
    /// What whole runs with other rates came to, if the rate was not good.
    pub tried: Vec<Tried>,
    /// What else there is to say.
    pub findings: Vec<Finding>,
    /// The mean training loss of the first guess, which knows nothing.
    pub baseline: f64,
    /// The mean training loss at the end of the run, on the same rows and in the same way as in the branches.
    /// None if it was no finite number.
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

/// Finds out what was wrong with a run, above all with its learning rate.
///
/// The run is made again in memory. At its start and after 30% and 60% of its steps it is branched off and
/// continued for another 30% of them, at 0.1, 0.3, 1, 3 and 10 times the rate in force: for half of its steps
/// a branch keeps to the schedule times that factor, and then its rate goes down to zero, so that a rate is
/// judged by where it leads and not by how widely it circles there. All losses are means over the same
/// training rows in evaluation mode, and all branches see the same batches, so that differences are the
/// rate's doing. This costs 6.4 runs, on as many threads as there are (one a core unless given); the result
/// is the same bit for bit on any number of them.
///
/// The verdict takes the best of all branches for the best that could have been reached, and judges by it as
/// [`rate_verdicts`](crate::rate_verdicts) judges by the best run, at 0.3 of the distances, as a branch has
/// 30% of the steps: a rate is good if the run misses at most 1.5% of what the best branch gains over the
/// first guess, and its loss is at most 15% above the branch's, or 0.3% of the first guess's where that is
/// nearly nothing. It is low if the best branch has a higher rate, high if it has the same or a lower one,
/// and very high if the run blew up or its loss has grown.
///
/// What is suggested was tried: where the rate was not good, the whole run is made again with the rates of
/// the best branches, up to three runs more. These are rates as they would be given to a new run: the highest
/// of the branch's own schedule, under all that the guard, the plateau or a command had done to it by then.
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
    kept: Option<(&RunFolder, CommandReplay)>,
) -> Result<Diagnosis, Error> {
    let threads = check_threads(threads)?;
    let (mut config, _) = config.resolve(data)?;
    // What is measured on the way changes nothing, and nobody looks at it here.
    config.track = Track::Off;
    settle(&mut config, data, threads, &mut Channels::default())?;
    pool(threads)?.install(|| examine(&config, data, threads > 1, kept))
}

/// The same for a run that is kept, with all that it was told on the way.
///
/// # Errors
///
/// As [`diagnose`], and if the folder is not that of a run or its data cannot be read.
pub fn diagnose_run(folder: &RunFolder, threads: Option<usize>) -> Result<Diagnosis, Error> {
    let config = RunConfig::of_one(folder)?;
    let data = config.load_data(folder)?;
    let (records, _) = log::read(&folder.log_path())?;
    let kept = Some((folder, CommandReplay::of(&records)));
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
    kept: Option<(&RunFolder, CommandReplay)>,
) -> Result<Diagnosis, Error> {
    let mut run = Run::new(config, data, parallel)?;
    let folder = kept.as_ref().map(|(folder, _)| *folder);
    let mut has_commands = false;
    if let Some((folder, commands)) = kept {
        run.restore_start(folder)?;
        has_commands = !commands.is_empty();
        run.channels_mut().replay = commands;
    }
    let (baseline, start) = (run.baseline(), run.state().step);
    let total = run.total_steps() - start;
    let planned = peak(run.schedule(), run.position());
    let at = |share: f64| (share * total as f64) as u64;
    let replay = replay::replay(run, &FORKS.map(|share| start + at(share)))?;
    let peak_rate = if has_commands { replay.peak } else { planned };
    let rows = sample(&data.train, MOST_ROWS)?;
    let length = at(LENGTH).max(1);

    let mut last = Run::new(config, data, false)?;
    let end = match &replay.end {
        Some(state) => {
            last.go_to(state);
            Some(loss_of(&mut last, &rows)?).filter(|loss| loss.is_finite())
        }
        None => None,
    };
    let forks = branches::branch(config, data, &replay.starts, &rows, length)?;
    let mut steps = replay.steps;
    for fork in &forks {
        steps += (FACTORS.len() as u64 + 1) * fork.steps;
    }
    let came = Came { baseline, end, blow_up: replay.blow_up, peak_rate };
    let judged = judge::judge(&came, &forks);

    let epochs = replay.end.as_ref().and_then(|end| end.progress.epochs);
    let changes = changes(&judged, config, planned);
    let trials = advice::try_all(changes, (config, data), folder, &rows, start + at(FORKS[1]), epochs)?;
    steps += trials.iter().map(|trial| trial.replay.steps).sum::<u64>();
    let better = judge::better(&came, judged.verdict, &trials);
    let suggestion = match better {
        Some(trial) => Some(trial.tried.suggestion.clone()),
        None => came.is_lost(judged.verdict).then(|| Setting::Lr.at("auto")),
    };
    let mut look = findings::Look {
        config,
        run: &mut last,
        rows: sample(&rows, findings::TRACED_ROWS)?,
        verdict: judged.verdict,
        suggestion: suggestion.as_ref(),
    };
    let findings = look.findings(&came, &replay, &forks, better.map(|trial| &trial.replay))?;
    Ok(Diagnosis {
        verdict: judged.verdict,
        evidence: judged.evidence,
        suggestion,
        tried: trials.iter().map(|trial| trial.tried.clone()).collect(),
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

/// The mean loss over some rows in evaluation mode, with the weights that would be measured.
fn loss_of(run: &mut Run<'_>, rows: &Examples) -> Result<f64, Error> {
    Ok(run.engine_mut().losses_of_groups(rows, 1)?[0])
}

/// What to try in a run, the highest rate of whose schedule is `peak`.
fn changes(judged: &Judged, config: &Config, peak: f64) -> Vec<Change> {
    let own = config.lr.as_ref().expect("resolved");
    let mut changes: Vec<Change> = judged.rates.iter().map(|&rate| Change::rate(own, peak, rate)).collect();
    match judged.besides {
        Besides::Decay if matches!(own, Schedule::Constant(_)) => changes.push(Change::decay(peak)),
        Besides::NoCuts if config.plateau != Plateau::Off => changes.push(Change::no_plateau(own, peak)),
        Besides::Decay | Besides::NoCuts | Besides::Nothing => {}
    }
    changes
}
