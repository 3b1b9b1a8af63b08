//! A function of two variables on a grid, and its contour lines.

use std::collections::HashMap;

/// A function of two variables, known at the points of a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    x: (f64, f64),
    y: (f64, f64),
    columns: usize,
    rows: usize,
    /// Row by row, from the lowest y up.
    values: Vec<f64>,
}

/// The shares of the grid that lie below the contour lines: nearly even, so that lines are about as far apart
/// everywhere whatever the function's scale, with more of them in the deepest parts, which are what one looks
/// for.
const BELOW: [f64; 11] = [0.015, 0.04, 0.08, 0.14, 0.22, 0.32, 0.43, 0.55, 0.68, 0.81, 0.93];

/// An edge of the grid: the point it begins at, and whether it goes to the right rather than up.
type Edge = (usize, usize, bool);

impl Field {
    /// Evaluates a function on a grid of `columns` × `rows` points, at least 2 × 2, that reaches from end to
    /// end of the ranges.
    pub fn sample(
        x: (f64, f64),
        y: (f64, f64),
        (columns, rows): (usize, usize),
        function: impl Fn(f64, f64) -> f64,
    ) -> Self {
        let (columns, rows) = (columns.max(2), rows.max(2));
        let mut field = Self { x, y, columns, rows, values: Vec::with_capacity(columns * rows) };
        for row in 0..rows {
            for column in 0..columns {
                let (x, y) = field.place(column as f64, row as f64);
                field.values.push(function(x, y));
            }
        }
        field
    }

    /// The ranges of x and y.
    pub fn ranges(&self) -> [(f64, f64); 2] {
        [self.x, self.y]
    }

    /// The lowest and the highest finite value.
    pub fn extremes(&self) -> Option<(f64, f64)> {
        let finite = || self.values.iter().copied().filter(|value| value.is_finite());
        Some((finite().reduce(f64::min)?, finite().reduce(f64::max)?))
    }

    /// Values to draw contour lines at, rising, such that about equal areas lie between most of them.
    pub fn levels(&self) -> Vec<f64> {
        let mut values: Vec<f64> = self.values.iter().copied().filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let Some(last) = values.len().checked_sub(1) else { return Vec::new() };
        let mut levels: Vec<f64> = BELOW.iter().map(|share| values[(share * last as f64) as usize]).collect();
        // On a plateau there is no line, and the lowest value has no line around it.
        levels.dedup();
        levels.retain(|&level| level > values[0]);
        levels
    }

    /// The lines along which the function has this value, by marching squares: where they cross the edges of
    /// the grid is interpolated, and around points where the function has no finite value there are none.
    pub fn contours(&self, level: f64) -> Vec<Vec<(f64, f64)>> {
        // Each crossed edge is an end of one segment or the joint of two.
        let mut joined: HashMap<Edge, Vec<Edge>> = HashMap::new();
        let mut order = Vec::new();
        for row in 0..self.rows - 1 {
            for column in 0..self.columns - 1 {
                for (a, b) in self.segments(column, row, level) {
                    for (from, to) in [(a, b), (b, a)] {
                        joined.entry(from).or_default().push(to);
                        order.push(from);
                    }
                }
            }
        }
        // Open lines first, from one of their ends; what is left then is closed.
        let ends: Vec<Edge> = order.iter().copied().filter(|edge| joined[edge].len() == 1).collect();
        let mut lines = Vec::new();
        for start in ends.into_iter().chain(order) {
            let mut line = vec![self.crossing(start, level)];
            let mut here = start;
            while let Some(next) = joined.get_mut(&here).and_then(Vec::pop) {
                // Nor is it gone back along.
                let back = joined.entry(next).or_default();
                if let Some(at) = back.iter().position(|edge| *edge == here) {
                    back.swap_remove(at);
                }
                line.push(self.crossing(next, level));
                here = next;
            }
            if line.len() > 1 {
                lines.push(line);
            }
        }
        lines
    }

    /// The pieces of the contour line inside one square of the grid.
    fn segments(&self, column: usize, row: usize, level: f64) -> Vec<(Edge, Edge)> {
        let corners =
            [(0, 0), (1, 0), (1, 1), (0, 1)].map(|(right, up)| self.value(column + right, row + up));
        if !corners.iter().all(|value| value.is_finite()) {
            return Vec::new();
        }
        let above = corners.map(|value| value > level);
        let [bottom, right, top, left] =
            [(column, row, true), (column + 1, row, false), (column, row + 1, true), (column, row, false)];
        let sides = [bottom, right, top, left];
        let crossed: Vec<Edge> =
            (0..4).filter(|&side| above[side] != above[(side + 1) % 4]).map(|side| sides[side]).collect();
        match crossed[..] {
            [a, b] => vec![(a, b)],
            // A saddle: its middle decides which corners belong together.
            [_, _, _, _] => {
                let middle = corners.iter().sum::<f64>() / 4.0 > level;
                if middle == above[0] {
                    vec![(bottom, right), (top, left)]
                } else {
                    vec![(left, bottom), (right, top)]
                }
            }
            _ => Vec::new(),
        }
    }

