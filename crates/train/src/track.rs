//! What is measured on the way, besides the epochs.

use downhill_core::{Invalid, invalid, spec};
use downhill_schedule::{Length, Position};
use serde::{Deserialize, Serialize};

/// Whether the curvature of the training loss is measured on the way: `off`, or `sharpness(1ep, rows=2048)`.
///
/// It is an event of the run, and changes nothing in it; see [`Sharpness`](crate::Sharpness).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Track {
    /// No.
    #[default]
    Off,
    /// Before the first step, and every so often from there on.
    Sharpness(Tracked),
}
spec::spelled!(Track, "something to track");

/// Settings of [`Track::Sharpness`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tracked {
    /// How often: every so many steps, epochs, or shares of the run. Default every epoch.
    pub every: Length,
    /// On how many training rows at most, at least 1. Default 2048.
    pub rows: usize,
}

impl Default for Tracked {
    fn default() -> Self {
        Self { every: Length::Epochs(1.0), rows: 2048 }
    }
}

impl Track {
    /// Checks every setting's range.
    pub fn check(&self) -> Result<(), Invalid> {
        let Self::Sharpness(Tracked { every, rows }) = *self else { return Ok(()) };
        every.check("sharpness", "every")?;
        invalid::ensure("sharpness", "rows", rows as f64, |rows| rows >= 1.0, "at least 1")
    }

    /// Whether nothing is measured.
    pub(crate) fn is_off(&self) -> bool {
        *self == Self::Off
    }

    /// On how many rows at most it is measured before the step of a position, if it is.
    pub(crate) fn due(&self, position: Position) -> Option<usize> {
        let Self::Sharpness(Tracked { every, rows }) = *self else { return None };
        let every = every.in_steps(position).round().max(1.0) as u64;
        position.step.is_multiple_of(every).then_some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_measured_as_often_as_is_asked() {
        let steps = |spec: &str| -> Vec<u64> {
            let track: Track = spec.parse().unwrap();
            let position = |step| Position { step, steps_per_epoch: 10, total_steps: 40 };
            (0..40).filter(|&step| track.due(position(step)).is_some()).collect()
        };
        assert_eq!(steps("off"), [0; 0]);
        assert_eq!(steps("sharpness"), [0, 10, 20, 30]);
        assert_eq!(steps("sharpness(15)"), [0, 15, 30]);
        assert_eq!(steps("sharpness(every=0.5ep)").len(), 8);
        assert_eq!(steps("sharpness(50%)"), [0, 20]);
        assert_eq!(steps("sharpness(0.01ep)").len(), 40);
        for wrong in ["sharpness(0)", "sharpness(rows=0)", "sharpness(-1ep)", "sharpness(200%)"] {
            assert!(wrong.parse::<Track>().is_err(), "{wrong}");
        }
    }
}
