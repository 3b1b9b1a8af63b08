//! Rules of types that Downhill does not know.

use std::any::{Any, TypeId};
use std::fmt::Debug;
use std::sync::RwLock;

use downhill_core::Invalid;
use serde::Deserializer;
use serde::de::{DeserializeSeed, Error};

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
        NamedRule::usual_rate(self)
    }

    fn needs_rate(&self) -> bool {
        NamedRule::needs_rate(self)
    }

    fn momentum_mut(&mut self) -> Option<&mut f64> {
        NamedRule::momentum_mut(self)
    }

    fn weight_decay_mut(&mut self) -> Option<&mut f64> {
        NamedRule::weight_decay_mut(self)
    }

    fn average(&self) -> Option<Average> {
        NamedRule::average(self)
    }

    fn stability(&self) -> Option<f64> {
        NamedRule::stability(self)
    }

    fn divisor(&self, steps: u64, state: &[f64]) -> f64 {
        self.preconditioner().map_or(1.0, |divisor| divisor(self, steps, state))
    }

    fn is_preconditioned(&self) -> bool {
        self.preconditioner().is_some()
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

/// How a rule of a type that was registered is read.
#[derive(Clone, Copy)]
pub(super) struct Registered {
    name: &'static str,
    type_id: TypeId,
    read: fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<OwnRule, erased_serde::Error>,
}

static REGISTERED: RwLock<Vec<Registered>> = RwLock::new(Vec::new());

impl Registered {
    pub fn find(name: &str) -> Option<Self> {
        // A panic of another thread leaves the list as it was or one longer.
        let all = REGISTERED.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.iter().find(|registered| registered.name == name).copied()
    }
}

/// Reads the settings.
impl<'de> DeserializeSeed<'de> for Registered {
    type Value = OwnRule;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<OwnRule, D::Error> {
        let mut deserializer = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        (self.read)(&mut deserializer).map_err(D::Error::custom)
    }
}

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
        let refused = |message: &str| Err(Invalid { owner: R::NAME, key: "name", message: message.into() });
        if Self::NAMES.contains(&R::NAME) {
            return refused("is that of a rule of Downhill's");
        }
        if !R::NAME.starts_with(|c: char| c.is_ascii_lowercase())
            || !R::NAME.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        {
            return refused("must be made of small letters, digits and `-`");
        }
        let mut all = REGISTERED.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        match all.iter().find(|registered| registered.name == R::NAME) {
            Some(registered) if registered.type_id == TypeId::of::<R>() => Ok(()),
            Some(_) => refused("is that of a rule of another type"),
            None => {
                let read = |deserializer: &mut dyn erased_serde::Deserializer<'_>| {
                    erased_serde::deserialize::<R>(deserializer).map(|rule| OwnRule(Box::new(rule)))
                };
                all.push(Registered { name: R::NAME, type_id: TypeId::of::<R>(), read });
                Ok(())
            }
        }
    }
}
