//! The command line.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args as Flags, Parser, Subcommand, ValueEnum};
use downhill::data::{DateOrder, Decimal, ReadOptions, Table, Task};
use downhill::nn::{Activation, Loss};
use downhill::optim::{Group, Init, Lookahead, Rule, Schedule, SpecError, nearest, spec};
use downhill::prelude::Predictor;
use downhill::train::{
    ClassWeights, EarlyStopping, Guard, Keep, Patience, Plateau, RateChange, RunConfig, Source, State, Track,
    Validation, path_text,
};
use downhill_report::Lang;

use crate::path::Surface;
use crate::plot::PlotFile;
use crate::sweep::Sweep;

/// Train neural networks at the right learning rate.
#[derive(Parser)]
#[command(name = "downhill", version, max_term_width = 100)]
pub struct Args {
    #[command(subcommand)]
    pub command: Command,

    /// What standard output is for: people, or programs. Messages go to standard error.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    pub format: Format,

    /// Show no progress and no notes.
    #[arg(long, short, global = true)]
    pub quiet: bool,

    /// The language of the figures that --plot draws: en or ko.
    #[arg(long, global = true, default_value_t)]
    pub lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
    Csv,
}

#[derive(Subcommand)]
pub enum Command {
    /// Train a network on a table or on images.
    Train(Box<TrainArgs>),
    /// Find the learning rate for a run, as train does unless one is given, and show how.
    ///
    /// A range test and a few rehearsals, which take at most a fifth of the steps of the run that the same
    /// flags make. With --lr, that schedule is rehearsed at other peaks. The numbers, with --format csv, are
    /// the range test's: lr, loss.
    FindLr(Box<FindLrArgs>),
    /// Go on with a run that was interrupted, or make one that is over longer.
    ///
    /// The run keeps its settings; --lr and --epochs are changes from its next step on, and are logged as
    /// such. For other settings, branch off.
    Resume(ResumeArgs),
    /// Begin a new run where another one was, with other settings.
    ///
    /// RUN@12ep is after 12 epochs of the run, RUN@-3ep three epochs before its last one, RUN@step:1234
    /// before that step, RUN@best after its best epoch, and RUN where it is. Between checkpoints, the steps
    /// from the one before are made again. Every flag may be given but those of the layers and --init; --lr
    /// is a change from the first step of the branch on.
    Branch(Box<BranchArgs>),
    /// Make a run again from its log, in memory, and see that it comes to the same weights, bit for bit.
    Replay(AgainArgs),
    /// Show a run that is under way in another process, from its beginning on; Ctrl-C leaves it to itself.
    ///
    /// With --format json, its events, one a line, as in events.jsonl. Ends with exit code 1 if the run is
    /// interrupted, killed or diverges. How runs are steered and watched without this program:
    /// docs/control.md.
    Watch(WatchArgs),
    /// Change the learning rate of a run that is under way in another process.
    SetLr {
        #[command(flatten)]
        run: SteerArgs,

        /// A rate such as 0.003, a factor such as 0.5x, `schedule` for what the run was started with, or a
        /// schedule, which then counts its steps from there.
        #[arg(value_name = "CHANGE", allow_hyphen_values = true)]
        lr: RateChange,
    },
    /// Take back the last change of the rate of a run that is under way in another process.
    Undo(SteerArgs),
    /// Let a run that is under way in another process wait.
    Pause(SteerArgs),
    /// Let a run that is paused go on.
    Continue(SteerArgs),
    /// Save and stop a run that is under way in another process, as Ctrl-C does; `resume` goes on with it.
    Stop(SteerArgs),
    /// End a run that is under way in another process, as if its last step were made.
    End(SteerArgs),
    /// Let a run that is under way in another process write a checkpoint.
    Checkpoint(SteerArgs),
    /// Make the same run with several settings, and show their losses side by side.
    ///
    /// Every flag of the network and of training takes several values, separated by commas or by giving it
    /// again (--hidden, whose commas are its own, only by giving it again; --group, which repeats in
    /// training, takes one list for all): --lr 0.001,0.01,0.1 --dropout 0,0.3 are six runs. Each is made on
    /// one thread, and is the same bit for bit as by `downhill train`. The runs are ranked by the validation
    /// loss of the weights that are kept; those that blew up come last if nothing worth keeping is left of
    /// them. Rates are judged by the training loss at the end: very high if the run blew up or the loss has
    /// grown; good if it gains at least 95% of what the best one gains over the first guess and ends at no
    /// more than 1.5 times the best loss, or above it by less than 1% of the first guess's; low and high if
    /// it does worse, at a lower or a higher rate than the best. The best of rates that all are still falling
    /// is low.
    Compare(Box<Sweep>),
    /// Search for the settings that are best: pause what falls behind, go on with what leads.
    ///
    /// Every flag of the network and of training takes a space instead of a value: log(1e-4, 1e-1),
    /// uniform(0, 0.5), int(1, 8), choice(64, 128,128, 256,256,256), whose options are separated by a comma
    /// and a space. Without any, a usual space is searched, in which flags that are given stay as they are.
    /// Numbers for --lr are peaks of warmup(5%, then=cosine(…)); unless given, it is times(0.03, 30), which
    /// is multiples of the rate that usually suits the optimizer. The same search makes the same trials, with
    /// any number of workers. The best one is trained to its end and kept as a run in the study's folder.
    Search(Box<crate::search::Search>),
    /// Find out what was wrong with a run, by trying what would have been otherwise.
    ///
    /// The run is made again in memory. At its start and after 30% and 60% of its steps it is branched off
    /// and continued for another 30% of them at 0.1, 0.3, 1, 3 and 10 times the rate in force, which costs
    /// 6.4 runs in all. Low: a higher rate gains clearly. High: a lower one does. Very high: the loss grows
    /// or blows up. Good: none of these. Clearly is by more than 1.5% of what is gained over the first guess,
    /// or 15% of the loss, in training loss: what 5% and half of the loss are to `compare`, for a branch has
    /// 30% of the steps. A rate that is suggested was tried in a whole run, of which there are up to three
    /// more. The other findings are from the same runs; each has a flag to try.
    Diagnose(AgainArgs),
    /// Measure a trained network on a table that has the target.
    Evaluate(UseArgs),
    /// Predict the rows of a table, as CSV.
    Predict(PredictArgs),
    /// Show learning rates against the step, without training.
    Schedule(ScheduleArgs),
    /// Show the way that optimizers take over a surface.
    ///
    /// The numbers, with --format csv, are optimizer, step, the variables, value and lr: step 0 is the start,
    /// and lr the rate of the step that led to the row's point. A path diverges when it comes to no finite
    /// number, or ten times as far from the middle of the box around its start and minimum as that box
    /// reaches; it is cut there and named.
    Path(PathArgs),
    /// Show what becomes of signals and gradients in a network before it is trained, by how its weights
    /// begin.
    Init(InitArgs),
    /// List the runs there are: their data, state, best metric, epochs and age.
    Runs(ListArgs),
    /// Draw the report of a run, or of several with their curves on top of each other: one HTML file that
    /// fetches nothing.
    ///
    /// A run that ends writes its own; this writes it anew, for one that is under way or was killed too.
    Report(ReportArgs),
    /// List the bundled data sets.
    Datasets,
}

