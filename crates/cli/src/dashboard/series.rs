//! A figure of a run, step by step, in bounded memory however long the run is.

/// More points than this are not kept; a terminal has not as many dots.
const MOST: usize = 1024;

/// The means of a figure over stretches of steps, all equally long; they are made longer when there are too
/// many.
#[derive(Clone, Debug)]
pub struct Series {
    stretch: u64,
    points: Vec<Point>,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    /// The last step in it.
    step: u64,
    sum: f64,
    count: u64,
}

impl Default for Series {
    /// With all the room it will ever need.
    fn default() -> Self {
        Self { stretch: 1, points: Vec::with_capacity(MOST) }
    }
}

impl Series {
    /// Takes the value at a step, which is none before the last one; what is no finite number is left out.
    /// Allocates nothing.
    pub fn push(&mut self, step: u64, value: f64) {
        if !value.is_finite() {
            return;
        }
        if let Some(last) = self.points.last_mut()
            && last.step / self.stretch == step / self.stretch
        {
            *last = Point { step, sum: last.sum + value, count: last.count + 1 };
            return;
        }
        while self.points.len() == MOST {
            self.merge();
        }
        self.points.push(Point { step, sum: value, count: 1 });
    }

    fn merge(&mut self) {
        self.stretch *= 2;
        let stretch = self.stretch;
        self.points.dedup_by(|next, kept| {
            let same = next.step / stretch == kept.step / stretch;
            if same {
                *kept = Point { step: next.step, sum: kept.sum + next.sum, count: kept.count + next.count };
            }
            same
        });
    }

    /// Forgets what is not before a step.
    pub fn cut(&mut self, step: u64) {
        while self.points.last().is_some_and(|last| last.step >= step) {
            self.points.pop();
        }
    }

    /// The last step there is a value of.
    pub fn last_step(&self) -> Option<u64> {
        self.points.last().map(|point| point.step)
    }

    /// The steps and their means.
    pub fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.points.iter().map(|point| (point.step as f64, point.sum / point.count as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_run_takes_no_more_room_and_keeps_its_means() {
        let mut series = Series::default();
        let room = series.points.capacity();
        for step in 0..1_000_000 {
            series.push(step, step as f64);
        }
        assert_eq!(series.points.capacity(), room);
        assert!((MOST / 2 - 1..=MOST).contains(&series.points.len()));
        let (step, mean) = series.points().nth(3).unwrap();
        assert_eq!(step, 4.0 * 1024.0 - 1.0);
        assert_eq!(mean, 3.5 * 1024.0 - 0.5);
    }

    #[test]
    fn far_apart_steps_are_merged_until_there_is_room() {
        let mut series = Series::default();
        for step in 0..3 * MOST as u64 {
            series.push(step * 1_000_000, 1.0);
        }
        assert!(series.points.len() <= MOST);
    }

    #[test]
    fn what_is_gone_back_over_is_forgotten() {
        let mut series = Series::default();
        (0..10).for_each(|step| series.push(step, 1.0));
        series.push(10, f64::NAN);
        series.cut(4);
        assert_eq!(series.last_step(), Some(3));
    }
}
