//! The distinct texts of one column.

use super::missing::Missing;
use super::records::Field;
use std::collections::HashMap;
use std::sync::Arc;

/// One distinct text of a column.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub text: Arc<str>,
    /// Whether it stood in quotes and would be missing among numbers without them.
    pub quoted: bool,
}

/// The values of a column as positions among its distinct texts, which are in the order in which they first
/// occur.
#[derive(Default)]
pub(super) struct Interner {
    pub codes: Vec<u32>,
    pub texts: Vec<Text>,
    /// Whether a value other than those kept apart stood in quotes.
    pub quotes: bool,
    known: HashMap<Arc<str>, u32>,
    known_quoted: HashMap<Arc<str>, u32>,
}

impl Interner {
    pub fn push(&mut self, field: &Field<'_>, missing: &Missing) {
        let quoted = field.quoted && missing.among_numbers_only(&field.text);
        self.quotes |= field.quoted && !quoted && !missing.anywhere(&field.text);
        let code = self.code(&field.text, quoted);
        self.codes.push(code);
    }

    fn code(&mut self, text: &str, quoted: bool) -> u32 {
        let known = if quoted { &mut self.known_quoted } else { &mut self.known };
        if let Some(&code) = known.get(text) {
            return code;
        }
        let code = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        known.insert(text.clone(), code);
        self.texts.push(Text { text, quoted });
        code
    }

    /// Puts the values of another behind these.
    pub fn append(&mut self, other: &Self) {
        let here: Vec<u32> = other.texts.iter().map(|text| self.code(&text.text, text.quoted)).collect();
        self.codes.extend(other.codes.iter().map(|&code| here[code as usize]));
        self.quotes |= other.quotes;
    }
}
