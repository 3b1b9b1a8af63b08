//! Images and labels in the IDX format of MNIST.

use crate::column::Values;
use crate::csv::MOST_COLUMNS;
use crate::error::{Excess, IdxProblem, TooLarge};
use crate::{Column, Error, Table, file};
use std::path::Path;
use std::sync::Arc;

/// A block of bytes with its dimensions, the first of which counts the examples.
struct Idx {
    dimensions: Vec<usize>,
    bytes: Vec<u8>,
}

pub(crate) fn table(images: &Path, labels: Option<&Path>, any_size: bool) -> Result<Table, Error> {
    let shown = images.display().to_string();
    let wrong = |path: &Path, problem| Error::Idx { path: path.display().to_string(), problem };

    let pixels = read(images, any_size)?;
    let rows = *pixels.dimensions.first().ok_or_else(|| wrong(images, IdxProblem::NoImages))?;
    if pixels.dimensions.len() < 2 {
        return Err(wrong(images, IdxProblem::LabelsForImages));
    }
    let stride = pixels.dimensions[1..].iter().fold(1_usize, |all, &size| all.saturating_mul(size));
    if rows == 0 || stride == 0 {
        return Err(wrong(images, IdxProblem::NoImages));
    }
    if stride >= MOST_COLUMNS && !any_size {
        let (file, what) = (shown, Excess::Pixels(stride));
        return Err(TooLarge { file, what, limit: MOST_COLUMNS as u64 }.into());
    }
    let bytes: Arc<[u8]> = pixels.bytes.into();
    let mut columns: Vec<Column> = (0..stride)
        .map(|offset| {
            let values = Values::Pixels { bytes: Arc::clone(&bytes), stride, offset };
            Column::new(format!("p{offset}"), offset, values)
        })
        .collect();

    if let Some(path) = labels {
        let labels = read(path, any_size)?;
        if labels.dimensions.len() != 1 {
            return Err(wrong(path, IdxProblem::ImagesForLabels { dimensions: labels.dimensions.len() }));
        }
        if labels.dimensions[0] != rows {
            let counts = IdxProblem::Counts { labels: labels.dimensions[0], images: rows, file: shown };
            return Err(wrong(path, counts));
        }
        let values = Values::Numbers(labels.bytes.iter().map(|&label| f64::from(label)).collect());
        columns.push(Column::new("label".to_owned(), stride, values));
    }
    Ok(Table {
        name: file::stem(images),
        file: shown,
        rows,
        width: columns.len(),
        lines: Vec::new(),
        named: true,
        left_out: Vec::new(),
        target: labels.map(|_| stride),
        notes: Vec::new(),
        missing: None,
        columns,
    })
}

fn read(path: &Path, any_size: bool) -> Result<Idx, Error> {
    let bytes = file::read(path, any_size)?;
    parse(bytes).map_err(|problem| Error::Idx { path: path.display().to_string(), problem })
}

/// Fails if a file meant as a table of text is an IDX file.
pub(crate) fn refuse(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if !matches!(bytes, [0, 0, 8, 1..=4, ..]) {
        return Ok(());
    }
    Err(Error::Idx { path: path.display().to_string(), problem: IdxProblem::NotATable })
}

/// Two zero bytes, the type of the values, the number of dimensions, then each as four bytes, big end first.
fn parse(bytes: Vec<u8>) -> Result<Idx, IdxProblem> {
    let &[0, 0, kind, dimensions] = bytes.first_chunk::<4>().ok_or(IdxProblem::NotIdx)? else {
        return Err(IdxProblem::NotIdx);
    };
    if kind != 8 {
        return Err(IdxProblem::Kind(kind));
    }
    let found = bytes.len();
    let header = 4 + 4 * usize::from(dimensions);
    let Some(sizes) = bytes.get(4..header) else {
        return Err(IdxProblem::Length { found, announced: header as u64 });
    };
    let dimensions: Vec<usize> =
        sizes.chunks_exact(4).map(|s| u32::from_be_bytes([s[0], s[1], s[2], s[3]]) as usize).collect();
    // A size of 0 behind sizes that overflow comes to nothing all the same.
    let values = dimensions.iter().fold(1_u128, |product, &size| product.saturating_mul(size as u128));
    let announced = values.saturating_add(header as u128);
    if found as u128 != announced {
        let announced = u64::try_from(announced).unwrap_or(u64::MAX);
        return Err(IdxProblem::Length { found, announced });
    }
    Ok(Idx { dimensions, bytes: bytes[header..].to_vec() })
}
