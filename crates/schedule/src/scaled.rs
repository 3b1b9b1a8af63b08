//! The same schedule at other rates.

use super::Schedule;

impl Schedule {
    /// The same schedule with all its rates multiplied by `by`; lengths, and the momentum if it moves that,
    /// stay.
    ///
    /// ```
    /// use downhill_schedule::Schedule;
    ///
    /// let schedule: Schedule = "warmup(5%, then=linear(0.5, end=0.25))".parse()?;
    /// assert_eq!(schedule.scaled(2.0), "warmup(5%, then=linear(1, end=0.5))".parse()?);
    /// # Ok::<(), downhill_core::SpecError>(())
    /// ```
    pub fn scaled(mut self, by: f64) -> Self {
        self.scale(by);
        self
    }

    fn scale(&mut self, by: f64) {
        match self {
            Self::Constant(schedule) => schedule.rate *= by,
            Self::InverseTime(schedule) => schedule.initial *= by,
            Self::Exponential(schedule) => schedule.initial *= by,
            Self::InverseSqrt(schedule) => schedule.initial *= by,
            Self::Step(schedule) => schedule.initial *= by,
            Self::Piecewise(schedule) => {
                schedule.initial *= by;
                schedule.rates.iter_mut().for_each(|rate| *rate *= by);
            }
            Self::Linear(schedule) => {
                schedule.initial *= by;
                schedule.end *= by;
            }
            Self::Polynomial(schedule) => {
                schedule.initial *= by;
                schedule.end *= by;
            }
            Self::Cosine(schedule) => {
                schedule.initial *= by;
                schedule.end *= by;
            }
            Self::CosineRestarts(schedule) => {
                schedule.initial *= by;
                schedule.end *= by;
            }
            Self::OneCycle(schedule) => schedule.max *= by,
            Self::Cyclic(schedule) => {
                schedule.low *= by;
                schedule.high *= by;
            }
            Self::Wsd(schedule) => {
                schedule.max *= by;
                schedule.end *= by;
            }
            Self::Noam(schedule) => schedule.factor *= by,
            Self::Warmup(schedule) => schedule.then.scale(by),
            Self::Sequence(schedule) => {
                schedule.first.scale(by);
                schedule.then.scale(by);
            }
        }
    }
}
