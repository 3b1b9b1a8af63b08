//! The engine of a run: a network, its optimizer and its rows.
//!
//! It computes the gradient of a step's rows, applies a rate to it and measures the validation rows; its
//! state can be taken and put back. It knows the order of the rows, and nothing of epochs that end, of
//! policies, files or commands.

mod evaluation;
mod initial;
mod losses;
mod rows;
mod trace;

use downhill_data::{Dataset, Examples};
use downhill_nn::{Batch, Loss, Model, Workspace};
use downhill_optim::{Accumulator, Optimizer, State};

use crate::batches::Batches;
use crate::momentum::check_momentum_at;
use crate::{Config, Error, Metrics, Sharpness, stability_limit};

use evaluation::EvaluationWeights;
pub(crate) use losses::{constant_loss, first_guess, measure, measure_outputs, targets};
use rows::RowOrder;
pub(crate) use trace::traced;

/// The part of a run that computes.
pub struct Engine<'a> {
    data: &'a Dataset,
    loss: Loss,
    seed: u64,
    accumulate: u64,
    batches: Batches,
    order: RowOrder,
    model: Model<f32>,
    optimizer: Optimizer<f32>,
    /// How many steps the optimizer's state has seen; fewer than were made once a cut has gone back.
    updates: u64,
    workspace: Workspace<f32>,
    /// The sum of the gradients of a step's batches, if it has several.
    sum: Option<Accumulator<f32>>,
    evaluation: EvaluationWeights,
    /// The outputs on the validation rows, as they were measured last.
    outputs: Vec<f32>,
}

/// Everything that an engine's next step is a function of.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineState {
    pub(crate) training: Training,
    /// The running statistics of batch normalisation.
    pub(crate) statistics: Vec<f32>,
}

/// The weights that train, and what the optimizer remembers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Training {
    pub params: Vec<f32>,
    pub state: State<f32>,
    /// How many steps the state has seen.
    pub updates: u64,
}

impl<'a> Engine<'a> {
    /// An engine before its first step, with notes on how its weights begin. `config` must be resolved, and
    /// the steps of its batches are shared among the threads of the rayon pool it is used in if `parallel`.
    ///
    /// # Errors
    ///
    /// If the settings do not go with the data, or a batch would take more memory than can be meant.
    pub fn new(config: &Config, data: &'a Dataset, parallel: bool) -> Result<(Self, Vec<String>), Error> {
        let unresolved = || Error::Mismatch("the configuration is not resolved".into());
        let batch = config.batch.ok_or_else(unresolved)?;
        let loss = config.weighted_loss(data).ok_or_else(unresolved)?;
        let batches = Batches::new(config, batch, data.train.rows())?;
        let layers = config.network.layers(losses::outputs(&loss, data), &loss, &data.train);
        initial::check_size(&layers, data.features(), batch)?;
        let mut model = Model::build(&layers, data.features(), config.seed)?;
        let notes = initial::calibrate(&mut model, data, config.seed, batch)?;
        let mut optimizer =
            Optimizer::new(config.optimizer.clone(), config.regularization, model.layout(), parallel)?
                .groups(&config.groups)?
                .lookahead(config.lookahead)?;
        if let Some(decay) = config.average() {
            optimizer = optimizer.averaged(decay)?;
        }
        let engine = Self {
            loss,
            seed: config.seed,
            accumulate: config.accumulate as u64,
            batches,
            order: RowOrder::new(data.train.rows(), config.seed),
            workspace: Workspace::new(&model, batch, parallel),
            sum: (config.accumulate > 1).then(|| Accumulator::new(model.params().len())),
            evaluation: EvaluationWeights::new(&model, &optimizer, &data.train),
            outputs: vec![0.0; data.valid.rows() * model.outputs()],
            updates: 0,
            model,
            optimizer,
            data,
        };
        Ok((engine, notes))
    }

    /// How many steps it takes to see every row once.
    pub fn steps_per_epoch(&self) -> u64 {
        self.batches.steps_per_epoch() as u64
    }

