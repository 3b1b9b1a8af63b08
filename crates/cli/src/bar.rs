//! A bar in a terminal: a few lines that are drawn again and again in the same place.
//!
//! Between two drawings the cursor stands where the first line begins, and no line is as wide as the window.
//! Whatever a change of the window's size does to the lines, they are all behind the cursor then, if the
//! window has room for them: clearing from there on leaves nothing of them and takes nothing else.

use std::io::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use downhill::optim::excerpt::shortened;
use ratatui::crossterm::cursor::{MoveToColumn, MoveUp};
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::{Clear, ClearType, DisableLineWrap, EnableLineWrap};
use terminal_size::terminal_size_of;

use crate::output;
use crate::progress::{Pace, duration};

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(200);

/// The most columns of the bar itself.
const WIDEST: usize = 32;

/// The bar that the terminal shows. Who draws holds it.
static PLACE: Mutex<Place> = Mutex::new(Place { is_drawn: false, is_left: false });

struct Place {
    is_drawn: bool,
    /// Whether the process is about to end, and nothing is to be drawn.
    is_left: bool,
}

/// What a bar shows.
#[derive(Default)]
pub struct State {
    /// In front of the bar.
    pub prefix: String,
    /// Below it.
    pub message: String,
    /// How much is done, and of how much; no bar is shown as long as that is not known.
    pub position: u64,
    pub length: Option<u64>,
    /// How fast it is done: a bar's own guess would need a quarter of a minute to be one.
    pub pace: Option<Pace>,
}

impl State {
    /// The lines in a window of `columns`, each shorter than that.
    fn lines(&self, columns: usize) -> Vec<String> {
        let room = columns.saturating_sub(1);
        let mut first = self.prefix.clone();
        if let Some(length) = self.length {
            let left = self.pace.and_then(|pace| pace.left(self.position, length, Instant::now()));
            let left =
                left.map_or(String::new(), |left| output::said(&format!(" {} left", duration(left))).into());
            let taken = output::width_of(&first) + output::width_of(&left) + 1;
            let width = WIDEST.min(room.saturating_sub(taken));
            first = [first, drawn(width, self.position, length) + &left].join(" ");
        }
        let lines = [first.trim(), self.message.trim()].into_iter().filter(|line| !line.is_empty());
        lines.map(|line| fitted(line, room)).collect()
    }
}

/// A line in no more columns than these, which has room for fewer characters if they are wide.
fn fitted(line: &str, room: usize) -> String {
    let mut most = room;
    while most > 0 {
        let fits = shortened(line, most);
        if output::width_of(&fits) <= room {
            return fits.into_owned();
        }
        most -= 1;
    }
    String::new()
}

/// The bar alone.
fn drawn(width: usize, position: u64, length: u64) -> String {
    let share = if length == 0 { 1.0 } else { (position as f64 / length as f64).min(1.0) };
    let done = (share * width as f64) as usize;
    let head = usize::from(done < width);
    ["━".repeat(done), "╸".repeat(head), "─".repeat(width - done - head)].concat()
}

/// A bar on standard error; it goes when it is dropped.
pub struct Bar {
    state: Arc<Mutex<State>>,
    stop: Option<Sender<()>>,
    ticker: Option<JoinHandle<()>>,
}

impl Bar {
    pub fn new() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let (stop, stopped) = mpsc::channel();
        let ticking = state.clone();
        let ticker = thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(TICK) {
                let lines = ticking.lock().unwrap_or_else(PoisonError::into_inner).lines(columns());
                draw(&mut PLACE.lock().unwrap_or_else(PoisonError::into_inner), &lines);
            }
        });
        Self { state, stop: Some(stop), ticker: Some(ticker) }
    }

    /// Changes what it shows from the next drawing on.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Writes something above it.
    pub fn above(&self, write: impl FnOnce()) {
        let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
        draw(&mut place, &[]);
        write();
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(ticker) = self.ticker.take() {
            let _ = ticker.join();
        }
        draw(&mut PLACE.lock().unwrap_or_else(PoisonError::into_inner), &[]);
    }
}

/// Takes the bar away that may be there, for good: the process is about to end.
pub fn leave() {
    // Whoever draws may wait for a terminal that is stopped.
    if let Ok(mut place) = PLACE.try_lock() {
        draw(&mut place, &[]);
        place.is_left = true;
    }
}

/// The columns of the window.
fn columns() -> usize {
    terminal_size_of(io::stderr()).map_or(80, |(width, _)| usize::from(width.0))
}

/// Puts lines in place of those that may be there; nobody may be looking.
fn draw(place: &mut Place, lines: &[String]) {
    if place.is_left || lines.is_empty() && !place.is_drawn {
        return;
    }
    // A single line may have become two.
    let rows = if place.is_drawn { lines.len().max(2) } else { lines.len() };
    let mut frame = Vec::new();
    // The window may be narrower already than it says, and a line that is cut keeps to its row.
    let _ = queue!(frame, DisableLineWrap, MoveToColumn(0));
    for row in 0..rows {
        if row > 0 {
            frame.extend(b"\r\n");
        }
        if row == 1 {
            // Not from the first line on: where that is the screen's, some terminals would keep the screen as
            // history.
            let _ = queue!(frame, Clear(ClearType::FromCursorDown));
        }
        frame.extend(lines.get(row).map_or("", String::as_str).bytes());
        let _ = queue!(frame, Clear(ClearType::UntilNewLine));
    }
    if rows > 1 {
        let _ = queue!(frame, MoveUp(rows as u16 - 1));
    }
    let _ = queue!(frame, MoveToColumn(0), EnableLineWrap);
    let mut terminal = io::stderr().lock();
    let _ = terminal.write_all(&frame).and_then(|()| terminal.flush());
    place.is_drawn = !lines.is_empty();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_as_wide_as_the_window() {
        let state = State {
            prefix: "epoch 17/100000 · 57k rows/s".into(),
            message: "loss 0.1234 · validation 0.1996 · accuracy 98.6% · best 9 · lr 1.0e-3".into(),
            position: 300,
            length: Some(1000),
            pace: None,
        };
        for columns in 0..200 {
            let lines = state.lines(columns);
            let widest = lines.iter().map(|line| line.chars().count()).max().unwrap();
            assert!(widest < columns.max(1), "{columns}: {lines:?}");
        }
        assert_eq!(state.lines(80)[0], "epoch 17/100000 · 57k rows/s ━━━━━━━━━╸──────────────────────");
        assert_eq!(state.lines(80)[1], state.message);
        assert_eq!(State::default().lines(80), [""; 0]);
    }

    #[test]
    fn a_bar_is_full_at_the_end_and_never_more() {
        for (position, bar) in [(0, "╸───"), (2, "━╸──"), (7, "━━━╸"), (8, "━━━━"), (9, "━━━━")]
        {
            assert_eq!(drawn(4, position, 8), bar);
        }
        assert_eq!((drawn(0, 1, 2), drawn(2, 0, 0)), (String::new(), "━━".into()));
    }
}
