//! burn on its flex backend. Its own clipping is by the norm of each tensor; by that of all together it is written out here.

#[path = "../../protocol.rs"]
mod protocol;

use burn::module::{Module, ModuleVisitor, Param};
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Initializer, Linear, LinearConfig};
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{Result, Rival, Spec, Update, Work, gradient, permutation, serve};

#[derive(Module, Debug)]
struct Layer {
    dense: Linear,
    norm: Option<BatchNorm>,
    dropout: Option<Dropout>,
}

#[derive(Module, Debug)]
struct Network {
    hidden: Vec<Layer>,
    head: Linear,
}

impl Network {
    fn new(work: &Work, device: &Device) -> Self {
        let spec = &work.spec;
        let (mut hidden, mut width) = (Vec::new(), spec.inputs);
        for &units in &spec.hidden {
            hidden.push(Layer {
                dense: LinearConfig::new(width, units).with_bias(!spec.batch_norm).init(device),
                norm: spec.batch_norm.then(|| BatchNormConfig::new(units).init(device)),
                dropout: (spec.dropout > 0.0).then(|| DropoutConfig::new(spec.dropout).init()),
            });
            width = units;
        }
        Self { hidden, head: LinearConfig::new(width, spec.outputs).init(device) }
    }

    fn forward(&self, mut x: Tensor<2>) -> Tensor<2> {
        for layer in &self.hidden {
            x = layer.dense.forward(x);
            if let Some(norm) = &layer.norm {
                x = norm.forward(x);
            }
            x = relu(x);
            if let Some(dropout) = &layer.dropout {
                x = dropout.forward(x);
            }
        }
        self.head.forward(x)
    }
}

struct Run {
    rate: f64,
    network: Network,
    optimizer: ModuleOptimizer,
}

fn optimizer(spec: &Spec) -> ModuleOptimizer {
    if spec.optimizer == "adamw" {
        AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(spec.weight_decay as f32).init()
    } else {
        AdamConfig::new().with_epsilon(1e-8).init()
    }
}

/// The sum of the squares of all gradients.
struct Squares<'a> {
    grads: &'a GradientsParams,
    sum: f64,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            self.sum += f64::from((grad.clone() * grad).sum().into_scalar::<f32>());
        }
    }
}

struct Scale<'a> {
    grads: &'a mut GradientsParams,
    factor: f64,
}

impl ModuleVisitor for Scale<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.remove::<D>(param.id) {
            self.grads.register(param.id, grad.mul_scalar(self.factor));
        }
    }
}

/// Scales all gradients down together to a norm, if one is asked for.
fn clip<M: Module>(module: &M, grads: &mut GradientsParams, limit: f64) {
    if limit == 0.0 {
        return;
    }
    let mut squares = Squares { grads, sum: 0.0 };
    module.visit(&mut squares);
    let norm = squares.sum.sqrt();
    if norm > limit {
        module.visit(&mut Scale { grads, factor: limit / norm });
    }
}

/// The rows on one device: to train on, or to measure and predict on, which keeps no track of operations.
struct Rows {
    device: Device,
    x: Tensor<2>,
    classes: Tensor<1, Int>,
    values: Tensor<2>,
}

impl Rows {
    fn new(work: &Work, device: Device) -> Self {
        let spec = &work.spec;
        let classes: Vec<i32> = work.classes.iter().map(|&class| class as i32).collect();
        let data =
            |values: &[f32], shape| Tensor::from_data(TensorData::new(values.to_vec(), shape), &device);
        Self {
            x: data(&work.x, [spec.rows, spec.inputs]),
            values: data(&work.values, [work.values.len(), 1]),
            classes: Tensor::from_data(TensorData::new(classes, [work.classes.len()]), &device),
            device,
        }
    }

    /// The mean loss of a network on some of the rows.
    fn loss(&self, work: &Work, network: &Network, rows: &[u32]) -> Tensor<1> {
        let rows: Vec<i32> = rows.iter().map(|&row| row as i32).collect();
        let count = rows.len();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [count]), &self.device);
        let outputs = network.forward(self.x.clone().select(0, rows.clone()));
        if work.regression() {
            MseLoss::new().forward(outputs, self.values.clone().select(0, rows), Reduction::Mean)
        } else {
            let loss = CrossEntropyLossConfig::new().init(&self.device);
            loss.forward(outputs, self.classes.clone().select(0, rows))
        }
    }
}

struct Burn {
    work: Work,
    train: Rows,
    plain: Rows,
    runs: Vec<Run>,
    /// The network to predict with, off the tape.
    predictor: Option<Network>,
    seed: u64,
}

