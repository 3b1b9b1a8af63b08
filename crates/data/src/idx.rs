//! Images and labels in the IDX format of MNIST.

use crate::column::Values;
use crate::csv::MOST_COLUMNS;
use crate::error::{Excess, TooLarge, count};
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
    let problem = |path: &Path, problem: String| Error::Idx { path: path.display().to_string(), problem };

    let pixels = read(images, any_size)?;
    let rows = pixels.dimensions[0];
    if pixels.dimensions.len() < 2 {
        let what = "these are labels, an IDX file of one dimension, where images are meant";
        return Err(problem(
            images,
            format!("{what}. Give the images with --images and the labels with --labels"),
        ));
    }
    let stride = pixels.dimensions[1..].iter().fold(1_usize, |all, &size| all.saturating_mul(size));
    if rows == 0 || stride == 0 {
        return Err(problem(images, "there is no image in it".to_owned()));
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
            let n = labels.dimensions.len();
            let what = format!("labels are an IDX file of one dimension, and this one has {n}");
            return Err(problem(path, format!("{what}. Give the images with --images")));
        }
        if labels.dimensions[0] != rows {
            let counts = format!(
                "{} for {}",
                count(labels.dimensions[0], "label", "labels"),
                count(rows, "image", "images")
            );
            return Err(problem(
                path,
                format!("{counts} in {shown}. Give the two files that belong together"),
            ));
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

/// Fails, with the way out, if a file meant as a table of text is an IDX file.
pub(crate) fn refuse(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if !matches!(bytes, [0, 0, 8, 1..=4, ..]) {
        return Ok(());
    }
    let problem =
        "this is an IDX file, not a table of text. Give images with --images and labels with --labels";
    Err(Error::Idx { path: path.display().to_string(), problem: problem.to_owned() })
}

/// Two zero bytes, the type of the values, the number of dimensions, then each as four bytes, big end first.
fn parse(bytes: Vec<u8>) -> Result<Idx, String> {
    let not_idx = || {
        "this is not an IDX file, which begins with two zero bytes. A table of text is given without --images"
            .to_owned()
    };
    let &[0, 0, kind, dimensions] = bytes.first_chunk::<4>().ok_or_else(not_idx)? else {
        return Err(not_idx());
    };
    if kind != 8 {
        return Err(format!("its values are of type {kind:#04x}, and only bytes (0x08) are read"));
    }
    let truncated = |expected: u128, found: usize| {
        format!("it is cut short: {found} bytes where its header announces {expected}. Fetch it again")
    };
    let header = 4 + 4 * usize::from(dimensions);
    let Some(sizes) = bytes.get(4..header).filter(|sizes| !sizes.is_empty()) else {
        return Err(truncated(header as u128, bytes.len()));
    };
    let dimensions: Vec<usize> =
        sizes.chunks_exact(4).map(|s| u32::from_be_bytes([s[0], s[1], s[2], s[3]]) as usize).collect();
    let values = dimensions.iter().try_fold(1_u128, |product, &size| product.checked_mul(size as u128));
    let expected = values.and_then(|values| values.checked_add(header as u128)).unwrap_or(u128::MAX);
    let found = bytes.len();
    if (found as u128) < expected {
        return Err(truncated(expected, found));
    }
    if found as u128 > expected {
        return Err(format!("it has {found} bytes where its header announces {expected}. Fetch it again"));
    }
    Ok(Idx { dimensions, bytes: bytes[header..].to_vec() })
}
