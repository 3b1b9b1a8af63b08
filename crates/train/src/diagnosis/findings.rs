//! What there is to say of a run besides its rate.

use downhill_data::Examples;
use serde::Serialize;

use super::{Fork, Replay};
use crate::number::fixed;
use crate::propagation::{self, Verdict};
use crate::session::Session;
use crate::verdict::{CLEAR, missed};
use crate::{Config, Error};

/// Something that was found, with a flag to try against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub trouble: Trouble,
    /// The layer it is about, counted from 1, or none if it is about all.
    pub layer: Option<usize>,
    /// The numbers that show it.
    pub evidence: String,
    /// One flag to try.
    pub suggestion: String,
}

/// What can be wrong with a run besides its rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// The training loss falls on while the validation loss has risen by more than 5%.
    Overfitting,
    /// What comes back to a layer is less than a thousandth of what comes to the last hidden one.
    VanishingGradients,
    /// What comes back to a layer is more than a thousand times what comes to the last hidden one.
    ExplodingGradients,
    /// More than half of the units of a layer have a slope of zero on every row.
    DeadUnits,
    /// More than half of the activations of a layer are where the function is flat.
    SaturatedUnits,
    /// A step moves the weights of a layer by less than a hundred-thousandth of their norm.
    SmallUpdates,
    /// A step moves the weights of a layer by more than a tenth of their norm.
    LargeUpdates,
    /// The loss comes down clearly if the rate goes to zero, so it was circling.
    Noise,
}

/// How much higher than at its lowest a validation loss is that has risen.
const RISEN: f64 = 1.05;

/// More dead units than this in a layer are reported: a few do no harm.
const DEAD: f64 = 0.5;

/// Steps that move weights by these shares of their norm are too small or too large; about a thousandth is usual.
const SMALL: f64 = 1e-5;
const LARGE: f64 = 0.1;

/// Units and gradients are looked at on no more rows than these.
const TRACED_ROWS: usize = 1024;

pub(super) fn findings(
    config: &Config,
    replay: &Replay,
    forks: &[Fork],
    session: &mut Session<'_>,
    rows: &Examples,
    (baseline, end): (f64, Option<f64>),
) -> Result<Vec<Finding>, Error> {
    let mut findings = Vec::new();
    findings.extend(overfitting(replay));
    findings.extend(noise(config, forks, baseline, end));
    if let Some(last) = replay.snapshots.last() {
        session.go_back(last);
        layers(session, rows, &mut findings)?;
    }
    // In the middle, where no warmup is left and no rate has come down yet.
    if let Some(middle) = forks.get(1).and_then(|_| replay.snapshots.get(1)) {
        session.go_back(middle);
        updates(session, &mut findings)?;
    }
    Ok(findings)
}

fn overfitting(replay: &Replay) -> Option<Finding> {
    let epochs = &replay.epochs;
    let best = epochs.iter().min_by(|a, b| a.valid_loss.total_cmp(&b.valid_loss))?;
    let last = epochs.last()?;
    if last.valid_loss <= RISEN * best.valid_loss || last.train_loss >= best.train_loss {
        return None;
    }
    Some(Finding {
        trouble: Trouble::Overfitting,
        layer: None,
        evidence: format!(
            "since epoch {} the training loss has fallen from {} to {}, and the validation loss has risen from {} to {}",
            best.epoch + 1,
            fixed(best.train_loss),
            fixed(last.train_loss),
            fixed(best.valid_loss),
            fixed(last.valid_loss)
        ),
        suggestion: "--dropout 0.5".into(),
    })
}

fn noise(config: &Config, forks: &[Fork], baseline: f64, end: Option<f64>) -> Option<Finding> {
    let fork = forks.last()?;
    let settled = fork.branches.iter().find(|branch| branch.factor == 1.0)?.loss?;
    let held = fork.held?;
    let best = forks.iter().flat_map(|fork| &fork.branches).filter_map(|branch| branch.loss);
    let best = best.chain(end).fold(settled, f64::min);
    // As a share of all that can be gained.
    let gain = missed(baseline, best, held)? - missed(baseline, best, settled)?;
    if gain <= CLEAR {
        return None;
    }
    let rate = super::judge::rounded(fork.lr);
    let batch = config.batch.unwrap_or(1).saturating_mul(4);
    let is_constant = matches!(config.lr, Some(downhill_optim::Schedule::Constant(_)));
    Some(Finding {
        trouble: Trouble::Noise,
        layer: None,
        evidence: format!(
            "{} steps after step {} the training loss is {} if the rate stays as it is, and {} if it goes down to zero",
            fork.steps,
            fork.step,
            fixed(held),
            fixed(settled)
        ),
        suggestion: if is_constant { format!("--lr 'cosine({rate})'") } else { format!("--batch {batch}") },
    })
}

fn layers(session: &mut Session<'_>, rows: &Examples, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let rows = super::sample(rows, TRACED_ROWS)?;
    let count = rows.rows();
    let traces = session.trace(&rows)?;
    let Some(activation) = traces.first().and_then(|trace| trace.activation) else { return Ok(()) };
    // The bounds are those of the activation, which layers may have of several kinds.
    let alike: Vec<_> = traces.into_iter().filter(|trace| trace.activation == Some(activation)).collect();
    let signals = propagation::signals(&alike, activation.bounds());
    let last_gradient = signals.last().map_or(0.0, |layer| layer.gradient_std);
    for layer in &signals {
        let mut tell = |trouble, evidence: String, suggestion: &str| {
            let suggestion = suggestion.into();
            findings.push(Finding { trouble, layer: Some(layer.layer), evidence, suggestion });
        };
        let ratio = layer.gradient_std / last_gradient;
        if layer.dead > DEAD {
            let evidence =
                format!("{:.0}% of its {} units do nothing on {count} rows", 100.0 * layer.dead, layer.units);
            tell(Trouble::DeadUnits, evidence, "--activation leaky-relu");
        }
        match layer.verdict {
            Verdict::Healthy => {}
            Verdict::Saturated => {
                let share = 100.0 * layer.saturated.unwrap_or(0.0);
                let evidence = format!("{share:.0}% of its activations are where the function is flat");
                tell(Trouble::SaturatedUnits, evidence, "--batch-norm");
            }
            // Of a trained network, only the way back counts: what differs between rows is what it is made to show.
            Verdict::Exploding if ratio > 1.0 => {
                let evidence =
                    format!("the gradient that comes to it is {ratio:.1e} times the last hidden layer's");
                tell(Trouble::ExplodingGradients, evidence, "--clip-norm 1");
            }
            Verdict::Vanishing if ratio < 1.0 => {
                let evidence =
                    format!("the gradient that comes to it is {ratio:.1e} times the last hidden layer's");
                tell(Trouble::VanishingGradients, evidence, "--batch-norm");
            }
            Verdict::Exploding | Verdict::Vanishing => {}
        }
    }
    Ok(())
}

fn updates(session: &mut Session<'_>, findings: &mut Vec<Finding>) -> Result<(), Error> {
    let movements = session.movements()?;
    for (index, (name, moved)) in movements.iter().enumerate() {
        let (trouble, times) = match *moved {
            moved if moved < SMALL => (Trouble::SmallUpdates, "10"),
            moved if moved > LARGE && moved.is_finite() => (Trouble::LargeUpdates, "0.1"),
            _ => continue,
        };
        findings.push(Finding {
            trouble,
            layer: Some(index + 1),
            evidence: format!("a step moves its weights by {moved:.1e} of their norm"),
            suggestion: format!("--group 'name({name}, lr={times})'"),
        });
    }
    Ok(())
}
