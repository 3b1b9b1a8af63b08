//! How a batch is cut for the threads.
//!
//! It is cut into *parts* by its size alone; what is summed over the batch is summed over each part, and then
//! over the parts in their order. A *shard* is the parts of one thread. So the number of threads changes no
//! bit.

use std::ops::Range;

/// A part has about as many rows, if the batch has them.
const PART_ROWS: usize = 16;

/// There are not more parts than this, and so not more shards.
const MAX_PARTS: usize = 16;

/// So many multiplications, a third of those of a step, are worth a thread.
const SPLIT: usize = 1 << 18;

/// The number of parts that a batch of `rows` rows is cut into.
pub(super) fn part_count(rows: usize) -> usize {
    (rows / PART_ROWS).clamp(1, MAX_PARTS)
}

/// The number of threads, at most `threads`, that pays off for a step on `rows` rows.
pub(super) fn useful_threads(rows: usize, parameters: usize, threads: usize) -> usize {
    (rows.saturating_mul(parameters) / SPLIT).clamp(1, threads)
}

/// The parts and the rows of the largest shard of any batch up to this size: a smaller one may have fewer
/// threads.
pub(super) fn largest_shard(max_batch: usize, parameters: usize, threads: usize) -> (usize, usize) {
    let (mut most_parts, mut most_rows) = (0, 0);
    for rows in 1..=max_batch {
        let parts = part_count(rows);
        let together = parts.div_ceil(useful_threads(rows, parameters, threads));
        most_parts = together.max(most_parts);
        most_rows = (together * rows.div_ceil(parts)).max(most_rows);
    }
    (most_parts, most_rows)
}

/// A batch of `rows` rows, cut into shards.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    rows: usize,
    parts: usize,
    shards: usize,
}

impl Cut {
    /// For up to so many threads; there may be fewer parts.
    pub fn new(rows: usize, threads: usize) -> Self {
        let parts = part_count(rows);
        Self { rows, parts, shards: parts.min(threads) }
    }

    /// How many shards have rows.
    pub fn shards(self) -> usize {
        self.shards
    }

    /// The first part of a shard; behind the last shard, the end.
    fn first_part(self, shard: usize) -> usize {
        (self.parts * shard / self.shards).min(self.parts)
    }

    /// The first row of a part.
    fn first_row(self, part: usize) -> usize {
        self.rows * part.min(self.parts) / self.parts
    }

    /// The rows of a shard; none for those behind the last.
    pub fn rows(self, shard: usize) -> Range<usize> {
        self.first_row(self.first_part(shard))..self.first_row(self.first_part(shard + 1))
    }

    /// The rows of one of a shard's parts, counted from its first row; none for those behind the last.
    pub fn part_rows(self, shard: usize, part: usize) -> Range<usize> {
        let end = self.first_part(shard + 1);
        let begin = (self.first_part(shard) + part).min(end);
        let first = self.rows(shard).start;
        self.first_row(begin) - first..self.first_row((begin + 1).min(end)) - first
    }
}
