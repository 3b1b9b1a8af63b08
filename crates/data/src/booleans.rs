//! True and false in all their spellings.

use std::collections::HashSet;

/// Words for true and false that belong together.
const PAIRS: [[&str; 2]; 4] = [["true", "false"], ["yes", "no"], ["t", "f"], ["y", "n"]];

/// Whether texts are words of one such pair only, in any case, and some word occurs in more than one.
pub(crate) fn is_truths<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> bool {
    let mut words = HashSet::new();
    are_words(texts.clone()) && texts.clone().any(|text| !words.insert(text.to_lowercase()))
}

/// Whether texts, one or more, are words of one such pair only, in any case.
pub(crate) fn are_words<'a>(texts: impl Iterator<Item = &'a str> + Clone) -> bool {
    let of_pair = |pair: &[&str; 2]| texts.clone().all(|text| pair.contains(&&*text.to_lowercase()));
    texts.clone().next().is_some() && PAIRS.iter().any(of_pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_spellings_of_true_are_told_from_other_words() {
        for (texts, expected) in [
            (&["true", "True", "FALSE"][..], true),
            (&["Y", "n", "y"], true),
            (&["yes", "Yes"], true),
            (&["true", "false"], false),
            (&["t", "T", "n"], false),
            (&["true", "True", "maybe"], false),
            (&["A", "a"], false),
            (&[], false),
        ] {
            assert_eq!(is_truths(texts.iter().copied()), expected, "{texts:?}");
        }
    }
}
