//! Named tensors with a description and a checksum, in one safetensors file.
//!
//! Any safetensors reader can open such a file. Its metadata has one entry, `downhill`: a JSON object with
//! `kind`, `description`, and `sha256` over both and over every tensor's name, shape and bytes.

use std::collections::HashMap;
use std::path::Path;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::{Error, durable, file};

/// The key of the only metadata entry.
const KEY: &str = "downhill";

/// A tensor to be written.
pub(crate) struct Named<'a> {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: &'a [f32],
}

/// What has been read.
pub(crate) struct Archive<D> {
    pub description: D,
    tensors: HashMap<String, Tensor>,
}

/// A tensor that has been read.
struct Tensor {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl<D> Archive<D> {
    /// Copies a tensor into `values`, if it is there and of this shape.
    pub fn copy(&self, name: &str, shape: &[usize], values: &mut [f32]) -> Result<(), String> {
        values.copy_from_slice(self.tensor(name, shape)?);
        Ok(())
    }

    /// The values of a tensor, if it is there and of this shape.
    pub fn tensor(&self, name: &str, shape: &[usize]) -> Result<&[f32], String> {
        let tensor = self.tensors.get(name).ok_or_else(|| format!("it has no tensor `{name}`"))?;
        if tensor.shape != shape {
            return Err(format!("`{name}` is of the shape {:?}, not {shape:?}", tensor.shape));
        }
        Ok(&tensor.values)
    }
}

#[derive(Serialize, Deserialize)]
struct Header {
    kind: String,
    sha256: String,
    description: Box<RawValue>,
}

fn checksum<'a>(
    kind: &str,
    description: &RawValue,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    part(kind.as_bytes());
    part(description.get().as_bytes());
    let mut tensors: Vec<_> = tensors.collect();
    tensors.sort_by_key(|tensor| tensor.0);
    for (name, shape, bytes) in tensors {
        part(name.as_bytes());
        part(format!("{shape:?}").as_bytes());
        part(bytes);
    }
    hex(&hash.finalize())
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes an archive in place of the one that may be there, or leaves that untouched.
pub(crate) fn save<D: Serialize>(
    doing: &'static str,
    path: &Path,
    kind: &str,
    description: &D,
    tensors: &[Named<'_>],
) -> Result<(), Error> {
    let broken = |why: String| Error::Mismatch(format!("could not {doing} {}: {why}", path.display()));
    let file = to_bytes(kind, description, tensors).map_err(broken)?;
    Ok(durable::write(doing, path, &file)?)
}

/// The bytes of an archive.
///
/// # Errors
///
/// In words, if it cannot be written as one.
pub(crate) fn to_bytes<D: Serialize>(
    kind: &str,
    description: &D,
    tensors: &[Named<'_>],
) -> Result<Vec<u8>, String> {
    let description = serde_json::value::to_raw_value(description).map_err(|error| error.to_string())?;
    let parts = tensors.iter().map(|tensor| (tensor, bytemuck::cast_slice::<f32, u8>(tensor.values)));
    let sha256 = checksum(
        kind,
        &description,
        parts.clone().map(|(tensor, data)| (tensor.name.as_str(), tensor.shape.as_slice(), data)),
    );
    let header = Header { kind: kind.to_string(), sha256, description };
    let header = serde_json::to_string(&header).map_err(|error| error.to_string())?;
    let views = parts
        .map(|(tensor, data)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), data);
            view.map(|view| (tensor.name.as_str(), view))
        })
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| error.to_string())?;
    let metadata = HashMap::from([(KEY.to_string(), header)]);
    safetensors::serialize(views, Some(metadata)).map_err(|error| error.to_string())
}

/// Reads an archive back.
///
/// # Errors
///
/// If the file cannot be read, is not such an archive, or has changed since it was written.
pub(crate) fn load<D: DeserializeOwned>(
    doing: &'static str,
    path: &Path,
    kind: &str,
) -> Result<Archive<D>, Error> {
    let bytes = file::read(doing, path)?;
    open(&bytes, kind).map_err(|wrong| match wrong {
        Wrong::Damage(why) => downhill_run::Error::Damaged { path: path.to_path_buf(), why }.into(),
        Wrong::Kind(found) => Error::Mismatch(format!("{} is a {found}, not a {kind}", path.display())),
    })
}

