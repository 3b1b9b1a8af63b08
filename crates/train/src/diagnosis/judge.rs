//! The verdict on a rate, from what came of others.

use downhill_run::{distance, fixed, has_grown};

use super::advice::{Trial, rounded, shown};
use super::{Branch, Fork};
use crate::RateVerdict;

/// How far a run with a good rate may end above the best branch, as a share of how far it may end above a run
/// that has all its steps, as [`rate_verdicts`](crate::rate_verdicts) judges it.
///
/// A branch has 30% of the steps, and shows about that part of what its rate would gain: 1.5% of the gain is
/// for it what 5% is for a run. Chosen on seven tables of `bench/learning-rate`, which the others bear out.
const SHOWS: f64 = 0.3;

/// Rates that differ by less than this factor are the same: those that are tried are three times apart.
const SAME: f64 = 1.5;

/// A verdict and what it comes from.
pub(super) struct Judged {
    pub verdict: RateVerdict,
    pub evidence: String,
    /// The rates to try next, as highest rates of the schedule, the most promising first.
    pub rates: Vec<f64>,
    /// What else to try.
    pub besides: Besides,
}

/// What can help where another rate may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Besides {
    Nothing,
    /// Only coming to rest helped: the same rate, and then down to zero.
    Decay,
    /// The best rate is above the one in force where it was tried, but not above the schedule's: it was cut
    /// too far.
    NoCuts,
}

/// What became of a run.
pub(super) struct Came {
    /// The loss of the first guess.
    pub baseline: f64,
    /// The loss at the end, if it is a number.
    pub end: Option<f64>,
    /// The step and the rate at which it first blew up.
    pub blow_up: Option<(u64, f64)>,
    /// The highest rate of its schedule, or that it was told.
    pub peak_rate: f64,
}

impl Came {
    /// Whether the run is better made with any rate than with its own: it blew up, or has learned nothing.
    pub fn is_lost(&self, verdict: RateVerdict) -> bool {
        let learned = |end| distance(self.baseline, end, end).is_some();
        verdict == RateVerdict::VeryHigh || (verdict != RateVerdict::Good && !self.end.is_some_and(learned))
    }
}

/// A branch that came to something.
#[derive(Clone, Copy)]
struct Tip {
    loss: f64,
    factor: f64,
    /// The step that it begins at.
    step: u64,
    /// The highest rate of its schedule.
    peak_rate: f64,
}

