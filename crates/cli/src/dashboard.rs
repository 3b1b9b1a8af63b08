//! A run on the whole screen, with keys to steer it.
//!
//! Who trains only tells the events; drawing, and waiting for keys, is on a thread of its own.

mod chart;
mod draw;
mod keys;
mod series;
mod state;
mod terminal;
mod theme;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use downhill::prelude::Event;
use ratatui::crossterm::event::{self, Event as Input, KeyEventKind};

use draw::Picture;
use keys::Keys;
use state::State;
use terminal::Screen;
use theme::Theme;

pub use keys::Action;
pub use terminal::give_back;

/// A run that is over before this shows no dashboard, which would only flash.
const GRACE: Duration = Duration::from_millis(200);
/// How long is waited for a key before it is looked whether the dashboard is to close.
const TICK: Duration = Duration::from_millis(20);
/// How long a picture stays, if no key is pressed.
const PICTURE: Duration = Duration::from_millis(100);

/// A dashboard in the terminal; dropping it gives the terminal back.
pub struct Dashboard {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    closed: AtomicBool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Dashboard {
    /// Opens a dashboard, in a moment. What its keys ask for is done by `act`, on its thread; an error is
    /// shown. `quit` says what quitting does, in a word and in a line.
    pub fn open(
        quit: [&'static str; 2],
        act: impl FnMut(Action) -> Result<(), String> + Send + 'static,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let its = shared.clone();
        Self { shared, thread: Some(thread::spawn(move || show(&its, quit, act))) }
    }

    /// Learns of an event. It waits for nothing that is slow: the state is only ever held to be changed or
    /// copied.
    pub fn feed(&self, event: &Event) {
        self.shared.state().feed(event);
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // If it panicked, it has said so.
            let _ = thread.join();
        }
        give_back();
    }
}

/// Draws and takes keys, until the dashboard is closed.
fn show(shared: &Shared, quit: [&str; 2], mut act: impl FnMut(Action) -> Result<(), String>) {
    let opened = Instant::now();
    while opened.elapsed() < GRACE {
        if shared.closed() {
            return;
        }
        thread::park_timeout(GRACE.saturating_sub(opened.elapsed()));
    }
    // Without a terminal the run goes on all the same.
    let Ok(mut screen) = Screen::open() else { return };
    let (mut keys, theme) = (Keys::default(), Theme::of_environment());
    let mut drawn: Option<Instant> = None;
    while !shared.closed() {
        let mut looks_otherwise = false;
        let mut wait = TICK;
        while let Some(input) = next_input(wait) {
            looks_otherwise = true;
            wait = Duration::ZERO;
            let Input::Key(key) = input else { continue };
            if key.kind == KeyEventKind::Release {
                continue;
            }
            let action = keys.press(key, &shared.state());
            if let Some(Err(why)) = action.map(&mut act) {
                keys.notice = Some(why);
            }
        }
        if let Some(why) = shared.state().refused.take() {
            keys.notice = Some(why);
            looks_otherwise = true;
        }
        if looks_otherwise || drawn.is_none_or(|drawn| drawn.elapsed() >= PICTURE) {
            let state = shared.state().clone();
            let now = Instant::now();
            let picture = Picture { state: &state, keys: &keys, theme: &theme, now, quit };
            if screen.draw(|frame| picture.draw(frame)).is_err() {
                return;
            }
            drawn = Some(now);
        }
    }
}

/// What is typed, or a new size, if there is something in time.
fn next_input(wait: Duration) -> Option<Input> {
    match event::poll(wait) {
        Ok(true) => event::read().ok(),
        Ok(false) => None,
        Err(_) => {
            thread::sleep(wait);
            None
        }
    }
}
