//! Finding a learning rate by rehearsals: which rate to rehearse next, and what to make of those that were, on
//! plain numbers.
//!
//! A rehearsal goes through the run's whole schedule in a few of its steps, at some peak rate, and ends with
//! losses on the same rows for every rate. Rates lie on a ladder around the usual one, each [`RUNG`] times the
//! one below it. The constants were chosen on half of the tables and setups of `bench/learning-rate`.

use crate::Choice;

/// The ratio of neighbouring rates.
pub const RUNG: f64 = 2.25;

/// How far apart the first rungs are, and those by which the search goes on beyond them.
const STRIDE: i32 = 3;

/// The rungs tried first; the usual rate is one of them.
pub const FIRST: [i32; 3] = [0, -STRIDE, STRIDE];

/// Losses below this share of the first guess's are all the same.
const NOTHING: f64 = 0.003;

/// The share of the first guess's loss that must be gained for a rehearsal to have learned anything.
const LEARNED: f64 = 1e-3;

/// How many standard errors another rate's lead over the usual one must be.
const CERTAIN: f64 = 1.0;

/// The best rate falls with the length of the run to this power. Short trainings reward whoever moves far.
const LENGTH_POWER: f64 = 0.15;

/// How far the answer is drawn back to the usual rate: the power of their ratio.
const PULL: f64 = 0.25;

/// The number of training rows at which a rate above the usual one is drawn back half of the way. With fewer
/// rows it is drawn back further: there, a high rate mostly overfits sooner.
const FEW_ROWS: f64 = 150.0;

/// Rehearsals whose loss is at most so many times the best one's came as far.
const BAND: f64 = 1.1;

/// A rung that was rehearsed, and what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// Which: its rate is the usual one times [`RUNG`] to this power.
    pub rung: i32,
    /// The mean losses of some groups of rows, the same for every rung; none if one was no finite number.
    pub losses: Option<Vec<f64>>,
}

impl Tried {
    /// The mean loss.
    pub fn loss(&self) -> Option<f64> {
        self.losses.as_ref().map(|losses| losses.iter().sum::<f64>() / losses.len() as f64)
    }

    /// The logarithm of the loss; infinite if it was no finite number. Differences between losses of nearly
    /// nothing, beside `guess`, the first guess's, do not count.
    fn score(&self, guess: f64) -> f64 {
        self.loss().map_or(f64::INFINITY, |loss| loss.max(NOTHING * guess).max(f64::MIN_POSITIVE).ln())
    }
}

/// The lowest of some rungs; of two that are equal, the nearer one to the usual rate.
fn best(tried: &[Tried], guess: f64) -> usize {
    let key = |at: usize| (tried[at].score(guess), tried[at].rung.abs());
    let lower = |a: &usize, b: &usize| {
        let (a, b) = (key(*a), key(*b));
        a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
    };
    (0..tried.len()).min_by(lower).unwrap_or(0)
}

/// The rung to try next, of `tried` in the order of the rungs: beyond the best if that is at an end, else on
/// the better side of it; none if there is nothing left to look at nearby.
pub fn next(tried: &[Tried], guess: f64) -> Option<i32> {
    let at = best(tried, guess);
    let rung = tried.get(at)?.rung;
    if at == 0 || tried[at].losses.is_none() {
        return Some(tried[0].rung - STRIDE);
    }
    if at + 1 == tried.len() {
        return Some(rung + STRIDE);
    }
    let (below, above) = (&tried[at - 1], &tried[at + 1]);
    let open_below = (rung - below.rung > 1).then_some((below.score(guess), rung - 1));
    let open_above = (above.rung - rung > 1).then_some((above.score(guess), rung + 1));
    open_below.into_iter().chain(open_above).min_by(|a, b| a.0.total_cmp(&b.0)).map(|side| side.1)
}

/// What rehearsals come to; rates are multiples of the usual one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Conclusion {
    /// None came to a finite loss: a rate below all of them.
    Diverged {
        /// That rate.
        rate: f64,
    },
    /// None learned anything.
    NothingLearned,
    /// No rate was better than the usual one by more than the noise. The best other one, if there was any,
    /// and by how much its mean loss was lower, with the standard error.
    Usual {
        /// The lead of the other one.
        lead: Option<Lead>,
    },
    /// Another rate was.
    Better {
        /// The rate to train with.
        rate: f64,
        /// How much better its rehearsal was; none if that of the usual rate came to no finite loss.
        lead: Option<Lead>,
        /// What the best rehearsal's rate was multiplied by: as the parabola through it and its neighbours
        /// has its lowest point elsewhere, as the run is longer than a rehearsal, and towards the usual rate.
        factors: [f64; 3],
    },
}

/// How much lower a rehearsal's loss was than that at the usual rate, over the same rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lead {
    /// In the mean.
    pub mean: f64,
    /// Its standard error over the groups of rows.
    pub error: f64,
}