pub(super) fn judge(run: &Came, forks: &[Fork]) -> Judged {
    let Came { baseline, end, blow_up, peak_rate } = *run;
    let tips: Vec<Tip> = forks.iter().flat_map(tips).collect();
    let best = lowest(&tips, |_| true);
    let begins = forks.first().map_or(0, |fork| fork.step);
    // The best of all, and the best from the start: what is best later on may be too low for the whole way.
    let rates = |fits: &dyn Fn(&Tip) -> bool| {
        let first = lowest(&tips, |tip| fits(tip) && tip.step == begins);
        let mut rates = Vec::new();
        for tip in [lowest(&tips, fits), first].into_iter().flatten() {
            let rate = rounded(tip.peak_rate);
            if !rates.contains(&rate) {
                rates.push(rate);
            }
        }
        rates
    };
    let lower = || rates(&|tip| tip.peak_rate * SAME < peak_rate);
    let higher = || rates(&|tip| tip.peak_rate > peak_rate * SAME);
    let judged = |verdict, evidence, rates| Judged { verdict, evidence, rates, besides: Besides::Nothing };

    if let Some((step, lr)) = blow_up {
        let evidence = format!("the loss blew up at step {step}, at a rate of {lr:.3e}");
        return judged(RateVerdict::VeryHigh, evidence, lower());
    }
    let Some(end) = end.filter(|&end| !has_grown(baseline, end)) else {
        let end = end.map_or("no finite number".into(), fixed);
        let first = fixed(baseline);
        let evidence = format!("the loss has grown from {first}, the first guess's, to {end}");
        return judged(RateVerdict::VeryHigh, evidence, lower());
    };
    let Some(best) = best else {
        let evidence = "the loss blows up at every rate that was tried".into();
        return judged(RateVerdict::VeryHigh, evidence, Vec::new());
    };
    let told = format!(
        "the run ends with a training loss of {}; continued from step {} at {} times the rate in force, its highest {}, and \
         then down to zero, it comes to {}",
        fixed(end),
        best.step,
        best.factor,
        shown(best.peak_rate),
        fixed(best.loss)
    );
    match distance(baseline, best.loss.min(end), end) {
        // For want of steps, or because the rate has spoilt the weights.
        None => {
            let harms = |branch: &Branch| {
                branch.factor > 1.0 && branch.loss.is_none_or(|loss| has_grown(baseline, loss))
            };
            let is_high = forks.iter().flat_map(|fork| &fork.branches).any(harms);
            let first = fixed(baseline);
            let evidence =
                format!("no rate that was tried gains even 0.1% on {first}, the first guess's loss");
            match is_high {
                true => judged(RateVerdict::High, evidence, lower()),
                false => judged(RateVerdict::Low, evidence, vec![rounded(10.0 * peak_rate)]),
            }
        }
        Some(distance) if distance <= SHOWS => {
            let evidence = format!(
                "the run ends with a training loss of {}, and the best of its continuations at other rates and at its own comes \
                 to {}: it has {:.1}% of what could be gained over the first guess",
                fixed(end),
                fixed(best.loss),
                100.0 * ((baseline - end) / (baseline - best.loss.min(end))).min(1.0)
            );
            judged(RateVerdict::Good, evidence, Vec::new())
        }
        Some(_) if best.factor > 1.0 && best.peak_rate > peak_rate * SAME => {
            judged(RateVerdict::Low, told, higher())
        }
        Some(_) if best.factor > 1.0 => {
            let rates = vec![rounded(best.peak_rate)];
            Judged { verdict: RateVerdict::Low, evidence: told, rates, besides: Besides::NoCuts }
        }
        Some(_) if best.factor == 1.0 => {
            Judged { verdict: RateVerdict::High, evidence: told, rates: lower(), besides: Besides::Decay }
        }
        Some(_) => judged(RateVerdict::High, told, lower()),
    }
}

/// The trial that ends best, if it ends clearly better than the run; a run that blew up is better not made
/// to, however it went on.
pub(super) fn better<'a>(run: &Came, verdict: RateVerdict, trials: &'a [Trial]) -> Option<&'a Trial> {
    let learned = |trial: &'a Trial| Some((trial.tried.end.filter(|&end| end < run.baseline)?, trial));
    let (loss, best) = trials.iter().filter_map(learned).min_by(|a, b| a.0.total_cmp(&b.0))?;
    let clearly = || distance(run.baseline, loss, run.end?).filter(|&distance| distance > SHOWS);
    (verdict == RateVerdict::VeryHigh || clearly().is_some()).then_some(best)
}

/// The branches of a fork that came to something.
fn tips(fork: &Fork) -> impl Iterator<Item = Tip> {
    let tip = |branch: &Branch| {
        let (factor, peak_rate) = (branch.factor, branch.factor * fork.peak_rate);
        Some(Tip { loss: branch.loss?, factor, step: fork.step, peak_rate })
    };
    fork.branches.iter().filter_map(tip)
}

