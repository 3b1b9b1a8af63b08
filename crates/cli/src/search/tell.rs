//! What a search says, on the way and in the end.

use downhill::search::{Event, History, Trial, importance};
use downhill::train::{fixed, path_text};
use serde_json::{Map, Value, json};

use super::again::{self, Again};
use super::space::Searched;
use super::{Place, Winner};
use crate::output;

/// The ranking for people has no more trials than these.
const SHOWN: usize = 10;

/// A line for each decision and each trial that goes on.
pub fn on_the_way(searched: &Searched, event: &Event, history: &History) {
    let value = |trial: u64| {
        let trial = &history.trials()[trial as usize];
        trial.value.map_or(String::new(), |value| format!("{} {}, ", searched.metric.name(), fixed(value)))
    };
    let line = match event {
        Event::Pause { trial, reason, .. }
        | Event::Stop { trial, reason, .. }
        | Event::Complete { trial, reason, .. } => {
            let best = history.best().and_then(|best| best.value).map_or(String::new(), fixed);
            format!("trial {trial}: {}{reason} (best so far {best})", value(*trial))
        }
        Event::Fail { trial, reason } | Event::Promote { trial, reason, .. } => {
            format!("trial {trial}: {reason}")
        }
        Event::Halt { reason } => format!("the study is stopped: {reason}"),
        Event::Start { .. } | Event::Wait { .. } | Event::Result { .. } | Event::Budget { .. } => return,
    };
    output::tell(&line);
}

/// The settings of a trial, with the rate as it is rather than as a multiple; null of one that is not there.
fn settings(searched: &Searched, trial: &Trial) -> Map<String, Value> {
    let peak = searched.peak(&trial.settings);
    let value = |(name, _): (&str, &downhill::search::Domain)| {
        let shown = match (name, peak) {
            ("lr", Some(peak)) => json!(peak),
            _ => json!(trial.settings.get(name)),
        };
        (name.to_string(), shown)
    };
    searched.space.iter().map(value).collect()
}

/// All trials, in the order of their numbers.
pub fn trials(searched: &Searched, history: &History) -> Vec<Value> {
    let object = |trial: &Trial| {
        json!({
            "number": trial.number,
            "settings": settings(searched, trial),
            "value": trial.value,
            "epochs": trial.epochs,
            "state": trial.state,
        })
    };
    history.trials().iter().map(object).collect()
}

/// All that a program may want.
pub fn object(
    searched: &Searched,
    history: &History,
    winner: &Winner,
    repeated: &[Again],
    place: &Place,
) -> Value {
    let best = &history.trials()[winner.number as usize];
    let mattered: Map<String, Value> =
        importance(history).into_iter().map(|(name, share)| (name, share.into())).collect();
    json!({
        "study": path_text::to_text(place.folder()),
        "trials": trials(searched, history),
        "best": {
            "number": winner.number,
            "settings": settings(searched, best),
            "value": winner.value,
            "weights_sha256": winner.weights_sha256,
            "run": path_text::to_text(&winner.run),
            "command": winner.command,
        },
        "importance": mattered,
        "repeated": repeated.iter().map(Again::object).collect::<Vec<_>>(),
    })
}

/// The ranking, what mattered, and how the winner is trained.
pub fn text(
    searched: &Searched,
    history: &History,
    winner: &Winner,
    repeated: &[Again],
    place: &Place,
) -> String {
    let metric = searched.metric.name();
    let ranking = history.ranking();
    let width = metric.len().max(8);
    let head = |name: &str, width| output::right(&output::said(name), width);
    let mut text = format!(
        "{}  {}  {metric:>width$}  {}  {}\n",
        head("rank", 4),
        head("trial", 5),
        head("epochs", 6),
        output::said("settings")
    );
    for (place, trial) in ranking.iter().take(SHOWN).enumerate() {
        let value = trial.value.map_or(String::new(), fixed);
        let all: Vec<String> = settings(searched, trial)
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| match value {
                Value::String(word) => format!("{name} {word}"),
                value => format!("{name} {value}"),
            })
            .collect();
        text += &format!(
            "{:>4}  {:>5}  {value:>width$}  {:>6}  {}\n",
            place + 1,
            trial.number,
            trial.epochs,
            output::cell(&all.join(", "))
        );
    }
    if ranking.len() > SHOWN {
        text += &format!("… and {} more in {}\n", ranking.len() - SHOWN, place.log());
    }
    let mattered = importance(history);
    if !mattered.is_empty() {
        let shares: Vec<String> =
            mattered.iter().map(|(name, share)| format!("{name} {:.0}%", 100.0 * share)).collect();
        text += &format!("\nwhat mattered: {}\n", shares.join(", "));
    }
    if !repeated.is_empty() {
        text += &format!("\n{}", again::text(repeated, metric));
    }
    let value = winner.value.map_or(String::new(), fixed);
    text += &format!(
        "\nbest: trial {}, {metric} {value} after its whole training\n{}\nkept in {}\n",
        winner.number,
        winner.command,
        winner.run.display()
    );
    text
}
