//! Sobol's sequence: points that fill a cube evenly.
//!
//! The direction numbers are those of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better
//! two-dimensional projections", SIAM J. Sci. Comput. 30 (2008), `new-joe-kuo-6.21201`; the points come in
//! the order of the Gray code, as there.

use downhill_core::random::{Purpose, stream};
use rand::RngExt;

use crate::Domain;

/// There are direction numbers for so many dimensions.
pub(super) const MOST: usize = 1 + DIRECTIONS.len();

/// Degree and coefficients of the primitive polynomial, and the first direction numbers, of the second
/// dimension on.
const DIRECTIONS: [(u32, u32, &[u32]); 20] = [
    (1, 0, &[1]),
    (2, 1, &[1, 3]),
    (3, 1, &[1, 3, 1]),
    (3, 2, &[1, 1, 1]),
    (4, 1, &[1, 1, 3, 3]),
    (4, 4, &[1, 3, 5, 13]),
    (5, 2, &[1, 1, 5, 5, 17]),
    (5, 4, &[1, 1, 5, 5, 5]),
    (5, 7, &[1, 1, 7, 11, 19]),
    (5, 11, &[1, 1, 5, 1, 1]),
    (5, 13, &[1, 1, 1, 3, 11]),
    (5, 14, &[1, 3, 5, 5, 31]),
    (6, 1, &[1, 3, 3, 9, 7, 49]),
    (6, 13, &[1, 1, 1, 15, 21, 21]),
    (6, 16, &[1, 3, 1, 13, 27, 49]),
    (6, 19, &[1, 1, 1, 15, 7, 5]),
    (6, 22, &[1, 3, 1, 15, 13, 25]),
    (6, 25, &[1, 1, 5, 5, 19, 61]),
    (7, 1, &[1, 3, 7, 11, 23, 15, 103]),
    (7, 4, &[1, 3, 7, 13, 13, 15, 69]),
];

const BITS: u32 = 32;

/// The coordinate of a point along a dimension, as a share of 2³².
fn coordinate(dimension: usize, number: u64) -> u32 {
    let gray = (number ^ (number >> 1)) as u32;
    let directions = directions(dimension);
    (0..BITS).filter(|bit| gray >> bit & 1 == 1).fold(0, |sum, bit| sum ^ directions[bit as usize])
}

fn directions(dimension: usize) -> [u32; BITS as usize] {
    let mut v = [0; BITS as usize];
    let Some((degree, coefficients, first)) = dimension.checked_sub(1).map(|at| DIRECTIONS[at]) else {
        (0..BITS).for_each(|bit| v[bit as usize] = 1 << (BITS - 1 - bit));
        return v;
    };
    let degree = degree as usize;
    for bit in 0..v.len() {
        v[bit] = if bit < degree {
            first[bit] << (BITS as usize - 1 - bit)
        } else {
            let mut next = v[bit - degree] ^ (v[bit - degree] >> degree);
            for k in 1..degree {
                if coefficients >> (degree - 1 - k) & 1 == 1 {
                    next ^= v[bit - k];
                }
            }
            next
        };
    }
    v
}

/// The point with a number, shifted by what the seed says in every bit, which keeps the points as even.
pub(super) fn point(domains: &[&Domain], seed: u64, number: u64) -> Vec<f64> {
    // Numbers of trials do not come so far.
    let mut shift = stream(seed, Purpose::Suggest, u64::MAX);
    let place = |(dimension, domain): (usize, &&Domain)| {
        let bits = coordinate(dimension, number) ^ shift.random::<u32>();
        let share = f64::from(bits) / 2f64.powi(BITS as i32);
        match domain {
            Domain::Choice(words) => (share * words.len() as f64).floor(),
            Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } | Domain::Int { .. } => share,
        }
    };
    domains.iter().enumerate().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_points_are_the_published_ones() {
        // The example on Joe and Kuo's page, in three dimensions.
        let published = [
            [0.0, 0.0, 0.0],
            [0.5, 0.5, 0.5],
            [0.75, 0.25, 0.25],
            [0.25, 0.75, 0.75],
            [0.375, 0.375, 0.625],
            [0.875, 0.875, 0.125],
            [0.625, 0.125, 0.875],
            [0.125, 0.625, 0.375],
        ];
        for (number, point) in published.iter().enumerate() {
            let share = |dimension| f64::from(coordinate(dimension, number as u64)) / 2f64.powi(32);
            assert_eq!([share(0), share(1), share(2)], *point, "{number}");
        }
    }

    #[test]
    fn each_of_the_first_intervals_has_one_point() {
        for dimension in 0..MOST {
            let mut cells: Vec<u32> = (0..256).map(|number| coordinate(dimension, number) >> 24).collect();
            cells.sort_unstable();
            assert_eq!(cells, (0..256).collect::<Vec<u32>>(), "dimension {dimension}");
        }
    }

    #[test]
    fn a_shift_keeps_the_points_even() {
        let domain: Domain = "uniform(0, 1)".parse().unwrap();
        let domains = vec![&domain; MOST];
        let points: Vec<Vec<f64>> = (0..64).map(|number| point(&domains, 5, number)).collect();
        for dimension in 0..MOST {
            let mut cells: Vec<u32> = points.iter().map(|point| (point[dimension] * 64.0) as u32).collect();
            cells.sort_unstable();
            assert_eq!(cells, (0..64).collect::<Vec<u32>>(), "dimension {dimension}");
        }
    }
}
