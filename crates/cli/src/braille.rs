//! Lines in a terminal, drawn with the dots of Braille characters.

use downhill_report::segment_within;

use crate::output;

/// What a curve is drawn against.
#[derive(Clone, Copy)]
pub struct Frame {
    /// The lowest and the highest value.
    pub range: (f64, f64),
    /// Whether equal ratios, not equal differences, are equally far apart.
    pub log: bool,
    /// Characters across and down, without the labels.
    pub size: (usize, usize),
}

/// The width of the labels in front of a curve.
const LABEL: usize = 9;

/// The dots of a Braille character, by row and column.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// A field of dots, two across and four down in each character.
pub struct Canvas {
    width: usize,
    cells: Vec<u32>,
}

impl Canvas {
    /// An empty canvas, its size in characters across and down.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, cells: vec![0; width * height] }
    }

    /// Makes a dot, counted from the upper left corner; outside there are none.
    pub fn dot(&mut self, column: usize, row: usize) {
        if column < 2 * self.width && row / 4 < self.cells.len() / self.width {
            self.cells[row / 4 * self.width + column / 2] |= DOTS[row % 4][column % 2];
        }
    }

    /// Makes what is inside of a straight line between two places, counted in dots from the upper left
    /// corner.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let (right, bottom) = ((2 * self.width - 1) as f64, (4 * self.cells.len() / self.width - 1) as f64);
        let Some((from, to)) = segment_within(from, to, (0.0, right), (0.0, bottom)) else { return };
        let (wide, high) = (to.0 - from.0, to.1 - from.1);
        let count = wide.abs().max(high.abs()).ceil().max(1.0);
        for step in 0..=count as usize {
            let share = step as f64 / count;
            self.dot((from.0 + wide * share).round() as usize, (from.1 + high * share).round() as usize);
        }
    }

    /// The characters, row by row; those without a dot are spaces.
    pub fn rows(&self) -> impl Iterator<Item = Vec<char>> {
        let character =
            |&dots: &u32| if dots == 0 { ' ' } else { char::from_u32(0x2800 + dots).unwrap_or(' ') };
        self.cells.chunks(self.width).map(move |row| row.iter().map(character).collect())
    }
}

/// The curve through `values`, evenly spaced from left to right, with the range written in front of it and
/// `first` and `last` below it.
pub fn curve(values: &[f64], frame: Frame, first: &str, last: &str) -> String {
    let Frame { range: (low, high), log, size: (width, height) } = frame;
    let scale = |value: f64| if log { value.ln() } else { value };
    let (bottom, top) = (scale(low), scale(high));
    let dot = |value: f64| -> Option<usize> {
        let share = if top > bottom { (scale(value) - bottom) / (top - bottom) } else { 0.5 };
        // A zero has no place on a logarithmic axis.
        share.is_finite().then(|| ((1.0 - share.clamp(0.0, 1.0)) * (4 * height - 1) as f64).round() as usize)
    };
    let mut canvas = Canvas::new(width, height);
    let mut before = None;
    for column in 0..2 * width {
        let at = column * (values.len() - 1) / (2 * width - 1).max(1);
        let here = dot(values[at]);
        if let Some(here) = here {
            // A jump is drawn as a line, from behind the dot before it.
            let from = match before {
                Some(before) if before < here => before + 1,
                Some(before) if before > here => before - 1,
                _ => here,
            };
            for row in from.min(here)..=from.max(here) {
                canvas.dot(column, row);
            }
        }
        before = here;
    }
    let mut text = String::new();
    for (row, line) in canvas.rows().enumerate() {
        let label = match row {
            0 => number(high),
            _ if row + 1 == height => number(low),
            _ => String::new(),
        };
        let dots: String = line.into_iter().collect();
        text += &format!("{label:>LABEL$} │{}\n", dots.trim_end());
    }
    text += &format!("{:>LABEL$} └{}\n", "", "─".repeat(width));
    let gap = width.saturating_sub(output::width_of(last));
    text + &format!("{:>LABEL$}  {}{last}\n", "", output::left(first, gap))
}

/// A number in few characters.
pub fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        1e-3..1e4 => format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').into(),
        _ => format!("{value:.2e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(values: &[f64], log: bool) -> Vec<String> {
        let frame = Frame { range: (1.0, 4.0), log, size: (2, 1) };
        curve(values, frame, "a", "b").lines().map(str::to_string).collect()
    }

    #[test]
    fn a_line_goes_from_corner_to_corner() {
        // Four columns of dots and four rows: a falling diagonal.
        assert_eq!(drawn(&[4.0, 3.0, 2.0, 1.0], false)[0], "        4 │⠑⢄");
        assert_eq!(drawn(&[1.0, 2.0, 3.0, 4.0], false)[0], "        4 │⡠⠊");
        assert_eq!(drawn(&[4.0, 4.0, 4.0, 4.0], false)[0], "        4 │⠉⠉");
    }

    #[test]
    fn jumps_are_joined_and_zeros_on_a_log_axis_left_out() {
        assert_eq!(drawn(&[4.0, 4.0, 1.0, 1.0], false)[0], "        4 │⠉⣆");
        assert_eq!(drawn(&[4.0, 4.0, 0.0, 0.0], true)[0], "        4 │⠉");
    }
}
