//! The layers of a network, each as operations of ONNX.

use crate::Error;
use crate::builder::{Builder, Value, float, int};
use crate::proto::Element;
use downhill_nn::{
    Add, Average, BatchNorm, Dense, Embedding, LayerNorm, LayerSpec, LeakyRelu, Model, Outputs,
    PiecewiseLinear,
};

/// The outputs of a network, `rows × outputs`, from its inputs, `rows × inputs`.
///
/// # Errors
///
/// If there is a layer that is not known here.
pub(crate) fn network(b: &mut Builder, model: &Model<f32>, x: &Value) -> Result<Value, Error> {
    let mut outputs: Vec<Value> = Vec::with_capacity(model.layers().len());
    for (position, layer) in model.layers().iter().enumerate() {
        let of = Tensors { model, position };
        let x = outputs.last().unwrap_or(x).clone();
        let y = match layer {
            LayerSpec::Dense(dense) => of.dense(b, dense, &x)?,
            // Only training silences units.
            LayerSpec::Dropout(_) | LayerSpec::Identity(_) => x,
            LayerSpec::BatchNorm(norm) => of.batch_norm(b, norm, &x)?,
            LayerSpec::LayerNorm(norm) => of.layer_norm(b, norm, &x)?,
            LayerSpec::Add(Add { from }) => {
                let from = outputs.get(*from).ok_or_else(|| of.missing("its second input"))?.clone();
                b.node("Add", &[&x, &from])
            }
            LayerSpec::Embedding(embedding) => of.embedding(b, embedding, &x)?,
            LayerSpec::Scale(_) => {
                let factors = of.constant(b, "scale")?;
                b.node("Mul", &[&x, &factors])
            }
            LayerSpec::PiecewiseLinear(layer) => bins(b, layer, &x),
            LayerSpec::Members(_) => of.members(b, &x)?,
            LayerSpec::Ensemble(_) => of.ensemble(b, &x)?,
            LayerSpec::Heads(_) => of.heads(b, &x)?,
            LayerSpec::Average(average) => of.average(b, average, &x),
            LayerSpec::Relu(_) => b.node("Relu", &[&x]),
            LayerSpec::LeakyRelu(LeakyRelu { slope }) => {
                b.node_with("LeakyRelu", &[&x], vec![float("alpha", *slope)])
            }
            LayerSpec::Elu(elu) => b.node_with("Elu", &[&x], vec![float("alpha", elu.alpha)]),
            LayerSpec::Selu(_) => b.node("Selu", &[&x]),
            LayerSpec::Gelu(_) => gelu(b, &x),
            LayerSpec::Silu(_) => {
                let share = b.node("Sigmoid", &[&x]);
                b.node("Mul", &[&x, &share])
            }
            LayerSpec::Mish(_) => {
                let soft = b.node("Softplus", &[&x]);
                let share = b.node("Tanh", &[&soft]);
                b.node("Mul", &[&x, &share])
            }
            LayerSpec::Tanh(_) => b.node("Tanh", &[&x]),
            LayerSpec::Sigmoid(_) => b.node("Sigmoid", &[&x]),
            LayerSpec::Softplus(_) => b.node("Softplus", &[&x]),
            // Layers may be added there; `tests/layers.rs` fails until each is here.
            other => return Err(Error::UnknownLayer { position, layer: other.name() }),
        };
        outputs.push(y);
    }
    Ok(outputs.pop().unwrap_or_else(|| x.clone()))
}

/// The tensors of one layer.
struct Tensors<'a> {
    model: &'a Model<f32>,
    position: usize,
}

impl<'a> Tensors<'a> {
    /// A tensor of the layer, its shape and its values.
    fn tensor(&self, name: &str) -> Result<(&'a [usize], &'a [f32]), Error> {
        let wanted = format!("{}.{name}", self.position);
        let model = self.model;
        [(model.layout(), model.params()), (model.statistics_layout(), model.statistics())]
            .into_iter()
            .find_map(|(layout, values)| {
                let tensor = layout.tensors().iter().find(|tensor| tensor.name == wanted)?;
                Some((&tensor.shape[..], values.get(tensor.range())?))
            })
            .ok_or_else(|| self.missing(name))
    }

    fn missing(&self, what: &str) -> Error {
        Error::MissingTensor { position: self.position, what: what.to_owned() }
    }

    fn constant(&self, b: &mut Builder, name: &str) -> Result<Value, Error> {
        let (shape, values) = self.tensor(name)?;
        Ok(b.floats(shape, values))
    }

    fn dense(&self, b: &mut Builder, dense: &Dense, x: &Value) -> Result<Value, Error> {
        let weight = self.constant(b, "weight")?;
        if !dense.bias {
            return Ok(b.node("MatMul", &[x, &weight]));
        }
        let bias = self.constant(b, "bias")?;
        Ok(b.node("Gemm", &[x, &weight, &bias]))
    }

