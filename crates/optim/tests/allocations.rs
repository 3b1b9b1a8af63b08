//! A step allocates nothing. One test alone in its program, for the counter counts every thread.

use std::alloc::System;

use downhill_optim::{Layout, Optimizer, Regularization, Role, Rule};
use downhill_schedule::Schedule;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn a_step_allocates_nothing() {
    let len = 200_000;
    let mut layout = Layout::default();
    layout.push("matrix", &[300, 200], Role::Weight);
    layout.push("weight", &[len - 60_010], Role::Weight);
    layout.push("bias", &[10], Role::Bias);
    let regularization = Regularization {
        l1: 0.01,
        l2: 0.01,
        weight_decay: 0.01,
        clip_norm: Some(1.0),
        clip_value: Some(0.1),
        ..Regularization::default()
    };
    let schedule: Schedule = "warmup(3, then=cosine-restarts(0.1, first=5%))".parse().unwrap();
    let (mut params, grads) = (vec![1.0f32; len], vec![0.1f32; len]);
    let mut allocations = |rule: &str, regularization, parallel| {
        let rule: Rule = rule.parse().unwrap();
        let mut optimizer = Optimizer::new(rule, regularization, &layout, parallel).unwrap();
        let mut run = |steps: std::ops::Range<u64>| {
            for step in steps {
                let position = downhill_schedule::Position { step, steps_per_epoch: 10, total_steps: 100 };
                optimizer.step(step, schedule.at(position), &mut params, &grads);
            }
        };
        run(0..50); // queues of threads grow to their size
        let region = Region::new(ALLOCATOR);
        run(50..100);
        let change = region.change();
        change.allocations + change.reallocations
    };

    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    pool.broadcast(|_| rayon::join(|| (), || ())); // both threads are up and have met
    for rule in Rule::NAMES.into_iter().chain(["rmsprop(momentum=0.9, centered=true)"]) {
        // What averages by itself is not decayed from outside.
        let weight_decay = if rule.starts_with("schedule-free") { 0.0 } else { regularization.weight_decay };
        for regularization in [Regularization::default(), Regularization { weight_decay, ..regularization }] {
            assert_eq!(allocations(rule, regularization, false), 0, "{rule} with {regularization:?}");
            let parallel = pool.install(|| allocations(rule, regularization, true));
            assert_eq!(parallel, 0, "{rule} with {regularization:?} on two threads");
        }
    }

    // And it does count.
    let region = Region::new(ALLOCATOR);
    drop(vec![0u8; 1000]);
    assert_eq!(region.change().allocations, 1);
}
