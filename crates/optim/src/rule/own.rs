//! Rules of types that Downhill does not know.

use std::any::Any;
use std::fmt::Debug;

use downhill_core::Invalid;
use downhill_core::registry::Registry;

use super::{Average, NamedRule, Rule};
use crate::optimizer::{Ran, Run};

/// What can be asked of a rule without its type.
pub(crate) trait Erased: Any + Debug + Send + Sync {
    fn name(&self) -> &'static str;
    fn register(&self) -> Result<(), Invalid>;
    fn check(&self) -> Result<(), Invalid>;
    fn usual_rate(&self) -> f64;
    fn needs_rate(&self) -> bool;
    fn momentum_mut(&mut self) -> Option<&mut f64>;
    fn weight_decay_mut(&mut self) -> Option<&mut f64>;
    fn average(&self) -> Option<Average>;
    fn stability(&self) -> Option<f64>;
    fn divisor(&self, steps: u64, state: &[f64]) -> f64;
    fn is_preconditioned(&self) -> bool;
    fn run_single(&self, run: Run<'_, f32>) -> Ran;
    fn run_double(&self, run: Run<'_, f64>) -> Ran;
    fn settings(&self) -> &dyn erased_serde::Serialize;
    fn is(&self, other: &dyn Any) -> bool;
    fn boxed(&self) -> Box<dyn Erased>;
}

impl<R: NamedRule> Erased for R {
    fn name(&self) -> &'static str {
        R::NAME
    }

    fn register(&self) -> Result<(), Invalid> {
        Rule::register::<R>()
    }

    fn check(&self) -> Result<(), Invalid> {
        NamedRule::check(self)
    }

    fn usual_rate(&self) -> f64 {
        self.facts().usual_rate
    }

    fn needs_rate(&self) -> bool {
        self.facts().needs_rate
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        NamedRule::momentum_mut(self)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        NamedRule::weight_decay_mut(self)
    }

    fn average(&self) -> Option<Average> {
        self.facts().average
    }

    fn stability(&self) -> Option<f64> {
        self.facts().stability
    }

    fn divisor(&self, steps: u64, state: &[f64]) -> f64 {
        self.facts().preconditioner.map_or(1.0, |divisor| divisor(self, steps, state))
    }

    fn is_preconditioned(&self) -> bool {
        self.facts().preconditioner.is_some()
    }

    fn run_single(&self, run: Run<'_, f32>) -> Ran {
        self.run(run)
    }

    fn run_double(&self, run: Run<'_, f64>) -> Ran {
        self.run(run)
    }

    fn settings(&self) -> &dyn erased_serde::Serialize {
        self
    }

    fn is(&self, other: &dyn Any) -> bool {
        other.downcast_ref() == Some(self)
    }

    fn boxed(&self) -> Box<dyn Erased> {
        Box::new(*self)
    }
}

/// A rule of a type of your own; [`Rule::own`] makes one.
#[derive(Debug)]
pub struct OwnRule(Box<dyn Erased>);

impl OwnRule {
    pub(super) fn erased(&self) -> &dyn Erased {
        &*self.0
    }

    pub(super) fn erased_mut(&mut self) -> &mut dyn Erased {
        &mut *self.0
    }
}

impl Clone for OwnRule {
    fn clone(&self) -> Self {
        Self(self.0.boxed())
    }
}

impl PartialEq for OwnRule {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&*other.0)
    }
}

/// The names of all rules.
pub(super) static RULES: Registry<OwnRule> = Registry::new("rule", &Rule::NAMES);

impl Rule {
    /// A rule of a type of your own. It can enter whatever takes a [`Rule`], and is spelt by its name and
    /// settings; its type is [registered](Rule::register).
    pub fn own<R: NamedRule>(rule: R) -> Self {
        // What stands against the name is said when the rule is checked.
        let _ = Self::register::<R>();
        Self::Own(OwnRule(Box::new(rule)))
    }

    /// Lets rules of a type of your own be read, in this process, wherever the name of a rule is: in specs,
    /// in the settings of a run that is resumed. [`Rule::own`] does it too.
    ///
    /// # Errors
    ///
    /// If the name is that of another rule, or cannot stand in a spec.
    pub fn register<R: NamedRule>() -> Result<(), Invalid> {
        RULES.register::<R>(R::NAME, |deserializer| {
            erased_serde::deserialize::<R>(deserializer).map(|rule| OwnRule(Box::new(rule)))
        })
    }
}
