//! Random points, then again in the best corner: how the textbooks narrow a search down by hand.

use rand::RngExt;

use super::{Draw, Observation, order, random};
use crate::Domain;
use crate::space::ABSENT;

/// The number of trials of a round.
const ROUND: u64 = 16;
/// Which share of the trials seen are the best ones, which the next round is about.
const BEST: usize = 4;
/// The side of the box, as a share of the domain, is multiplied by this from round to round.
const SHRINK: f64 = 0.5;
/// The box does not get smaller than this.
const SMALLEST: f64 = 0.02;

pub(super) fn point<R: RngExt>(
    domains: &[&Domain],
    draw: &mut Draw<R>,
    number: u64,
    seen: &[Observation],
) -> (Vec<f64>, String) {
    let round = number / ROUND;
    let known = seen.iter().filter(|seen| !seen.pending).count();
    let order = order(seen);
    let best: Vec<&Observation> = order
        .iter()
        .map(|&at| &seen[at])
        .filter(|seen| seen.cost.is_some())
        .take(known.div_ceil(BEST))
        .collect();
    let Some(centre) = best.first().filter(|_| round > 0) else {
        return (random::point(domains, draw), "drawn at random: the first, coarse round".into());
    };
    let side = SHRINK.powf(round as f64).max(SMALLEST);
    let place = |(at, domain): (usize, &&Domain)| match domain {
        // One of those that the best have, as often as they have it.
        Domain::Choice(_) => match best[draw.below(best.len())].point[at] {
            ABSENT => draw.place(domain),
            place => place,
        },
        _ if centre.point[at] == ABSENT => draw.place(domain),
        Domain::Log { .. } | Domain::Times { .. } | Domain::Uniform { .. } | Domain::Int { .. } => {
            let low = (centre.point[at] - side / 2.0).clamp(0.0, 1.0 - side);
            low + side * draw.share()
        }
    };
    let point = domains.iter().enumerate().map(place).collect();
    let why = format!(
        "drawn at random in a box of {:.0}% of each side around the best of {} trials (round {})",
        100.0 * side,
        known,
        round + 1
    );
    (point, why)
}
