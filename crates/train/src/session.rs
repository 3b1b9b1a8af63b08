//! The training loop.

mod adopt;
pub(crate) mod fork;
mod observe;
mod told;

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::mpsc::Receiver;
#[cfg(unix)]
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use downhill_core::spec;
use downhill_data::{Dataset, Encoder, Targets, permutation};
use downhill_nn::{Batch, Calibration, LayerSpec, Loss, Model, Workspace};
use downhill_optim::{Accumulator, Optimizer};
use downhill_schedule::{Position, Schedule};

use crate::batches::Batches;
use crate::checkpoint::{
    self, Best, Description, Loaded, Origin, Progress, Snapshot, Training, Weights, Whole,
};
#[cfg(unix)]
use crate::control::Control;
#[cfg(unix)]
use crate::error::reason;
use crate::guard;
use crate::log::Log;
use crate::predictor::weights_sha256;
use crate::script::Script;
use crate::session::observe::Observer;
use crate::source::fingerprint;
use crate::{
    Cause, Command, Config, Epoch, Error, Event, Guard, Keep, Metrics, Monitor, Plateau, RunFolder,
    Sharpness, Stop, stability_limit,
};

/// What looks at a run: called with every event, on the thread that trains.
pub type View = Box<dyn FnMut(&Event) + Send>;

/// What a run tells and is told, and where it is kept.
#[derive(Default)]
pub(crate) struct Outside {
    pub views: Vec<View>,
    pub inbox: Option<Receiver<Command>>,
    /// Commands that came, and are still to be obeyed.
    pub waiting: VecDeque<Command>,
    /// What the run was told before, by its log.
    pub script: Script,
    /// The number of steps made, those gone back over included, at which to stop before anything is obeyed there.
    pub until: Option<u64>,
    pub folder: Option<(RunFolder, Log)>,
    /// How old the last checkpoint is at least when an epoch ends with another.
    pub checkpoint_every: Option<Duration>,
    /// After how many epochs, again and again, there is a checkpoint that stays.
    pub keep_every: Option<u64>,
    /// The steps in front of which the whole state is kept in memory, to branch off there.
    pub keep: Vec<u64>,
    /// What was kept, by step; if the run went back, as it was the last time. The last is the state at the end.
    pub kept: Vec<Snapshot>,
}

/// What is done again after a crash, at most, beside an epoch; a checkpoint costs milliseconds, which is as long as
/// many epochs of a small network.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(1);
/// The least age of a checkpoint against the time that it takes to write one, so that those of a large network do not cost
/// more than half a percent.
const CHECKPOINT_REST: u32 = 200;

impl Outside {
    /// Lets other processes steer and watch the run, if it is kept; if that cannot be, why.
    #[cfg(unix)]
    pub fn open_control(&mut self, commands: Sender<Command>) -> Result<Option<Control>, String> {
        let Some((folder, log)) = &self.folder else { return Ok(None) };
        let (control, view) =
            Control::open(&folder.control_path(), log.lines(), commands).map_err(|error| {
                format!(
                    "the run cannot be steered from elsewhere: its control.sock cannot be made: {}",
                    reason(&error)
                )
            })?;
        self.views.push(view);
        Ok(Some(control))
    }

    /// Tells the views alone.
    pub fn show(&mut self, event: &Event) {
        self.views.iter_mut().for_each(|view| view(event));
    }

    /// Tells everybody, the log first.
    pub fn tell(&mut self, event: &Event) -> Result<(), Error> {
        if let Some((_, log)) = &mut self.folder {
            log.append(event)?;
        }
        self.show(event);
        Ok(())
    }

    /// The next command, if there is one.
    fn command(&mut self) -> Option<Command> {
        self.waiting.pop_front().or_else(|| self.inbox.as_ref()?.try_recv().ok())
    }

    /// The next command, waiting for one; none if there will not be one any more.
    fn wait(&mut self) -> Option<Command> {
        self.waiting.pop_front().or_else(|| self.inbox.as_ref()?.recv().ok())
    }

    /// Whether the run was told to stop; other commands wait.
    pub fn told_to_stop(&mut self) -> bool {
        self.waiting.extend(self.inbox.iter().flat_map(Receiver::try_iter));
        self.waiting.contains(&Command::Stop)
    }
}

/// A run under way: a function of its configuration, its data and how many steps have been made.
pub(crate) struct Session<'a> {
    config: &'a Config,
    data: &'a Dataset,
    /// Worked out when the first checkpoint asks: a run that is not kept needs no hash of its data.
    origin: OnceCell<Origin>,
    loss: Loss,
    lr: &'a Schedule,
    steps_per_epoch: u64,
    batches: Batches,
    model: Model<f32>,
    optimizer: Optimizer<f32>,
    workspace: Workspace<f32>,
    /// The gradients of a step's batches, if it has several.
    sum: Option<Accumulator<f32>>,
    /// Room for the weights to measure, if they are others than those that train, and for the running statistics of those
    /// that train meanwhile.
    shown: Vec<f32>,
    shown_statistics: Vec<f32>,
    /// The rows that the statistics of the weights to measure are taken from; none if there is nothing to take.
    statistics_rows: Vec<f32>,
    /// The order of the rows in the epoch under way, and which epoch that is.
    order: Vec<u32>,
    shuffled: Option<u64>,
    outputs: Vec<f32>,
    progress: Progress,
    best: Option<Weights>,
    /// The outputs of the best epoch on the validation rows, if it is one of those made since the run began or went on.
    best_outputs: Option<Vec<f32>>,
    /// The steps that were made when it began: those of another run, if it is a branch.
    began_at: u64,
    /// Where the run was still well.
    back: Option<Snapshot>,
    /// When the last checkpoint was written, or the run began, how long that took, and whether there has been an epoch since.
    saved: Instant,
    saving: Duration,
    unsaved: bool,
    /// The mean loss of the first guess, which knows nothing.
    baseline: f64,
    /// What the best prediction that is the same for every row costs, over the training and over the validation rows.
    constant: [f64; 2],
    last: Option<Epoch>,
    notes: Vec<String>,
}

