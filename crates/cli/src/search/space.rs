//! What is searched: flags with spaces, and those that stay as they are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use clap::FromArgMatches;
use downhill::data::{Dataset, Folds, TimeOrder};
use downhill::optim::{Rule, Schedule};
use downhill::search::{Condition, Domain, Error, Mean, Networks, Objective, Plan, Settings, Space, Value};
use downhill::train::{Config, Ensemble, Monitor, Network, RunConfig, Trainer, usual_rate, usual_schedule};

use super::setup;
use crate::Failure;
use crate::args::{SetupArgs, divide};

/// The learning rate, whose numbers are peaks of the usual schedule.
pub const RATE: &str = "lr";

/// The optimizer, by which the rate differs.
pub const OPTIMIZER: &str = "optimizer";

/// The space of the rate unless it is given.
const USUAL_RATE: &str = "times(0.1, 10)";

/// What is searched besides the rate unless something else is.
const USUAL: [(&str, &str); 7] = [
    ("hidden", "choice(64, 128, 256, 64,64, 128,128, 256,256, 128,128,128)"),
    ("dropout", "uniform(0, 0.5)"),
    ("activation", "choice(relu, gelu, silu)"),
    ("optimizer", "choice(adamw, muon, nesterov)"),
    ("weight-decay", "log(1e-4, 1)"),
    ("batch", "choice(16, 32, 64, 128)"),
    ("ema", "choice(0, 0.9, 0.99)"),
];

/// How a study writes down what its objective is, besides the flags of a training: the metric, over how many
/// seeds and which folds it is the mean, and the rates that the multiples of the search are of.
const METRIC: &str = "--metric=";
const SEEDS: &str = "--seeds=";
const FOLDS: &str = "--folds=";
const GROUP_BY: &str = "--group-by=";
const TIME_SPLIT: &str = "--time-split=";
const FOUND_RATE: &str = "--found-rate=";

/// Flags that shape the search itself: the data is split by the seed, and trials are compared after equal
/// epochs.
const NOT_SEARCHED: [&str; 2] = ["seed", "epochs"];

/// Flags with spaces, and those that stay as they are, as words of a command line.
#[derive(Clone, Default)]
pub struct Searched {
    pub space: Space,
    pub words: Vec<String>,
    pub metric: Monitor,
    /// Over how many seeds of the training.
    pub seeds: u64,
    /// Over which folds of the data, if it is cross-validated.
    pub folds: Option<Folds>,
    /// The rate that suits each optimizer here, as it is spelt; what is missing has its usual rate.
    pub rates: BTreeMap<String, f64>,
}

impl Searched {
    pub fn new(metric: Monitor, seeds: u64) -> Self {
        Self { metric, seeds, ..Self::default() }
    }

    /// The same as when a study began.
    pub fn of_plan(plan: &Plan) -> Result<Self, Failure> {
        let broken = |word: &str| {
            Failure::Message(format!("the objective in the study's search.toml cannot be read: `{word}`"))
        };
        let metric = plan.objective.first().and_then(|word| word.strip_prefix(METRIC)).ok_or_else(|| {
            Failure::Message("the study's search.toml does not say what its metric is".into())
        })?;
        // What older studies do not say, they do not have.
        let mut searched = Self::new(super::metric(metric).map_err(Failure::Message)?, 1);
        searched.space.clone_from(&plan.space);
        for word in &plan.objective[1..] {
            if let Some(seeds) = word.strip_prefix(SEEDS) {
                searched.seeds = seeds.parse().map_err(|_| broken(word))?;
            } else if let Some(count) = word.strip_prefix(FOLDS) {
                searched.folds = Some(Folds::new(count.parse().map_err(|_| broken(word))?));
            } else if let Some(column) = word.strip_prefix(GROUP_BY) {
                searched.folds.as_mut().ok_or_else(|| broken(word))?.group_by = Some(column.into());
            } else if let Some(column) = word.strip_prefix(TIME_SPLIT) {
                searched.folds.as_mut().ok_or_else(|| broken(word))?.time_split = Some(match column {
                    "" => TimeOrder::File,
                    column => TimeOrder::Column(column.into()),
                });
            } else if let Some(found) = word.strip_prefix(FOUND_RATE) {
                let (optimizer, rate) = found.rsplit_once('=').ok_or_else(|| broken(word))?;
                let rate = rate.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
                searched.rates.insert(optimizer.into(), rate.ok_or_else(|| broken(word))?);
            } else {
                searched.words.push(word.clone());
            }
        }
        Ok(searched)
    }

