//! What a search looks among.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Domain, Error, Settings, Value};

/// The place, on its domain, of a setting that a trial does not have.
pub(crate) const ABSENT: f64 = -1.0;

/// What stands between a domain and a condition.
const IF: &str = " if ";

/// A domain for each setting that is searched, in an order that is a part of it.
///
/// A setting may be there only where another one has some value, which stands behind its domain:
/// `uniform(0.5, 0.99) if kind=momentum`, `log(1e-3, 1) if kind=a|b`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space(Vec<Entry>);

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    name: String,
    domain: Domain,
    only_if: Option<Condition>,
}

/// Where a setting is searched: only where another one, a choice, has one of these values.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    setting: String,
    values: Vec<String>,
}

impl Condition {
    /// A domain, and what stands behind it, if anything does.
    pub fn split(text: &str) -> Result<(&str, Option<Self>), Error> {
        let Some((domain, condition)) = text.split_once(IF) else { return Ok((text, None)) };
        let read = condition.split_once('=').map(|(setting, values)| Self {
            setting: setting.trim().trim_start_matches('-').to_string(),
            values: values.split('|').map(|value| value.trim().to_string()).collect(),
        });
        match read {
            Some(read) if !read.setting.is_empty() && read.values.iter().all(|value| !value.is_empty()) => {
                Ok((domain.trim(), Some(read)))
            }
            _ => Err(Error::spelling(
                text,
                "behind `if` stands another setting and its value, as in `if optimizer=muon` or \
                 `if optimizer=adamw|muon`",
            )),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.setting, self.values.join("|"))
    }
}

impl Space {
    /// A space without settings, to add some to.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more setting, whose domain is spelt as [`Domain`] says.
    ///
    /// # Errors
    ///
    /// If the domain cannot be read, or there is a setting of that name.
    pub fn with(mut self, name: &str, domain: &str) -> Result<Self, Error> {
        let (domain, only_if) = Condition::split(domain)?;
        self.add(name, domain.parse()?, only_if)?;
        Ok(self)
    }

    /// Adds a setting, which is there always, or only where the condition holds.
    ///
    /// # Errors
    ///
    /// If there is one of that name.
    pub fn add(&mut self, name: &str, domain: Domain, only_if: Option<Condition>) -> Result<(), Error> {
        if self.domain(name).is_some() {
            return Err(Error::Mismatch(format!("the setting {name} is given two spaces; give it one")));
        }
        self.0.push(Entry { name: name.to_string(), domain, only_if });
        Ok(())
    }

