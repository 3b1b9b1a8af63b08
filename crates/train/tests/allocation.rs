//! A training step allocates nothing, on one thread and on several.

use std::alloc::System;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use downhill_data::Table;
use downhill_nn::Mlp;
use downhill_optim::{Regularization, Rule};
use downhill_train::{Config, Event, Trainer};
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// The allocations between any two steps of an epoch, from the second epoch on.
fn allocations(threads: usize, optimizer: &str) -> u64 {
    let data = Table::bundled("digits").unwrap().default_target().split(0.2, 1).unwrap();
    let config = Config {
        epochs: 4,
        batch: Some(256),
        optimizer: optimizer.parse::<Rule>().unwrap(),
        regularization: Regularization { l2: 1e-4, clip_norm: Some(1.0), ..Regularization::default() },
        network: Mlp { hidden: vec![256, 256], batch_norm: true, dropout: 0.1, ..Mlp::default() }.into(),
        ..Config::default()
    };
    let found = Arc::new(AtomicU64::new(0));
    let before = Mutex::new(None);
    let seen = found.clone();
    let view = move |event: &Event| {
        let mut before = before.lock().unwrap();
        let now = ALLOCATOR.stats();
        let count = (now.allocations + now.reallocations) as u64;
        match event {
            Event::Step { step, .. } => {
                if let Some(before) = *before
                    && *step >= 6
                {
                    seen.fetch_add(count - before, Ordering::Relaxed);
                }
                *before = Some(count);
            }
            _ => *before = None,
        }
    };
    Trainer::from_config(config).threads(threads).view(view).fit(&data).unwrap();
    found.load(Ordering::Relaxed)
}

// One test, so that no other allocates meanwhile.
#[test]
fn a_step_allocates_nothing() {
    for optimizer in ["sgd", "momentum", "rmsprop", "adamw"] {
        for threads in [1, 2] {
            assert_eq!(allocations(threads, optimizer), 0, "{optimizer} on {threads} threads");
        }
    }
}