#[derive(Flags)]
pub struct TrainArgs {
    #[command(flatten)]
    pub setup: SetupArgs,

    #[command(flatten)]
    pub run: RunArgs,
}

#[derive(Flags)]
pub struct FindLrArgs {
    #[command(flatten)]
    pub setup: SetupArgs,

    #[command(flatten)]
    pub threads: Threads,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

// What is trained on what, and how.
#[derive(Flags)]
pub struct SetupArgs {
    /// A bundled data set (`downhill datasets` lists them), a CSV or TSV file, `-` for one on standard
    /// input, or a folder of IDX images.
    #[arg(required_unless_present_any = ["config", "images"], value_parser = path_as_text())]
    pub data: Option<String>,

    /// Start from the settings in a file, such as a run's run.toml; flags override them.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    #[command(flatten)]
    pub source: SourceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub rate: RateArgs,

    #[command(flatten)]
    pub training: TrainingArgs,
}

// The settings of one of the runs to compare.
#[derive(Flags)]
pub struct CompareArgs {
    #[command(flatten)]
    pub setup: SetupArgs,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,

    /// Keep each run in a folder of its own in this one, and make none again that is there already. Unless
    /// given, no run is kept.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Write what each run does for TensorBoard into a folder of its own in this one.
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    /// The number of runs at once, each on one thread; it changes no bit of the result. [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub threads: Option<usize>,
}

#[derive(Flags)]
#[command(next_help_heading = "Data")]
pub struct SourceArgs {
    /// The target column, by name or by number. Numbers count from 0; -1 is the last one, which is the
    /// default.
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub target: Option<String>,

    /// Classes or a number to predict. Chosen by the values of the target unless given.
    #[arg(long, value_enum)]
    pub task: Option<TaskName>,

    /// The validation data: a share of the rows, or a file. [default: 0.2]
    #[arg(long, value_name = "SHARE|FILE", value_parser = path_as_text().try_map(|text| held(&text)), allow_negative_numbers = true)]
    pub valid: Option<Validation>,

    #[command(flatten)]
    pub read: ReadArgs,

    /// Columns to take as categories, whatever they hold: names, or numbers from 0, between commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub categorical: Vec<String>,

    /// Columns to take as numbers; text in them is an error. Named as for --categorical.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub numeric: Vec<String>,

    /// Columns to leave out. Named as for --categorical.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub drop: Vec<String>,
}

/// How a file is read, in training and after it.
#[derive(Flags)]
#[command(next_help_heading = "Data")]
pub struct ReadArgs {
    /// What separates the columns: a character, or `tab`. Detected unless given.
    #[arg(long, value_name = "CHAR", value_parser = delimiter)]
    pub delimiter: Option<u8>,

    /// Whether the first line names the columns. Detected unless given.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no)]
    pub header: Option<bool>,

    /// The encoding of the text: utf-16le, windows-1252, euc-kr (cp949), … [default: by the mark at its
    /// start, or utf-8]
    #[arg(long, value_name = "NAME")]
    pub encoding: Option<String>,

    /// The number of lines to skip at the start. Unless given, lines that begin with `#`, and `sep=;`, are
    /// skipped.
    #[arg(long, value_name = "N", value_parser = whole_number::<usize>, allow_hyphen_values = true)]
    pub skip: Option<usize>,

    /// The mark in front of decimals: `.` or `,`. Found in each column unless given.
    #[arg(long, value_name = "MARK", value_parser = decimal)]
    pub decimal: Option<Decimal>,

