//! `downhill search`

mod again;
mod optuna;
mod picture;
mod place;
mod space;
mod start;
mod tell;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches, value_parser};
use downhill::data::Dataset;
use downhill::optim::nearest;
use downhill::prelude::{Predictor, Trainer};
use downhill::search::{Budget, Database, Networks, Plan, Sampler, Settings, StopRule, Trial};
use downhill::train::{
    Command as Told, Config, Ensemble, Event, Monitor, RunConfig, RunFolder, Stop, durable, fingerprint, log,
};
use downhill_report::Lang;

use crate::args::{FoldsArgs, Format, SetupArgs};
use crate::given::{self, given};
use crate::plot::PlotFile;
use crate::{Failure, output, sweep, train};

pub use picture::picture;
pub use place::Place;
pub use space::Searched;

/// What a run of the study's winner is called.
const BEST: &str = "best";

// What a search has besides the settings of its trials.
#[derive(Args)]
#[command(next_help_heading = "Search")]
pub struct SearchArgs {
    /// End after this number of trials. [default: 50, if nothing else ends the search]
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    trials: Option<u64>,

    /// End after this number of epochs, those of all trials together.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    epochs_total: Option<u64>,

    /// End after this time, such as 90s, 5m or 1h; the best trial is trained to its end after it.
    #[arg(long, value_name = "TIME", value_parser = time, allow_hyphen_values = true)]
    time: Option<f64>,

    /// How settings are suggested: tpe, random, sobol, grid, coarse-to-fine. [default: tpe]
    #[arg(long, value_name = "NAME")]
    sampler: Option<Sampler>,

    /// Which trials go on: halving(eta=3, rungs=4) pauses those that are not among the best third and goes on
    /// with them once they are; median; none. [default: halving]
    #[arg(long, value_name = "SPEC")]
    stop: Option<StopRule>,

    /// What is searched for, over the validation rows, of the weights that are kept: loss, accuracy,
    /// balanced-accuracy, f1, roc-auc, rmse, mae, r2. [default: loss]
    #[arg(long, value_name = "NAME", value_parser = metric)]
    metric: Option<Monitor>,

    /// Search for the mean over this number of random seeds of the training, which takes as many times as
    /// long and depends less on luck. The best run is that of the first seed. [default: 1]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,

    #[command(flatten)]
    folds: FoldsArgs,

    /// Try the settings of this run first, those that are searched: a run's folder. May be given again.
    #[arg(long, value_name = "RUN")]
    start_from: Vec<PathBuf>,

    /// Begin near what was good in this study, which may be of other data: its folder. Its best fifth stands
    /// in for the first results, until there are some of this one. With the sampler tpe.
    #[arg(long, value_name = "STUDY")]
    prior: Option<PathBuf>,

    /// The number of trials at once, each on one thread; it changes nothing but the time. [default: one a
    /// core]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    /// How many trials may be under way at once, whatever the number of workers: a suggestion does not know
    /// what those come to. Fewer make a search better, trial for trial; more let more workers take part, on
    /// other machines too. [default: one a core of the machine that begins the study, at most 8]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=10000))]
    window: Option<u64>,

    /// Train the best three again with this number of random seeds at the end, 2 to 1000, to see how much was
    /// luck; the one with the best mean wins. 0 leaves it out.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = again::seeds)]
    repeats: u64,

    /// Draw the study into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    plot: Option<PlotFile>,

    /// Write the study for another program: `optuna FILE`, a journal that optuna-dashboard opens.
    #[arg(long, value_names = ["PROGRAM", "FILE"], num_args = 2)]
    export: Option<Vec<String>>,

    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = "studies")]
    studies: PathBuf,

    /// What to call the study; a number is added if there is one of that name. [default: the data's name]
    #[arg(long)]
    name: Option<String>,

    /// Keep the study in a PostgreSQL database, on which `downhill work` on any number of machines works too:
    /// postgres://USER:PASSWORD@HOST/DATABASE. The best run is kept in --studies all the same.
    #[arg(long, value_name = "URL")]
    storage: Option<Database>,

    /// Let others take a job over if this process has been stopped for this number of seconds or, with
    /// --storage, has not been heard of.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = value_parser!(u64).range(1..=86400))]
    lease: u64,

    /// Go on with a study: its folder, or its name inside --studies or --storage. Its budget may be larger
    /// than it was.
    #[arg(long, value_name = "STUDY")]
    resume: Option<PathBuf>,
}

