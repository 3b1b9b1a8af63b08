//! Which texts an encoder takes for which category, spelled out: for those that cannot compute it.

use super::Encoder;
use crate::column::shortest;
use crate::csv;
use crate::vocabulary::Vocabulary;
use std::collections::HashSet;

impl Encoder {
    /// The texts that stand for a missing value in a column of categories: the empty one, and, unless others
    /// were named when the table was read, `?` and `NaN` in any case.
    pub fn missing_texts(&self) -> Vec<String> {
        csv::missing_texts(self.missing.as_deref())
    }

    /// The texts that are taken for some categories, each with the position of its category: the categories
    /// themselves, and the usual other spellings of those that are numbers (`1.0` for `1`), or words for true
    /// and false (`TRUE` for `true`). A table read by Downhill may hold still others of the same number.
    pub fn spellings(categories: &[String]) -> Vec<(String, usize)> {
        let vocabulary = Vocabulary::new(categories);
        let mut spellings: Vec<(String, usize)> =
            categories.iter().enumerate().map(|(slot, text)| (text.clone(), slot)).collect();
        let mut seen: HashSet<String> = categories.iter().cloned().collect();
        for text in categories {
            let others = [number(text), words(text)].concat();
            for other in others {
                if let Some(slot) = vocabulary.find(&other)
                    && seen.insert(other.clone())
                {
                    spellings.push((other, slot as usize));
                }
            }
        }
        spellings
    }
}

/// Usual spellings of the number that a text is, if it is one.
fn number(text: &str) -> Vec<String> {
    let finite = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    finite
        .map_or_else(Vec::new, |n| vec![shortest(n), format!("{n:?}"), format!("{n:.1}"), format!("{n:.2}")])
}

/// A word in small letters, in capitals, and with a capital in front.
fn words(text: &str) -> Vec<String> {
    let (small, capitals) = (text.to_lowercase(), text.to_uppercase());
    let first = small.chars().next().map_or(0, char::len_utf8);
    let title = format!("{}{}", small[..first].to_uppercase(), &small[first..]);
    vec![small, capitals, title]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spellings(categories: &[&str]) -> Vec<(String, usize)> {
        let categories: Vec<String> = categories.iter().map(|text| (*text).to_owned()).collect();
        Encoder::spellings(&categories)
    }

    #[test]
    fn numbers_and_words_for_true_have_other_spellings() {
        let has = |of: &[(String, usize)], text: &str, slot| of.contains(&(text.to_owned(), slot));
        let numbers = spellings(&["1", "2.50", "x"]);
        assert!(has(&numbers, "1", 0) && has(&numbers, "1.0", 0) && has(&numbers, "1.00", 0));
        assert!(has(&numbers, "2.5", 1) && has(&numbers, "2.50", 1) && has(&numbers, "x", 2));
        // Rounded to one decimal it is another number, and X is another category.
        assert_eq!(spellings(&["0.25"]).len(), 1, "{:?}", spellings(&["0.25"]));
        assert!(!has(&numbers, "X", 2));
        let truths = spellings(&["false", "true"]);
        assert!(has(&truths, "TRUE", 1) && has(&truths, "True", 1) && has(&truths, "False", 0));
        assert_eq!(truths.len(), 6);
    }

    #[test]
    fn two_spellings_of_one_number_keep_their_own_texts() {
        let both = spellings(&["1", "1.0"]);
        assert_eq!(both, [("1".to_owned(), 0), ("1.0".to_owned(), 1)]);
    }
}
