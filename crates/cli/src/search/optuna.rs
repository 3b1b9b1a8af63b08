//! A study as a journal of Optuna's, which `optuna-dashboard` opens.

use downhill::search::{Domain, History, State, Trial};
use serde_json::{Map, Value, json};

use super::space::{RATE, Searched};

/// The journal: a line for the study, and one for each trial that is over or paused, which Optuna calls
/// pruned.
pub fn journal(searched: &Searched, history: &History, name: &str) -> String {
    let maximised = searched.metric.gain(1.0, 0.0) > 0.0;
    let mut lines = vec![json!({
        "op_code": 0,
        "worker_id": "downhill",
        "study_name": name,
        "directions": [if maximised { 2 } else { 1 }],
    })];
    lines.extend(history.trials().iter().filter_map(|one| trial(searched, one)));
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn trial(searched: &Searched, trial: &Trial) -> Option<Value> {
    // The numbers of Optuna's TrialState: 1 is COMPLETE, 2 PRUNED, 3 FAIL.
    let state = match trial.state {
        State::Running => return None,
        State::Complete => 1,
        State::Paused | State::Stopped => 2,
        State::Failed => 3,
    };
    let (mut params, mut distributions) = (Map::new(), Map::new());
    for (name, domain) in searched.space.iter() {
        let Some(value) = trial.settings.get(name) else { continue };
        let (value, distribution) = inside(searched, trial, name, domain, value);
        params.insert(name.into(), value);
        // A text of JSON within JSON.
        distributions.insert(name.into(), distribution.to_string().into());
    }
    let values = trial.value.filter(|_| state == 1).map(|value| json!([value]));
    let steps: Map<String, Value> =
        trial.value.iter().map(|value| (trial.epochs.to_string(), json!(value))).collect();
    // Times are not kept; a trial takes as long as it took, from a day on that says nothing.
    let end = format!("2000-01-01T{}", clock(trial.seconds));
    Some(json!({
        "op_code": 4,
        "worker_id": "downhill",
        "study_id": 0,
        "state": state,
        "value": null,
        "values": values,
        "datetime_start": "2000-01-01T00:00:00.000000",
        "datetime_complete": end,
        "params": params,
        "distributions": distributions,
        "user_attrs": { "epochs": trial.epochs, "seconds": trial.seconds },
        "system_attrs": {},
        "intermediate_values": steps,
    }))
}

/// A value as Optuna keeps it, and its distribution.
fn inside(
    searched: &Searched,
    trial: &Trial,
    name: &str,
    domain: &Domain,
    value: &downhill::search::Value,
) -> (Value, Value) {
    let float = |low: f64, high: f64, log: bool| {
        let attributes = json!({ "low": low, "high": high, "log": log, "step": null });
        json!({ "name": "FloatDistribution", "attributes": attributes })
    };
    match domain {
        // The rate as it is; of another optimizer, the same multiple is another rate.
        Domain::Times { .. } if name == RATE => {
            let rate = searched.peak(&trial.settings).unwrap_or(f64::MIN_POSITIVE);
            (json!(rate), float(1e-12, 1e6, true))
        }
        Domain::Log { low, high } | Domain::Times { low, high } => (json!(value), float(*low, *high, true)),
        Domain::Uniform { low, high } => (json!(value), float(*low, *high, false)),
        Domain::Int { low, high } => {
            let attributes = json!({ "low": low, "high": high, "log": false, "step": 1 });
            (json!(value), json!({ "name": "IntDistribution", "attributes": attributes }))
        }
        Domain::Choice(words) => {
            let at = words.iter().position(|word| json!(word) == json!(value));
            let distribution =
                json!({ "name": "CategoricalDistribution", "attributes": { "choices": words } });
            (json!(at), distribution)
        }
    }
}

/// A number of seconds as the time of a day, of which there is no more than one.
fn clock(seconds: f64) -> String {
    let micros = (seconds.clamp(0.0, 86_399.0) * 1e6) as u64;
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    format!("{:02}:{:02}:{:02}.{micros:06}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
