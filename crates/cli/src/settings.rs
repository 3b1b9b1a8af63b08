//! The settings of training by name, as the flags of the program spell them, for whoever has no command line.

use std::error::Error;
use std::fmt;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser};
use downhill::data::Dataset;
use downhill::optim::nearest;
use downhill::search::{Error as SearchError, Goal, History, Objective, Settings as Suggested, Space};
use downhill::train::{Config, RunConfig};
use downhill_report::Lang;

use crate::Failure;
use crate::args::{NetworkArgs, Preset, RateArgs, TrainingArgs};
use crate::search::{Searched, metric, picture};

/// What can be set of a network and its training: the flags of `downhill train`.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct Settings {
    #[arg(long, value_enum)]
    preset: Option<Preset>,

    #[command(flatten)]
    network: NetworkArgs,

    #[command(flatten)]
    rate: RateArgs,

    #[command(flatten)]
    training: TrainingArgs,
}

/// Settings that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    /// The name of the setting, where one is to blame: `lr`.
    pub name: Option<String>,
    /// What is wrong, where in the value, and what was probably meant.
    pub message: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl Error for SettingError {}

/// The names of all settings, in the order of the program's help: `hidden`, `batch-norm`, `lr`, ….
pub fn names() -> Vec<String> {
    let command = Settings::command();
    command.get_arguments().filter_map(|flag| flag.get_long()).map(str::to_string).collect()
}

/// The configuration that settings come to, each a name and its value as the program spells it: `("lr",
/// "cosine(0.01)")`. What is not named is as it is by default; a name may occur again where the flag may.
///
/// # Errors
///
/// If there is no setting of a name, a value is not one, or settings do not go together.
pub fn config(settings: &[(String, String)]) -> Result<Config, SettingError> {
    let known = names();
    if let Some((name, _)) = settings.iter().find(|(name, _)| !known.contains(name)) {
        let advice = match nearest(name, known.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("there are {}", known.join(", ")),
        };
        return Err(SettingError { name: None, message: format!("there is no setting `{name}`: {advice}") });
    }
    let flags = settings.iter().map(|(name, value)| format!("--{name}={value}"));
    let Settings { preset, network, rate, training } =
        Settings::try_parse_from(flags).map_err(|error| wrong(&error))?;
    let mut config = RunConfig::default();
    if let Some(preset) = preset {
        preset.apply(&mut config.training);
    }
    network.apply(&mut config).map_err(together)?;
    if let Some(rate) = rate.lr {
        config.training.lr = rate.0;
    }
    training.apply(&mut config).map_err(together)?;
    config.training.check().map_err(|invalid| SettingError { name: None, message: invalid.to_string() })?;
    Ok(config.training)
}

/// How many networks are averaged with these settings, where that is left open: what their preset says, or 1.
///
/// # Errors
///
/// If there is no such preset.
pub fn members(settings: &[(String, String)]) -> Result<usize, SettingError> {
    let preset = settings.iter().filter(|(name, _)| name == "preset");
    let flags = preset.map(|(name, value)| format!("--{name}={value}"));
    let Settings { preset, .. } = Settings::try_parse_from(flags).map_err(|error| wrong(&error))?;
    Ok(preset.map_or(1, Preset::members))
}

/// A search over settings by name, as `downhill search` makes it: those whose value is a space, such as
/// `log(1e-4, 1e-1)` or `choice(relu, gelu)`, are searched, the others stay as they are.
pub struct Search(Searched);

impl Search {
    /// A search for the best `metric` (`loss`, `accuracy`, …), in the mean over so many random seeds. Without a
    /// space among the settings, the usual ones are searched.
    ///
    /// # Errors
    ///
    /// If there is no such metric, or a setting or a space is none.
    pub fn new(metric_name: &str, seeds: u64, settings: &[(String, String)]) -> Result<Self, SettingError> {
        let of = |name: &str, message: String| SettingError {
            name: Some(name.to_string()),
            message: message.replace("--", ""),
        };
        let mut searched = Searched::new(metric(metric_name).map_err(|why| of("metric", why))?, seeds.max(1));
        // The data is not read from anywhere.
        searched.words.push("memory".into());
        for (name, value) in settings {
            searched.add(name, value).map_err(|why| of(name, why))?;
        }
        searched.complete().map_err(|why| SettingError { name: None, message: why.replace("--", "") })?;
        Ok(Self(searched))
    }

