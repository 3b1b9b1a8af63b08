//! What each threshold on a probability comes to.

use crate::error::Error;

/// Every threshold that tells rows apart by their score, with what it finds: rows whose score is at least the
/// threshold are predicted to be of the class.
///
/// ```
/// use downhill_nn::metric::Thresholds;
///
/// let thresholds = Thresholds::of(&[0.9, 0.8, 0.4, 0.1], &[true, false, true, false])?;
/// let roc: Vec<(f64, f64)> = thresholds.roc().collect();
/// assert_eq!(roc, [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)]);
/// // If to miss one costs five times as much as a false alarm, both are to be found.
/// let (best, cost) = thresholds.cheapest(1.0, 5.0);
/// assert!((best.threshold - 0.4).abs() < 1e-6 && cost == 0.25);
/// # Ok::<(), downhill_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds {
    positives: u64,
    negatives: u64,
    points: Vec<Threshold>,
}

/// What one threshold finds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Rows of this score and above are predicted to be of the class; infinite for none.
    pub threshold: f64,
    /// Rows predicted so that are so.
    pub true_positives: u64,
    /// Rows predicted so that are not.
    pub false_positives: u64,
}

impl Thresholds {
    /// From the score of each row, and whether it is of the class.
    ///
    /// # Errors
    ///
    /// If there are not as many of both, a score is not a number, or the rows are all of the class, or none.
    pub fn of(scores: &[f32], is_of: &[bool]) -> Result<Self, Error> {
        if scores.len() != is_of.len() {
            return Err(Error::Data(format!("{} scores do not go with {} rows", scores.len(), is_of.len())));
        }
        if scores.iter().any(|score| score.is_nan()) {
            return Err(Error::Data("a score is not a number".into()));
        }
        let positives = is_of.iter().filter(|is_of| **is_of).count() as u64;
        let negatives = is_of.len() as u64 - positives;
        if positives == 0 || negatives == 0 {
            return Err(Error::Data("thresholds need rows of the class and others".into()));
        }
        let mut rows: Vec<(f32, bool)> = scores.iter().copied().zip(is_of.iter().copied()).collect();
        rows.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
        let (mut true_positives, mut false_positives) = (0, 0);
        let mut points = vec![Threshold { threshold: f64::INFINITY, true_positives, false_positives }];
        for tied in rows.chunk_by(|a, b| a.0 == b.0) {
            let found = tied.iter().filter(|row| row.1).count() as u64;
            true_positives += found;
            false_positives += tied.len() as u64 - found;
            points.push(Threshold { threshold: f64::from(tied[0].0), true_positives, false_positives });
        }
        Ok(Self { positives, negatives, points })
    }

    /// All thresholds, from the highest on: at first nothing is predicted to be of the class, at last all is.
    pub fn points(&self) -> &[Threshold] {
        &self.points
    }

    /// The share of rows that are of the class.
    pub fn prevalence(&self) -> f64 {
        self.positives as f64 / (self.positives + self.negatives) as f64
    }

    /// The receiver operating characteristic: of each threshold, the share of the others that is predicted to
    /// be of the class, and the share of the class that is.
    pub fn roc(&self) -> impl Iterator<Item = (f64, f64)> {
        let share = |part: u64, of: u64| part as f64 / of as f64;
        let point = move |point: &Threshold| {
            (share(point.false_positives, self.negatives), share(point.true_positives, self.positives))
        };
        self.points.iter().map(point)
    }

    /// Of each threshold that something is predicted by, the share of the class that is found (recall), and
    /// the share of what is predicted that is so (precision).
    pub fn precision_recall(&self) -> impl Iterator<Item = (f64, f64)> {
        let point = |point: &Threshold| {
            let found = point.true_positives as f64;
            let predicted = (point.true_positives + point.false_positives) as f64;
            (found / self.positives as f64, found / predicted)
        };
        self.points.iter().skip(1).map(point)
    }

    /// The mean precision, each threshold's weighed by the recall that it adds.
    pub fn average_precision(&self) -> f64 {
        let mut before = 0.0;
        let gain =
            |(recall, precision): (f64, f64)| (recall - std::mem::replace(&mut before, recall)) * precision;
        self.precision_recall().map(gain).sum()
    }

    /// What a threshold costs a row, on average, if a row that is falsely predicted to be of the class costs
    /// `false_positive`, and one that is missed `false_negative`.
    pub fn cost(&self, point: &Threshold, false_positive: f64, false_negative: f64) -> f64 {
        let missed = (self.positives - point.true_positives) as f64;
        let all = (self.positives + self.negatives) as f64;
        (point.false_positives as f64 * false_positive + missed * false_negative) / all
    }

    /// The threshold that costs least, the highest of several, and its cost.
    pub fn cheapest(&self, false_positive: f64, false_negative: f64) -> (Threshold, f64) {
        let costs =
            self.points.iter().map(|point| (*point, self.cost(point, false_positive, false_negative)));
        let cheaper =
            |best: (Threshold, f64), next: (Threshold, f64)| if next.1 < best.1 { next } else { best };
        // There is always the first.
        costs.reduce(cheaper).unwrap_or((self.points[0], f64::NAN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_kind_have_no_thresholds() {
        for (scores, is_of) in [(&[0.5][..], &[true][..]), (&[0.5], &[false]), (&[], &[]), (&[0.5], &[])] {
            assert!(Thresholds::of(scores, is_of).is_err());
        }
        assert!(Thresholds::of(&[f32::NAN, 0.1], &[true, false]).is_err());
    }

    #[test]
    fn tied_scores_are_one_threshold() {
        let thresholds = Thresholds::of(&[0.5, 0.5, 0.5], &[true, false, false]).unwrap();
        assert_eq!(thresholds.points().len(), 2);
        assert!((thresholds.average_precision() - 1.0 / 3.0).abs() < 1e-12);
        // To predict nothing costs the one that is missed.
        let (best, cost) = thresholds.cheapest(1.0, 1.0);
        assert_eq!((best.threshold, cost), (f64::INFINITY, 1.0 / 3.0));
    }
}
