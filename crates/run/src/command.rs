//! What a run can be told while it is under way.

use std::fmt;
use std::str::FromStr;

use downhill_schedule::{Position, Schedule};
use serde::{Deserialize, Serialize};

use crate::{Error, Steering};

/// A run has no more epochs than these.
const MOST_EPOCHS: u64 = 1_000_000_000;

/// What a run can be told. It takes effect before the next step, and is an event of the run from there on: a
/// run that is resumed or replayed does the same at the same step.
///
/// In JSON, which is how the log and the socket spell it, `{"command": "set-lr", "lr": "0.5x"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", from = "Fields")]
pub enum Command {
    /// Save, if the run is kept in a folder, and stop; it can be resumed.
    Stop,
    /// End the run: it is over, and what it comes to is what it would have come to if this had been its last
    /// step.
    End,
    /// Make no step until [`Continue`](Command::Continue), or a command that stops or ends the run.
    Pause,
    /// Go on after a pause.
    Continue,
    /// Write a checkpoint, if the run is kept in a folder.
    Checkpoint,
    /// Change the learning rate.
    SetLr {
        /// To what.
        lr: RateChange,
    },
    /// Take back the last change of the learning rate that was not taken back yet. What the plateau and the
    /// guard have cut since then stays cut.
    Undo,
    /// Make the run so many epochs long, from its start. Schedules that count by the length of the run
    /// follow. A run that has ended or stopped early goes on, with its patience back.
    SetEpochs {
        /// How many, at least those that are made.
        epochs: u64,
    },
}

/// A command as it is read. serde lets a variant without fields have any, even where it denies unknown ones;
/// one whose list of fields is empty has none.
#[derive(Deserialize)]
#[serde(tag = "command", rename_all = "kebab-case", deny_unknown_fields)]
enum Fields {
    Stop {},
    End {},
    Pause {},
    Continue {},
    Checkpoint {},
    SetLr { lr: RateChange },
    Undo {},
    SetEpochs { epochs: u64 },
}

impl From<Fields> for Command {
    fn from(fields: Fields) -> Self {
        match fields {
            Fields::Stop {} => Self::Stop,
            Fields::End {} => Self::End,
            Fields::Pause {} => Self::Pause,
            Fields::Continue {} => Self::Continue,
            Fields::Checkpoint {} => Self::Checkpoint,
            Fields::SetLr { lr } => Self::SetLr { lr },
            Fields::Undo {} => Self::Undo,
            Fields::SetEpochs { epochs } => Self::SetEpochs { epochs },
        }
    }
}

impl Command {
    /// Why it cannot be applied in a run with this schedule, steered so far, that is at a position, and
    /// `over` if there is no step left to make.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn check(
        &self,
        schedule: &Schedule,
        steering: &Steering,
        position: Position,
        over: bool,
    ) -> Result<(), Error> {
        let epochs_made = position.step.div_ceil(position.steps_per_epoch.max(1));
        match self {
            Self::SetLr { .. } | Self::Undo if over => Err(Error::IsOver { epochs: epochs_made }),
            Self::SetLr { lr } => {
                let mut steering = steering.clone();
                steering.change(lr, position);
                lr.is_meant(steering.rate(schedule, position), steering.scale).map_err(Error::Mismatch)
            }
            Self::Undo if !steering.can_undo() => {
                Err(Error::Mismatch("there is no change of the rate to undo".into()))
            }
            Self::SetEpochs { epochs } if *epochs < epochs_made.max(1) || *epochs > MOST_EPOCHS => {
                let least = epochs_made.max(1);
                Err(Error::Mismatch(format!(
                    "{epochs} epochs cannot be the length of a run that is in epoch {least}; give {least} to \
                     {MOST_EPOCHS}"
                )))
            }
            Self::SetEpochs { .. }
            | Self::Undo
            | Self::Stop
            | Self::End
            | Self::Pause
            | Self::Continue
            | Self::Checkpoint => Ok(()),
        }
    }

    /// What it does, in the words of a log.
    pub fn text(&self) -> String {
        match self {
            Self::Stop => "stop".into(),
            Self::End => "end".into(),
            Self::Pause => "pause".into(),
            Self::Continue => "go on".into(),
            Self::Checkpoint => "write a checkpoint".into(),
            Self::SetLr { lr: RateChange::Times(factor) } => format!("{} times the rate", short(*factor)),
            Self::SetLr { lr: RateChange::Schedule } => "the rate as the schedule says".into(),
            Self::SetLr { lr } => format!("a rate of {lr}"),
            Self::Undo => "undo the last change of the rate".into(),
            Self::SetEpochs { epochs } => format!("a length of {epochs} epochs"),
        }
    }
}

