//! Known categories, found again as another file may write them.

use crate::booleans;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Categories and their positions.
pub(crate) struct Vocabulary<'a> {
    exact: HashMap<&'a str, u32>,
    /// Those that are numbers, by value: a column of `1`, `2` and `x` is text, and one of `1.0` and `2.0` is
    /// not. None where two spell the same number.
    numbers: HashMap<u64, Option<u32>>,
    /// Where all are words for true and false, those in small letters. None where two differ in nothing else.
    truths: HashMap<String, Option<u32>>,
}

impl<'a> Vocabulary<'a> {
    pub fn new(texts: &'a [String]) -> Self {
        let mut vocabulary = Self { exact: HashMap::new(), numbers: HashMap::new(), truths: HashMap::new() };
        let are_words = booleans::are_words(texts.iter().map(String::as_str));
        for (code, text) in (0..).zip(texts) {
            vocabulary.exact.insert(text, code);
            if let Some(bits) = number_bits(text) {
                vocabulary.numbers.entry(bits).and_modify(|found| *found = None).or_insert(Some(code));
            }
            if are_words {
                vocabulary
                    .truths
                    .entry(text.to_lowercase())
                    .and_modify(|found| *found = None)
                    .or_insert(Some(code));
            }
        }
        vocabulary
    }

    /// The position of a category spelt this way, or of the same number, or of true or false, spelt another
    /// way.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.exact
            .get(text)
            .copied()
            .or_else(|| number_bits(text).and_then(|bits| self.numbers.get(&bits).copied().flatten()))
            .or_else(|| self.truths.get(&text.to_lowercase()).copied().flatten())
    }

    /// As [`find`](Self::find); if that fails, with a full stop at the end taken away or added.
    pub fn find_label(&self, text: &str) -> Option<u32> {
        self.find(text)
            .or_else(|| text.strip_suffix('.').and_then(|plain| self.find(plain)))
            .or_else(|| self.find(&format!("{text}.")))
    }
}

fn number_bits(text: &str) -> Option<u64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| (number + 0.0).to_bits())
}

/// The order of categories: numbers by value, before other text by its characters.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}
