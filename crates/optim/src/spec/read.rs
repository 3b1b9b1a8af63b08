//! From the tree to a value, through the type's own serde derive.

use std::cell::RefCell;
use std::ops::Range;

use serde::Deserializer;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::error::Fault;
use super::syntax::{Argument, Kind, Node};
use crate::Invalid;

/// Which values were read for which keys, so that a value out of its range can be pointed at.
#[derive(Default)]
pub(super) struct Keys(RefCell<Vec<(String, String, Range<usize>)>>);

impl Keys {
    /// Puts the place to what a check found.
    pub(super) fn blame(&self, invalid: &Invalid) -> Fault {
        let keys = self.0.borrow();
        let found = keys.iter().find(|(owner, key, _)| owner == invalid.owner && key == invalid.key);
        let fault = Fault::custom(invalid);
        found.map_or_else(|| Fault::custom(invalid), |(_, _, span)| fault.at(span))
    }
}

/// Reads one node.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    node: &'a Node,
    keys: &'a Keys,
}

impl<'a> Reader<'a> {
    pub(super) fn new(node: &'a Node, keys: &'a Keys) -> Self {
        Self { node, keys }
    }

    /// The name and the arguments of a call; a word is a call without arguments.
    fn call(self) -> Result<(&'a str, &'a [Argument]), Fault> {
        match &self.node.kind {
            Kind::Word(name) => Ok((name, &[])),
            Kind::Call(name, arguments) => Ok((name, arguments)),
            Kind::List(_) => Err(Fault::new("expected a name, found a list", self.node.span.clone())),
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
            Kind::Call(..) => Err(Fault::new("expected a plain value here", span.clone())),
            Kind::List(items) => visitor.visit_seq(Items { items: items.iter(), keys: self.keys }),
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
        let seen = Vec::with_capacity(arguments.len());
        let access =
            Arguments { owner, arguments: arguments.iter(), fields, seen, value: None, keys: self.keys };
        visitor.visit_map(access).map_err(|fault| fault.at(&self.node.span))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        let (name, _) = self.call()?;
        let bare = number(name).is_some() && variants.contains(&"constant");
        let name = if bare { "constant" } else { name };
        visitor.visit_enum(Variant { name, bare, reader: self })
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
    reader: Reader<'a>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Fault> {
        let start = self.reader.node.span.start;
        let name = StrDeserializer::new(self.name);
        let value =
            seed.deserialize(name).map_err(|fault: Fault| fault.at(&(start..start + self.name.len())))?;
        Ok((value, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        match &self.reader.node.kind {
            Kind::Call(_, arguments) if !arguments.is_empty() => {
                let span = self.reader.node.span.clone();
                Err(Fault::new(format!("`{}` takes no settings", self.name), span))
            }
            _ => Ok(()),
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
        self.0.keys.0.borrow_mut().push(("constant".into(), fields[0].into(), self.0.node.span.clone()));
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
    value: Option<&'a Node>,
    keys: &'a Keys,
}

impl<'de> MapAccess<'de> for Arguments<'de> {
    type Error = Fault;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        let Some(Argument { key, value }) = self.arguments.next() else { return Ok(None) };
        let (key, span) = match key {
            Some((key, span)) => (key.as_str(), span),
            None => {
                let many = || format!("`{}` takes at most {} settings", self.owner, self.fields.len());
                let field = self.fields.get(self.seen.len());
                (*field.ok_or_else(|| Fault::new(many(), value.span.clone()))?, &value.span)
            }
        };
        if self.seen.contains(&key) {
            return Err(Fault::new(format!("`{key}` is given twice"), span.clone()));
        }
        self.seen.push(key);
        self.value = Some(value);
        self.keys.0.borrow_mut().push((self.owner.to_string(), key.to_string(), value.span.clone()));
        let known = seed.deserialize(StrDeserializer::new(key)).map_err(|fault: Fault| fault.at(span))?;
        Ok(Some(known))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Fault> {
        let node = self.value.take().expect("serde asks for a key before its value");
        seed.deserialize(Reader::new(node, self.keys)).map_err(|fault| fault.at(&node.span))
    }
}

/// The values of a list.
struct Items<'a> {
    items: std::slice::Iter<'a, Node>,
    keys: &'a Keys,
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Fault;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Fault> {
        self.items.next().map(|node| seed.deserialize(Reader::new(node, self.keys))).transpose()
    }
}
