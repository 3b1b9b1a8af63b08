//! Two operations that are run as one.

use super::Draft;
use crate::op::Activation;
use downhill_core::Float;

/// Lets every activation be computed by the operation in front of it, where that has a loop for both and its
/// output is used by nothing else. `activation` says which of the drafts are activations, by their positions.
pub(super) fn fuse<F: Float>(
    drafts: Vec<Draft<F>>,
    activation: impl Fn(usize) -> Option<Activation>,
) -> Vec<Draft<F>> {
    let mut uses = vec![0; drafts.len() + 1];
    for &value in drafts.iter().flat_map(|draft| &draft.inputs) {
        uses[value] += 1;
    }
    let mut fused: Vec<Draft<F>> = Vec::new();
    // Which value each of the values has become.
    let mut became = vec![0];
    for mut draft in drafts {
        let input = draft.inputs[0];
        draft.inputs.iter_mut().for_each(|value| *value = became[*value]);
        let in_front = draft.inputs[0].checked_sub(1).filter(|_| uses[input] == 1);
        let both = activation(draft.position)
            .and_then(|activation| in_front.and_then(|at| fused[at].op.fuse(activation)));
        match (both, in_front) {
            (Some(both), Some(at)) => {
                fused[at].op = both;
                became.push(at + 1);
            }
            _ => {
                fused.push(draft);
                became.push(fused.len());
            }
        }
    }
    fused
}
