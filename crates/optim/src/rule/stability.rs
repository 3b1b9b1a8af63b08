//! How high a rate a rule bears.

use super::Rule;

impl Rule {
    /// c: on a quadratic with the Hessian H, the rule converges while η·λ < c and diverges while η·λ > c, where λ is the
    /// largest eigenvalue of P^(−½)·H·P^(−½) and P the [preconditioner](Self::preconditioner), taken as it stands.
    ///
    /// None for rules whose limit is not known.
    ///
    /// | | c |
    /// | --- | --- |
    /// | `sgd`, `adagrad`, `adadelta`, `rmsprop` | 2 |
    /// | `momentum`, `rmsprop(momentum=μ)` | 2 + 2μ |
    /// | `nesterov` | (2 + 2μ) / (1 + 2μ) |
    /// | `adam`, `adamw`, `amsgrad`, `adamax`, `radam` | (2 + 2β₁) / (1 − β₁) |
    ///
    /// In each the rule's linear map, of position and momentum, gets the eigenvalue −1. Those of the momenta: Cohen et
    /// al., "Gradient Descent on Neural Networks Typically Occurs at the Edge of Stability" (2021), appendix B; of Adam:
    /// Cohen et al., "Adaptive Gradient Methods at the Edge of Stability" (2022).
    ///
    /// It is that of the bare rule. Decoupled decay of δ lowers the limit of η from c/λ to c/(λ + δ·c/2), which is hardly
    /// ever seen; clipping and averages of the weights are no part of it.
    pub fn stability(&self) -> Option<f64> {
        let heavy_ball = |momentum: f64| 2.0 + 2.0 * momentum;
        match self {
            Self::Sgd(_) | Self::Adagrad(_) | Self::Adadelta(_) => Some(2.0),
            Self::Momentum(rule) => Some(heavy_ball(rule.momentum)),
            Self::RmsProp(rule) => Some(heavy_ball(rule.momentum)),
            Self::Nesterov(rule) => Some(heavy_ball(rule.momentum) / (1.0 + 2.0 * rule.momentum)),
            Self::Adam(rule) => Some(heavy_ball(rule.beta1) / (1.0 - rule.beta1)),
            Self::AmsGrad(rule) => Some(heavy_ball(rule.beta1) / (1.0 - rule.beta1)),
            Self::AdamW(rule) => Some(heavy_ball(rule.beta1) / (1.0 - rule.beta1)),
            Self::Adamax(rule) => Some(heavy_ball(rule.beta1) / (1.0 - rule.beta1)),
            Self::RAdam(rule) => Some(heavy_ball(rule.beta1) / (1.0 - rule.beta1)),
            Self::NAdam(_) | Self::Lion(_) | Self::Lars(_) | Self::Lamb(_) | Self::Muon(_) => None,
            Self::ScheduleFreeSgd(_) | Self::ScheduleFreeAdamW(_) | Self::Prodigy(_) => None,
        }
    }

    /// Whether the rule divides the gradient of each parameter by a number of its own, which its state tells.
    pub fn is_preconditioned(&self) -> bool {
        matches!(
            self,
            Self::Adagrad(_)
                | Self::RmsProp(_)
                | Self::Adadelta(_)
                | Self::Adam(_)
                | Self::AmsGrad(_)
                | Self::AdamW(_)
                | Self::Adamax(_)
                | Self::RAdam(_)
        )
    }

    /// What the rule divides the gradient of a parameter by, beside the rate, after `steps` steps, at least 1; `state`
    /// are the parameter's numbers, slot by slot. 1 unless the rule [is preconditioned](Self::is_preconditioned).
    ///
    /// Of the rules with an average of the gradient, it includes the correction of that for starting at zero, as in Cohen
    /// et al. (2022).
    ///
    /// # Panics
    ///
    /// If there are fewer numbers than the rule has slots.
    pub fn preconditioner(&self, steps: u64, state: &[f64]) -> f64 {
        match self {
            Self::Adagrad(rule) => rule.preconditioner([state[0]]),
            Self::RmsProp(rule) => rule.preconditioner(state),
            Self::Adadelta(rule) => rule.preconditioner([state[0], state[1]]),
            Self::Adam(rule) => rule.preconditioner(steps, state[1]),
            Self::AmsGrad(rule) => rule.preconditioner(steps, [state[0], state[1], state[2]]),
            Self::AdamW(rule) => rule.preconditioner(steps, [state[0], state[1]]),
            Self::Adamax(rule) => rule.preconditioner(steps, [state[0], state[1]]),
            Self::RAdam(rule) => rule.preconditioner(steps, [state[0], state[1]]),
            _ => 1.0,
        }
    }
}
