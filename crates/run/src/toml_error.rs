//! What is wrong with a configuration file, in plain words and at its place.

use downhill_core::{excerpt, nearest};

/// What the parser says may repeat the file.
const MOST_OF_A_MESSAGE: usize = 1000;

/// Where and what is wrong: `line 2, column 1: unknown key …`, then the line with the place marked.
pub fn explain(text: &str, error: &toml::de::Error) -> String {
    // A spec's own error has more lines: the spec, and carets below the place in it.
    let mut lines = error.message().lines();
    let message = lines.next().unwrap_or_default();
    let (spec, carets) = (lines.next(), lines.next());
    let Some(span) = error.span() else { return plain(message, "") };
    let found = text.get(span.clone()).unwrap_or_default();
    let (mut start, mut marked) = (span.start, found.chars().count());
    // A long spec is shown in part.
    let cut = spec.is_some_and(|spec| spec.starts_with("  …"));
    let part = spec.map(|spec| spec.trim_start_matches(' ').trim_matches('…'));
    if let (Some(part), Some(carets)) = (part.filter(|part| !part.is_empty()), carets)
        && let Some(at) = found.find(part)
    {
        let indent = 2 + usize::from(cut);
        let indent = indent + spec.map_or(0, |spec| spec[2..].chars().take_while(|&c| c == ' ').count());
        let before = carets.chars().take_while(|&c| c == ' ').count().saturating_sub(indent);
        start += at + part.chars().take(before).map(char::len_utf8).sum::<usize>();
        marked = carets.chars().filter(|&c| c == '^').count();
    }
    let line_start = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let number = 1 + text[..line_start].matches('\n').count();
    let column = 1 + text[line_start..start].chars().count();
    let message = plain(message, found.lines().next().unwrap_or_default());
    let place = start - line_start;
    let end = line
        .get(place..)
        .map_or(place, |rest| place + rest.chars().take(marked.max(1)).map(char::len_utf8).sum::<usize>());
    format!("line {number}, column {column}: {message}\n{}", excerpt::marked(line, place..end))
}

/// What serde says, as a person would.
fn plain(message: &str, found: &str) -> String {
    let unknown = |what: &str, rest: &str| {
        let word = quoted(rest).next().unwrap_or_default();
        let known: Vec<&str> = quoted(rest).skip(1).collect();
        let hint = match nearest(word, known.iter().copied()) {
            Some(meant) => format!("; did you mean `{meant}`?"),
            None if known.is_empty() => String::new(),
            None => format!("; there is `{}`", known.join("`, `")),
        };
        format!("{what} `{}`{hint}", excerpt::word(word))
    };
    if let Some(rest) = message.strip_prefix("unknown field ") {
        unknown("unknown key", rest)
    } else if let Some(rest) = message.strip_prefix("unknown variant ") {
        unknown("unknown word", rest)
    } else if let Some(rest) = message.strip_prefix("missing field ") {
        format!("the key {rest} is missing")
    } else if message.starts_with("invalid type: ") || message.starts_with("invalid value: ") {
        let wanted = message.rsplit_once("expected ").map_or("something else", |(_, wanted)| wanted);
        format!("expected {}, found `{}`", wanted_in_words(wanted), excerpt::word(found))
    } else {
        excerpt::shortened(message, MOST_OF_A_MESSAGE).into_owned()
    }
}

/// The words in back quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

fn wanted_in_words(wanted: &str) -> &str {
    match wanted {
        "f32" | "f64" => "a number",
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or above",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "a boolean" => "`true` or `false`",
        "a string" | "string" | "path string" | "a borrowed string" => "text in quotes",
        "a sequence" => "a list",
        "a map" => "a table of keys",
        _ if wanted.starts_with("struct ") || wanted.starts_with("enum ") => "a table of keys",
        _ => wanted,
    }
}