/// Why bytes cannot be taken for an archive.
#[derive(Debug)]
pub(crate) enum Wrong {
    /// They are not what was written.
    Damage(String),
    /// They are an archive of this other kind.
    Kind(String),
}

impl Wrong {
    /// In words, where another kind was expected.
    pub fn why(self, kind: &str) -> String {
        match self {
            Self::Damage(why) => why,
            Self::Kind(found) => format!("it is a {found}, not a {kind}"),
        }
    }
}

impl From<String> for Wrong {
    fn from(why: String) -> Self {
        Self::Damage(why)
    }
}

/// Reads the bytes of an archive.
pub(crate) fn open<D: DeserializeOwned>(bytes: &[u8], kind: &str) -> Result<Archive<D>, Wrong> {
    if bytes.is_empty() {
        return Err(Wrong::Damage("it is empty".into()));
    }
    // Eight bytes of length, then a JSON object.
    if bytes.get(8) != Some(&b'{') {
        return Err(Wrong::Damage("it is not a safetensors file".into()));
    }
    let unreadable = |error: &dyn std::fmt::Display| format!("it cannot be read as safetensors ({error})");
    let file = SafeTensors::deserialize(bytes).map_err(|error| unreadable(&error))?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| unreadable(&error))?;
    let header = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
    let header = header.ok_or_else(|| "it is not a file of Downhill's".to_string())?;
    let header: Header =
        serde_json::from_str(header).map_err(|error| format!("its description cannot be read ({error})"))?;
    if header.kind != kind {
        return Err(Wrong::Kind(header.kind));
    }
    let tensors: Vec<_> = file.iter().collect();
    let parts = tensors.iter().map(|(name, view)| (*name, view.shape(), view.data()));
    if checksum(kind, &header.description, parts) != header.sha256 {
        return Err(Wrong::Damage("its checksum does not match its content".into()));
    }
    let description = serde_json::from_str(header.description.get())
        .map_err(|error| format!("its description is of another version ({error})"))?;
    let values = |view: &TensorView<'_>| {
        let chunks = view.data().chunks_exact(4);
        chunks.map(|chunk| f32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]])).collect()
    };
    let mut read = HashMap::with_capacity(tensors.len());
    for (name, view) in tensors {
        if view.dtype() != Dtype::F32 {
            return Err(Wrong::Damage(format!(
                "its tensor `{name}` is of the type {:?}, not F32",
                view.dtype()
            )));
        }
        let tensor = Tensor { shape: view.shape().to_vec(), values: values(&view) };
        read.insert(name.to_string(), tensor);
    }
    Ok(Archive { description, tensors: read })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_flipped_bit_and_every_cut_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.safetensors");
        let values = [1.5, -2.0, 0.25];
        let tensors = [Named { name: "0.weight".into(), shape: vec![3], values: &values }];
        save("write", &path, "model", &[7u64, 8], &tensors).unwrap();

        let archive: Archive<Vec<u64>> = load("read", &path, "model").unwrap();
        assert_eq!(archive.description, [7, 8]);
        let mut read = [0.0; 3];
        archive.copy("0.weight", &[3], &mut read).unwrap();
        assert_eq!(read, values);
        assert!(archive.copy("1.weight", &[3], &mut read).is_err());
        assert!(archive.copy("0.weight", &[1, 3], &mut read).is_err());
        assert!(load::<Vec<u64>>("read", &path, "checkpoint").is_err());

        let good = fs::read(&path).unwrap();
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            // Only a change in the file's padding or spelling that leaves the content alone may pass.
            if let Ok(archive) = open::<Vec<u64>>(&bad, "model") {
                assert_eq!(archive.description, [7, 8], "bit {bit}");
                let mut read = [0.0; 3];
                archive.copy("0.weight", &[3], &mut read).unwrap();
                assert_eq!(read, values, "bit {bit}");
            }
        }
        for end in 0..good.len() {
            assert!(open::<Vec<u64>>(&good[..end], "model").is_err(), "cut at {end}");
        }
    }
}
