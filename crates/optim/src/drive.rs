//! One pass over memory: any arithmetic on one parameter, over whole slices, vectorised and on several
//! threads.

use crate::rule::Slots;
use downhill_core::Float;
use downhill_core::simd::{sum_of_squares, vectorised};
use downhill_core::threads::join;

/// Below this length a second thread costs more than it saves.
const SPLIT: usize = 1 << 14;

/// Where a slice of so many elements is cut in two, if it is worth it. Of the length alone, so that sums of
/// the parts are the same bits on any number of threads.
fn middle(len: usize) -> Option<usize> {
    (len >= 2 * SPLIT).then(|| (len / 2).next_multiple_of(64))
}

/// Both, at once if `parallel`.
pub(crate) fn both<A: Send, B: Send>(
    parallel: bool,
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    if parallel { join(a, b) } else { (a(), b()) }
}

/// Runs one step's arithmetic over slices: one pass over memory, vectorised, on several threads if
/// `parallel`.
pub(crate) fn drive<F: Float, S: Slots<F>>(
    update: impl Fn(F, F, S) -> (F, S) + Copy + Send + Sync,
    params: &mut [F],
    grads: &[F],
    state: S::Slices<'_>,
    parallel: bool,
) {
    if let (Some(mid), true) = (middle(params.len()), parallel) {
        let (p0, p1) = params.split_at_mut(mid);
        let (g0, g1) = grads.split_at(mid);
        let (s0, s1) = S::split_at(state, mid);
        join(|| drive(update, p0, g0, s0, true), || drive(update, p1, g1, s1, true));
        return;
    }
    vectorised(
        #[inline(always)]
        move || {
            // Owned here, so that no store can reach the slices themselves: else they are loaded anew for
            // every parameter, and there is no vector code.
            let mut state = state;
            let grads = &grads[..params.len()];
            S::assert_len(&state, params.len());
            for i in 0..params.len() {
                let (p, s) = update(params[i], grads[i], S::get(&state, i));
                params[i] = p;
                s.put(&mut state, i);
            }
        },
    );
}

/// Moves the state and adds up two numbers a parameter; the same bits on any number of threads.
pub(crate) fn accumulate<F: Float, S: Slots<F>>(
    term: impl Fn(F, F, S) -> (S, [F; 2]) + Copy + Send + Sync,
    params: &[F],
    grads: &[F],
    state: S::Slices<'_>,
    parallel: bool,
) -> [f64; 2] {
    if let Some(mid) = middle(params.len()) {
        let (p0, p1) = params.split_at(mid);
        let (g0, g1) = grads.split_at(mid);
        let (s0, s1) = S::split_at(state, mid);
        let (a, b) = both(
            parallel,
            || accumulate(term, p0, g0, s0, parallel),
            || accumulate(term, p1, g1, s1, parallel),
        );
        return [a[0] + b[0], a[1] + b[1]];
    }
    const LANES: usize = 16;
    const BLOCK: usize = 4096; // short enough for f32 lanes to lose nothing that matters
    vectorised(
        #[inline(always)]
        move || {
            let mut state = state;
            let grads = &grads[..params.len()];
            S::assert_len(&state, params.len());
            let mut sums = [0.0; 2];
            let mut start = 0;
            while start < params.len() {
                let end = (start + BLOCK).min(params.len());
                let mut lanes = [[F::zero(); LANES]; 2];
                let whole = start + (end - start) / LANES * LANES;
                let mut i = start;
                while i < whole {
                    for lane in 0..LANES {
                        let (s, [a, b]) = term(params[i + lane], grads[i + lane], S::get(&state, i + lane));
                        s.put(&mut state, i + lane);
                        lanes[0][lane] += a;
                        lanes[1][lane] += b;
                    }
                    i += LANES;
                }
                for lane in 0..end - whole {
                    let (s, [a, b]) = term(params[i + lane], grads[i + lane], S::get(&state, i + lane));
                    s.put(&mut state, i + lane);
                    lanes[0][lane] += a;
                    lanes[1][lane] += b;
                }
                for (sum, lanes) in sums.iter_mut().zip(lanes) {
                    *sum += lanes.iter().map(|lane| lane.f64()).sum::<f64>();
                }
                start = end;
            }
            sums
        },
    )
}

/// The Euclidean norm; the same bits on any number of threads.
pub(crate) fn norm<F: Float>(values: &[F], parallel: bool) -> f64 {
    fn squares<F: Float>(values: &[F], parallel: bool) -> f64 {
        match middle(values.len()) {
            Some(mid) => {
                let (left, right) = values.split_at(mid);
                let (a, b) = both(parallel, || squares(left, parallel), || squares(right, parallel));
                a + b
            }
            None => sum_of_squares(values),
        }
    }
    squares(values, parallel).sqrt()
}
