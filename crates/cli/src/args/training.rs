//! The flags of training.

use clap::Args;
use downhill::nn::Loss;
use downhill::optim::{Group, Lookahead, Rule, Schedule};
use downhill::train::{ClassWeights, EarlyStopping, Guard, Keep, Plateau, Track};

use super::number::{batch, epochs, fraction, not_negative, positive, whole_number};
use super::value::{Rate, early_stopping};

#[derive(Args)]
#[command(next_help_heading = "Training")]
pub struct RateArgs {
    /// The learning rate: a number, a schedule such as cosine(0.01), step(0.1, every=10ep), warmup(5%,
    /// then=…), or auto: warmup(5%, then=cosine(…)) with a peak that is found first, in at most a fifth of
    /// the run's steps. [default: auto]
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub lr: Option<Rate>,
}

#[derive(Args)]
#[command(next_help_heading = "Training")]
pub struct TrainingArgs {
    /// The update rule: sgd, momentum(0.9), nesterov, adagrad, rmsprop, adam, adamw(weight-decay=0.1), …
    /// [default: adamw]
    #[arg(long, value_name = "SPEC")]
    pub optimizer: Option<Rule>,

    /// A schedule for the momentum, μ or β₁. [default: the optimizer's own value; one-cycle moves it]
    #[arg(long, value_name = "SPEC", allow_hyphen_values = true)]
    pub momentum: Option<Schedule>,

    /// Cut the rate when nothing gets better: cut(0.5, patience=5, backtrack=true). [default: off]
    #[arg(long, value_name = "SPEC")]
    pub plateau: Option<Plateau>,

    /// When the run blows up, go back and lower the rate: off, on(rollbacks=5, spike=10). [default: on]
    #[arg(long, value_name = "SPEC")]
    pub guard: Option<Guard>,

    /// Measure the curvature of the training loss, and with it the highest rate that is stable: sharpness,
    /// sharpness(10ep), sharpness(every=100, rows=500). [default: off]
    #[arg(long, value_name = "SPEC")]
    pub track: Option<Track>,

    /// Other rates and decays for some tensors: 'name(0.*, lr=0.1)', 'role(bias, lr=2, decay=1)'. Repeats.
    #[arg(long, value_name = "SPEC")]
    pub group: Vec<Group>,

    /// Measure and keep an average of the weights that moves by 1 − X of the way at each step, and by more in
    /// the first ones; 0 for none. [default: 0.99, and 0 where the optimizer or lookahead averages]
    #[arg(long, value_name = "X", value_parser = fraction, allow_hyphen_values = true)]
    pub ema: Option<f64>,

    /// Pull the weights back towards slow ones every few steps: every(5, alpha=0.5). [default: off]
    #[arg(long, value_name = "SPEC")]
    pub lookahead: Option<Lookahead>,

    /// The loss to minimise: cross-entropy, binary-cross-entropy, mse, mae, huber. Chosen by the task unless
    /// given.
    #[arg(long, value_name = "SPEC")]
    pub loss: Option<Loss>,

    /// The number of epochs. [default: 60]
    #[arg(long, value_name = "N", value_parser = epochs, allow_hyphen_values = true)]
    pub epochs: Option<u64>,

    /// The batch size. Chosen from the number of rows unless given.
    #[arg(long, value_name = "N", value_parser = batch, allow_hyphen_values = true)]
    pub batch: Option<usize>,

    /// The number of batches whose gradients are accumulated for each step. [default: 1]
    #[arg(long, value_name = "N", value_parser = batch, allow_hyphen_values = true)]
    pub accumulate: Option<usize>,

    /// Stop after this number of epochs without improvement: a number, after(10, metric=accuracy), or off.
    /// [default: 30]
    #[arg(long, value_name = "SPEC", value_parser = early_stopping, allow_hyphen_values = true)]
    pub early_stop: Option<EarlyStopping>,

    /// Which weights are kept: those of the best epoch, or the last. [default: best]
    #[arg(long, value_name = "best|last")]
    pub keep: Option<Keep>,

    /// The weight of the L1 penalty. [default: 0]
    #[arg(long, value_name = "X", value_parser = not_negative, allow_hyphen_values = true)]
    pub l1: Option<f64>,

    /// The weight of the L2 penalty. [default: 0]
    #[arg(long, value_name = "X", value_parser = not_negative, allow_hyphen_values = true)]
    pub l2: Option<f64>,

    /// The optimizer's own weight decay if it has one, otherwise decoupled decay. [default: adamw's and
    /// lamb's 0.01, muon's 0.1, else 0]
    #[arg(long, value_name = "X", value_parser = not_negative, allow_hyphen_values = true)]
    pub weight_decay: Option<f64>,

    /// The share of each weight that is taken away at every step, whatever the rate. [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction, allow_hyphen_values = true)]
    pub independent_decay: Option<f64>,

    /// Scale the weights into each unit down to this norm.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub max_norm: Option<f64>,

    /// Scale gradients down to this norm, all together.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub clip_norm: Option<f64>,

    /// Scale the gradients of each tensor down to this norm.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true, conflicts_with = "clip_norm")]
    pub clip_tensor_norm: Option<f64>,

    /// Limit every gradient to ± this value.
    #[arg(long, value_name = "X", value_parser = positive, allow_hyphen_values = true)]
    pub clip_value: Option<f64>,

    /// The share of each label that is spread evenly over all classes. [default: 0]
    #[arg(long, value_name = "SHARE", value_parser = fraction, allow_hyphen_values = true)]
    pub label_smoothing: Option<f64>,

    /// `balanced` lets every class count the same, however few rows it has. [default: none]
    #[arg(long, value_name = "HOW")]
    pub class_weights: Option<ClassWeights>,

    /// The random seed. [default: 0]
    #[arg(long, value_name = "N", value_parser = whole_number::<u64>, allow_hyphen_values = true)]
    pub seed: Option<u64>,
}
