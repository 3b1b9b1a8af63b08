//! Which rate to try next, and what to make of those that were tried.
//!
//! Rates lie on a ladder around a middle, each [`RUNG`] times the one below it.

/// The ratio of neighbouring rates.
pub const RUNG: f64 = 2.25;

/// The rungs tried first.
pub const FIRST: [i32; 3] = [-2, 0, 2];

/// How much a rate must gain, as a share of the loss, for each square of its distance from the middle in powers of e.
/// Short trainings on few rows are noisy, and the middle is where the rate usually is.
const DOUBT: f64 = 0.01;

/// How far the answer is drawn back to the middle, and by what factor at most.
const DRAW: (f64, f64) = (0.25, 2.0);

/// The best rate falls with the length of the run to this power. Short trainings reward whoever moves far.
const LENGTH_POWER: f64 = 0.15;

/// Rates whose score is within this of the best are in the band: the loss is about a tenth higher.
const BAND: f64 = 0.1;

/// A rung that was tried, and its score: the logarithm of the loss, and the doubt. Infinite if the loss was no number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tried {
    pub rung: i32,
    pub score: f64,
}

impl Tried {
    /// `least` is what a loss is taken for at least, so that differences between losses of nearly zero do not count.
    pub fn new(rung: i32, loss: Option<f64>, least: f64) -> Self {
        let distance = f64::from(rung) * RUNG.ln();
        let score = |loss: f64| loss.max(least).ln() + DOUBT * distance * distance;
        Self { rung, score: loss.map_or(f64::INFINITY, score) }
    }
}

fn best(tried: &[Tried]) -> usize {
    // Of two that are equal the lower rung.
    (0..tried.len()).min_by(|&a, &b| tried[a].score.total_cmp(&tried[b].score)).unwrap_or(0)
}

/// The rung to try next, of `tried` in the order of the rungs: beyond the best if that is at an end, else on the better side
/// of it; none if there is nothing left to look at nearby.
pub fn next(tried: &[Tried]) -> Option<i32> {
    let at = best(tried);
    let Tried { rung, score } = *tried.get(at)?;
    if !score.is_finite() {
        return Some(tried[0].rung - 2);
    }
    if at == 0 {
        return Some(rung - 2);
    }
    if at + 1 == tried.len() {
        return Some(rung + 2);
    }
    let (below, above) = (tried[at - 1], tried[at + 1]);
    let open_below = (rung - below.rung > 1).then_some((below.score, rung - 1));
    let open_above = (above.rung - rung > 1).then_some((above.score, rung + 1));
    open_below.into_iter().chain(open_above).min_by(|a, b| a.0.total_cmp(&b.0)).map(|side| side.1)
}

/// What the tried rungs come to for a run that is so many times as long as a trial: the best rate and the band around it, as
/// multiples of the middle. None if no trial came to a finite loss.
pub fn conclude(tried: &[Tried], times_longer: f64) -> Option<(f64, [f64; 2])> {
    let at = best(tried);
    let Tried { rung, score } = *tried.get(at).filter(|tried| tried.score.is_finite())?;
    let inner = at > 0 && at + 1 < tried.len();
    let vertex = if inner { between(tried[at - 1], tried[at], tried[at + 1]) } else { f64::from(rung) };
    let (share, most) = DRAW;
    let drawn = (share * vertex.abs()).min(most.ln() / RUNG.ln());
    let shorter = times_longer.powf(-LENGTH_POWER);
    let rate = |rung: f64| RUNG.powf(rung) * shorter;
    let recommended = rate(vertex - drawn.copysign(vertex));

    let inside = |tried: &&Tried| tried.score <= score + BAND;
    let low = tried[..=at].iter().rev().take_while(inside).last().map_or(rung, |tried| tried.rung);
    let high = tried[at..].iter().take_while(inside).last().map_or(rung, |tried| tried.rung);
    let band = [rate(f64::from(low) - 0.5).min(recommended), rate(f64::from(high) + 0.5).max(recommended)];
    Some((recommended, band))
}