    /// The values that stand for missing ones, between commas. Unless given, `?` and NaN, and among numbers
    /// NA, NULL, `-` and the like; empty ones always.
    #[arg(
        long,
        value_name = "VALUES",
        value_delimiter = ',',
        allow_hyphen_values = true,
        conflicts_with = "no_missing"
    )]
    pub missing: Vec<String>,

    /// Only empty values are missing.
    #[arg(long)]
    pub no_missing: bool,

    /// The order in dates such as 03/04/2024: day-first or month-first. Found in each column that tells it
    /// unless given.
    #[arg(long, value_name = "ORDER", value_parser = date_order)]
    pub dates: Option<DateOrder>,

    /// Read it however large it is: gzip that unpacks to many times its size, a row of more than 64 MB, a
    /// million columns.
    #[arg(long)]
    pub any_size: bool,

    /// A file of images in the IDX format, gzipped or not, instead of a table.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    pub images: Option<PathBuf>,

    /// The labels of the images.
    #[arg(long, value_name = "FILE", requires = "images", conflicts_with = "data")]
    pub labels: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum TaskName {
    Classification,
    Regression,
}

#[derive(Flags)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// The sizes of the hidden layers; `none` for a linear model. [default: 128,128]
    #[arg(long, value_name = "SIZES", value_parser = sizes, allow_hyphen_values = true)]
    pub hidden: Option<Sizes>,

    /// The activation: relu, leaky-relu, elu, selu, gelu, silu, mish, tanh, sigmoid, softplus. [default:
    /// relu]
    #[arg(long, value_name = "SPEC")]
    pub activation: Option<Activation>,

    /// The initialiser of the weights: auto, he-normal, glorot-uniform, normal(0.01), … [default: auto]
    #[arg(long, value_name = "SPEC")]
    pub init: Option<Init>,

    /// Normalise over the batch in front of every activation.
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, require_equals = true, default_missing_value = "yes",
          value_parser = yes_or_no)]
    pub batch_norm: Option<bool>,

    /// The dropout rate behind every activation. [default: 0.2]
    #[arg(long, value_name = "SHARE", value_parser = fraction, allow_hyphen_values = true)]
    pub dropout: Option<f64>,
}

#[derive(Flags)]
#[command(next_help_heading = "Training")]
pub struct RateArgs {
    /// The learning rate: a number, a schedule such as cosine(0.01), step(0.1, every=10ep), warmup(5%,
    /// then=…), or auto: warmup(5%, then=cosine(…)) with a peak that is found first, in at most a fifth of
    /// the run's steps. [default: auto]
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub lr: Option<Rate>,
}

#[derive(Flags)]
#[command(next_help_heading = "Training")]
pub struct TrainingArgs {
    /// The update rule: sgd, momentum(0.9), nesterov, adagrad, rmsprop, adam, adamw(weight-decay=0.1), …
    /// [default: adamw]
    #[arg(long, value_name = "SPEC")]
    pub optimizer: Option<Rule>,

    /// A schedule for the momentum, μ or β₁. [default: the optimizer's own value; one-cycle moves it]
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub momentum: Option<Schedule>,

    /// Cut the rate when nothing gets better: cut(0.5, patience=5, backtrack=true). [default: off]
    #[arg(long, value_name = "SPEC")]
    pub plateau: Option<Plateau>,

    /// When the run blows up, go back and lower the rate: off, on(rollbacks=5, spike=10). [default: on]
    #[arg(long, value_name = "SPEC")]
    pub guard: Option<Guard>,

    /// Measure the curvature of the training loss, and with it the highest rate that is stable: sharpness,
    /// sharpness(10ep), sharpness(every=100, rows=500). [default: off]
    #[arg(long, value_name = "SPEC")]
    pub track: Option<Track>,

    /// Other rates and decays for some tensors: 'name(0.*, lr=0.1)', 'role(bias, lr=2, decay=1)'. Repeats.
    #[arg(long, value_name = "SPEC")]
    pub group: Vec<Group>,

    /// Measure and keep an average of the weights that moves by 1 − X of the way at each step, and by more in
    /// the first ones; 0 for none. [default: 0.99, and 0 where the optimizer or lookahead averages]
    #[arg(long, value_name = "X", value_parser = fraction, allow_hyphen_values = true)]
    pub ema: Option<f64>,

    /// Pull the weights back towards slow ones every few steps: every(5, alpha=0.5). [default: off]
    #[arg(long, value_name = "SPEC")]
    pub lookahead: Option<Lookahead>,

    /// The loss to minimise: cross-entropy, binary-cross-entropy, mse, mae, huber. Chosen by the task unless
    /// given.
    #[arg(long, value_name = "SPEC")]
    pub loss: Option<Loss>,

    /// The number of epochs. [default: 60]
    #[arg(long, value_name = "N", value_parser = epochs, allow_hyphen_values = true)]
    pub epochs: Option<u64>,

    /// The batch size. Chosen from the number of rows unless given.
    #[arg(long, value_name = "N", value_parser = batch, allow_hyphen_values = true)]
    pub batch: Option<usize>,

    /// The number of batches whose gradients are accumulated for each step. [default: 1]
    #[arg(long, value_name = "N", value_parser = batch, allow_hyphen_values = true)]
    pub accumulate: Option<usize>,

