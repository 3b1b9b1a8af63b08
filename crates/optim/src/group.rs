//! Tensors that are treated in a way of their own.

use serde::{Deserialize, Serialize};

use crate::{Role, Tensor};
use downhill_core::{Invalid, invalid};

/// What is different for some tensors: `name(0.*, lr=0.1)`, `role(bias, lr=2, decay=1)`.
///
/// Where several groups fit a tensor, the last one counts. PyTorch calls these parameter groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    /// The tensors whose name fits a pattern.
    Name(ByName),
    /// The tensors of a role.
    Role(ByRole),
}

/// Settings of [`Group::Name`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByName {
    /// A name such as `2.weight`, in which `*` stands for any text: `0.*`, `*.bias`.
    pub pattern: String,
    /// What the learning rate is multiplied by, 0 or above; 0 holds the tensors still. Default 1.
    #[serde(default = "one")]
    pub lr: f64,
    /// What penalties and decay are multiplied by, 0 or above. Default 1 for weights and 0 for all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
}

/// Settings of [`Group::Role`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByRole {
    /// `weight`, `bias`, `scale` or `shift`.
    pub role: Role,
    /// What the learning rate is multiplied by, 0 or above; 0 holds the tensors still. Default 1.
    #[serde(default = "one")]
    pub lr: f64,
    /// What penalties and decay are multiplied by, 0 or above. Default 1 for weights and 0 for all else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decay: Option<f64>,
}
downhill_core::spec::spelled!(Group, "a group of tensors");

fn one() -> f64 {
    1.0
}

impl Group {
    /// Whether a tensor belongs to it.
    pub fn fits(&self, tensor: &Tensor) -> bool {
        match self {
            Self::Name(by) => matches(&by.pattern, &tensor.name),
            Self::Role(by) => by.role == tensor.role,
        }
    }

    /// What the rate, and penalties and decay, of its tensors are multiplied by.
    pub(crate) fn factors(&self) -> (f64, Option<f64>) {
        match self {
            Self::Name(ByName { lr, decay, .. }) | Self::Role(ByRole { lr, decay, .. }) => (*lr, *decay),
        }
    }

    /// The same for a tensor: those of the last group that it belongs to, if any.
    pub(crate) fn factors_of(groups: &[Self], tensor: &Tensor) -> (f64, Option<f64>) {
        groups.iter().rev().find(|group| group.fits(tensor)).map_or((1.0, None), Self::factors)
    }

    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let owner = if matches!(self, Self::Name(_)) { "name" } else { "role" };
        let (lr, decay) = self.factors();
        invalid::not_negative(owner, "lr", lr)?;
        decay.map_or(Ok(()), |decay| invalid::not_negative(owner, "decay", decay))
    }

    /// Checks that there is a tensor that it can be of.
    pub(crate) fn check_among(&self, tensors: &[Tensor]) -> Result<(), Invalid> {
        let trained = || tensors.iter().filter(|tensor| tensor.role != Role::Statistic);
        if trained().any(|tensor| self.fits(tensor)) {
            return Ok(());
        }
        let (owner, key) = match self {
            Self::Name(_) => ("name", "pattern"),
            Self::Role(_) => ("role", "role"),
        };
        let names: Vec<String> = trained().map(|tensor| format!("`{}`", tensor.name)).collect();
        Err(Invalid { owner, key, message: format!("fits no tensor; there is {}", names.join(", ")) })
    }
}

/// Whether `text` is `pattern`, in which `*` stands for any text.
fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len()).filter(|&at| text.is_char_boundary(at)).any(|at| matches(rest, &text[at..]))
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, text, fits) in [
            ("0.weight", "0.weight", true),
            ("0.weight", "10.weight", false),
            ("*.weight", "10.weight", true),
            ("0.*", "0.bias", true),
            ("0.*", "10.bias", false),
            ("*", "", true),
            ("*i*s", "3.bias", true),
            ("*x*", "3.bias", false),
            ("3*3.bias", "3.bias", false),
            ("é*", "é.bias", true),
        ] {
            assert_eq!(matches(pattern, text), fits, "{pattern} and {text}");
        }
    }
}
