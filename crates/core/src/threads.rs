//! Short pieces of work on several threads of a rayon pool, handed over without sleeping.
//!
//! A training step of a small network hands work from thread to thread every few hundred microseconds, and a
//! thread of rayon that finds nothing to do falls asleep after a few; waking it takes as long as a good part
//! of the work. Here threads that wait look for work until it comes, though not for ever, and let other
//! programs have the processor.

use std::sync::atomic::{AtomicBool, Ordering};

/// So many times a thread looks for work before it falls asleep: about half a millisecond.
const ROUNDS: usize = 1 << 10;

/// After so many, it lets others have the processor each time.
const OWN_ROUNDS: usize = 1 << 6;

/// Raises a flag when it is dropped, so also when the work in its scope panics.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Does what other work there is in the pool until the flag is raised, or until there has been none for long.
fn help_until(finished: &AtomicBool) {
    let mut idle = 0;
    while !finished.load(Ordering::Acquire) && idle < ROUNDS {
        idle += 1;
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => idle = 0,
            _ if idle > OWN_ROUNDS => std::thread::yield_now(),
            _ => std::hint::spin_loop(),
        }
    }
}

/// Both, at once if another thread of the pool is free; as `rayon::join`, but the first to end does not fall
/// asleep.
pub fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    let finished = AtomicBool::new(false);
    let first = || {
        let result = a();
        help_until(&finished);
        result
    };
    let second = || {
        let _finish = Finish(&finished);
        b()
    };
    rayon::join(first, second)
}

/// The work, while others of the pool stay awake to take what it hands over: so many threads with the calling
/// one.
///
/// On one thread, or outside of a pool, the work is done as it is.
pub fn awake<A: Send>(threads: usize, work: impl FnOnce() -> A + Send) -> A {
    if threads < 2 || rayon::current_thread_index().is_none() {
        return work();
    }
    let finished = AtomicBool::new(false);
    let first = || {
        let _finish = Finish(&finished);
        work()
    };
    rayon::join(first, || wait(threads - 1, &finished)).0
}

/// Keeps so many threads waiting.
fn wait(threads: usize, finished: &AtomicBool) {
    if threads == 1 {
        return help_until(finished);
    }
    let some = threads / 2;
    let taken = AtomicBool::new(false);
    let first = || {
        // A thread that looks for work takes its own first: left to another, this wakes one.
        for _ in 0..ROUNDS {
            if taken.load(Ordering::Relaxed) || finished.load(Ordering::Relaxed) {
                break;
            }
            std::hint::spin_loop();
        }
        wait(some, finished);
    };
    let second = || {
        taken.store(true, Ordering::Relaxed);
        wait(threads - some, finished);
    };
    rayon::join(first, second);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicUsize;

    fn on<A: Send>(threads: usize, work: impl FnOnce() -> A + Send) -> A {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    }

    /// The sum of the numbers below `end` from `begin` on, halved down to single ones.
    fn sum(begin: usize, end: usize) -> usize {
        if end - begin < 2 {
            return begin;
        }
        let middle = begin.midpoint(end);
        let (a, b) = join(|| sum(begin, middle), || sum(middle, end));
        a + b
    }

    #[test]
    fn work_is_done_once_on_any_number_of_threads() {
        assert_eq!(sum(0, 1000), 499_500);
        for threads in [1, 2, 5] {
            assert_eq!(on(threads, || sum(0, 1000)), 499_500);
            assert_eq!(on(threads, || awake(threads, || sum(0, 1000))), 499_500);
        }
        assert_eq!(awake(2, || sum(0, 10)), 45);
    }

    #[test]
    fn all_threads_take_part() {
        // Each of the three waits until all have come: on fewer threads this would never end.
        let here = AtomicUsize::new(0);
        let meet = || {
            here.fetch_add(1, Ordering::SeqCst);
            while here.load(Ordering::SeqCst) < 3 {
                std::hint::spin_loop();
            }
        };
        on(3, || awake(3, || join(meet, || join(meet, meet))));
        assert_eq!(here.into_inner(), 3);
    }

    #[test]
    fn a_panic_comes_through_and_nobody_waits_for_ever() {
        for threads in [1, 3] {
            let panics =
                |work: &(dyn Fn() + Sync)| on(threads, || catch_unwind(AssertUnwindSafe(work)).is_err());
            assert!(panics(&|| {
                join(|| 1, || panic!("second"));
            }));
            assert!(panics(&|| {
                join(|| panic!("first"), || 1);
            }));
            assert!(panics(&|| awake(3, || panic!("work"))));
        }
    }
}
