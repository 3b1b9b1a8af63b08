//! Parts of text that is not ours, short enough to be shown.

use std::borrow::Cow;
use std::ops::Range;

/// A message repeats no more characters than these of a name or a value.
const MOST_OF_A_WORD: usize = 80;

/// The characters of a line that are shown around a place in it.
const MOST_OF_A_LINE: usize = 160;

/// The text, or its beginning and `…` where it has more than `most` characters.
///
/// ```
/// use downhill_core::excerpt::shortened;
///
/// assert_eq!(shortened("adam", 4), "adam");
/// assert_eq!(shortened("adamw", 4), "ada…");
/// ```
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    // Only so much is looked at, however long the text is.
    match text.char_indices().nth(most) {
        None => Cow::Borrowed(text),
        Some(_) => Cow::Owned(text.chars().take(most.saturating_sub(1)).chain(['…']).collect()),
    }
}

/// A name or a value for a message.
pub fn word(text: &str) -> Cow<'_, str> {
    shortened(text, MOST_OF_A_WORD)
}

/// A line of text with carets below the place at these bytes; of a long line, the part around the place.
///
/// Both lines are indented by two spaces, and control characters are spaces, so that the carets stand below
/// the place. No width of a format is made of a length here: one beyond 65 535 would panic.
///
/// ```
/// use downhill_core::excerpt::marked;
///
/// assert_eq!(marked("lr = fast", 5..9), "  lr = fast\n       ^^^^");
/// ```
pub fn marked(line: &str, place: Range<usize>) -> String {
    let start = boundary(line, place.start);
    let end = boundary(line, place.end).max(start);
    let before = line[..start].chars().count();
    let inside = line[start..end].chars().count().max(1);
    let all = line.chars().count();
    // A third of the room in front of the place; what is left out at either side is an ellipsis.
    let first = if all <= MOST_OF_A_LINE { 0 } else { before.saturating_sub(MOST_OF_A_LINE / 3) };
    let last = all.min(first + MOST_OF_A_LINE);
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut text = String::from("  ");
    text.extend((first > 0).then_some('…'));
    text.extend(line.chars().skip(first).take(last - first).map(plain));
    text.extend((last < all).then_some('…'));
    text.push_str("\n  ");
    text.extend((first > 0).then_some(' '));
    text.extend(std::iter::repeat_n(' ', before - first));
    text.extend(std::iter::repeat_n('^', inside.min(last.saturating_sub(before).max(1))));
    text
}

/// The last place of a character's first byte up to `at`.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let line = format!("{}ä=x{}", "a,".repeat(50_000), ",b".repeat(50_000));
        let place = line.find('=').unwrap();
        let text = marked(&line, place..place + 1);
        let (shown, carets) = text.split_once('\n').unwrap();
        assert!(shown.chars().count() < 170 && shown.starts_with("  …") && shown.ends_with('…'), "{shown}");
        let at = carets.chars().position(|c| c == '^').unwrap();
        assert_eq!((shown.chars().nth(at), carets.trim()), (Some('='), "^"));

        let all = marked(&line, 0..line.len());
        assert!(all.lines().all(|line| line.chars().count() < 170), "{all}");
        let end = marked(&line, line.len()..line.len());
        assert!(end.lines().next().unwrap().ends_with(",b,b") && end.ends_with("  ^"), "{end}");
    }

    #[test]
    fn a_place_that_is_not_in_the_line_is_no_reason_to_fail() {
        assert_eq!(marked("ä", 1..9), "  ä\n  ^");
        assert_eq!(marked("", 3..5), "  \n  ^");
    }
}
