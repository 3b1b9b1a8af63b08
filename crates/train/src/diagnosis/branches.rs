//! Continuing a run at other rates from where it was.

use downhill_data::{Dataset, Examples};
use rayon::prelude::*;
use serde::Serialize;

use crate::checkpoint::Snapshot;
use crate::session::Session;
use crate::session::fork::Course;
use crate::{Config, Error};

/// The rates that are tried, as multiples of the one in force.
pub(super) const FACTORS: [f64; 5] = [0.1, 0.3, 1.0, 3.0, 10.0];

/// A point from which a run was continued at other rates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fork {
    /// The steps made before it.
    pub step: u64,
    /// The rate of the next step.
    pub lr: f64,
    /// The highest rate of the schedule in force, under all cuts and commands before: what `lr` is in a new run whose rates
    /// are those that a factor of 1 has here.
    pub peak_rate: f64,
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

/// Goes on from each state, at each rate.
pub(super) fn branch(
    config: &Config,
    data: &Dataset,
    starts: &[Snapshot],
    rows: &Examples,
    length: u64,
) -> Result<Vec<Fork>, Error> {
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
            peak_rate: session.peak_in_force(),
            loss: Some(session.loss_of(rows)?).filter(|loss| loss.is_finite()),
            steps: length.min(session.total_steps() - start.progress.step),
            branches: branches.collect(),
            held: losses[FACTORS.len()],
        });
    }
    Ok(forks)
}