    /// The domain of a setting, if it is searched.
    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.0.iter().find(|entry| entry.name == name).map(|entry| &entry.domain)
    }

    /// Where a setting is searched, if not everywhere.
    pub fn condition(&self, name: &str) -> Option<&Condition> {
        self.0.iter().find(|entry| entry.name == name)?.only_if.as_ref()
    }

    /// All settings.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Domain)> {
        self.0.iter().map(|entry| (entry.name.as_str(), &entry.domain))
    }

    /// The number of settings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is searched.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails if nothing is searched, or a condition can never hold.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::Mismatch(
                "the space is empty: nothing is searched; give a setting a space, such as log(1e-4, 1e-1)"
                    .into(),
            ));
        }
        for Entry { name, only_if, .. } in &self.0 {
            let Some(condition) = only_if else { continue };
            let wrong = |why: String| Err(Error::Mismatch(format!("{name} if {condition}: {why}")));
            let other = &condition.setting;
            let Some(entry) = self.0.iter().find(|entry| entry.name == *other) else {
                return wrong(format!(
                    "{other} is not searched; give it a choice(…), or leave the condition out"
                ));
            };
            let Domain::Choice(words) = &entry.domain else {
                return wrong(format!("{other} is not a choice, whose options a condition is about"));
            };
            if entry.only_if.is_some() {
                return wrong(format!(
                    "{other} has a condition itself; name the setting that this one is about"
                ));
            }
            if let Some(unknown) = condition.values.iter().find(|value| !words.contains(value)) {
                return wrong(format!("{other} is never {unknown}; it is one of {}", words.join(", ")));
            }
        }
        Ok(())
    }

    pub(crate) fn domains(&self) -> Vec<&Domain> {
        self.0.iter().map(|entry| &entry.domain).collect()
    }

    /// Whether a setting is there, at a point.
    fn is_there(&self, entry: &Entry, point: &[f64]) -> bool {
        let Some(condition) = &entry.only_if else { return true };
        let other = self.0.iter().position(|entry| entry.name == condition.setting);
        other.is_some_and(|at| match self.0[at].domain.value(point[at]) {
            Value::Word(word) => condition.values.contains(&word),
            Value::Number(_) => false,
        })
    }

    /// Marks the places of settings that are not there.
    pub(crate) fn mask(&self, point: &mut [f64]) {
        let absent: Vec<bool> = self.0.iter().map(|entry| !self.is_there(entry, point)).collect();
        for (place, absent) in point.iter_mut().zip(absent) {
            if absent {
                *place = ABSENT;
            }
        }
    }

    /// The settings at a point, which has a place for each domain.
    pub(crate) fn settings(&self, point: &[f64]) -> Settings {
        let there = self.0.iter().zip(point).filter(|(entry, _)| self.is_there(entry, point));
        Settings(there.map(|(entry, &at)| (entry.name.clone(), entry.domain.value(at))).collect())
    }

    /// These settings without those that are not searched, because they are not in the space or another one
    /// has a value with which they are not there.
    ///
    /// # Errors
    ///
    /// If one is missing or outside of its domain, in words.
    pub fn fit(&self, settings: &Settings) -> Result<Settings, String> {
        let place = |entry: &Entry| {
            settings.get(&entry.name).and_then(|value| entry.domain.place(value)).unwrap_or(ABSENT)
        };
        let point: Vec<f64> = self.0.iter().map(place).collect();
        let there = self.0.iter().filter(|entry| self.is_there(entry, &point));
        let known = |entry: &Entry| Some((entry.name.clone(), settings.get(&entry.name)?.clone()));
        let fitted: Settings = there.filter_map(known).collect();
        self.point(&fitted).map(|_| fitted)
    }

    /// The point of settings of this space.
    pub(crate) fn point(&self, settings: &Settings) -> Result<Vec<f64>, String> {
        if let Some((unknown, _)) = settings.iter().find(|(name, _)| self.domain(name).is_none()) {
            return Err(format!("the setting {unknown} is not in the space"));
        }
        let place = |Entry { name, domain, only_if }: &Entry| {
            let Some(value) = settings.get(name) else {
                let is_free = only_if.is_some();
                return if is_free { Ok(ABSENT) } else { Err(format!("the setting {name} is missing")) };
            };
            domain.place(value).ok_or_else(|| format!("{name} {value} is not in {domain}"))
        };
        let point: Vec<f64> = self.0.iter().map(place).collect::<Result<_, _>>()?;
        let wrong = self
            .0
            .iter()
            .zip(&point)
            .find(|(entry, place)| self.is_there(entry, &point) == (**place == ABSENT));
        match wrong {
            Some((entry, place)) if *place == ABSENT => Err(format!("the setting {} is missing", entry.name)),
            Some((entry, _)) => {
                Err(format!("the setting {} is there, and its condition does not hold", entry.name))
            }
            None => Ok(point),
        }
    }
}

impl Serialize for Space {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |entry: &Entry| match &entry.only_if {
            Some(condition) => format!("{}{IF}{condition}", entry.domain),
            None => entry.domain.to_string(),
        };
        serializer.collect_map(self.0.iter().map(|entry| (&entry.name, text(entry))))
    }
}

