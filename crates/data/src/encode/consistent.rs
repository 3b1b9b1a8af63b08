//! Whether an encoder that was read from a file can have been learnt.

use super::{Encoder, Encoding, OutputEncoding};
use std::collections::HashSet;

impl Encoder {
    /// What an encoder says that contradicts itself, in words; none for every one that was learnt. One that
    /// was read from a file is asked before it is used: it would stop the program, or fill the features of
    /// one column with another's.
    pub fn contradiction(&self) -> Option<String> {
        if self.inputs.is_empty() {
            return Some("its encoder has no inputs".to_owned());
        }
        let of_inputs = self.inputs.iter().find_map(|input| {
            let wrong = input.encoding.contradiction()?;
            Some(format!("its encoder says of the column `{}` {wrong}", input.column))
        });
        let range = |number: usize, columns: usize| match number.checked_add(columns) {
            Some(end) if end <= self.width => None,
            _ => Some(format!("are {columns} from number {number} on, of only {}", self.width)),
        };
        let places = || {
            self.inputs.iter().find_map(|input| {
                let columns = match input.encoding {
                    Encoding::Pixels { count, .. } => count,
                    Encoding::Number { .. }
                    | Encoding::Date { .. }
                    | Encoding::Indicator
                    | Encoding::Categories { .. } => 1,
                };
                let wrong = range(input.number, columns)?;
                Some(format!("its encoder's columns for `{}` {wrong}", input.column))
            })
        };
        let of_target = || self.target.encoding.contradiction(&self.target.column);
        of_inputs.or_else(places).or_else(of_target)
    }
}

impl Encoding {
    fn contradiction(&self) -> Option<String> {
        match self {
            Self::Number { mean, std, fill, .. } | Self::Date { mean, std, fill, .. } => scale(*mean, *std)
                .or_else(|| (!fill.is_finite()).then(|| format!("that it is filled with {fill}"))),
            Self::Indicator => None,
            Self::Categories { rare, .. } if !(0.0..=1.0).contains(rare) => {
                Some(format!("that a share of {rare} of it is rare"))
            }
            Self::Categories { categories, .. } => {
                twice(categories).map(|category| format!("that it has the category `{category}` twice"))
            }
            Self::Pixels { count: 0, .. } => Some("that it is 0 pixels".to_owned()),
            Self::Pixels { mean, std, .. } => scale(*mean, *std),
        }
        .or_else(|| (self.width() == 0).then(|| "that it becomes no feature".to_owned()))
    }
}

impl OutputEncoding {
    fn contradiction(&self, column: &str) -> Option<String> {
        match self {
            Self::Classes { classes } if classes.len() < 2 => {
                Some(format!("its target `{column}` has {} classes, and needs 2", classes.len()))
            }
            Self::Classes { classes } => {
                twice(classes).map(|class| format!("its target `{column}` has the class `{class}` twice"))
            }
            Self::Number { mean, std, notation: _ } => {
                scale(*mean, *std).map(|wrong| format!("its encoder says of the target `{column}` {wrong}"))
            }
        }
    }
}

/// What is wrong with a mean and a standard deviation.
fn scale(mean: f64, std: f64) -> Option<String> {
    let good = mean.is_finite() && std.is_finite() && std > 0.0;
    (!good).then(|| format!("that its mean is {mean} and its standard deviation {std}"))
}

fn twice(names: &[String]) -> Option<&String> {
    let mut seen = HashSet::with_capacity(names.len());
    names.iter().find(|name| !seen.insert(name.as_str()))
}

#[cfg(test)]
mod tests {
    use crate::{Encoder, Table};
    use serde_json::{Value, json};

    fn learnt(table: &str) -> Encoder {
        Table::bundled(table).unwrap().default_target().split(0.2, 1).unwrap().encoder.unwrap()
    }

    fn read(encoder: Value) -> Option<String> {
        serde_json::from_value::<Encoder>(encoder).unwrap().contradiction()
    }

    #[test]
    fn what_was_learnt_does_not_contradict_itself() {
        for data in crate::bundled::catalogue() {
            assert_eq!(learnt(data.name).contradiction(), None, "{}", data.name);
        }
    }

    #[test]
    fn what_was_changed_by_hand_does() {
        let pixels = |count: usize, std: f64| json!({"pixels": {"count": count, "mean": 3.0, "std": std}});
        for (table, place, value, says) in [
            ("iris", "/target/encoding/classes/classes", json!([]), "has 0 classes, and needs 2"),
            ("iris", "/target/encoding/classes/classes", json!(["x"]), "has 1 classes, and needs 2"),
            ("iris", "/target/encoding/classes/classes", json!(["x", "y", "x"]), "has the class `x` twice"),
            ("iris", "/inputs", json!([]), "has no inputs"),
            ("iris", "/inputs/1/number", json!(99), "are 1 from number 99 on, of only 5"),
            ("iris", "/inputs/1/number", json!(usize::MAX), "from number 18446744073709551615"),
            ("iris", "/inputs/1/encoding/number/std", json!(0.0), "its standard deviation 0"),
            ("iris", "/inputs/1/encoding/number/fill", Value::Null, ""),
            ("iris", "/width", json!(2), "are 1 from number 2 on, of only 2"),
            ("digits", "/inputs/0/encoding", pixels(0, 1.0), "is 0 pixels"),
            ("digits", "/inputs/0/encoding", pixels(65, 1.0), "are 65 from number 1 on, of only 65"),
            ("digits", "/inputs/0/encoding", pixels(usize::MAX, 1.0), "of only 65"),
            ("digits", "/inputs/0/encoding", pixels(2, -1.0), "its standard deviation -1"),
            ("diabetes", "/target/encoding/number/std", json!(0.0), "of the target `progression`"),
            (
                "iris",
                "/inputs/0/encoding",
                json!({"categories": {"categories": ["a", "a"], "missing": false, "other": false}}),
                "the category `a` twice",
            ),
            (
                "iris",
                "/inputs/0/encoding",
                json!({"categories": {"categories": ["a"], "missing": false, "other": false, "rare": 7.0}}),
                "a share of 7 of it is rare",
            ),
            (
                "iris",
                "/inputs/0/encoding",
                json!({"categories": {"categories": [], "missing": false, "other": false}}),
                "becomes no feature",
            ),
        ] {
            let mut encoder = serde_json::to_value(learnt(table)).unwrap();
            *encoder.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = value;
            if says.is_empty() {
                // JSON has no infinite numbers.
                assert!(serde_json::from_value::<Encoder>(encoder).is_err());
                continue;
            }
            let contradiction = read(encoder).unwrap_or_default();
            assert!(contradiction.contains(says), "{place}: {contradiction}");
        }
    }
}
