//! An objective that is the mean of several.

use crate::{Error, Job, Objective, Outcome};

/// The mean of several objectives: of trainings with other random seeds, or on the folds of a
/// cross-validation.
///
/// A trial of which one part fails has failed; it is over when all its parts are.
pub struct Mean<O>(Vec<O>);

impl<O: Objective> Mean<O> {
    /// The mean of these, of which there is to be at least one: that of none is no number.
    pub fn of(parts: Vec<O>) -> Self {
        Self(parts)
    }
}

/// Where a part of a trial is.
#[derive(Clone, Debug, PartialEq)]
enum Part {
    /// It is over.
    Over { value: f64, epochs: u64 },
    /// It goes on from there; if nothing is known, from its start.
    Paused { value: f64, state: Option<Vec<u8>> },
}

impl<O: Objective> Objective for Mean<O> {
    fn make(&self, job: Job<'_>, from: Option<Vec<u8>>) -> Result<Outcome, Error> {
        let begun = from.and_then(|bytes| read(&bytes)).filter(|parts| parts.len() == self.0.len());
        let mut parts = Vec::with_capacity(self.0.len());
        let mut notes = Vec::new();
        let mut made = 0;
        for (at, objective) in self.0.iter().enumerate() {
            let state = match begun.as_ref().map(|parts| &parts[at]) {
                Some(over @ Part::Over { epochs, .. }) => {
                    made = made.max(*epochs);
                    parts.push(over.clone());
                    continue;
                }
                Some(Part::Paused { state, .. }) => state.clone(),
                None => None,
            };
            match objective.make(job, state)? {
                Outcome::Interrupted => return Ok(Outcome::Interrupted),
                Outcome::Reached { value, epochs, done, note, paused } => {
                    made = made.max(epochs);
                    notes.extend(note);
                    parts.push(match done {
                        true => Part::Over { value, epochs },
                        false => Part::Paused { value, state: paused },
                    });
                    if !value.is_finite() {
                        break;
                    }
                }
            }
        }
        let values = parts.iter().map(|part| match part {
            Part::Over { value, .. } | Part::Paused { value, .. } => *value,
        });
        let value = values.sum::<f64>() / parts.len() as f64;
        let done = !value.is_finite() || parts.iter().all(|part| matches!(part, Part::Over { .. }));
        notes.dedup();
        Ok(Outcome::Reached {
            value,
            epochs: made,
            done,
            note: (!notes.is_empty()).then(|| notes.join(", ")),
            paused: (!done).then(|| write(&parts)),
        })
    }
}

/// A byte that says which it is, the value, the epochs or the length of the state, and the state.
fn write(parts: &[Part]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        let (kind, value, number, state): (u8, f64, u64, &[u8]) = match part {
            Part::Over { value, epochs } => (0, *value, *epochs, &[]),
            Part::Paused { value, state: Some(state) } => (1, *value, state.len() as u64, state),
            Part::Paused { value, state: None } => (2, *value, 0, &[]),
        };
        bytes.push(kind);
        bytes.extend(value.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        bytes.extend(state);
    }
    bytes
}

/// The parts again, unless the bytes are something else.
fn read(mut bytes: &[u8]) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    while let Some((&kind, rest)) = bytes.split_first() {
        let (value, rest) = rest.split_first_chunk::<8>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (value, number) = (f64::from_le_bytes(*value), u64::from_le_bytes(*number));
        bytes = rest;
        parts.push(match kind {
            0 => Part::Over { value, epochs: number },
            1 => {
                let (state, rest) = rest.split_at_checked(usize::try_from(number).ok()?)?;
                bytes = rest;
                Part::Paused { value, state: Some(state.to_vec()) }
            }
            2 => Part::Paused { value, state: None },
            _ => return None,
        });
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Settings, Space, State, Study};

    #[test]
    fn parts_are_read_back_and_nothing_else_is() {
        let parts = vec![
            Part::Over { value: 1.5, epochs: 3 },
            Part::Paused { value: -2.0, state: Some(vec![1, 2, 3]) },
            Part::Paused { value: 0.0, state: None },
        ];
        let bytes = write(&parts);
        assert_eq!(read(&bytes), Some(parts));
        for end in 1..17 {
            assert_eq!(read(&bytes[..end]), None, "{end}");
        }
        assert_eq!(read(&[9; 17]), None);
    }

    /// Comes to its settings after three epochs, or after nine where it is slow; counts from its state.
    struct Slow(u64, f64);

    impl Objective for Slow {
        fn make(&self, job: Job<'_>, paused: Option<Vec<u8>>) -> Result<Outcome, Error> {
            let from = paused.map_or(0, |state| u64::from(state[0]));
            let until = job.until.min(self.0);
            assert!(from < until, "one that is over is not made again");
            let value = job.settings.number("x").unwrap() * self.1 + 1.0 / until as f64;
            let paused = Some(vec![until as u8]);
            Ok(Outcome::Reached { value, epochs: until, done: until == self.0, note: None, paused })
        }
    }

    #[test]
    fn the_mean_is_over_when_all_parts_are() {
        let space = Space::new().with("x", "uniform(0, 1)").unwrap();
        let mean = Mean::of(vec![Slow(3, 1.0), Slow(9, 3.0)]);
        let history = Study::new(space).epochs(9).trials(9).run(&mean).unwrap();
        let best = history.best().unwrap();
        assert_eq!((best.state, best.epochs), (State::Complete, 9));
        let x = best.settings.number("x").unwrap();
        let expected = 0.5 * ((x + 1.0 / 3.0) + (3.0 * x + 1.0 / 9.0));
        assert!((best.value.unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn one_that_fails_fails_the_mean() {
        let space = Space::new().with("x", "uniform(0, 1)").unwrap();
        let value = |value: f64| move |_: &Settings| value;
        let mean = Mean::of(vec![value(1.0), value(f64::NAN)]);
        let history = Study::new(space).trials(2).run(&mean).unwrap();
        assert!(history.trials().iter().all(|trial| trial.state == State::Failed));
    }
}
