//! A graph being built: unique names, constants, operations.

use crate::Error;
use crate::proto::{
    Attribute, AttributeKind, Dimension, Element, Graph, Node, Size, Tensor, TensorShape, TensorType, Type,
    ValueInfo,
};
use std::collections::HashSet;

/// The name of the dimension that counts rows.
const ROWS: &str = "rows";

/// A value of the graph: an input, a constant, or the output of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Value(String);

impl Value {
    pub fn name(&self) -> &str {
        &self.0
    }
}

/// Operations in the order in which they are run.
#[derive(Debug, Default)]
pub(crate) struct Builder {
    graph: Graph,
    taken: HashSet<String>,
    bytes: usize,
}

impl Builder {
    /// A name that is not taken: this one, or with underlines behind it. An empty one would mean none.
    fn name(&mut self, wanted: &str) -> String {
        let mut name = if wanted.is_empty() { "_".to_owned() } else { wanted.to_owned() };
        while !self.taken.insert(name.clone()) {
            name.push('_');
        }
        name
    }

    /// Keeps a name free, for an output that is made later.
    pub fn reserve(&mut self, wanted: &str) -> String {
        self.name(wanted)
    }

    /// A name within the graph, which nobody has to know.
    fn inner(&mut self, what: &str) -> String {
        let number = self.graph.node.len() + self.graph.initializer.len();
        self.name(&format!("{what}#{number}"))
    }

    /// An input with this number of values for each row.
    pub fn input(&mut self, name: &str, element: Element, width: usize, doc: &str) -> Value {
        let name = self.name(name);
        self.graph.input.push(info(&name, element, &[width], doc));
        Value(name)
    }

    /// Gives a value out under a reserved name.
    pub fn output(&mut self, value: &Value, name: String, element: Element, dims: &[usize], doc: &str) {
        self.push("Identity", "", &[value], name.clone(), Vec::new());
        self.graph.output.push(info(&name, element, dims, doc));
    }

    fn push(
        &mut self,
        op: &str,
        domain: &str,
        inputs: &[&Value],
        output: String,
        attribute: Vec<Attribute>,
    ) -> Value {
        self.graph.node.push(Node {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: vec![output.clone()],
            name: output.clone(),
            op_type: op.to_owned(),
            attribute,
            domain: domain.to_owned(),
        });
        Value(output)
    }

    /// An operation of the standard set without settings.
    pub fn node(&mut self, op: &str, inputs: &[&Value]) -> Value {
        self.node_with(op, inputs, Vec::new())
    }

    /// An operation of the standard set.
    pub fn node_with(&mut self, op: &str, inputs: &[&Value], attributes: Vec<Attribute>) -> Value {
        let output = self.inner(op);
        self.push(op, "", inputs, output, attributes)
    }

    /// An operation of `ai.onnx.ml`.
    pub fn ml_node(&mut self, op: &str, inputs: &[&Value], attributes: Vec<Attribute>) -> Value {
        let output = self.inner(op);
        self.push(op, "ai.onnx.ml", inputs, output, attributes)
    }

    /// The same numbers as another type.
    pub fn cast(&mut self, value: &Value, to: Element) -> Value {
        self.node_with("Cast", &[value], vec![int("to", i64::from(to as i32))])
    }

    /// Rows of several values beside each other; of one, itself.
    pub fn beside(&mut self, mut values: Vec<Value>) -> Value {
        if values.len() == 1 {
            return values.remove(0);
        }
        let all: Vec<&Value> = values.iter().collect();
        self.node_with("Concat", &all, vec![int("axis", 1)])
    }

    fn constant(&mut self, element: Element, dims: &[usize], raw_data: Vec<u8>) -> Value {
        let name = self.inner("constant");
        self.bytes = self.bytes.saturating_add(raw_data.len());
        self.graph.initializer.push(Tensor {
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: element as i32,
            string_data: Vec::new(),
            name: name.clone(),
            raw_data,
        });
        Value(name)
    }

    /// A constant of 32-bit numbers.
    pub fn floats(&mut self, dims: &[usize], values: &[f32]) -> Value {
        self.constant(Element::Float, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A constant of 64-bit numbers.
    pub fn doubles(&mut self, dims: &[usize], values: &[f64]) -> Value {
        self.constant(Element::Double, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A constant of whole numbers.
    pub fn ints(&mut self, dims: &[usize], values: &[i64]) -> Value {
        self.constant(Element::Int64, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A constant list of texts.
    pub fn texts(&mut self, texts: &[String]) -> Value {
        let name = self.inner("constant");
        self.graph.initializer.push(Tensor {
            dims: vec![texts.len() as i64],
            data_type: Element::String as i32,
            string_data: texts.iter().map(|text| text.clone().into_bytes()).collect(),
            name: name.clone(),
            raw_data: Vec::new(),
        });
        Value(name)
    }

    /// The graph.
    ///
    /// # Errors
    ///
    /// If its constants are more than a file can hold.
    pub fn finish(mut self, name: &str) -> Result<Graph, Error> {
        // Readers take protocol buffers of up to 2 GiB; this leaves room for everything but the constants.
        const MOST: usize = 2_000_000_000;
        if self.bytes > MOST {
            return Err(Error::TooLarge { bytes: self.bytes });
        }
        self.graph.name = name.to_owned();
        Ok(self.graph)
    }
}

fn info(name: &str, element: Element, dims: &[usize], doc: &str) -> ValueInfo {
    let rows = Dimension { value: Some(Size::Any(ROWS.to_owned())) };
    let fixed = |&dim: &usize| Dimension { value: Some(Size::Fixed(dim as i64)) };
    let dim = std::iter::once(rows).chain(dims.iter().map(fixed)).collect();
    let tensor_type = TensorType { elem_type: element as i32, shape: Some(TensorShape { dim }) };
    ValueInfo {
        name: name.to_owned(),
        r#type: Some(Type { tensor_type: Some(tensor_type) }),
        doc_string: doc.to_owned(),
    }
}

fn attribute(name: &str, kind: AttributeKind) -> Attribute {
    Attribute { name: name.to_owned(), r#type: kind as i32, ..Attribute::default() }
}

/// A whole number as a setting.
pub(crate) fn int(name: &str, i: i64) -> Attribute {
    Attribute { i, ..attribute(name, AttributeKind::Int) }
}

/// A number as a setting.
pub(crate) fn float(name: &str, f: f64) -> Attribute {
    Attribute { f: f as f32, ..attribute(name, AttributeKind::Float) }
}

/// Whole numbers as a setting.
pub(crate) fn ints(name: &str, ints: Vec<i64>) -> Attribute {
    Attribute { ints, ..attribute(name, AttributeKind::Ints) }
}

/// Texts as a setting.
pub(crate) fn strings(name: &str, texts: &[String]) -> Attribute {
    let strings = texts.iter().map(|text| text.clone().into_bytes()).collect();
    Attribute { strings, ..attribute(name, AttributeKind::Strings) }
}