/// What a run came to.
pub(crate) struct Outcome {
    pub model: Model<f32>,
    pub loss: Loss,
    /// The epoch that the weights are of; none if they are of the middle of one.
    pub epoch: Option<Epoch>,
    /// What the weights make of the validation rows, if that is at hand.
    pub outputs: Option<Vec<f32>>,
    pub stop: Stop,
    pub epochs: u64,
    pub seconds: f64,
    /// Over the epochs that have ended; none if not even one has.
    pub rows_per_second: Option<f64>,
}

pub(crate) fn targets(targets: &Targets) -> downhill_nn::Targets<'_, f32> {
    match targets {
        Targets::Classes { labels, .. } => downhill_nn::Targets::Classes(labels),
        Targets::Values(values) => downhill_nn::Targets::Values(values),
    }
}

/// The loss and the metrics of a model on encoded rows; a target that `encoder` standardised is measured in its own unit.
pub(crate) fn measure(
    workspace: &mut Workspace<f32>,
    model: &Model<f32>,
    outputs: &mut [f32],
    rows: &downhill_data::Examples,
    loss: &Loss,
    encoder: Option<&Encoder>,
    whole: bool,
) -> Result<(f64, Metrics), Error> {
    let scale = encoder.map_or(1.0, |encoder| encoder.target_scale().1);
    workspace.predict(model, &rows.x, outputs)?;
    let mean = loss.mean(outputs, targets(&rows.y))?;
    let mut metrics = Metrics::of(outputs, model.outputs(), targets(&rows.y), scale, whole)?;
    metrics.name_classes(encoder.map_or(&[][..], Encoder::classes));
    Ok((mean, metrics))
}

/// More values than this in the layers' outputs of one batch are taken for a mistake.
const MOST_ACTIVATIONS: u128 = 1 << 30;

/// Fails if a batch would take more memory than can be meant, which ends a program without a word.
fn check_size(layers: &[LayerSpec], batch: usize) -> Result<(), Error> {
    let units = |layer: &LayerSpec| if let LayerSpec::Dense(dense) = layer { dense.units as u128 } else { 0 };
    let units: u128 = layers.iter().map(units).sum();
    // Rows are measured in blocks, however small the batch is.
    if units * batch.max(128) as u128 > MOST_ACTIVATIONS {
        return Err(Error::Mismatch(format!(
            "a network of {units} units takes too much memory at {batch} rows a step; make its layers (--hidden) or \
             the batch smaller"
        )));
    }
    Ok(())
}

/// The momentum that is asked for at a position, if it is not just the rule's own: by its schedule, or by that of the rate,
/// which may count its steps from another one.
pub(crate) fn momentum(config: &Config, position: Position, rate: (&Schedule, Position)) -> Option<f64> {
    match &config.momentum {
        Some(schedule) => Some(schedule.at(position)),
        None => rate.0.momentum(rate.1),
    }
}

/// Fails if a momentum schedule leaves [0, 1), or goes with a rule that has none that could move.
fn check_momentum(config: &Config, steps_per_epoch: u64, total_steps: u64) -> Result<(), Error> {
    let Some(schedule) = &config.momentum else { return Ok(()) };
    let mut rule = config.optimizer.clone();
    if rule.momentum_mut().is_none() {
        let name = spec::name(&rule);
        let instead =
            if name == "rmsprop" { "give it one, as in rmsprop(momentum=0.9)" } else { "leave it out" };
        return Err(Error::Mismatch(format!(
            "{name} has no momentum that could follow a schedule; {instead}"
        )));
    }
    // Of a very long run, not every step: the steps look again.
    let stride = (total_steps / 100_000).max(1) as usize;
    for step in (0..total_steps).step_by(stride) {
        let momentum = schedule.at(Position { step, steps_per_epoch, total_steps });
        check_momentum_at(momentum, step)?;
    }
    Ok(())
}

fn check_momentum_at(momentum: f64, step: u64) -> Result<(), Error> {
    if (0.0..1.0).contains(&momentum) {
        return Ok(());
    }
    Err(Error::Mismatch(format!(
        "the momentum is {momentum:.3e} at step {step} of its schedule; it must be at least 0 and below 1 all the way"
    )))
}

/// The gradient of the last step.
fn last_gradient<'a>(sum: &'a Option<Accumulator<f32>>, workspace: &'a Workspace<f32>) -> &'a [f32] {
    sum.as_ref().map_or(workspace.gradient(), Accumulator::gradient)
}

/// The figure of an epoch that something watches.
fn watched(monitor: Monitor, loss: f64, metrics: &Metrics) -> Result<f64, Error> {
    monitor
        .of(loss, metrics)
        .ok_or_else(|| Error::Mismatch(format!("`{}` cannot be watched: it is not a number", monitor.name())))
}