impl Conclusion {
    /// The rate to train with, where the usual one is this, and why.
    pub fn choice(self, usual: f64) -> (f64, Choice) {
        let pair = |lead: Lead| [lead.mean, lead.error];
        match self {
            Self::Diverged { rate } => (usual * rate, Choice::AllDiverged),
            Self::NothingLearned => (usual, Choice::NothingLearned),
            Self::Usual { lead } => (usual, Choice::Usual { lead: lead.map(pair) }),
            Self::Better { rate, lead, factors: [between, length, pull] } => {
                let best = usual * rate / (between * length * pull);
                (usual * rate, Choice::Better { best, lead: lead.map(pair), between, length, pull })
            }
        }
    }
}

/// What the tried rungs, in their order, come to for a run on `rows` training rows that is so many times as
/// long as a rehearsal.
pub fn conclude(tried: &[Tried], guess: f64, times_longer: f64, rows: usize) -> Conclusion {
    let at = best(tried, guess);
    let Some(loss) = tried.get(at).and_then(Tried::loss) else {
        let lowest = tried.first().map_or(0, |tried| tried.rung);
        return Conclusion::Diverged { rate: RUNG.powi(lowest - STRIDE) };
    };
    if loss > (1.0 - LEARNED) * guess {
        return Conclusion::NothingLearned;
    }
    let Tried { rung, losses, .. } = &tried[at];
    if *rung == 0 {
        return Conclusion::Usual { lead: None };
    }
    let usual = tried.iter().find(|tried| tried.rung == 0).and_then(|tried| tried.losses.as_ref());
    let lead = usual.zip(losses.as_ref()).map(|(usual, losses)| lead(usual, losses));
    if lead.is_some_and(|lead| lead.mean <= CERTAIN * lead.error) {
        return Conclusion::Usual { lead };
    }
    let inner = at > 0 && at + 1 < tried.len();
    let x = f64::from(*rung);
    let vertex = if inner { lowest_between([&tried[at - 1], &tried[at], &tried[at + 1]], guess) } else { x };
    let length = times_longer.powf(-LENGTH_POWER);
    let peak = RUNG.powf(vertex) * length;
    let few = FEW_ROWS / (FEW_ROWS + rows as f64);
    let pull = if peak > 1.0 { PULL.max(few) } else { PULL };
    let factors = [RUNG.powf(vertex - x), length, peak.powf(-pull)];
    Conclusion::Better { rate: peak.powf(1.0 - pull), lead, factors }
}

/// The lowest and the highest of the rungs around the best that came about as far.
pub fn band(tried: &[Tried], guess: f64) -> Option<[i32; 2]> {
    let at = best(tried, guess);
    let most = tried.get(at)?.loss()?.max(NOTHING * guess) * BAND;
    let inside = |tried: &&Tried| tried.loss().is_some_and(|loss| loss <= most);
    let low = tried[..=at].iter().rev().take_while(inside).last()?;
    let high = tried[at..].iter().take_while(inside).last()?;
    Some([low.rung, high.rung])
}

/// The mean of the differences by group, and its standard error.
fn lead(usual: &[f64], other: &[f64]) -> Lead {
    let differences: Vec<f64> = usual.iter().zip(other).map(|(usual, other)| usual - other).collect();
    let count = differences.len() as f64;
    let mean = differences.iter().sum::<f64>() / count;
    let squares = differences.iter().map(|difference| (difference - mean).powi(2)).sum::<f64>();
    let error = if count > 1.0 { (squares / (count - 1.0) / count).sqrt() } else { f64::INFINITY };
    Lead { mean, error }
}

