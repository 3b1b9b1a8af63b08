//! From the tree to a value, through the type's own serde derive.

use std::cell::RefCell;
use std::ops::Range;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, EnumAccess, Error, Expected, MapAccess, SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::error::Fault;
use super::syntax::{Argument, Kind, Node};
use crate::Invalid;

/// Which values were read for which keys, so that a value out of its range can be pointed at.
pub(super) struct Keys<'a> {
    text: &'a str,
    read: RefCell<Vec<Entry<'a>>>,
}

struct Entry<'a> {
    owner: &'a str,
    key: &'a str,
    value: Range<usize>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, read: RefCell::default() }
    }

    fn push(&self, owner: &'a str, key: &'a str, node: &Node) {
        self.read.borrow_mut().push(Entry { owner, key, value: node.span.clone() });
    }

    /// Puts the place to what a check found.
    pub(super) fn blame(&self, invalid: &Invalid) -> Fault {
        let read = self.read.borrow();
        let suspects =
            || read.iter().filter(|entry| entry.owner == invalid.owner && entry.key == invalid.key);
        // A spec nested in its own kind has the key more than once; the message ends with the value.
        let shown = |entry: &&Entry<'_>| {
            let word = &self.text[entry.value.clone()];
            let value = number(word).map_or_else(|| word.to_string(), |number| number.to_string());
            invalid.message.ends_with(&format!(" {value}"))
        };
        let fault = Fault::custom(invalid);
        match suspects().find(shown).or_else(|| suspects().next()) {
            Some(entry) => fault.at(&entry.value),
            None => fault,
        }
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    node: &'a Node,
    /// The key that this is the value of.
    key: Option<&'a str>,
    keys: &'a Keys<'a>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a Node, keys: &'a Keys<'a>) -> Self {
        Self { node, key: None, keys }
    }

    /// The name and the arguments of a call; a word is a call without arguments.
    fn call(self) -> Result<(&'a str, &'a [Argument]), Fault> {
        match &self.node.kind {
            Kind::Word(name) => Ok((name, &[])),
            Kind::Call(name, arguments) => Ok((name, arguments)),
            Kind::List(_) => Err(Fault::expected("a name").at(&self.node.span)),
        }
    }
}

