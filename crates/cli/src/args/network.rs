//! The flags of the network.

use clap::Args;
use downhill::nn::{Activation, Numbers};
use downhill::optim::Init;

use super::number::fraction;
use super::sizes::{Sizes, sizes};
use super::value::yes_or_no;

#[derive(Args)]
#[command(next_help_heading = "Network")]
pub struct NetworkArgs {
    /// The sizes of the hidden layers; `none` for a linear model. [default: 128,128]
    #[arg(long, value_name = "SIZES", value_parser = sizes, allow_hyphen_values = true)]
    pub hidden: Option<Sizes>,

    /// The activation: relu, leaky-relu, elu, selu, gelu, silu, mish, tanh, sigmoid, softplus. [default:
    /// relu]
    #[arg(long, value_name = "SPEC")]
    pub activation: Option<Activation>,

    /// The initialiser of the weights: auto, he-normal, glorot-uniform, normal(0.01), … [default: auto]
    #[arg(long, value_name = "SPEC")]
    pub init: Option<Init>,

    /// Normalise over the batch in front of every activation.
    #[arg(long, value_name = "YES|NO", num_args = 0..=1, require_equals = true, default_missing_value = "yes",
          value_parser = yes_or_no)]
    pub batch_norm: Option<bool>,

    /// The dropout rate behind every activation. [default: 0.2]
    #[arg(long, value_name = "SHARE", value_parser = fraction, allow_hyphen_values = true)]
    pub dropout: Option<f64>,

    /// How numbers enter the first layer: plain, or piecewise-linear(bins=16), a value for each of at most 16
    /// bins of a number beside it, for targets that jump. [default: auto: piecewise-linear for classes, 1000
    /// training rows or more and at most 40 inputs of more than two values, otherwise plain]
    #[arg(long, value_name = "SPEC")]
    pub numbers: Option<Numbers>,

    /// How many networks share the weights of the hidden layers, and are trained as one; their predictions are
    /// averaged. With several there is no dropout unless --dropout is given. [default: auto: 8 for a table of 500
    /// training rows or more and at most 40 inputs of more than two values, if no other flag gives the network,
    /// otherwise 1]
    #[arg(long, value_name = "COUNT|auto", value_parser = ensemble)]
    pub ensemble: Option<SharedMembers>,
}

/// A number of members, or none where it is to be chosen.
pub type SharedMembers = Option<usize>;

fn ensemble(text: &str) -> Result<SharedMembers, String> {
    match text.trim() {
        "auto" => Ok(None),
        text => match text.parse() {
            Ok(count @ 1..=1024) => Ok(Some(count)),
            _ => Err(format!("`{text}` is not a number of members from 1 to 1024, or auto")),
        },
    }
}
