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
    let training = config.get("training")?.as_table()?;
    if !SPELLED_OUT.iter().all(|key| training.contains_key(*key)) {
        return None;
    }
    let changed = [keeps_weights(&mut config), keeps_row_numbers(&mut config)];
    changed.iter().any(Option::is_some).then(|| toml::to_string(&config).ok())?
}

/// Which weights are kept, once said by early stopping.
fn keeps_weights(config: &mut Table) -> Option<()> {
    let training = config.get_mut("training")?.as_table_mut()?;
    if training.contains_key("keep") {
        return None;
    }
    let stopping = training.get("early-stopping")?.as_str()?.to_owned();
    let last = stopping == "off" || stopping.contains(RESTORE[1]);
    let stopping = RESTORE.iter().fold(stopping, |text, key| text.replace(key, ""));
    training.insert("early-stopping".into(), stopping.into());
    training.insert("keep".into(), if last { "last" } else { "best" }.into());
    training.entry("ema").or_insert(0.0.into());
    Some(())
}

/// Columns that only number the rows were once learnt from.
fn keeps_row_numbers(config: &mut Table) -> Option<()> {
    let read = config.get_mut("data")?.as_table_mut()?.get_mut("read")?.as_table_mut()?;
    if read.contains_key("row-numbers") {
        return None;
    }
    read.insert("row-numbers".into(), "keep".into());
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_left_out_is_as_it_was() {
        let data = "[data]\nfrom = \"a.csv\"\n[data.read]\ndrop = []\n";
        let training =
            "lr = 0.1\nbatch = 8\nguard = \"off\"\nlookahead = \"off\"\nclass-weights = \"none\"\n";
        let of_a_run = format!("{data}[training]\nearly-stopping = \"off\"\n{training}");
        let read: Table = upgraded(&of_a_run).unwrap().parse().unwrap();
        assert_eq!(read["training"]["keep"].as_str(), Some("last"));
        assert_eq!(read["data"]["read"]["row-numbers"].as_str(), Some("keep"));

        let kept = format!("{data}[training]\nkeep = \"best\"\n{training}");
        let read: Table = upgraded(&kept).unwrap().parse().unwrap();
        assert_eq!(read["data"]["read"]["row-numbers"].as_str(), Some("keep"));
        assert_eq!(read["training"]["keep"].as_str(), Some("best"));
        assert_eq!(upgraded(&kept.replace("drop = []", "row-numbers = \"leave-out\"")), None);
        // Whoever writes a configuration leaves most of it out.
        assert_eq!(upgraded(&format!("{data}[training]\nlr = 0.1\n")), None);
    }
}
