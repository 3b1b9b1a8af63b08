//! The catalogue of sentences, as `ko.txt` has them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::LazyLock;

use crate::template::{self, Budget, Filled, Kind, Part, Pattern, Reply};

/// The file that translators read and write.
const KOREAN: &str = include_str!("ko.txt");

/// Sentences in sentences go no deeper than this.
const DEEPEST: usize = 6;

/// A longer line is none of ours.
const LONGEST: usize = 2_000;

/// A line of more sentences is none of ours.
const MOST_PIECES: usize = 12;

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
        if !text.contains('\n') {
            return self.line(text, &Search::new());
        }
        let mut any = false;
        let lines = text.split('\n').map(|line| {
            let said = self.line(line, &Search::new());
            any |= said.is_some();
            said.unwrap_or_else(|| line.to_string())
        });
        let lines = lines.collect::<Vec<_>>().join("\n");
        any.then_some(lines)
    }

    /// A line; what was asked of one before is known.
    fn line(&self, line: &str, search: &Search) -> Option<String> {
        let key = (line.to_string(), search.whole);
        if let Some(found) = search.found.borrow().get(&key) {
            return found.clone();
        }
        let said = self.inside(line, search);
        search.found.borrow_mut().insert(key, said.clone());
        said
    }

    /// A line, without what is around it: spaces, and the stop at its end.
    fn inside(&self, line: &str, search: &Search) -> Option<String> {
        if search.depth > DEEPEST || line.len() > LONGEST || !line.contains(|c: char| c.is_ascii_alphabetic())
        {
            return None;
        }
        let inner = line.trim();
        let start = &line[..line.len() - line.trim_start().len()];
        let end = &line[line.trim_end().len()..];
        let without_stop = inner.strip_suffix('.').filter(|text| !text.is_empty());
        if let Some(said) = without_stop.and_then(|text| self.sentences(text, search)) {
            return Some(format!("{start}{said}.{end}"));
        }
        let said = self.sentences(inner, search)?;
        Some(format!("{start}{said}{end}"))
    }

    /// A sentence, or several: as one, in its sentences, or as one that holds several.
    fn sentences(&self, text: &str, search: &Search) -> Option<String> {
        for inside in [Inside::None, Inside::Known] {
            if let Some(whole) = self.match_whole(text, inside, search) {
                return Some(whole);
            }
        }
        let mut partly = None;
        for end in [". ", "; "] {
            let pieces = pieces(text, end);
            if !(2..=MOST_PIECES).contains(&pieces.len()) {
                continue;
            }
            match self.in_pieces(text, &pieces, end, search) {
                Some((said, true)) => return Some(said),
                found => partly = partly.or(found),
            }
        }
        self.match_whole(text, Inside::Any, search)
            .or_else(|| partly.filter(|_| !search.whole).map(|(said, _)| said))
    }

    /// A text in its sentences, and whether all of them are in the catalogue; none if none is. As many as make
    /// one sentence of the catalogue are taken together.
    fn in_pieces(
        &self,
        text: &str,
        pieces: &[(usize, usize)],
        end: &str,
        search: &Search,
    ) -> Option<(String, bool)> {
        let (mut joined, mut any, mut all) = (String::new(), false, true);
        let mut from = 0;
        while from < pieces.len() {
            let together = (from + 1..=pieces.len()).rev().filter(|to| to - from < pieces.len());
            let found = together.into_iter().find_map(|to| {
                let piece = &text[pieces[from].0..pieces[to - 1].1];
                let said = match to - from {
                    1 => self.line(piece, &search.deeper()),
                    _ => self.match_whole(piece, Inside::None, &search.deeper()),
                };
                Some((said?, to))
            });
            any |= found.is_some();
            all &= found.is_some();
            let (said, to) =
                found.unwrap_or_else(|| (text[pieces[from].0..pieces[from].1].to_string(), from + 1));
            joined += &said;
            from = to;
            if from < pieces.len() {
                // What ends as a sentence is closed as one.
                joined += if said.ends_with(['다', '요']) { ". " } else { end };
            }
        }
        any.then_some((joined, all))
    }

    /// The text as one sentence of the catalogue.
    fn match_whole(&self, text: &str, several: Inside, search: &Search) -> Option<String> {
        if let Some(korean) = self.whole.get(text) {
            return Some(korean.replace('⟦', "[").replace('⟧', "]"));
        }
        if search.depth > DEEPEST || text.len() > LONGEST {
            return None;
        }
        let inside = search.deeper();
        let whole = Search { whole: true, ..search.deeper() };
        let known = |held: &str| self.line(held, &whole).is_some();
        let fits = |kind: Kind, held: &str| match (kind, several) {
            (Kind::Number, _) => template::is_number(held),
            (Kind::Name | Kind::Sentence, Inside::Any) => true,
            (Kind::Name, Inside::None | Inside::Known) => is_name(held),
            (Kind::Sentence, Inside::None) => !has_an_end(held),
            (Kind::Sentence, Inside::Known) => !has_an_end(held) || known(held),
            (Kind::Known, _) | (Kind::Why, Inside::None) => !has_an_end(held) && known(held),
            (Kind::Why, Inside::Known | Inside::Any) => known(held),
        };
        let found: Option<(&Reply, Filled<'_>)> = self.patterns.iter().find_map(|(pattern, reply)| {
            Some((&self.replies[*reply], pattern.holes(text, &fits, &search.budget)?))
        });
        let (reply, filled) = found?;
        Some(reply.filled(&filled, &|kind, held| match kind {
            Kind::Name | Kind::Number => held.to_string(),
            Kind::Sentence | Kind::Known | Kind::Why => {
                self.line(held, &inside).unwrap_or_else(|| held.to_string())
            }
        }))
    }
}

