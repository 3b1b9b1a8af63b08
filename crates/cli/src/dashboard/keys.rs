//! What keys mean: commands to the run, and what is shown.

use downhill::run::Phase;
use downhill::train::{Command, RateChange};
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::state::State;

/// What a key asks for, beside another look.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// To tell the run something.
    Tell(Command),
    /// To leave the dashboard.
    Quit,
    /// Ctrl-C: the same, and at once if it is asked for again.
    Interrupt,
}

/// What is shown large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panel {
    /// Everything, where there is room; the losses alone where there is not.
    All,
    Rate,
    Metric,
    Happened,
    Losses,
}

impl Panel {
    const ALL: [Self; 5] = [Self::All, Self::Rate, Self::Metric, Self::Happened, Self::Losses];

    fn moved(self, by: usize) -> Self {
        let at = Self::ALL.iter().position(|panel| *panel == self).unwrap_or(0);
        Self::ALL[(at + by) % Self::ALL.len()]
    }
}

/// What the next key is for.
#[derive(Clone, Debug, PartialEq)]
pub enum Mode {
    Watching,
    Help,
    /// Whether the run is really to end.
    Ending,
    /// A value for the rate.
    Typing(Editor),
}

/// A line that is typed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Editor {
    pub text: String,
    /// In characters.
    pub cursor: usize,
    /// What is wrong with it.
    pub error: Option<String>,
}

impl Editor {
    /// Where the character at the cursor begins.
    fn byte(&self) -> usize {
        self.text.char_indices().nth(self.cursor).map_or(self.text.len(), |(at, _)| at)
    }

    fn press(&mut self, key: KeyEvent) {
        self.error = None;
        let last = self.text.chars().count();
        match key.code {
            KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => *self = Self::default(),
            KeyCode::Char(c) if !key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {
                self.text.insert(self.byte(), c);
                self.cursor += 1;
            }
            KeyCode::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                self.text.remove(self.byte());
            }
            KeyCode::Delete if self.cursor < last => _ = self.text.remove(self.byte()),
            KeyCode::Left => self.cursor = self.cursor.saturating_sub(1),
            KeyCode::Right => self.cursor = (self.cursor + 1).min(last),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = last,
            _ => {}
        }
    }
}

/// The keys pressed so far, as far as they matter.
#[derive(Clone, Debug)]
pub struct Keys {
    pub mode: Mode,
    pub panel: Panel,
    /// The message about the last key.
    pub notice: Option<String>,
}

impl Default for Keys {
    fn default() -> Self {
        Self { mode: Mode::Watching, panel: Panel::All, notice: None }
    }
}