/// Lets initialisers that look at data see the first rows that training will: as many as a batch has, or a block of
/// prediction, which is room that a run needs anyway. Returns notes on layers that it was in vain for.
fn calibrate(model: &mut Model<f32>, data: &Dataset, seed: u64, batch: usize) -> Result<Vec<String>, Error> {
    if !model.needs_calibration() {
        return Ok(Vec::new());
    }
    let mut order = vec![0; data.train.rows()];
    permutation(&mut order, seed, 0);
    order.truncate(batch.max(128));
    let features = data.features();
    let row = |&row: &u32| &data.train.x[row as usize * features..][..features];
    let x = order.iter().flat_map(row).copied().collect::<Vec<f32>>();
    let calibrations = model.calibrate(&x)?;
    let missed = calibrations.iter().filter(|calibration| !calibration.reached);
    let note = |calibration: &Calibration| {
        format!(
            "lsuv could not bring layer {} to variance 1 on the first {} rows: its outputs have variance {:.3e}",
            calibration.position,
            order.len(),
            calibration.variance
        )
    };
    Ok(missed.map(note).collect())
}

/// The statistics of batch normalisation are taken anew from about so many rows at most: their error is then a few
/// percent of a standard deviation.
const STATISTICS_ROWS: usize = 1024;

/// The inputs of no more rows than these, evenly over all.
fn spread_rows(rows: &downhill_data::Examples) -> Vec<f32> {
    let stride = rows.rows().div_ceil(STATISTICS_ROWS).max(1);
    (0..rows.rows()).step_by(stride).flat_map(|row| rows.row(row)).copied().collect()
}

/// The number of outputs that a loss needs of the network.
fn outputs(loss: &Loss, data: &Dataset) -> usize {
    if matches!(loss, Loss::BinaryCrossEntropy(_)) { 1 } else { data.outputs() }
}

/// The mean loss of a network that has learned nothing: its head begins at zero, and so does every output.
pub(crate) fn first_guess(loss: &Loss, data: &Dataset) -> Result<f64, Error> {
    let zeros = vec![0.0; data.train.rows() * outputs(loss, data)];
    Ok(loss.mean(&zeros, targets(&data.train.y))?)
}

/// The mean losses, over the training and over the validation rows, of the best prediction that is the same for every
/// row: the shares of the classes in training, or the mean, which is 0 as targets are standardised.
fn constant_losses(loss: &Loss, data: &Dataset) -> Result<[f64; 2], Error> {
    let output = match &data.train.y {
        Targets::Values(_) => vec![0.0; data.outputs()],
        Targets::Classes { labels, classes } => {
            let weight = |class: usize| match loss {
                Loss::CrossEntropy(loss) => loss.class_weights.get(class).copied().unwrap_or(1.0),
                _ => 1.0,
            };
            // A class without training rows has a little share too.
            let mut shares: Vec<f64> = (0..*classes).map(weight).collect();
            labels.iter().for_each(|&label| shares[label as usize] += weight(label as usize));
            match loss {
                Loss::BinaryCrossEntropy(_) => vec![(shares[1] / shares[0]).ln() as f32],
                _ => shares.iter().map(|share| share.ln() as f32).collect(),
            }
        }
    };
    let mean = |rows: &downhill_data::Examples| loss.mean(&output.repeat(rows.rows()), targets(&rows.y));
    Ok([mean(&data.train)?, mean(&data.valid)?])
}

impl<'a> Session<'a> {
    /// A run before its first step. `config` must be resolved.
    pub fn new(config: &'a Config, data: &'a Dataset, parallel: bool) -> Result<Self, Error> {
        let unresolved = || Error::Mismatch("the configuration is not resolved".into());
        let batch = config.batch.ok_or_else(unresolved)?;
        let loss = config.weighted_loss(data).ok_or_else(unresolved)?;
        let lr = config.lr.as_ref().ok_or_else(unresolved)?;
        let batches = Batches::new(config, batch, data.train.rows())?;
        let steps_per_epoch = batches.steps_per_epoch() as u64;
        let layers = config.network.layers(outputs(&loss, data));
        check_size(&layers, batch)?;
        let mut model = Model::build(&layers, data.features(), config.seed)?;
        let notes = calibrate(&mut model, data, config.seed, batch)?;
        let mut optimizer =
            Optimizer::new(config.optimizer.clone(), config.regularization, model.layout(), parallel)?
                .groups(&config.groups)?
                .lookahead(config.lookahead)?;
        if let Some(decay) = config.average() {
            optimizer = optimizer.averaged(decay)?;
        }
        let workspace = Workspace::new(&model, batch, parallel);
        let total_steps = steps_per_epoch * config.epochs;
        check_momentum(config, steps_per_epoch, total_steps)?;
        let baseline = first_guess(&loss, data)?;
        let constant = constant_losses(&loss, data)?;
        let shown = if optimizer.has_evaluation() { model.params().len() } else { 0 };
        let averages_statistics = optimizer.has_evaluation() && !model.statistics().is_empty();
        let statistics_rows = if averages_statistics { spread_rows(&data.train) } else { Vec::new() };
        Ok(Self {
            origin: OnceCell::new(),
            loss,
            lr,
            steps_per_epoch,
            batches,
            sum: (config.accumulate > 1).then(|| Accumulator::new(model.params().len())),
            shown: vec![0.0; shown],
            shown_statistics: model.statistics().to_vec(),
            statistics_rows,
            order: vec![0; data.train.rows()],
            shuffled: None,
            outputs: vec![0.0; data.valid.rows() * model.outputs()],
            model,
            optimizer,
            workspace,
            progress: Progress::default(),
            best: None,
            best_outputs: None,
            began_at: 0,
            back: None,
            saved: Instant::now(),
            saving: Duration::ZERO,
            unsaved: false,
            baseline,
            constant,
            last: None,
            notes,
            config,
            data,
        })
    }

