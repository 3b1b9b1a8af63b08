//! The buffers of predictions that have been made, for those to come.

use std::sync::{Mutex, PoisonError};

use downhill_nn::Inference;

/// One for each thread that has predicted at once; each is taken out while it is used.
#[derive(Debug, Default)]
pub(super) struct Plans(Mutex<Vec<Inference<f32>>>);

impl Plans {
    /// One that is free.
    pub fn take(&self) -> Option<Inference<f32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Puts it where the next prediction finds it.
    pub fn keep(&self, plan: Inference<f32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(plan);
    }
}

/// A copy makes its own.
impl Clone for Plans {
    fn clone(&self) -> Self {
        Self::default()
    }
}
