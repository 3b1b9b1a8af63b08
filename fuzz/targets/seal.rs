//! The checksum of a model file or a checkpoint made right again after a change, as anybody can who knows the
//! format: what is behind the checksum has to stand on its own.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The file with a checksum that is right; none if it is no file of this kind.
pub fn sealed(file: &[u8]) -> Option<Vec<u8>> {
    let (mut header, data) = split(file)?;
    let mut own = own(&header)?;
    let sum = sum(&header, data, own.get("kind")?.as_str()?, &description(&own))?;
    own.insert("sha256".into(), sum.into());
    header.get_mut("__metadata__")?["downhill"] = Value::Object(own).to_string().into();
    Some(joined(&header, data))
}

/// The file with another description, and a checksum that is right.
pub fn described(file: &[u8], change: impl FnOnce(&mut Value)) -> Option<Vec<u8>> {
    let (mut header, data) = split(file)?;
    let mut own = own(&header)?;
    change(own.get_mut("description")?);
    header.get_mut("__metadata__")?["downhill"] = Value::Object(own).to_string().into();
    sealed(&joined(&header, data))
}

/// The header, and the bytes of the tensors.
fn split(file: &[u8]) -> Option<(Value, &[u8])> {
    let length = u64::from_le_bytes(file.get(..8)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(8)?;
    let header: Value = serde_json::from_slice(file.get(8..end)?).ok()?;
    header.is_object().then_some((header, &file[end..]))
}

fn joined(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    let padded = header.len().next_multiple_of(8);
    let mut file = (padded as u64).to_le_bytes().to_vec();
    file.extend(header.as_bytes());
    file.resize(8 + padded, b' ');
    file.extend(data);
    file
}

/// What Downhill says in the file.
fn own(header: &Value) -> Option<Map<String, Value>> {
    match serde_json::from_str(header.get("__metadata__")?.get("downhill")?.as_str()?).ok()? {
        Value::Object(own) => Some(own),
        _ => None,
    }
}

fn description(own: &Map<String, Value>) -> String {
    own.get("description").map(Value::to_string).unwrap_or_default()
}

fn sum(header: &Value, data: &[u8], kind: &str, description: &str) -> Option<String> {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(kind.as_bytes());
    part(description.as_bytes());
    let mut names: Vec<&String> = header.as_object()?.keys().filter(|name| *name != "__metadata__").collect();
    names.sort();
    for name in names {
        let whole = |value: &Value| usize::try_from(value.as_u64()?).ok();
        let list = |key: &str| -> Option<Vec<usize>> {
            header[name].get(key)?.as_array()?.iter().map(whole).collect()
        };
        let (shape, offsets) = (list("shape")?, list("data_offsets")?);
        part(name.as_bytes());
        part(format!("{shape:?}").as_bytes());
        part(data.get(*offsets.first()?..*offsets.get(1)?)?);
    }
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