/// Whether there may be several sentences in the holes of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    /// No hole holds the end of a sentence.
    None,
    /// Where a sentence is, there may be several if all are in the catalogue.
    Known,
    /// Anything may be anywhere.
    Any,
}

/// How far a search has gone.
struct Search {
    depth: usize,
    /// Whether only what is in the catalogue as a whole is wanted.
    whole: bool,
    budget: Rc<Budget>,
    /// What was found of lines before.
    found: Rc<RefCell<Found>>,
}

/// What was found of a line, wanted as a whole or not.
type Found = HashMap<(String, bool), Option<String>>;

impl Search {
    fn new() -> Self {
        Self { depth: 0, whole: false, budget: Rc::new(Budget::new()), found: Rc::default() }
    }

    fn deeper(&self) -> Self {
        Self {
            depth: self.depth + 1,
            whole: self.whole,
            budget: self.budget.clone(),
            found: self.found.clone(),
        }
    }
}

/// Whether a text may be a name: one that goes on behind its quotation mark is none.
fn is_name(text: &str) -> bool {
    let quote = text.find('`').filter(|&at| at > 0);
    let opens = quote.is_none_or(|at| text[..at].ends_with([' ', '(', '/', '-']));
    opens && !text.contains(": ") && !has_an_end(text)
}

/// Whether a text has the end of a sentence in it, and goes on.
fn has_an_end(text: &str) -> bool {
    [". ", "; "].iter().any(|end| text.contains(end) && pieces(text, end).len() > 1)
}

/// Where the sentences of a text begin and end that semicolons, or stops in front of capital letters, are
/// between. Those in quotation marks are not taken apart.
fn pieces(text: &str, end: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let (mut from, mut quoted) = (0, false);
    for (at, letter) in text.char_indices() {
        quoted ^= letter == '`';
        if quoted || at < from || !text[at..].starts_with(end) {
            continue;
        }
        let next = text[at + end.len()..].chars().next();
        if end == "; " || next.is_some_and(|next| next.is_ascii_uppercase()) {
            pieces.push((from, at));
            from = at + end.len();
        }
    }
    pieces.push((from, text.len()));
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
