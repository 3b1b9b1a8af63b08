//! Ways over a surface in a terminal: a panel for each, side by side, as colours alone would not tell them
//! apart.

use downhill_report::Ground;

use super::Picture;
use super::trajectory::Trajectory;
use crate::braille::{Canvas, number};
use crate::output;

/// The narrowest panel that can be read, with its labels.
const NARROWEST: usize = 38;
/// The widest one; what is wider is no clearer.
const WIDEST: usize = 100;
/// Spaces between panels.
const GAP: usize = 2;
/// Which of the contour lines have room in a terminal.
const EVERY_LINE: usize = 3;

/// A character of the inside of a panel, and whether it is of the ground.
type Cell = (char, bool);

/// All panels, as lines of at most `width` characters.
pub fn text(picture: &Picture<'_>, width: usize, coloured: bool) -> String {
    let count = picture.entrants.len();
    let mut across = ((width + GAP) / (NARROWEST + GAP)).clamp(1, count);
    // Four are two and two rather than three and one.
    across = count.div_ceil(count.div_ceil(across));
    let wide = ((width + GAP) / across - GAP).min(WIDEST);
    let mut text = String::new();
    for row in picture.entrants.chunks(across) {
        let panels: Vec<Vec<String>> = row
            .iter()
            .map(|one| panel(picture, &one.name(output::lang()), &one.trajectory, wide, coloured))
            .collect();
        for line in 0..panels[0].len() {
            let parts: Vec<&str> = panels.iter().map(|panel| panel[line].as_str()).collect();
            text += parts.join(&" ".repeat(GAP)).trim_end();
            text.push('\n');
        }
    }
    let ground = match &picture.ground {
        Ground::Contours(_) => format!("· contour lines of {}   ", picture.surface.text),
        Ground::Curve { .. } => "1–9 the first steps   ".into(),
    };
    text + &format!("{}\n\n", output::said(&format!("{ground}○ start   ● end")))
}

/// One panel: lines of `wide` characters, not counting colours.
fn panel(
    picture: &Picture<'_>,
    name: &str,
    trajectory: &Trajectory,
    wide: usize,
    coloured: bool,
) -> Vec<String> {
    let [x, y] = [picture.ends[0], picture.ends[1]];
    let [x_name, y_name] = picture.labels();
    let y_name =
        if picture.surface.variables.len() == 2 { y_name } else { output::said("value").into_owned() };
    let y_name: String = y_name.chars().take(wide / 3).collect();
    let label = [number(y.0), number(y.1), y_name.clone()]
        .iter()
        .map(|text| output::width_of(text))
        .max()
        .unwrap_or(0);
    let inside = wide - label - 2;
    let high = (inside / 4).clamp(9, 20);
    let cells = cells(picture, trajectory, (inside, high));

    let mut name: String = name.to_string();
    if output::width_of(&name) > wide {
        while output::width_of(&name) >= wide {
            name.pop();
        }
        name.push('…');
    }
    let mut lines = vec![output::left(&name, wide)];
    for (row, line) in cells.into_iter().enumerate() {
        let label_text = match row {
            0 => rounded(y.1),
            _ if row + 1 == high => rounded(y.0),
            _ if row == high / 2 => y_name.clone(),
            _ => String::new(),
        };
        lines.push(format!("{} │{}", output::right(&label_text, label), painted(&line, coloured)));
    }
    let (first, last) = (rounded(x.0), rounded(x.1));
    let between = inside.saturating_sub(first.chars().count() + last.chars().count());
    lines.push(format!("{:>label$} └{}", "", "─".repeat(inside)));
    lines.push(format!("{:>label$}  {first}{x_name:^between$}{last}", ""));
    lines
}

/// The inside of a panel.
fn cells(picture: &Picture<'_>, trajectory: &Trajectory, (inside, high): (usize, usize)) -> Vec<Vec<Cell>> {
    let [x, y] = [picture.ends[0], picture.ends[1]];
    let place = |point: (f64, f64)| {
        let share = |value: f64, ends: (f64, f64)| (value - ends.0) / (ends.1 - ends.0);
        (share(point.0, x) * (2 * inside - 1) as f64, (1.0 - share(point.1, y)) * (4 * high - 1) as f64)
    };
    let mut ground = Canvas::new(inside, high);
    let mut front = Canvas::new(inside, high);
    let join = |canvas: &mut Canvas, points: &[(f64, f64)]| {
        points.windows(2).for_each(|pair| canvas.line(place(pair[0]), place(pair[1])));
    };
    let places = picture.places(trajectory);
    match &picture.ground {
        Ground::Contours(field) => {
            for level in field.levels().into_iter().skip(1).step_by(EVERY_LINE) {
                field.contours(level).iter().for_each(|line| join(&mut ground, line));
            }
            join(&mut front, &places);
        }
        Ground::Curve { points, .. } => join(&mut ground, points),
    }
    let contours = matches!(picture.ground, Ground::Contours(_));
    let cell = |(front, ground): (char, char)| match (front, ground) {
        (' ', ' ') => (' ', true),
        (' ', _) if contours => ('·', true),
        (' ', ground) => (ground, true),
        (front, _) => (front, false),
    };
    let mut cells: Vec<Vec<Cell>> = front
        .rows()
        .zip(ground.rows())
        .map(|(front, ground)| front.into_iter().zip(ground).map(cell).collect())
        .collect();
    let mut mark = |point: (f64, f64), character: char, over: bool| {
        let (column, row) = place(point);
        let inside = (-0.5..2.0 * inside as f64 - 0.5).contains(&column)
            && (-0.5..4.0 * high as f64 - 0.5).contains(&row);
        if inside {
            let cell = &mut cells[row.round().max(0.0) as usize / 4][column.round().max(0.0) as usize / 2];
            if over || cell.1 {
                *cell = (character, false);
            }
        }
    };
    if let [start, steps @ ..] = &places[..] {
        mark(*start, '○', true);
        if let Some(last) = steps.last() {
            mark(*last, '●', true);
        }
        if !contours {
            // The order of the first steps; where there is no room, the earlier one stays.
            for (step, point) in steps.iter().enumerate() {
                mark(
                    *point,
                    char::from_digit(step as u32 + 1, 10).filter(|_| step < 9).unwrap_or('•'),
                    false,
                );
            }
        }
    }
    cells
}

/// A line of cells, the ground dimmed if colours are wanted.
fn painted(line: &[Cell], coloured: bool) -> String {
    let mut text = String::new();
    for stretch in line.chunk_by(|a, b| a.1 == b.1) {
        let characters: String = stretch.iter().map(|cell| cell.0).collect();
        match coloured && stretch[0].1 {
            true => text += &format!("\x1b[2m{characters}\x1b[0m"),
            false => text += &characters,
        }
    }
    text
}

/// A number at the end of an axis, in three digits.
fn rounded(value: f64) -> String {
    number(format!("{value:.2e}").parse().unwrap_or(value))
}