    /// What a person should know of how the weights begin.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The mean training loss of the first guess, which knows nothing.
    pub fn baseline(&self) -> f64 {
        self.baseline
    }

    /// The number of trained parameters.
    pub fn parameters(&self) -> usize {
        self.model.params().len()
    }

    /// What the run's log begins with; where the run is kept, with the fingerprint of its data.
    pub fn start(&self, is_kept: bool) -> Event {
        Event::Start {
            version: env!("CARGO_PKG_VERSION").into(),
            dataset: self.data.name.clone(),
            features: self.data.features() as u64,
            classes: self.data.classes().map(|classes| classes as u64),
            total_steps: self.total_steps(),
            steps_per_epoch: self.steps_per_epoch,
            train_rows: self.data.train.rows() as u64,
            valid_rows: self.data.valid.rows() as u64,
            parameters: self.parameters() as u64,
            data_fingerprint: is_kept.then(|| self.origin().data.clone()),
        }
    }

    /// What the log of a run that goes on goes on with.
    pub fn resumed(&self) -> Event {
        let Position { step, steps_per_epoch, total_steps } = self.position();
        Event::Resume { step, made: self.progress.made, total_steps, steps_per_epoch }
    }

    /// Shows what the rates to come are.
    pub fn show_plan(&self, outside: &mut Outside) {
        if outside.views.is_empty() {
            return;
        }
        let Position { step, steps_per_epoch, total_steps } = self.position();
        let (schedule, steering) = (self.lr.clone(), self.progress.steering.clone());
        outside.show(&Event::Plan { step, total_steps, steps_per_epoch, schedule, steering });
    }

    /// Goes to the latest checkpoint in a folder that can be read, and returns notes on those that cannot.
    ///
    /// Where there is none yet, the run is at its start.
    pub fn restore(&mut self, folder: &RunFolder) -> Result<Vec<String>, Error> {
        let mut damaged = Vec::new();
        for step in folder.steps()? {
            match self.restore_from(&folder.checkpoint(step)) {
                Ok(()) => {
                    let note = |what| format!("{what}: going back to the one before it");
                    return Ok(damaged.into_iter().map(note).collect());
                }
                Err(Error::Damaged { path, why }) => {
                    damaged.push(format!("the checkpoint {} is damaged ({why})", path.display()));
                }
                Err(error) => return Err(error),
            }
        }
        if damaged.is_empty() {
            self.restore_start(folder)?;
            return Ok(damaged);
        }
        Err(Error::Mismatch(format!(
            "no checkpoint of {run} can be used: {}; train again with --config {run}/run.toml",
            damaged.join("; "),
            run = folder.path().display(),
        )))
    }

    /// Goes to the state in a checkpoint.
    pub fn restore_from(&mut self, checkpoint: &Path) -> Result<(), Error> {
        let loaded = checkpoint::load(checkpoint, &mut self.model, &mut self.optimizer)?;
        self.go_to(loaded)
    }

    /// Goes to the start of a run: for a branch, that is a state of another run.
    pub fn restore_start(&mut self, folder: &RunFolder) -> Result<(), Error> {
        let path = folder.start_path();
        if !path.exists() {
            if folder.config()?.parent.is_some() {
                return Err(Error::Mismatch(format!(
                    "the branch {} was cut off before it began, and has no {}; branch off again",
                    folder.path().display(),
                    path.file_name().unwrap_or_default().to_string_lossy()
                )));
            }
            return Ok(());
        }
        self.restore_from(&path)?;
        self.began_at = self.progress.made;
        Ok(())
    }

    fn go_to(&mut self, loaded: Loaded) -> Result<(), Error> {
        let Loaded { description: Description { progress, last, origin, .. }, best, back } = loaded;
        let changed = |what: &str| {
            Err(Error::Mismatch(format!(
                "the {what} is not what the run was trained with: it has changed since, and the run cannot go on as if \
                 it had not; train again"
            )))
        };
        if origin.data != self.origin().data {
            return changed("data");
        }
        if !self.config.has_fingerprint(&origin.config) {
            return changed("configuration, run.toml,");
        }
        (self.progress, self.last, self.best, self.back) = (progress, last, best, back);
        Ok(())
    }

    fn origin(&self) -> &Origin {
        self.origin.get_or_init(|| Origin { data: fingerprint(self.data), config: self.config.fingerprint() })
    }

    /// Whether no step has been made.
    pub fn is_at_its_start(&self) -> bool {
        self.progress.made == self.began_at
    }

    /// Where the run is, besides its weights.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Writes the state that a branch begins with.
    pub fn save_start(&self, folder: &RunFolder) -> Result<(), Error> {
        checkpoint::save(&folder.start_path(), &self.state())
    }

    /// The length of the run in steps.
    pub fn total_steps(&self) -> u64 {
        self.steps_per_epoch.saturating_mul(self.progress.epochs.unwrap_or(self.config.epochs))
    }

    /// Where in the run it is.
    pub fn position(&self) -> Position {
        Position {
            step: self.progress.step,
            steps_per_epoch: self.steps_per_epoch,
            total_steps: self.total_steps(),
        }
    }