/// A change of the learning rate: `0.003`, `0.5x`, `schedule`, or the spec of a schedule, such as
/// `cosine(1e-3, end=0)`.
#[derive(Clone, Debug, PartialEq)]
pub enum RateChange {
    /// So many times the rate of now, for all steps to come: the schedule goes on, scaled.
    Times(f64),
    /// Another schedule, which begins with the next step: its steps are counted from there, and its shares
    /// are of the steps that are left. A number is a constant rate. What was scaled or cut before does not
    /// count any more.
    Follow(Schedule),
    /// Back to the schedule that the run was started with, as it would be now if nothing had been scaled or
    /// cut.
    Schedule,
}

/// Rates of a run that is steered are no higher than parameters can hold, and a factor is no further from 1:
/// beyond is a slip of the finger or of a script, and ends a run. What a log says was done before is done
/// again all the same.
const HIGHEST_RATE: f64 = f32::MAX as f64;
const FURTHEST_FACTOR: f64 = 1e9;
/// Factors one after the other come to no more than this, or its inverse.
const FURTHEST_SCALE: f64 = 1e30;

impl RateChange {
    /// Fails if it comes to a rate and to a scale of the schedule that nobody can mean.
    fn is_meant(&self, rate: f64, scale: f64) -> Result<(), String> {
        let within = |factor: f64, most: f64| (1.0 / most..=most).contains(&factor);
        match self {
            Self::Times(factor) if !within(*factor, FURTHEST_FACTOR) => {
                Err(format!("{self} is no change of a rate: a factor is from 1e-9 to 1e9"))
            }
            _ if !within(scale, FURTHEST_SCALE) => {
                Err(format!("{self} comes to {scale:e} times the schedule's rates, beyond 1e-30 or 1e30"))
            }
            _ if !(0.0..=HIGHEST_RATE).contains(&rate) => Err(format!(
                "{self} comes to a rate of {rate:e}, which the parameters, of 32 bits, cannot hold"
            )),
            _ => Ok(()),
        }
    }

    fn check(&self) -> Result<(), String> {
        match self {
            Self::Times(factor) if factor.is_finite() && *factor > 0.0 => Ok(()),
            Self::Times(factor) => Err(format!("{factor} times the rate is no rate; give a factor above 0")),
            Self::Follow(schedule) => schedule.check().map_err(|invalid| invalid.to_string()),
            Self::Schedule => Ok(()),
        }
    }
}

impl FromStr for RateChange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let factor = text.strip_suffix(['x', '×']).and_then(|number| number.trim().parse::<f64>().ok());
        let change = match factor {
            Some(factor) => Self::Times(factor),
            None if text == "schedule" => Self::Schedule,
            None => Self::Follow(text.parse().map_err(|error| {
                format!("{error}\n(a rate such as 0.003, a factor such as 0.5x, `schedule`, or a schedule)")
            })?),
        };
        change.check()?;
        Ok(change)
    }
}

/// A factor without many zeros.
fn short(factor: f64) -> String {
    if (1e-4..1e6).contains(&factor) { factor.to_string() } else { format!("{factor:e}") }
}

