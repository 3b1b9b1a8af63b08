//! Examples from arrays of the `ndarray` crate.

use crate::{Error, Examples, Targets};
use ndarray::{Array1, Array2};

impl TryFrom<(Array2<f32>, Array1<u32>)> for Examples {
    type Error = Error;

    /// Features, one row an example, and class labels counted from 0; there are as many classes as the
    /// largest says. (To say how many there are, use [`Examples::new`].)
    fn try_from((x, labels): (Array2<f32>, Array1<u32>)) -> Result<Self, Error> {
        let labels = labels.to_vec();
        let classes = labels.iter().max().map_or(0, |&most| most as usize + 1);
        from_rows(x, Targets::Classes { labels, classes })
    }
}

impl TryFrom<(Array2<f32>, Array1<f32>)> for Examples {
    type Error = Error;

    /// Features, one row an example, and a number for each to predict.
    fn try_from((x, values): (Array2<f32>, Array1<f32>)) -> Result<Self, Error> {
        from_rows(x, Targets::Values(values.to_vec()))
    }
}

fn from_rows(x: Array2<f32>, y: Targets) -> Result<Examples, Error> {
    let (rows, features) = x.dim();
    if rows != y.len() {
        return Err(Error::Invalid(format!("{rows} rows of features do not go with {} targets", y.len())));
    }
    // In the order of rows, whatever the layout of the array is.
    Examples::new(x.iter().copied().collect(), features, y)
}
