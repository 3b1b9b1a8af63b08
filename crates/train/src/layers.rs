//! What is measured of the layers of a network while it is trained.

use downhill_nn::Trace;
use downhill_optim::{Layout, Role};
use serde::{Deserialize, Serialize};

use crate::propagation::{Bins, moments};

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

impl Norms {
    /// The norms of each weight tensor, of a step that led from the one buffer of parameters to the other.
    pub(crate) fn of(layout: &Layout, before: &[f32], after: &[f32], gradient: &[f32]) -> Vec<Self> {
        let weights = layout.tensors().iter().filter(|tensor| tensor.role == Role::Weight);
        let norms = weights.map(|tensor| {
            let range = tensor.range();
            let parameters = before[range.clone()].iter().zip(&after[range.clone()]).zip(&gradient[range]);
            let sums = parameters.fold([0.0; 3], |[weights, gradients, updates], ((&before, &after), &g)| {
                let [before, after, g] = [before, after, g].map(f64::from);
                [weights + before * before, gradients + g * g, updates + (after - before) * (after - before)]
            });
            let [weights, gradient, update] = sums.map(f64::sqrt);
            Self { name: tensor.name.clone(), weights, gradient, update }
        });
        norms.collect()
    }
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
    pub(crate) fn of<F: Into<f64> + Copy>(name: String, values: &[F]) -> Option<Self> {
        let values = values.iter().map(|&value| value.into());
        let (mean, std) = moments(values.clone());
        // A sum with something in it that is not finite is not finite itself.
        (mean.is_finite() && std.is_finite()).then(|| Self { name, mean, std, bins: Bins::over(values) })
    }

    /// The weights of every weight tensor.
    pub(crate) fn of_weights(layout: &Layout, params: &[f32]) -> Vec<Self> {
        let weights = layout.tensors().iter().filter(|tensor| tensor.role == Role::Weight);
        let all = weights.filter_map(|tensor| Self::of(tensor.name.clone(), &params[tensor.range()]));
        all.collect()
    }

    /// The outputs of every layer that has an activation.
    pub(crate) fn of_activations(traces: &[Trace<f32>]) -> Vec<Self> {
        traces.iter().filter_map(|trace| Self::of(trace.position.to_string(), &trace.outputs)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norms_are_of_weights_alone() {
        let mut layout = Layout::default();
        layout.push("0.weight", &[2, 1], Role::Weight);
        layout.push("0.bias", &[1], Role::Bias);
        layout.push("1.weight", &[1], Role::Weight);
        let norms =
            Norms::of(&layout, &[3.0, 4.0, 9.0, -2.0], &[3.0, 5.0, 0.0, -2.0], &[0.0, -1.0, 7.0, 0.5]);
        let norm =
            |name: &str, weights, gradient, update| Norms { name: name.into(), weights, gradient, update };
        assert_eq!(norms, [norm("0.weight", 5.0, 1.0, 1.0), norm("1.weight", 2.0, 0.5, 0.0)]);
    }

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
