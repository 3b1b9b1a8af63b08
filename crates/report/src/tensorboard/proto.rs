//! The wire format of protocol buffers, as far as event files need it.
//!
//! <https://protobuf.dev/programming-guides/encoding/>. Fields are to be added in the order of their numbers,
//! as other writers do. A number that is zero is left out, which reads as zero, but for those of a `oneof`.

/// A message being written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn key(&mut self, field: u64, wire: u64) {
        self.varint(field << 3 | wire);
    }

    /// A whole number, or the number of an enumeration's value.
    pub fn whole(mut self, field: u64, value: u64) -> Self {
        if value != 0 {
            self.key(field, 0);
            self.varint(value);
        }
        self
    }

    pub fn double(self, field: u64, value: f64) -> Self {
        if value.to_bits() == 0 { self } else { self.double_of_several(field, value) }
    }

    /// A number in a `oneof`.
    pub fn double_of_several(mut self, field: u64, value: f64) -> Self {
        self.key(field, 1);
        self.0.extend(value.to_le_bytes());
        self
    }

    /// A yes or no in a `oneof`.
    pub fn bool_of_several(mut self, field: u64, value: bool) -> Self {
        self.key(field, 0);
        self.0.push(value.into());
        self
    }

    /// A number in a `oneof`.
    pub fn float_of_several(mut self, field: u64, value: f32) -> Self {
        self.key(field, 5);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub fn bytes(mut self, field: u64, value: &[u8]) -> Self {
        self.key(field, 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
        self
    }

    pub fn text(self, field: u64, value: &str) -> Self {
        self.bytes(field, value.as_bytes())
    }

    pub fn message(self, field: u64, value: Self) -> Self {
        self.bytes(field, &value.0)
    }

    /// A message for each.
    pub fn messages(self, field: u64, values: impl IntoIterator<Item = Self>) -> Self {
        values.into_iter().fold(self, |whole, value| whole.message(field, value))
    }

    /// Numbers, packed.
    pub fn doubles(self, field: u64, values: impl IntoIterator<Item = f64>) -> Self {
        let bytes: Vec<u8> = values.into_iter().flat_map(f64::to_le_bytes).collect();
        if bytes.is_empty() { self } else { self.bytes(field, &bytes) }
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