    /// The number of rows of a step, counted from 0 over the whole run.
    pub fn rows_of(&self, step: u64) -> u64 {
        self.batches.step(self.index(step)).len() as u64
    }

    /// Which one of its epoch's steps a step is.
    fn index(&self, step: u64) -> usize {
        (step % self.steps_per_epoch()) as usize
    }

    /// Puts the rows in the order of the epoch of a step, if they are not. [`gradients`](Self::gradients)
    /// does it too: this is for those who time it.
    pub fn order_rows(&mut self, step: u64) {
        self.order.of_epoch(step / self.steps_per_epoch());
    }

    /// Computes the gradient of the mean loss over the rows of a step, and returns that mean. Allocates
    /// nothing.
    ///
    /// # Errors
    ///
    /// If a row cannot be computed with, as where a label is no class.
    pub fn gradients(&mut self, step: u64) -> Result<f64, Error> {
        self.order_rows(step);
        let index = self.index(step);
        let Self { data, loss, seed, model, workspace, batches, accumulate, .. } = self;
        let rows = &self.order.rows()[batches.step(index)];
        let (x, targets, weights) = (&data.train.x, targets(&data.train.y), data.train.weights.as_deref());
        let Some(sum) = &mut self.sum else {
            let batch = Batch { x, targets, rows };
            return Ok(workspace.weighted_gradients(model, &batch, weights, loss, *seed, step)?);
        };
        sum.clear();
        let outputs = model.outputs();
        let weigh = |rows: &[u32]| match weights {
            Some(weights) => loss.weighted_batch_weight(outputs, targets, rows, weights),
            None => loss.batch_weight(outputs, targets, rows),
        };
        let whole = weigh(rows);
        let mut mean = 0.0;
        for (part, rows) in batches.of_step(index).enumerate() {
            let rows = &self.order.rows()[rows];
            // Dropout draws anew for every batch.
            let draw = step * *accumulate + part as u64;
            let batch = Batch { x, targets, rows };
            let part_mean = workspace.weighted_gradients(model, &batch, weights, loss, *seed, draw)?;
            let weight = weigh(rows) / if whole > 0.0 { whole } else { 1.0 };
            sum.add(workspace.gradient(), weight);
            mean += weight * part_mean;
        }
        Ok(mean)
    }

    /// The gradient that was computed last.
    pub fn gradient(&self) -> &[f32] {
        self.sum.as_ref().map_or(self.workspace.gradient(), Accumulator::gradient)
    }

    /// Moves the weights by the gradient that was computed last, at this rate. Allocates nothing.
    pub fn apply(&mut self, lr: f64) {
        let gradient = self.sum.as_ref().map_or(self.workspace.gradient(), Accumulator::gradient);
        self.optimizer.step(self.updates, lr, self.model.params_mut(), gradient);
        self.updates += 1;
    }

    /// Sets the momentum of the steps to come; `step` is the next one, for the error.
    ///
    /// # Errors
    ///
    /// If it is not in [0, 1).
    pub fn set_momentum(&mut self, momentum: f64, step: u64) -> Result<(), Error> {
        check_momentum_at(momentum, step)?;
        self.optimizer.set_momentum(momentum);
        Ok(())
    }

    /// Takes a copy of the state.
    pub fn snapshot(&self) -> EngineState {
        EngineState { training: self.training(), statistics: self.model.statistics().to_vec() }
    }

    /// Takes a copy of the state into one that there is, without allocating.
    pub fn snapshot_into(&self, state: &mut EngineState) {
        self.training_into(&mut state.training);
        state.statistics.copy_from_slice(self.model.statistics());
    }

    /// Goes to a state of an engine of the same network and optimizer.
    pub fn restore(&mut self, state: &EngineState) {
        self.restore_training(&state.training);
        self.model.statistics_mut().copy_from_slice(&state.statistics);
    }