    /// Whether the last step made was the last of its epoch, or none was made.
    fn is_between_epochs(&self) -> bool {
        self.progress.step.is_multiple_of(self.steps_per_epoch)
    }

    /// Why the run is over, if it is.
    fn over(&self) -> Option<Stop> {
        if self.progress.step >= self.total_steps() {
            Some(Stop::Finished)
        } else if self.progress.ended {
            Some(Stop::Ended)
        } else if self.is_between_epochs()
            && self.progress.rollbacks == 0
            && self.config.early_stopping.stops(self.progress.waited)
        {
            Some(Stop::EarlyStopping)
        } else {
            None
        }
    }

    /// Trains until the run is over or asked to stop, saves it, and says what it came to.
    pub fn run(mut self, outside: &mut Outside) -> Result<Outcome, Error> {
        let mut observer = Observer::of(&self, outside);
        if let Some(observer) = observer.as_ref().filter(|_| self.is_at_its_start()) {
            observer.at_the_start(&self, outside)?;
        }
        let stop = self.train_watched(outside, observer.as_mut())?;
        if self.unsaved && !matches!(stop, Stop::Diverged { .. }) {
            self.save(outside)?;
        }
        if !outside.keep.is_empty() {
            self.keep(outside);
        }
        let (step, made) = (self.progress.step, self.progress.made);
        let (data, config) = (self.data, self.config);
        let mut outcome = self.finish(stop)?;
        if let Some(observer) = observer {
            observer.at_the_end(&mut outcome, step, data, config, outside)?;
        }
        let weights_sha256 = outside.folder.as_ref().map(|_| weights_sha256(&outcome.model));
        outside.tell(&Event::Stop { step, made, reason: stop, weights_sha256 })?;
        if let Some((_, log)) = &outside.folder {
            log.sync()?;
        }
        Ok(outcome)
    }

    /// Trains until the run is over or asked to stop.
    pub fn train(&mut self, outside: &mut Outside) -> Result<Stop, Error> {
        self.train_watched(outside, None)
    }

    fn train_watched(
        &mut self,
        outside: &mut Outside,
        mut observer: Option<&mut Observer>,
    ) -> Result<Stop, Error> {
        let mut began = Instant::now();
        loop {
            if outside.until == Some(self.progress.made) {
                return Ok(Stop::Interrupted);
            }
            let told = self.obey(outside, &mut began)?;
            if outside.keep.contains(&self.progress.step) {
                self.keep(outside);
            }
            if let Some(stop) = self.over().or(told) {
                return Ok(stop);
            }
            let epoch = self.position().epoch();
            if self.shuffle() {
                began = Instant::now();
            }
            if self.back.is_none() && self.config.guard != Guard::Off {
                self.back = Some(Snapshot::of(&self.progress, &self.model, &self.optimizer));
            }
            if let Some(rows) = self.config.track.due(self.position()) {
                let pause = Instant::now();
                self.track_sharpness(outside, rows)?;
                began += pause.elapsed();
            }
            let mut observer = observer.as_mut().filter(|_| Observer::is_due(self));
            if let Some(observer) = &mut observer {
                observer.before_step(self);
            }
            let (lr, loss) = self.make_step(outside)?;
            let (guard, sum, rows) = (self.config.guard, self.progress.loss_sum, self.order.len());
            let mut trouble = if !loss.is_finite() {
                Some(Cause::NotFinite)
            } else {
                guard.is_spike(sum, rows, self.baseline).then_some(Cause::Spike)
            };
            if trouble.is_none() && self.is_between_epochs() {
                self.progress.epoch_seconds += began.elapsed().as_secs_f64();
                if let Some(observer) = observer {
                    observer.after_step(self, outside)?;
                }
                let before = self.last.as_ref().map(|epoch| epoch.train_loss);
                if !self.end_epoch(outside, epoch, lr)? {
                    trouble = Some(Cause::NotFinite);
                } else {
                    trouble = self.look_back(before, loss);
                    self.unsaved = true;
                    let usual = || CHECKPOINT_EVERY.max(self.saving * CHECKPOINT_REST);
                    let age = outside.checkpoint_every.unwrap_or_else(usual);
                    let due =
                        self.saved.elapsed() >= age || self.stays(self.progress.step, outside.keep_every);
                    if trouble.is_none() && due {
                        self.save(outside)?;
                    }
                }
            }
            if let Some(cause) = trouble {
                if !self.roll_back(outside, cause)? {
                    return self.diverged(outside, epoch, lr);
                }
                began = Instant::now();
            }
        }
    }

    /// Takes the end of an epoch for where to go back to if it has learned something, or sees that the run is stuck.
    /// `before` is the mean training loss of the epoch before it, and `loss` that of its last batch.
    fn look_back(&mut self, before: Option<f64>, loss: f64) -> Option<Cause> {
        let (guard, is_over) = (self.config.guard, self.over().is_some());
        let (back, ended) = (self.back.as_mut()?, self.last.as_ref()?);
        // What is gone back to must be far from a blow-up, or no rate could help.
        let near = guard.is_spike(2.0 * loss, 1, self.baseline);
        if guard::has_learned([ended.train_loss, ended.valid_loss], self.constant) && !near {
            self.progress.rollbacks = 0;
            back.take(&self.progress, &self.model, &self.optimizer);
            return None;
        }
        let rollbacks = self.progress.rollbacks;
        let epochs = (self.progress.step - back.progress.step) / self.steps_per_epoch;
        // It never ends a run.
        let may = rollbacks > 0 && guard.cut(rollbacks, Cause::Stuck).is_some();
        (may && guard::is_stuck(epochs, is_over, before, ended.train_loss)).then_some(Cause::Stuck)
    }

