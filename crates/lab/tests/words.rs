//! Every word of the page is there in both languages.

use std::collections::BTreeMap;
use std::path::Path;

/// The keys of a module of words, each with the text of its value.
fn words(module: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut last = String::new();
    for line in module.lines() {
        let entry = line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '}', '/']));
        let Some((key, value)) = entry.and_then(|entry| entry.split_once(':')) else {
            if line.starts_with("   ") {
                *found.get_mut(&last).unwrap_or(&mut String::new()) += line;
            }
            continue;
        };
        last = key.trim_matches('"').to_string();
        assert!(found.insert(last.clone(), value.to_string()).is_none(), "{last} is there twice");
    }
    found
}

#[test]
fn both_languages_have_the_same_words() {
    let (en, ko) = (words(include_str!("../page/words/en.js")), words(include_str!("../page/words/ko.js")));
    let keys = |words: &BTreeMap<String, String>| words.keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&en), keys(&ko));
    assert!(en.len() > 10);
    for (key, english) in &en {
        let korean = &ko[key];
        assert_eq!(english.contains("=>"), korean.contains("=>"), "{key}: one is a function");
        assert!(!english.chars().any(|c| ('가'..='힣').contains(&c)), "{key}: {english}");
        let same = english == korean;
        let is_korean = korean.chars().any(|c| ('가'..='힣').contains(&c));
        assert!(is_korean || same, "{key} is not Korean: {korean}");
    }
}

#[test]
fn the_html_has_no_words_of_its_own() {
    let html = include_str!("../page/index.html");
    let body = &html[html.find("<body>").unwrap()..];
    let mut text = String::new();
    let mut inside = false;
    for character in body.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(character),
            _ => {}
        }
    }
    assert_eq!(text.trim(), "");
}

/// What the page's modules ask for by `t("…")` is a word.
#[test]
fn every_word_that_is_asked_for_is_there() {
    let en = words(include_str!("../page/words/en.js"));
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("page");
    let mut asked = 0;
    // The figures for people who learn have words of their own.
    for folder in [page.clone(), page.join("lib")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|end| end != "js") {
                continue;
            }
            let module = std::fs::read_to_string(&path).unwrap();
            for (at, _) in module.match_indices("t(\"") {
                // The end of another function's name is none of the words'.
                if module[..at].ends_with(|before: char| before.is_alphanumeric() || "._$".contains(before)) {
                    continue;
                }
                let key = module[at + 3..].split('"').next().unwrap();
                asked += 1;
                assert!(en.contains_key(key), "{key}, in {path:?}");
            }
        }
    }
    assert!(asked > 100, "{asked}");
}