/// The one with the lowest loss among those that fit.
fn lowest(tips: &[Tip], fits: impl Fn(&Tip) -> bool) -> Option<Tip> {
    tips.iter().filter(|tip| fits(tip)).min_by(|a, b| a.loss.total_cmp(&b.loss)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fork whose branches come to these, at 0.1 to 10 times a rate.
    fn fork(step: u64, peak_rate: f64, losses: [Option<f64>; 5]) -> Fork {
        let branches = [0.1, 0.3, 1.0, 3.0, 10.0].into_iter().zip(losses);
        let branches = branches.map(|(factor, loss)| Branch { factor, loss }).collect();
        Fork { step, lr: peak_rate, peak_rate, loss: Some(1.0), steps: 10, branches, held: None }
    }

    fn run(end: Option<f64>, blow_up: Option<(u64, f64)>) -> Came {
        Came { baseline: 1.0, end, blow_up, peak_rate: 0.1 }
    }

    fn judged(end: f64, losses: [Option<f64>; 5]) -> (RateVerdict, Vec<f64>) {
        let judged = judge(&run(Some(end), None), &[fork(0, 0.1, losses)]);
        (judged.verdict, judged.rates)
    }

    #[test]
    fn the_best_branch_tells() {
        let [a, b, c, d, e] = [0.2, 0.3, 0.4, 0.5, 0.6].map(Some);
        assert_eq!(judged(0.5, [e, d, c, b, a]), (RateVerdict::Low, vec![1.0]));
        assert_eq!(judged(0.5, [a, b, c, d, None]), (RateVerdict::High, vec![0.01]));
        assert_eq!(judged(0.2, [e, d, c, b, a]), (RateVerdict::Good, vec![]));
        // Only coming to rest helps.
        let rests = judge(&run(Some(0.5), None), &[fork(0, 0.1, [d, b, a, d, None])]);
        assert_eq!((rests.verdict, rests.rates), (RateVerdict::High, vec![0.03]));
        assert_eq!(rests.besides, Besides::Decay);
        // 0.8 can be gained, and 0.012 of it may be missed.
        assert_eq!(judged(0.211, [a, b, c, d, e]).0, RateVerdict::Good);
        assert_eq!(judged(0.213, [a, b, c, d, e]).0, RateVerdict::High);
        // Of a small loss, 15% of it.
        let small = |end| judged(end, [Some(0.04), b, c, d, e]).0;
        assert_eq!((small(0.0459), small(0.0461)), (RateVerdict::Good, RateVerdict::High));
    }

    #[test]
    fn rates_to_try_are_those_that_were_good_whatever_was_cut() {
        let [a, b, c, d, e] = [0.2, 0.3, 0.4, 0.5, 0.6].map(Some);
        // The guard has cut 0.1 to 0.0125, of which 0.1 is best at the start and all of it later.
        let forks = [fork(0, 0.0125, [b, c, d, e, None]), fork(3, 0.0125, [e, d, a, d, None])];
        let judged = judge(&run(Some(0.3), Some((0, 0.1))), &forks);
        assert_eq!((judged.verdict, judged.rates), (RateVerdict::VeryHigh, vec![0.013, 0.0013]));
        // What is above the rate that blew up is not tried again.
        let judged = judge(&run(Some(0.3), Some((0, 0.1))), &[fork(0, 0.0125, [e, d, c, b, a])]);
        assert_eq!(judged.rates, [0.038]);
        // The plateau has cut it so far that ten times as much is better, and still less than the schedule's.
        let forks = [fork(0, 0.1, [c, c, c, c, None]), fork(6, 0.001, [e, d, c, b, a])];
        let judged = judge(&run(Some(0.5), None), &forks);
        assert_eq!((judged.verdict, judged.rates), (RateVerdict::Low, vec![0.01]));
        assert_eq!(judged.besides, Besides::NoCuts);
    }

    #[test]
    fn where_nothing_learns_it_is_low_unless_more_harms() {
        let flat = Some(1.0);
        assert_eq!(judged(1.0, [flat; 5]), (RateVerdict::Low, vec![1.0]));
        assert_eq!(judged(1.0, [flat, flat, flat, flat, None]).0, RateVerdict::High);
    }

    #[test]
    fn what_blows_up_or_grows_is_very_high() {
        let good = fork(0, 0.1, [Some(0.2); 5]);
        for (end, blow_up) in [(Some(0.3), Some((7, 0.1))), (Some(1.06), None), (None, None)] {
            let judged = judge(&run(end, blow_up), std::slice::from_ref(&good));
            assert_eq!((judged.verdict, judged.rates), (RateVerdict::VeryHigh, vec![0.01]));
        }
        assert_eq!(judged(1.04, [Some(2.0); 5]).0, RateVerdict::High);
        // No lower rate is known to be any better.
        let judged = judge(&run(None, Some((7, 1e6))), &[fork(0, 0.1, [None; 5])]);
        assert_eq!((judged.verdict, judged.rates), (RateVerdict::VeryHigh, vec![]));
    }
}
