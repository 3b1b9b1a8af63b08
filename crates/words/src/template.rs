//! A sentence with holes, in English, to be recognised, and in Korean, to be filled.

use std::cell::Cell;

use crate::particle::Particle;

/// What stands in a hole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{name}`: something that is not ours to translate, such as a column, a path or a spec.
    Name,
    /// `{n}`, `{n1}`, …: a number.
    Number,
    /// `{Why}`: a sentence that is translated if it can be.
    Sentence,
    /// `{WORD}`: a word or a sentence that must be in the catalogue too.
    Known,
    /// `{WHY}`: sentences, all of which must be in the catalogue.
    Why,
}

/// A part of an English sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Text(String),
    Hole(String, Kind),
}

/// A part of a Korean sentence.
#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Text(String),
    Hole(String),
    Particle(Particle),
    /// Only if its holes have something in them.
    Perhaps(Vec<Piece>),
}

/// An English sentence to be recognised.
#[derive(Clone, Debug)]
pub struct Pattern {
    pub parts: Vec<Part>,
    /// How much of it is text: the more, the earlier it is tried.
    pub weight: usize,
}

/// A Korean sentence to be filled.
#[derive(Clone, Debug)]
pub struct Reply(Vec<Piece>);

/// What the holes of a sentence held.
pub type Filled<'a> = Vec<(String, Kind, &'a str)>;

/// How many places are tried in all: sentences are short, but what a file says in one may not be.
pub struct Budget(Cell<u32>);

impl Budget {
    pub fn new() -> Self {
        Self(Cell::new(50_000))
    }

    fn spend(&self) -> bool {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        left > 0
    }
}

/// All the ways in which an English template with alternatives, as in `row[s]` and `[is|are]`, can be read.
pub fn patterns(template: &str) -> Result<Vec<Pattern>, String> {
    let mut all = vec![String::new()];
    let mut rest = template;
    while let Some(at) = rest.find('[') {
        let (before, after) = rest.split_at(at);
        all.iter_mut().for_each(|text| *text += before);
        let end = after.find(']').ok_or("a `[` is not closed")?;
        let inside = &after[1..end];
        let choices: Vec<&str> = match inside.contains('|') {
            true => inside.split('|').collect(),
            false => vec!["", inside],
        };
        all =
            all.iter().flat_map(|text| choices.iter().map(move |choice| format!("{text}{choice}"))).collect();
        rest = &after[end + 1..];
    }
    all.iter_mut().for_each(|text| *text += rest);
    all.iter().map(|text| pattern(text)).collect()
}

fn pattern(text: &str) -> Result<Pattern, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = rest.find('{').unwrap_or(rest.len());
        if at > 0 {
            parts.push(Part::Text(rest[..at].replace('⟦', "[").replace('⟧', "]")));
        }
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or("a `{` is not closed")?;
            let name = &after[..end];
            if matches!(parts.last(), Some(Part::Hole(..))) {
                return Err(format!("the hole `{name}` is next to another"));
            }
            parts.push(Part::Hole(name.to_string(), kind(name)?));
            rest = &after[end + 1..];
        }
    }
    let weight = parts.iter().map(|part| match part {
        Part::Text(text) => 4 * text.len(),
        Part::Hole(_, Kind::Number) => 2,
        Part::Hole(_, Kind::Known | Kind::Why) => 1,
        Part::Hole(_, Kind::Name | Kind::Sentence) => 0,
    });
    let weight = weight.sum();
    Ok(Pattern { parts, weight })
}

fn kind(name: &str) -> Result<Kind, String> {
    let wrong = name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if wrong {
        return Err(format!("`{name}` is no name of a hole"));
    }
    let lower = |c: char| c.is_ascii_lowercase();
    Ok(match name.strip_prefix('n') {
        Some(digits) if digits.chars().all(|c| c.is_ascii_digit()) => Kind::Number,
        _ if name == "WHY" => Kind::Why,
        _ if name.starts_with(lower) => Kind::Name,
        _ if name.contains(lower) => Kind::Sentence,
        _ => Kind::Known,
    })
}

/// Whether a text is a number, as sentences write them.
pub fn is_number(text: &str) -> bool {
    let figures = text.contains(|c: char| c.is_ascii_digit());
    figures && text.chars().all(|c| c.is_ascii_digit() || ".,eE+-−%±".contains(c))
        || matches!(text, "NaN" | "inf" | "-inf" | "–")
}

