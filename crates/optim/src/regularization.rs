//! Penalties, weight decay and clipping.

use serde::{Deserialize, Serialize};

use crate::transform::{Clip, Decay, Penalty};
use downhill_core::{Invalid, invalid};

/// Penalties, weight decay, clipping and bounds on norms, around whichever rule moves the parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Regularization {
    /// Added to the gradient of each weight: `l1`·sign(p). Default 0.
    pub l1: f64,
    /// Added to the gradient of each weight: `l2`·p. With `l1`, the elastic net. Default 0.
    pub l2: f64,
    /// Decoupled weight decay, besides the rule's own: the share of each weight that is taken away at a rate
    /// of 1. Default 0.
    pub weight_decay: f64,
    /// The share of each weight that is taken away at every step, whatever the rate, in [0, 1). Default 0.
    #[serde(skip_serializing_if = "is_zero")]
    pub independent_decay: f64,
    /// All gradients are scaled down together to this Euclidean norm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// The gradients of each tensor are scaled down to this Euclidean norm; not beside `clip_norm`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_tensor_norm: Option<f64>,
    /// Then each is limited to ± this value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_value: Option<f64>,
    /// After each step, the weights into each unit are scaled down to this Euclidean norm. Srivastava et al.,
    /// "Dropout" (2014); Keras's `MaxNorm(axis=0)`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_norm: Option<f64>,
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

impl Regularization {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        const NAME: &str = "training";
        invalid::not_negative(NAME, "l1", self.l1)?;
        invalid::not_negative(NAME, "l2", self.l2)?;
        invalid::not_negative(NAME, "weight-decay", self.weight_decay)?;
        invalid::fraction(NAME, "independent-decay", self.independent_decay)?;
        for (key, max) in [
            ("clip-norm", self.clip_norm),
            ("clip-tensor-norm", self.clip_tensor_norm),
            ("clip-value", self.clip_value),
            ("max-norm", self.max_norm),
        ] {
            max.map_or(Ok(()), |max| invalid::positive(NAME, key, max))?;
        }
        if self.clip_norm.is_some() && self.clip_tensor_norm.is_some() {
            let message = "cannot go with `clip-norm`; give one of the two".into();
            return Err(Invalid { owner: NAME, key: "clip-tensor-norm", message });
        }
        Ok(())
    }

    /// Whether anything is done before the rule.
    pub(crate) fn is_before(&self) -> bool {
        let clips = [self.clip_norm, self.clip_tensor_norm, self.clip_value].iter().any(Option::is_some);
        clips || [self.l1, self.l2, self.weight_decay, self.independent_decay].iter().any(|&x| x > 0.0)
    }

    /// What is done before the rule, the gradients being scaled by `scale`.
    pub(crate) fn before(&self, scale: f64) -> (Clip, (Penalty, Decay)) {
        let clip = Clip { scale, limit: self.clip_value.unwrap_or(f64::INFINITY) };
        let penalty = Penalty { l1: self.l1, l2: self.l2 };
        (clip, (penalty, Decay { decay: self.weight_decay, independent: self.independent_decay }))
    }
}
