//! The axes of a chart: which values they reach over, where those come to lie, and the values named along
//! them.

use crate::Lang;
use crate::number::plain;

/// Beyond this, differences between values are no numbers any more.
const LARGEST: f64 = 1e300;

/// An axis of a [`Chart`](crate::Chart).
///
/// It reaches over the values that are there, and is linear unless asked to be logarithmic.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Axis {
    label: String,
    log: bool,
    whole: bool,
    within: (f64, f64),
}

impl Axis {
    /// An axis of which `label` says what it shows, in which unit.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), log: false, whole: false, within: (f64::NEG_INFINITY, f64::INFINITY) }
    }

    /// Makes it logarithmic, or not. Values that are not positive are left out of a chart with such an axis.
    pub fn log(mut self, log: bool) -> Self {
        self.log = log;
        self
    }

    /// Names whole values only, as is right for counts.
    pub fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Ends it at `low` and `high` at the latest: lines that go further leave the chart. `low` is to be below
    /// `high`.
    pub fn within(mut self, low: f64, high: f64) -> Self {
        self.within = (low, high);
        self
    }

    /// What it shows, and how.
    pub(crate) fn label(&self, lang: Lang) -> String {
        if self.log { format!("{}, {}", self.label, lang.said("log scale")) } else { self.label.clone() }
    }

    /// Whether it can show a value.
    pub(crate) fn shows(&self, value: f64) -> bool {
        value.abs() <= LARGEST && (!self.log || value >= f64::MIN_POSITIVE)
    }

    /// The axis over these values; `room` is the share of their span that is left free at either end.
    pub(crate) fn over(&self, values: impl Iterator<Item = f64>, room: f64) -> Range {
        let (low, high) = self.within;
        let inside =
            |value: f64| Some(value.max(low).min(high)).filter(|&end| self.shows(end)).unwrap_or(value);
        let ends = values.filter(|&value| self.shows(value)).map(inside).fold(
            None,
            |ends: Option<(f64, f64)>, value| {
                Some(ends.map_or((value, value), |(least, most)| (least.min(value), most.max(value))))
            },
        );
        let (least, most) = ends.unwrap_or(if self.log { (0.1, 1.0) } else { (0.0, 1.0) });
        if self.log {
            let (from, to) = (least.log10(), most.log10());
            let margin = if to - from < 0.5 { 0.25 } else { room * (to - from) };
            return self.between(from - margin, to + margin);
        }
        // Room does not lead below zero, or past the ends that were asked for.
        let margin = room * (most - least);
        let from = (least - margin).max(low).max(if least >= 0.0 { 0.0 } else { f64::NEG_INFINITY });
        let to = (most + margin).min(high);
        let size = least.abs().max(most.abs());
        if to - from <= (1e-9 * size).max(1e-290) {
            // All the same, or as good as: the value is in the middle of an axis.
            let margin = if self.whole { (1e-6 * size).max(0.5) } else { 0.1 * size };
            let margin = if margin < 1e-280 { 1.0 } else { margin };
            return self.between(least - margin, most + margin);
        }
        self.between(from, to)
    }

    fn between(&self, from: f64, to: f64) -> Range {
        Range { from, to, log: self.log, whole: self.whole }
    }
}

/// An axis that knows its ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Range {
    /// Its ends, or their decimal logarithms.
    from: f64,
    to: f64,
    log: bool,
    whole: bool,
}

impl Range {
    /// Where a value lies, 0 being the axis' one end and 1 the other.
    pub fn share(&self, value: f64) -> f64 {
        let value = if self.log { value.log10() } else { value };
        (value - self.from) / (self.to - self.from)
    }

    /// About `count` values to name along the axis, each with its text.
    pub fn ticks(&self, count: usize) -> Vec<(f64, String)> {
        let inside = |value: &f64| (-1e-9..=1.0 + 1e-9).contains(&self.share(*value));
        self.round(count as f64).into_iter().filter(inside).map(|value| (value, plain(value))).collect()
    }

    /// About `count` round values on the axis, and perhaps some beyond its ends.
    fn round(&self, count: f64) -> Vec<f64> {
        let span = self.to - self.from;
        if self.log && span < 1.0 {
            let (from, to) = (10f64.powf(self.from), 10f64.powf(self.to));
            return multiples(from, to, nice((to - from) / count)).collect();
        }
        if self.log {
            // Powers of ten, with some between them where there are few.
            let digits: &[f64] = match span {
                _ if span > 4.0 => &[1.0],
                _ if span > 1.5 => &[1.0, 3.0],
                _ => &[1.0, 2.0, 5.0],
            };
            let powers = multiples(self.from.floor(), self.to, ((span / (1.2 * count)).ceil(), 0));
            let values =
                |power| digits.iter().filter_map(move |digit| format!("{digit}e{power}").parse::<f64>().ok());
            return powers.flat_map(values).collect();
        }
        let step = if self.whole && span < count { (1.0, 0) } else { nice(span / count) };
        multiples(self.from, self.to, step).collect()
    }
}

