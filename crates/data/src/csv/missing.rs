//! Which values stand for missing ones.

/// What stands for a missing number: the list of pandas, and what spreadsheets and databases write.
const AMONG_NUMBERS: [&str; 26] = [
    "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
    "NA", "NULL", "NaN", "None", "n/a", "nan", "null", "\\N", "-", "--", ".", "#DIV/0!", "#VALUE!", "#REF!",
    "#NUM!",
];

/// Whether a text stands for a missing value where numbers are meant.
pub(crate) fn is_missing_number(text: &str) -> bool {
    AMONG_NUMBERS.contains(&text.trim())
}

/// The texts that stand for a missing value among text, where these were named, or none.
pub(crate) fn missing_texts(named: Option<&[String]>) -> Vec<String> {
    let mut texts = vec![String::new()];
    match named {
        Some(named) => texts.extend(named.iter().map(|text| text.trim().to_owned())),
        None => {
            texts.push("?".to_owned());
            // NaN in any case.
            let cased = |upper: u32, at: u32, c: char| {
                if upper >> at & 1 == 1 { c.to_ascii_uppercase() } else { c }
            };
            texts.extend(
                (0..8).map(|upper| (0..).zip("nan".chars()).map(|(at, c)| cased(upper, at, c)).collect()),
            );
        }
    }
    texts
}

/// Which values stand for missing ones in a table.
#[derive(Clone, Debug)]
pub(super) struct Missing {
    /// Those that somebody named, in place of the usual ones.
    named: Option<Vec<String>>,
}

impl Missing {
    pub fn new(named: Option<&[String]>) -> Self {
        let named = named.map(|named| named.iter().map(|text| text.trim().to_owned()).collect());
        Self { named }
    }

    /// Whether a value is missing whatever else its column holds: empty, `?` or `NaN` in any case, or named
    /// as missing.
    pub fn anywhere(&self, text: &str) -> bool {
        let text = text.trim();
        text.is_empty()
            || match &self.named {
                None => text == "?" || text.eq_ignore_ascii_case("nan"),
                Some(named) => named.iter().any(|name| name == text),
            }
    }

    /// Whether some plain number stands for a missing value.
    pub fn names_numbers(&self) -> bool {
        let number = |name: &String| name.parse::<f64>().is_ok();
        self.named.as_ref().is_some_and(|named| named.iter().any(number))
    }

    /// Whether a value is missing if the others of its column are numbers or dates, and a value among text:
    /// `NA` is a country's code.
    pub fn among_numbers_only(&self, text: &str) -> bool {
        self.named.is_none() && is_missing_number(text)
    }

    /// Whether a value is missing in a column of numbers or dates.
    pub fn among_numbers(&self, text: &str) -> bool {
        self.anywhere(text) || self.among_numbers_only(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ones_and_those_that_are_named() {
        let usual = Missing::new(None);
        for text in ["", " ", "?", "NaN", "nAn"] {
            assert!(usual.anywhere(text) && usual.among_numbers(text), "{text:?}");
        }
        for text in ["NA", "N/A", "n/a", "NULL", "null", "None", "-nan", "#N/A", "#DIV/0!", "\\N", "-", "."] {
            assert!(!usual.anywhere(text) && usual.among_numbers(text), "{text:?}");
        }
        let named = Missing::new(Some(&["x".to_owned(), "-1".to_owned()]));
        for (text, missing) in
            [("", true), ("x", true), ("-1", true), ("NA", false), ("?", false), ("nan", false)]
        {
            assert_eq!(named.anywhere(text), missing, "{text:?}");
            assert_eq!(named.among_numbers(text), missing, "{text:?}");
        }
        assert!(Missing::new(Some(&[])).anywhere("") && !Missing::new(Some(&[])).anywhere("NA"));
        for named in [None, Some(&["x".to_owned(), "-1".to_owned()][..])] {
            let missing = Missing::new(named);
            let texts = missing_texts(named);
            assert!(texts.iter().all(|text| missing.anywhere(text)), "{texts:?}");
        }
        assert_eq!(missing_texts(None).len(), 10);
    }
}
