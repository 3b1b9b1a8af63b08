//! What is measured of the layers of a network while it is trained, as numbers alone.

use serde::{Deserialize, Serialize};

/// How large the weights of one tensor were in one step, and what moved them. The norms are Euclidean.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Norms {
    /// The tensor: `0.weight`.
    pub name: String,
    /// Of the weights, as the step found them.
    pub weights: f64,
    /// Of the gradient of the step's mean loss, before anything is clipped or added to it.
    pub gradient: f64,
    /// Of what the step changed.
    pub update: f64,
}

/// How the numbers of one layer are spread: its weights, or its activations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// The tensor, `0.weight`, or the place of the layer in the network, `0`.
    pub name: String,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub std: f64,
    /// How many lie where.
    pub bins: Bins,
}

impl Distribution {
    /// How these are spread; none if there are none, or some are no finite numbers.
    pub fn of<F: Into<f64> + Copy>(name: String, values: &[F]) -> Option<Self> {
        let values = values.iter().map(|&value| value.into());
        let (mean, std) = moments(values.clone());
        // A sum with something in it that is not finite is not finite itself.
        (mean.is_finite() && std.is_finite()).then(|| Self { name, mean, std, bins: Bins::over(values) })
    }
}

/// How many values lie between two numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bins {
    /// Where the bins begin and end, evenly spaced: one more than there are bins. A value on an edge belongs
    /// to the bin above it, and one on the last edge to the last bin.
    pub edges: Vec<f64>,
    /// How many values each bin has.
    pub counts: Vec<u64>,
    /// How many values are exactly 0, as half of ReLU's are.
    pub zeros: u64,
}

/// The number of bins.
const BINS: usize = 40;

impl Bins {
    /// Over as far as the values reach.
    pub fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        Self::within(values.clone(), range(values))
    }

    /// Between two numbers.
    pub fn within(values: impl Iterator<Item = f64>, (low, high): (f64, f64)) -> Self {
        let width = (high - low) / BINS as f64;
        let mut edges: Vec<f64> = (0..BINS).map(|bin| low + bin as f64 * width).collect();
        edges.push(high);
        let mut counts = vec![0; BINS];
        let mut zeros = 0;
        for value in values.filter(|value| value.is_finite()) {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
            zeros += u64::from(value == 0.0);
        }
        Self { edges, counts, zeros }
    }

    /// The number of values in each bin that are not exactly 0: the shape that a great heap of zeros would
    /// hide.
    pub fn without_zeros(&self) -> Vec<u64> {
        let mut counts = self.counts.clone();
        // Bins that were read from somewhere may be no bins.
        let (Some(low), Some(high)) = (self.edges.first(), self.edges.get(counts.len())) else {
            return counts;
        };
        let at = (-low / ((high - low) / counts.len() as f64)) as usize;
        let last = counts.len().saturating_sub(1);
        if let Some(count) = counts.get_mut(at.min(last)) {
            *count = count.saturating_sub(self.zeros);
        }
        counts
    }
}

/// Mean and standard deviation.
pub fn moments(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    (mean, (values.map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt())
}

/// The least and the greatest of those that are finite; around a single one, some room.
pub fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.abs() <= f64::MAX / 4.0);
    let (low, high) = finite
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    let room = if high == 0.0 { 1.0 } else { high.abs() };
    if low < high {
        (low, high)
    } else if low == high {
        (low - room, high + room)
    } else {
        (-1.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_of_finite_numbers() {
        let found = Distribution::of("a".into(), &[1.0, 1.0, 3.0, 3.0]).unwrap();
        assert_eq!((found.mean, found.std), (2.0, 1.0));
        assert_eq!(found.bins.counts.iter().sum::<u64>(), 4);
        assert_eq!((found.bins.edges[0], found.bins.edges.last()), (1.0, Some(&3.0)));
        for values in [&[][..], &[1.0, f64::NAN], &[f64::INFINITY]] {
            assert_eq!(Distribution::of("a".into(), values), None);
        }
    }
}
