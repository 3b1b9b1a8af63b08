//! The right word for a misspelt one.

/// The candidate most like `word`, if one is like it enough to be meant: for "did you mean …?".
///
/// ```
/// use downhill_optim::nearest;
///
/// assert_eq!(nearest("adm", ["sgd", "adam"]), Some("adam"));
/// assert_eq!(nearest("income", ["age", "sex"]), None);
/// ```
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    candidates
        .into_iter()
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
