//! From a value's serde tree back to its spelling.

use serde_json::Value;

/// Spells a tree: a table with one entry is `name(key=value, …)`, as serde writes an enum.
pub(super) fn spell(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Array(items) => format!("[{}]", joined(items.iter().map(spell))),
        Value::Object(table) => {
            let calls = table.iter().map(|(name, settings)| match settings {
                Value::Object(settings) if settings.is_empty() => name.clone(),
                Value::Object(settings) => {
                    let given = settings.iter().filter(|(_, value)| !value.is_null());
                    format!("{name}({})", joined(given.map(|(key, value)| format!("{key}={}", spell(value)))))
                }
                plain => format!("{name}({})", spell(plain)),
            });
            joined(calls)
        }
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Null => value.to_string(),
    }
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(", ")
}
