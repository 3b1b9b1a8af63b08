//! Branching off: going on from a state that was kept, at other rates.

use downhill_data::Examples;
use downhill_nn::{Batch, Loss, Model, Targets, Trace, Workspace};
use downhill_schedule::{Position, Schedule};

use super::{Outside, Session, targets};
use crate::checkpoint::Snapshot;
use crate::finder::peak;
use crate::layers::Norms;
use crate::{Error, RateChange};

/// How the rate of a branch moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// As the schedule says.
    Held,
    /// As the schedule says for half of its steps, and then down to zero in a straight line: what circles comes to rest,
    /// so that branches are told apart by where they have come to, not by how widely they circle there.
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
}

impl Session<'_> {
    /// Keeps the state as it is now.
    pub(super) fn keep(&self, outside: &mut Outside) {
        let snapshot = Snapshot::of(&self.progress, &self.model, &self.optimizer);
        outside.kept.retain(|kept| kept.progress.step < self.progress.step);
        outside.kept.push(snapshot);
    }

    /// The rate of the next step.
    pub fn rate_in_force(&self) -> f64 {
        self.rate()
    }

    /// The highest rate of the schedule in force, under all that was done to it so far.
    pub fn peak_in_force(&self) -> f64 {
        let steering = &self.progress.steering;
        let (schedule, place) = steering.in_force(self.lr, self.position());
        steering.scale * peak(schedule, Position { step: 0, ..place })
    }

    pub fn schedule(&self) -> &Schedule {
        self.lr
    }

    /// Follows another schedule from here on, for so many epochs if the run was told how many: as the run would if it were
    /// started with that one.
    pub fn follow(&mut self, schedule: &Schedule, epochs: Option<u64>) {
        let position = self.position();
        self.progress.steering.change(&RateChange::Follow(schedule.clone()), position);
        self.progress.epochs = epochs;
    }

    /// Goes to a state that was kept by a run of the same configuration and data.
    pub fn go_back(&mut self, to: &Snapshot) {
        self.progress = to.progress.clone();
        to.training.put(&mut self.model, &mut self.optimizer);
        self.model.statistics_mut().copy_from_slice(&to.statistics);
    }

    /// Goes on from a state for so many steps, or up to the end of the run, at so many times the rate; false if the loss
    /// stops being a finite number. Nothing is cut or rolled back.
    pub fn go_on(&mut self, from: &Snapshot, times: f64, steps: u64, course: Course) -> Result<bool, Error> {
        self.go_back(from);
        let scale = self.progress.steering.scale;
        let mut nobody = Outside::default();
        for step in 0..steps {
            if self.progress.step >= self.total_steps() {
                break;
            }
            self.shuffle();
            self.progress.steering.scale = scale * times * course.factor(step as f64 / steps as f64);
            if !self.make_step(&mut nobody)?.1.is_finite() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The mean loss over some rows in evaluation mode, with the weights that would be measured.
    pub fn loss_of(&mut self, rows: &Examples) -> Result<f64, Error> {
        Ok(self.losses_of_groups(rows, 1)?[0])
    }

    /// The mean losses of so many groups of neighbouring rows, or of each row if they are fewer, in evaluation mode, with
    /// the weights that would be measured.
    pub fn losses_of_groups(&mut self, rows: &Examples, groups: usize) -> Result<Vec<f64>, Error> {
        self.show_evaluation()?;
        let mut outputs = vec![0.0; rows.rows() * self.model.outputs()];
        let predicted = self.workspace.predict(&self.model, &rows.x, &mut outputs);
        self.hide_evaluation();
        predicted?;
        let (count, width) = (rows.rows(), self.model.outputs());
        let groups = groups.min(count);
        let mean = |group: usize| -> Result<f64, Error> {
            let (first, last) = (count * group / groups, count * (group + 1) / groups);
            let targets = match targets(&rows.y) {
                Targets::Classes(labels) => Targets::Classes(&labels[first..last]),
                Targets::Values(values) => Targets::Values(&values[first * width..last * width]),
            };
            Ok(self.loss.mean(&outputs[first * width..last * width], targets)?)
        };
        (0..groups).map(mean).collect()
    }

    /// What the hidden layers do with these rows: their outputs, and the gradient of the mean loss.
    pub fn trace(&mut self, rows: &Examples) -> Result<Vec<Trace<f64>>, Error> {
        let all: Vec<u32> = (0..rows.rows() as u32).collect();
        let batch = Batch { x: &rows.x, targets: targets(&rows.y), rows: &all };
        let traces = traced(&self.model, &batch, &self.loss, self.config.seed, self.progress.step)?;
        let wide = |values: &[f32]| values.iter().copied().map(f64::from).collect();
        let traces = traces.into_iter().map(|trace| Trace {
            position: trace.position,
            units: trace.units,
            activation: trace.activation,
            outputs: wide(&trace.outputs),
            slopes: wide(&trace.slopes),
            gradient: wide(&trace.gradient),
        });
        Ok(traces.collect())
    }

    /// Makes the next step of the run and returns, for each weight tensor, its name and how far the step moved it against
    /// how large it is: ‖Δw‖/‖w‖.
    pub fn movements(&mut self) -> Result<Vec<(String, f64)>, Error> {
        let before = self.model.params().to_vec();
        self.shuffle();
        self.make_step(&mut Outside::default())?;
        let norms = Norms::of(self.model.layout(), &before, self.model.params(), self.gradient());
        Ok(norms.into_iter().map(|norms| (norms.name, norms.update / norms.weights)).collect())
    }
}

/// What the layers with an activation do in a step on a batch: their outputs, and the gradient of the mean loss. As in
/// training, dropout draws, by `seed` and `step`, and batch normalisation takes the moments of the batch.
pub(super) fn traced(
    model: &Model<f32>,
    batch: &Batch<'_, f32>,
    loss: &Loss,
    seed: u64,
    step: u64,
) -> Result<Vec<Trace<f32>>, Error> {
    let mut workspace = Workspace::new(model, batch.rows.len(), false).tracing();
    let mut model = model.clone();
    workspace.gradients(&mut model, batch, loss, seed, step)?;
    Ok(workspace.trace(&model)?.into_iter().filter(|trace| trace.activation.is_some()).collect())
}