    /// Stop after this number of epochs without improvement: a number, after(10, metric=accuracy), or off.
    /// [default: 30]
    #[arg(long, value_name = "SPEC", value_parser = early_stopping, allow_hyphen_values = true)]
    pub early_stop: Option<EarlyStopping>,

    /// Which weights are kept: those of the best epoch, or the last. [default: best]
    #[arg(long, value_name = "best|last")]
    pub keep: Option<Keep>,

    /// The weight of the L1 penalty. [default: 0]
    #[arg(long, value_name = "X", value_parser = not_negative, allow_hyphen_values = true)]
    pub l1: Option<f64>,

    /// The weight of the L2 penalty. [default: 0]
    #[arg(long, value_name = "X", value_parser = not_negative, allow_hyphen_values = true)]
    pub l2: Option<f64>,

    /// The optimizer's own weight decay if it has one, otherwise decoupled decay. [default: adamw's and
    /// lamb's 0.01, muon's 0.1, else 0]
    #[arg(long, value_name = "X", value_parser = not_negative, allow_hyphen_values = true)]
    pub weight_decay: Option<f64>,

    /// The share of each weight that is taken away at every step, whatever the rate. [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction, allow_hyphen_values = true)]
    pub independent_decay: Option<f64>,

    /// Scale the weights into each unit down to this norm.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub max_norm: Option<f64>,

    /// Scale gradients down to this norm, all together.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub clip_norm: Option<f64>,

    /// Scale the gradients of each tensor down to this norm.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true, conflicts_with = "clip_norm")]
    pub clip_tensor_norm: Option<f64>,

    /// Limit every gradient to ± this value.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub clip_value: Option<f64>,

    /// The share of each label that is spread evenly over all classes. [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction, allow_hyphen_values = true)]
    pub label_smoothing: Option<f64>,

    /// `balanced` lets every class count the same, however few rows it has. [default: none]
    #[arg(long, value_name = "HOW")]
    pub class_weights: Option<ClassWeights>,

    /// The random seed. [default: 0]
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>, allow_hyphen_values = true)]
    pub seed: Option<u64>,
}

#[derive(Flags)]
#[command(next_help_heading = "Run")]
pub struct RunArgs {
    /// The folder that runs are kept in.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,

    /// What to call the run; a number is added if there is one of that name. [default: the data's name]
    #[arg(long)]
    pub name: Option<String>,

    /// Replace the run of that --name, if there is one, instead of adding a number.
    #[arg(long)]
    pub overwrite: bool,

    #[command(flatten)]
    pub running: Running,
}

#[derive(Flags)]
pub struct Threads {
    /// The number of threads; it changes no bit of the result. [default: one a core]
    #[arg(long, value_name = "N", value_parser = threads, allow_hyphen_values = true)]
    pub threads: Option<usize>,
}

// What changes no bit of the result.
#[derive(Flags)]
pub struct Running {
    #[command(flatten)]
    pub threads: Threads,

    /// Write a checkpoint at the end, and when an epoch ends and the last one is this many seconds old; 0
    /// writes one after every epoch. [default: 1, or 200 times as long as the last took to write]
    #[arg(long, value_name = "SECONDS", value_parser = age, allow_hyphen_values = true)]
    pub checkpoint_every: Option<Duration>,

    /// Keep a checkpoint after every N epochs, besides the last two and that of the best epoch: branches
    /// begin there at once.
    #[arg(long, value_name = "N", value_parser = epochs, allow_hyphen_values = true)]
    pub keep_every: Option<u64>,

    /// Write losses, metrics, rates, norms, histograms and settings for TensorBoard: each run into a folder
    /// of its own, called like the run, inside this one.
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,

    #[command(flatten)]
    pub view: ViewArgs,
}

#[derive(Flags)]
pub struct ViewArgs {
    /// What to show on the way: a dashboard with keys to steer the run (`?` in it lists them), a bar, or
    /// plain lines. [default: the dashboard in a terminal of 60 × 16 or more, plain lines in a pipe]
    #[arg(long, value_name = "HOW", value_enum)]
    pub view: Option<View>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum View {
    Dashboard,
    Bar,
    Plain,
}

#[derive(Flags)]
pub struct ResumeArgs {
    /// The run's folder, or its name inside --runs.
    pub run: PathBuf,

    /// Change the rate from the next step on: a rate such as 0.003, a factor such as 0.5x, `schedule` for
    /// what the run was started with, or a schedule, which then counts its steps from there.
    #[arg(long, value_name = "CHANGE", allow_hyphen_values = true)]
    pub lr: Option<RateChange>,

    /// The new length of the run in epochs, counted from its start.
    #[arg(long, value_name = "N", value_parser = epochs, allow_hyphen_values = true)]
    pub epochs: Option<u64>,

    #[command(flatten)]
    pub runs: RunsArgs,

    #[command(flatten)]
    pub running: Running,
}

#[derive(Flags)]
pub struct BranchArgs {
    /// The run's folder or its name inside --runs, and where to branch off: RUN@12ep, @-3ep, @step:1234,
    /// @best.
    #[arg(value_name = "RUN[@POINT]", value_parser = path_as_text())]
    pub run: String,

    /// Other data to go on with, of the same columns: a bundled data set, a file, or a folder of images.
    #[arg(value_parser = path_as_text())]
    pub data: Option<String>,