/// Where the parabola through three points is lowest, at most half way to a neighbour.
fn between(below: Tried, middle: Tried, above: Tried) -> f64 {
    let x = f64::from(middle.rung);
    let (left, right) = (x - f64::from(below.rung), f64::from(above.rung) - x);
    let (fall, rise) = ((middle.score - below.score) / left, (above.score - middle.score) / right);
    if rise.is_infinite() || fall.is_infinite() {
        return x;
    }
    let bend = rise - fall;
    let offset = if bend > 1e-12 { -(fall * right + rise * left) / (2.0 * bend) } else { 0.0 };
    x + offset.clamp(-left / 2.0, right / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is tried of a loss that is a function of the rung, and the conclusion.
    fn search(
        loss: impl Fn(i32) -> Option<f64>,
        trials: usize,
        longer: f64,
    ) -> (Vec<i32>, Option<(f64, [f64; 2])>) {
        let mut tried: Vec<Tried> = FIRST.iter().map(|&rung| Tried::new(rung, loss(rung), 1e-9)).collect();
        let mut order = FIRST.to_vec();
        while tried.len() < trials
            && let Some(rung) = next(&tried)
        {
            order.push(rung);
            tried.push(Tried::new(rung, loss(rung), 1e-9));
            tried.sort_by_key(|tried| tried.rung);
        }
        (order, conclude(&tried, longer))
    }

    #[test]
    fn the_search_goes_to_the_lowest_loss() {
        // ln loss = (x − 5)²/10 over the rung; the doubt adds 0.01·(x·ln 2.25)².
        let loss = |rung: i32| Some((0.1 * f64::from((rung - 5).pow(2))).exp());
        let (order, found) = search(loss, 6, 1.0);
        assert_eq!(order, [-2, 0, 2, 4, 6, 5]);
        // The vertex of both parabolas together, drawn back by a factor of 2.25^(0.25·x), which is above 2, so by 2.
        let doubt = DOUBT * RUNG.ln().powi(2);
        let vertex = 0.5 / (0.1 + doubt);
        let (rate, [low, high]) = found.unwrap();
        let wanted = RUNG.powf(vertex) / RUNG.powf(0.25 * vertex).min(2.0);
        assert!((rate / wanted - 1.0).abs() < 1e-9, "{rate}, not {wanted}");
        assert!(low <= rate && rate <= high);
        // A run that is 100 times as long as a trial has half the rate: 100^0.15 = 1.995.
        let (longer, _) = search(loss, 6, 100.0).1.unwrap();
        assert!((longer / rate - 0.5012).abs() < 1e-4);
    }

    #[test]
    fn rates_that_blow_up_are_left_below() {
        // Nothing above −5 is finite.
        let loss = |rung: i32| (rung <= -5).then(|| 2.0 + f64::from(-rung));
        let (order, found) = search(loss, 6, 1.0);
        assert_eq!(order, [-2, 0, 2, -4, -6, -8]);
        let (rate, [low, high]) = found.unwrap();
        assert!(rate < RUNG.powf(-4.0) && low <= rate && rate <= high);
        assert_eq!(search(|_| None, 6, 1.0).1, None);
    }

    #[test]
    fn what_is_all_the_same_stays_in_the_middle() {
        let (order, found) = search(|_| Some(0.7), 6, 1.0);
        assert_eq!(order, [-2, 0, 2, -1, 1]);
        let (rate, [low, high]) = found.unwrap();
        assert!((rate - 1.0).abs() < 1e-12);
        assert!((low * high - 1.0).abs() < 1e-9 && high > 5.0);
        // Losses of nearly nothing are the same too.
        let nothing = |rung: i32| Tried::new(rung, Some(1e-12 * f64::from(rung + 3)), 1e-3);
        assert_eq!(nothing(2).score, nothing(-2).score);
    }
}
