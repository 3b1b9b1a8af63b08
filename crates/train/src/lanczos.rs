//! The largest eigenvalue of a symmetric matrix that is known by its products with vectors.

/// What [`largest_eigenvalue`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Eigenvalue {
    pub value: f64,
    /// There is an eigenvalue at most so far from it.
    pub residual: f64,
    /// How many products it took.
    pub products: usize,
}

/// A Ritz value counts when its residual is at most this share of it. The error is that at most, and mostly
/// about its square, for it goes with the square of the residual over the gap to the next eigenvalue.
const TOLERANCE: f64 = 1e-5;

/// No more products than this are made: the basis is kept whole.
const MOST_PRODUCTS: usize = 200;

/// The basis has no more numbers than this, 1 GiB.
const MOST_NUMBERS: usize = 1 << 27;

/// The largest eigenvalue (of several of one sign the one farthest up, not the largest in size) by Lanczos'
/// method with full reorthogonalisation, from `start`, which must not be orthogonal to the eigenvector: a
/// random one never is.
///
/// Lanczos, "An iteration method for the solution of the eigenvalue problem of linear differential and
/// integral operators" (1950); Parlett, "The Symmetric Eigenvalue Problem" (1980), chapter 13.
pub(crate) fn largest_eigenvalue(
    mut product: impl FnMut(&[f64], &mut [f64]),
    mut start: Vec<f64>,
) -> Eigenvalue {
    let len = start.len();
    normalise(&mut start);
    let most = MOST_PRODUCTS.min(MOST_NUMBERS / len.max(1)).clamp(2, len.max(2));
    let mut basis = vec![start];
    let (mut diagonal, mut beside) = (Vec::new(), Vec::new());
    loop {
        let last = basis.len() - 1;
        let mut next = vec![0.0; len];
        product(&basis[last], &mut next);
        diagonal.push(dot(&basis[last], &next));
        // Twice is enough: Parlett, section 6.9.
        for _ in 0..2 {
            for vector in &basis {
                let along = dot(vector, &next);
                next.iter_mut().zip(vector).for_each(|(x, v)| *x -= along * v);
            }
        }
        let left = normalise(&mut next);
        let (value, tip) = ritz(&diagonal, &beside);
        let residual = left * tip;
        let products = basis.len();
        let done = residual <= TOLERANCE * value.abs() || left <= f64::EPSILON * value.abs();
        if done || products >= most || !residual.is_finite() {
            return Eigenvalue { value, residual, products };
        }
        beside.push(left);
        basis.push(next);
    }
}

/// The largest eigenvalue of a symmetric tridiagonal matrix, and the size of the last component of its
/// eigenvector.
fn ritz(diagonal: &[f64], beside: &[f64]) -> (f64, f64) {
    let edge = |i: usize| beside.get(i).map_or(0.0, |b| b.abs());
    let reach = |i: usize| edge(i) + if i > 0 { edge(i - 1) } else { 0.0 };
    let rows = 0..diagonal.len();
    // Gershgorin's circles.
    let mut high = rows.clone().map(|i| diagonal[i] + reach(i)).fold(f64::NEG_INFINITY, f64::max);
    let mut low = diagonal.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !high.is_finite() {
        return (f64::NAN, f64::NAN);
    }
    let scale = rows.map(|i| diagonal[i].abs() + reach(i)).fold(0.0, f64::max);
    if scale == 0.0 {
        return (0.0, 1.0);
    }
    high += f64::EPSILON * scale;
    // x is above all eigenvalues if all pivots of x − T are positive.
    let pivots = |x: f64| {
        let mut before = f64::INFINITY;
        diagonal.iter().enumerate().map(move |(i, a)| {
            let square = if i > 0 { beside[i - 1] * beside[i - 1] } else { 0.0 };
            before = x - a - square / before;
            before
        })
    };
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            break;
        }
        if pivots(middle).all(|pivot| pivot > 0.0) { high = middle } else { low = middle }
    }
    // Inverse iteration just above it, where elimination without exchanges is stable.
    let least = f64::EPSILON * scale;
    let pivots: Vec<f64> = pivots(high).map(|pivot| pivot.max(least)).collect();
    let mut x = vec![1.0; diagonal.len()];
    for _ in 0..3 {
        for i in 1..x.len() {
            x[i] += beside[i - 1] / pivots[i - 1] * x[i - 1];
        }
        x.iter_mut().zip(&pivots).for_each(|(x, pivot)| *x /= pivot);
        for i in (1..x.len()).rev() {
            x[i - 1] += beside[i - 1] / pivots[i - 1] * x[i];
        }
        normalise(&mut x);
    }
    (high, x[x.len() - 1].abs())
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Scales a vector to length 1, unless it is nothing, and returns what its length was.
fn normalise(vector: &mut [f64]) -> f64 {
    let length = dot(vector, vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start(len: usize) -> Vec<f64> {
        (0..len).map(|i| ((i * 7919 + 13) % 1009) as f64 / 1009.0 - 0.4).collect()
    }

    #[test]
    fn of_diagonals() {
        for diagonal in [
            vec![3.0],
            vec![-3.0, -1.0],
            vec![0.0; 5],
            vec![-100.0, 2.0, 1.0, 1.999, 0.0],
            vec![5.0; 7],
            (0..3000).map(|i| (i as f64 / 100.0).sin() * 1e-9).chain([1e-8]).collect(),
        ] {
            let expected = diagonal.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let multiply = |v: &[f64], out: &mut [f64]| {
                out.iter_mut().zip(v).zip(&diagonal).for_each(|((out, v), d)| *out = v * d);
            };
            let found = largest_eigenvalue(multiply, start(diagonal.len()));
            assert!((found.value - expected).abs() <= 1e-9 * expected.abs(), "{found:?} is not {expected}");
            assert!(found.residual <= 1e-5 * expected.abs(), "{found:?}");
        }
    }

    #[test]
    fn of_second_differences() {
        // −x″ on n points has the eigenvalues 2 − 2·cos(kπ/(n + 1)), close to each other at the upper end.
        for n in [2, 10, 150] {
            let multiply = |v: &[f64], out: &mut [f64]| {
                for i in 0..n {
                    let beside = |j: usize| v.get(j).copied().unwrap_or(0.0);
                    out[i] = 2.0 * v[i] - beside(i.wrapping_sub(1)) - beside(i + 1);
                }
            };
            let expected = 2.0 + 2.0 * (std::f64::consts::PI / (n + 1) as f64).cos();
            let found = largest_eigenvalue(multiply, start(n));
            assert!((found.value - expected).abs() < 1e-7, "{found:?} is not {expected}");
            assert!(found.products <= n);
        }
    }

    #[test]
    fn what_is_no_number_ends_it() {
        let found = largest_eigenvalue(|_, out| out.fill(f64::NAN), start(10));
        assert!(!found.value.is_finite());
        assert_eq!(found.products, 1);
    }
}