    /// Change the rate from the first step of the branch on: a rate such as 0.003, a factor such as 0.5x,
    /// `schedule` for what the run was started with, or a schedule, which then counts its steps from there.
    #[arg(long, value_name = "CHANGE", allow_hyphen_values = true)]
    pub lr: Option<RateChange>,

    #[command(flatten)]
    pub source: SourceArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub training: TrainingArgs,

    #[command(flatten)]
    pub run_args: RunArgs,
}

impl BranchArgs {
    /// The configuration of the branch of a run with this one.
    pub fn config(&self, mut config: RunConfig) -> Result<RunConfig, downhill::train::Error> {
        let its = config.data.clone();
        self.source.apply(self.data.as_deref(), &mut config.data);
        self.network.apply(&mut config)?;
        self.training.apply(&mut config)?;
        if config.data != its {
            config.data = config.data.absolute();
        }
        Ok(config)
    }
}

#[derive(Flags)]
pub struct ListArgs {
    /// What comes first: metric is best first, age newest first.
    #[arg(long, value_enum, value_name = "KEY", default_value_t = Sort::Age)]
    pub sort: Sort,

    /// Only those trained on the data of this name.
    #[arg(long, value_name = "NAME")]
    pub data: Option<String>,

    /// Only those that are running, finished, stopped-early, ended, interrupted, diverged, crashed or broken.
    #[arg(long, value_name = "STATE", value_parser = state)]
    pub state: Option<State>,

    #[command(flatten)]
    pub runs: RunsArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sort {
    Name,
    Data,
    State,
    Metric,
    Epochs,
    Age,
}

#[derive(Flags)]
pub struct ReportArgs {
    /// The runs' folders, or their names inside --runs.
    #[arg(required = true, value_name = "RUN")]
    pub names: Vec<PathBuf>,

    #[command(flatten)]
    pub runs: RunsArgs,

    /// Where the report is written. [default: report.html in the run's folder; of several runs, a file in the
    /// current folder that is called after them]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Draw the losses of training and validation into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

/// A run that is made again.
#[derive(Flags)]
pub struct AgainArgs {
    /// The run's folder, or its name inside --runs.
    pub run: PathBuf,

    #[command(flatten)]
    pub runs: RunsArgs,

    #[command(flatten)]
    pub threads: Threads,
}

#[derive(Flags)]
pub struct WatchArgs {
    #[command(flatten)]
    pub run: SteerArgs,

    #[command(flatten)]
    pub view: ViewArgs,
}

// A run that another process makes.
#[derive(Flags)]
pub struct SteerArgs {
    /// The run's folder, or its name inside --runs.
    pub run: PathBuf,

    #[command(flatten)]
    pub runs: RunsArgs,
}

#[derive(Flags)]
pub struct RunsArgs {
    /// The folder that runs are kept in.
    #[arg(long, value_name = "DIR", default_value = "runs")]
    pub runs: PathBuf,
}

#[derive(Flags)]
pub struct UseArgs {
    /// The run's folder, its name inside --runs, or a model file.
    pub run: PathBuf,

    /// A table, `-` for one on standard input, a folder of images, or the name of a bundled data set.
    #[arg(required_unless_present = "images", value_parser = path_as_text())]
    pub data: Option<String>,

    #[command(flatten)]
    pub read: ReadArgs,

    #[command(flatten)]
    pub runs: RunsArgs,
}

#[derive(Flags)]
pub struct PredictArgs {
    #[command(flatten)]
    pub using: UseArgs,

    /// Columns of the table to put in front of the predictions, as they are written: names, or numbers from
    /// 0, between commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', allow_hyphen_values = true)]
    pub keep: Vec<String>,
}

#[derive(Flags)]
pub struct ScheduleArgs {
    /// The schedules: 'cosine(0.1)', 'warmup(10%, then=step(0.1, every=2ep))', …
    #[arg(required = true, value_name = "SPEC")]
    pub specs: Vec<Spelt<Schedule>>,

    /// The length of the run in steps.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub steps: u64,

    /// The length of an epoch in steps. [default: the whole run]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub steps_per_epoch: Option<u64>,

    /// Draw rates on a logarithmic axis.
    #[arg(long)]
    pub log: bool,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

#[derive(Flags)]
pub struct PathArgs {
    /// An expression in one or two variables, such as 'x^2/20 + y^2', or a surface by name: quadratic,
    /// rosenbrock, beale, saddle, double-well.
    ///
    /// There are + - * / and ^ (-x^2 is -(x^2)), the constants pi, tau and e, and the functions sin, cos,
    /// tan, asin, acos, atan, sinh, cosh, tanh, exp, ln (or log), log2, log10, sqrt, cbrt, abs and sign.
    /// Variables are taken in alphabetical order.
    #[arg(value_name = "EXPR", allow_hyphen_values = true)]
    pub surface: Surface,

    /// Where to begin: a number for each variable, such as -7,2. [default: the named surface's own]
    #[arg(long, value_name = "NUMBERS", value_parser = numbers, allow_hyphen_values = true)]
    pub start: Option<Numbers>,

    /// The update rule; several are shown side by side. [default: sgd]
    #[arg(long = "optimizer", value_name = "SPEC", num_args = 1..)]
    pub optimizers: Vec<Spelt<Rule>>,

    /// The learning rate or its schedule: one for all, or one for each optimizer, in order. One optimizer
    /// goes with several.
    #[arg(long = "lr", value_name = "SPEC", required = true, num_args = 1.., allow_negative_numbers = true)]
    pub rates: Vec<Spelt<Schedule>>,