impl<'de> Deserialize<'de> for Space {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let table = serde_json::Map::<String, serde_json::Value>::deserialize(deserializer)?;
        let mut space = Self::default();
        for (name, domain) in table {
            let text = domain.as_str().ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "the space of {name} must be text such as \"log(1e-4, 1e-1)\""
                ))
            })?;
            space = space.with(&name, text).map_err(serde::de::Error::custom)?;
        }
        Ok(space)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_space_reads_back_from_toml_in_its_order() {
        let space = Space::new().with("z", "log(1e-5, 1)").unwrap().with("a", "choice(x, y)").unwrap();
        let text = toml::to_string(&space).unwrap();
        assert_eq!(text, "z = \"log(1e-5, 1)\"\na = \"choice(x, y)\"\n");
        assert_eq!(toml::from_str::<Space>(&text).unwrap(), space);
        assert!(toml::from_str::<Space>("a = 3").unwrap_err().to_string().contains("must be text"));
    }

    #[test]
    fn a_setting_has_one_space_and_a_search_has_some() {
        let twice = Space::new().with("a", "int(1, 2)").unwrap().with("a", "int(1, 3)");
        assert!(twice.unwrap_err().to_string().contains("two spaces"));
        assert!(Space::new().check().unwrap_err().to_string().contains("the space is empty"));
    }

    #[test]
    fn values_become_points_again() {
        let space = Space::new().with("z", "log(1e-5, 1)").unwrap().with("a", "choice(x, y)").unwrap();
        let values = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        let point = space.point(&values(r#"{"z": 0.01, "a": "y"}"#)).unwrap();
        assert_eq!(space.settings(&point).to_string(), "z 0.01, a y");
        assert!(space.point(&values(r#"{"z": 0.01}"#)).unwrap_err().contains("a is missing"));
        assert!(space.point(&values(r#"{"z": 2, "a": "y"}"#)).unwrap_err().contains("is not in log"));
        assert!(space.point(&values(r#"{"q": 2}"#)).unwrap_err().contains("not in the space"));
    }

    #[test]
    fn a_setting_may_be_there_only_where_another_has_a_value() {
        let text = "kind = \"choice(a, b, c)\"\nx = \"uniform(0, 1) if kind=a|c\"\n";
        let space: Space = toml::from_str(text).unwrap();
        assert_eq!(toml::to_string(&space).unwrap(), text);
        space.check().unwrap();
        assert_eq!(space.settings(&[0.0, 0.5]).to_string(), "kind a, x 0.5");
        assert_eq!(space.settings(&[1.0, 0.5]).to_string(), "kind b");
        let values = |text: &str| serde_json::from_str::<Settings>(text).unwrap();
        assert_eq!(space.point(&values(r#"{"kind": "c", "x": 0.5}"#)).unwrap(), [2.0, 0.5]);
        assert_eq!(space.point(&values(r#"{"kind": "b"}"#)).unwrap(), [1.0, ABSENT]);
        assert!(space.point(&values(r#"{"kind": "a"}"#)).unwrap_err().contains("x is missing"));
        assert!(space.point(&values(r#"{"kind": "b", "x": 0.5}"#)).unwrap_err().contains("does not hold"));
    }

    #[test]
    fn conditions_that_cannot_hold_are_told() {
        let error = |x: &str| {
            let space = Space::new().with("kind", "choice(a, b)").unwrap().with("y", "int(1, 3)").unwrap();
            space.with("x", x).and_then(|space| space.check()).unwrap_err().to_string()
        };
        assert!(error("uniform(0, 1) if z=a").contains("z is not searched"));
        assert!(error("uniform(0, 1) if y=1").contains("y is not a choice"));
        assert!(error("uniform(0, 1) if kind=c").contains("kind is never c; it is one of a, b"));
        assert!(error("uniform(0, 1) if kind").contains("another setting and its value"));
        assert!(error("uniform(0, 1) if kind=").contains("another setting and its value"));
    }
}
