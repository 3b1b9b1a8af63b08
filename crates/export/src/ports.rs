//! What goes into an exported network, and what comes out.

use downhill_data::{Encoder, Encoding, Input};
use serde::Serialize;

use crate::proto::Element;

/// What the inputs of an exported network are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inputs {
    /// One for each column, as in a table: numbers of 64 bits, and texts for categories.
    #[default]
    Table,
    /// One for each column, all of them numbers, for runtimes that have no texts: numbers of 32 bits, and the
    /// number of the category for categories. No operator but the standard ones is used.
    Numeric,
}

/// An input or an output of an exported network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Port {
    /// Its name: that of the column.
    pub name: String,
    /// The type of its elements, as ONNX writes it: `double`, `float`, `string`, `int64`.
    pub element: &'static str,
    /// The number of values a row; its shape is `rows × values`, or only `rows` where it is 0.
    pub values: usize,
    /// What it is, in words.
    pub words: String,
}

/// What an input of this kind is to be given, in words.
pub(crate) fn words(encoder: &Encoder, input: &Input, categories: &[&String], inputs: Inputs) -> String {
    let nan = "NaN where it is missing";
    match &input.encoding {
        Encoding::Number { mean: _, std: _, fill: _, indicator: _, notation } if notation.is_plain() => {
            format!("a number; {nan}")
        }
        Encoding::Number { notation, .. } => format!(
            "a number, not its text: in training, numbers were written with {}, which is to be read before; {nan}",
            notation.describe()
        ),
        Encoding::Date { order: _, mean: _, std: _, fill: _, indicator: _, cycles: _ } => format!(
            "a date or time, not its text: seconds since 1970-01-01 00:00 UTC, or since midnight for times of \
             day; {nan}"
        ),
        Encoding::Indicator => format!("any number where there is a value; {nan}"),
        Encoding::Categories { categories: _, missing: _, other: _, rare: _ } => match inputs {
            Inputs::Table => {
                let texts: Vec<String> =
                    encoder.missing_texts().iter().map(|text| format!("{text:?}")).collect();
                format!(
                    "a text, without spaces around it; missing is one of {}; one that is none of the {} \
                     categories of training is taken as such",
                    texts.join(", "),
                    categories.len()
                )
            }
            Inputs::Numeric => {
                let numbered: Vec<String> = categories
                    .iter()
                    .enumerate()
                    .map(|(number, text)| format!("{number} = {text}"))
                    .collect();
                if numbered.is_empty() {
                    return "-1 where it is missing, 0 elsewhere".to_owned();
                }
                format!(
                    "the number of a category: {}; -1 is missing, any other number one never seen",
                    numbered.join(", ")
                )
            }
        },
        Encoding::Pixels { count, mean: _, std: _ } => {
            format!("{count} pixels from 0 to 255; NaN where one is missing")
        }
    }
}

/// The type of an input, and how it is called.
pub(crate) fn element(encoding: &Encoding, inputs: Inputs) -> (Element, &'static str) {
    match (encoding, inputs) {
        (Encoding::Categories { .. }, Inputs::Table) => (Element::String, "string"),
        (Encoding::Categories { .. }, Inputs::Numeric) => (Element::Int64, "int64"),
        // Seconds since 1970 need more than 32 bits.
        (Encoding::Date { .. }, _) => (Element::Double, "double"),
        (Encoding::Number { .. } | Encoding::Indicator, Inputs::Table) => (Element::Double, "double"),
        (Encoding::Number { .. } | Encoding::Indicator, Inputs::Numeric) => (Element::Float, "float"),
        (Encoding::Pixels { .. }, _) => (Element::Float, "float"),
    }
}