impl Keys {
    /// Takes a key.
    pub fn press(&mut self, key: KeyEvent, state: &State) -> Option<Action> {
        self.notice = None;
        if key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL) {
            return Some(Action::Interrupt);
        }
        let action = match &mut self.mode {
            Mode::Watching => self.watch(key, state),
            Mode::Help => {
                self.mode = Mode::Watching;
                None
            }
            Mode::Ending => {
                self.mode = Mode::Watching;
                (key.code == KeyCode::Char('y')).then_some(Action::Tell(Command::End))
            }
            Mode::Typing(editor) => match key.code {
                KeyCode::Esc => {
                    self.mode = Mode::Watching;
                    None
                }
                KeyCode::Enter => match editor.text.parse::<RateChange>() {
                    Ok(lr) => {
                        self.mode = Mode::Watching;
                        Some(Action::Tell(Command::SetLr { lr }))
                    }
                    Err(error) => {
                        editor.error = Some(error);
                        None
                    }
                },
                _ => {
                    editor.press(key);
                    None
                }
            },
        };
        if let (Some(Action::Tell(_)), Phase::Waiting | Phase::Searching) = (&action, state.run.phase) {
            self.notice = Some("it will be done when training begins".into());
        }
        action
    }

    fn watch(&mut self, key: KeyEvent, state: &State) -> Option<Action> {
        if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) {
            return None;
        }
        let set = |lr| Command::SetLr { lr };
        let command = match key.code {
            KeyCode::Up => set(RateChange::Times(1.25)),
            KeyCode::Down => set(RateChange::Times(0.8)),
            KeyCode::Char('h') => set(RateChange::Times(0.5)),
            KeyCode::Char('s') => set(RateChange::Schedule),
            KeyCode::Char('u') => Command::Undo,
            KeyCode::Char('p') if state.run.phase == Phase::Paused => Command::Continue,
            KeyCode::Char('p') => Command::Pause,
            KeyCode::Char('c') => Command::Checkpoint,
            KeyCode::Char('q') => return Some(Action::Quit),
            KeyCode::Char('m') => return self.enter(Mode::Typing(Editor::default())),
            KeyCode::Char('e') => return self.enter(Mode::Ending),
            KeyCode::Char('?') => return self.enter(Mode::Help),
            KeyCode::Left => return self.show(self.panel.moved(Panel::ALL.len() - 1)),
            KeyCode::Right => return self.show(self.panel.moved(1)),
            _ => return None,
        };
        Some(Action::Tell(command))
    }

    fn enter(&mut self, mode: Mode) -> Option<Action> {
        self.mode = mode;
        None
    }

    fn show(&mut self, panel: Panel) -> Option<Action> {
        self.panel = panel;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::tests::{told, under_way};
    use super::*;

    fn press(keys: &mut Keys, state: &State, code: KeyCode) -> Option<Action> {
        keys.press(KeyEvent::new(code, KeyModifiers::NONE), state)
    }

    fn typed(keys: &mut Keys, state: &State, text: &str) -> Option<Action> {
        text.chars().for_each(|c| assert_eq!(press(keys, state, KeyCode::Char(c)), None, "{c}"));
        press(keys, state, KeyCode::Enter)
    }

    fn change(lr: &str) -> Option<Action> {
        Some(Action::Tell(Command::SetLr { lr: lr.parse().unwrap() }))
    }

    #[test]
    fn keys_are_commands() {
        let (mut keys, mut state) = (Keys::default(), under_way(1));
        let mut key = |state: &State, code| press(&mut keys, state, code);
        assert_eq!(key(&state, KeyCode::Up), change("1.25x"));
        assert_eq!(key(&state, KeyCode::Down), change("0.8x"));
        assert_eq!(key(&state, KeyCode::Char('h')), change("0.5x"));
        assert_eq!(key(&state, KeyCode::Char('s')), change("schedule"));
        assert_eq!(key(&state, KeyCode::Char('u')), Some(Action::Tell(Command::Undo)));
        assert_eq!(key(&state, KeyCode::Char('c')), Some(Action::Tell(Command::Checkpoint)));
        assert_eq!(key(&state, KeyCode::Char('p')), Some(Action::Tell(Command::Pause)));
        state.feed(&told(10, Command::Pause));
        assert_eq!(key(&state, KeyCode::Char('p')), Some(Action::Tell(Command::Continue)));
        assert_eq!(key(&state, KeyCode::Char('q')), Some(Action::Quit));
        assert_eq!(key(&state, KeyCode::Char('x')), None);
    }

    #[test]
    fn to_end_is_asked_about() {
        let (mut keys, state) = (Keys::default(), under_way(1));
        for (answer, action) in [('n', None), ('q', None), ('y', Some(Action::Tell(Command::End)))] {
            assert_eq!(press(&mut keys, &state, KeyCode::Char('e')), None);
            assert_eq!(keys.mode, Mode::Ending);
            assert_eq!(press(&mut keys, &state, KeyCode::Char(answer)), action);
            assert_eq!(keys.mode, Mode::Watching);
        }
    }

    #[test]
    fn a_rate_is_typed() {
        let (mut keys, state) = (Keys::default(), under_way(1));
        assert_eq!(typed(&mut keys, &state, "m0.003"), change("0.003"));
        assert_eq!(typed(&mut keys, &state, "mcosine(1e-3, end=0)"), change("cosine(1e-3, end=0)"));
        assert_eq!(typed(&mut keys, &state, "mcosin(1)"), None);
        let Mode::Typing(editor) = &keys.mode else { panic!("{:?}", keys.mode) };
        assert!(editor.error.as_ref().unwrap().contains("did you mean `cosine`?"));
        // It can be put right.
        (0..3).for_each(|_| _ = press(&mut keys, &state, KeyCode::Left));
        assert_eq!(typed(&mut keys, &state, "e"), change("cosine(1)"));
        // And left.
        press(&mut keys, &state, KeyCode::Char('m'));
        press(&mut keys, &state, KeyCode::Char('ü'));
        press(&mut keys, &state, KeyCode::Backspace);
        press(&mut keys, &state, KeyCode::Backspace);
        press(&mut keys, &state, KeyCode::Delete);
        assert_eq!(press(&mut keys, &state, KeyCode::Enter), None, "nothing is no rate");
        assert_eq!(press(&mut keys, &state, KeyCode::Esc), None);
        assert_eq!(keys.mode, Mode::Watching);
    }

    #[test]
    fn ctrl_c_interrupts_whatever_is_asked() {
        let state = under_way(1);
        let ctrl_c = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for first in ['m', 'e', '?', 'x'] {
            let mut keys = Keys::default();
            press(&mut keys, &state, KeyCode::Char(first));
            assert_eq!(keys.press(ctrl_c, &state), Some(Action::Interrupt), "after {first}");
        }
    }

    #[test]
    fn panels_go_round() {
        let (mut keys, state) = (Keys::default(), under_way(1));
        press(&mut keys, &state, KeyCode::Left);
        assert_eq!(keys.panel, Panel::Losses);
        press(&mut keys, &state, KeyCode::Right);
        assert_eq!(keys.panel, Panel::All);
    }
}
