//! What people read, in the languages there are: the sentences that the libraries and the command line make
//! in English, and their translations.
//!
//! What may enter: a language, its catalogue of sentences ([`Lang::said`]), and how wide text is in a terminal
//! ([`width`], [`left`], [`right`]). This crate knows nothing of networks, runs or files; who makes a sentence
//! makes it in English, and who shows it to a person translates it. Logs, JSON and CSV stay English.
//!
//! ```
//! use downhill_words::Lang;
//!
//! assert_eq!(Lang::Ko.said("learning rate"), "학습률");
//! assert_eq!(Lang::En.said("learning rate"), "learning rate");
//! // Holes are filled in Korean order, and what is in no catalogue stays as it is.
//! assert_eq!(Lang::Ko.said("1 row of iris"), "iris의 행 1개");
//! assert_eq!(Lang::Ko.said("runs/iris-1"), "runs/iris-1");
//! ```

#![forbid(unsafe_code)]

mod catalogue;
mod lang;
mod pad;
mod particle;
mod template;

pub use catalogue::{Sentence, sentences};
pub use lang::Lang;
pub use pad::{centre, left, right, width};
