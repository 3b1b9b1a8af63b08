//! A table as text: it is read, or refused, and what is read can be learnt from or is refused.

use downhill::data::{ReadOptions, Table};

pub fn run(bytes: &[u8]) {
    let Ok(table) = Table::read(super::file("table.csv", bytes), &ReadOptions::default()) else { return };
    if let Ok(data) = table.default_target().split(0.2, 1) {
        assert_eq!(data.encoder.and_then(|encoder| encoder.contradiction()), None);
    }
}