    /// The number of steps of each.
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub steps: u64,

    /// Add noise of this standard deviation to each component of each gradient, the same to all optimizers:
    /// what a minibatch does.
    #[arg(long, value_name = "SIGMA", default_value_t = 0.0, value_parser = not_negative, allow_hyphen_values = true)]
    pub noise: f64,

    /// The random seed of the noise.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole_number::<u64>, allow_hyphen_values = true)]
    pub seed: u64,

    /// The arithmetic of parameters, gradients and rules; training has f32.
    #[arg(long, value_enum, default_value_t = Precision::F32)]
    pub precision: Precision,

    /// The ends of the picture: x0,x1,y0,y1, or x0,x1 for one variable. Chosen from the surface and the paths
    /// unless given.
    #[arg(long, value_name = "NUMBERS", value_parser = numbers, allow_hyphen_values = true)]
    pub frame: Option<Numbers>,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Precision {
    F32,
    F64,
}

#[derive(Flags)]
pub struct InitArgs {
    /// The initialisers: auto, he-normal, glorot-uniform(gain=auto), normal(0.01), lsuv, …; may be given more
    /// than once.
    #[arg(long, value_name = "SPEC", default_value = "auto")]
    pub scheme: Vec<Spelt<Init>>,

    /// The activation behind every layer.
    #[arg(long, value_name = "SPEC", default_value = "relu")]
    pub activation: Spelt<Activation>,

    /// The sizes of the layers: 100x5 for five layers of 100 units, or 784,256,128.
    #[arg(long, value_name = "SIZES", default_value = "100x5", value_parser = repeated_sizes, allow_hyphen_values = true)]
    pub layers: Sizes,

    /// The number of rows, of standard normal numbers and as wide as the first layer.
    #[arg(long, value_name = "N", default_value = "1000", value_parser = some_rows, allow_hyphen_values = true)]
    pub rows: usize,

    /// The random seed of weights, rows and gradients.
    #[arg(long, value_name = "N", default_value = "0", value_parser = whole_number::<u64>, allow_hyphen_values = true)]
    pub seed: u64,

