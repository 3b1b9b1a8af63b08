//! What a study came to, for the charts of the report.

use downhill::search::{Domain, History, State, Trial, Value, importance};
use downhill_report::{Lang, study};

use super::space::{RATE, Searched};

/// The study as it is drawn.
pub fn picture(searched: &Searched, history: &History, name: String, lang: Lang) -> study::Study {
    let scale = |domain: &Domain| match domain {
        Domain::Log { .. } | Domain::Times { .. } => study::Scale::Log,
        Domain::Uniform { .. } | Domain::Int { .. } => study::Scale::Linear,
        Domain::Choice(words) => study::Scale::Options(words.clone()),
    };
    let settings = searched
        .space
        .iter()
        .map(|(name, domain)| study::Setting { name: name.to_string(), scale: scale(domain) });
    let best = history.best().and_then(|best| searched.command(&best.settings).ok());
    study::Study {
        name,
        metric: searched.metric.name().to_string(),
        higher_is_better: searched.metric.gain(1.0, 0.0) > 0.0,
        settings: settings.collect(),
        trials: history.trials().iter().map(|one| trial(searched, one)).collect(),
        importance: importance(history),
        command: best,
        lang,
    }
}

fn trial(searched: &Searched, trial: &Trial) -> study::Trial {
    let value = |(name, domain): (&str, &Domain)| match (trial.settings.get(name)?, domain) {
        (Value::Number(_), _) if name == RATE => searched.peak(&trial.settings),
        (Value::Number(number), _) => Some(*number),
        (Value::Word(word), Domain::Choice(words)) => {
            words.iter().position(|other| other == word).map(|at| at as f64)
        }
        (Value::Word(_), _) => None,
    };
    let state = match trial.state {
        State::Running => "under way",
        State::Paused => "paused",
        State::Stopped => "stopped",
        State::Complete => "complete",
        State::Failed => "failed",
    };
    study::Trial {
        values: searched.space.iter().map(value).collect(),
        value: trial.value,
        epochs: trial.epochs,
        state: state.to_string(),
    }
}
