//! What is translated is still what the sources say: a sentence whose wording has changed is found here, not
//! by a reader of Korean who meets English.

use std::fs;
use std::path::{Path, PathBuf};

use downhill_words::sentences;

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            all.push(path);
        }
    }
}

/// The text of all crates' sources but their tests, with broken strings put together.
fn sources() -> String {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut all = Vec::new();
    for entry in fs::read_dir(crates).unwrap() {
        let source = entry.unwrap().path().join("src");
        if source.is_dir() {
            files(&source, &mut all);
        }
    }
    let text = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        let end = text.find("#[cfg(test)]\nmod tests").unwrap_or(text.len());
        let mut parts = text[..end].split("\\\n");
        let first = parts.next().unwrap_or_default().to_string();
        parts.fold(first, |text, part| text + part.trim_start()).replace("\\\"", "\"")
    };
    all.iter().map(text).collect::<Vec<_>>().join("\n")
}

/// The sentences of this project: others' stand at the end of the file.
fn ours() -> impl Iterator<Item = (usize, &'static str)> {
    let file = include_str!("../src/ko.txt");
    let others = file.lines().position(|line| line.starts_with("## Not ours")).expect("there are some");
    sentences().into_iter().filter(move |one| one.line <= others).map(|one| (one.line, one.english))
}

/// What stands between holes and alternatives.
fn fragments(english: &str) -> Vec<String> {
    let mut fragments = vec![String::new()];
    for letter in english.chars() {
        match letter {
            '{' | '[' | '}' | ']' => fragments.push(String::new()),
            '⟦' => fragments.last_mut().unwrap().push('['),
            '⟧' => fragments.last_mut().unwrap().push(']'),
            letter => fragments.last_mut().unwrap().push(letter),
        }
    }
    fragments.iter().step_by(2).map(|fragment| bare(fragment).to_string()).collect()
}

fn bare(text: &str) -> &str {
    text.trim_matches([' ', ',', '.', ':', ';', '(', ')', '`'])
}

/// How many pieces of the sources a fragment is made of, none if there is a word that they do not have.
/// Sentences are put together of parts, so there may be several, but not many.
fn pieces(fragment: &str, sources: &str) -> Option<usize> {
    let words: Vec<&str> = fragment.split(' ').collect();
    let (mut from, mut pieces) = (0, 0);
    while from < words.len() {
        let ends = (from + 1..=words.len()).rev();
        from = ends.into_iter().find(|&to| sources.contains(bare(&words[from..to].join(" "))))?;
        pieces += 1;
    }
    Some(pieces)
}

#[test]
fn every_sentence_is_in_the_sources() {
    let sources = sources();
    let mut gone = Vec::new();
    for (line, english) in ours() {
        for fragment in fragments(english).iter().filter(|fragment| fragment.len() > 3) {
            let most = 3.max(2 + fragment.split(' ').count() / 6);
            if pieces(fragment, &sources).is_none_or(|pieces| pieces > most) {
                gone.push(format!("line {line}: {fragment:?}"));
            }
        }
    }
    assert!(gone.is_empty(), "the sources do not say this any more:\n{}", gone.join("\n"));
}

#[test]
fn a_sentence_that_has_changed_is_found() {
    let sources = "format!(\"the run {run} is under way in {holder}; wait for it, or stop it\")";
    assert_eq!(pieces("is under way in", sources), Some(1));
    assert_eq!(pieces("is being made in", sources), None);
    assert_eq!(fragments("{n} row[s] of {data}, as they are"), ["", "row", "of", "as they are"]);
}
