//! Loops compiled for several processors, the widest that fits picked where the program runs.

use crate::nearest;
use pulp::Arch;
use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// The environment variable that makes a program use narrower vectors than the processor has: `avx512`,
/// `avx2` or `sse2` on x86-64, `neon` or `portable` on 64-bit ARM.
///
/// It is for tests and measurements. It is read once, when vectors are needed first; the library ignores a
/// value that is no name of vectors of this processor, and a program that would rather complain asks
/// [`Vectors::requested`].
pub const VECTORS: &str = "DOWNHILL_VECTORS";

/// A kind of vector instructions that loops are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Vectors {
    /// Those that every processor of the architecture has: SSE2 on x86-64.
    Portable,
    /// NEON of 64-bit ARM: 128 bits.
    Neon,
    /// AVX2 with fused multiply-adds: 256 bits.
    Avx2,
    /// AVX-512 (F, BW, CD, DQ, VL): 512 bits.
    Avx512,
}

impl Vectors {
    /// All that there are.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Neon, Self::Avx2, Self::Avx512];

    /// Those of this processor, the narrowest first.
    pub fn available() -> Vec<Self> {
        Self::ALL.into_iter().filter(|vectors| vectors.arch().is_some()).collect()
    }

    /// Those that this process uses: the widest, or what [`VECTORS`] asks for.
    pub fn in_use() -> Self {
        match arch() {
            #[cfg(target_arch = "x86_64")]
            Arch::V3(_) => Self::Avx2,
            #[cfg(target_arch = "x86_64")]
            Arch::V4(_) => Self::Avx512,
            #[cfg(target_arch = "aarch64")]
            Arch::Neon(_) => Self::Neon,
            _ => Self::Portable,
        }
    }

    /// Those that [`VECTORS`] asks for, if it is set.
    ///
    /// # Errors
    ///
    /// If it names none, or some that this processor does not have.
    pub fn requested() -> Result<Option<Self>, NoSuchVectors> {
        let Some(name) = std::env::var_os(VECTORS).filter(|name| !name.is_empty()) else { return Ok(None) };
        let vectors: Self = name.to_string_lossy().parse()?;
        match vectors.arch() {
            Some(_) => Ok(Some(vectors)),
            None => Err(NoSuchVectors { name: vectors.name().into(), known: true }),
        }
    }

    /// Their name: `sse2` (`portable` where there is no SSE2), `neon`, `avx2`, `avx512`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable if cfg!(target_arch = "x86_64") => "sse2",
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
        }
    }

    /// How many `f32` a vector holds.
    pub fn lanes(self) -> usize {
        match self {
            Self::Portable | Self::Neon => 4,
            Self::Avx2 => 8,
            Self::Avx512 => 16,
        }
    }

    /// What code for them is called by; none if this processor does not have them.
    pub fn arch(self) -> Option<Arch> {
        match self {
            Self::Portable => Some(Arch::Scalar),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => pulp::x86::V3::try_new().map(Arch::V3),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => pulp::x86::V4::try_new().map(Arch::V4),
            #[cfg(target_arch = "aarch64")]
            Self::Neon => pulp::aarch64::Neon::try_new().map(Arch::Neon),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Avx2 | Self::Avx512 => None,
            #[cfg(not(target_arch = "aarch64"))]
            Self::Neon => None,
        }
    }
}

impl fmt::Display for Vectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Vectors {
    type Err = NoSuchVectors;

    fn from_str(name: &str) -> Result<Self, NoSuchVectors> {
        let found = Self::ALL.into_iter().find(|vectors| vectors.name().eq_ignore_ascii_case(name.trim()));
        found.ok_or_else(|| NoSuchVectors { name: name.into(), known: false })
    }
}

/// [`VECTORS`] asks for what there is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoSuchVectors {
    name: String,
    /// Whether other processors have them.
    known: bool,
}