    /// Goes back to where the run was still well, at a lower rate; false if it is not to do so any more.
    fn roll_back(&mut self, outside: &mut Outside, cause: Cause) -> Result<bool, Error> {
        let (Some(cut), Some(back)) = (self.config.guard.cut(self.progress.rollbacks, cause), &self.back)
        else {
            return Ok(false);
        };
        // The best epoch stays that, even if it is made again, and what a person has said stays said.
        let Progress { step, made, commands, epochs, ended, rollbacks, best, steering, .. } =
            std::mem::take(&mut self.progress);
        let rollbacks = rollbacks + 1;
        let well = back.progress.clone();
        // Before and after it are two moments, even if the step that was seen to be bad did not count.
        let made = made + 1;
        self.progress = Progress { made, commands, epochs, ended, rollbacks, best, steering, ..well };
        self.progress.steering.scale *= cut;
        let scale = self.progress.steering.scale;
        back.training.put(&mut self.model, &mut self.optimizer);
        self.model.statistics_mut().copy_from_slice(&back.statistics);
        outside.tell(&Event::Rollback { step, made, to: self.progress.step, scale, cause })?;
        self.show_plan(outside);
        Ok(true)
    }

    /// Puts the rows in the order of the epoch under way, if they are not; whether they were not.
    fn shuffle(&mut self) -> bool {
        let epoch = self.position().epoch();
        if self.shuffled == Some(epoch) {
            return false;
        }
        permutation(&mut self.order, self.config.seed, epoch);
        self.shuffled = Some(epoch);
        true
    }

    /// Makes one step and returns the rate and the loss before it. Allocates nothing.
    fn make_step(&mut self, outside: &mut Outside) -> Result<(f64, f64), Error> {
        let (step, lr) = (self.progress.step, self.rate());
        let (loss, rows) = self.step_at(lr, self.momentum())?;
        outside.show(&Event::Step { step, lr, loss, rows });
        Ok((lr, loss))
    }

    /// Makes one step of a trial, at a rate that is not the schedule's, and returns the loss before it; a step whose loss
    /// is no finite number changes nothing.
    pub fn try_step(&mut self, lr: f64, momentum: Option<f64>) -> Result<f64, Error> {
        self.shuffle();
        Ok(self.step_at(lr, momentum)?.0)
    }

    /// What the first guess, which knows nothing, costs on the rows of the next step.
    pub fn first_guess_of_next_step(&mut self) -> Result<f64, Error> {
        self.shuffle();
        let index = (self.progress.step % self.steps_per_epoch) as usize;
        let rows = &self.order[self.batches.step(index)];
        let zeros = vec![0.0; rows.len() * self.model.outputs()];
        let place = |row: &u32| *row as usize;
        match &self.data.train.y {
            Targets::Classes { labels, .. } => {
                let labels: Vec<u32> = rows.iter().map(|row| labels[place(row)]).collect();
                Ok(self.loss.mean(&zeros, downhill_nn::Targets::Classes(&labels))?)
            }
            Targets::Values(values) => {
                let width = self.model.outputs();
                let values: Vec<f32> =
                    rows.iter().flat_map(|row| &values[place(row) * width..][..width]).copied().collect();
                Ok(self.loss.mean(&zeros, downhill_nn::Targets::Values(&values))?)
            }
        }
    }

    /// Makes one step and returns the loss before it and the number of rows it was made from.
    fn step_at(&mut self, lr: f64, momentum: Option<f64>) -> Result<(f64, u64), Error> {
        let index = (self.progress.step % self.steps_per_epoch) as usize;
        let loss = self.gradients(index)?;
        let rows = self.batches.step(index).len() as u64;
        if loss.is_finite() {
            self.set_momentum(momentum)?;
            let gradient = last_gradient(&self.sum, &self.workspace);
            self.optimizer.step(self.progress.updates, lr, self.model.params_mut(), gradient);
            self.progress.step += 1;
            self.progress.made += 1;
            self.progress.updates += 1;
            self.progress.loss_sum += loss * rows as f64;
        }
        Ok((loss, rows))
    }

    /// Sets the momentum of the next step, if it follows a schedule.
    fn set_momentum(&mut self, momentum: Option<f64>) -> Result<(), Error> {
        if let Some(momentum) = momentum {
            check_momentum_at(momentum, self.progress.step)?;
            self.optimizer.set_momentum(momentum);
        }
        Ok(())
    }

    /// How curved the training loss is on so many rows, and the limit for the optimizer as it stands.
    pub fn sharpness(&mut self, rows: usize) -> Result<Sharpness, Error> {
        self.set_momentum(self.momentum())?;
        let Self { model, optimizer, progress, data, loss, config, .. } = self;
        stability_limit(model, optimizer, progress.updates, data, loss, rows, config.seed)
    }

    /// Measures how curved the training loss is, and tells, unless it is no number any more.
    fn track_sharpness(&mut self, outside: &mut Outside, rows: usize) -> Result<(), Error> {
        let found = self.sharpness(rows)?;
        if !found.value.is_finite() {
            return Ok(());
        }
        let (step, lr, limit) = (self.progress.step, self.rate(), found.limit());
        let ratio = limit.map(|limit| lr / limit);
        outside.tell(&Event::Sharpness { step, sharpness: found.value, lr, limit, ratio })
    }

