//! What the outputs are compared with.

use crate::error::Error;
use crate::loss::TargetKind;
use downhill_core::Float;

/// The right answers for some rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Targets<'a, F> {
    /// One class for each row, counted from 0.
    Classes(&'a [u32]),
    /// As many values for each row as the model has outputs.
    Values(&'a [F]),
}

impl<F: Float> Targets<'_, F> {
    /// The number of classes, or of values: rows × outputs.
    pub fn len(&self) -> usize {
        match self {
            Self::Classes(classes) => classes.len(),
            Self::Values(values) => values.len(),
        }
    }

    /// Of which kind they are.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Classes(_) => TargetKind::Classes,
            Self::Values(_) => TargetKind::Values,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of rows that these targets and that many outputs are for, and the number of outputs a row.
    /// For values, which do not tell, a row is taken to have one.
    pub(crate) fn shape(&self, outputs: usize) -> Result<(usize, usize), Error> {
        match self {
            Self::Classes(classes) => {
                let rows = classes.len();
                if rows == 0 && outputs == 0 {
                    Ok((0, 1))
                } else if rows == 0 || outputs == 0 || !outputs.is_multiple_of(rows) {
                    Err(Error::Data(format!("{outputs} outputs cannot be divided among {rows} classes")))
                } else {
                    Ok((rows, outputs / rows))
                }
            }
            Self::Values(values) if values.len() == outputs => Ok((outputs, 1)),
            Self::Values(values) => {
                Err(Error::Data(format!("there are {outputs} outputs, but {} target values", values.len())))
            }
        }
    }
}