impl fmt::Display for NoSuchVectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, known } = self;
        let there: Vec<_> = Vectors::available().into_iter().map(Vectors::name).collect();
        match known {
            true => write!(f, "this processor has no `{name}`")?,
            false => write!(f, "`{name}` is no kind of vector instructions")?,
        }
        write!(f, "; there are {} here", there.join(", "))?;
        match nearest(name, there.iter().copied()).filter(|_| !known) {
            Some(meant) => write!(f, " (did you mean `{meant}`?)"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for NoSuchVectors {}

/// What vector code is called by in this process: the widest vectors, or what [`VECTORS`] asks for.
#[inline]
pub fn arch() -> Arch {
    static ARCH: OnceLock<Arch> = OnceLock::new();
    *ARCH.get_or_init(|| {
        let requested = Vectors::requested().ok().flatten();
        // By default, the widest.
        requested.and_then(Vectors::arch).unwrap_or_default()
    })
}

/// Runs `work`, compiled once for each kind of vector unit: AVX-512, AVX2, NEON and the portable baseline.
///
/// The closure must be marked `#[inline(always)]`, and so must what it calls: only inlined code is compiled
/// again. All versions do the same operations in the same order (nothing is contracted to fused
/// multiply-adds), so they give the same bits.
///
/// ```
/// use downhill_core::simd::vectorised;
///
/// let mut values = vec![1.0f32, 2.0, 3.0];
/// vectorised(
///     #[inline(always)]
///     || values.iter_mut().for_each(|x| *x *= 2.0),
/// );
/// assert_eq!(values, [2.0, 4.0, 6.0]);
/// ```
#[inline(always)]
pub fn vectorised<R, W: FnOnce() -> R>(work: W) -> R {
    arch().dispatch(work)
}

/// The sum of the squares of `values`, the same bits whatever the processor and however many threads.
///
/// Squares too large for the type are summed in `f64` instead.
pub fn sum_of_squares<F: crate::Float>(values: &[F]) -> f64 {
    const LANES: usize = 16;
    const BLOCK: usize = 4096; // short enough for f32 lanes to lose nothing that matters
    let block = |block: &[F]| {
        let mut lanes = [F::zero(); LANES];
        let chunks = block.chunks_exact(LANES);
        let rest: f64 = chunks.remainder().iter().map(|x| x.f64() * x.f64()).sum();
        vectorised(
            #[inline(always)]
            || {
                for chunk in chunks {
                    for (lane, &x) in lanes.iter_mut().zip(chunk) {
                        *lane += x * x;
                    }
                }
            },
        );
        lanes.iter().map(|lane| lane.f64()).sum::<f64>() + rest
    };
    let sum: f64 = values.chunks(BLOCK).map(block).sum();
    if sum.is_finite() { sum } else { values.iter().map(|x| x.f64() * x.f64()).sum() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_what_is_wrong_with_them_is_said() {
        for vectors in Vectors::available() {
            assert_eq!(vectors.name().to_uppercase().parse(), Ok(vectors));
        }
        assert_eq!(Vectors::available()[0], Vectors::Portable);
        assert!(Vectors::available().contains(&Vectors::in_use()));
        let there: Vec<_> = Vectors::available().into_iter().map(Vectors::name).collect();
        let there = there.join(", ");
        assert_eq!(
            "mmx".parse::<Vectors>().unwrap_err().to_string(),
            format!("`mmx` is no kind of vector instructions; there are {there} here")
        );
        let missing = NoSuchVectors { name: "avx512".into(), known: true };
        assert_eq!(missing.to_string(), format!("this processor has no `avx512`; there are {there} here"));
    }

    #[test]
    fn all_vectors_compute_the_same() {
        let values: Vec<f32> = (0..1003).map(|i| (i as f32 / 100.0).sin()).collect();
        let results = Vectors::available().into_iter().filter_map(Vectors::arch).map(|arch| {
            let mut results = values.clone();
            arch.dispatch(
                #[inline(always)]
                || results.iter_mut().for_each(|x| *x = *x * 3.7 + 0.1),
            );
            results
        });
        let results: Vec<_> = results.collect();
        assert!(results.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