    fn value(&self, column: usize, row: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// Where an edge is crossed at a level.
    fn crossing(&self, (column, row, right): Edge, level: f64) -> (f64, f64) {
        let (a, b) = (
            self.value(column, row),
            if right { self.value(column + 1, row) } else { self.value(column, row + 1) },
        );
        // Halved, for a difference of two finite numbers need not be finite.
        let share = (level / 2.0 - a / 2.0) / (b / 2.0 - a / 2.0);
        let (column, row) = (column as f64, row as f64);
        if right { self.place(column + share, row) } else { self.place(column, row + share) }
    }

    fn place(&self, column: f64, row: f64) -> (f64, f64) {
        let between = |(from, to): (f64, f64), share: f64| from * (1.0 - share) + to * share;
        (between(self.x, column / (self.columns - 1) as f64), between(self.y, row / (self.rows - 1) as f64))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bowl() -> Field {
        Field::sample((-2.0, 2.0), (-2.0, 2.0), (101, 101), |x, y| x * x + y * y)
    }

    #[test]
    fn a_circle_is_one_closed_line() {
        let lines = bowl().contours(1.0);
        let [line] = &lines[..] else { panic!("{} lines", lines.len()) };
        assert_eq!(line.first(), line.last());
        for (x, y) in line {
            assert!((x.hypot(*y) - 1.0).abs() < 1e-3, "{x}, {y}");
        }
        let around: f64 =
            line.windows(2).map(|pair| (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1)).sum();
        assert!((around - std::f64::consts::TAU).abs() < 0.01, "{around}");
        assert!(bowl().contours(-1.0).is_empty() && bowl().contours(9.0).is_empty());
    }

    #[test]
    fn lines_end_at_the_border_and_around_holes() {
        // Of x·y the line at ½ is two branches.
        let lines = Field::sample((-2.0, 2.0), (-2.0, 2.0), (80, 80), |x, y| x * y).contours(0.5);
        assert_eq!(lines.len(), 2);
        for (x, y) in lines.iter().flat_map(|line| [line.first().unwrap(), line.last().unwrap()]) {
            assert!(x.abs().max(y.abs()) > 2.0 - 1e-9);
        }
        let half = Field::sample((-2.0, 2.0), (-2.0, 2.0), (101, 101), |x, y| (x + y * y).ln());
        assert!(half.contours(0.0).iter().flatten().all(|(x, y)| (x + y * y - 1.0).abs() < 0.05));
    }

    #[test]
    fn levels_rise_and_spread_over_any_scale() {
        let steep = Field::sample((-2.0, 2.0), (-1.0, 3.0), (61, 61), |x, y| {
            (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
        });
        let levels = steep.levels();
        assert!(levels.windows(2).all(|pair| pair[0] < pair[1]), "{levels:?}");
        assert!(levels[0] < 5.0 && *levels.last().unwrap() > 500.0, "{levels:?}");
        assert!(Field::sample((0.0, 1.0), (0.0, 1.0), (9, 9), |_, _| 3.0).levels().is_empty());
        assert!(Field::sample((0.0, 1.0), (0.0, 1.0), (9, 9), |_, _| f64::NAN).levels().is_empty());
    }

    proptest! {
        #[test]
        fn contours_keep_inside_and_have_their_level(
            values in prop::collection::vec(prop_oneof![9 => -5.0..5.0f64, 1 => Just(f64::NAN)], 36),
            level in -5.0..5.0f64,
        ) {
            let field = Field { x: (0.0, 5.0), y: (0.0, 5.0), columns: 6, rows: 6, values };
            for (x, y) in field.contours(level).into_iter().flatten() {
                prop_assert!((0.0..=5.0).contains(&x) && (0.0..=5.0).contains(&y));
                // A crossing lies on an edge, along which the value is linear.
                let value = |x: f64, y: f64| field.value(x as usize, y as usize);
                let (left, right) = (value(x.floor(), y.floor()), value(x.ceil(), y.ceil()));
                let share = x.fract() + y.fract();
                let here = left + (right - left) * share;
                prop_assert!((here - level).abs() < 1e-9, "{} at {}, {}", here, x, y);
            }
        }
    }
}
