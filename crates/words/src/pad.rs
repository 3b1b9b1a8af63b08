//! How wide text is in a terminal, where Hangul and Chinese characters take two columns, and padding by it.

use unicode_width::UnicodeWidthStr;

/// The columns that a text takes in a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// The text, with spaces behind it up to so many columns.
pub fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", spaces(text, columns))
}

/// The text, with spaces in front of it up to so many columns.
pub fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", spaces(text, columns))
}

/// The text in the middle of so many columns; if the spaces are odd, one more is behind it.
pub fn centre(text: &str, columns: usize) -> String {
    let all = columns.saturating_sub(width(text));
    format!("{}{text}{}", " ".repeat(all / 2), " ".repeat(all - all / 2))
}

fn spaces(text: &str, columns: usize) -> String {
    " ".repeat(columns.saturating_sub(width(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hangul_takes_two_columns() {
        assert_eq!((width("loss"), width("손실"), width("R²")), (4, 4, 2));
        assert_eq!((left("손실", 6), right("손실", 6)), ("손실  ".into(), "  손실".into()));
        assert_eq!((centre("a", 4), right("too long", 3)), (" a  ".into(), "too long".into()));
    }
}
