//! Types that other crates add to a list of named ones, so that they can be read by their names.

use std::any::TypeId;
use std::fmt;
use std::sync::RwLock;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, Visitor};

use crate::Invalid;

/// Reads the settings of a type that was registered.
pub type Read<T> = fn(&mut dyn erased_serde::Deserializer<'_>) -> Result<T, erased_serde::Error>;

/// The names of one kind of thing (update rules, losses): those that are built in, and those of the types
/// that were registered in this process, which are read as a `T`.
///
/// Deserializing with a reference to it reads a name.
pub struct Registry<T> {
    what: &'static str,
    built_in: &'static [&'static str],
    registered: RwLock<Vec<Registered<T>>>,
}

/// How a registered type is read: deserializing with it reads the settings.
pub struct Registered<T> {
    name: &'static str,
    type_id: TypeId,
    read: Read<T>,
}

/// A name that there is.
pub enum Name<T> {
    /// One of those that are built in.
    BuiltIn(&'static str),
    /// That of a type that was registered.
    Registered(Registered<T>),
}

impl<T> Clone for Registered<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Registered<T> {}

impl<T> Registry<T> {
    /// With only the names that are built in; `what` is one of the things, for messages: `rule`.
    pub const fn new(what: &'static str, built_in: &'static [&'static str]) -> Self {
        Self { what, built_in, registered: RwLock::new(Vec::new()) }
    }

    /// Adds the type `R`, whose settings `read` reads. A type that is there already stays.
    ///
    /// # Errors
    ///
    /// If the name is that of another type, or cannot stand in a spec.
    pub fn register<R: 'static>(&self, name: &'static str, read: Read<T>) -> Result<(), Invalid> {
        let refused = |message: String| Err(Invalid { owner: name, key: "name", message });
        if self.built_in.contains(&name) {
            return refused(format!("is that of a {} of Downhill's", self.what));
        }
        if !name.starts_with(|c: char| c.is_ascii_lowercase())
            || !name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        {
            return refused("must be made of small letters, digits and `-`".into());
        }
        // A panic of another thread leaves the list as it was or one longer.
        let mut all = self.registered.write().unwrap_or_else(|poisoned| poisoned.into_inner());
        match all.iter().find(|registered| registered.name == name) {
            Some(registered) if registered.type_id == TypeId::of::<R>() => Ok(()),
            Some(_) => refused(format!("is that of a {} of another type", self.what)),
            None => {
                all.push(Registered { name, type_id: TypeId::of::<R>(), read });
                Ok(())
            }
        }
    }

    fn find(&self, name: &str) -> Option<Name<T>> {
        if let Some(name) = self.built_in.iter().find(|built_in| **built_in == name) {
            return Some(Name::BuiltIn(name));
        }
        let all = self.registered.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        all.iter().find(|registered| registered.name == name).copied().map(Name::Registered)
    }
}

impl<'de, T> DeserializeSeed<'de> for &Registry<T> {
    type Value = Name<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Name<T>, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl<T> Visitor<'_> for &Registry<T> {
    type Value = Name<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a {}", self.what)
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Name<T>, E> {
        self.find(name).ok_or_else(|| E::unknown_variant(name, self.built_in))
    }
}

impl<'de, T> DeserializeSeed<'de> for Registered<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        let mut deserializer = <dyn erased_serde::Deserializer<'_>>::erase(deserializer);
        (self.read)(&mut deserializer).map_err(D::Error::custom)
    }
}