impl Pattern {
    /// What its holes hold in a sentence, if it is one of these; `fits` says whether something may be in a hole
    /// of a kind.
    pub fn holes<'a>(
        &self,
        text: &'a str,
        fits: &dyn Fn(Kind, &str) -> bool,
        budget: &Budget,
    ) -> Option<Filled<'a>> {
        if let Some(Part::Text(first)) = self.parts.first()
            && !text.starts_with(first.as_str())
        {
            return None;
        }
        if let Some(Part::Text(last)) = self.parts.last()
            && !text.ends_with(last.as_str())
        {
            return None;
        }
        let mut filled = Vec::new();
        fill(&self.parts, text, fits, budget, &mut filled).then_some(filled)
    }
}

fn fill<'a>(
    parts: &[Part],
    text: &'a str,
    fits: &dyn Fn(Kind, &str) -> bool,
    budget: &Budget,
    filled: &mut Filled<'a>,
) -> bool {
    let Some((part, others)) = parts.split_first() else { return text.is_empty() };
    let (name, kind) = match part {
        Part::Text(own) => {
            return text
                .strip_prefix(own.as_str())
                .is_some_and(|rest| fill(others, rest, fits, budget, filled));
        }
        Part::Hole(name, kind) => (name, *kind),
    };
    let Some(Part::Text(next)) = others.first() else {
        let fit = !text.is_empty() && fits(kind, text);
        if fit {
            filled.push((name.clone(), kind, text));
        }
        return fit;
    };
    // Names end as soon as they can; of sentences that are known, the longest counts.
    let mut places: Vec<usize> = text.match_indices(next.as_str()).map(|(at, _)| at).collect();
    if matches!(kind, Kind::Known | Kind::Why) {
        places.reverse();
    }
    for at in places {
        if !budget.spend() {
            return false;
        }
        if at > 0 && fits(kind, &text[..at]) {
            filled.push((name.clone(), kind, &text[..at]));
            if fill(others, &text[at..], fits, budget, filled) {
                return true;
            }
            filled.pop();
        }
    }
    false
}

impl Reply {
    /// Reads a Korean template: holes, particles as in `{을}`, and parts that stand only with their holes, as
    /// in `[ ({why})]`.
    pub fn read(template: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = template;
        while let Some(at) = rest.find('[') {
            let end = rest[at..].find(']').ok_or("a `[` is not closed")? + at;
            read(&rest[..at], &mut pieces)?;
            let mut inside = Vec::new();
            read(&rest[at + 1..end], &mut inside)?;
            pieces.push(Piece::Perhaps(inside));
            rest = &rest[end + 1..];
        }
        read(rest, &mut pieces)?;
        Ok(Self(pieces))
    }

    /// The names of its holes.
    #[cfg(test)]
    pub fn names(&self) -> Vec<&str> {
        fn of<'a>(pieces: &'a [Piece], all: &mut Vec<&'a str>) {
            for piece in pieces {
                match piece {
                    Piece::Hole(name) => all.push(name),
                    Piece::Perhaps(inside) => of(inside, all),
                    Piece::Text(_) | Piece::Particle(_) => {}
                }
            }
        }
        let mut all = Vec::new();
        of(&self.0, &mut all);
        all
    }

    /// The sentence with its holes filled; `said` translates what is in them, by kind.
    pub fn filled(&self, filled: &Filled<'_>, said: &dyn Fn(Kind, &str) -> String) -> String {
        let mut text = String::new();
        write(&self.0, filled, said, &mut text);
        text
    }
}

fn read(mut rest: &str, pieces: &mut Vec<Piece>) -> Result<(), String> {
    while !rest.is_empty() {
        let at = rest.find('{').unwrap_or(rest.len());
        if at > 0 {
            pieces.push(Piece::Text(rest[..at].replace('⟦', "[").replace('⟧', "]")));
        }
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix('{') {
            let end = after.find('}').ok_or("a `{` is not closed")?;
            let name = &after[..end];
            pieces.push(match Particle::named(name) {
                Some(particle) => Piece::Particle(particle),
                None => kind(name).map(|_| Piece::Hole(name.to_string()))?,
            });
            rest = &after[end + 1..];
        }
    }
    Ok(())
}

fn write(pieces: &[Piece], filled: &Filled<'_>, said: &dyn Fn(Kind, &str) -> String, text: &mut String) {
    let held = |name: &str| filled.iter().find(|(its, ..)| its == name);
    for piece in pieces {
        match piece {
            Piece::Text(own) => *text += own,
            Piece::Hole(name) => {
                if let Some((_, kind, value)) = held(name) {
                    *text += &said(*kind, value);
                }
            }
            Piece::Particle(particle) => {
                let form = particle.behind(text);
                *text += &form;
            }
            Piece::Perhaps(inside) => {
                let missing = |piece: &Piece| matches!(piece, Piece::Hole(name) if held(name).is_none());
                if !inside.iter().any(missing) {
                    write(inside, filled, said, text);
                }
            }
        }
    }
}
