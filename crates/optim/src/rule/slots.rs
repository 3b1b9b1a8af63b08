//! What a rule remembers for each parameter.

use std::ops::Range;

use downhill_core::Buffer;
use downhill_core::Float;

/// The state of one parameter, gathered from one buffer a slot and put back: `[F; N]`, or a pair of
/// such.
pub trait Slots<F: Float>: Copy + Send + Sync {
    /// How many numbers a parameter needs.
    const COUNT: usize;

    /// The same stretch of every buffer.
    type Slices<'a>: Send;

    /// The same value in every slot.
    fn filled(value: F) -> Self;

    /// Calls `visit` with each slot's number and value.
    fn each(self, visit: impl FnMut(usize, F));

    /// Borrows the stretch `range` of every buffer; there must be `COUNT` of them.
    fn slices(buffers: &mut [Buffer<F>], range: Range<usize>) -> Self::Slices<'_>;

    /// Cuts every slice at `mid`.
    fn split_at(slices: Self::Slices<'_>, mid: usize) -> (Self::Slices<'_>, Self::Slices<'_>);

    /// Panics unless every slice has this length; lets the compiler drop the checks in the loop.
    fn assert_len(slices: &Self::Slices<'_>, len: usize);

    /// The state of parameter `i`.
    fn get(slices: &Self::Slices<'_>, i: usize) -> Self;

    /// Puts the state of parameter `i` back. What has become too small for a normal number is put back as 0:
    /// averages of gradients that stay away would come to rest at subnormal numbers, which processors are
    /// slow with.
    fn put(self, slices: &mut Self::Slices<'_>, i: usize);
}

impl<F: Float, const N: usize> Slots<F> for [F; N] {
    const COUNT: usize = N;

    type Slices<'a> = [&'a mut [F]; N];

    fn filled(value: F) -> Self {
        [value; N]
    }

    fn each(self, mut visit: impl FnMut(usize, F)) {
        self.into_iter().enumerate().for_each(|(slot, value)| visit(slot, value));
    }

    fn slices(buffers: &mut [Buffer<F>], range: Range<usize>) -> Self::Slices<'_> {
        let mut buffers = buffers.iter_mut();
        std::array::from_fn(|_| &mut buffers.next().expect("a buffer for each slot")[range.clone()])
    }

    fn split_at(slices: Self::Slices<'_>, mid: usize) -> (Self::Slices<'_>, Self::Slices<'_>) {
        let mut right: [&mut [F]; N] = std::array::from_fn(|_| [].as_mut_slice());
        let mut slot = 0;
        let left = slices.map(|slice| {
            let (a, b) = slice.split_at_mut(mid);
            right[slot] = b;
            slot += 1;
            a
        });
        (left, right)
    }

    #[inline(always)]
    fn assert_len(slices: &Self::Slices<'_>, len: usize) {
        assert!(slices.iter().all(|slice| slice.len() == len));
    }

    #[inline(always)]
    fn get(slices: &Self::Slices<'_>, i: usize) -> Self {
        std::array::from_fn(
            #[inline(always)]
            |slot| slices[slot][i],
        )
    }

    #[inline(always)]
    fn put(self, slices: &mut Self::Slices<'_>, i: usize) {
        for (slot, value) in self.into_iter().enumerate() {
            slices[slot][i] = if value.abs() < F::min_positive_value() { F::zero() } else { value };
        }
    }
}

/// The slots of both, one behind the other.
impl<F: Float, A: Slots<F>, B: Slots<F>> Slots<F> for (A, B) {
    const COUNT: usize = A::COUNT + B::COUNT;

    type Slices<'a> = (A::Slices<'a>, B::Slices<'a>);

    fn filled(value: F) -> Self {
        (A::filled(value), B::filled(value))
    }

    fn each(self, mut visit: impl FnMut(usize, F)) {
        self.0.each(&mut visit);
        self.1.each(|slot, value| visit(A::COUNT + slot, value));
    }

    fn slices(buffers: &mut [Buffer<F>], range: Range<usize>) -> Self::Slices<'_> {
        let (a, b) = buffers.split_at_mut(A::COUNT);
        (A::slices(a, range.clone()), B::slices(b, range))
    }

    fn split_at(slices: Self::Slices<'_>, mid: usize) -> (Self::Slices<'_>, Self::Slices<'_>) {
        let ((a0, a1), (b0, b1)) = (A::split_at(slices.0, mid), B::split_at(slices.1, mid));
        ((a0, b0), (a1, b1))
    }

    #[inline(always)]
    fn assert_len(slices: &Self::Slices<'_>, len: usize) {
        A::assert_len(&slices.0, len);
        B::assert_len(&slices.1, len);
    }

    #[inline(always)]
    fn get(slices: &Self::Slices<'_>, i: usize) -> Self {
        (A::get(&slices.0, i), B::get(&slices.1, i))
    }

    #[inline(always)]
    fn put(self, slices: &mut Self::Slices<'_>, i: usize) {
        self.0.put(&mut slices.0, i);
        self.1.put(&mut slices.1, i);
    }
}
