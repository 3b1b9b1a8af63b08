//! The catalogue of sentences, as `ko.txt` has them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::template::{self, Budget, Filled, Kind, Part, Pattern, Reply};

/// The file that translators read and write.
const KOREAN: &str = include_str!("ko.txt");

/// Sentences in sentences go no deeper than this.
const DEEPEST: usize = 8;

/// A longer line is none of ours.
const LONGEST: usize = 4_000;

/// A sentence of the catalogue, as its file has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// The line that it begins on, counted from 1.
    pub line: usize,
    /// The English template.
    pub english: &'static str,
    /// The Korean template.
    pub korean: &'static str,
}

/// All sentences of the Korean catalogue, in the order of its file.
pub fn sentences() -> Vec<Sentence> {
    let mut all = Vec::new();
    let mut english: Option<(usize, &str)> = None;
    for (number, line) in KOREAN.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        english = match english {
            None => Some((number + 1, line)),
            Some((line_number, english)) => {
                all.push(Sentence { line: line_number, english, korean: line });
                None
            }
        };
    }
    all
}

/// The sentences of a language, ready to be looked up.
pub struct Catalogue {
    /// Those without holes.
    whole: HashMap<String, &'static str>,
    /// The others, those with the most text first.
    patterns: Vec<(Pattern, usize)>,
    replies: Vec<Reply>,
}

/// The Korean catalogue.
pub fn korean() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::read);
    &CATALOGUE
}

impl Catalogue {
    /// Sentences that cannot be read are left out: a test finds them.
    fn read() -> Self {
        let mut catalogue = Self { whole: HashMap::new(), patterns: Vec::new(), replies: Vec::new() };
        for Sentence { english, korean, .. } in sentences() {
            let (Ok(patterns), Ok(reply)) = (template::patterns(english), Reply::read(korean)) else {
                continue;
            };
            for pattern in patterns {
                match &pattern.parts[..] {
                    [Part::Text(text)] => {
                        catalogue.whole.entry(text.clone()).or_insert(korean);
                    }
                    _ => catalogue.patterns.push((pattern, catalogue.replies.len())),
                }
            }
            catalogue.replies.push(reply);
        }
        catalogue.patterns.sort_by_key(|(pattern, _)| std::cmp::Reverse(pattern.weight));
        catalogue
    }