    /// The folds as flags of a training.
    fn folds_as_flags(&self) -> Vec<String> {
        let Some(Folds { count, group_by, time_split }) = &self.folds else { return Vec::new() };
        let group_by = group_by.as_ref().map(|column| format!("{GROUP_BY}{column}"));
        let time_split = time_split.as_ref().map(|order| match order {
            TimeOrder::File => TIME_SPLIT.trim_end_matches('=').to_string(),
            TimeOrder::Column(column) => format!("{TIME_SPLIT}{column}"),
        });
        std::iter::once(format!("{FOLDS}{count}")).chain(group_by).chain(time_split).collect()
    }

    /// What a study writes down of it, besides the space: the metric, and the flags that stay as they are,
    /// with the place of the data from wherever the study goes on.
    pub fn objective(&self, base: &RunConfig) -> Vec<String> {
        let place =
            |word: &String| if word.starts_with("--") { word.clone() } else { base.data.from.clone() };
        let metric = format!("{METRIC}{}", self.metric.name());
        let seeds = (self.seeds > 1).then(|| format!("{SEEDS}{}", self.seeds));
        // A time split by the order of the file has an empty column here, so that all have a `=`.
        let folds = self.folds_as_flags().into_iter();
        let folds = folds.map(|flag| if flag.contains('=') { flag } else { format!("{flag}=") });
        let rates = self.rates.iter().map(|(optimizer, rate)| format!("{FOUND_RATE}{optimizer}={rate}"));
        let own = std::iter::once(metric).chain(seeds).chain(folds).chain(rates);
        own.chain(self.words.iter().map(place)).collect()
    }

    /// Reads the data: one set, or one for each fold.
    pub fn load(&self, base: &RunConfig) -> Result<Vec<Dataset>, downhill::train::Error> {
        match &self.folds {
            None => Ok(vec![base.data.load(base.training.seed)?]),
            Some(folds) => base.data.load_folds(folds, base.training.seed),
        }
    }

    /// Reads the data from another place.
    pub fn take_data_from(&mut self, place: &str) {
        self.words.retain(|word| word.starts_with("--"));
        self.words.insert(0, place.to_string());
    }

