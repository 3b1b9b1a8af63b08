//! The columns that some networks go by.

use std::collections::HashMap;

use downhill_data::{Encoder, Encoding, Input};

use crate::builder::{Builder, Value};
use crate::ports::{Inputs, Port, element, words};
use crate::{Error, Network};

/// A column, as it is given: an input of the graph.
pub(crate) struct Column<'a> {
    /// Of a column of categories, all that some network knows: those of the first network, then others.
    pub categories: Vec<&'a String>,
    pub value: Value,
}

/// The columns by their names, with what each is to be given.
///
/// # Errors
///
/// If one network takes a column for text and another for numbers.
pub(crate) fn columns<'a>(
    b: &mut Builder,
    networks: &[Network<'a>],
    inputs: Inputs,
) -> Result<(HashMap<&'a str, Column<'a>>, Vec<Port>), Error> {
    let mut order: Vec<(&Encoder, &Input, Vec<&String>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for encoder in networks.iter().filter_map(|network| network.encoder) {
        for input in encoder.inputs() {
            let place = *places.entry(&input.column).or_insert_with(|| {
                order.push((encoder, input, Vec::new()));
                order.len() - 1
            });
            let (_, first, known) = &mut order[place];
            if element(&first.encoding, inputs) != element(&input.encoding, inputs)
                || values(&first.encoding) != values(&input.encoding)
            {
                return Err(Error::DifferentInputs { column: input.column.clone() });
            }
            if let Encoding::Categories { categories, .. } = &input.encoding {
                let new: Vec<&String> = categories.iter().filter(|text| !known.contains(text)).collect();
                known.extend(new);
            }
        }
    }
    let mut columns = HashMap::new();
    let mut ports = Vec::new();
    for (encoder, input, categories) in order {
        let (kind, name) = element(&input.encoding, inputs);
        let values = values(&input.encoding);
        let words = words(encoder, input, &categories, inputs);
        let value = b.input(&input.column, kind, values, &words);
        ports.push(Port { name: value.name().to_owned(), element: name, values, words });
        columns.insert(&*input.column, Column { categories, value });
    }
    Ok((columns, ports))
}

/// How many values a row has.
fn values(encoding: &Encoding) -> usize {
    match encoding {
        Encoding::Pixels { count, .. } => *count,
        Encoding::Number { .. }
        | Encoding::Date { .. }
        | Encoding::Indicator
        | Encoding::Categories { .. } => 1,
    }
}
