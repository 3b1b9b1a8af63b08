//! Hyperparameter search: which settings minimise or maximise an objective, within a budget.
//!
//! Here live [spaces](Space) of settings, [samplers](Sampler) that suggest the next ones, [rules](StopRule)
//! that pause trials which fall behind and promote those which lead, [studies](Study) and the
//! [folder](StudyFolder) in which one is kept, and what a study says in the end: its [history](History) and
//! the [`importance`] of each setting. How a network is computed is not known here: [`Networks`]
//! drives the public `Run`, and any function may be an [`Objective`].
//!
//! A study is a function of its settings: suggestions and decisions see results in the *logical* order of the
//! jobs, never in the order in which they happen to come in, so any number of workers makes the same trials,
//! with the same bits.
//!
//! ```
//! use downhill_search::{Settings, Space, Study};
//!
//! let space = Space::new().with("x", "uniform(-2, 2)")?.with("kind", "choice(a, b)")?;
//! let objective = |settings: &Settings| {
//!     let worse = if settings.word("kind") == Some("b") { 1.0 } else { 0.0 };
//!     settings.number("x").map_or(f64::NAN, |x| (x - 0.5).powi(2) + worse)
//! };
//! let study = Study::new(space).trials(40).seed(7).run(&objective)?;
//! let best = study.best().expect("some value is a number");
//! assert!(best.value.is_some_and(|value| value < 0.1));
//! # Ok::<(), downhill_search::Error>(())
//! ```

#![forbid(unsafe_code)]

mod budget;
mod domain;
mod error;
mod event;
mod folder;
mod history;
mod importance;
mod mean;
mod networks;
mod objective;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod sampler;
mod settings;
mod space;
mod stopping;
mod store;
mod study;

pub use budget::Budget;
pub use domain::Domain;
pub use error::Error;
pub use event::Event;
pub use folder::StudyFolder;
pub use history::{History, State, Trial};
pub use importance::importance;
pub use mean::Mean;
pub use networks::Networks;
pub use objective::{Job, Objective, Outcome};
pub use plan::{Goal, Plan};
#[cfg(feature = "postgres")]
pub use postgres::{Database, DatabaseStudy};
pub use sampler::{Observation, Sampler};
pub use settings::{Settings, Value};
pub use space::{Condition, Space};
pub use stopping::StopRule;
pub use store::{Bell, Store, Turn};
pub use study::{Study, Watch};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