impl SearchArgs {
    fn lease(&self) -> Duration {
        Duration::from_secs(self.lease)
    }

    /// The database that the study is kept in, if it is.
    fn database(&self) -> Option<Database> {
        self.storage.clone().map(|database| database.lease(self.lease()))
    }
}

/// A search as the command line asks for it.
pub struct Search {
    own: SearchArgs,
    searched: Searched,
}

/// A command of the settings of one trial.
fn setup() -> Command {
    let command = Command::new("search").bin_name("downhill search").no_binary_name(true);
    SetupArgs::augment_args(command)
}

impl Args for Search {
    fn augment_args(command: Command) -> Command {
        let varied = sweep::varied();
        let as_text = |flag: Arg| match varied.contains(flag.get_id().as_str()) {
            true => flag.value_parser(value_parser!(String)).action(ArgAction::Set),
            false => flag,
        };
        let command = SetupArgs::augment_args(command).mut_args(as_text);
        let command =
            command.mut_arg("data", |data| data.required_unless_present_any(["config", "images", "resume"]));
        SearchArgs::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Search {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let own = SearchArgs::from_arg_matches(matches)?;
        let varied = sweep::varied();
        let mut searched = Searched::new(own.metric.unwrap_or_default(), own.seeds.unwrap_or(1));
        searched.folds = own.folds.folds();
        for flag in given(matches, &setup()) {
            let word = |word: OsString| {
                word.into_string().map_err(|word| {
                    wrong(&format!(
                        "{} is not UTF-8; a search writes its settings down as text",
                        word.display()
                    ))
                })
            };
            match flag.long.as_ref().filter(|_| flag.takes_values && varied.contains(&flag.id)) {
                Some(long) => {
                    for value in flag.values {
                        searched.add(long, &word(value)?).map_err(|why| wrong(&why))?;
                    }
                }
                None => {
                    for given in flag.words() {
                        searched.words.push(word(given)?);
                    }
                }
            }
        }
        if own.resume.is_some() {
            let fixed = [
                "sampler",
                "stop",
                "metric",
                "seeds",
                "folds",
                "group_by",
                "time_split",
                "start_from",
                "prior",
                "window",
                "name",
            ];
            let is_given = |id: &&str| matches.value_source(id) == Some(ValueSource::CommandLine);
            if !searched.is_bare() || fixed.iter().any(is_given) {
                return Err(wrong(
                    "a study that goes on keeps its own settings; give --resume no more than --trials, \
                     --epochs-total, --time, --workers, and where the study is",
                ));
            }
        } else {
            searched.complete().map_err(|why| wrong(&why))?;
        }
        Ok(Self { own, searched })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn wrong(message: &str) -> Error {
    given::wrong(Search::augment_args(Command::new("search").bin_name("downhill search")), message)
}

fn time(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_alphabetic()).len());
    let scale = match unit {
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err("give a time such as 90s, 5m or 1h".into()),
    };
    let number = number.trim().parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.map(|number| number * scale).ok_or_else(|| "give a time above 0, such as 90s, 5m or 1h".into())
}

pub fn metric(text: &str) -> Result<Monitor, String> {
    const ALL: [Monitor; 8] = [
        Monitor::Loss,
        Monitor::Accuracy,
        Monitor::BalancedAccuracy,
        Monitor::F1,
        Monitor::RocAuc,
        Monitor::Rmse,
        Monitor::Mae,
        Monitor::R2,
    ];
    let found = ALL.into_iter().find(|metric| metric.name() == text);
    found.ok_or_else(|| match nearest(text, ALL.map(Monitor::name)) {
        Some(meant) => format!("`{text}` is not a metric; did you mean `{meant}`?"),
        None => format!("`{text}` is not a metric; give one of {}", ALL.map(Monitor::name).join(", ")),
    })
}

pub fn search(search: &Search, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let Search { own, searched } = search;
    if let Some([program, _]) = own.export.as_deref()
        && program != "optuna"
    {
        return Err(Failure::Usage(format!(
            "--export writes for optuna, not for `{program}`; --format json and csv are for other programs"
        )));
    }
    let began = Instant::now();
    let budget = Budget { trials: own.trials, epochs_total: own.epochs_total, seconds: own.time };
    let is_given = budget != Budget::default();
    let workers = cores_or(own.workers);
    let interrupt = Interrupt::default();
    let on_signal = interrupt.clone();
    ctrlc::set_handler(move || on_signal.tell())?;
    let stop = interrupt.stop.clone();
    let place = match &own.resume {
        Some(study) => Place::open(study, own.database().as_ref(), &own.studies)?,
        None => match begin(own, searched, (budget, began), workers, &interrupt, quiet)? {
            Some(place) => place,
            None => return Err(train::nothing_saved(quiet)),
        },
    };
    let plan = place.plan()?;
    let Prepared { searched, data } = Prepared::of(&plan, &place, None)?;
    if !quiet && workers as u64 > plan.window {
        output::note(&format!(
            "{workers} workers, and no more than {} may be under way at once: the others have nothing to do; a study \
             that is begun with --window {workers} has something for all of them",
            output::count(plan.window, "trial")
        ));
    }
    let mut study = place.with_lease(own.lease()).study(plan).counts_from(began);
    if is_given {
        study = study.budget(budget);
    }
    let networks = searched.mean(&data)?;
    study = study.workers(workers).stop_when(stop.clone());
    if !quiet {
        let shown = searched.clone();
        study = study.watch(move |event, history| tell::on_the_way(&shown, event, history));
    }
    let history = study.run(&networks)?;
    if stop.load(Ordering::Relaxed) {
        return Err(interrupted(&place, quiet));
    }
    if history.best().is_none() {
        return Err(Failure::Message(format!(
            "no trial came to a value, so there is no best one ({}); see {} for the reasons",
            output::count(history.trials().len() as u64, "trial"),
            place.log()
        )));
    }
    let interrupted_now = || stop.load(Ordering::Relaxed);
    let repeated = match own.repeats {
        0 => Vec::new(),
        seeds => match again::again(&searched, &history, &data, seeds, workers, &interrupted_now)? {
            Some(repeated) => repeated,
            None => return Err(interrupted(&place, quiet)),
        },
    };
    // Where there are repeats, luck with one seed does not win.
    let best = repeated.first().map(|first| first.number);
    let best = best.or(history.best().map(|best| best.number)).expect("there is one");
    let best = &history.trials()[best as usize];
    let inbox = interrupt.inbox();
    let Some(winner) = Winner::train(&searched, best, place.folder(), &data, workers, inbox)? else {
        return Err(interrupted(&place, quiet));
    };
    let name = place.name();
    if let Some([_, file]) = own.export.as_deref() {
        let journal = optuna::journal(&searched, &history, &name);
        durable::write("write the journal", Path::new(file), journal.as_bytes())?;
    }
    if let Some(file) = &own.plot {
        file.write(&picture(&searched, &history, name, lang).svg_file(), quiet)?;
    }
    match format {
        Format::Json => output::print_json(&tell::object(&searched, &history, &winner, &repeated, &place)),
        Format::Csv => output::print_flat_csv_rows(&tell::trials(&searched, &history)),
        Format::Text => output::print(&tell::text(&searched, &history, &winner, &repeated, &place)),
    }
}

/// What Ctrl-C does: it stops the study, and whatever is trained besides.
#[derive(Clone, Default)]
struct Interrupt {
    stop: Arc<AtomicBool>,
    listeners: Arc<Mutex<Vec<mpsc::Sender<Told>>>>,
}

impl Interrupt {
    fn tell(&self) {
        self.stop.store(true, Ordering::Relaxed);
        for listener in self.listeners.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let _ = listener.send(Told::Stop); // what is over does not listen
        }
    }

