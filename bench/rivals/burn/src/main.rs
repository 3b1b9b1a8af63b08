//! burn on its flex backend. Its clipping is by the norm of each tensor, not of all together.

#[path = "../../protocol.rs"]
mod protocol;

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::nn::loss::{CrossEntropyLossConfig, MseLoss, Reduction};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, AdamWConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use protocol::{Result, Rival, Work, permutation, serve};

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
                let grads = GradientsParams::from_grads(grads, &run.network);
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
        let clip = (spec.clip > 0.0).then_some(GradientClippingConfig::Norm(spec.clip as f32));
        let make = |rate| {
            let optimizer = if spec.optimizer == "adamw" {
                let config =
                    AdamWConfig::new().with_epsilon(1e-8).with_weight_decay(spec.weight_decay as f32);
                config.with_grad_clipping(clip.clone()).init()
            } else {
                AdamConfig::new().with_epsilon(1e-8).with_grad_clipping(clip.clone()).init()
            };
            Run { rate, network: Network::new(&self.work, &self.train.device), optimizer }
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

fn main() -> Result<()> {
    serve("0.22.1", Burn::new)
}
