//! What there is to say of a run besides its rate.

use downhill_data::Examples;
use downhill_run::{distance, fixed};
use downhill_schedule::Schedule;
use serde::Serialize;

use super::Fork;
use super::advice::Change;
use super::judge::Came;
use super::replay::Replay;
use super::suggestion::{Setting, Suggestion};
use crate::layers;
use crate::propagation;
use crate::run::{Run, TrainingState};
use crate::{Config, Error, LayerSignals, RateVerdict, Verdict};

/// Something that was found, and what to try against it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What.
    pub trouble: Trouble,
    /// The layer it is about, counted from 1, or none if it is about all.
    pub layer: Option<usize>,
    /// The numbers that show it.
    pub evidence: String,
    /// One setting to try.
    pub suggestion: Suggestion,
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

/// Steps that move weights by these shares of their norm are too small or too large; about a thousandth is
/// usual.
const SMALL: f64 = 1e-5;
const LARGE: f64 = 0.1;

/// Units and gradients are looked at on no more rows than these.
pub(super) const TRACED_ROWS: usize = 1024;

/// What there is to look at.
pub(super) struct Look<'s, 'a> {
    pub config: &'s Config,
    pub run: &'s mut Run<'a>,
    /// Not more than [`TRACED_ROWS`].
    pub rows: Examples,
    pub verdict: RateVerdict,
    /// What to try against the rate.
    pub suggestion: Option<&'s Suggestion>,
}

impl Look<'_, '_> {
    /// Everything but the rate. `better` is the run with the rate that is suggested, if it was tried: what is
    /// not found there is the rate's doing, and the suggestion is that one.
    pub fn findings(
        &mut self,
        run: &Came,
        replay: &Replay,
        forks: &[Fork],
        better: Option<&Replay>,
    ) -> Result<Vec<Finding>, Error> {
        let mut findings = Vec::new();
        findings.extend(overfitting(replay));
        findings.extend(noise(self.config, forks, run));
        // In the middle, where no warmup is left and no rate has come down yet.
        let middle = forks.get(1).and_then(|_| replay.starts.get(1));
        let mut own = self.layers(replay.end.as_ref())?;
        own.extend(self.updates(middle)?);
        let mut others = Vec::new();
        if let Some(better) = better {
            others = self.layers(better.end.as_ref())?;
            others.extend(self.updates(better.starts.first())?);
        }
        let found_there = |finding: &Finding| {
            others.iter().any(|other| (other.trouble, other.layer) == (finding.trouble, finding.layer))
        };
        for finding in &mut own {
            if finding.trouble == Trouble::DeadUnits {
                self.died(finding, replay, better)?;
            } else if let (Some(for_rate), Some(_), false) = (self.suggestion, better, found_there(finding)) {
                finding.evidence += &format!("; with {for_rate} this is not so");
                finding.suggestion = for_rate.clone();
            }
        }
        findings.extend(own);
        Ok(findings)
    }

    /// Says of dead units when they died, and suggests another rate if it was the rate that killed them.
    fn died(&mut self, finding: &mut Finding, replay: &Replay, better: Option<&Replay>) -> Result<(), Error> {
        let layer = finding.layer;
        let mut dead = |state: Option<&TrainingState>| -> Result<Option<f64>, Error> {
            let signals = self.signals(state)?;
            Ok(signals.into_iter().find(|signals| Some(signals.layer) == layer).map(|signals| signals.dead))
        };
        let (before, with) = (dead(replay.starts.first())?, dead(better.and_then(|run| run.end.as_ref()))?);
        if let Some(before) = before {
            finding.evidence += &format!(" at the end, {:.0}% at the start", 100.0 * before);
        }
        let Some(for_rate) = self.suggestion else { return Ok(()) };
        if let Some(with) = with {
            finding.evidence += &format!(", {:.0}% at the end with {for_rate}", 100.0 * with);
        }
        let is_high = matches!(self.verdict, RateVerdict::High | RateVerdict::VeryHigh);
        let were_alive = before.is_some_and(|before| before <= DEAD);
        if with.map_or(is_high && were_alive, |with| with <= DEAD) {
            finding.evidence += ": it is the rate's doing";
            finding.suggestion = for_rate.clone();
        }
        Ok(())
    }

    /// What the hidden layers do in a state of the run, those with the same activation as the first.
    fn signals(&mut self, state: Option<&TrainingState>) -> Result<Vec<LayerSignals>, Error> {
        let Some(state) = state else { return Ok(Vec::new()) };
        self.run.go_to(state);
        let traces = self.run.engine().trace(&self.rows, state.progress.step)?;
        let Some(activation) = traces.first().and_then(|trace| trace.activation) else {
            return Ok(Vec::new());
        };
        // The bounds are those of the activation, which layers may have of several kinds.
        let alike: Vec<_> = traces.into_iter().filter(|trace| trace.activation == Some(activation)).collect();
        Ok(propagation::signals(&alike, activation.bounds()))
    }

