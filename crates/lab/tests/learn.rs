//! The figures for people who learn, in a browser, and their words.

mod browser;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use browser::Browser;
use common::Served;
use serde_json::Value;

const STOPS: [&str; 9] =
    ["ball", "curves", "noise", "schedules", "weights", "overfitting", "wall", "finder", "search"];

/// Every sentence by its key, in English and in Korean.
fn words() -> BTreeMap<String, BTreeMap<String, String>> {
    let module = include_str!("../page/learn/words.js");
    let (_, words) = module.split_once("export const words = ").unwrap();
    serde_json::from_str(words.trim_end().trim_end_matches(';')).unwrap()
}

/// The modules of the figures, but for their words.
fn modules() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/learn");
    let mut modules = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".js") && name != "words.js" {
            modules.push((name, std::fs::read_to_string(path).unwrap()));
        }
    }
    modules
}

fn is_korean(text: &str) -> bool {
    text.chars().any(|character| ('가'..='힣').contains(&character))
}

#[test]
fn no_sentence_is_missing_in_either_language() {
    let words = words();
    assert!(words.len() > 200);
    for (key, languages) in &words {
        let known: Vec<&str> = languages.keys().map(String::as_str).collect();
        assert_eq!(known, ["en", "ko"], "{key}");
        let (english, korean) = (&languages["en"], &languages["ko"]);
        assert!(!english.trim().is_empty() && !korean.trim().is_empty() && !is_korean(english), "{key}");
        // Names and formulas are the same in both; whatever else has a few words of letters is a sentence.
        let is_word =
            |word: &&str| word.len() > 3 && word.chars().all(|c| c.is_alphabetic() || ".,:;".contains(c));
        let is_sentence = english.split(' ').filter(is_word).count() > 1;
        assert!(!is_sentence || is_korean(korean) || english == korean, "{key} is not Korean: {korean}");
        let values = |text: &str| -> BTreeSet<String> {
            let inside = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
            inside.map(|(name, _)| name.to_string()).collect()
        };
        assert_eq!(values(english), values(korean), "{key} says different things");
        for mark in ["**", "`"] {
            assert!(english.matches(mark).count() % 2 == 0 && korean.matches(mark).count() % 2 == 0, "{key}");
        }
    }
}

#[test]
fn every_sentence_is_used_and_every_one_used_is_there() {
    let words = words();
    let text: String = modules().into_iter().map(|(_, text)| text).collect();
    // What a page is put together from: `${prefix}.title`.
    let built = |key: &str| {
        let (start, end) = key.split_once('.').unwrap_or((key, ""));
        ["control", "option", "verdict", "schedule", "knob", "sampler"].contains(&start)
            || ["title", "text", "formula", "name"].iter().any(|part| end.ends_with(part))
            || key.ends_with(".describe")
            || text.contains(&format!("`{start}.${{"))
    };
    for key in words.keys() {
        assert!(text.contains(&format!("\"{key}\"")) || built(key), "{key} is not used");
    }
    for (module, text) in modules() {
        assert!(!is_korean(&text), "{module} has words of its own");
        // ` t("key"` and `(t("key"`, and not `get("name"`.
        let calls = [" t(\"", "(t(\"", "{t(\"", "[t(\""];
        for part in calls.iter().flat_map(|call| text.split(call).skip(1)) {
            let key = part.split('"').next().unwrap();
            assert!(words.contains_key(key), "{module} asks for {key}");
        }
    }
}

/// The stop is there: it has said its verdict, and nothing is being worked on.
const READY: &str = "(() => { const said = [...document.querySelectorAll('.verdict')]; \
    return said.length && said.every((p) => p.textContent) && !document.querySelector('[aria-busy=true]') \
    && [...document.querySelectorAll('.figure')].every((f) => f.hidden || f.querySelector('svg.plot')); })()";

/// What is wrong with the page as it stands, for people who hear it or have a narrow screen.
const FAULTS: &str = "(() => { const faults = []; \
    if (document.documentElement.scrollWidth > innerWidth) faults.push('wider than the window'); \
    for (const input of document.querySelectorAll('main input')) \
      if (!input.labels?.length && !input.getAttribute('aria-label')) faults.push('no label: ' + input.outerHTML); \
    for (const plot of document.querySelectorAll('svg.plot')) { \
      if (plot.getAttribute('role') !== 'img' || !plot.getAttribute('aria-label')) faults.push('no description'); \
      if (/NaN|undefined|null/.test(plot.outerHTML)) faults.push('not a number: ' + plot.getAttribute('aria-label')); } \
    for (const error of document.querySelectorAll('.error')) \
      if (!error.hidden && error.textContent) faults.push(error.textContent); \
    for (const part of document.querySelectorAll('.stop *')) \
      if (getComputedStyle(part).position === 'fixed') faults.push('in front of all: ' + part.className); \
    const [prose, lesson] = ['.prose', '.lesson .seen, .lesson .figure'].map((what) => document.querySelector(what)); \
    const below = Math.max(lesson.getBoundingClientRect().top, document.querySelector('.verdict').getBoundingClientRect().top); \
    if (below < prose.getBoundingClientRect().bottom) faults.push('the figure lies over the text'); \
    if (/undefined|NaN|\\{\\w+\\}/.test(document.querySelector('main').innerText)) faults.push('a hole in the text'); \
    return faults; })()";