    /// Draw into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

/// A value, and how it was spelt.
#[derive(Clone)]
pub struct Spelt<T> {
    pub text: String,
    pub value: T,
}

impl<T: FromStr> FromStr for Spelt<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { text: text.to_string(), value: text.parse()? })
    }
}

/// A schedule; none is one whose peak is to be found.
#[derive(Clone)]
pub struct Rate(Option<Schedule>);

impl FromStr for Rate {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        spec::parse_or_auto(text).map(Self)
    }
}

#[derive(Clone)]
pub struct Numbers(pub Vec<f64>);

fn numbers(text: &str) -> Result<Numbers, String> {
    let one = |part: &str| {
        let number = part.trim().replace('−', "-").parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| format!("`{part}` is not a number; give numbers such as -7,2"))
    };
    text.split(',').map(one).collect::<Result<_, _>>().map(Numbers)
}

#[derive(Clone)]
pub struct Sizes(pub Vec<usize>);

fn sizes(text: &str) -> Result<Sizes, String> {
    if text == "none" {
        return Ok(Sizes(Vec::new()));
    }
    let size = |part: &str| match part.trim().parse() {
        Ok(0) | Err(_) => {
            Err(format!("`{part}` is not a size; give whole numbers above 0 such as 64,64, or `none`"))
        }
        Ok(size) => Ok(size),
    };
    text.split(',').map(size).collect::<Result<_, _>>().map(Sizes)
}

/// Sizes such as 100x5,10: a number of units, and how many layers have it.
fn repeated_sizes(text: &str) -> Result<Sizes, String> {
    const MOST: usize = 1000;
    let wrong =
        |part: &str| format!("`{part}` is not a size; give units and layers such as 100x5, or 784,256,128");
    let mut all = Vec::new();
    for part in text.split(',') {
        let (units, layers) = part.split_once('x').unwrap_or((part, "1"));
        let [units, layers] = [units, layers].map(|n| n.trim().parse::<usize>().ok().filter(|&n| n > 0));
        let (Some(units), Some(layers)) = (units, layers) else { return Err(wrong(part)) };
        if layers > MOST - all.len() {
            return Err(format!("these are more than {MOST} layers; give fewer"));
        }
        all.extend(std::iter::repeat_n(units, layers));
    }
    Ok(Sizes(all))
}

fn delimiter(text: &str) -> Result<u8, String> {
    ReadOptions::parse_delimiter(text).map_err(|error| error.to_string())
}

fn decimal(text: &str) -> Result<Decimal, String> {
    match text {
        "." | "point" => Ok(Decimal::Point),
        "," | "comma" => Ok(Decimal::Comma),
        _ => Err("give `.` or `,`".into()),
    }
}

fn date_order(text: &str) -> Result<DateOrder, String> {
    match text {
        "day-first" => Ok(DateOrder::DayFirst),
        "month-first" => Ok(DateOrder::MonthFirst),
        _ => Err("give day-first or month-first".into()),
    }
}

fn whole_number<N: FromStr>(text: &str) -> Result<N, String> {
    text.trim().parse().map_err(|_| match text.trim().bytes().all(|byte| byte.is_ascii_digit()) {
        true if !text.trim().is_empty() => "too large; give one up to 18446744073709551615".into(),
        _ => "give a whole number, 0 or above".into(),
    })
}

/// A whole number in a range.
fn count(text: &str, range: RangeInclusive<u64>) -> Result<u64, String> {
    let (least, most) = (range.start(), range.end());
    let wrong = match *most {
        u64::MAX => format!("give a whole number, at least {least}"),
        most => format!("give a whole number from {least} to {most}"),
    };
    whole_number(text).ok().filter(|number| range.contains(number)).ok_or(wrong)
}

fn epochs(text: &str) -> Result<u64, String> {
    count(text, 1..=1_000_000_000)
}

fn batch(text: &str) -> Result<usize, String> {
    count(text, 1..=u64::MAX).map(|rows| usize::try_from(rows).unwrap_or(usize::MAX))
}

/// At least two, which can differ.
fn some_rows(text: &str) -> Result<usize, String> {
    count(text, 2..=u64::MAX).map(|rows| usize::try_from(rows).unwrap_or(usize::MAX))
}

fn threads(text: &str) -> Result<usize, String> {
    count(text, 1..=1024).map(|threads| threads as usize)
}

fn state(text: &str) -> Result<State, String> {
    let found = State::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or_else(|| {
        let all = State::ALL.map(State::name);
        match nearest(text, all) {
            Some(meant) => format!("`{text}` is not a state; did you mean `{meant}`?"),
            None => format!("`{text}` is not a state; give one of {}", all.join(", ")),
        }
    })
}

fn age(text: &str) -> Result<Duration, String> {
    let most = 1e9; // 30 years
    number(text, "of seconds, at least 0", |x| (0.0..=most).contains(&x)).map(Duration::from_secs_f64)
}

fn number(text: &str, wanted: &str, fits: impl Fn(f64) -> bool) -> Result<f64, String> {
    let number = text.trim().parse().ok().filter(|number: &f64| number.is_finite() && fits(*number));
    number.ok_or_else(|| format!("give a number {wanted}"))
}

fn fraction(text: &str) -> Result<f64, String> {
    number(text, "of at least 0 and below 1, such as 0.1", |x| (0.0..1.0).contains(&x))
}

fn not_negative(text: &str) -> Result<f64, String> {
    number(text, "of at least 0, such as 0.001", |x| x >= 0.0)
}

fn positive(text: &str) -> Result<f64, String> {
    number(text, "above 0, such as 1", |x| x > 0.0)
}

/// A name or a path that need not be UTF-8, as text that says which one it is.
fn path_as_text() -> impl TypedValueParser<Value = String> {
    OsStringValueParser::new().map(|path| path_text::to_text(path.as_ref()))
}

/// A share, in percent or not, or else a file.
fn held(text: &str) -> Result<Validation, String> {
    let (digits, unit) = text.strip_suffix('%').map_or((text, 1.0), |digits| (digits, 100.0));
    match digits.parse::<f64>() {
        Ok(share) if share > 0.0 && share < unit => Ok(Validation::Share(share / unit)),
        Ok(_) => Err("give a share of the rows above 0 and below 1, such as 0.2, or a file".into()),
        Err(_) if text.is_empty() => Err("give a share of the rows such as 0.2, or a file".into()),
        Err(_) => Ok(Validation::File(path_text::from_text(text))),
    }
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("give yes or no".into()),
    }
}

fn early_stopping(text: &str) -> Result<EarlyStopping, String> {
    match text.parse::<u64>() {
        Ok(0) => Err("must be at least 1 epoch; `off` trains to the end".into()),
        Ok(patience) => Ok(EarlyStopping::After(Patience { patience, ..Patience::default() })),
        Err(_) if text.parse::<f64>().is_ok() => {
            Err("must be a whole number of epochs, at least 1; `off` trains to the end".into())
        }
        Err(_) => text.parse().map_err(|error: SpecError| error.to_string()),
    }
}

/// Puts a value in place of another, if it was given.
fn set<T>(place: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *place = value;
    }
}

impl SetupArgs {
    /// The configuration that the flags and the file they name come to.
    pub fn config(&self) -> Result<RunConfig, downhill::train::Error> {
        if let (Some(images), None) = (&self.source.read.images, &self.source.read.labels) {
            return Err(downhill::train::Error::Mismatch(format!(
                "the images {} have no labels, so there is nothing to learn; give them with --labels",
                images.display()
            )));
        }
        let mut config = match &self.config {
            Some(path) => RunConfig::read(path)?,
            None => RunConfig::default(),
        };
        self.source.apply(self.data.as_deref(), &mut config.data);
        self.network.apply(&mut config)?;
        set(&mut config.training.lr, self.rate.lr.clone().map(|rate| rate.0));
        self.training.apply(&mut config)?;
        config.parent = None; // the settings are begun with anew
        config.data = config.data.absolute();
        Ok(config)
    }
}

impl ReadArgs {
    fn apply(&self, data: Option<&str>, source: &mut Source) {
        if let Some(data) = data {
            (source.from, source.labels) = (data.to_string(), None);
        }
        if let Some(images) = &self.images {
            (source.from, source.labels) = (path_text::to_text(images), self.labels.clone());
        }
        if self.delimiter.is_some() {
            source.read.delimiter = self.delimiter;
        }
        if self.header.is_some() {
            source.read.header = self.header;
        }
        set(&mut source.read.encoding, self.encoding.clone().map(Some));
        set(&mut source.read.skip, self.skip.map(Some));
        set(&mut source.read.decimal, self.decimal.map(Some));
        set(&mut source.read.dates, self.dates.map(Some));
        if self.no_missing || !self.missing.is_empty() {
            source.read.missing = Some(self.missing.clone());
        }
        source.read.any_size |= self.any_size;
    }
}