    /// What is searched.
    pub fn space(&self) -> &Space {
        &self.0.space
    }

    /// The configuration that is searched around.
    ///
    /// # Errors
    ///
    /// If settings do not go together.
    pub fn base(&self) -> Result<Config, SettingError> {
        Ok(self.0.base().map_err(together)?.training)
    }

    /// What is better of the metric.
    pub fn goal(&self) -> Goal {
        if self.0.metric.gain(1.0, 0.0) > 0.0 { Goal::Maximise } else { Goal::Minimise }
    }

    /// Networks that are trained on this data.
    ///
    /// # Errors
    ///
    /// If the task has no such metric.
    pub fn objective<'a>(&'a self, data: &'a Dataset) -> Result<impl Objective + 'a, SearchError> {
        self.0.mean(std::slice::from_ref(data))
    }

    /// What is searched, as settings that [`config`] takes: of the learning rate, the schedule that a suggested
    /// peak stands for.
    ///
    /// # Errors
    ///
    /// If they do not go together.
    pub fn settings(&self, suggested: &Suggested) -> Result<Vec<(String, String)>, SettingError> {
        let message = |message: String| SettingError { name: None, message: message.replace("--", "") };
        let config = self.0.config(suggested).map_err(message)?;
        let is_peak = self.0.peak(suggested).is_some();
        let setting = |(name, value): (&str, &downhill::search::Value)| {
            let value = match (&config.training.lr, name) {
                (Some(lr), "lr") if is_peak => lr.to_string(),
                _ => value.to_string(),
            };
            (name.to_string(), value)
        };
        Ok(suggested.iter().map(setting).collect())
    }

    /// What a study came to, drawn as SVG.
    pub fn svg(&self, history: &History) -> String {
        picture(&self.0, history, "search".into(), Lang::En).svg_file()
    }
}

/// What a message about flags says about settings.
fn together(failure: Failure) -> SettingError {
    SettingError { name: None, message: failure.text().replace("--", "") }
}

fn wrong(error: &clap::Error) -> SettingError {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    // `--lr <SPEC>` is how a flag is named.
    let name = text(ContextKind::InvalidArg)
        .map(|flag| flag.trim_start_matches('-').split([' ', '=']).next().unwrap_or_default().to_string());
    let message = match (error.kind(), error.source()) {
        (ErrorKind::ValueValidation, Some(source)) => source.to_string(),
        (ErrorKind::ArgumentConflict, _) => {
            let other = text(ContextKind::PriorArg).unwrap_or_default();
            let other = other.trim_start_matches('-').split(' ').next().unwrap_or_default();
            format!("it does not go with {other}; leave one of them out")
        }
        _ => {
            let rendered = error.render().to_string();
            let first = rendered.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").replace("--", "")
        }
    };
    SettingError { name, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(settings: &[(&str, &str)]) -> Result<Config, String> {
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        config(&settings).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_come_to_what_the_flags_come_to() {
        let groups = [("group", "role(bias, lr=2)"), ("group", "name(0.*, lr=0.1)")];
        let config = of(&[&[("lr", "cosine(0.01)"), ("epochs", "7")][..], &groups].concat()).unwrap();
        assert_eq!((config.epochs, config.groups.len()), (7, 2));
        assert_eq!(config.lr, Some("cosine(0.01)".parse().unwrap()));
        assert_eq!(of(&[]).unwrap(), Config::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_name_and_no_flag() {
        for (settings, says) in [
            (&[("lr", "cosin(0.01)")][..], "lr: `cosin` is not a schedule; did you mean `cosine`?"),
            (&[("epoch", "3")], "there is no setting `epoch`: did you mean `epochs`?"),
            (&[("epochs", "0")], "epochs: "),
            (&[("keep", "bst")], "keep: "),
            (&[("clip-norm", "1"), ("clip-tensor-norm", "1")], "does not go with"),
            (&[("loss", "mse"), ("label-smoothing", "0.1")], "label-smoothing goes with the loss"),
        ] {
            let error = of(settings).unwrap_err();
            assert!(error.contains(says) && !error.contains("--"), "{settings:?}: {error}");
        }
    }
}
