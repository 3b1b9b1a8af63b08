//! What the dashboard looks like.

use std::time::{Duration, Instant};

use downhill::run::Phase;
use downhill::train::{Stop, fixed};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear, Paragraph, Wrap};

use super::chart::{Chart, Curve, Log};
use super::keys::{Editor, Keys, Mode, Panel};
use super::state::State;
use super::theme::Theme;
use crate::braille::number;
use crate::{output, progress};

/// In fewer columns or rows, one panel is all there is room for.
const ROOM: (u16, u16) = (60, 16);

/// All that is drawn.
pub struct Picture<'a> {
    pub state: &'a State,
    pub keys: &'a Keys,
    pub theme: &'a Theme,
    pub now: Instant,
    /// What the key that leaves does to the run, in a word and in a line.
    pub quit: [&'a str; 2],
}

impl Picture<'_> {
    /// Draws it, on a screen of any size.
    pub fn draw(&self, frame: &mut Frame) {
        let area = frame.area();
        let roomy = area.width >= ROOM.0 && area.height >= ROOM.1;
        let rows = [1, 1, u16::from(roomy)].map(Constraint::Length);
        let [head, figures, bar, body, keys] =
            Layout::vertical([rows[0], rows[1], rows[2], Constraint::Fill(1), Constraint::Length(1)])
                .areas(area);
        self.head(frame, head);
        frame.render_widget(self.figures(), figures);
        frame.render_widget(self.bar(bar.width), bar);
        match self.keys.panel {
            Panel::All if roomy => self.all(frame, body),
            Panel::All | Panel::Losses => frame.render_widget(self.losses(), body),
            Panel::Rate => frame.render_widget(self.rates(body.width), body),
            Panel::Metric => frame.render_widget(self.metric(), body),
            Panel::Happened => self.happened(frame, body),
        }
        match &self.keys.mode {
            Mode::Typing(editor) => self.typing(frame, keys, editor),
            Mode::Ending => {
                let text = output::said("end the run here, for good? y/n");
                frame.render_widget(Line::styled(text, self.theme.strong), keys);
            }
            Mode::Watching | Mode::Help => match &self.keys.notice {
                Some(notice) => {
                    frame.render_widget(Line::styled(output::said(notice), self.theme.strong), keys)
                }
                None => frame.render_widget(self.key_line(keys.width), keys),
            },
        }
        if self.keys.mode == Mode::Help {
            self.help(frame, area);
        }
    }

    fn all(&self, frame: &mut Frame, area: Rect) {
        let happened = Constraint::Length((area.height / 4).clamp(4, 14));
        let [charts, below] = Layout::vertical([Constraint::Fill(1), happened]).areas(area);
        let columns = [Constraint::Percentage(58), Constraint::Fill(1)];
        let [left, right] = Layout::horizontal(columns).spacing(1).areas(charts);
        let [upper, lower] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(right);
        frame.render_widget(self.losses(), left);
        frame.render_widget(self.rates(upper.width), upper);
        frame.render_widget(self.metric(), lower);
        self.happened(frame, below);
    }

    /// What it is doing, how far it is, and how fast.
    fn head(&self, frame: &mut Frame, area: Rect) {
        let Self { state, theme, now, .. } = self;
        let badge = |text| {
            Span::styled(format!(" {} ", output::said(text)), theme.strong.add_modifier(Modifier::REVERSED))
        };
        let mut spans = Vec::new();
        match state.run.phase {
            Phase::Waiting => spans.push(Span::raw(output::said("reading the data"))),
            Phase::Searching => {
                let seconds = now.saturating_duration_since(state.since).as_secs();
                let text = format!(
                    "finding the learning rate ({})",
                    progress::duration(Duration::from_secs(seconds))
                );
                spans.push(Span::raw(output::said(&text).into_owned()));
            }
            Phase::Training => {}
            Phase::Paused => spans.extend([badge("paused"), Span::raw(" ")]),
            Phase::Over(stop) => spans.extend([badge(over(stop)), Span::raw(" ")]),
        }
        if !matches!(state.run.phase, Phase::Waiting | Phase::Searching) {
            let (epoch, epochs) = state.epochs();
            let text = output::said(&format!("epoch {epoch}/{epochs}")).into_owned();
            spans.push(Span::styled(text, theme.strong));
            let left = state.left(*now).map(|left| format!("{} left", progress::duration(left)));
            let speed = state.rows_per_second(*now);
            let speed = speed.map(|rows| format!("{} rows/s", progress::per_second(rows)));
            let more = [left, Some(format!("step {}/{}", state.run.step, state.run.total_steps)), speed];
            let more = more.into_iter().flatten();
            spans.extend(more.map(|text| Span::raw(format!(" · {}", output::said(&text)))));
        }
        let line = Line::from(spans);
        let room = usize::from(area.width).saturating_sub(line.width() + 2);
        let dataset = state.run.size.as_ref().map_or("", |size| &size.dataset);
        let name: String = dataset.chars().take(room).collect();
        frame.render_widget(line, area);
        if room > 3 {
            frame.render_widget(Line::styled(name, theme.faint).right_aligned(), area);
        }
    }

    /// What the last epoch came to, and the rate of now.
    fn figures(&self) -> Line<'_> {
        let Self { state, theme, .. } = self;
        let styled = |text: String, style| Span::styled(output::said(&text).into_owned(), style);
        let mut parts = Vec::new();
        if let Some(last) = &state.run.last {
            parts.push(styled(format!("loss {}", fixed(last.train_loss)), theme.train));
            parts.push(styled(format!("validation {}", fixed(last.valid_loss)), theme.valid));
            parts.push(styled(progress::headline(&last.metrics), theme.metric));
        } else if let Some((_, loss)) = state.train.points().last() {
            parts.push(styled(format!("loss {}", fixed(loss)), theme.train));
        }
        if let Some(lr) = self.rate() {
            parts.push(styled(format!("lr {lr:.2e}"), theme.rate));
        }
        if let Some(best) = state.run.best() {
            parts.push(styled(format!("best {}", best.epoch + 1), theme.good));
        }
        let dot = || Span::styled(" · ", theme.faint);
        let spans = parts.into_iter().enumerate();
        Line::from_iter(spans.flat_map(|(at, part)| (at > 0).then(dot).into_iter().chain([part])))
    }

    /// The rate of the next step, if it is known, or of the last.
    fn rate(&self) -> Option<f64> {
        let Self { state, .. } = self;
        let next = state.run.rate(state.run.step).filter(|_| state.run.step < state.run.total_steps);
        next.or(state.run.lr)
    }

    /// How far the run is, as a line.
    fn bar(&self, width: u16) -> Line<'_> {
        let Self { state, theme, .. } = self;
        let share = if state.run.total_steps > 0 {
            state.run.step as f64 / state.run.total_steps as f64
        } else {
            0.0
        };
        let made = (share.clamp(0.0, 1.0) * f64::from(width)).round() as usize;
        let done = Span::styled("━".repeat(made), theme.rate);
        Line::from(vec![done, Span::styled("─".repeat(usize::from(width) - made), theme.faint)])
    }

    fn losses(&self) -> Chart<'_> {
        let Self { state, theme, .. } = self;
        let mut curves = vec![
            Curve { points: state.train.points().collect(), style: theme.train, mark: None },
            Curve { points: state.valid.points().collect(), style: theme.valid, mark: None },
        ];
        if let Some(best) = state.run.best() {
            let points = vec![(best.step as f64, best.valid_loss)];
            curves.push(Curve { points, style: theme.good, mark: Some('◆') });
        }
        let title = [
            Span::styled(output::said("loss "), theme.strong),
            Span::styled(output::said("━ training "), theme.train),
            Span::styled(output::said("━ validation "), theme.valid),
            Span::styled(output::said("◆ best "), theme.good),
        ];
        self.chart(Line::from_iter(title), curves, Log::IfItHelps)
    }

    fn metric(&self) -> Chart<'_> {
        let Self { state, theme, .. } = self;
        let points: Vec<(f64, f64)> = state.metric.points().collect();
        let now = points.last().map_or(String::new(), |(_, value)| format!("{} ", number(*value)));
        let name = Span::styled(format!("{} ", output::said(&state.metric_name)), theme.strong);
        let title = Line::from(vec![name, Span::styled(now, theme.metric)]);
        self.chart(title, vec![Curve { points, style: theme.metric, mark: None }], Log::Never)
    }

    /// A chart of what was so far.
    fn chart<'a>(&self, title: Line<'a>, curves: Vec<Curve>, log: Log) -> Chart<'a> {
        let Self { state, theme, .. } = self;
        let first = curves.iter().filter_map(|curve| curve.points.first()).map(|point| point.0);
        let first = first.fold(f64::INFINITY, f64::min).min(state.run.step as f64);
        let an_epoch = state.run.steps_per_epoch.max(1) as f64;
        let ends =
            [first, state.run.step as f64].map(|step| format!("epoch {:.0}", (step / an_epoch).floor()));
        let ends = ends.map(|text| output::said(&text).into_owned());
        Chart { title, across: [first, state.run.step as f64], ends, log, curves, faint: theme.faint }
    }

    /// The rate over the whole run: as it was, and as it is to be.
    fn rates(&self, width: u16) -> Chart<'_> {
        let Self { state, theme, .. } = self;
        let total = state.run.total_steps.max(state.run.step).max(1);
        // One for each column of dots is enough.
        let stride = (total / (2 * u64::from(width)).max(1)).max(1) as usize;
        let planned = (state.run.step..total).step_by(stride);
        let planned = planned.filter_map(|step| Some((step as f64, state.run.rate(step)?))).collect();
        let here = self.rate().map(|lr| (state.run.step as f64, lr));
        let curves = vec![
            Curve { points: planned, style: theme.planned, mark: None },
            Curve { points: state.rate.points().collect(), style: theme.rate, mark: None },
            Curve { points: here.into_iter().collect(), style: theme.rate, mark: Some('●') },
        ];
        let now = here.map_or(String::new(), |(_, lr)| format!("{lr:.2e} "));
        let scale = Some(state.run.steering().scale).filter(|scale| *scale != 1.0);
        let scale = scale
            .map_or(String::new(), |scale| output::said(&format!("{} × schedule ", number(scale))).into());
        let title = Line::from(vec![
            Span::styled(output::said("rate "), theme.strong),
            Span::styled(now, theme.rate),
            Span::styled(scale, theme.planned),
        ]);
        let ends = [output::said("step 0").into(), total.to_string()];
        let across = [0.0, total as f64];
        Chart { title, across, ends, log: Log::Always, curves, faint: theme.faint }
    }

    /// What happened, the last at the bottom.
    fn happened(&self, frame: &mut Frame, area: Rect) {
        let title = Span::styled(output::said("events "), self.theme.strong);
        let block = Block::new().borders(Borders::TOP).border_style(self.theme.faint).title(title);
        let inner = block.inner(area);
        frame.render_widget(block, area);
        let (width, rows) = (usize::from(inner.width), usize::from(inner.height));
        let mut lines: Vec<Line> = Vec::new();
        for (kind, text) in self.state.happened().rev() {
            if lines.len() >= rows {
                break;
            }
            let parts = wrapped(&output::said(text), width);
            lines.extend(parts.into_iter().rev().map(|part| Line::styled(part, self.theme.of(kind))));
        }
        lines.truncate(rows);
        lines.reverse();
        frame.render_widget(Paragraph::new(lines), inner);
    }

    /// The keys there are, as many as there is room for.
    fn key_line(&self, width: u16) -> Line<'_> {
        let paused = self.state.run.phase == Phase::Paused;
        let keys = [
            ("?", "help"),
            ("q", self.quit[0]),
            ("↑↓", "×1.25"),
            ("h", "half"),
            ("m", "set"),
            ("s", "schedule"),
            ("u", "undo"),
            ("p", if paused { "go on" } else { "pause" }),
            ("c", "save"),
            ("e", "end"),
            ("←→", "panel"),
        ];
        let mut spans = Vec::new();
        let mut taken = 0;
        for (key, what) in keys {
            let what = output::said(what);
            taken += key.chars().count() + output::width_of(&what) + 2;
            if taken > usize::from(width) + 1 {
                break;
            }
            spans.push(Span::styled(key, self.theme.strong));
            spans.push(Span::styled(format!(" {what} "), self.theme.faint));
        }
        Line::from(spans)
    }

    fn typing(&self, frame: &mut Frame, area: Rect, editor: &Editor) {
        let prompt = output::said("rate: ");
        let before: String = editor.text.chars().take(editor.cursor).collect();
        let column = output::width_of(&prompt) + Line::from(before.as_str()).width();
        // Of a long line, the part with the cursor.
        let hidden = (column + 1).saturating_sub(usize::from(area.width));
        let line = Line::from(vec![Span::styled(prompt, self.theme.strong), Span::raw(&editor.text)]);
        frame.render_widget(Paragraph::new(line).scroll((0, hidden as u16)), area);
        frame.set_cursor_position((area.x + column.saturating_sub(hidden) as u16, area.y));
        let screen = frame.area();
        let (text, style) = match &editor.error {
            Some(error) => (output::said(error), self.theme.bad),
            None => {
                let hint = "0.003, 0.5x, schedule, or a schedule such as cosine(0.003); Esc leaves";
                (output::said(hint), self.theme.faint)
            }
        };
        let rows: Vec<String> =
            text.lines().flat_map(|line| wrapped(line, usize::from(screen.width))).collect();
        let height = (rows.len() as u16).min(screen.height.saturating_sub(2));
        let above = Rect { y: area.y - height.min(area.y), height, ..area };
        frame.render_widget(Clear, above);
        let lines: Vec<Line> = rows.into_iter().map(|row| Line::styled(row, style)).collect();
        frame.render_widget(Paragraph::new(lines), above);
    }

    fn help(&self, frame: &mut Frame, area: Rect) {
        let keys = [
            ("↑ ↓", "1.25 times the rate, or 0.8 times"),
            ("h", "half the rate"),
            ("m", "type a rate, a factor or a schedule"),
            ("s", "the rate as the schedule says"),
            ("u", "undo the last change of the rate"),
            ("p", "pause, and go on"),
            ("c", "write a checkpoint"),
            ("e", "end the run here, and keep the best epoch"),
            ("", "(the last, with --keep last)"),
            ("← →", "one panel large, or all"),
            ("q", self.quit[1]),
            ("?", "this help; any key leaves it"),
        ];
        let line = |(key, what): (&'static str, &str)| {
            Line::from(vec![
                Span::styled(format!("{key:>4}  "), self.theme.strong),
                Span::raw(output::said(what).into_owned()),
            ])
        };
        let lines: Vec<Line> = keys.into_iter().map(line).collect();
        let (width, height) = (60.min(area.width), (lines.len() as u16 + 2).min(area.height));
        let x = area.x + (area.width - width) / 2;
        let y = area.y + (area.height - height) / 2;
        let window = Rect { x, y, width, height };
        frame.render_widget(Clear, window);
        let block = Block::bordered().border_style(self.theme.faint).title(output::said(" keys "));
        frame.render_widget(Paragraph::new(lines).block(block).wrap(Wrap { trim: false }), window);
    }
}

