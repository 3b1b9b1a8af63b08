//! What a rule is besides its arithmetic.

use std::fmt::Debug;

use downhill_core::{Float, Invalid};
use serde::{Serialize, de::DeserializeOwned};

use crate::optimizer::{Ran, Run};

/// A rule that can enter an [`Optimizer`](crate::Optimizer): its name, its arithmetic, and what is to be
/// known about it.
///
/// Nothing here has an answer by default: a new rule that forgets one does not compile. The type is a struct
/// with named fields; its serde derives are its spelling, `adam(beta1=0.8)`.
///
/// Those that come with Downhill are listed in [`Rule`](crate::Rule). Any other type becomes one by
/// [`Rule::own`](crate::Rule::own):
///
/// ```
/// use downhill_core::{Float, Invalid, invalid};
/// use downhill_optim::{
///     Facts, Layout, NamedRule, Optimizer, Ran, Regularization, Rule, Run, Step, UpdateRule,
/// };
/// use serde::{Deserialize, Serialize};
///
/// /// The sign of the gradient, and no more.
/// #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Sign {}
///
/// impl UpdateRule for Sign {
///     type State<F: Float> = [F; 0];
///
///     fn at<F: Float>(self, step: Step) -> impl Fn(F, F, [F; 0]) -> (F, [F; 0]) + Copy + Send + Sync {
///         let lr = F::of(step.lr);
///         #[inline(always)]
///         move |p, g, state| (p - lr * g.signum(), state)
///     }
/// }
///
/// impl NamedRule for Sign {
///     const NAME: &'static str = "sign";
///
///     fn check(&self) -> Result<(), Invalid> {
///         Ok(())
///     }
///
///     fn run<F: Float>(self, run: Run<'_, F>) -> Ran {
///         run.update(self)
///     }
///
///     fn facts(&self) -> Facts<Self> {
///         Facts {
///             usual_rate: 1e-3,
///             needs_rate: true,
///             average: None,
///             stability: None,
///             preconditioner: None,
///         }
///     }
///
///     fn momentum_mut(&mut self) -> Option<&mut f64> {
///         None
///     }
///
///     fn weight_decay_mut(&mut self) -> Option<&mut f64> {
///         None
///     }
/// }
///
/// let layout = Layout::flat(2);
/// let mut optimizer = Optimizer::new(Rule::own(Sign {}), Regularization::default(), &layout, false)?;
/// let mut params = [1.0, 1.0];
/// optimizer.step(0, 0.25, &mut params, &[3.0, -0.1]);
/// assert_eq!(params, [0.75, 1.25]);
/// assert_eq!("sign".parse(), Ok(Rule::own(Sign {})));
/// # Ok::<(), Invalid>(())
/// ```
pub trait NamedRule: Copy + PartialEq + Debug + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// How specs spell it: `adam`.
    const NAME: &'static str;

    /// Checks every setting's range.
    fn check(&self) -> Result<(), Invalid>;

    /// Hands over the arithmetic: `run.update(self)` for an [`UpdateRule`](crate::UpdateRule),
    /// `run.reduction(self)` for a [`ReductionRule`](crate::ReductionRule). What the settings leave unused
    /// can be left out by handing over another type.
    fn run<F: Float>(self, run: Run<'_, F>) -> Ran;

    /// What is to be known about the rule with these settings.
    fn facts(&self) -> Facts<Self>;

    /// μ or β₁, where the rule has one that may change on the way.
    fn momentum_mut(&mut self) -> Option<&mut f64>;

    /// The rule's own weight decay, if it has one.
    fn weight_decay_mut(&mut self) -> Option<&mut f64>;
}

/// The properties of a rule besides its arithmetic: its usual rate, its average, its stability limit.
#[derive(Clone, Copy, Debug)]
pub struct Facts<R> {
    /// The peak rate that usually suits it, on standardised features and with layers of some dozens or
    /// hundreds of units.
    pub usual_rate: f64,

    /// Whether there is a learning rate to look for. If not, the rule is run at
    /// [`usual_rate`](Facts::usual_rate).
    pub needs_rate: bool,

    /// The average that the rule keeps of the parameters, if it keeps one: what to evaluate in their place.
    pub average: Option<Average>,

    /// c: on a quadratic with the Hessian H, the rule converges while η·λ < c and diverges while η·λ > c,
    /// where λ is the largest eigenvalue of P^(−½)·H·P^(−½) and P the
    /// [preconditioner](Facts::preconditioner), taken as it stands. None if the limit is not known.
    ///
    /// There the rule's linear map, of position and momentum, gets the eigenvalue −1: c is 2 for gradient
    /// descent, and 2 + 2μ with momentum. It is that of the bare rule. Decoupled decay of δ lowers the limit
    /// of η from c/λ to c/(λ + δ·c/2), which is hardly ever seen; clipping and averages of the weights are no
    /// part of it.
    pub stability: Option<f64>,

    /// What the rule divides the gradient of each parameter by, beside the rate, if it does: a function of
    /// the rule, of the number of steps made, at least 1, and of the parameter's numbers, slot by slot.
    ///
    /// Of a rule with an average of the gradient, it includes the correction of that for starting at zero, as
    /// in Cohen et al., "Adaptive Gradient Methods at the Edge of Stability" (2022).
    pub preconditioner: Option<Preconditioner<R>>,
}

/// What a rule divides the gradient of a parameter by; see [`Facts::preconditioner`].
pub type Preconditioner<R> = fn(rule: &R, steps: u64, state: &[f64]) -> f64;

/// Where the average is that a rule keeps of its parameters: at p + `share`·(s − p), where s is a number of
/// the rule's state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Average {
    /// Which of the parameter's numbers s is.
    pub slot: usize,
    /// How far the average lies from p on the way to s; it may lie behind p.
    pub share: f64,
}
