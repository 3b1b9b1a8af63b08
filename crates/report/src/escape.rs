//! Text from data, where it is shown: in a terminal, and inside XML.

use std::fmt::Write;

/// Text with the characters written out that must not reach a terminal or a page: control characters, which a
/// terminal acts on and XML does not allow, and those that change the order in which text is shown. Line ends
/// and tabs stay.
///
/// ```
/// assert_eq!(downhill_report::visible("a\u{1b}[2J"), "a\\u{1b}[2J");
/// ```
pub fn visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|character| push_visible(&mut shown, character));
    shown
}

fn push_visible(shown: &mut String, character: char) {
    let unseen = match character {
        '\t' | '\n' => false,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        '\u{fffe}' | '\u{ffff}' => true,
        _ => character.is_control(),
    };
    if unseen {
        let _ = write!(shown, "{}", character.escape_unicode());
    } else {
        shown.push(character);
    }
}

/// [`visible`] text as it is written between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\'' => escaped += "&#39;",
            _ => push_visible(&mut escaped, character),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out() {
        assert_eq!(escape("<b a='1' c=\"&\">"), "&lt;b a=&#39;1&#39; c=&quot;&amp;&quot;&gt;");
        let odd = "R² naïve\n\t\0\u{1b}[1m\u{9b}\u{202e}\u{ffff}";
        let shown = "R² naïve\n\t\\u{0}\\u{1b}[1m\\u{9b}\\u{202e}\\u{ffff}";
        assert_eq!((visible(odd), escape(odd)), (shown.to_string(), shown.to_string()));
    }
}
