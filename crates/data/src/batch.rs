//! The order in which an epoch visits the rows.

use downhill_core::random::{Purpose, stream};
use rand::seq::SliceRandom;

/// Fills `order` with the numbers from 0 to its length, shuffled: a pure function of the seed, the epoch and the length.
///
/// Allocates nothing.
///
/// ```
/// use downhill_data::permutation;
///
/// let (mut one, mut two) = ([0; 5], [0; 5]);
/// permutation(&mut one, 7, 0);
/// permutation(&mut two, 7, 0);
/// assert_eq!(one, two);
/// one.sort();
/// assert_eq!(one, [0, 1, 2, 3, 4]);
/// ```
pub fn permutation(order: &mut [u32], seed: u64, epoch: u64) {
    for (i, row) in order.iter_mut().enumerate() {
        *row = i as u32;
    }
    order.shuffle(&mut stream(seed, Purpose::Shuffle, epoch));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_and_seeds_differ_and_stay_what_they_are() {
        let order = |seed, epoch| {
            let mut order = [0; 8];
            permutation(&mut order, seed, epoch);
            order
        };
        assert_ne!(order(1, 0), order(1, 1));
        assert_ne!(order(1, 0), order(2, 0));
        // If this changes, runs made before can no longer be replayed.
        assert_eq!(order(7, 3), [6, 0, 5, 1, 2, 4, 7, 3]);
        permutation(&mut [], 1, 0);
    }
}
