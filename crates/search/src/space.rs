//! What a search looks among.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Domain, Error, Settings};

/// A domain for each setting that is searched, in an order that is a part of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Space(Vec<(String, Domain)>);

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
        let domain: Domain = domain.parse()?;
        self.add(name, domain)?;
        Ok(self)
    }

    /// Adds a setting.
    ///
    /// # Errors
    ///
    /// If there is one of that name.
    pub fn add(&mut self, name: &str, domain: Domain) -> Result<(), Error> {
        if self.domain(name).is_some() {
            return Err(Error::Mismatch(format!("the setting {name} is given two spaces; give it one")));
        }
        self.0.push((name.to_string(), domain));
        Ok(())
    }

    /// The domain of a setting, if it is searched.
    pub fn domain(&self, name: &str) -> Option<&Domain> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, domain)| domain)
    }

    /// All settings.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Domain)> {
        self.0.iter().map(|(name, domain)| (name.as_str(), domain))
    }

    /// The number of settings.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is searched.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Fails if nothing is searched.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_empty() {
            return Err(Error::Mismatch(
                "the space is empty: nothing is searched; give a setting a space, such as log(1e-4, 1e-1)"
                    .into(),
            ));
        }
        Ok(())
    }

    pub(crate) fn domains(&self) -> Vec<&Domain> {
        self.0.iter().map(|(_, domain)| domain).collect()
    }

    /// The settings at a point, which has a place for each domain.
    pub(crate) fn settings(&self, point: &[f64]) -> Settings {
        Settings(
            self.0.iter().zip(point).map(|((name, domain), &at)| (name.clone(), domain.value(at))).collect(),
        )
    }

    /// The point of settings of this space.
    pub(crate) fn point(&self, settings: &Settings) -> Result<Vec<f64>, String> {
        if let Some((unknown, _)) = settings.iter().find(|(name, _)| self.domain(name).is_none()) {
            return Err(format!("the setting {unknown} is not in the space"));
        }
        let place = |(name, domain): &(String, Domain)| {
            let value = settings.get(name).ok_or_else(|| format!("the setting {name} is missing"))?;
            domain.place(value).ok_or_else(|| format!("{name} {value} is not in {domain}"))
        };
        self.0.iter().map(place).collect()
    }
}

impl Serialize for Space {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, domain)| (name, domain.to_string())))
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
            let domain: Domain = text.parse().map_err(serde::de::Error::custom)?;
            space.add(&name, domain).map_err(serde::de::Error::custom)?;
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
}