    fn is_told(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Where a training hears of it, even if it was before.
    fn inbox(&self) -> mpsc::Receiver<Told> {
        self.inbox_until(None)
    }

    /// The same, with a time limit as well.
    fn inbox_until(&self, end: Option<Instant>) -> mpsc::Receiver<Told> {
        let (sender, inbox) = mpsc::channel();
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        if self.is_told() {
            let _ = sender.send(Told::Stop); // its other end is here
        }
        if let Some(end) = end {
            let sender = sender.clone();
            std::thread::spawn(move || {
                std::thread::sleep(end.saturating_duration_since(Instant::now()));
                let _ = sender.send(Told::Stop); // it may be over by then
            });
        }
        listeners.push(sender);
        inbox
    }
}

/// The number of workers, which is that of cores unless it is given.
pub fn cores_or(workers: Option<u64>) -> usize {
    workers.map_or_else(
        || std::thread::available_parallelism().map_or(1, Into::into),
        |workers| workers as usize,
    )
}

/// What it takes to make the trials of a study.
pub struct Prepared {
    pub searched: Searched,
    /// One, or that of each fold.
    pub data: Vec<Dataset>,
}

impl Prepared {
    /// As its plan says, with the data in another place if it is given.
    pub fn of(plan: &Plan, place: &Place, data: Option<&str>) -> Result<Self, Failure> {
        let mut searched = Searched::of_plan(plan)?;
        if let Some(data) = data {
            searched.take_data_from(data);
        }
        let base = searched.base()?;
        let data = searched.load(&base)?;
        let last = data.last().ok_or(downhill::train::Error::NoData)?;
        if plan.data.as_ref().is_some_and(|then| *then != fingerprint(last)) {
            return Err(Failure::Message(format!(
                "the data of the study {place} has changed since it began: it cannot go on as if it had not; \
                 bring the old data back, or begin a new study"
            )));
        }
        Ok(Self { searched, data })
    }
}

/// Says what Ctrl-C leaves behind.
fn interrupted(place: &Place, quiet: bool) -> Failure {
    if !quiet {
        output::tell(&format!(
            "interrupted: the study is in {place}; `downhill search {}` goes on",
            place.resumed_by()
        ));
    }
    Failure::Interrupted
}

/// Begins a new study, once its settings are known to go with the data, and the rate is found that the
/// multiples of the search are of. None if that is interrupted.
fn begin(
    own: &SearchArgs,
    searched: &Searched,
    (budget, began): (Budget, Instant),
    threads: usize,
    interrupt: &Interrupt,
    quiet: bool,
) -> Result<Option<Place>, Failure> {
    let base = searched.base()?;
    if base.data.from == "-" {
        return Err(Failure::Usage(
            "a search reads its data again for the best trial; give a file, not `-`".into(),
        ));
    }
    let data = searched.load(&base)?;
    let whole = space::whole(&data)?;
    let networks = Networks::new(whole, searched.metric, |_: &Settings| Ok(Config::default()))?;
    let resolved = base.training.resolve(whole)?.0;
    let usual = Plan::default();
    let mut plan = Plan {
        objective: Vec::new(),
        data: data.last().map(fingerprint),
        goal: networks.goal(),
        seed: base.training.seed,
        sampler: own.sampler.unwrap_or_default(),
        stop: own.stop.unwrap_or_default(),
        epochs: base.training.epochs,
        window: own.window.unwrap_or_else(|| usual.window.min(cores_or(None) as u64)),
        budget,
        space: searched.space.clone(),
        prior: own.prior.as_ref().map_or(Ok(Vec::new()), |study| start::prior(searched, study))?,
        ..usual
    };
    // Errors in it are reported before time is spent on finding a rate.
    plan.check()?;
    let mut searched = searched.clone();
    if searched.is_of_multiples() {
        let share = budget.seconds.map(|seconds| Duration::from_secs_f64(seconds * start::SHARE_OF_TIME));
        let end = share.and_then(|share| began.checked_add(share));
        let rates = start::find_rates(&searched, whole, threads, interrupt, end, quiet)?;
        let Some(rates) = rates else { return Ok(None) };
        searched.rates = rates;
    }
    plan.objective = searched.objective(&base);
    plan.first = start::first(&searched, &resolved, whole, &own.start_from, plan.sampler)?;
    let name = own.name.clone().unwrap_or_else(|| base.data.name());
    Ok(Some(Place::create(own.database().as_ref(), &own.studies, &name, &plan)?))
}

/// The best trial, trained to its end and kept.
struct Winner {
    number: u64,
    value: Option<f64>,
    weights_sha256: String,
    run: PathBuf,
    command: String,
}

impl Winner {
    /// Trains it, unless it is there from before. None if that is interrupted.
    fn train(
        searched: &Searched,
        best: &Trial,
        folder: &Path,
        data: &[Dataset],
        threads: usize,
        inbox: mpsc::Receiver<Told>,
    ) -> Result<Option<Self>, Failure> {
        let config = searched.config(&best.settings).map_err(Failure::Message)?;
        let run = folder.join(BEST);
        let predictor = match Self::kept(searched, &run, &config, data) {
            Some(predictor) => predictor,
            None => {
                if run.exists() {
                    std::fs::remove_dir_all(&run)?;
                }
                let trainer = Trainer::from_config(config.training.clone()).threads(threads).inbox(inbox);
                let trainer = match searched.folds.clone() {
                    Some(folds) => trainer.folds(folds),
                    None => trainer,
                };
                match trainer.fit_in(folder, Some(BEST), &config.data) {
                    Ok(trained) if trained.stop() == Stop::Interrupted => return Ok(None),
                    Ok(trained) => trained.predictor().clone(),
                    Err(downhill::train::Error::Interrupted) => return Ok(None),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        Ok(Some(Self {
            number: best.number,
            value: Self::value(searched, &run, &predictor, data)?,
            weights_sha256: predictor.weights_sha256(),
            run,
            command: searched.command(&best.settings).map_err(Failure::Message)?,
        }))
    }

    /// The metric over the validation rows; of folds, the mean of those of each network.
    fn value(
        searched: &Searched,
        run: &Path,
        predictor: &Predictor,
        data: &[Dataset],
    ) -> Result<Option<f64>, Failure> {
        let of = |predictor: &Predictor, data: &Dataset| -> Result<Option<f64>, Failure> {
            let evaluation = predictor.evaluate_rows(&data.valid)?;
            Ok(searched.metric.of(evaluation.loss, &evaluation.metrics))
        };
        if searched.folds.is_none() {
            return of(predictor, space::whole(data)?);
        }
        let folder = RunFolder::open(run)?;
        let fold = |(number, data): (usize, &Dataset)| {
            of(&Predictor::load(RunFolder::open(&folder.member(number))?.model_path())?, data)
        };
        let values = data.iter().enumerate().map(fold).collect::<Result<Option<Vec<f64>>, Failure>>()?;
        Ok(values.map(|values| values.iter().sum::<f64>() / values.len() as f64))
    }

    /// What is kept of a run of these settings that is over.
    fn kept(searched: &Searched, run: &Path, config: &RunConfig, data: &[Dataset]) -> Option<Predictor> {
        let folder = RunFolder::open(run).ok()?;
        let its = RunConfig::of(&folder).ok()?;
        let mut wanted = config.training.resolve(space::whole(data).ok()?).ok()?.0;
        // A rate that was found is the same for the same settings.
        if wanted.lr.is_none() {
            wanted.lr.clone_from(&its.training.lr);
        }
        let (records, _) = log::read(&folder.log_path()).ok()?;
        let is_over = records.last().is_some_and(
            |record| matches!(record.event, Event::Stop { reason, .. } if reason != Stop::Interrupted),
        );
        let ensemble = searched.folds.clone().map(Ensemble::Folds);
        let same = its.training == wanted && its.ensemble == ensemble && its.parent.is_none();
        (same && is_over).then(|| Predictor::load(folder.model_path()).ok()).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!([time("90"), time("90s"), time("1.5m"), time("2h")], [90.0, 90.0, 90.0, 7200.0].map(Ok));
        assert!(time("5d").is_err() && time("-3s").is_err() && time("").is_err() && time("0").is_err());
    }

    #[test]
    fn metrics_are_named() {
        assert_eq!(metric("roc-auc"), Ok(Monitor::RocAuc));
        assert!(metric("acuracy").unwrap_err().contains("did you mean `accuracy`"));
        assert!(metric("x").unwrap_err().contains("give one of loss, accuracy"));
    }
}
