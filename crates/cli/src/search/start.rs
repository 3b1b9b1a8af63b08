//! Where a search begins: the rates that its multiples are of, and the settings that are tried first: those
//! of runs, of what was good in another study, and those that a training has unless told otherwise.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::FromArgMatches;
use downhill::data::Dataset;
use downhill::optim::{Position, Schedule};
use downhill::prelude::{Error, Trainer};
use downhill::search::{Domain, Sampler, Settings, StudyFolder, Value};
use downhill::train::{Config, RunConfig, RunFolder};
use serde_json::Value as Json;

use super::space::{OPTIMIZER, RATE, Searched};
use super::{Interrupt, Place, setup};
use crate::args::SetupArgs;
use crate::{Failure, output};

const DECAY: &str = "weight-decay";

/// In about how many places of a run its highest rate is looked for.
const PLACES: u64 = 1000;

/// The share of a search's time in which rates are to be found.
pub const SHARE_OF_TIME: f64 = 0.2;

/// The share of the trials of an earlier study that were good.
const GOOD: usize = 5;

/// The rate that suits each optimizer of the search here, with the settings that the search is around, as
/// training finds it; those that are not found by the `end` keep their usual one. None if it is interrupted.
pub fn find_rates(
    searched: &Searched,
    data: &Dataset,
    threads: usize,
    interrupt: &Interrupt,
    end: Option<Instant>,
    quiet: bool,
) -> Result<Option<BTreeMap<String, f64>>, Failure> {
    let mut rates = BTreeMap::new();
    for (optimizer, config) in searched.optimizers()? {
        if !config.optimizer.needs_rate() {
            continue;
        }
        let usual = config.optimizer.usual_rate();
        let trainer = Trainer::from_config(Config { lr: None, ..config }).threads(threads);
        let found = match trainer.inbox(interrupt.inbox_until(end)).find_lr(data) {
            Ok(found) => found,
            Err(Error::Interrupted) if interrupt.is_told() => return Ok(None),
            Err(Error::Interrupted) => {
                if !quiet {
                    output::tell(&format!(
                        "the learning rate of {optimizer} is searched around its usual {usual:.2e}: finding one would \
                         take too much of the time"
                    ));
                }
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        if !quiet {
            output::tell(&format!(
                "the learning rate of {optimizer} is searched around {:.2e}, found in {}",
                found.recommended,
                output::seconds(found.seconds)
            ));
        }
        rates.insert(optimizer, found.recommended);
    }
    Ok(Some(rates))
}

/// The first trials: the settings of the given runs and, for samplers that learn, the default settings of
/// training, if they are in the space.
pub fn first(
    searched: &Searched,
    base: &Config,
    data: &Dataset,
    runs: &[PathBuf],
    sampler: Sampler,
) -> Result<Vec<Settings>, Failure> {
    let mut first: Vec<Settings> = Vec::new();
    for run in runs {
        let config = RunConfig::of(&RunFolder::open(run)?)?.training.resolve(data)?.0;
        let settings = settings_of(searched, &config).map_err(|why| {
            Failure::Message(format!(
                "the search cannot start from {}: {why}; give that flag a space that holds it, or leave \
                 --start-from out",
                run.display()
            ))
        })?;
        first.push(settings);
    }
    if sampler.learns() {
        first.extend(settings_of(searched, base));
    }
    let mut all = Vec::new();
    first.into_iter().for_each(|settings| {
        if !all.contains(&settings) {
            all.push(settings)
        }
    });
    Ok(all)
}

/// What was good in another study, of the settings that are searched here too.
pub fn prior(searched: &Searched, study: &Path) -> Result<Vec<Settings>, Failure> {
    let place = Place::Folder(StudyFolder::open(study)?);
    let plan = place.plan()?;
    let history = place.study(plan).history()?;
    let ranking = history.ranking();
    let good = ranking.iter().take(ranking.len().div_ceil(GOOD));
    let found: Vec<Settings> = good.filter_map(|trial| searched.space.fit(&trial.settings).ok()).collect();
    if found.is_empty() {
        return Err(Failure::Message(format!(
            "none of the good trials of {} is in the space that is searched here, so it says nothing: both \
             studies must search the same settings, and the ranges here hold what was good there",
            study.display()
        )));
    }
    Ok(found)
}

/// The settings that a configuration has where they are searched, to be one of the trials. `config` must be
/// resolved; one without a rate has the one that was found. The error says which setting is outside, in
/// words.
pub fn settings_of(searched: &Searched, config: &Config) -> Result<Settings, String> {
    let space = &searched.space;
    let words = space.iter().filter(|(_, domain)| matches!(domain, Domain::Choice(_)));
    let mut found: Vec<(String, Value)> = Vec::new();
    for (name, domain) in words {
        let Domain::Choice(options) = domain else { continue };
        let has = |option: &&String| is_unchanged(searched, config, name, option);
        match options.iter().find(has) {
            Some(option) => found.push((name.into(), Value::Word(option.clone()))),
            None => return Err(format!("--{name} is none of {}", options.join(", "))),
        }
    }
    let chosen: Settings = found.iter().cloned().collect();
    for (name, domain) in space.iter() {
        let number = match (name, domain) {
            (_, Domain::Choice(_)) => continue,
            (RATE, _) => rate(searched, config, &chosen),
            _ => number(config, name, domain),
        };
        match number {
            Some(number) => found.push((name.into(), Value::Number(number))),
            None if space.condition(name).is_none() => {
                return Err(format!("--{name} cannot be read off its settings"));
            }
            // A setting that is not there, because of another, need not have a value.
            None => {}
        }
    }
    let all: Settings = found.into_iter().collect();
    space.fit(&all)
}

/// Whether a configuration stays as it is if it is given a flag.
fn is_unchanged(searched: &Searched, config: &Config, name: &str, value: &str) -> bool {
    let Some(mut other) = with(config, name, value) else { return false };
    // A rule of that name has the usual decay again, which is a setting of its own here.
    if name == OPTIMIZER
        && searched.space.domain(DECAY).is_some()
        && let Some(decay) = decay(config)
        && let Some(own) = other.optimizer.weight_decay_mut()
    {
        *own = decay;
    }
    other == *config
}

/// A configuration with a flag on top.
fn with(config: &Config, name: &str, value: &str) -> Option<Config> {
    let words = ["-".to_string(), format!("--{name}={value}")];
    let setup_args = SetupArgs::from_arg_matches(&setup().try_get_matches_from(words).ok()?).ok()?;
    let mut run = RunConfig { training: config.clone(), ..RunConfig::default() };
    setup_args.network.apply(&mut run).ok()?;
    setup_args.training.apply(&mut run).ok()?;
    if let Some(lr) = setup_args.rate.lr {
        run.training.lr = lr.0;
    }
    Some(run.training)
}

/// The peak of the rate as the search counts it.
fn rate(searched: &Searched, config: &Config, settings: &Settings) -> Option<f64> {
    let peak = match &config.lr {
        Some(schedule) => peak(schedule, config.epochs),
        None => return Some(1.0).filter(|_| searched.is_of_multiples()),
    };
    match searched.is_of_multiples() {
        true => Some(peak / searched.unit(settings)?),
        false => Some(peak),
    }
}

/// The highest rate of a schedule in a run of so many epochs.
fn peak(schedule: &Schedule, epochs: u64) -> f64 {
    let steps_per_epoch = PLACES.div_ceil(epochs.max(1));
    let total_steps = steps_per_epoch.saturating_mul(epochs);
    let stride = (total_steps / PLACES).max(1) as usize;
    let rate = |step| schedule.at(Position { step, steps_per_epoch, total_steps });
    (0..total_steps).step_by(stride).map(rate).fold(0.0, f64::max)
}

fn decay(config: &Config) -> Option<f64> {
    let mut rule = config.optimizer.clone();
    Some(rule.weight_decay_mut().map_or(config.regularization.weight_decay, |own| *own))
}

/// The number that a flag sets, in the configuration: where it is, is seen from what the flag changes.
fn number(config: &Config, name: &str, domain: &Domain) -> Option<f64> {
    let (low, high) = match domain {
        Domain::Log { low, high } | Domain::Times { low, high } | Domain::Uniform { low, high } => {
            (*low, *high)
        }
        Domain::Int { low, high } => (*low as f64, *high as f64),
        Domain::Choice(_) => return None,
    };
    let as_json = |config: &Config| serde_json::to_value(config).ok();
    let here = as_json(config)?;
    let changed = |value: f64| changed(&here, &as_json(&with(config, name, &value.to_string())?)?);
    // One of the ends is no change if it is the number itself.
    changed(low).or_else(|| changed(high))
}

/// The number in the first place at which two trees differ.
fn changed(one: &Json, other: &Json) -> Option<f64> {
    match (one, other) {
        (Json::Object(one), Json::Object(other)) => {
            one.iter().find_map(|(key, value)| changed(value, other.get(key).unwrap_or(&Json::Null)))
        }
        (Json::Number(one), other) if one.as_f64() != other.as_f64() => one.as_f64(),
        (Json::String(one), Json::String(other)) if one != other => changed_word(one, other),
        _ => None,
    }
}

/// The number in the first place at which two specs differ.
fn changed_word(one: &str, other: &str) -> Option<f64> {
    let same = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let begin = one.get(..same)?.rfind(['(', '=', ' ', ',']).map_or(0, |before| before + 1);
    one[begin..].split([',', ')']).next()?.trim().parse().ok()
}
