//! Configurations that older versions wrote.
//!
//! A run's `run.toml` spells every setting out. What a later version adds has a default for new runs, and a
//! run that was made before must keep what it had then.

use toml::Table;

/// What older versions wrote of every run; a person seldom writes them all.
const SPELLED_OUT: [&str; 5] = ["lr", "batch", "guard", "lookahead", "class-weights"];

/// How `early-stopping` once said which weights are kept: the best, or the last.
pub const RESTORE: [&str; 2] = [", restore-best=true", ", restore-best=false"];

/// The same text with what it leaves out as it was then, if an older version wrote it as a run's `run.toml`.
pub fn upgraded(text: &str) -> Option<String> {
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
