//! The names of columns, from a header line.

use crate::error::list;
use std::collections::{HashMap, HashSet};

/// Names from a header line; nameless columns get their number, and a repeated name gets one behind it.
pub(super) fn names_of<'a>(
    header: impl IntoIterator<Item = &'a str>,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    // For each repeated name, the number that was put behind it last: without it, the search for a free one
    // would begin anew each time.
    let mut copies: HashMap<String, usize> = HashMap::new();
    let mut repeated: Vec<String> = Vec::new();
    let mut names = Vec::new();
    for (number, field) in header.into_iter().enumerate() {
        let plain = if field.trim().is_empty() { format!("c{number}") } else { field.trim().to_owned() };
        let mut name = plain.clone();
        if !taken.insert(name.clone()) {
            let copy = copies.entry(plain.clone()).or_default();
            while !taken.insert(name.clone()) {
                *copy += 1;
                name = format!("{plain}.{copy}");
            }
            repeated.push(name.clone());
        }
        names.push(name);
    }
    if !repeated.is_empty() {
        notes.push(format!(
            "The header names some columns more than once; the later ones are called {}.",
            list(&repeated, 10)
        ));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn nameless_and_repeated_names() {
        let mut notes = Vec::new();
        let names = names_of(["", "a", "a", "b", "a", "a.1"], &mut notes);
        assert_eq!(names, ["c0", "a", "a.1", "b", "a.2", "a.1.1"]);
        assert!(notes[0].contains("`a.1`, `a.2`, `a.1.1`"), "{notes:?}");
    }

    #[test]
    fn many_repeated_names_take_no_time() {
        let start = Instant::now();
        let names = names_of(std::iter::repeat_n("a", 200_000), &mut Vec::new());
        assert_eq!(names[199_999], "a.199999");
        // 200 000 names tried one by one would take an hour.
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
