//! A copy of the parameters for each thread.
//!
//! To write to a cache line that another core holds a copy of takes ten times as long as to write to one that no other
//! core holds or that another core wrote to last, for the other cores have to give their copies up first. If all threads
//! read the same parameters, the optimizer's update pays that for nearly every line. So each reads a copy of its own; and
//! when the copies are made, every line is also written to, as it is, by the thread that reads it.

use downhill_core::Buffer;
use downhill_core::Float;
use downhill_core::threads::join;
use std::hint::black_box;

/// A cache line, in bytes.
const LINE: usize = 64;

/// So many values are taken over before they are copied.
const BLOCK: usize = 1024;

/// Copies the parameters into each of the copies, with a thread of the rayon pool for each.
///
/// The parameters are cut as the optimizer cuts them, and in every round each thread copies another piece.
pub fn spread<F: Float>(params: &mut [F], copies: &mut [Buffer<F>]) {
    let pieces = copies.len();
    let piece = params.len().div_ceil(pieces);
    for round in 0..pieces {
        let (ahead, wrapped) = copies.split_at_mut(pieces - round);
        let at = (round * piece).min(params.len());
        let (before, behind) = params.split_at_mut(at);
        join(|| copy(behind, at, piece, ahead), || copy(before, 0, piece, wrapped));
    }
}

/// Copies one piece into each of the copies, in order; the pieces are those of `params`, which begin at this place.
fn copy<F: Float>(params: &mut [F], place: usize, piece: usize, copies: &mut [Buffer<F>]) {
    match copies {
        [] => {}
        [copy] => {
            let copy = &mut copy[place..place + params.len()];
            for (to, from) in copy.chunks_mut(BLOCK).zip(params.chunks_mut(BLOCK)) {
                take_over(from);
                to.copy_from_slice(from);
            }
        }
        _ => {
            let (left, right) = copies.split_at_mut(copies.len() / 2);
            let middle = (left.len() * piece).min(params.len());
            let (before, behind) = params.split_at_mut(middle);
            join(|| copy(before, place, piece, left), || copy(behind, place + middle, piece, right));
        }
    }
}

/// Writes to every cache line, and changes nothing.
fn take_over<F: Float>(values: &mut [F]) {
    for line in values.chunks_mut(LINE / size_of::<F>()) {
        line[0] = black_box(line[0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_copy_is_whole() {
        for threads in [1, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for len in [0, 1, 5, 2 * BLOCK, 7 * BLOCK + 3] {
                for count in 1..6 {
                    let mut params: Vec<f32> = (1..=len).map(|i| i as f32).collect();
                    let expected = params.clone();
                    let mut copies = vec![Buffer::zeros(len); count];
                    pool.install(|| spread(&mut params, &mut copies));
                    assert_eq!(params, expected);
                    assert!(copies.iter().all(|copy| **copy == expected), "{count} copies of {len}");
                }
            }
        }
    }
}
