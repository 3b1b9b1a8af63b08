//! What can be read off the curve of a range test.

/// A moving average of losses, corrected for starting at zero: the nth is Σ βⁿ⁻ⁱ·xᵢ / Σ βⁿ⁻ⁱ.
///
/// It forgets over a twentieth of the curve: β = 1 − 20/n, within 0.5 and 0.98. Fastai and Keras-era finders
/// take 0.98 or 0.95 for any length, which on a short curve moves everything to the right. The correction is
/// Adam's (Kingma and Ba, 2015, section 3).
pub fn smooth(losses: &[f64]) -> Vec<f64> {
    let beta = beta(losses.len());
    let mut average = Average::default();
    losses.iter().map(|&loss| average.take(loss, beta)).collect()
}

/// How much of the past is kept at each step of a curve of so many points.
pub fn beta(points: usize) -> f64 {
    (1.0 - 20.0 / points.max(1) as f64).clamp(0.5, 0.98)
}

/// A moving average that is corrected for starting at zero.
#[derive(Default)]
pub struct Average {
    sum: f64,
    weight: f64,
}

impl Average {
    /// The average with one more value.
    pub fn take(&mut self, value: f64, beta: f64) -> f64 {
        self.sum = beta * self.sum + (1.0 - beta) * value;
        self.weight = beta * self.weight + (1.0 - beta);
        self.sum / self.weight
    }
}

/// The place of the lowest of some numbers.
pub fn lowest(values: &[f64]) -> usize {
    (0..values.len()).min_by(|&a, &b| values[a].total_cmp(&values[b])).unwrap_or(0)
}

/// Where a curve over evenly spaced logarithms of the rate falls fastest, up to its lowest point: Smith,
/// "Cyclical Learning Rates for Training Neural Networks" (2015), as Gugger and fastai read it (`steep`).
/// Differences are central but at the ends, as NumPy's `gradient`. None if it never falls.
pub fn steepest(smoothed: &[f64]) -> Option<usize> {
    let last = smoothed.len().checked_sub(1)?;
    let end = lowest(smoothed) + 1;
    let slope = |i: usize| {
        let (before, after) = (i.saturating_sub(1), (i + 1).min(last));
        (smoothed[after] - smoothed[before]) / (after - before).max(1) as f64
    };
    (0..end).min_by(|&a, &b| slope(a).total_cmp(&slope(b))).filter(|&i| slope(i) < 0.0)
}

/// Fastai's `valley` (Mullis, 2021): half of the way along the longest falling subsequence, by its first and
/// last place as fastai counts them. None if nothing falls.
pub fn valley(smoothed: &[f64]) -> Option<usize> {
    let mut lengths = vec![1usize; smoothed.len()];
    let mut end = 0;
    for i in 1..smoothed.len() {
        for j in 0..i {
            if smoothed[i] < smoothed[j] {
                lengths[i] = lengths[i].max(lengths[j] + 1);
            }
        }
        if lengths[i] > lengths[end] {
            end = i;
        }
    }
    let longest = *lengths.get(end)?;
    let start = (end + 1).checked_sub(longest)?;
    // Fastai begins one place before the number of points would, and takes a third and a sixth, both rounded
    // down.
    let sections = (end - start.saturating_sub(1)) as f64 / 3.0;
    (longest > 1).then(|| start.saturating_sub(1) + sections as usize + (sections / 2.0) as usize)
}

/// Where a curve leaves for good what it began with, after its lowest point: from there on it is a tenth
/// above its first point. None if it does not.
pub fn divergence(smoothed: &[f64]) -> Option<usize> {
    let limit = 1.1 * smoothed.first()?;
    let after = lowest(smoothed);
    let last_well = (after..smoothed.len()).rev().find(|&i| smoothed[i] <= limit)?;
    (last_well + 1 < smoothed.len()).then_some(last_well + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn smoothing_is_a_weighted_mean() {
        // Nothing is pulled to zero at the start.
        assert!(smooth(&[3.0; 50]).iter().all(|value| (value - 3.0).abs() < 1e-14));
        let smoothed = smooth(&[1.0, 0.0, 0.0, 0.0]); // β is 0.5: 1, 1/3, 1/7, 1/15
        for (value, wanted) in smoothed.iter().zip([1.0, 1.0 / 3.0, 1.0 / 7.0, 1.0 / 15.0]) {
            assert!((value - wanted).abs() < 1e-15);
        }
        assert_eq!((beta(10), beta(200), beta(100_000)), (0.5, 0.9, 0.98));
    }

    #[test]
    fn points_of_a_parabola_and_of_a_sigmoid() {
        // The slope of −1/(1 + e^−x) is steepest at x = 0.
        let sigmoid: Vec<f64> = (-50..=50).map(|i| -1.0 / (1.0 + (-0.2 * f64::from(i)).exp())).collect();
        assert_eq!(steepest(&sigmoid), Some(50));
        // A parabola falls fastest at its left end, and is back at 1.1 of that as far beyond the middle.
        let parabola: Vec<f64> = (-50..=60).map(|i| f64::from(i * i)).collect();
        assert_eq!((steepest(&parabola), lowest(&parabola)), (Some(0), 50));
        // 52² is below 1.1 · 50², 53² above.
        assert_eq!(divergence(&parabola), Some(50 + 53));
    }

    #[test]
    fn the_valley_is_half_way_down() {
        // By fastai's own function: flat, then 40 points that fall, then a rise.
        let curve: Vec<f64> = (0..100)
            .map(|i| match i {
                0..30 => 2.0,
                30..70 => 2.0 - f64::from(i - 29) / 20.0,
                _ => f64::from(i),
            })
            .collect();
        // The longest subsequence has 41 points and ends at 69, so it begins at 28 for fastai: 28 + 13 + 6.
        assert_eq!(valley(&curve), Some(47));
    }

    #[test]
    fn curves_without_points_have_none() {
        for curve in [&[][..], &[1.0], &[1.0, 1.0, 1.0], &[1.0, 2.0, 3.0]] {
            assert_eq!((steepest(curve), valley(curve)), (None, None), "{curve:?}");
        }
        assert_eq!(divergence(&[]), None);
        assert_eq!(divergence(&[1.0, 0.5, 1.0]), None);
        assert_eq!(divergence(&[1.0, 0.5, 9.0, 0.7, 1.2]), Some(4));
    }
}
