//! The terminal, taken and given back as it was.

use std::io::{self, BufWriter, Stderr};
use std::sync::{Mutex, Once, PoisonError, TryLockError};
use std::thread;
use std::time::Duration;

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the terminal is ours. Who draws holds it.
static OURS: Mutex<bool> = Mutex::new(false);
static HOOK: Once = Once::new();

/// The whole terminal, in raw mode. It draws on standard error: standard output is for results.
pub struct Screen(ratatui::Terminal<CrosstermBackend<BufWriter<Stderr>>>);

impl Screen {
    /// Takes the terminal. A panic gives it back before it says what happened.
    pub fn open() -> io::Result<Self> {
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
        enable_raw_mode()?;
        *ours = true;
        let opened = execute!(io::stderr(), EnterAlternateScreen).and_then(|()| {
            ratatui::Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(1 << 16, io::stderr())))
        });
        drop(ours);
        opened.map(Self).inspect_err(|_| give_back())
    }

    /// Draws, unless the terminal was given back.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame)) -> io::Result<()> {
        let ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
        if *ours {
            self.0.draw(draw)?;
        }
        Ok(())
    }
}

/// Gives the terminal back, if it was taken.
pub fn give_back() {
    // Whoever draws is done in a moment, unless it is drawing that panicked.
    for _ in 0..20 {
        match OURS.try_lock() {
            Ok(mut ours) => return leave(&mut ours),
            Err(TryLockError::Poisoned(ours)) => return leave(&mut ours.into_inner()),
            Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(10)),
        }
    }
    leave(&mut true);
}

fn leave(ours: &mut bool) {
    if std::mem::take(ours) {
        let _ = execute!(io::stderr(), LeaveAlternateScreen, Show);
        let _ = disable_raw_mode();
    }
}
