//! Images and labels: the first two bytes say how long the file of images is, and the labels are behind it.

use downhill::data::Table;

pub fn run(bytes: &[u8]) {
    let (length, bytes) = bytes.split_at(bytes.len().min(2));
    let length = length.iter().fold(0, |length, &byte| length * 256 + usize::from(byte));
    let (images, labels) = bytes.split_at(length.min(bytes.len()));
    let (images, labels) = (super::file("images", images), super::file("labels", labels));
    let _ = Table::images(&images, None);
    if let Ok(table) = Table::images(&images, Some(&labels)) {
        let _ = table.default_target().split(0.2, 1);
    }
}
