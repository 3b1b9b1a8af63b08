//! From data and settings to a trained network.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use downhill_core::simd::Vectors;
use downhill_core::{Invalid, invalid};
use downhill_data::Dataset;
use downhill_nn::Loss;
use downhill_optim::{Group, Lookahead, Regularization, Rule};
use downhill_run::{Channels, CommandReplay};
use downhill_schedule::Schedule;

use crate::batches::Batches;
use crate::finder;
use crate::log;
use crate::run::{Outcome, Run};
use crate::{
    ClassWeights, Command, Config, EarlyStopping, Ensemble, Environment, Error, Evaluation, Event, FoundRate,
    Guard, Keep, Network, Plateau, Predictor, RunConfig, RunFolder, Source, Stop, Summary, Track, View,
    path_text, usual_rate, usual_schedule,
};

/// Trains networks: settings, all with defaults, then [`fit`](Trainer::fit).
///
/// The result is a function of the settings and the data, the same bit for bit whatever the number of
/// threads.
///
/// ```
/// use downhill_data::Table;
/// use downhill_train::{Network, Trainer};
///
/// let data = Table::bundled("wine")?.target("cultivar").split(0.2, 7)?;
/// let trained = Trainer::new(Network::mlp([64])).epochs(20).seed(7).fit(&data)?;
/// assert!(trained.score() > 0.9);
/// # Ok::<(), downhill_train::Error>(())
/// ```
#[derive(Default)]
#[must_use]
pub struct Trainer {
    pub(crate) config: Config,
    pub(crate) threads: Option<usize>,
    pub(crate) channels: Channels,
    /// What the run is told before its first step, or its next one.
    pub(crate) commands: Vec<Command>,
    /// The number of steps executed at which it stops before any command is applied there.
    pub(crate) until: Option<u64>,
    pub(crate) checkpoint_every: Option<Duration>,
    pub(crate) keep_every: Option<u64>,
    pub(crate) control: Option<Sender<Command>>,
    pub(crate) with_folder: Vec<FolderHook>,
    /// The networks whose predictions are averaged, if they are several.
    pub(crate) ensemble: Option<Ensemble>,
}

/// What is called with the folder of a run.
pub(crate) type FolderHook = Box<dyn FnOnce(&RunFolder) + Send>;

/// A network that was trained, and how that went.
#[derive(Clone, Debug)]
pub struct Trained {
    pub(crate) predictor: Predictor,
    pub(crate) summary: Summary,
    pub(crate) stop: Stop,
}

impl Trained {
    /// The network with all that is needed to use it.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// What the run came to.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Why it stopped.
    pub fn stop(&self) -> Stop {
        self.stop
    }

    /// Accuracy, or R², on the validation rows.
    pub fn score(&self) -> f64 {
        self.summary.metrics.score()
    }

    /// Writes the model; see [`Predictor::save`].
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.predictor.save(path)
    }
}

impl Trainer {
    /// A trainer of such a network: an [`Mlp`](downhill_nn::Mlp) or a list of layers, in front of the head.
    pub fn new(network: impl Into<Network>) -> Self {
        Self::from_config(Config { network: network.into(), ..Config::default() })
    }

    /// A trainer with all settings given.
    pub fn from_config(config: Config) -> Self {
        Self { config, ..Self::default() }
    }

    /// The update rule. Default AdamW.
    pub fn optimizer(mut self, rule: impl Into<Rule>) -> Self {
        self.config.optimizer = rule.into();
        self
    }

    /// The learning rate: a number or a schedule. Default: the [`usual_schedule`](crate::usual_schedule), its
    /// peak found by trying, which takes at most a fifth of the steps of the run; see [`FoundRate`].
    pub fn lr(mut self, schedule: impl Into<Schedule>) -> Self {
        self.config.lr = Some(schedule.into());
        self
    }