    /// The rate of the next step: the schedule's, under the events so far.
    fn rate(&self) -> f64 {
        self.progress.steering.rate(self.lr, self.position())
    }

    /// The momentum of the next step, if it is not just the rule's own.
    fn momentum(&self) -> Option<f64> {
        let position = self.position();
        let scheduled = momentum(self.config, position, self.progress.steering.in_force(self.lr, position));
        // Another schedule may have moved it, and left it where it was.
        let mut rule = self.config.optimizer.clone();
        scheduled.or(rule.momentum_mut().copied().filter(|_| self.progress.commands > 0))
    }

    /// Works out the gradient of the mean loss over the rows of one of the epoch's steps, and returns that mean.
    fn gradients(&mut self, index: usize) -> Result<f64, Error> {
        let Self { data, loss, config, model, workspace, progress, batches, .. } = self;
        let rows = &self.order[batches.step(index)];
        let (x, targets) = (&data.train.x, targets(&data.train.y));
        let Some(sum) = &mut self.sum else {
            return Ok(workspace.gradients(
                model,
                &Batch { x, targets, rows },
                loss,
                config.seed,
                progress.step,
            )?);
        };
        sum.clear();
        let outputs = model.outputs();
        let whole = loss.batch_weight(outputs, targets, rows);
        let mut mean = 0.0;
        for (part, rows) in batches.of_step(index).enumerate() {
            let rows = &self.order[rows];
            // Dropout draws anew for every batch.
            let draw = progress.step * config.accumulate as u64 + part as u64;
            let part_mean =
                workspace.gradients(model, &Batch { x, targets, rows }, loss, config.seed, draw)?;
            let weight = loss.batch_weight(outputs, targets, rows) / if whole > 0.0 { whole } else { 1.0 };
            sum.add(workspace.gradient(), weight);
            mean += weight * part_mean;
        }
        Ok(mean)
    }

    /// The gradient of the last step.
    fn gradient(&self) -> &[f32] {
        last_gradient(&self.sum, &self.workspace)
    }

    /// Puts the weights to measure in the place of those that train, if they are others, with statistics of their own.
    fn show_evaluation(&mut self) -> Result<(), Error> {
        if self.optimizer.has_evaluation() {
            self.optimizer.evaluation(self.model.params(), &mut self.shown);
            self.model.params_mut().swap_with_slice(&mut self.shown);
        }
        if !self.statistics_rows.is_empty() {
            self.shown_statistics.copy_from_slice(self.model.statistics());
            self.model.retake_statistics(&self.statistics_rows)?;
        }
        Ok(())
    }

    /// Puts the weights that train back.
    fn hide_evaluation(&mut self) {
        if self.optimizer.has_evaluation() {
            self.model.params_mut().swap_with_slice(&mut self.shown);
        }
        if !self.statistics_rows.is_empty() {
            self.model.statistics_mut().copy_from_slice(&self.shown_statistics);
        }
    }

    /// Measures an epoch that has ended; false if the validation loss is no number.
    fn end_epoch(&mut self, outside: &mut Outside, epoch: u64, lr: f64) -> Result<bool, Error> {
        self.show_evaluation()?;
        let ended = self.measure_epoch(outside, epoch, lr);
        self.hide_evaluation();
        let Some(ended) = ended? else { return Ok(false) };
        if ended.best && self.config.plateau.backtracks() {
            let Self { best, model, optimizer, progress, .. } = self;
            if let Some(best) = best {
                match &mut best.training {
                    Some(training) => training.take(model, optimizer, progress.updates),
                    None => best.training = Some(Training::of(model, optimizer, progress.updates)),
                }
            }
        }
        self.watch_plateau(outside, &ended)?;
        self.last = Some(ended);
        Ok(true)
    }

    /// Cuts the rate if it is time to.
    fn watch_plateau(&mut self, outside: &mut Outside, ended: &Epoch) -> Result<(), Error> {
        let Plateau::Cut(cut) = self.config.plateau else { return Ok(()) };
        if self.over().is_some() {
            return Ok(()); // there is no step left to make with another rate
        }
        let value = watched(cut.metric, ended.valid_loss, &ended.metrics)?;
        if !cut.is_due(&mut self.progress.watch, value) {
            return Ok(());
        }
        let position = self.position();
        let steering = &mut self.progress.steering;
        let (schedule, place) = steering.in_force(self.lr, position);
        let Some(scale) = cut.scale(steering.scale, schedule.at(place)) else { return Ok(()) };
        steering.scale = scale;
        let mut back_to = None;
        if let (Some(weights), Some(best), true) = (&self.best, &self.progress.best, cut.backtrack)
            && let Some(training) = &weights.training
        {
            training.put(&mut self.model, &mut self.optimizer);
            self.progress.updates = training.updates;
            self.model.statistics_mut().copy_from_slice(&weights.statistics);
            back_to = Some(best.epoch.epoch);
        }
        let (step, made) = (self.progress.step, self.progress.made);
        outside.tell(&Event::Cut { step, made, scale, back_to })?;
        self.show_plan(outside);
        Ok(())
    }

