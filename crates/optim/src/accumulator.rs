//! Gradients of several batches, for one step.

use downhill_core::Float;
use downhill_core::simd::vectorised;

/// The weighted sum of the gradients of several batches, so that a step can see more rows than fit into
/// memory at once.
///
/// ```
/// use downhill_optim::Accumulator;
///
/// let mut sum = Accumulator::new(2);
/// sum.add(&[1.0f32, 2.0], 0.5);
/// sum.add(&[3.0, 2.0], 0.5);
/// assert_eq!(sum.gradient(), [2.0, 2.0]);
/// sum.clear();
/// ```
#[derive(Clone, Debug)]
pub struct Accumulator<F> {
    sum: Vec<F>,
}

impl<F: Float> Accumulator<F> {
    /// An empty sum for `len` parameters.
    pub fn new(len: usize) -> Self {
        Self { sum: vec![F::zero(); len] }
    }

    /// Adds `weight`·`grads`. With the weight of each batch its share of the rows, the sum is the mean over
    /// all rows.
    ///
    /// # Panics
    ///
    /// If there are not as many gradients as parameters.
    pub fn add(&mut self, grads: &[F], weight: f64) {
        assert_eq!(grads.len(), self.sum.len(), "as many gradients as parameters");
        let weight = F::of(weight);
        vectorised(
            #[inline(always)]
            || self.sum.iter_mut().zip(grads).for_each(|(sum, &g)| *sum += weight * g),
        );
    }

    /// What has been added up.
    pub fn gradient(&self) -> &[F] {
        &self.sum
    }

    /// Empties the sum.
    pub fn clear(&mut self) {
        self.sum.fill(F::zero());
    }
}