    /// What is made small. Default: cross-entropy for classes, squared error for numbers.
    pub fn loss(mut self, loss: impl Into<Loss>) -> Self {
        self.config.loss = Some(loss.into());
        self
    }

    /// How much the rows of each class count. Default: all the same.
    pub fn class_weights(mut self, weights: ClassWeights) -> Self {
        self.config.class_weights = weights;
        self
    }

    /// Penalties, decay and clipping. Default none.
    pub fn regularization(mut self, regularization: Regularization) -> Self {
        self.config.regularization = regularization;
        self
    }

    /// A schedule for the momentum, μ or β₁. Default: the rule's own, or that of a one-cycle.
    pub fn momentum(mut self, schedule: impl Into<Schedule>) -> Self {
        self.config.momentum = Some(schedule.into());
        self
    }

    /// What to do when nothing gets better. Default nothing.
    pub fn plateau(mut self, plateau: Plateau) -> Self {
        self.config.plateau = plateau;
        self
    }

    /// What to do when the run blows up. Default: go back, at a lower rate.
    pub fn guard(mut self, guard: Guard) -> Self {
        self.config.guard = guard;
        self
    }

    /// What is measured on the way, besides the epochs. Default nothing.
    pub fn track(mut self, track: Track) -> Self {
        self.config.track = track;
        self
    }

    /// Tensors that have rates and decays of their own. Default none.
    pub fn groups(mut self, groups: impl Into<Vec<Group>>) -> Self {
        self.config.groups = groups.into();
        self
    }

    /// Measures and keeps an average of the weights, which moves by 1 − `decay` of the way at each step, and
    /// by more in the first ones; 0 for none. Default [`USUAL_EMA`](crate::USUAL_EMA).
    pub fn ema(mut self, decay: f64) -> Self {
        self.config.ema = Some(decay);
        self
    }

    /// Draws the weights now and then back towards where they were. Default off.
    pub fn lookahead(mut self, lookahead: Lookahead) -> Self {
        self.config.lookahead = lookahead;
        self
    }

    /// The number of batches of a step. Default 1.
    pub fn accumulate(mut self, batches: usize) -> Self {
        self.config.accumulate = batches;
        self
    }

    /// How often every row is seen. Default 60.
    pub fn epochs(mut self, epochs: u64) -> Self {
        self.config.epochs = epochs;
        self
    }

    /// The rows of a batch.
    pub fn batch(mut self, rows: usize) -> Self {
        self.config.batch = Some(rows);
        self
    }

    /// When to stop before the last epoch. Default after 30 epochs without a lower validation loss.
    pub fn early_stopping(mut self, stopping: EarlyStopping) -> Self {
        self.config.early_stopping = stopping;
        self
    }

    /// Which weights are kept. Default those of the best epoch.
    pub fn keep(mut self, keep: Keep) -> Self {
        self.config.keep = keep;
        self
    }

