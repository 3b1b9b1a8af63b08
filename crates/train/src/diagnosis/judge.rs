//! The verdict on a rate, from what came of others.

use downhill_optim::Schedule;

use super::{Branch, Fork};
use crate::RateVerdict;
use crate::number::fixed;
use crate::verdict::{has_grown, missed};

/// How much of what the best branch gains over the first guess a run with a good rate may miss.
///
/// Less than [`CLEAR`](crate::CLEAR), by which runs are told apart that have all their steps: a branch has 30% of them, and
/// shows a part of what its rate would gain. Chosen on seven tables of `bench/learning-rate`, which the others bear out.
const SHOWS: f64 = 0.015;

/// A verdict and what it comes from.
pub(super) struct Judged {
    pub verdict: RateVerdict,
    pub evidence: String,
    /// How many times the rate to try next is; none if this one is good, or nothing that was tried tells.
    pub factor: Option<f64>,
}

pub(super) fn judge(baseline: f64, end: Option<f64>, blow_up: Option<(u64, f64)>, forks: &[Fork]) -> Judged {
    let branches = || forks.iter().flat_map(|fork| fork.branches.iter().map(move |branch| (fork, branch)));
    let came_to = |(fork, branch): (&Fork, &Branch)| Some((branch.loss?, branch.factor, fork.step));
    let best = branches().filter_map(came_to).min_by(|a, b| a.0.total_cmp(&b.0));
    // The factor of the best branch below the rate in force, to recover with.
    let lower = branches().filter_map(came_to).filter(|branch| branch.1 < 1.0);
    let lower = lower.min_by(|a, b| a.0.total_cmp(&b.0)).map(|branch| branch.1);
    let very_high = |evidence: String| Judged { verdict: RateVerdict::VeryHigh, evidence, factor: lower };
    if let Some((step, lr)) = blow_up {
        return very_high(format!("the loss blew up at step {step}, at a rate of {lr:.3e}"));
    }
    let Some(end) = end.filter(|&end| !has_grown(baseline, end)) else {
        let end = end.map_or("no finite number".into(), fixed);
        let baseline = fixed(baseline);
        return very_high(format!("the loss has grown from {baseline}, the first guess's, to {end}"));
    };
    let Some((loss, factor, step)) = best else {
        return very_high("the loss blows up at every rate that was tried".into());
    };
    let told = |verdict, next| {
        let [end, loss] = [end, loss].map(fixed);
        let evidence = format!(
            "the run ends with a training loss of {end}; continued from step {step} at {factor} times the rate and \
             then down to zero, it comes to {loss}"
        );
        Judged { verdict, evidence, factor: next }
    };
    match missed(baseline, loss.min(end), end) {
        // For want of steps, or because the rate has spoilt the weights.
        None => {
            let harms = |branch: &Branch| {
                branch.factor > 1.0 && branch.loss.is_none_or(|loss| has_grown(baseline, loss))
            };
            let (verdict, next) = match branches().any(|(_, branch)| harms(branch)) {
                true => (RateVerdict::High, lower),
                false => (RateVerdict::Low, Some(10.0)),
            };
            let evidence =
                format!("no rate that was tried comes below {}, the first guess's loss", fixed(baseline));
            Judged { verdict, evidence, factor: next }
        }
        Some(missed) if missed <= SHOWS => Judged {
            verdict: RateVerdict::Good,
            evidence: format!(
                "the run ends with a training loss of {}, and no other rate comes to less than {}: it has \
                 {:.1}% of the gain that could be had",
                fixed(end),
                fixed(loss),
                100.0 * (1.0 - missed.max(0.0))
            ),
            factor: None,
        },
        Some(_) if factor > 1.0 => told(RateVerdict::Low, Some(factor)),
        Some(_) => told(RateVerdict::High, if factor < 1.0 { Some(factor) } else { lower }),
    }
}

/// A rate in two digits, which is all that is known of it.
pub(super) fn rounded(rate: f64) -> f64 {
    format!("{rate:.1e}").parse().unwrap_or(rate)
}

/// The flag for a schedule like this with its peak at a rate: a constant rate stays one; of the others, the usual one is
/// what can be said in a line. Without a rate, for one that is found.
pub(super) fn suggestion(schedule: &Schedule, rate: Option<f64>) -> String {
    let Some(rate) = rate.filter(|rate| rate.is_finite()).map(rounded) else { return "--lr auto".into() };
    match schedule {
        Schedule::Constant(_) => format!("--lr {rate}"),
        _ => format!("--lr 'warmup(5%, then=cosine({rate}))'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fork whose branches come to these, at 0.1 to 10 times the rate.
    fn fork(losses: [Option<f64>; 5]) -> Fork {
        let branches = [0.1, 0.3, 1.0, 3.0, 10.0].into_iter().zip(losses);
        let branches = branches.map(|(factor, loss)| Branch { factor, loss }).collect();
        Fork { step: 0, lr: 0.1, loss: Some(1.0), steps: 10, branches, held: None }
    }

    fn judged(end: f64, losses: [Option<f64>; 5]) -> (RateVerdict, Option<f64>) {
        let judged = judge(1.0, Some(end), None, &[fork(losses)]);
        (judged.verdict, judged.factor)
    }

    #[test]
    fn the_best_branch_tells() {
        let [a, b, c, d, e] = [0.2, 0.3, 0.4, 0.5, 0.6].map(Some);
        assert_eq!(judged(0.5, [e, d, c, b, a]), (RateVerdict::Low, Some(10.0)));
        assert_eq!(judged(0.5, [a, b, c, d, None]), (RateVerdict::High, Some(0.1)));
        // Only coming to rest helps.
        assert_eq!(judged(0.5, [d, b, a, d, None]), (RateVerdict::High, Some(0.3)));
        assert_eq!(judged(0.2, [e, d, c, b, a]), (RateVerdict::Good, None));
        // 0.8 can be gained, and 0.012 of it may be missed.
        assert_eq!(judged(0.211, [a, b, c, d, e]).0, RateVerdict::Good);
        assert_eq!(judged(0.213, [a, b, c, d, e]).0, RateVerdict::High);
    }

    #[test]
    fn where_nothing_learns_it_is_low_unless_more_harms() {
        let flat = Some(1.0);
        assert_eq!(judged(1.0, [flat; 5]), (RateVerdict::Low, Some(10.0)));
        assert_eq!(judged(1.0, [flat, flat, flat, flat, None]).0, RateVerdict::High);
    }

    #[test]
    fn what_blows_up_or_grows_is_very_high() {
        let good = fork([Some(0.2); 5]);
        for (end, blow_up) in [(Some(0.3), Some((7, 0.1))), (Some(1.06), None), (None, None)] {
            assert_eq!(judge(1.0, end, blow_up, std::slice::from_ref(&good)).verdict, RateVerdict::VeryHigh);
        }
        assert_eq!(judged(1.04, [Some(2.0); 5]).0, RateVerdict::High);
        // No lower rate is known to be any better.
        let judged = judge(1.0, None, Some((7, 1e6)), &[fork([None; 5])]);
        assert_eq!((judged.verdict, judged.factor), (RateVerdict::VeryHigh, None));
        assert_eq!(suggestion(&1e6.into(), None), "--lr auto");
        assert_eq!(suggestion(&1e6.into(), Some(f64::INFINITY)), "--lr auto");
    }
}
