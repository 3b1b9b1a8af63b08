//! Curves in a part of the screen.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::{Block, Borders, Widget};

use crate::braille::{Canvas, number};
use crate::output;

/// The width of the labels in front of the curves, with the axis.
const LABELS: u16 = 10;

/// When equal ratios, not equal differences, are equally far apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Log {
    Never,
    Always,
    /// If the values differ so much that the low ones could not be told apart.
    IfItHelps,
}

/// A line through points, in order, or a mark at a single one.
#[derive(Clone, Debug)]
pub struct Curve {
    pub points: Vec<(f64, f64)>,
    pub style: Style,
    /// What is put at the last point.
    pub mark: Option<char>,
}

/// Curves against the same axes.
#[derive(Debug)]
pub struct Chart<'a> {
    pub title: Line<'a>,
    /// The ends of the horizontal axis, and what is written there.
    pub across: [f64; 2],
    pub ends: [String; 2],
    pub log: Log,
    pub curves: Vec<Curve>,
    pub faint: Style,
}

/// A vertical axis.
struct Axis {
    low: f64,
    high: f64,
    log: bool,
}

impl Axis {
    /// For these values; none if there is nothing to show.
    fn of(values: impl Iterator<Item = f64> + Clone, log: Log) -> Option<Self> {
        let values = values.filter(|value| value.is_finite());
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let (low, high) = (least(&mut values.clone()), values.clone().fold(f64::NEG_INFINITY, f64::max));
        let above = least(&mut values.filter(|&value| value > 0.0));
        let log = match log {
            Log::Never => false,
            Log::Always => above.is_finite(),
            Log::IfItHelps => low > 0.0 && high > 10.0 * low,
        };
        // A schedule that ends at zero would take all the room.
        let low = if log { above.max(high * 1e-4) } else { low };
        low.is_finite().then_some(Self { low, high, log })
    }

    /// How far up a value is, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.log { value.max(self.low).ln() } else { value };
        let (low, high) = (scale(self.low), scale(self.high));
        if high > low { ((scale(value) - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
    }
}

impl Widget for Chart<'_> {
    fn render(self, area: Rect, buffer: &mut Buffer) {
        let block = Block::new().borders(Borders::TOP).border_style(self.faint).title(self.title);
        let inner = block.inner(area);
        block.render(area, buffer);
        // The lowest row is for the ends of the axis.
        let below = u16::from(inner.height > 2);
        let labels = if inner.width > 2 * LABELS { LABELS } else { 0 };
        let plot =
            Rect { x: inner.x + labels, width: inner.width - labels, height: inner.height - below, ..inner };
        if plot.is_empty() {
            return;
        }
        let values = self.curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
        let Some(axis) = Axis::of(values, self.log) else { return };
        if labels > 0 {
            for row in plot.rows() {
                buffer.set_string(plot.x - 1, row.y, "│", self.faint);
            }
            let mut label = |row, value| {
                let text = format!("{:>1$.1$}", number(value), usize::from(LABELS) - 2);
                buffer.set_string(inner.x, row, text, self.faint);
            };
            label(plot.y, axis.high);
            if plot.height > 1 && axis.high > axis.low {
                label(plot.bottom() - 1, axis.low);
            }
        }
        if below > 0 {
            let [first, last] = &self.ends;
            let room = usize::from(plot.width);
            let gap = room.saturating_sub(output::width_of(first));
            let text = format!("{first}{}", output::right(last, gap));
            buffer.set_stringn(plot.x, plot.bottom(), text, room, self.faint);
        }
        for curve in &self.curves {
            draw(curve, self.across, &axis, plot, buffer);
        }
    }
}

fn draw(curve: &Curve, [first, last]: [f64; 2], axis: &Axis, plot: Rect, buffer: &mut Buffer) {
    let (width, height) = (usize::from(plot.width), usize::from(plot.height));
    let (right, bottom) = ((2 * width - 1) as f64, (4 * height - 1) as f64);
    let place = |(x, y): (f64, f64)| {
        let share = if last > first { (x - first) / (last - first) } else { 0.0 };
        (share.clamp(0.0, 1.0) * right, (1.0 - axis.share(y)) * bottom)
    };
    // As many values as there are columns of dots: the mean of those in the same one.
    let mut places: Vec<(f64, f64, f64)> = Vec::new();
    for (column, row) in curve.points.iter().filter(|point| point.1.is_finite()).map(|&point| place(point)) {
        match places.last_mut() {
            Some((last, sum, count)) if *last == column.round() => {
                (*sum, *count) = (*sum + row, *count + 1.0)
            }
            _ => places.push((column.round(), row, 1.0)),
        }
    }
    let places: Vec<(f64, f64)> = places.iter().map(|&(column, sum, count)| (column, sum / count)).collect();
    let mut canvas = Canvas::new(width, height);
    if let [(column, row)] = places[..] {
        canvas.dot(column as usize, row.round() as usize);
    }
    places.windows(2).for_each(|pair| canvas.line(pair[0], pair[1]));
    for (row, characters) in (plot.y..).zip(canvas.rows()) {
        for (column, character) in (plot.x..).zip(characters).filter(|(_, character)| *character != ' ') {
            let cell = &mut buffer[(column, row)];
            // Dots of another curve stay.
            let there = cell.symbol().chars().next().map_or(0, u32::from);
            let there = if (0x2800..0x2900).contains(&there) { there } else { 0 };
            let both = char::from_u32(u32::from(character) | there).unwrap_or(character);
            cell.set_char(both).set_style(curve.style);
        }
    }
    if let (Some(mark), Some((column, row))) = (curve.mark, places.last()) {
        let at = (plot.x + *column as u16 / 2, plot.y + row.round() as u16 / 4);
        buffer[at].set_char(mark).set_style(curve.style);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(width: u16, height: u16, log: Log, points: &[(f64, f64)]) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        let curve = Curve { points: points.to_vec(), style: Style::new(), mark: None };
        let chart = Chart {
            title: Line::from(" loss "),
            across: [0.0, 10.0],
            ends: ["0".into(), "10".into()],
            log,
            curves: vec![curve],
            faint: Style::new(),
        };
        chart.render(area, &mut buffer);
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(row).collect()
    }

    #[test]
    fn a_fall_by_powers_of_ten_is_straight_on_a_logarithmic_axis() {
        let points: Vec<(f64, f64)> = (0..=10).map(|x| (f64::from(x), 10f64.powi(-x))).collect();
        let drawn = lines(22, 5, Log::Always, &points);
        // Below a ten-thousandth of the highest, it lies on the floor.
        assert_eq!(drawn[0], " loss ────────────────");
        assert_eq!(drawn[1].trim_end(), "       1 │⠱⡀");
        assert_eq!(drawn[2].trim_end(), "         │ ⠈⠢⡄");
        assert_eq!(drawn[3], " 1.00e-4 │   ⠈⢆⣀⣀⣀⣀⣀⣀⣀");
        assert_eq!(drawn[4], "          0         10");
        assert_eq!(lines(22, 5, Log::IfItHelps, &points), drawn);
    }

    #[test]
    fn little_room_and_strange_values_do_no_harm() {
        let points =
            [(0.0, f64::NAN), (1.0, f64::INFINITY), (2.0, 0.0), (3.0, 1.0), (4.0, -1.0), (20.0, 1e300)];
        for (width, height) in [(0, 0), (1, 1), (3, 2), (10, 3), (21, 3), (30, 10)] {
            for points in [&points[..], &points[..1], &points[2..3], &[]] {
                lines(width, height, Log::Always, points);
                lines(width, height, Log::IfItHelps, points);
            }
        }
    }
}