impl fmt::Display for RateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Times(factor) => write!(f, "{}x", short(*factor)),
            Self::Follow(Schedule::Constant(constant)) => write!(f, "{}", constant.rate),
            Self::Follow(schedule) => schedule.fmt(f),
            Self::Schedule => f.write_str("schedule"),
        }
    }
}

impl Serialize for RateChange {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RateChange {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_spelled_as_they_are_read() {
        let set = |lr: &str| Command::SetLr { lr: lr.parse().unwrap() };
        for (command, json) in [
            (Command::Stop, r#"{"command":"stop"}"#),
            (Command::End, r#"{"command":"end"}"#),
            (Command::Undo, r#"{"command":"undo"}"#),
            (Command::SetEpochs { epochs: 7 }, r#"{"command":"set-epochs","epochs":7}"#),
            (set("0.003"), r#"{"command":"set-lr","lr":"0.003"}"#),
            (set("0.5x"), r#"{"command":"set-lr","lr":"0.5x"}"#),
            (set("2 ×"), r#"{"command":"set-lr","lr":"2x"}"#),
            (set("1e300x"), r#"{"command":"set-lr","lr":"1e300x"}"#),
            (set("schedule"), r#"{"command":"set-lr","lr":"schedule"}"#),
        ] {
            assert_eq!(serde_json::to_string(&command).unwrap(), json);
            assert_eq!(serde_json::from_str::<Command>(json).unwrap(), command);
        }
        let cosine = set("cosine(1e-3, end=1e-5)");
        let json = serde_json::to_string(&cosine).unwrap();
        assert_eq!(serde_json::from_str::<Command>(&json).unwrap(), cosine);
    }

    #[test]
    fn unknown_keys_are_refused_in_every_command() {
        for fields in [
            r#""command":"stop""#,
            r#""command":"end""#,
            r#""command":"pause""#,
            r#""command":"continue""#,
            r#""command":"checkpoint""#,
            r#""command":"undo""#,
            r#""command":"set-lr","lr":"0.5x""#,
            r#""command":"set-epochs","epochs":7"#,
        ] {
            assert!(serde_json::from_str::<Command>(&format!("{{{fields}}}")).is_ok(), "{fields}");
            let error = serde_json::from_str::<Command>(&format!("{{{fields},\"x\":1}}")).unwrap_err();
            assert!(error.to_string().contains("unknown field `x`"), "{fields}: {error}");
        }
    }

    #[test]
    fn changes_that_nobody_can_mean_are_told_apart() {
        let change = |text: &str| text.parse::<RateChange>().unwrap();
        assert!(change("0.5x").is_meant(0.05, 0.5).is_ok());
        assert!(change("1e9x").is_meant(1e8, 1e9).is_ok() && change("0.1").is_meant(0.1, 1.0).is_ok());
        for (text, rate, scale, says) in [
            ("1e308x", 1e300, 1e308, "a factor is from 1e-9 to 1e9"),
            ("1e-300x", 1e-301, 1e-300, "a factor is from 1e-9 to 1e9"),
            ("1e9x", 1e20, 1e31, "beyond 1e-30 or 1e30"),
            ("1e308", 1e308, 1.0, "a rate of 1e308"),
            ("10x", f64::INFINITY, 10.0, "a rate of inf"),
            ("10x", f64::NAN, 10.0, "a rate of NaN"),
        ] {
            let why = change(text).is_meant(rate, scale).unwrap_err();
            assert!(why.contains(says), "{text}: {why}");
        }
    }

    #[test]
    fn what_is_no_change_of_a_rate_is_refused() {
        for text in ["", "x", "-1x", "0x", "infx", "nanx", "-0.1", "1e999", "cosine", "cosine(1", "twice"] {
            assert!(text.parse::<RateChange>().is_err(), "{text}");
        }
    }
}
