//! The command line: what stands in front of any command, and the commands there are.

use clap::{Parser, Subcommand};
use downhill::train::RateChange;
use downhill_report::Lang;

use crate::args::{AgainArgs, Format, SteerArgs};
use crate::branch::BranchArgs;
use crate::evaluate::EvaluateArgs;
use crate::explain::ExplainArgs;
use crate::export::ExportArgs;
use crate::find_lr::FindLrArgs;
use crate::init::InitArgs;
#[cfg(feature = "lab")]
use crate::lab::LabArgs;
use crate::path::PathArgs;
use crate::predict::PredictArgs;
use crate::report::ReportArgs;
use crate::runs::ListArgs;
use crate::schedule::ScheduleArgs;
use crate::search::Search;
use crate::sweep::Sweep;
use crate::train::{ResumeArgs, TrainArgs};
use crate::watch::WatchArgs;
use crate::work::WorkArgs;

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

    /// The language of what people read: messages, tables, figures, reports. [default: ko where the locale is
    /// Korean, otherwise en]
    #[arg(long, global = true, value_name = "en|ko")]
    pub lang: Option<Lang>,
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
    /// and a space; with `if optimizer=muon` behind it, only where another one has that value. Without any, a
    /// usual space is searched, in which flags that are given stay as they are. Numbers for --lr are peaks of
    /// warmup(5%, then=cosine(…)); unless given, it is times(0.1, 10), multiples of the rate that `find-lr`
    /// finds with the other settings as they are given, which is done first, once for each optimizer. The same
    /// search makes the same trials, with any number of workers. The best one is trained to its end and kept
    /// as a run in the study's folder; with --folds, it is the average of the networks of all folds.
    Search(Box<Search>),
    /// Make trials of a search that another process has begun: in a folder, or in a database on any machine.
    ///
    /// Any number of these may work on a study, and come and go as they like, by kill -9 too: what one has
    /// not ended another takes over, and the study is the same trial for trial. The data of the study must
    /// be on this machine, in the same place or where --data says.
    Work(WorkArgs),
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
    ///
    /// Besides the metrics: the log loss, −ln of the probability of the right class; the Brier score, the mean
    /// squared distance of probabilities from what happened; and the expected calibration error, how far
    /// probabilities are from the shares that came true, in ten bins of equal width. Of numbers, how many
    /// rows the intervals of nine in ten hold.
    Evaluate(EvaluateArgs),
    /// Show which columns a trained network goes by, how, and where it is wrong.
    ///
    /// Importance is by how much the loss grows if a column's values are permuted among the rows, with the
    /// standard error of that over the rows; a column that others say the same as counts little. Dependence is
    /// the mean prediction with all rows given the same value of a column. The worst rows are those with the
    /// greatest loss. Rows that were not trained on say most. The numbers, with --format csv, are the
    /// importance's.
    Explain(ExplainArgs),
    /// Predict the rows of a table, as CSV.
    Predict(PredictArgs),
    /// Write a trained network with all its preprocessing as one ONNX file, or as JSON in plain words.
    ///
    /// The ONNX model (operator set 18, ai.onnx.ml 3) has an input for each column and gives what `predict`
    /// does: the class and the probabilities, or the number in its own unit. Numbers are given as numbers, NaN
    /// where missing; categories as text; dates as seconds since 1970, for no operator reads them from text,
    /// nor numbers such as 1.234,50. What each input is to be given is printed, and is in the file.
    Export(ExportArgs),
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
    /// Open a page where runs are watched, steered, started and compared, and learning rates are understood.
    ///
    /// The page is served to this machine alone, at the address that is the first line printed: whoever has
    /// it may steer runs and start new ones. It is there until Ctrl-C; runs that it started go on.
    #[cfg(feature = "lab")]
    Lab(LabArgs),
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