/// The smallest of 1, 2 and 5 times a power of ten that is not much below `value`: the digit and the power.
fn nice(value: f64) -> (f64, i32) {
    let power = value.log10().floor();
    let digit = value / 10f64.powf(power);
    match [1.0, 2.0, 5.0].into_iter().find(|&nice| digit <= 1.2 * nice) {
        Some(digit) => (digit, power as i32),
        None => (1.0, power as i32 + 1),
    }
}

/// The multiples of a step, a digit times a power of ten, from `from` to `to`; a hundred at most.
fn multiples(from: f64, to: f64, (digit, power): (f64, i32)) -> impl Iterator<Item = f64> {
    let step = digit * 10f64.powi(power);
    let first = (from / step - 1e-9).ceil();
    let count = ((to / step + 1e-9).floor() - first + 1.0).clamp(0.0, 100.0) as usize;
    // Read from text, for multiplying would round: 3 · 0.1 is 0.30000000000000004.
    (0..count).filter_map(move |index| format!("{}e{power}", (first + index as f64) * digit).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticks(axis: &Axis, values: &[f64], count: usize) -> Vec<String> {
        axis.over(values.iter().copied(), 0.04).ticks(count).into_iter().map(|tick| tick.1).collect()
    }

    #[test]
    fn ticks_are_round_numbers() {
        let axis = Axis::new("loss");
        assert_eq!(ticks(&axis, &[0.0, 1.0], 5), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(ticks(&axis, &[0.11, 0.33], 5), ["0.15", "0.2", "0.25", "0.3"]);
        assert_eq!(ticks(&axis, &[-300.0, 120.0], 5), ["-300", "-200", "-100", "0", "100"]);
        assert_eq!(ticks(&axis, &[0.0, 3e-5], 5), ["0", "1e-5", "2e-5", "3e-5"]);
        assert_eq!(ticks(&axis, &[0.0, 3e7], 3), ["0", "1e7", "2e7", "3e7"]);
    }

    #[test]
    fn a_single_value_lies_in_the_middle() {
        for value in [5.0, 0.0, -2.0, 1e-300, 1e300, f64::from_bits(1), 1e16] {
            let range = Axis::new("x").over([value, value].into_iter(), 0.04);
            assert!((range.share(value) - 0.5).abs() < 1e-6, "{value}: {range:?}");
            assert!(!range.ticks(5).is_empty(), "{value}");
        }
        let range = Axis::new("epoch").whole().over([1.0].into_iter(), 0.0);
        assert_eq!(range.ticks(5), [(1.0, "1".to_string())]);
    }

    #[test]
    fn whole_numbers_stay_whole() {
        let axis = Axis::new("epoch").whole();
        assert_eq!(ticks(&axis, &[1.0, 2.0, 3.0], 6), ["1", "2", "3"]);
        assert_eq!(ticks(&axis, &[1.0, 60.0], 6), ["0", "10", "20", "30", "40", "50", "60"]);
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_where_there_are_enough() {
        let axis = Axis::new("rate").log(true);
        assert_eq!(ticks(&axis, &[1e-4, 1.0], 5), ["1e-4", "0.001", "0.01", "0.1", "1"]);
        assert_eq!(ticks(&axis, &[0.01, 0.9], 5), ["0.01", "0.03", "0.1", "0.3", "1"]);
        assert_eq!(ticks(&axis, &[0.01, 0.2], 5), ["0.01", "0.02", "0.05", "0.1", "0.2"]);
        assert_eq!(ticks(&axis, &[1e-200, 1e200], 4).len(), 5);
        assert!(ticks(&axis, &[0.11, 0.12], 5).len() >= 3);
        assert!(!axis.shows(0.0) && !axis.shows(-1.0) && !axis.shows(f64::NAN));
    }

    #[test]
    fn an_axis_ends_where_it_is_told_to() {
        let axis = Axis::new("accuracy").within(0.0, 100.0);
        let range = axis.over([0.0, 100.0].into_iter(), 0.04);
        assert_eq!((range.share(0.0), range.share(100.0)), (0.0, 1.0));
        let range = Axis::new("R²").within(-1.0, 1.0).over([-50.0, 0.5].into_iter(), 0.0);
        assert_eq!(range.share(-1.0), 0.0);
    }
}
