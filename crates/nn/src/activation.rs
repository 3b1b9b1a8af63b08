//! Activations: functions of one number, applied to every output of a layer.
//!
//! Each is one file with its value and its derivative, and one line in the list in `op.rs`. The loops are
//! here, once, for all of them; a dense layer calls them with its bias.

mod elu;
mod gelu;
mod identity;
mod leaky_relu;
mod mish;
mod relu;
mod selu;
mod sigmoid;
mod silu;
mod softplus;
mod tanh;

pub use elu::Elu;
pub use gelu::Gelu;
pub use identity::Identity;
pub use leaky_relu::LeakyRelu;
pub use mish::Mish;
pub use relu::Relu;
pub use selu::Selu;
pub use sigmoid::Sigmoid;
pub use silu::Silu;
pub use softplus::Softplus;
pub use tanh::Tanh;

pub(crate) use sigmoid::sigmoid;
pub(crate) use softplus::softplus;

use crate::Activation;
use crate::op::with_activation;
use downhill_core::simd::vectorised;
use downhill_core::{Float, Invalid};
use downhill_optim::{Glorot, Init};

/// A function of one number and its derivative.
pub(crate) trait Pointwise: Copy {
    /// Whether the derivative follows from the output: then [`derivative`](Self::derivative) takes f(x), and
    /// nothing but the output is kept for the backward pass. If not, it takes x, and the derivative itself is
    /// computed in the forward pass, where it shares the expensive part with the value, and kept.
    const FROM_OUTPUT: bool = true;

    /// f(x).
    fn value<F: Float>(self, x: F) -> F;

    /// f′(x), from f(x) or from x.
    fn derivative<F: Float>(self, at: F) -> F;

    /// f″(x), from x; at a kink, that of the side that [`derivative`](Self::derivative) takes.
    fn second(self, x: f64) -> f64;

    /// f(x) and f′(x), from x; only for functions whose derivative does not follow from the output.
    #[inline(always)]
    fn both<F: Float>(self, x: F) -> (F, F) {
        (self.value(x), self.derivative(x))
    }

    /// How the weights of a dense layer before this activation begin, if nothing else is asked for.
    fn init(&self) -> Init {
        he_normal()
    }

    /// What weights before this activation are multiplied by, beside 1/√n; see [`Activation::gain`].
    fn gain(&self) -> f64;

    /// What the outputs lie between, if they are bounded on both sides; see [`Activation::bounds`].
    fn bounds(&self) -> Option<(f64, f64)> {
        None
    }

    /// Whether the settings are in their ranges.
    fn check(&self) -> Result<(), Invalid> {
        Ok(())
    }
}

impl Activation {
    /// Whether a backward pass needs the derivatives of the forward pass.
    pub(crate) fn keeps_derivative(self) -> bool {
        fn keeps<P: Pointwise>(_: P) -> bool {
            !P::FROM_OUTPUT
        }
        with_activation!(self, f => keeps(f))
    }

    /// The gain that keeps the size of signals through layers of it: `gain=auto` of an initialiser means
    /// this.
    ///
    /// | | |
    /// | --- | --- |
    /// | identity, sigmoid | 1 |
    /// | tanh | 5/3 |
    /// | ReLU | √2 |
    /// | leaky ReLU | √(2 / (1 + slope²)) |
    /// | SELU | 3/4 |
    /// | ELU, GELU, SiLU, Mish, softplus | 1/√E\[f(z)²\], z standard normal |
    ///
    /// Those of the first rows are PyTorch's, `torch.nn.init.calculate_gain`. The last row is for activations
    /// that it has none for, and goes on with the argument that √2 comes from: outputs keep the mean square
    /// 1. He et al., "Delving Deep into Rectifiers" (2015).
    pub fn gain(self) -> f64 {
        with_activation!(self, f => f.gain())
    }

    /// The bounds that the outputs come near on both sides: 0 and 1 for sigmoid, ±1 for tanh, none for the
    /// others.
    ///
    /// A unit near a bound is saturated: it is flat there, and little of what comes back passes through it.
    pub fn bounds(self) -> Option<(f64, f64)> {
        with_activation!(self, f => f.bounds())
    }

    /// f′ everywhere, from what [`forward`](Self::forward) left: the output, or what was kept.
    pub(crate) fn slopes<F: Float>(self, from: &[F]) -> Vec<F> {
        with_activation!(self, f => from.iter().map(|&from| slope(f, from)).collect())
    }

