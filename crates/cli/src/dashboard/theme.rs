//! Colours that can be read on a dark and on a light background, or none.

use ratatui::style::{Color, Modifier, Style};

use super::state::Kind;

/// How each thing looks.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    pub train: Style,
    pub valid: Style,
    pub rate: Style,
    /// The rate that is still to come.
    pub planned: Style,
    pub metric: Style,
    /// What is best, or was told.
    pub good: Style,
    pub bad: Style,
    /// Frames, labels, and what matters less.
    pub faint: Style,
    pub strong: Style,
}

impl Theme {
    /// Shades from the middle of the 256 colours: black and white stand out against each.
    pub fn coloured() -> Self {
        let colour = |index| Style::new().fg(Color::Indexed(index));
        Self {
            train: colour(33),
            valid: colour(208),
            rate: colour(35),
            planned: colour(244),
            metric: colour(170),
            good: colour(35),
            bad: colour(196),
            faint: colour(244),
            strong: Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// Without colours.
    pub fn plain() -> Self {
        let with = |modifier| Style::new().add_modifier(modifier);
        let (bold, dim) = (with(Modifier::BOLD), with(Modifier::DIM));
        let plain = Style::new();
        Self {
            train: dim,
            valid: bold,
            rate: bold,
            planned: dim,
            metric: plain,
            good: bold,
            bad: with(Modifier::REVERSED),
            faint: dim,
            strong: bold,
        }
    }

    /// As `NO_COLOR` asks for.
    pub fn of_environment() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        if plain { Self::plain() } else { Self::coloured() }
    }

    /// What happened, by its kind.
    pub fn of(&self, kind: Kind) -> Style {
        match kind {
            Kind::Note => Style::new(),
            Kind::Told => self.good,
            Kind::Trouble => self.bad,
            Kind::Checkpoint => self.faint,
        }
    }
}
