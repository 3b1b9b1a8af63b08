#![doc = include_str!("../README.md")]
//! # What lives here
//!
//! A server on loopback, the page that it serves, and what the page asks for: runs, studies, figures, as JSON.
//! What may enter: views of records, and commands for runs that other processes make. What may not: the
//! terminal and its flags, and training itself, for which the program is
//! started; but for the short ones of the figures for people who learn (`learn`), which last no second.
#![forbid(unsafe_code)]

mod api;
mod error;
mod follow;
mod form;
mod guard;
mod jobs;
mod lab;
mod learn;
mod live;
mod pages;
mod record;
mod server;
mod stream;
mod study;
mod table;
mod upload;

pub use error::Error;
pub use form::{Data, Field, Form};
pub use lab::{Lab, Options};