    /// What all randomness is a function of. Default 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.seed = seed;
        self
    }

    /// The number of threads. Default: as many as the machine has cores.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// Shows every event of the run to `view`, on the thread that trains.
    pub fn view(mut self, view: impl FnMut(&Event) + Send + 'static) -> Self {
        self.channels.views.push(Box::new(view) as View);
        self
    }

    /// Calls `look` with the folder that the run is kept in, if it is, once that is there and before the
    /// run's first event.
    pub fn with_folder(mut self, look: impl FnOnce(&RunFolder) + Send + 'static) -> Self {
        self.with_folder.push(Box::new(look));
        self
    }

    /// Takes commands from `inbox` between steps.
    pub fn inbox(mut self, inbox: Receiver<Command>) -> Self {
        self.channels.inbox = Some(inbox);
        self
    }

    /// Lets other processes steer and watch the run by a Unix socket, `control.sock` in its folder, which is
    /// there as long as it is under way: what they tell it goes to `commands`, whose other end is the
    /// [inbox](Trainer::inbox). If the socket cannot be made, a note says so; a run that is not kept, or not
    /// on Unix, has none.
    pub fn control(mut self, commands: Sender<Command>) -> Self {
        self.control = Some(commands);
        self
    }

    /// Gives the run a command that it applies before its first step; one that is resumed, before its next
    /// one. It is logged as any other command.
    pub fn command(mut self, command: Command) -> Self {
        self.commands.push(command);
        self
    }

    /// A checkpoint is written when an epoch ends and the last one is this old, and at the end. Default one
    /// second, or 200 times as long as the last took to write, if that is more; zero for one after every
    /// epoch.
    pub fn checkpoint_every(mut self, age: Duration) -> Self {
        self.checkpoint_every = Some(age);
        self
    }

    /// After every so many epochs, at least 1, a checkpoint is written that stays, besides the last two and
    /// that of the best epoch. Default none.
    pub fn keep_every(mut self, epochs: u64) -> Self {
        self.keep_every = Some(epochs.max(1));
        self
    }

    /// Trains a network.
    ///
    /// # Errors
    ///
    /// Before the first step, if a setting is out of its range or does not go with the data, or folds are
    /// asked for, which [`fit_folds`](Trainer::fit_folds) takes; later, if the loss stops being a number
    /// before an epoch has ended.
    pub fn fit(self, data: &Dataset) -> Result<Trained, Error> {
        self.go(data, Target::Memory)
    }

    /// Finds the peak rate to train with, as [`fit`](Trainer::fit) does unless a rate is given, and besides
    /// it the rate from which on the first weights are not stable. Here the rate that is given says what
    /// shape the schedule has; how high it is does not matter.
    ///
    /// # Errors
    ///
    /// If a setting is out of its range or does not go with the data, or the rule has no rate to look for.
    pub fn find_lr(self, data: &Dataset) -> Result<FoundRate, Error> {
        let Self { config, threads, mut channels, .. } = self;
        let threads = check_threads(threads)?;
        let (config, _) = config.resolve(data)?;
        let mut found = on_threads(threads, || find(&config, data, threads, &mut channels))?;
        let config = Config { lr: Some(found.schedule.clone()), ..config };
        found.limit = Run::new(&config, data, false)?.sharpness(LIMIT_ROWS)?.limit();
        Ok(found)
    }

    /// Reads data, trains a network and keeps the run in a new folder inside `runs`; see
    /// [`RunFolder::create`] for its name. The seed of the trainer is that of the split too.
    ///
    /// # Errors
    ///
    /// As [`Source::load`] and [`fit`](Trainer::fit), and if something cannot be written. A run that cannot
    /// begin leaves no folder behind.
    pub fn fit_in(self, runs: &Path, name: Option<&str>, source: &Source) -> Result<Trained, Error> {
        if let Some(ensemble @ Ensemble::Folds(folds)) = self.ensemble.clone().as_ref() {
            let data = source.load_folds(folds, self.config.seed)?;
            return self.go_together(&data, ensemble, Target::New { runs, name, source });
        }
        let data = source.load(self.config.seed)?;
        self.fit_kept(&data, runs, name, source)
    }

    /// The same with data that was read from `source` before, or that `source` only gives a name: then the run
    /// can be looked at, but not resumed.
    ///
    /// # Errors
    ///
    /// As [`fit_in`](Trainer::fit_in).
    pub fn fit_kept(
        self,
        data: &Dataset,
        runs: &Path,
        name: Option<&str>,
        source: &Source,
    ) -> Result<Trained, Error> {
        self.go(data, Target::New { runs, name, source })
    }

    /// Goes on with a run from its latest checkpoint; a run that is over only gives its result again.
    ///
    /// The run keeps its own settings: of this trainer's, only threads, views, inbox and the age of
    /// checkpoints may be given, and [commands](Trainer::command), which change its rate or its length. The
    /// commands that its log has after that checkpoint are applied again at the same steps. A run of several
    /// networks takes no commands.
    ///
    /// # Errors
    ///
    /// If other settings are given, a command cannot be done, the folder is not that of a run, it is under
    /// way in another process, its data or its configuration has changed, or no checkpoint can be read.
    pub fn resume(mut self, folder: RunFolder) -> Result<Trained, Error> {
        if self.config != Config::default() || self.ensemble.is_some() {
            return Err(Error::Mismatch("a run that is resumed keeps its own settings; give none".into()));
        }
        let config = RunConfig::of(&folder)?;
        if let Some(ensemble) = &config.ensemble {
            let data = config.load_data_of(&folder, ensemble)?;
            self.config = config.training;
            return self.go_together(&data, ensemble, Target::Resume(folder));
        }
        let data = config.load_data(&folder)?;
        self.config = config.training;
        self.go(&data, Target::Resume(folder))
    }

    pub(crate) fn go(self, data: &Dataset, target: Target<'_>) -> Result<Trained, Error> {
        match self.ensemble.clone() {
            None => {}
            Some(ensemble @ Ensemble::Members(_)) => {
                return self.go_together(std::slice::from_ref(data), &ensemble, target);
            }
            Some(Ensemble::Folds(_)) => {
                return Err(Error::Mismatch(
                    "the folds of a cross-validation are data sets of their own, and this is one".into(),
                ));
            }
        }
        let threads = check_threads(self.threads)?;
        let (mut config, notes) = self.config.resolve(data)?;
        let mut channels = self.channels;
        let found = settle(&mut config, data, threads, &mut channels)?;
        let conduct = || -> Result<(Outcome, Option<RunFolder>), Error> {
            let mut run = Run::new(&config, data, threads > 1)?;
            run.set_checkpoints(self.checkpoint_every, self.keep_every);
            run.set_channels(channels);
            let notes = [&data.notes, &notes[..], run.notes()].concat();
            let (folder, mut notes) = target.begin(&mut run, &config, notes)?;
            if let Some(folder) = &folder {
                self.with_folder.into_iter().for_each(|look| look(folder));
            }
            #[cfg(unix)]
            let _control = self.control.and_then(|commands| {
                run.channels_mut().open_control(commands).unwrap_or_else(|note| {
                    notes.push(note);
                    None
                })
            });
            #[cfg(not(unix))]
            drop(self.control);
            run.check_first_commands(&self.commands)?;
            introduce(&mut run, threads, found, notes)?;
            run.apply_first_commands(&self.commands)?;
            Ok((run.complete(self.until)?, folder))
        };
        let (outcome, folder) = on_threads(threads, conduct)?;
        let trained = conclude(&config, data, threads, folder.as_ref(), outcome)?;
        if let Some(folder) = &folder {
            trained.save(folder.model_path())?;
        }
        Ok(trained)
    }
}

