//! Configurations that older versions wrote.
//!
//! A run's `run.toml` spells every setting out. What a later version adds has a default for new runs, and a run that was
//! made before must keep what it had then.

use downhill_core::spec;
use serde_json::Value;
use toml::Table;

use crate::{Config, EarlyStopping, Keep};

/// What older versions wrote of every run; a person seldom writes them all.
const SPELLED_OUT: [&str; 5] = ["lr", "batch", "guard", "lookahead", "class-weights"];

/// How `early-stopping` once said which weights are kept.
const RESTORE: [&str; 2] = [", restore-best=true", ", restore-best=false"];

/// The same text with what it leaves out as it was then, if an older version wrote it as a run's `run.toml`.
pub(crate) fn upgraded(text: &str) -> Option<String> {
    let mut config: Table = text.parse().ok()?;
    let training = config.get_mut("training")?.as_table_mut()?;
    if training.contains_key("keep") || !SPELLED_OUT.iter().all(|key| training.contains_key(*key)) {
        return None;
    }
    let stopping = training.get("early-stopping")?.as_str()?.to_owned();
    let last = stopping == "off" || stopping.contains(RESTORE[1]);
    let stopping = RESTORE.iter().fold(stopping, |text, key| text.replace(key, ""));
    training.insert("early-stopping".into(), stopping.into());
    training.insert("keep".into(), if last { "last" } else { "best" }.into());
    training.entry("ema").or_insert(0.0.into());
    toml::to_string(&config).ok()
}

/// The settings in the form that older versions took the fingerprint of.
pub(crate) fn form(config: &Config) -> Option<String> {
    let mut form = serde_json::to_value(config).ok()?;
    let settings = form.as_object_mut()?;
    settings.shift_remove("keep");
    if config.average().is_none() {
        settings.shift_remove("ema");
    }
    if let EarlyStopping::After(_) = config.early_stopping {
        let text = spec::print(&config.early_stopping);
        let restore = RESTORE[usize::from(config.keep == Keep::Last)];
        let text = text.strip_suffix(')')?.to_owned() + restore + ")";
        settings.insert("early-stopping".into(), Value::String(text));
    }
    serde_json::to_string(&form).ok()
}