    /// The objective with a random seed so much more than that of the search: a network that is trained on
    /// the data, or one for each fold, as `downhill train` trains them.
    fn networks<'a>(
        &'a self,
        data: &'a [Dataset],
        more: u64,
    ) -> Result<Vec<impl Objective + use<'a>>, Error> {
        // Of folds, the rate that is left to be found is found once.
        let found: Arc<Mutex<BTreeMap<String, Schedule>>> = Arc::default();
        let one = |(fold, rows): (usize, &'a Dataset)| {
            let found = found.clone();
            let configure = move |settings: &Settings| {
                let mut config = self.config(settings).map_err(Error::Objective)?.training;
                config.seed = config.seed.wrapping_add(more);
                if self.folds.is_some() {
                    let whole = whole(data)?;
                    config = config.resolve(whole)?.0;
                    if config.lr.is_none() {
                        let key = settings.to_string();
                        let known = found.lock().expect("no worker panicked").get(&key).cloned();
                        let lr = match known {
                            Some(lr) => lr,
                            None => Trainer::from_config(config.clone()).threads(1).find_lr(whole)?.schedule,
                        };
                        found.lock().expect("no worker panicked").insert(key, lr.clone());
                        config.lr = Some(lr);
                    }
                    config.seed = Ensemble::seed(config.seed, fold);
                }
                Ok(config)
            };
            Networks::new(rows, self.metric, configure)
        };
        data.iter().enumerate().map(one).collect()
    }

    /// The mean of the objective over the folds, with one seed.
    pub fn with_seed<'a>(
        &'a self,
        data: &'a [Dataset],
        more: u64,
    ) -> Result<Mean<impl Objective + 'a>, Error> {
        Ok(Mean::of(self.networks(data, more)?))
    }

    /// The mean of the objective over the folds and the seeds.
    pub fn mean<'a>(&'a self, data: &'a [Dataset]) -> Result<Mean<impl Objective + 'a>, Error> {
        let parts: Vec<Vec<_>> =
            (0..self.seeds).map(|more| self.networks(data, more)).collect::<Result<_, Error>>()?;
        Ok(Mean::of(parts.into_iter().flatten().collect()))
    }

    /// Whether nothing is said.
    pub fn is_bare(&self) -> bool {
        self.words.is_empty() && self.space.is_empty()
    }

    /// Takes a flag with a space or a value.
    pub fn add(&mut self, flag: &str, value: &str) -> Result<(), String> {
        if !Domain::is_meant(value) {
            self.words.push(format!("--{flag}={value}"));
            return Ok(());
        }
        if NOT_SEARCHED.contains(&flag) {
            return Err(format!("--{flag} cannot be searched; give it one value"));
        }
        let (domain, only_if) = Condition::split(value).map_err(|error| format!("--{flag} {error}"))?;
        let domain: Domain = domain.parse().map_err(|error| format!("--{flag} {error}"))?;
        if matches!(domain, Domain::Times { .. }) && flag != RATE {
            return Err(format!("--{flag} {value}: `times` is for --lr; take log(…)"));
        }
        self.space.add(flag, domain, only_if).map_err(|error| error.to_string())
    }

    fn is_given(&self, flag: &str) -> bool {
        let word = format!("--{flag}=");
        self.space.domain(flag).is_some() || self.words.iter().any(|other| other.starts_with(&word))
    }

    /// Adds the rate unless it is given, and the usual settings if none is searched; checks that all values
    /// there are can be given to a training.
    pub fn complete(&mut self) -> Result<(), String> {
        let given = std::mem::take(&mut self.space);
        let is_bare = given.is_empty();
        if !self.is_given(RATE) && given.domain(RATE).is_none() {
            self.space.add(RATE, usual(USUAL_RATE), None).map_err(|error| error.to_string())?;
        }
        for (flag, domain) in given.iter() {
            self.space
                .add(flag, domain.clone(), given.condition(flag).cloned())
                .map_err(|error| error.to_string())?;
        }
        if is_bare {
            let base = self.parse(&[])?.config().map_err(Failure::text)?;
            let is_mlp = matches!(base.training.network, Network::Mlp(_));
            for (flag, domain) in USUAL {
                let is_of_layers = ["hidden", "dropout", "activation"].contains(&flag);
                if !self.is_given(flag) && (is_mlp || !is_of_layers) {
                    self.space.add(flag, usual(domain), None).map_err(|error| error.to_string())?;
                }
            }
        }
        if !self.space.is_empty() {
            self.space.check().map_err(|error| error.to_string())?;
        }
        for (flag, domain) in self.space.iter() {
            let is_peak = flag == RATE && !matches!(domain, Domain::Choice(_));
            let values: Vec<String> = match domain {
                _ if is_peak => Vec::new(),
                Domain::Choice(words) => words.clone(),
                Domain::Int { low, high } => vec![low.to_string(), high.to_string()],
                Domain::Log { low, high } | Domain::Times { low, high } | Domain::Uniform { low, high } => {
                    vec![low.to_string(), high.to_string()]
                }
            };
            if is_peak && !matches!(domain, Domain::Log { .. } | Domain::Times { .. }) {
                let lowest = match domain {
                    Domain::Uniform { low, .. } => *low,
                    Domain::Int { low, .. } => *low as f64,
                    Domain::Log { .. } | Domain::Times { .. } | Domain::Choice(_) => 1.0,
                };
                if lowest <= 0.0 {
                    return Err(format!("--lr {domain}: a learning rate is above 0"));
                }
            }
            for value in values {
                self.parse(&[format!("--{flag}={value}")])?;
            }
        }
        Ok(())
    }

    fn parse(&self, more: &[String]) -> Result<SetupArgs, String> {
        let words = self.words.iter().chain(more).cloned();
        let matches = setup().try_get_matches_from(words).map_err(|error| plain(&error))?;
        SetupArgs::from_arg_matches(&matches).map_err(|error| plain(&error))
    }

    /// The configuration that is searched around.
    pub fn base(&self) -> Result<RunConfig, Failure> {
        self.config_of(&self.parse(&[]).map_err(Failure::Usage)?)
    }

    fn config_of(&self, setup: &SetupArgs) -> Result<RunConfig, Failure> {
        let mut config = setup.config()?;
        if self.folds.is_some() {
            divide(&mut config);
        }
        Ok(config)
    }

    /// Whether the rate is searched as a multiple.
    pub fn is_of_multiples(&self) -> bool {
        matches!(self.space.domain(RATE), Some(Domain::Times { .. }))
    }

    /// The optimizers that there are, as they are spelt, each with the configuration that is searched around.
    pub fn optimizers(&self) -> Result<Vec<(String, Config)>, Failure> {
        let Some(Domain::Choice(words)) = self.space.domain(OPTIMIZER) else {
            let config = self.base()?.training;
            return Ok(vec![(config.optimizer.to_string(), config)]);
        };
        let with = |word: &String| {
            let setup = self.parse(&[format!("--{OPTIMIZER}={word}")]).map_err(Failure::Usage)?;
            Ok((word.clone(), self.config_of(&setup)?.training))
        };
        words.iter().map(with).collect()
    }

    /// What a multiple of the rate is of, with some settings: the rate that was found, or else the usual one.
    pub fn unit(&self, settings: &Settings) -> Option<f64> {
        let optimizer = match settings.word(OPTIMIZER) {
            Some(word) => word.to_string(),
            None => self.base().ok()?.training.optimizer.to_string(),
        };
        let usual = || Some(usual_rate(&optimizer.parse::<Rule>().ok()?));
        self.rates.get(&optimizer).copied().or_else(usual)
    }

    /// The peak of the rate with some settings, if it is a number that is searched.
    pub fn peak(&self, settings: &Settings) -> Option<f64> {
        let Value::Number(number) = settings.get(RATE)? else { return None };
        if !self.is_of_multiples() {
            return Some(*number);
        }
        // To the digits that a suggestion has.
        format!("{:.3e}", self.unit(settings)? * number).parse().ok()
    }

    /// Flags with the values of some settings, but for a rate that is the peak of a schedule.
    fn flags(&self, settings: &Settings) -> Vec<String> {
        let is_peak = |name: &str| name == RATE && self.peak(settings).is_some();
        settings
            .iter()
            .filter(|(name, _)| !is_peak(name))
            .map(|(name, value)| format!("--{name}={value}"))
            .collect()
    }

    /// The configuration of a trial.
    pub fn config(&self, settings: &Settings) -> Result<RunConfig, String> {
        let mut config = self.config_of(&self.parse(&self.flags(settings))?).map_err(Failure::text)?;
        if let Some(peak) = self.peak(settings) {
            config.training.lr = Some(usual_schedule(&config.training.optimizer, peak));
        }
        Ok(config)
    }

    /// The command line that trains a trial, all of it, with the same bits.
    pub fn command(&self, settings: &Settings) -> Result<String, String> {
        let rate = match self.peak(settings) {
            Some(_) => self.config(settings)?.training.lr.as_ref().map(Schedule::to_string),
            None => None,
        };
        let rate = rate.map(|rate| format!("--{RATE}={rate}"));
        let words = self.words.iter().cloned().chain(self.folds_as_flags());
        let words = words.chain(rate).chain(self.flags(settings));
        Ok(format!("downhill train {}", words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")))
    }
}

/// The data set that stands for all folds, as in training: that with the most rows; of folds in time, the
/// last.
pub fn whole(data: &[Dataset]) -> Result<&Dataset, downhill::train::Error> {
    data.iter().rev().max_by_key(|data| data.train.rows()).ok_or(downhill::train::Error::NoData)
}

fn usual(domain: &str) -> Domain {
    domain.parse().expect("the usual spaces are spelt well")
}

/// What clap says, without its own prefix and its hints.
fn plain(error: &clap::Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    text.split("\n\n").next().unwrap_or_default().trim().to_string()
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:@%+".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn searched(flags: &[(&str, &str)]) -> Result<Searched, String> {
        let mut searched = Searched::new(Monitor::Loss, 1);
        searched.words.push("iris".into());
        for (flag, value) in flags {
            searched.add(flag, value)?;
        }
        searched.complete()?;
        Ok(searched)
    }

    #[test]
    fn a_bare_search_has_the_usual_space_around_what_is_given() {
        let bare = searched(&[("dropout", "0.1"), ("optimizer", "sgd")]).unwrap();
        let names: Vec<&str> = bare.space.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["lr", "hidden", "activation", "weight-decay", "batch", "ema"]);
        let one = searched(&[("hidden", "choice(8, 8,8)")]).unwrap();
        assert_eq!(one.space.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["lr", "hidden"]);
        let none = searched(&[("lr", "0.1"), ("hidden", "choice(8, 8,8)")]).unwrap();
        assert_eq!(none.space.len(), 1);
    }

    #[test]
    fn spaces_that_a_flag_cannot_have_are_told() {
        let error = |flag, value| searched(&[(flag, value)]).err().unwrap();
        assert!(
            error("dropout", "uniform(0, 1.5)").contains("below 1"),
            "{}",
            error("dropout", "uniform(0, 1.5)")
        );
        assert!(error("optimizer", "choice(adam, adamm)").contains("adamm"));
        assert!(error("lr", "uniform(0, 1)").contains("above 0"));
        assert!(error("dropout", "times(0.1, 0.2)").contains("`times` is for --lr"));
        assert!(error("epochs", "int(1, 9)").contains("cannot be searched"));
        assert!(error("lr", "log(1, 0.1)").contains("above the highest"));
        assert!(error("dropout", "uniform(0, 0.5) if batch=16").contains("batch is not searched"));
    }

    #[test]
    fn the_rate_is_a_multiple_of_what_suits_the_optimizer() {
        let some = searched(&[("optimizer", "choice(sgd, adamw)")]).unwrap();
        let settings = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        assert_eq!(some.peak(&settings(r#"{"lr": 2, "optimizer": "sgd"}"#)), Some(0.2));
        assert_eq!(some.peak(&settings(r#"{"lr": 2, "optimizer": "adamw"}"#)), Some(0.006));
        let command = some.command(&settings(r#"{"lr": 2, "optimizer": "sgd"}"#)).unwrap();
        assert!(command.starts_with("downhill train iris '--lr=warmup("), "{command}");
        assert!(command.ends_with("--optimizer=sgd"), "{command}");
    }

    #[test]
    fn a_flag_may_be_there_only_with_another() {
        let flags = [("hidden", "choice(8, 64)"), ("dropout", "uniform(0.1, 0.5) if hidden=64")];
        let some = searched(&flags).unwrap();
        let settings = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        let command = |text: &str| some.command(&settings(text)).unwrap();
        assert!(command(r#"{"lr": 1, "hidden": "8"}"#).ends_with("--hidden=8"));
        assert!(
            command(r#"{"lr": 1, "hidden": "64", "dropout": 0.2}"#).ends_with("--hidden=64 --dropout=0.2")
        );
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_read_them() {
        assert_eq!(quoted("--hidden=64,64"), "--hidden=64,64");
        assert_eq!(quoted("--lr=cosine(0.1)"), "'--lr=cosine(0.1)'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
