//! The languages there are.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use crate::catalogue;

/// A language that people read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl FromStr for Lang {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "en" => Ok(Self::En),
            "ko" => Ok(Self::Ko),
            _ => Err("the languages are en and ko".into()),
        }
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl Lang {
    /// As HTML and SVG name it: `en`, `ko`.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ko => "ko",
        }
    }

    /// The language of a locale, such as `ko_KR.UTF-8`: Korean if it is one of Korea's, or else English.
    pub fn of_locale(locale: &str) -> Self {
        match locale.split(['_', '.', '@', '-']).next() {
            Some("ko" | "kor" | "korean") => Self::Ko,
            _ => Self::En,
        }
    }

    /// The language of the locale that a process has: of the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that
    /// is set and not empty, as `variable` gives them.
    pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set);
        locale.map_or(Self::En, |locale| Self::of_locale(&locale))
    }

    /// What is said in English, in this language: line by line, each whole or in its sentences. What the
    /// catalogue does not have stays as it is, as do names, numbers, paths and spaces around a line.
    pub fn said(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::En => Cow::Borrowed(text),
            Self::Ko => catalogue::korean().said(text).map_or(Cow::Borrowed(text), Cow::Owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_have_their_codes() {
        for lang in [Lang::En, Lang::Ko] {
            assert_eq!(lang.to_string().parse(), Ok(lang));
        }
        assert!("kr".parse::<Lang>().is_err());
    }

    #[test]
    fn the_first_locale_that_is_set_counts() {
        let of = |all: &[(&str, &str)]| {
            Lang::of_environment(|name| {
                all.iter().find(|(its, _)| *its == name).map(|(_, value)| (*value).to_string())
            })
        };
        assert_eq!(of(&[]), Lang::En);
        assert_eq!(of(&[("LANG", "ko_KR.UTF-8")]), Lang::Ko);
        assert_eq!(of(&[("LANG", "ko")]), Lang::Ko);
        assert_eq!(of(&[("LANG", "kok_IN")]), Lang::En);
        assert_eq!(of(&[("LC_ALL", "C"), ("LANG", "ko_KR.UTF-8")]), Lang::En);
        assert_eq!(of(&[("LC_ALL", ""), ("LC_MESSAGES", "ko_KR"), ("LANG", "en_GB")]), Lang::Ko);
    }
}