/// The machine, with the vector instructions that are in use of those that it has.
pub(crate) fn environment(threads: usize) -> Event {
    let mut environment = Environment::here(threads);
    let used = Vectors::in_use();
    environment.vectors.retain(|name| match name.as_str() {
        "avx512f" => used >= Vectors::Avx512,
        "avx" | "avx2" | "fma" => used >= Vectors::Avx2,
        "neon" => used >= Vectors::Neon,
        _ => true,
    });
    Event::Environment(environment)
}

/// Tells what the log of a run begins with, or goes on with.
pub(crate) fn introduce(
    run: &mut Run<'_>,
    threads: usize,
    found: Option<FoundRate>,
    notes: Vec<String>,
) -> Result<(), Error> {
    run.tell(&run.first_event())?;
    run.tell(&environment(threads))?;
    run.show_plan();
    // A branch has its parent's best epoch to do better than.
    if let (true, Some(best)) = (run.is_at_its_start(), run.state().best.clone()) {
        run.tell(&Event::Epoch(best.epoch))?;
    }
    if let Some(found) = found {
        run.tell(&Event::Rate(found))?;
    }
    notes.into_iter().try_for_each(|text| run.tell(&Event::Note { text }))
}

/// The curvature at the start is measured on no more rows than these.
const LIMIT_ROWS: usize = 500;