    /// (x − mean) · scale/√(variance + ε) + shift, with the running statistics.
    fn batch_norm(&self, b: &mut Builder, norm: &BatchNorm, x: &Value) -> Result<Value, Error> {
        let (shape, scale) = self.tensor("scale")?;
        let (_, variance) = self.tensor("running-variance")?;
        let factor = |(&scale, &variance): (&f32, &f32)| {
            (f64::from(scale) / (f64::from(variance) + norm.eps).sqrt()) as f32
        };
        let factors: Vec<f32> = scale.iter().zip(variance).map(factor).collect();
        let mean = self.constant(b, "running-mean")?;
        let centred = b.node("Sub", &[x, &mean]);
        let factors = b.floats(shape, &factors);
        let scaled = b.node("Mul", &[&centred, &factors]);
        let shift = self.constant(b, "shift")?;
        Ok(b.node("Add", &[&scaled, &shift]))
    }

    fn layer_norm(&self, b: &mut Builder, norm: &LayerNorm, x: &Value) -> Result<Value, Error> {
        let (scale, shift) = (self.constant(b, "scale")?, self.constant(b, "shift")?);
        Ok(b.node_with(
            "LayerNormalization",
            &[x, &scale, &shift],
            vec![int("axis", -1), float("epsilon", norm.eps)],
        ))
    }

    /// A tensor of two dimensions, and these.
    fn of_members(&self, name: &str) -> Result<([usize; 2], &'a [f32]), Error> {
        match self.tensor(name)? {
            (&[members, width], values) => Ok(([members, width], values)),
            _ => Err(self.missing(name)),
        }
    }

    /// Every member's factors times the row.
    fn members(&self, b: &mut Builder, x: &Value) -> Result<Value, Error> {
        let ([members, inputs], factors) = self.of_members("scale")?;
        let factors = b.floats(&[members, inputs], factors);
        let row = reshape(b, x, &[1, inputs]);
        let all = b.node("Mul", &[&row, &factors]);
        Ok(reshape(b, &all, &[members * inputs]))
    }

    /// (x · weight) · scale + bias, for every member.
    fn ensemble(&self, b: &mut Builder, x: &Value) -> Result<Value, Error> {
        let ([inputs, units], weight) = self.of_members("weight")?;
        let ([members, _], scale) = self.of_members("scale")?;
        let weight = b.floats(&[inputs, units], weight);
        let scale = b.floats(&[members, units], scale);
        let bias = self.constant(b, "bias")?;
        let x = reshape(b, x, &[members, inputs]);
        let product = b.node("MatMul", &[&x, &weight]);
        let scaled = b.node("Mul", &[&product, &scale]);
        let shifted = b.node("Add", &[&scaled, &bias]);
        Ok(reshape(b, &shifted, &[members * units]))
    }

    /// x · weight + bias, with those of every member.
    fn heads(&self, b: &mut Builder, x: &Value) -> Result<Value, Error> {
        let (shape, weight) = self.tensor("weight")?;
        let &[members, units, inputs] = shape else { return Err(self.missing("weight")) };
        let at = |member: usize, input: usize, unit: usize| weight[(member * units + unit) * inputs + input];
        let turned: Vec<f32> = (0..members)
            .flat_map(|member| {
                (0..inputs).flat_map(move |input| (0..units).map(move |unit| (member, input, unit)))
            })
            .map(|(member, input, unit)| at(member, input, unit))
            .collect();
        let weight = b.floats(&[members, inputs, units], &turned);
        let (_, bias) = self.tensor("bias")?;
        let bias = b.floats(&[members * units], bias);
        let x = reshape(b, x, &[members, 1, inputs]);
        let product = b.node("MatMul", &[&x, &weight]);
        let flat = reshape(b, &product, &[members * units]);
        Ok(b.node("Add", &[&flat, &bias]))
    }

    /// The mean of what the members predict.
    fn average(&self, b: &mut Builder, average: &Average, x: &Value) -> Value {
        let outputs = self.model.outputs();
        let members = self.model.training_outputs() / outputs;
        let x = reshape(b, x, &[members, outputs]);
        let least = b.floats(&[], &[1e-37]);
        let mean = |b: &mut Builder, values: &Value| {
            let axis = b.ints(&[1], &[1]);
            b.node_with("ReduceMean", &[values, &axis], vec![int("keepdims", 0)])
        };
        let log_mean = |b: &mut Builder, probabilities: &Value| {
            let mean = mean(b, probabilities);
            let held = b.node("Max", &[&mean, &least]);
            b.node("Log", &[&held])
        };
        match average.of {
            Outputs::Values => mean(b, &x),
            Outputs::Softmax => {
                let probabilities = b.node_with("Softmax", &[&x], vec![int("axis", -1)]);
                log_mean(b, &probabilities)
            }
            Outputs::Sigmoid => {
                let yes = b.node("Sigmoid", &[&x]);
                let turned = b.node("Neg", &[&x]);
                let no = b.node("Sigmoid", &[&turned]);
                let (yes, no) = (log_mean(b, &yes), log_mean(b, &no));
                b.node("Sub", &[&yes, &no])
            }
        }
    }