    pub(crate) fn training(&self) -> Training {
        let (params, state) = (self.model.params().to_vec(), self.optimizer.state().clone());
        Training { params, state, updates: self.updates }
    }

    pub(crate) fn training_into(&self, training: &mut Training) {
        training.updates = self.updates;
        training.params.copy_from_slice(self.model.params());
        training.state.clone_from(self.optimizer.state());
    }

    pub(crate) fn restore_training(&mut self, training: &Training) {
        self.updates = training.updates;
        self.model.params_mut().copy_from_slice(&training.params);
        self.optimizer.state_mut().clone_from(&training.state);
    }

    /// Measures the validation rows with the weights that are in place: the mean loss and the metrics.
    pub(crate) fn measure_validation(&mut self) -> Result<(f64, Metrics), Error> {
        let (valid, encoder) = (&self.data.valid, self.data.encoder.as_ref());
        measure(&mut self.workspace, &self.model, &mut self.outputs, valid, &self.loss, encoder, false)
    }

    /// The mean losses of so many groups of neighbouring rows, or of each row if they are fewer, in
    /// evaluation mode, with the weights that would be measured.
    pub(crate) fn losses_of_groups(&mut self, rows: &Examples, groups: usize) -> Result<Vec<f64>, Error> {
        let mut outputs = vec![0.0; rows.rows() * self.model.outputs()];
        self.with_evaluation_weights(|engine| {
            Ok(engine.workspace.predict(&engine.model, &rows.x, &mut outputs)?)
        })?;
        losses::of_groups(&self.loss, rows, &outputs, groups)
    }

    /// The loss of the untrained network on the rows of a step.
    pub(crate) fn first_guess_of(&mut self, step: u64) -> Result<f64, Error> {
        self.order_rows(step);
        let rows = &self.order.rows()[self.batches.step(self.index(step))];
        losses::first_guess_on(&self.loss, self.data, self.model.outputs(), rows)
    }

    /// The sharpness of the training loss on `rows` rows, and the stability limit of the optimizer as it
    /// stands.
    pub(crate) fn sharpness(&self, rows: usize) -> Result<Sharpness, Error> {
        let Self { model, optimizer, data, loss, .. } = self;
        stability_limit(model, optimizer, self.updates, data, loss, rows, self.seed)
    }

    /// Begins with what another engine's optimizer remembers, if it is of the same kind.
    pub(crate) fn take_memory_of(&mut self, other: &Self) {
        self.optimizer.state_mut().clone_from(other.optimizer.state());
        self.updates = other.updates;
    }

    pub(crate) fn data(&self) -> &'a Dataset {
        self.data
    }

    pub(crate) fn loss(&self) -> &Loss {
        &self.loss
    }

    pub(crate) fn batches(&self) -> Batches {
        self.batches
    }

    /// The network, with the weights that train.
    pub fn model(&self) -> &Model<f32> {
        &self.model
    }

    pub(crate) fn model_mut(&mut self) -> &mut Model<f32> {
        &mut self.model
    }

    pub(crate) fn optimizer(&self) -> &Optimizer<f32> {
        &self.optimizer
    }

    /// How many steps the optimizer's state has seen.
    pub(crate) fn updates(&self) -> u64 {
        self.updates
    }

    /// What a checkpoint is read into.
    pub(crate) fn parts_mut(&mut self) -> (&mut Model<f32>, &mut Optimizer<f32>, &mut u64) {
        (&mut self.model, &mut self.optimizer, &mut self.updates)
    }

    /// Swaps the outputs on the validation rows with room of the same size.
    pub(crate) fn swap_outputs(&mut self, room: &mut Option<Vec<f32>>) {
        let room = room.get_or_insert_with(|| vec![0.0; self.outputs.len()]);
        std::mem::swap(room, &mut self.outputs);
    }

    /// What is left of it at the end of a run.
    pub(crate) fn into_model_and_loss(self) -> (Model<f32>, Loss) {
        (self.model, self.loss)
    }
}
