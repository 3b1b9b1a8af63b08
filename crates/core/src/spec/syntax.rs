//! From text to a tree whose nodes know their places.

use std::ops::Range;

use super::error::Fault;

/// A value: a word or number, a call, or a list.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// `relu`, `0.9`, `5%`
    Word(String),
    /// `name(arguments)`
    Call(String, Vec<Argument>),
    /// `[values]`
    List(Vec<Node>),
}

/// `value` or `key=value`.
#[derive(Debug)]
pub(super) struct Argument {
    pub(super) key: Option<(String, Range<usize>)>,
    pub(super) value: Node,
}

impl Argument {
    /// The place of the key, or of the value that has none.
    pub(super) fn span(&self) -> Range<usize> {
        self.key.as_ref().map_or(&self.value.span, |(_, span)| span).clone()
    }
}

/// Parses the whole text as one value.
pub(super) fn parse(text: &str) -> Result<Node, Fault> {
    let mut parser = Parser { text, at: 0, depth: 0 };
    let node = parser.value()?;
    parser.space();
    if parser.at < text.len() {
        return Err(parser.fault("expected nothing more here"));
    }
    Ok(node)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Whether the next character is `wanted`; if so, goes past it.
    fn take(&mut self, wanted: char) -> bool {
        self.space();
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    /// A fault at the next character.
    fn fault(&self, message: &str) -> Fault {
        let end = self.at + self.peek().map_or(0, char::len_utf8);
        Fault::new(message, self.at..end)
    }

    fn word(&mut self) -> Result<(String, Range<usize>), Fault> {
        self.space();
        let rest = &self.text[self.at..];
        let len = rest.find(|c: char| c.is_whitespace() || "()[],=".contains(c)).unwrap_or(rest.len());
        if len == 0 {
            return Err(self.fault("expected a name or a number here"));
        }
        let span = self.at..self.at + len;
        self.at = span.end;
        Ok((self.text[span.clone()].to_string(), span))
    }

    fn value(&mut self) -> Result<Node, Fault> {
        self.depth += 1;
        if self.depth > 16 {
            return Err(self.fault("nested too deeply"));
        }
        self.space();
        let start = self.at;
        let kind = if self.take('[') {
            Kind::List(self.separated(']', Self::value)?)
        } else {
            let (word, _) = self.word()?;
            if self.take('(') {
                Kind::Call(word, self.separated(')', Self::argument)?)
            } else {
                Kind::Word(word)
            }
        };
        self.depth -= 1;
        // Space behind a word belongs to nobody.
        let end = start + self.text[start..self.at].trim_end().len();
        Ok(Node { span: start..end, kind })
    }

    fn argument(&mut self) -> Result<Argument, Fault> {
        self.space();
        let start = self.at;
        if let Ok((word, span)) = self.word() {
            if self.take('=') {
                return Ok(Argument { key: Some((word, span)), value: self.value()? });
            }
            self.at = start;
        }
        Ok(Argument { key: None, value: self.value()? })
    }

    fn separated<T>(
        &mut self,
        close: char,
        mut item: impl FnMut(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let mut items = Vec::new();
        while !self.take(close) {
            if !items.is_empty() && !self.take(',') {
                return Err(self.fault(&format!("expected `,` or `{close}` here")));
            }
            if self.take(close) {
                break;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }
}
