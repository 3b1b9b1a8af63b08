//! The right word for a misspelt one.

/// A longer word is nobody's slip of the finger, and comparing two takes the product of their lengths.
const LONGEST: usize = 100;

/// The candidate most like `word`, if one is like it enough to be meant: for "did you mean …?".
///
/// ```
/// use downhill_core::nearest;
///
/// assert_eq!(nearest("adm", ["sgd", "adam"]), Some("adam"));
/// assert_eq!(nearest("income", ["age", "sex"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LONGEST)
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let related =
                word.len() > 1 && other.len() > 1 && (other.starts_with(&word) || word.starts_with(&other));
            let score = strsim::jaro_winkler(&word, &other).max(if related { 0.9 } else { 0.0 });
            (candidate, score)
        })
        .filter(|&(_, score)| score > 0.75)
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_words_are_not_compared() {
        let long = "a".repeat(1_000_000);
        let others = vec![long.as_str(); 100];
        assert_eq!(nearest(&long, others.iter().copied()), None);
        assert_eq!(nearest("adm", others.iter().copied().chain(["adam"])), Some("adam"));
    }
}