    /// Measures the weights in the model; nothing if the validation loss is no number.
    fn measure_epoch(&mut self, outside: &mut Outside, epoch: u64, lr: f64) -> Result<Option<Epoch>, Error> {
        let (valid, encoder) = (&self.data.valid, self.data.encoder.as_ref());
        let (valid_loss, metrics) =
            measure(&mut self.workspace, &self.model, &mut self.outputs, valid, &self.loss, encoder, false)?;
        if !valid_loss.is_finite() {
            return Ok(None);
        }
        let rows = self.data.train.rows() as u64;
        let seconds = std::mem::take(&mut self.progress.epoch_seconds);
        let stopping = self.config.early_stopping;
        let score = watched(stopping.monitor(), valid_loss, &metrics)?;
        let best = self.progress.best.as_ref().is_none_or(|best| stopping.better(score, best.score));
        let ended = Epoch {
            epoch,
            step: self.progress.step,
            lr,
            train_loss: self.progress.loss_sum / rows as f64,
            valid_loss,
            metrics,
            best,
            seconds,
            // A clock may stand still, and the log has no word for infinity.
            rows_per_second: rows as f64 / seconds.max(1e-9),
        };
        self.progress.loss_sum = 0.0;
        self.progress.seconds += seconds;
        self.progress.rows += rows;
        if best {
            self.progress.waited = 0;
            self.progress.best = Some(Best { score, epoch: ended.clone() });
            match &mut self.best {
                Some(weights) => weights.take(&self.model),
                None => self.best = Some(Weights::of(&self.model)),
            }
            let room = self.best_outputs.get_or_insert_with(|| vec![0.0; self.outputs.len()]);
            std::mem::swap(room, &mut self.outputs);
        } else {
            self.progress.waited += 1;
        }
        outside.tell(&Event::Epoch(ended.clone()))?;
        Ok(Some(ended))
    }

    /// Whether a checkpoint at a step stays, because every so many epochs one does.
    fn stays(&self, step: u64, keep_every: Option<u64>) -> bool {
        keep_every.is_some_and(|epochs| step.is_multiple_of(epochs.saturating_mul(self.steps_per_epoch)))
    }

    /// The whole state as it is now.
    fn state(&self) -> Whole<'_> {
        // Mostly it is where the run is.
        let back = self.back.as_ref().filter(|back| back.progress.step != self.progress.step);
        let best_training = self.best.as_ref().and_then(|best| best.training.as_ref());
        let description = Description {
            progress: self.progress.clone(),
            memory: self.optimizer.state().memory(),
            best_memory: best_training.map(|training| (training.state.memory(), training.updates)),
            back: back.map(|back| (back.progress.clone(), back.training.state.memory())),
            last: self.last.clone(),
            origin: self.origin().clone(),
        };
        let best = self.best.as_ref();
        Whole { description, model: &self.model, optimizer: &self.optimizer, best, back }
    }

    /// Writes a checkpoint, and keeps besides it the one before and that of the best epoch.
    fn save(&mut self, outside: &mut Outside) -> Result<(), Error> {
        let Some((folder, log)) = &mut outside.folder else { return Ok(()) };
        let began = Instant::now();
        let before = folder.steps()?.into_iter().find(|&step| step < self.progress.step);
        // A checkpoint must not know of a command that a crash then takes out of the log.
        log.sync()?;
        let step = self.progress.step;
        checkpoint::save(&folder.checkpoint(step), &self.state())?;
        let event = Event::Checkpoint { step, file: checkpoint::file_name(step) };
        log.append(&event)?;
        let best = self.progress.best.as_ref().map(|best| best.epoch.step);
        // Later ones are of what was gone back over, and would be taken for where the run is.
        let mut kept: Vec<u64> = [Some(step), before, best].into_iter().flatten().collect();
        kept.extend(folder.steps()?.into_iter().filter(|&step| self.stays(step, outside.keep_every)));
        kept.retain(|&kept| kept <= step);
        folder.keep(&kept)?;
        outside.show(&event);
        (self.saved, self.saving, self.unsaved) = (Instant::now(), began.elapsed(), false);
        Ok(())
    }

    /// The loss is no number any more: the best epoch is what is left, if there was one.
    fn diverged(&self, outside: &mut Outside, epoch: u64, lr: f64) -> Result<Stop, Error> {
        let (step, made) = (self.progress.step, self.progress.made);
        let stop = Stop::Diverged { lr };
        if self.best.is_some() {
            return Ok(stop);
        }
        outside.tell(&Event::Stop { step, made, reason: stop, weights_sha256: None })?;
        Err(Error::Diverged { step, epoch, lr })
    }

    /// Puts the weights in place that the run comes to.
    fn finish(mut self, stop: Stop) -> Result<Outcome, Error> {
        // Weights in the middle of an epoch are of none.
        let step = self.progress.step;
        let mut epoch = self.last.take().filter(|epoch| epoch.step == step);
        let restores = self.config.keep == Keep::Best || matches!(stop, Stop::Diverged { .. });
        let best_step = self.progress.best.as_ref().map(|best| best.epoch.step);
        if let (Some(weights), Some(best), true) = (self.best.take(), self.progress.best.take(), restores) {
            weights.put(&mut self.model);
            epoch = Some(best.epoch);
        } else if self.progress.updates > 0 {
            self.show_evaluation()?;
        }
        let Progress { step, seconds, epoch_seconds, rows, .. } = self.progress;
        Ok(Outcome {
            model: self.model,
            loss: self.loss,
            outputs: self.best_outputs.filter(|_| epoch.as_ref().map(|epoch| epoch.step) == best_step),
            epoch,
            stop,
            epochs: step / self.steps_per_epoch,
            seconds: seconds + epoch_seconds,
            rows_per_second: (rows > 0).then(|| rows as f64 / seconds),
        })
    }
}