#[test]
fn every_stop_is_well_in_both_languages_narrow_and_wide() {
    let Some(mut browser) = Browser::open() else { return };
    let served = Served::new();
    let page = format!("http://127.0.0.1:{}/{}/", served.port, served.token);
    browser.go(&page);
    for (width, lang) in [(390, "en"), (390, "ko"), (1600, "ko"), (1600, "en")] {
        browser.width(width);
        for stop in STOPS {
            browser.go(&format!("{page}#/learn/{stop}?lang={lang}"));
            browser.until(READY);
            let at = format!("{stop} in {lang}, {width} wide");
            assert_eq!(browser.value(FAULTS), Value::Array(Vec::new()), "{at}");
            assert_eq!(browser.trouble(), Vec::<String>::new(), "{at}");
            let title = &words()[&format!("{stop}.title")][lang];
            assert_eq!(browser.value("document.querySelector('h1').textContent"), **title, "{at}");
            let text = browser.value("document.querySelector('main').innerText");
            assert_eq!(is_korean(text.as_str().unwrap()), lang == "ko", "{at}");
        }
    }
}

#[test]
fn a_figure_is_moved_by_keys_by_dragging_and_by_its_address() {
    let Some(mut browser) = Browser::open() else { return };
    let served = Served::new();
    let page = format!("http://127.0.0.1:{}/{}/", served.port, served.token);
    browser.width(1200);

    // What a teacher sends: the state is in the address.
    browser.go(&format!("{page}#/learn/ball?lang=en&rule=momentum&rate=0.2&momentum=0.5&steps=60"));
    browser.until(READY);
    let verdict = "document.querySelector('.verdict').textContent";
    let said = browser.value(verdict);
    assert!(said.as_str().unwrap().starts_with("Momentum at η = 0.2 arrives: after 60 steps"), "{said}");

    // Keys move a slider, the verdict and the address.
    browser.value("document.getElementById('learn-ball-rate').focus()");
    for _ in 0..5 {
        browser.press("ArrowRight", 39);
    }
    browser.until(&format!("!{verdict}.includes('η = 0.2 ')"));
    browser.until("Number(new URLSearchParams(location.hash.split('?')[1]).get('rate')) > 0.2");

    // Another rule; the rate that was chosen stays.
    browser.value("document.querySelector('input[value=adam]').click()");
    browser.until(&format!("{verdict}.startsWith('Adam at η = 0.2')"));

    // Dragging moves the start.
    let box_of = |browser: &mut Browser, what: &str| -> Vec<f64> {
        let script = format!(
            "(() => {{ const box = document.querySelector('{what}').getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        browser.value(&script).as_array().unwrap().iter().map(|at| at.as_f64().unwrap()).collect()
    };
    browser.value("document.querySelector('.grip').scrollIntoView({ block: 'center' })");
    let at = box_of(&mut browser, ".grip");
    browser.mouse("mousePressed", at[0], at[1]);
    browser.mouse("mouseMoved", at[0] + 60.0, at[1] + 20.0);
    browser.mouse("mouseMoved", at[0] + 120.0, at[1] + 30.0);
    browser.mouse("mouseReleased", at[0] + 120.0, at[1] + 30.0);
    browser.until("Number(new URLSearchParams(location.hash.split('?')[1]).get('x')) > -7");
    let moved = box_of(&mut browser, ".grip");
    assert!((moved[0] - at[0] - 120.0).abs() < 8.0, "{at:?} {moved:?}");

    // The language is switched, and the state stays.
    let rule = "new URLSearchParams(location.hash.split('?')[1]).get('rule')";
    browser.until(&format!("{rule} === 'adam'"));
    browser.value(
        "(() => { const all = [...document.querySelectorAll('select')]; \
         const choice = all.find((select) => [...select.options].some((option) => option.value === 'ko')); \
         choice.value = 'ko'; choice.dispatchEvent(new Event('change')); })()",
    );
    browser.until(&format!("document.documentElement.lang === 'ko' && {READY}"));
    assert_eq!(browser.value(rule), "adam");

    // Nonsense in an address is no state.
    browser.go(&format!("{page}#/learn/curves?lang=en&rate=fast&no=1"));
    browser.until(READY);
    assert_eq!(
        browser.value("document.getElementById('learn-curves-rate').getAttribute('aria-valuetext')"),
        "0.01"
    );
    // A spec that is none says so, and the others are still drawn.
    browser.go(&format!("{page}#/learn/schedules?lang=en&spec=cosin(0.1)"));
    browser.until("document.querySelector('.schedule .error').textContent.includes('cosine')");
    browser.until("document.querySelectorAll('svg.plot polyline').length >= 4");
    assert_eq!(browser.trouble(), Vec::<String>::new());
}
