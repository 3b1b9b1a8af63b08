//! Continuing a run at other rates from where it was.

use downhill_data::{Dataset, Examples};
use rayon::prelude::*;
use serde::Serialize;

use super::loss_of;
use crate::run::{Run, TrainingState};
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
    /// The highest rate of the schedule in force, under all cuts and commands before: what `lr` is in a new
    /// run whose rates are those that a factor of 1 has here.
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

/// How the rate of a branch moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Course {
    /// As the schedule says.
    Held,
    /// As the schedule says for half of its steps, and then down to zero in a straight line: what circles
    /// comes to rest, so that branches are told apart by where they have come to, not by how widely they
    /// circle there.
    Settled,
}

impl Course {
    /// What the rate of a step is multiplied by, `done` being the share of the branch's steps before it.
    fn factor(self, done: f64) -> f64 {
        match self {
            Self::Held => 1.0,
            Self::Settled => (2.0 * (1.0 - done)).min(1.0),
        }
    }

    /// Goes on with a run for so many steps, or up to its end, at so many times the rate; false if the loss
    /// stops being a finite number. Nothing is cut or rolled back.
    fn go_on(self, run: &mut Run<'_>, times: f64, steps: u64) -> Result<bool, Error> {
        let scale = run.state().steering.scale;
        for step in 0..steps {
            if run.state().step >= run.total_steps() {
                break;
            }
            run.steering_mut().scale = scale * times * self.factor(step as f64 / steps as f64);
            if !run.step_at(run.scheduled())?.loss.is_finite() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Goes on from each state, at each rate.
pub(super) fn branch(
    config: &Config,
    data: &Dataset,
    starts: &[TrainingState],
    rows: &Examples,
    length: u64,
) -> Result<Vec<Fork>, Error> {
    let courses = FACTORS.map(|factor| (factor, Course::Settled)).into_iter().chain([(1.0, Course::Held)]);
    let courses: Vec<_> = courses.collect();
    let jobs: Vec<_> =
        starts.iter().flat_map(|start| courses.iter().map(move |course| (start, *course))).collect();
    let lead = |(start, (factor, course)): (&TrainingState, (f64, Course))| -> Result<Option<f64>, Error> {
        let mut run = Run::new(config, data, false)?;
        run.go_to(start);
        if !course.go_on(&mut run, factor, length)? {
            return Ok(None);
        }
        Ok(Some(loss_of(&mut run, rows)?).filter(|loss| loss.is_finite()))
    };
    let losses = jobs.into_par_iter().with_max_len(1).map(lead).collect::<Result<Vec<_>, Error>>()?;
    let mut run = Run::new(config, data, false)?;
    let mut forks = Vec::new();
    for (start, losses) in starts.iter().zip(losses.chunks(courses.len())) {
        run.go_to(start);
        let branches = FACTORS.iter().zip(losses).map(|(&factor, &loss)| Branch { factor, loss });
        forks.push(Fork {
            step: start.progress.step,
            lr: run.rate(),
            peak_rate: run.peak_in_force(),
            loss: Some(loss_of(&mut run, rows)?).filter(|loss| loss.is_finite()),
            steps: length.min(run.total_steps() - start.progress.step),
            branches: branches.collect(),
            held: losses[FACTORS.len()],
        });
    }
    Ok(forks)
}
