//! The whole predictor as one ONNX file.

use crate::builder::{Builder, Value, int};
use crate::columns::columns;
use crate::ports::{Inputs, Port};
use crate::proto::{self, Element};
use crate::{Error, Network, Predictor, features, layers};
use downhill_data::Encoder;
use downhill_nn::Loss;
use prost::Message;

/// The version of the format: that of ONNX 1.14, which has operator set 18 whole.
const IR_VERSION: i64 = 8;
const OPSET: i64 = 18;
const ML_OPSET: i64 = 3;

/// An exported network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exported {
    /// The ONNX file.
    pub bytes: Vec<u8>,
    /// What it is to be given, one for each column that is used.
    pub inputs: Vec<Port>,
    /// What comes out.
    pub outputs: Vec<Port>,
}

/// Makes an ONNX file of a predictor with its preprocessing and what comes behind it: operator set 18, and
/// version 3 of `ai.onnx.ml` where there are columns of text.
///
/// A classifier has two outputs: `label`, the text of the likeliest class (its number with
/// [`Inputs::Numeric`]), one a row; and `probabilities`, `rows × classes`. A network for regression has
/// `prediction`, `rows × 1`, in the target's own unit. A network without an encoder has one input, `x`,
/// `rows × features`.
///
/// # Errors
///
/// If there is a layer or a loss that is not known here, numbers do not fit, or networks to be averaged cannot
/// be given the same.
pub fn onnx(predictor: &Predictor<'_>, inputs: Inputs) -> Result<Exported, Error> {
    let mut b = Builder::default();
    let first = predictor.first()?;
    let (columns, mut ports) = columns(&mut b, &predictor.networks, inputs)?;
    let plain = match first.encoder {
        Some(_) => None,
        None => {
            let (x, port) = plain(&mut b, first.model.inputs());
            ports.push(port);
            Some(x)
        }
    };
    let head = Head::of(predictor.loss)?;
    let names = match head {
        Head::Softmax | Head::Sigmoid => vec![b.reserve("label"), b.reserve("probabilities")],
        Head::Number => vec![b.reserve("prediction")],
    };
    let mut predictions = Vec::with_capacity(predictor.networks.len());
    let mut encoded: Vec<(&Encoder, Value)> = Vec::new();
    for network in &predictor.networks {
        let x = match (network.encoder, &plain) {
            (Some(encoder), None) => {
                let there = encoded.iter().find(|(other, _)| std::ptr::eq(*other, encoder));
                match there {
                    Some((_, x)) => x.clone(),
                    None => {
                        let x = features::features(&mut b, encoder, &columns, inputs)?;
                        encoded.push((encoder, x.clone()));
                        x
                    }
                }
            }
            (None, Some(x)) if network.model.inputs() == first.model.inputs() => x.clone(),
            (None, _) | (Some(_), Some(_)) => return Err(Error::DifferentInputs { column: "x".to_owned() }),
        };
        let y = layers::network(&mut b, network.model, &x)?;
        predictions.push(head.prediction(&mut b, network, &y, inputs));
    }
    let count = predictions.len();
    let mut prediction = predictions.remove(0);
    if count > 1 {
        let all: Vec<&Value> = std::iter::once(&prediction).chain(&predictions).collect();
        let sum = b.node("Sum", &all);
        let share = 1.0 / count as f64;
        let share = match head.element(first.encoder, inputs) {
            Element::Double => b.doubles(&[1], &[share]),
            _ => b.floats(&[1], &[share as f32]),
        };
        prediction = b.node("Mul", &[&sum, &share]);
    }
    let outputs = match head {
        Head::Softmax | Head::Sigmoid => classes(&mut b, &first, &prediction, names, inputs),
        Head::Number => number(&mut b, head, &first, &prediction, names, inputs),
    };
    let target = first.encoder.map_or("", |encoder| encoder.target_name());
    let graph = b.finish(if target.is_empty() { "network" } else { target })?;
    Ok(Exported { bytes: file(graph, &first, &ports, &outputs), inputs: ports, outputs })
}

/// What the last outputs of the network are.
#[derive(Clone, Copy)]
enum Head {
    /// Logits of the classes.
    Softmax,
    /// The logit of the second class of two.
    Sigmoid,
    /// A standardised number.
    Number,
}

impl Head {
    fn of(loss: &Loss) -> Result<Self, Error> {
        match loss {
            Loss::CrossEntropy(_) => Ok(Self::Softmax),
            Loss::BinaryCrossEntropy(_) => Ok(Self::Sigmoid),
            Loss::Mse(_) | Loss::Mae(_) | Loss::Huber(_) => Ok(Self::Number),
            // Losses may be added there; `tests/layers.rs` fails until each is here.
            other => Err(Error::UnknownLoss { loss: other.to_string() }),
        }
    }

