//! What is measured of the layers of a network while it is trained.

use downhill_nn::Trace;
use downhill_optim::{Layout, Role};
use downhill_run::{Distribution, Norms};

/// The norms of each weight tensor, of a step that led from the one buffer of parameters to the other.
pub(crate) fn norms(layout: &Layout, before: &[f32], after: &[f32], gradient: &[f32]) -> Vec<Norms> {
    let weights = layout.tensors().iter().filter(|tensor| tensor.role == Role::Weight);
    let norms = weights.map(|tensor| {
        let range = tensor.range();
        let parameters = before[range.clone()].iter().zip(&after[range.clone()]).zip(&gradient[range]);
        let sums = parameters.fold([0.0; 3], |[weights, gradients, updates], ((&before, &after), &g)| {
            let [before, after, g] = [before, after, g].map(f64::from);
            [weights + before * before, gradients + g * g, updates + (after - before) * (after - before)]
        });
        let [weights, gradient, update] = sums.map(f64::sqrt);
        Norms { name: tensor.name.clone(), weights, gradient, update }
    });
    norms.collect()
}

/// How the weights of every weight tensor are spread.
pub(crate) fn of_weights(layout: &Layout, params: &[f32]) -> Vec<Distribution> {
    let weights = layout.tensors().iter().filter(|tensor| tensor.role == Role::Weight);
    let all = weights.filter_map(|tensor| Distribution::of(tensor.name.clone(), &params[tensor.range()]));
    all.collect()
}

/// How the outputs of every layer that has an activation are spread.
pub(crate) fn of_activations(traces: &[Trace<f32>]) -> Vec<Distribution> {
    traces.iter().filter_map(|trace| Distribution::of(trace.position.to_string(), &trace.outputs)).collect()
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
        let norms = norms(&layout, &[3.0, 4.0, 9.0, -2.0], &[3.0, 5.0, 0.0, -2.0], &[0.0, -1.0, 7.0, 0.5]);
        let norm =
            |name: &str, weights, gradient, update| Norms { name: name.into(), weights, gradient, update };
        assert_eq!(norms, [norm("0.weight", 5.0, 1.0, 1.0), norm("1.weight", 2.0, 0.5, 0.0)]);
    }
}