/// Where a run is kept, and where it begins.
pub(crate) enum Target<'a> {
    /// Kept nowhere.
    Memory,
    /// In a new folder.
    New { runs: &'a Path, name: Option<&'a str>, source: &'a Source },
    /// In a new folder inside that of the run of several networks whose one it is.
    Member { of: &'a RunFolder, number: usize, source: &'a Source },
    /// In the folder of a run that goes on.
    Resume(RunFolder),
    /// In a folder that has the state to begin with, with notes on what begins anew.
    Branch(RunFolder, Vec<String>),
    /// Kept nowhere; it begins as the run in this folder began.
    Replay(&'a RunFolder),
}

impl Target<'_> {
    /// Brings a run, of which there are notes, to where it begins, and opens its folder; returns that with
    /// the notes that are left to tell.
    pub(crate) fn begin(
        self,
        run: &mut Run<'_>,
        config: &Config,
        mut notes: Vec<String>,
    ) -> Result<(Option<RunFolder>, Vec<String>), Error> {
        let folder = match self {
            Self::Memory => return Ok((None, notes)),
            Self::Replay(folder) => {
                run.restore_start(folder)?;
                return Ok((None, notes));
            }
            Self::New { runs, name, source } => {
                let folder = RunConfig::of_new(source, config).create_folder(runs, name)?;
                run.channels_mut().folder = Some((folder.clone(), folder.log()?));
                folder
            }
            Self::Member { of, number, source } => {
                let (members, name) = (of.members(), number.to_string());
                let folder = RunConfig::of_new(source, config).create_folder(&members, Some(&name))?;
                run.channels_mut().folder = Some((folder.clone(), folder.log()?));
                folder
            }
            Self::Branch(folder, begins_anew) => {
                run.restore_start(&folder)?;
                notes = begins_anew;
                run.channels_mut().folder = Some((folder.clone(), folder.log()?));
                folder
            }
            Self::Resume(folder) => {
                let log = folder.log()?;
                notes = log.torn().into_iter().chain(run.restore_latest(&folder)?).collect();
                let (records, _) = log::read(&folder.log_path())?;
                let mut replay = CommandReplay::of(&records);
                if !run.is_at_its_start() && !replay.tells(&records, run.state().commands) {
                    notes.push(format!(
                        "the log does not tell all that came before step {}: some of it is gone; the run goes on from \
                         its checkpoint, but cannot be made again from its log",
                        run.state().step
                    ));
                }
                replay.skip(run.state().commands);
                let channels = run.channels_mut();
                (channels.replay, channels.folder) = (replay, Some((folder.clone(), log)));
                folder
            }
        };
        Ok((Some(folder), notes))
    }
}

/// Runs something in a pool of so many threads: of its own, so that nothing global is set up and steps can
/// hand work to it without allocating.
pub(crate) fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> Result<T, Error> + Send,
) -> Result<T, Error> {
    if threads == 1 {
        return work();
    }
    pool(threads)?.install(work)
}

pub(crate) fn pool(threads: usize) -> Result<rayon::ThreadPool, Error> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    pool.map_err(|error| Error::Mismatch(format!("{threads} threads cannot be started: {error}")))
}

/// Gives a resolved configuration that has no schedule one, with a rate that is found if the rule has one to
/// find.
pub(crate) fn settle(
    config: &mut Config,
    data: &Dataset,
    threads: usize,
    channels: &mut Channels,
) -> Result<Option<FoundRate>, Error> {
    if config.lr.is_some() {
        return Ok(None);
    }
    let rule = &config.optimizer;
    if !rule.needs_rate() {
        config.lr = Some(usual_schedule(rule, usual_rate(rule)));
        return Ok(None);
    }
    let found = on_threads(threads, || find(config, data, threads, channels))?;
    config.lr = Some(found.schedule.clone());
    Ok(Some(found))
}