/// Where the parabola through three rungs' scores is lowest, at most half way to a neighbour.
fn lowest_between([below, middle, above]: [&Tried; 3], guess: f64) -> f64 {
    let x = f64::from(middle.rung);
    let (left, right) = (x - f64::from(below.rung), f64::from(above.rung) - x);
    // What blew up counts as three times the first guess's loss, not as infinitely far up.
    let score = |tried: &Tried| tried.score(guess).min((3.0 * guess).ln());
    let fall = (score(middle) - score(below)) / left;
    let rise = (score(above) - score(middle)) / right;
    let bend = rise - fall;
    let offset = if bend > 1e-12 { -(fall * right + rise * left) / (2.0 * bend) } else { 0.0 };
    x + offset.clamp(-left / 2.0, right / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tried(rung: i32, losses: &[f64]) -> Tried {
        Tried { rung, losses: (!losses.is_empty()).then(|| losses.to_vec()) }
    }

    /// The order in which rungs are tried of a loss that is a function of the rung, and the conclusion, all
    /// rows alike.
    fn search(loss: impl Fn(i32) -> Option<f64>, trials: usize, longer: f64) -> (Vec<i32>, Conclusion) {
        let rehearse = |rung| Tried { rung, losses: loss(rung).map(|loss| vec![loss; 2]) };
        let mut all: Vec<Tried> = FIRST.into_iter().map(rehearse).collect();
        all.sort_by_key(|tried| tried.rung);
        let mut order = FIRST.to_vec();
        while all.len() < trials
            && let Some(rung) = next(&all, 1.0)
        {
            order.push(rung);
            all.push(rehearse(rung));
            all.sort_by_key(|tried| tried.rung);
        }
        (order, conclude(&all, 1.0, longer, 1000))
    }

    #[test]
    fn the_search_goes_to_the_lowest_loss() {
        // ln loss = (x − 4)²/10 − 3 over the rung.
        let loss = |rung: i32| Some((0.1 * f64::from((rung - 4).pow(2)) - 3.0).exp());
        let (order, found) = search(loss, 6, 1.0);
        assert_eq!(order, [0, -3, 3, 6, 4, 5]);
        let Conclusion::Better { rate, factors, .. } = found else { panic!("{found:?}") };
        // The lowest point of the parabola itself, drawn back.
        let wanted = RUNG.powf(4.0 * (1.0 - PULL));
        assert!((rate / wanted - 1.0).abs() < 1e-9, "{rate}, not {wanted}");
        let product = RUNG.powi(4) * factors.iter().product::<f64>();
        assert!((product / rate - 1.0).abs() < 1e-9, "{factors:?}");
        // A run that is 100 times as long as a rehearsal: 100^(−0.15 · 0.75).
        let Conclusion::Better { rate: longer, .. } = search(loss, 6, 100.0).1 else { panic!() };
        assert!((longer / rate - 0.5957).abs() < 1e-4, "{}", longer / rate);
    }

    #[test]
    fn rates_that_blow_up_are_left_below() {
        let (order, found) = search(|rung| (rung <= -5).then(|| 0.2 - 0.01 * f64::from(rung)), 6, 1.0);
        assert_eq!(order, [0, -3, 3, -6, -9, -7]);
        let Conclusion::Better { rate, lead: None, .. } = found else { panic!("{found:?}") };
        assert!(rate < RUNG.powf(-3.0) && rate > RUNG.powf(-6.0), "{rate}");
        let lowest = RUNG.powi(-15);
        assert_eq!(search(|_| None, 6, 1.0).1, Conclusion::Diverged { rate: lowest });
    }

    #[test]
    fn what_is_all_the_same_is_the_usual_rate() {
        assert_eq!(search(|_| Some(0.7), 6, 30.0).1, Conclusion::Usual { lead: None });
        assert_eq!(search(|_| Some(1.0), 6, 30.0).1, Conclusion::NothingLearned);
        // Losses of nearly nothing are the same too.
        let nothing = |rung: i32| Some(1e-6 * f64::from(10 - rung));
        assert_eq!(search(nothing, 6, 30.0).1, Conclusion::Usual { lead: None });
    }

    #[test]
    fn another_rate_must_lead_by_more_than_the_noise() {
        let usual = [0.5, 0.7, 0.6, 0.6];
        // Lower by 0.1 in the mean, with a standard error of 0.02: the same rows are compared.
        let clear = tried(3, &[0.4, 0.6, 0.45, 0.55]);
        let found = conclude(&[tried(-3, &[0.9; 4]), tried(0, &usual), clear], 1.0, 1.0, 1000);
        let Conclusion::Better { lead: Some(lead), .. } = found else { panic!("{found:?}") };
        assert!((lead.mean - 0.1).abs() < 1e-12 && (lead.error - 0.02041).abs() < 1e-5, "{lead:?}");
        // The same mean, by one lucky group.
        let lucky = tried(3, &[0.6, 0.8, 0.65, -0.05]);
        let found = conclude(&[tried(-3, &[0.9; 4]), tried(0, &usual), lucky], 1.0, 1.0, 1000);
        assert!(matches!(found, Conclusion::Usual { lead: Some(_) }), "{found:?}");
    }

    #[test]
    fn few_rows_draw_a_higher_rate_back_and_a_lower_one_no_further() {
        let rate = |better: i32, rows| {
            let all = [-6, -3, 0, 3, 6].map(|rung| tried(rung, &[if rung == better { 0.1 } else { 0.5 }; 2]));
            match conclude(&all, 1.0, 1.0, rows) {
                Conclusion::Better { rate, .. } => rate,
                other => panic!("{other:?}"),
            }
        };
        assert!((rate(3, 150) / RUNG.powf(3.0 * 0.5) - 1.0).abs() < 1e-9);
        assert!((rate(3, 30) / RUNG.powf(3.0 * 30.0 / 180.0) - 1.0).abs() < 1e-9);
        assert_eq!(rate(3, 450), rate(3, 100_000));
        assert_eq!(rate(-3, 30), rate(-3, 100_000));
    }

    #[test]
    fn the_band_is_of_rates_that_were_rehearsed() {
        let all = [tried(-3, &[0.9]), tried(0, &[0.52]), tried(1, &[0.5]), tried(3, &[0.54]), tried(6, &[])];
        assert_eq!(band(&all, 1.0), Some([0, 3]));
        assert_eq!(band(&[tried(0, &[])], 1.0), None);
    }
}