fn over(stop: Stop) -> &'static str {
    match stop {
        Stop::Finished => "finished",
        Stop::EarlyStopping => "stopped early",
        Stop::Ended => "ended",
        Stop::Interrupted => "interrupted",
        Stop::Diverged { .. } => "diverged",
    }
}

/// A text in lines of at most `width` columns, broken between words where that is possible.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2); // one letter may take two
    if output::width_of(text) <= width {
        return vec![text.to_string()];
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if output::width_of(line) + 1 + output::width_of(word) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => {
                let mut line = String::new();
                for letter in word.chars() {
                    line.push(letter);
                    if output::width_of(&line) > width {
                        line.pop();
                        lines.push(std::mem::replace(&mut line, letter.to_string()));
                    }
                }
                lines.push(line);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use downhill::train::{Command, Event, Steering};
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::super::state::tests::{epoch, halved, plan, told, under_way};
    use super::*;

    const SIZES: [(u16, u16); 4] = [(80, 24), (40, 10), (200, 50), (20, 5)];

    fn drawn(state: &State, keys: &Keys, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        for theme in [Theme::coloured(), Theme::plain()] {
            let now = Instant::now() + Duration::from_secs(1);
            let picture = Picture { state, keys, theme: &theme, now, quit: ["stop", "save and stop"] };
            terminal.draw(|frame| picture.draw(frame)).unwrap();
        }
        // What has no columns has no rows for the backend to show.
        if width > 0 { terminal.backend().to_string() } else { String::new() }
    }

    fn keys(state: &State, typed: &str) -> Keys {
        let mut keys = Keys::default();
        typed.chars().for_each(|c| {
            let code = match c {
                '\n' => KeyCode::Enter,
                '→' => KeyCode::Right,
                c => KeyCode::Char(c),
            };
            keys.press(KeyEvent::new(code, KeyModifiers::NONE), state);
        });
        keys
    }

    #[track_caller]
    fn shows(picture: &str, parts: &[&str]) {
        parts.iter().for_each(|part| assert!(picture.contains(part), "no {part:?} in\n{picture}"));
    }

    #[test]
    fn what_matters_is_on_every_screen() {
        let mut state = under_way(6);
        state.feed(&told(60, Command::SetLr { lr: "0.5x".parse().unwrap() }));
        state.feed(&plan(60, "linear(0.01, end=0)", halved()));
        for size in SIZES {
            shows(&drawn(&state, &Keys::default(), size), &["epoch 7/10", "loss 0.333", "? help"]);
        }
        for size in [(80, 24), (200, 50)] {
            let everything = [
                "step 60/100",
                "digits",
                "rows/s",
                "validation 0.3667",
                "accuracy 91.7%",
                "best 3",
                "lr 2.00e-3",
                "━ training ━ validation ◆ best",
                "rate 2.00e-3 0.5 × schedule",
                "step 0",
                "accuracy 0.9167",
                "Told at step 60: 0.5 times the rate; the rate was 1.000e-2 and is 5.000e-3",
                "↑↓ ×1.25 h half m set s schedule u undo p pause c save e end",
            ];
            shows(&drawn(&state, &Keys::default(), size), &everything);
        }
    }

    #[test]
    fn no_size_and_no_state_is_too_strange() {
        let mut long = under_way(9);
        for _ in 0..50 {
            long.feed(&Event::Note { text: "A note without end ".repeat(20) });
            long.feed(&Event::Note { text: "Donaudampfschifffahrt".repeat(20) });
        }
        long.feed(&epoch(9, f64::NAN, false));
        let sizes = (0..=30).flat_map(|width| (0..=12).map(move |height| (width, height)));
        for size in sizes.chain(SIZES).chain([(1000, 1), (1, 300), (61, 16), (500, 200)]) {
            for state in [&State::default(), &long] {
                for typed in ["", "→", "→→", "→→→", "→→→→", "?", "e", "m0.003", "mcosin(1)\n"]
                {
                    drawn(state, &keys(state, typed), size);
                }
            }
        }
    }

    #[test]
    fn what_it_is_doing_is_said() {
        let mut state = State::default();
        shows(&drawn(&state, &Keys::default(), (80, 24)), &["reading the data"]);
        state.feed(&Event::Search);
        shows(&drawn(&state, &Keys::default(), (80, 24)), &["finding the learning rate"]);
        let mut state = under_way(1);
        state.feed(&told(10, Command::Pause));
        shows(&drawn(&state, &Keys::default(), (20, 5)), &[" paused  epoch 2/10"]);
        shows(&drawn(&state, &Keys::default(), (80, 24)), &["p go on"]);
        state.feed(&Event::Stop { step: 20, steps_executed: 20, reason: Stop::Ended, weights_sha256: None });
        shows(&drawn(&state, &Keys::default(), (40, 10)), &[" ended  epoch 3/10"]);
    }

    #[test]
    fn what_is_typed_is_seen_and_answered() {
        let state = under_way(2);
        shows(&drawn(&state, &keys(&state, "m0.00"), (80, 24)), &["rate: 0.00 ", "Esc leaves"]);
        let picture = drawn(&state, &keys(&state, "mcosin(1)\n"), (80, 24));
        shows(&picture, &["did you mean `cosine`?", "rate: cosin(1)"]);
        shows(&drawn(&state, &keys(&state, "e"), (40, 10)), &["end the run here, for good? y/n"]);
        shows(&drawn(&state, &keys(&state, "?"), (80, 24)), &["half the rate", "save and stop"]);
    }

    #[test]
    fn the_rate_to_come_is_drawn_before_it_is_made() {
        // A fall from the upper left to the lower right, of which nothing was made.
        let mut state = under_way(0);
        state.feed(&plan(0, "exponential(1, rate=0.95)", Steering::default()));
        let picture = drawn(&state, &keys(&state, "→"), (40, 10));
        let rows: Vec<&str> = picture.lines().collect();
        assert!(rows[3].contains("│●"), "{picture}");
        assert!(rows[7].ends_with("⠤⢄⡀\""), "{picture}");
    }

    #[test]
    fn long_texts_are_broken_between_words() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("one twothreefour", 6), ["one", "twothr", "eefour"]);
        assert_eq!(wrapped("  ^^^", 8), ["  ^^^"]);
    }

    #[test]
    fn times_are_short() {
        let short = |seconds| progress::duration(Duration::from_secs(seconds));
        assert_eq!([short(59), short(200), short(7500)], ["59 s", "3:20 min", "2:05 h"]);
    }
}