/// A search takes no more than one of so many steps of the run.
const SEARCH_SHARE: u64 = 5;
/// How often it is shown how far a search is.
const SEARCH_SHOWN: Duration = Duration::from_millis(200);

/// Finds a rate, unless a command ends the search.
fn find(
    config: &Config,
    data: &Dataset,
    threads: usize,
    channels: &mut Channels,
) -> Result<FoundRate, Error> {
    channels.show(&Event::Search);
    let batches = Batches::new(config, config.batch.unwrap_or(1), data.train.rows())?;
    let at_most = (batches.steps_per_epoch() as u64).saturating_mul(config.epochs) / SEARCH_SHARE;
    let state = Mutex::new((channels, 0, Instant::now()));
    let asked = || {
        let Ok(mut state) = state.lock() else { return false };
        let (channels, steps_executed, shown) = &mut *state;
        if shown.elapsed() >= SEARCH_SHOWN {
            channels.show(&Event::SearchProgress { steps_executed: *steps_executed, at_most });
            *shown = Instant::now();
        }
        *steps_executed += 1;
        channels.has_stop()
    };
    finder::find(config, data, threads > 1, &asked)
}

pub(crate) fn check_threads(threads: Option<usize>) -> Result<usize, Invalid> {
    let threads = threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, Into::into));
    invalid::ensure(
        "training",
        "threads",
        threads as f64,
        |n| (1.0..=1024.0).contains(&n),
        "from 1 to 1024",
    )?;
    Ok(threads)
}

/// Why a run stopped, in a word.
pub(crate) fn stop_name(stop: Stop) -> &'static str {
    match stop {
        Stop::Finished => "finished",
        Stop::EarlyStopping => "early-stopping",
        Stop::Ended => "ended",
        Stop::Interrupted => "interrupted",
        Stop::Diverged { .. } => "diverged",
    }
}

pub(crate) fn conclude(
    config: &Config,
    data: &Dataset,
    threads: usize,
    folder: Option<&RunFolder>,
    outcome: Outcome,
) -> Result<Trained, Error> {
    let Outcome { model, loss, epoch, stop, epochs, seconds, rows_per_second, .. } = outcome;
    let parameters = model.params().len();
    let mut predictor = Predictor::new(model, loss, data.encoder.clone());
    let outputs = predictor.outputs_of_rows(&data.valid.x)?;
    let Evaluation { loss: valid_loss, metrics, .. } = predictor.measure(&outputs, &data.valid)?;
    predictor.keep_residuals(&outputs, &data.valid.y);
    let summary = Summary {
        run: folder.map(|folder| path_text::to_text(folder.path())),
        dataset: data.name.clone(),
        task: data.task(),
        rows: data.train.rows() + data.valid.rows(),
        train_rows: data.train.rows(),
        valid_rows: data.valid.rows(),
        features: data.features(),
        classes: data.classes(),
        parameters,
        optimizer: config.optimizer.to_string(),
        schedule: config.lr.as_ref().map(Schedule::to_string).unwrap_or_default(),
        seed: config.seed,
        threads,
        batch: config.batch.expect("resolved before the run"),
        epochs,
        best_epoch: epoch.as_ref().map(|epoch| epoch.epoch + 1),
        stopped_early: stop == Stop::EarlyStopping,
        stop: stop_name(stop).into(),
        train_loss: epoch.as_ref().map(|epoch| epoch.train_loss),
        valid_loss,
        metrics,
        seconds,
        rows_per_second,
        weights_sha256: predictor.weights_sha256(),
        ensemble: None,
    };
    Ok(Trained { predictor, summary, stop })
}