impl SourceArgs {
    fn apply(&self, data: Option<&str>, source: &mut Source) {
        self.read.apply(data, source);
        if self.target.is_some() {
            source.target.clone_from(&self.target);
        }
        if let Some(task) = self.task {
            source.task = Some(match task {
                TaskName::Classification => Task::Classification,
                TaskName::Regression => Task::Regression,
            });
        }
        set(&mut source.valid, self.valid.clone().map(Some));
        for (place, given) in [
            (&mut source.read.categorical, &self.categorical),
            (&mut source.read.numeric, &self.numeric),
            (&mut source.read.drop, &self.drop),
        ] {
            if !given.is_empty() {
                place.clone_from(given);
            }
        }
    }
}

impl NetworkArgs {
    fn apply(&self, config: &mut RunConfig) -> Result<(), downhill::train::Error> {
        use downhill::train::{Error, Network};

        let Self { hidden, activation, init, batch_norm, dropout } = self;
        let given = hidden.is_some() || activation.is_some() || init.is_some();
        if !given && batch_norm.is_none() && dropout.is_none() {
            return Ok(());
        }
        let Network::Mlp(mlp) = &mut config.training.network else {
            return Err(Error::Mismatch(
                "the configuration lists the network's layers: --hidden, --activation, --init, --batch-norm and \
                 --dropout do not go with that; change the list"
                    .into(),
            ));
        };
        set(&mut mlp.hidden, hidden.clone().map(|sizes| sizes.0));
        set(&mut mlp.activation, *activation);
        set(&mut mlp.init, *init);
        set(&mut mlp.batch_norm, *batch_norm);
        set(&mut mlp.dropout, *dropout);
        Ok(())
    }
}

impl TrainingArgs {
    fn apply(&self, config: &mut RunConfig) -> Result<(), downhill::train::Error> {
        use downhill::nn::loss::CrossEntropy;
        use downhill::train::Error;

        let training = &mut config.training;
        set(&mut training.optimizer, self.optimizer);
        set(&mut training.momentum, self.momentum.clone().map(Some));
        set(&mut training.plateau, self.plateau);
        set(&mut training.guard, self.guard);
        set(&mut training.track, self.track);
        if !self.group.is_empty() {
            training.groups.clone_from(&self.group);
        }
        set(&mut training.ema, self.ema.map(Some));
        set(&mut training.lookahead, self.lookahead);
        set(&mut training.accumulate, self.accumulate);
        set(&mut training.loss, self.loss.clone().map(Some));
        set(&mut training.epochs, self.epochs);
        set(&mut training.batch, self.batch.map(Some));
        set(&mut training.early_stopping, self.early_stop);
        set(&mut training.keep, self.keep);
        set(&mut training.class_weights, self.class_weights);
        set(&mut training.seed, self.seed);
        // A rule that has a decay of its own is meant to use that.
        match training.optimizer.weight_decay_mut() {
            Some(own) => set(own, self.weight_decay),
            None => set(&mut training.restraints.weight_decay, self.weight_decay),
        }
        let restraints = &mut training.restraints;
        set(&mut restraints.l1, self.l1);
        set(&mut restraints.l2, self.l2);
        set(&mut restraints.clip_norm, self.clip_norm.map(Some));
        set(&mut restraints.clip_value, self.clip_value.map(Some));
        set(&mut restraints.clip_tensor_norm, self.clip_tensor_norm.map(Some));
        set(&mut restraints.max_norm, self.max_norm.map(Some));
        set(&mut restraints.independent_decay, self.independent_decay);
        if let Some(smoothing) = self.label_smoothing {
            match training.loss.get_or_insert_with(|| Loss::CrossEntropy(CrossEntropy::default())) {
                Loss::CrossEntropy(loss) => loss.label_smoothing = smoothing,
                _ => {
                    return Err(Error::Mismatch("--label-smoothing goes with the loss cross-entropy".into()));
                }
            }
        }
        Ok(())
    }
}

impl UseArgs {
    /// Reads the data, to use a model on.
    pub fn table(&self, predictor: &Predictor) -> Result<Table, downhill::train::Error> {
        if let Some(images) = &self.read.images {
            let options = ReadOptions { any_size: self.read.any_size, ..ReadOptions::default() };
            return Ok(Table::images_with(images, self.read.labels.as_deref(), &options)?);
        }
        let mut source = Source::default();
        self.read.apply(self.data.as_deref(), &mut source);
        source.table(predictor.encoder())
    }

    /// Whether the data is one that comes with the program.
    pub fn is_bundled(&self) -> bool {
        let data = self.data.as_deref();
        downhill::data::bundled::catalogue().iter().any(|bundled| Some(bundled.name) == data)
    }

    /// Some columns of the same data as they are written.
    pub fn columns(&self, predictor: &Predictor, names: &[String]) -> Result<Table, downhill::train::Error> {
        let mut source = Source::default();
        self.read.apply(self.data.as_deref(), &mut source);
        let read = &mut source.read;
        (read.categorical, read.missing) = (names.to_vec(), Some(Vec::new()));
        source.table(predictor.encoder())
    }
}