    /// The vectors of the first inputs, then the other inputs. What is no category of its input becomes a
    /// place that does not exist, which a runtime refuses, as prediction does here.
    fn embedding(&self, b: &mut Builder, embedding: &Embedding, x: &Value) -> Result<Value, Error> {
        let (_, weight) = self.tensor("weight")?;
        let (embedded, inputs) = (embedding.categories.len(), self.model.inputs());
        let mut parts = Vec::with_capacity(embedded + 1);
        let mut rest = weight;
        for (column, &count) in embedding.categories.iter().enumerate() {
            let values = rest.get(..count * embedding.dim).ok_or_else(|| self.missing("weight"))?;
            rest = &rest[count * embedding.dim..];
            let table = b.floats(&[count, embedding.dim], values);
            let column = b.ints(&[], &[column as i64]);
            let code = b.node_with("Gather", &[x, &column], vec![int("axis", 1)]);
            let whole = b.node("Floor", &[&code]);
            let is_whole = b.node("Equal", &[&code, &whole]);
            let (zero, end) = (b.floats(&[], &[0.0]), b.floats(&[], &[count as f32]));
            let from_zero = b.node("GreaterOrEqual", &[&code, &zero]);
            let below_end = b.node("Less", &[&code, &end]);
            let in_range = b.node("And", &[&from_zero, &below_end]);
            let valid = b.node("And", &[&is_whole, &in_range]);
            let checked = b.node("Where", &[&valid, &code, &end]);
            let place = b.cast(&checked, Element::Int64);
            parts.push(b.node("Gather", &[&table, &place]));
        }
        if embedded < inputs {
            let others: Vec<i64> = (embedded as i64..inputs as i64).collect();
            let others = b.ints(&[others.len()], &others);
            parts.push(b.node_with("Gather", &[x, &others], vec![int("axis", 1)]));
        }
        Ok(b.beside(parts))
    }
}

/// Rows of other dimensions.
fn reshape(b: &mut Builder, x: &Value, dims: &[usize]) -> Value {
    let dims: Vec<i64> = std::iter::once(-1).chain(dims.iter().map(|&dim| dim as i64)).collect();
    let dims = b.ints(&[dims.len()], &dims);
    b.node("Reshape", &[x, &dims])
}

/// The first inputs, each with its bins behind it, and then the other inputs.
fn bins(b: &mut Builder, layer: &PiecewiseLinear, x: &Value) -> Value {
    let (mut columns, mut left, mut slopes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut least, mut most, mut shifts) = (Vec::new(), Vec::new(), Vec::new());
    let mut push = |column: usize, [from, slope, low, high, shift]: [f64; 5]| {
        columns.push(column as i64);
        let all = [&mut left, &mut slopes, &mut least, &mut most, &mut shifts];
        all.into_iter().zip([from, slope, low, high, shift]).for_each(|(to, value)| to.push(value as f32));
    };
    for (column, edges) in layer.edges.iter().enumerate() {
        push(column, [0.0, 1.0, f64::NEG_INFINITY, f64::INFINITY, 0.0]);
        let last = edges.len().saturating_sub(2);
        for (i, pair) in edges.windows(2).enumerate() {
            let low = if i == 0 { f64::NEG_INFINITY } else { 0.0 };
            let high = if i == last { f64::INFINITY } else { layer.scale };
            // As steep as 32 bits can be.
            let slope = (layer.scale / (pair[1] - pair[0])).min(1e30);
            push(column, [pair[0], slope, low, high, -0.5 * layer.scale]);
        }
    }
    let columns = b.ints(&[columns.len()], &columns);
    let mut values = b.node_with("Gather", &[x, &columns], vec![int("axis", 1)]);
    let steps = [("Sub", left), ("Mul", slopes), ("Max", least), ("Min", most), ("Add", shifts)];
    for (op, numbers) in steps {
        let numbers = b.floats(&[numbers.len()], &numbers);
        values = b.node(op, &[&values, &numbers]);
    }
    let axis = b.ints(&[1], &[1]);
    let (first, end) = (b.ints(&[1], &[layer.edges.len() as i64]), b.ints(&[1], &[i64::MAX]));
    let others = b.node("Slice", &[x, &first, &end, &axis]);
    b.beside(vec![values, others])
}

/// x·Φ(x), with the error function: the operator `Gelu` is of a later set.
fn gelu(b: &mut Builder, x: &Value) -> Value {
    let root = b.floats(&[], &[std::f32::consts::FRAC_1_SQRT_2]);
    let (one, half) = (b.floats(&[], &[1.0]), b.floats(&[], &[0.5]));
    let scaled = b.node("Mul", &[x, &root]);
    let erf = b.node("Erf", &[&scaled]);
    let twice = b.node("Add", &[&erf, &one]);
    let share = b.node("Mul", &[&twice, &half]);
    b.node("Mul", &[x, &share])
}