impl<'de> Deserializer<'de> for Reader<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let span = self.node.span.clone();
        match &self.node.kind {
            Kind::Word(word) if word == "true" => visitor.visit_bool(true),
            Kind::Word(word) if word == "false" => visitor.visit_bool(false),
            Kind::Word(word) => {
                if let Ok(number) = word.parse::<u64>() {
                    visitor.visit_u64(number)
                } else if let Some(number) = number(word) {
                    visitor.visit_f64(number)
                } else {
                    visitor.visit_str(word)
                }
            }
            Kind::Call(..) => Err(Fault::invalid_type(Unexpected::Map, &visitor)),
            Kind::List(items) => {
                visitor.visit_seq(Items { items: items.iter(), key: self.key, keys: self.keys })
            }
        }
        .map_err(|fault: Fault| fault.at(&span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match &self.node.kind {
            Kind::Word(word) => visitor.visit_str(word).map_err(|fault: Fault| fault.at(&self.node.span)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.deserialize_str(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (owner, arguments) = self.call()?;
        let access = Arguments {
            owner,
            arguments: arguments.iter(),
            fields,
            seen: Vec::with_capacity(arguments.len()),
            keyed: false,
            value: None,
            keys: self.keys,
        };
        visitor.visit_map(access).map_err(|fault| fault.at(&self.node.span))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (name, _) = self.call()?;
        let bare = name.parse::<f64>().is_ok() && variants.contains(&"constant");
        let name = if bare { "constant" } else { name };
        // A type that says what it is (`#[serde(expecting = "a schedule")]`) is called that, wherever it is
        // nested.
        let says = (&visitor as &dyn Expected).to_string();
        let what = match self.key {
            _ if !says.starts_with("enum ") => Some(says),
            Some(key) => Some(format!("a value of `{key}`")),
            None => None,
        };
        let outcome = visitor.visit_enum(Variant { name, bare, what, reader: self });
        outcome.map_err(|fault: Fault| fault.at(&self.node.span))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char bytes byte_buf unit unit_struct seq tuple tuple_struct map
        identifier ignored_any
    }
}

fn number(word: &str) -> Option<f64> {
    // `inf` and `nan` parse as floats, but are words here, so that the message shows them as written.
    let starts = word.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    word.parse().ok().filter(|n: &f64| starts && n.is_finite())
}

/// One variant of an enum, with its settings.
struct Variant<'a> {
    name: &'a str,
    /// Whether the node is a bare number, which stands for `constant`.
    bare: bool,
    /// What the name should be one of; the type of the whole spec if not said.
    what: Option<String>,
    reader: Reader<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let value = seed.deserialize(StrDeserializer::new(self.name)).map_err(|fault: Fault| {
            let start = self.reader.node.span.start;
            let fault = fault.at(&(start..start + self.name.len()));
            match &self.what {
                Some(what) => fault.naming(what),
                None => fault,
            }
        })?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        let (name, arguments) = self.reader.call()?;
        match arguments.first() {
            Some(argument) => Err(Fault::new(format!("`{name}` takes no settings"), argument.span())),
            None => Ok(()),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Fault> {
        if self.bare { seed.deserialize(Bare(self.reader)) } else { seed.deserialize(self.reader) }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::custom("a spec has no tuples"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.reader.deserialize_struct("", fields, visitor)
    }
}

/// A bare number read as the struct whose first field it is.
struct Bare<'a>(Reader<'a>);

impl<'de> Deserializer<'de> for Bare<'de> {
    type Error = Fault;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        self.0.deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let key = StrDeserializer::<Fault>::new(fields[0]);
        self.0.keys.push("constant", fields[0], self.0.node);
        visitor.visit_map(serde::de::value::MapDeserializer::new(std::iter::once((Key(key), Value(self.0)))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Key<'a>(StrDeserializer<'a, Fault>);

impl<'de> serde::de::IntoDeserializer<'de, Fault> for Key<'de> {
    type Deserializer = StrDeserializer<'de, Fault>;

    fn into_deserializer(self) -> Self::Deserializer {
        self.0
    }
}

struct Value<'a>(Reader<'a>);

impl<'de> serde::de::IntoDeserializer<'de, Fault> for Value<'de> {
    type Deserializer = Reader<'de>;

    fn into_deserializer(self) -> Self::Deserializer {
        self.0
    }
}

/// The arguments of a call as the fields of a struct.
struct Arguments<'a> {
    owner: &'a str,
    arguments: std::slice::Iter<'a, Argument>,
    fields: &'static [&'static str],
    seen: Vec<&'a str>,
    /// Whether a key was written out; from there on, all must be.
    keyed: bool,
    value: Option<(&'a str, &'a Node)>,
    keys: &'a Keys<'a>,
}

impl<'de> MapAccess<'de> for Arguments<'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(argument) = self.arguments.next() else { return Ok(None) };
        let fault = |message: String| Err(Fault::new(message, argument.span()));
        let key = match (&argument.key, self.fields.get(self.seen.len())) {
            _ if self.fields.is_empty() => return fault(format!("`{}` takes no settings", self.owner)),
            (Some((key, _)), _) => key.as_str(),
            (None, _) if self.keyed => {
                return fault("a value without a key must stand before those with one".into());
            }
            (None, Some(&field)) => field,
            (None, None) => {
                let (owner, most) = (self.owner, self.fields.len());
                let settings = if most == 1 { "setting" } else { "settings" };
                return fault(format!("`{owner}` takes at most {most} {settings}"));
            }
        };
        if self.seen.contains(&key) {
            return fault(format!("`{key}` is given twice"));
        }
        self.keyed |= argument.key.is_some();
        self.seen.push(key);
        self.value = Some((key, &argument.value));
        self.keys.push(self.owner, key, &argument.value);
        let known = seed.deserialize(StrDeserializer::new(key));
        known.map(Some).map_err(|fault: Fault| fault.at(&argument.span()))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let (key, node) = self.value.take().expect("serde asks for a key before its value");
        seed.deserialize(Reader { node, key: Some(key), keys: self.keys })
            .map_err(|fault| fault.at(&node.span))
    }
}

/// The values of a list.
struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    key: Option<&'a str>,
    keys: &'a Keys<'a>,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Self { key, keys, .. } = *self;
        self.items.next().map(|node| seed.deserialize(Reader { node, key, keys })).transpose()
    }
}