    fn layers(&mut self, state: Option<&TrainingState>) -> Result<Vec<Finding>, Error> {
        let signals = self.signals(state)?;
        let count = self.rows.rows();
        let last_gradient = signals.last().map_or(0.0, |layer| layer.gradient_std);
        let mut findings = Vec::new();
        for layer in &signals {
            let mut tell = |trouble, evidence: String, suggestion: Suggestion| {
                findings.push(Finding { trouble, layer: Some(layer.layer), evidence, suggestion });
            };
            let ratio = layer.gradient_std / last_gradient;
            let gradient =
                format!("the gradient that comes to it is {ratio:.1e} times the last hidden layer's");
            if layer.dead > DEAD {
                let dead = 100.0 * layer.dead;
                let evidence = format!("{dead:.0}% of its {} units do nothing on {count} rows", layer.units);
                tell(Trouble::DeadUnits, evidence, Setting::Activation.at("leaky-relu"));
            }
            match layer.verdict {
                Verdict::Healthy => {}
                Verdict::Saturated => {
                    let share = 100.0 * layer.saturated.unwrap_or(0.0);
                    let evidence = format!("{share:.0}% of its activations are where the function is flat");
                    tell(Trouble::SaturatedUnits, evidence, Setting::BatchNorm.at("true"));
                }
                // Of a trained network, only the way back counts: what differs between rows is what it is
                // made to show.
                Verdict::Exploding if ratio > 1.0 => {
                    tell(Trouble::ExplodingGradients, gradient, Setting::ClipNorm.at("1"))
                }
                Verdict::Vanishing if ratio < 1.0 => {
                    tell(Trouble::VanishingGradients, gradient, Setting::BatchNorm.at("true"))
                }
                Verdict::Exploding | Verdict::Vanishing => {}
            }
        }
        Ok(findings)
    }

    /// Makes the next step of the run and returns, for each weight tensor, its name and how far the step
    /// moved it against how large it is: ‖Δw‖/‖w‖.
    fn movements(&mut self) -> Result<Vec<(String, f64)>, Error> {
        let before = self.run.engine().model().params().to_vec();
        self.run.step_at(self.run.scheduled())?;
        let (engine, model) = (self.run.engine(), self.run.engine().model());
        let norms = layers::norms(model.layout(), &before, model.params(), engine.gradient());
        Ok(norms.into_iter().map(|norms| (norms.name, norms.update / norms.weights)).collect())
    }

    fn updates(&mut self, state: Option<&TrainingState>) -> Result<Vec<Finding>, Error> {
        let Some(state) = state else { return Ok(Vec::new()) };
        self.run.go_to(state);
        let mut findings = Vec::new();
        for (index, (name, moved)) in self.movements()?.iter().enumerate() {
            let (trouble, times) = match *moved {
                moved if moved < SMALL => (Trouble::SmallUpdates, "10"),
                moved if moved > LARGE && moved.is_finite() => (Trouble::LargeUpdates, "0.1"),
                _ => continue,
            };
            findings.push(Finding {
                trouble,
                layer: Some(index + 1),
                evidence: format!("a step moves its weights by {moved:.1e} of their norm"),
                suggestion: Setting::Group.at(format!("name({name}, lr={times})")),
            });
        }
        Ok(findings)
    }
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
        suggestion: Setting::Dropout.at("0.5"),
    })
}

fn noise(config: &Config, forks: &[Fork], run: &Came) -> Option<Finding> {
    let fork = forks.last()?;
    let settled = fork.branches.iter().find(|branch| branch.factor == 1.0)?.loss?;
    let held = fork.held?;
    let best = forks.iter().flat_map(|fork| &fork.branches).filter_map(|branch| branch.loss);
    let best = best.chain(run.end).fold(settled, f64::min);
    let from = |loss| distance(run.baseline, best, loss);
    if from(held)? - from(settled)? <= 1.0 {
        return None;
    }
    let batch = config.batch.unwrap_or(1).saturating_mul(4);
    let is_constant = matches!(config.lr, Some(Schedule::Constant(_)));
    Some(Finding {
        trouble: Trouble::Noise,
        layer: None,
        evidence: format!(
            "{} steps after step {} the training loss is {} under the schedule as it is, and {} if its rate goes down to \
             zero in the second half of them",
            fork.steps,
            fork.step,
            fixed(held),
            fixed(settled)
        ),
        suggestion: if is_constant {
            Change::decay(fork.peak_rate).suggestion
        } else {
            Setting::Batch.at(batch.to_string())
        },
    })
}