    /// The text in the catalogue's language, line by line, if there is something of it in the catalogue.
    pub fn said(&self, text: &str) -> Option<String> {
        let budget = Budget::new();
        if !text.contains('\n') {
            return self.line(text, 0, &budget);
        }
        // A sentence that has the line breaks of something else in it.
        if let Some(whole) = self.match_whole(text.trim_end_matches('\n'), false, 0, &budget) {
            let end = &text[text.trim_end_matches('\n').len()..];
            return Some(whole + end);
        }
        let mut any = false;
        let lines = text.split('\n').map(|line| {
            let said = self.line(line, 0, &Budget::new());
            any |= said.is_some();
            said.unwrap_or_else(|| line.to_string())
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        any.then_some(lines)
    }

    /// A line, without what is around it: spaces, and the stop at its end.
    fn line(&self, line: &str, depth: usize, budget: &Budget) -> Option<String> {
        if depth > DEEPEST || line.len() > LONGEST || !line.contains(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let inner = line.trim();
        let start = &line[..line.len() - line.trim_start().len()];
        let end = &line[line.trim_end().len()..];
        if let Some(said) = self.sentence(inner, depth, budget) {
            return Some(format!("{start}{said}{end}"));
        }
        let inner = inner.strip_suffix('.')?;
        let said = self.sentence(inner, depth, budget)?;
        Some(format!("{start}{said}.{end}"))
    }

    /// A sentence, or several.
    fn sentence(&self, text: &str, depth: usize, budget: &Budget) -> Option<String> {
        if let Some(whole) = self.match_whole(text, true, depth, budget) {
            return Some(whole);
        }
        let pieces = pieces(text);
        if pieces.len() < 2 {
            return self.match_whole(text, false, depth, budget);
        }
        let said: Vec<Option<String>> =
            pieces.iter().map(|(piece, _)| self.line(piece, depth + 1, budget)).collect();
        let all = said.iter().all(Option::is_some);
        if !all && let Some(whole) = self.match_whole(text, false, depth, budget) {
            return Some(whole);
        }
        if said.iter().all(Option::is_none) {
            return None;
        }
        let mut joined = String::new();
        for ((piece, separator), said) in pieces.iter().zip(said) {
            let said = said.unwrap_or_else(|| (*piece).to_string());
            // What ends as a sentence is closed as one.
            let separator = match *separator {
                "; " if said.ends_with(['다', '요']) => ". ",
                separator => separator,
            };
            joined += &said;
            joined += separator;
        }
        Some(joined)
    }

    /// The text as one sentence of the catalogue.
    fn match_whole(&self, text: &str, strict: bool, depth: usize, budget: &Budget) -> Option<String> {
        if let Some(korean) = self.whole.get(text) {
            return Some(korean.replace('⟦', "[").replace('⟧', "]"));
        }
        if depth > DEEPEST || text.len() > LONGEST {
            return None;
        }
        let known = |held: &str| self.line(held, depth + 1, budget).is_some();
        let found: Option<(&Reply, Filled<'_>)> = self.patterns.iter().find_map(|(pattern, reply)| {
            Some((&self.replies[*reply], pattern.holes(text, strict, &known, budget)?))
        });
        let (reply, filled) = found?;
        Some(reply.filled(&filled, &|kind, held| match kind {
            Kind::Name | Kind::Number => held.to_string(),
            Kind::Sentence | Kind::Known => {
                self.line(held, depth + 1, budget).unwrap_or_else(|| held.to_string())
            }
        }))
    }
}

/// The sentences of a text, each with what is between it and the next: a semicolon, or a stop in front of a
/// capital letter. Those in quotation marks are not taken apart.
fn pieces(text: &str) -> Vec<(&str, &str)> {
    let mut pieces = Vec::new();
    let (mut from, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        if c == '`' {
            quoted = !quoted;
        }
        if quoted || at < from {
            continue;
        }
        let after = &text[at..];
        let is_stop = after.starts_with(". ") && after[2..].starts_with(|c: char| c.is_ascii_uppercase());
        if after.starts_with("; ") || is_stop {
            pieces.push((&text[from..at], &after[..2]));
            from = at + 2;
        }
    }
    pieces.push((&text[from..], ""));
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Lang;

    #[test]
    fn every_sentence_is_well_formed() {
        let mut seen = HashMap::new();
        let mut wrong = Vec::new();
        for Sentence { line, english, korean } in sentences() {
            let (patterns, reply) = match (template::patterns(english), Reply::read(korean)) {
                (Ok(patterns), Ok(reply)) => (patterns, reply),
                (Err(why), _) | (_, Err(why)) => {
                    wrong.push(format!("line {line}: {why}"));
                    continue;
                }
            };
            for pattern in patterns {
                if let Some(other) = seen.insert(format!("{:?}", pattern.parts), line) {
                    wrong.push(format!("lines {other} and {line} are the same: {english}"));
                }
            }
            let written = reply.names();
            for name in &written {
                if !english.contains(&format!("{{{name}}}")) {
                    wrong.push(format!("line {line}: there is no hole `{name}`"));
                }
            }
            for hole in english.split('{').skip(1) {
                let name = hole.split('}').next().unwrap_or_default();
                if !written.contains(&name) {
                    wrong.push(format!("line {line}: what is in `{name}` is lost"));
                }
            }
            if english != "sat." && english.ends_with('.') || english.trim() != english {
                wrong.push(format!("line {line}: spaces and the stop at the end are not written"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(seen.len() > 500, "the catalogue has but {} sentences", seen.len());
        assert_eq!(KOREAN.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).count() % 2, 0);
    }

    #[test]
    fn sentences_are_said_in_korean() {
        let ko = |text: &str| Lang::Ko.said(text).into_owned();
        assert_eq!(ko("nothing of ours"), "nothing of ours");
        assert_eq!(ko("  loss\nruns/a\n"), "  손실\nruns/a\n");
        assert_eq!(Lang::En.said("loss"), "loss");
    }

    proptest! {
        #[test]
        fn any_text_is_said_soon_and_without_a_panic(text in "(error: |note: |[a-z`{}; .,:0-9가-힣]){0,60}") {
            let _ = Lang::Ko.said(&text);
        }
    }

    #[test]
    fn a_hostile_line_takes_no_time() {
        let began = std::time::Instant::now();
        for text in [", ".repeat(1900), "; ".repeat(1900), "error: ".repeat(500), " is a of to ".repeat(300)]
        {
            let _ = Lang::Ko.said(&text);
        }
        assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    }
}