    /// The probabilities of the classes, `rows × classes`, or the number in the target's own unit.
    fn prediction(self, b: &mut Builder, network: &Network<'_>, y: &Value, inputs: Inputs) -> Value {
        match self {
            Self::Softmax => b.node_with("Softmax", &[y], vec![int("axis", -1)]),
            Self::Sigmoid => {
                let yes = b.node("Sigmoid", &[y]);
                let one = b.floats(&[], &[1.0]);
                let no = b.node("Sub", &[&one, &yes]);
                b.beside(vec![no, yes])
            }
            Self::Number => {
                let Some((mean, std)) = network.encoder.map(|encoder| encoder.target_scale()) else {
                    return y.clone();
                };
                let (y, mean, std) = match self.element(network.encoder, inputs) {
                    Element::Double => {
                        (b.cast(y, Element::Double), b.doubles(&[1], &[mean]), b.doubles(&[1], &[std]))
                    }
                    _ => (y.clone(), b.floats(&[1], &[mean as f32]), b.floats(&[1], &[std as f32])),
                };
                let spread = b.node("Mul", &[&y, &std]);
                b.node("Add", &[&spread, &mean])
            }
        }
    }

    /// The type of the prediction.
    fn element(self, encoder: Option<&Encoder>, inputs: Inputs) -> Element {
        match (self, encoder, inputs) {
            (Self::Number, Some(_), Inputs::Table) => Element::Double,
            _ => Element::Float,
        }
    }
}

/// The one input of a network for plain numbers.
fn plain(b: &mut Builder, features: usize) -> (Value, Port) {
    let words = "the features of each row, as the network was trained on them".to_owned();
    let x = b.input("x", Element::Float, features, &words);
    let port = Port { name: x.name().to_owned(), element: "float", values: features, words };
    (x, port)
}

fn classes(
    b: &mut Builder,
    network: &Network<'_>,
    shares: &Value,
    names: Vec<String>,
    inputs: Inputs,
) -> Vec<Port> {
    let count = network.model.outputs().max(2);
    let classes = network.encoder.map_or_else(Vec::new, |encoder| encoder.classes().to_vec());
    let likeliest = b.node_with("ArgMax", &[shares], vec![int("axis", -1), int("keepdims", 0)]);
    let numbered =
        || classes.iter().enumerate().map(|(i, class)| format!("{i} = {class}")).collect::<Vec<_>>();
    let (label, element, element_name, words) = match inputs {
        Inputs::Table if !classes.is_empty() => {
            let texts = b.texts(&classes);
            let label = b.node("Gather", &[&texts, &likeliest]);
            (label, Element::String, "string", "the likeliest class".to_owned())
        }
        _ if classes.is_empty() => {
            (likeliest, Element::Int64, "int64", "the number of the likeliest class, from 0".to_owned())
        }
        _ => {
            let words = format!("the number of the likeliest class: {}", numbered().join(", "));
            (likeliest, Element::Int64, "int64", words)
        }
    };
    let order = if classes.is_empty() { "in their order".to_owned() } else { classes.join(", ") };
    let ports = [
        Port { name: names[0].clone(), element: element_name, values: 0, words },
        Port {
            name: names[1].clone(),
            element: "float",
            values: count,
            words: format!("the probabilities of the classes: {order}"),
        },
    ];
    b.output(&label, names[0].clone(), element, &[], &ports[0].words);
    b.output(shares, names[1].clone(), Element::Float, &[count], &ports[1].words);
    ports.into()
}

fn number(
    b: &mut Builder,
    head: Head,
    network: &Network<'_>,
    value: &Value,
    mut names: Vec<String>,
    inputs: Inputs,
) -> Vec<Port> {
    let width = network.model.outputs();
    let element = head.element(network.encoder, inputs);
    let words = match network.encoder {
        Some(encoder) => format!("`{}`, in its own unit", encoder.target_name()),
        None => "the outputs of the network".to_owned(),
    };
    let name = names.swap_remove(0);
    b.output(value, name.clone(), element, &[width], &words);
    let element = if element == Element::Double { "double" } else { "float" };
    vec![Port { name, element, values: width, words }]
}

fn file(graph: proto::Graph, network: &Network<'_>, inputs: &[Port], outputs: &[Port]) -> Vec<u8> {
    let entry = |key: &str, value: String| proto::Entry { key: key.to_owned(), value };
    let json = |value: &[Port]| serde_json::to_string(value).unwrap_or_default();
    let mut metadata_props = vec![entry("inputs", json(inputs)), entry("outputs", json(outputs))];
    if let Some(encoder) = network.encoder {
        metadata_props.push(entry("target", encoder.target_name().to_owned()));
        if !encoder.classes().is_empty() {
            metadata_props
                .push(entry("classes", serde_json::to_string(encoder.classes()).unwrap_or_default()));
        }
    }
    let mut opset_import = vec![proto::OperatorSet { domain: String::new(), version: OPSET }];
    if graph.node.iter().any(|node| node.domain == "ai.onnx.ml") {
        opset_import.push(proto::OperatorSet { domain: "ai.onnx.ml".to_owned(), version: ML_OPSET });
    }
    let model = proto::Model {
        ir_version: IR_VERSION,
        producer_name: "downhill".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: "A network for tables with its preprocessing; each input and output says what it is."
            .to_owned(),
        graph: Some(graph),
        opset_import,
        metadata_props,
    };
    model.encode_to_vec()
}
