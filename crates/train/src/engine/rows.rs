//! The order in which an epoch sees the rows: a function of the seed and the epoch.

use downhill_data::permutation;

/// The training rows in the order of one epoch.
pub(super) struct RowOrder {
    rows: Vec<u32>,
    seed: u64,
    /// Which epoch they are in the order of; none at first.
    epoch: Option<u64>,
}

impl RowOrder {
    pub fn new(rows: usize, seed: u64) -> Self {
        Self { rows: vec![0; rows], seed, epoch: None }
    }

    /// Puts the rows in the order of an epoch, if they are not.
    pub fn of_epoch(&mut self, epoch: u64) {
        if self.epoch != Some(epoch) {
            permutation(&mut self.rows, self.seed, epoch);
            self.epoch = Some(epoch);
        }
    }

    pub fn rows(&self) -> &[u32] {
        &self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_the_same_order_whenever_it_is_come_to() {
        let mut order = RowOrder::new(50, 3);
        let mut of = |epoch| {
            order.of_epoch(epoch);
            order.rows().to_vec()
        };
        let (first, second) = (of(0), of(1));
        assert_ne!(first, second);
        assert_eq!(of(0), first);
        let mut sorted = second;
        sorted.sort_unstable();
        assert_eq!(sorted, (0..50).collect::<Vec<_>>());
    }
}
