//! How well classes are told apart, in tables for people.

use std::collections::HashSet;

use downhill::train::{ClassMetrics, Classification, Metrics};

use crate::output;

/// Of more classes, tables cannot be read any more; JSON has them.
const MOST_CLASSES: usize = 12;
/// A name has no more characters than these, unless it takes more to tell it from the others.
const NAME: usize = 16;

/// The confusion matrix, and the figures of each class if they are not too many to read.
pub fn tables(metrics: &Metrics, most: usize) -> Option<String> {
    let Metrics::Classification(metrics) = metrics else { return None };
    let (all, counts) = (metrics.by_class.as_ref()?, metrics.confusion.as_ref()?);
    if all.len() > MOST_CLASSES || all.len() != counts.len() {
        return None;
    }
    let names: Vec<String> = all.iter().map(|metrics| output::visible(&metrics.class)).collect();
    let names = shortened(&names);
    let figures = if all.len() <= most { by_class(&names, all, metrics) } else { String::new() };
    Some(confusion(&names, counts, output::width()) + &figures)
}

/// A row for each class, a column for each prediction; columns have numbers for names where the names are too
/// wide.
fn confusion(names: &[String], counts: &[Vec<u64>], most: usize) -> String {
    let actual = output::said("actual");
    let longest = |names: &[String]| names.iter().map(|name| output::width_of(name)).max().unwrap_or(0);
    let digits = counts.iter().flatten().map(|count| count.to_string().len()).max().unwrap_or(0);
    let stub = longest(names).max(output::width_of(&actual)) + 2;
    let width = longest(names).max(digits) + 2;
    let numbered = 2 + stub + width * names.len() > most;
    let (heads, rows) = if numbered {
        let heads: Vec<String> = (1..=names.len()).map(|number| number.to_string()).collect();
        let rows = heads.iter().zip(names).map(|(number, name)| format!("{number:>2} {name}")).collect();
        (heads, rows)
    } else {
        (names.to_vec(), names.to_vec())
    };
    let stub = longest(&rows).max(output::width_of(&actual)) + 2;
    let width = longest(&heads).max(digits) + 2;
    let mut table =
        format!("  {:<stub$}{}\n  {}", "", output::said("predicted"), output::left(&actual, stub));
    heads.iter().for_each(|head| table += &output::right(head, width));
    table.push('\n');
    for (name, row) in rows.iter().zip(counts) {
        table += &format!("  {}", output::left(name, stub));
        row.iter().for_each(|count| table += &format!("{count:>width$}"));
        table.push('\n');
    }
    table
}

/// A row for each class, and one for their means.
fn by_class(names: &[String], all: &[ClassMetrics], means: &Classification) -> String {
    let mean_name = output::said("macro mean");
    let stub = names.iter().map(|name| output::width_of(name)).max().unwrap_or(0);
    let stub = stub.max(output::width_of(&mean_name)) + 2;
    let head = ["precision", "recall", "F1", "rows"].map(|name| output::right(&output::said(name), 9));
    let mut table = format!("  {:<stub$}{}\n", "", head.concat());
    let rows = all.iter().map(|one| one.support).sum();
    let mean = ([means.macro_precision, means.macro_recall, means.macro_f1], rows);
    let of = |one: &ClassMetrics| ([one.precision, one.recall, one.f1], one.support);
    let lines = names.iter().map(String::as_str).zip(all.iter().map(of)).chain([(&*mean_name, mean)]);
    for (name, (figures, rows)) in lines {
        table += &format!("  {}", output::left(name, stub));
        figures.iter().for_each(|figure| table += &format!("{figure:>9.3}"));
        table += &format!("{rows:>9}\n");
    }
    table
}

/// Names that are not longer than they need to be to be told apart: cut at their ends, in the middle or in
/// front.
fn shortened(names: &[String]) -> Vec<String> {
    let longest = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    for most in NAME..longest {
        for [first, last] in [[most - 1, 0], [most - 1 - most / 2, most / 2], [0, most - 1]] {
            let short: Vec<String> = names.iter().map(|name| cut(name, most, first, last)).collect();
            if short.iter().collect::<HashSet<_>>().len() == names.len() {
                return short;
            }
        }
    }
    names.to_vec()
}

/// A name of more than `most` characters with only some of its first and last.
fn cut(name: &str, most: usize, first: usize, last: usize) -> String {
    let count = name.chars().count();
    if count <= most {
        return name.to_string();
    }
    let [before, after]: [String; 2] =
        [name.chars().take(first).collect(), name.chars().skip(count - last).collect()];
    format!("{before}…{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        shortened(&names.iter().map(|name| name.to_string()).collect::<Vec<_>>())
    }

    #[test]
    fn names_are_told_apart_wherever_they_differ() {
        assert_eq!(names(&["yes", "no"]), ["yes", "no"]);
        let [a, b] = ["a long name that ends so", "b long name that ends so"];
        assert_eq!(names(&[a, b]), ["a long name tha…", "b long name tha…"]);
        let ends = names(&["customer-service-billing", "customer-service-returns"]);
        assert_eq!(ends, ["custome…-billing", "custome…-returns"]);
        let middle = ["customer-service-one-of-the-desks", "customer-service-two-of-the-desks"];
        let apart = names(&middle);
        assert!(apart[0] != apart[1] && apart[0].chars().count() < middle[0].len(), "{apart:?}");
        // Whole, if nothing less will do.
        let whole = ["x".repeat(15) + "1" + &"x".repeat(15), "x".repeat(31)];
        let short = shortened(&whole);
        assert_ne!(short[0], short[1]);
    }

    #[test]
    fn a_matrix_too_wide_has_numbers_for_columns() {
        let names: Vec<String> = (0..8).map(|class| format!("a-name-of-class-{class}")).collect();
        let counts = vec![vec![7; 8]; 8];
        let table = confusion(&names, &counts, 80);
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
        assert!(table.contains("\n   8 a-name-of-class-7"), "{table}");
        assert!(confusion(&names, &counts, 400).lines().nth(1).unwrap().contains("a-name-of-class-7"));
    }
}