impl Burn {
    fn new(work: Work) -> Result<Self> {
        let train = Rows::new(&work, Device::flex().autodiff());
        let plain = Rows::new(&work, Device::flex());
        Ok(Self { work, train, plain, runs: Vec::new(), predictor: None, seed: 0 })
    }

    fn train_one(&self, mut run: Run) -> Run {
        let spec = &self.work.spec;
        for epoch in 0..spec.epochs {
            for rows in permutation(spec.rows, self.seed + epoch).chunks_exact(spec.batch) {
                let grads = self.train.loss(&self.work, &run.network, rows).backward();
                let mut grads = GradientsParams::from_grads(grads, &run.network);
                clip(&run.network, &mut grads, spec.clip);
                run.network = run.optimizer.step(run.rate, run.network, grads);
            }
        }
        run
    }
}

impl Rival for Burn {
    fn fresh(&mut self, seed: u64) -> Result<()> {
        self.seed = seed;
        self.train.device.seed(seed);
        let spec = &self.work.spec;
        let make = |rate| Run {
            rate,
            network: Network::new(&self.work, &self.train.device),
            optimizer: optimizer(spec),
        };
        self.runs = self.work.rates().into_iter().map(make).collect();
        self.predictor = None;
        Ok(())
    }

    fn train(&mut self) -> Result<()> {
        let mut runs = std::mem::take(&mut self.runs);
        let share = runs.len().div_ceil(self.work.threads);
        let mut shares = Vec::new();
        while !runs.is_empty() {
            shares.push(runs.drain(..share.min(runs.len())).collect::<Vec<Run>>());
        }
        let this = &*self;
        let train = |share: Vec<Run>| share.into_iter().map(|run| this.train_one(run)).collect::<Vec<Run>>();
        let train = &train;
        self.runs = std::thread::scope(|scope| {
            let threads: Vec<_> = shares.into_iter().map(|share| scope.spawn(move || train(share))).collect();
            threads.into_iter().flat_map(|thread| thread.join().expect("a training thread")).collect()
        });
        Ok(())
    }

    fn losses(&mut self) -> Result<Vec<f64>> {
        let rows: Vec<u32> = (0..self.work.measured() as u32).collect();
        let measure = |run: &Run| {
            f64::from(self.plain.loss(&self.work, &run.network.valid(), &rows).into_scalar::<f32>())
        };
        Ok(self.runs.iter().map(measure).collect())
    }

    fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let inputs = self.work.spec.inputs;
        let network = self.predictor.get_or_insert_with(|| self.runs[0].network.valid());
        let data = TensorData::new(x.to_vec(), [x.len() / inputs, inputs]);
        let outputs = network.forward(Tensor::from_data(data, &self.plain.device));
        Ok(outputs.try_into_vec_as::<f32>().map_err(|error| format!("{error:?}"))?)
    }
}

/// (f).
struct Step {
    spec: Spec,
    weights: Option<Linear>,
    grads: GradientsParams,
    optimizer: ModuleOptimizer,
}

impl Step {
    fn new(work: Work) -> Result<Self> {
        let spec = work.spec;
        let weights = LinearConfig::new(spec.inputs, spec.outputs).with_bias(false);
        let weights = weights.with_initializer(Initializer::Zeros).init(&Device::flex().autodiff());
        let optimizer = optimizer(&spec);
        Ok(Self { spec, weights: Some(weights), grads: GradientsParams::new(), optimizer })
    }

    fn weights(&self) -> Result<&Linear> {
        Ok(self.weights.as_ref().ok_or("a step has failed")?)
    }
}

impl Update for Step {
    /// A step takes its gradient.
    fn prepare(&mut self) -> Result<()> {
        let data = TensorData::new(gradient(&self.spec), [self.spec.inputs, self.spec.outputs]);
        let id = self.weights()?.weight.id;
        self.grads.register(id, Tensor::<2>::from_data(data, &Device::flex()));
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        let weights = self.weights.take().ok_or("a step has failed")?;
        let mut grads = std::mem::take(&mut self.grads);
        clip(&weights, &mut grads, self.spec.clip);
        self.weights = Some(self.optimizer.step(self.spec.lr, weights, grads));
        Ok(())
    }

    fn size(&mut self) -> Result<f64> {
        Ok(f64::from(self.weights()?.weight.val().abs().mean().into_scalar::<f32>()))
    }
}

fn main() -> Result<()> {
    serve("0.22.1", Burn::new, Step::new)
}
