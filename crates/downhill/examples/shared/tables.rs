//! The tables that benchmarks run on.

use std::error::Error;
use std::fs;
use std::path::Path;

use downhill::data::bundled;
use downhill::prelude::*;

/// The bundled tables, and those in a folder and in `tables` inside it, if there is such a folder; of all
/// these those that are named, or all if none is.
pub fn tables(folder: &Path, names: &[String]) -> Result<Vec<(String, Table)>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for data in bundled::catalogue() {
        tables.push((data.name.to_string(), Table::bundled(data.name)?));
    }
    let more = folder.join("tables");
    for folder in [folder, &more].into_iter().filter(|folder| folder.is_dir()) {
        let mut files = fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect::<Result<Vec<_>, std::io::Error>>()?;
        files.sort();
        for path in files {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            if path.extension().is_some_and(|extension| extension == "csv") && name != "adult-test" {
                tables.push((name, Table::open(path)?));
            }
        }
    }
    let images = folder.join("mnist/t10k-images-idx3-ubyte.gz");
    if images.exists() {
        let labels = folder.join("mnist/t10k-labels-idx1-ubyte.gz");
        tables.push(("mnist-t10k".into(), Table::images(images, Some(&labels))?));
    }
    tables.retain(|(name, _)| names.is_empty() || names.contains(name));
    Ok(tables)
}