    /// f(x), f′(x) and f″(x).
    pub(crate) fn expansion(self, x: f64) -> [f64; 3] {
        fn of<P: Pointwise>(f: P, x: f64) -> [f64; 3] {
            let y = f.value(x);
            [y, f.derivative(if P::FROM_OUTPUT { y } else { x }), f.second(x)]
        }
        with_activation!(self, f => of(f, x))
    }

    /// The initialiser that `init=auto` means before this activation.
    pub(crate) fn init(self) -> Init {
        with_activation!(self, f => f.init())
    }

    /// y = f(y + bias), row by row; with no bias, y = f(y). If `kept` is not empty, it receives what the
    /// backward pass needs beside the output.
    pub(crate) fn forward<F: Float>(self, bias: Option<&[F]>, y: &mut [F], kept: &mut [F]) {
        with_activation!(self, f => vectorised(
            #[inline(always)]
            || match (bias, kept.is_empty()) {
                (Some(bias), true) => {
                    for y in y.chunks_exact_mut(bias.len()) {
                        biased(f, bias, y);
                    }
                }
                (Some(bias), false) => {
                    for (y, kept) in y.chunks_exact_mut(bias.len()).zip(kept.chunks_exact_mut(bias.len())) {
                        biased_both(f, bias, y, kept);
                    }
                }
                (None, true) => plain(f, y),
                (None, false) => both(f, y, kept),
            }
        ))
    }

    /// The gradient of the output becomes that of the input, in place. `from` is the output, or what was
    /// kept.
    pub(crate) fn backward<F: Float>(self, from: &[F], gradient: &mut [F]) {
        with_activation!(self, f => vectorised(
            #[inline(always)]
            || chain(f, from, gradient)
        ))
    }

    /// [`backward`](Self::backward), and the sums of the columns added to `sums`, row by row.
    pub(crate) fn backward_summing<F: Float>(self, from: &[F], gradient: &mut [F], sums: &mut [F]) {
        let rows = from.chunks_exact(sums.len()).zip(gradient.chunks_exact_mut(sums.len()));
        with_activation!(self, f => vectorised(
            #[inline(always)]
            || for (from, gradient) in rows {
                chain_summing(f, from, gradient, sums);
            }
        ))
    }
}

#[inline(always)]
fn plain<F: Float>(f: impl Pointwise, y: &mut [F]) {
    for y in y {
        *y = f.value(*y);
    }
}

#[inline(always)]
fn both<F: Float>(f: impl Pointwise, y: &mut [F], kept: &mut [F]) {
    for (y, kept) in y.iter_mut().zip(kept) {
        (*y, *kept) = f.both(*y);
    }
}

#[inline(always)]
fn biased<F: Float>(f: impl Pointwise, bias: &[F], y: &mut [F]) {
    for (y, &bias) in y.iter_mut().zip(bias) {
        *y = f.value(*y + bias);
    }
}

#[inline(always)]
fn biased_both<F: Float>(f: impl Pointwise, bias: &[F], y: &mut [F], kept: &mut [F]) {
    for ((y, kept), &bias) in y.iter_mut().zip(kept).zip(bias) {
        (*y, *kept) = f.both(*y + bias);
    }
}

/// f′ at what was kept: the derivative itself, or the output it follows from.
#[inline(always)]
fn slope<F: Float, P: Pointwise>(f: P, from: F) -> F {
    if P::FROM_OUTPUT { f.derivative(from) } else { from }
}

#[inline(always)]
fn chain<F: Float>(f: impl Pointwise, from: &[F], gradient: &mut [F]) {
    for (g, &from) in gradient.iter_mut().zip(from) {
        *g *= slope(f, from);
    }
}

#[inline(always)]
fn chain_summing<F: Float>(f: impl Pointwise, from: &[F], gradient: &mut [F], sums: &mut [F]) {
    for ((g, &from), sum) in gradient.iter_mut().zip(from).zip(sums) {
        *g *= slope(f, from);
        *sum += *g;
    }
}

/// Glorot's uniform initialiser, for what is linear around 0 or saturates on both sides.
pub(crate) fn glorot_uniform() -> Init {
    Init::GlorotUniform(Glorot::default())
}

/// He's normal initialiser, for what passes about half of its inputs.
pub(crate) fn he_normal() -> Init {
    Init::HeNormal
}

/// LeCun's normal initialiser, which SELU's constants are made for.
pub(crate) fn lecun_normal() -> Init {
    Init::LecunNormal
}
