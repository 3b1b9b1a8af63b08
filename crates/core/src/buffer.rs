//! Numbers that lie where vectors are read and written fastest.

use crate::Element;
use std::ops::{Deref, DerefMut};

/// A cache line, in bytes.
pub const LINE: usize = 64;

/// A number of numbers, fixed when it is made, that begin with a cache line.
///
/// A vector that begins elsewhere may lie across two lines, and is then read and written in twice the time.
/// Otherwise this is the slice that it dereferences to.
pub struct Buffer<F> {
    room: Vec<F>,
    begin: usize,
    len: usize,
}

impl<F: Element> Buffer<F> {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let gap = if len > 0 { LINE / size_of::<F>() } else { 0 };
        let room = vec![F::ZERO; len + gap];
        let begin = begin(&room, len);
        Self { room, begin, len }
    }
}

/// Where in the room for so many numbers the first line begins.
fn begin<F>(room: &[F], len: usize) -> usize {
    // The offset is never more than what is left, but where it cannot be known.
    room.as_ptr().align_offset(LINE).min(room.len() - len)
}

impl<F> Deref for Buffer<F> {
    type Target = [F];

    #[inline(always)]
    fn deref(&self) -> &[F] {
        &self.room[self.begin..self.begin + self.len]
    }
}

impl<F> DerefMut for Buffer<F> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [F] {
        &mut self.room[self.begin..self.begin + self.len]
    }
}

impl<F: Clone> Clone for Buffer<F> {
    fn clone(&self) -> Self {
        let (mut room, len) = (self.room.clone(), self.len);
        let begin = begin(&room, len);
        let ends = room.len();
        room.rotate_right((begin + ends - self.begin) % ends.max(1));
        Self { room, begin, len }
    }
}

impl<F: Element> Default for Buffer<F> {
    fn default() -> Self {
        Self::zeros(0)
    }
}

impl<F: PartialEq> PartialEq for Buffer<F> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<F: std::fmt::Debug> std::fmt::Debug for Buffer<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_begin_with_a_line_and_have_their_length() {
        fn check<F: Element + PartialEq + std::fmt::Debug + From<f32>>() {
            for len in [0, 1, 7, 100] {
                let mut buffer = Buffer::<F>::zeros(len);
                assert_eq!(*buffer, vec![F::ZERO; len]);
                buffer.iter_mut().enumerate().for_each(|(i, x)| *x = F::from(i as f32));
                let copy = buffer.clone();
                assert_eq!(copy, buffer);
                for buffer in [buffer, copy] {
                    assert!(len == 0 || buffer.as_ptr().align_offset(LINE) == 0);
                    assert_eq!(buffer.len(), len);
                    assert!(buffer.iter().enumerate().all(|(i, x)| *x == F::from(i as f32)));
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
