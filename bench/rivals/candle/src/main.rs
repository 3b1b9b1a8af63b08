//! candle, with its own AdamW; Adam is AdamW without decay. It has no clipping by the norm, which is written out here.

#[path = "../../protocol.rs"]
mod protocol;

use candle_core::backprop::GradStore;
use candle_core::{D, Device, Tensor, Var};
use candle_nn::{
    AdamW, BatchNorm, BatchNormConfig, Dropout, Linear, ModuleT, Optimizer, ParamsAdamW, VarBuilder, VarMap,
    loss,
};
use protocol::{Result, Rival, Spec, Update, Work, gradient, permutation, serve};

struct Layer {
    dense: Linear,
    norm: Option<BatchNorm>,
    dropout: Option<Dropout>,
}

struct Network {
    hidden: Vec<Layer>,
    head: Linear,
}

impl Network {
    fn new(work: &Work, vars: VarBuilder) -> candle_core::Result<Self> {
        let spec = &work.spec;
        let (mut hidden, mut width) = (Vec::new(), spec.inputs);
        for (i, &units) in spec.hidden.iter().enumerate() {
            let name = format!("dense{i}");
            let dense = if spec.batch_norm {
                candle_nn::linear_no_bias(width, units, vars.pp(name))?
            } else {
                candle_nn::linear(width, units, vars.pp(name))?
            };
            let settings = BatchNormConfig { eps: 1e-5, momentum: 0.1, ..BatchNormConfig::default() };
            let norm = spec
                .batch_norm
                .then(|| candle_nn::batch_norm(units, settings, vars.pp(format!("norm{i}"))))
                .transpose()?;
            let dropout = (spec.dropout > 0.0).then(|| Dropout::new(spec.dropout as f32));
            hidden.push(Layer { dense, norm, dropout });
            width = units;
        }
        Ok(Self { hidden, head: candle_nn::linear(width, spec.outputs, vars.pp("head"))? })
    }

    fn forward(&self, x: &Tensor, train: bool) -> candle_core::Result<Tensor> {
        let mut x = x.clone();
        for layer in &self.hidden {
            x = layer.dense.forward_t(&x, train)?;
            if let Some(norm) = &layer.norm {
                x = norm.forward_t(&x, train)?;
            }
            x = x.relu()?;
            if let Some(dropout) = &layer.dropout {
                x = dropout.forward(&x, train)?;
            }
        }
        self.head.forward_t(&x, train)
    }
}

struct Run {
    network: Network,
    vars: Vec<Var>,
    optimizer: AdamW,
}

struct Candle {
    work: Work,
    x: Tensor,
    y: Tensor,
    runs: Vec<Run>,
    seed: u64,
}

/// Scales all gradients down together to a norm.
fn clip(vars: &[Var], grads: &mut GradStore, limit: f64) -> candle_core::Result<()> {
    let mut sum = 0.0;
    for var in vars {
        if let Some(grad) = grads.get(var) {
            sum += f64::from(grad.sqr()?.sum_all()?.to_scalar::<f32>()?);
        }
    }
    if sum.sqrt() > limit {
        for var in vars {
            if let Some(grad) = grads.remove(var) {
                grads.insert(var, (grad * (limit / sum.sqrt()))?);
            }
        }
    }
    Ok(())
}

fn optimizer(spec: &Spec, lr: f64, vars: Vec<Var>) -> Result<AdamW> {
    if !["adam", "adamw"].contains(&spec.optimizer.as_str()) {
        return Err(format!("there is no `{}` here", spec.optimizer).into());
    }
    let weight_decay = spec.weight_decay;
    Ok(AdamW::new(vars, ParamsAdamW { lr, weight_decay, ..ParamsAdamW::default() })?)
}

impl Candle {
    fn new(work: Work) -> Result<Self> {
        let (spec, device) = (&work.spec, Device::Cpu);
        let x = Tensor::from_slice(&work.x, (spec.rows, spec.inputs), &device)?;
        let y = if work.regression() {
            Tensor::from_slice(&work.values, (spec.rows, 1), &device)?
        } else {
            Tensor::from_slice(&work.classes, spec.rows, &device)?
        };
        Ok(Self { work, x, y, runs: Vec::new(), seed: 0 })
    }

    fn loss(&self, outputs: &Tensor, y: &Tensor) -> candle_core::Result<Tensor> {
        if self.work.regression() { loss::mse(outputs, y) } else { loss::cross_entropy(outputs, y) }
    }

    fn train_one(&self, run: &mut Run) -> candle_core::Result<()> {
        let spec = &self.work.spec;
        for epoch in 0..spec.epochs {
            let order = Tensor::from_vec(permutation(spec.rows, self.seed + epoch), spec.rows, &Device::Cpu)?;
            for first in (0..spec.rows).step_by(spec.batch) {
                let rows = order.narrow(0, first, spec.batch)?;
                let outputs = run.network.forward(&self.x.index_select(&rows, 0)?, true)?;
                let mut grads = self.loss(&outputs, &self.y.index_select(&rows, 0)?)?.backward()?;
                if spec.clip > 0.0 {
                    clip(&run.vars, &mut grads, spec.clip)?;
                }
                run.optimizer.step(&grads)?;
            }
        }
        Ok(())
    }
}

impl Rival for Candle {
    fn fresh(&mut self, seed: u64) -> Result<()> {
        self.seed = seed;
        self.runs.clear();
        for lr in self.work.rates() {
            let map = VarMap::new();
            let vars = VarBuilder::from_varmap(&map, candle_core::DType::F32, &Device::Cpu);
            let network = Network::new(&self.work, vars)?;
            // Running statistics are variables too, but have no gradient and so are not moved.
            let vars = map.all_vars();
            let optimizer = optimizer(&self.work.spec, lr, vars.clone())?;
            self.runs.push(Run { network, vars, optimizer });
        }
        Ok(())
    }

    fn train(&mut self) -> Result<()> {
        let mut runs = std::mem::take(&mut self.runs);
        let share = runs.len().div_ceil(self.work.threads);
        let this = &*self;
        let work = |runs: &mut [Run]| runs.iter_mut().try_for_each(|run| this.train_one(run));
        std::thread::scope(|scope| {
            let shares: Vec<_> = runs.chunks_mut(share).map(|runs| scope.spawn(move || work(runs))).collect();
            shares.into_iter().try_for_each(|share| share.join().expect("a training thread"))
        })?;
        self.runs = runs;
        Ok(())
    }

    fn losses(&mut self) -> Result<Vec<f64>> {
        let rows = self.work.measured();
        let (x, y) = (self.x.narrow(0, 0, rows)?, self.y.narrow(0, 0, rows)?);
        let measure = |run: &Run| {
            let loss = self.loss(&run.network.forward(&x, false)?.detach(), &y)?;
            Ok(f64::from(loss.to_scalar::<f32>()?))
        };
        self.runs.iter().map(measure).collect()
    }

    fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let inputs = self.work.spec.inputs;
        let x = Tensor::from_slice(x, (x.len() / inputs, inputs), &Device::Cpu)?;
        let outputs = self.runs[0].network.forward(&x, false)?;
        Ok(outputs.flatten(0, D::Minus1)?.to_vec1()?)
    }
}

/// (f).
struct Step {
    spec: Spec,
    weights: Var,
    grads: GradStore,
    optimizer: AdamW,
}

impl Step {
    fn new(work: Work) -> Result<Self> {
        let spec = work.spec;
        let weights = Var::zeros((spec.inputs, spec.outputs), candle_core::DType::F32, &Device::Cpu)?;
        // A store is only to be had from a backward pass.
        let grads = weights.sum_all()?.backward()?;
        let optimizer = optimizer(&spec, spec.lr, vec![weights.clone()])?;
        Ok(Self { spec, weights, grads, optimizer })
    }
}

impl Update for Step {
    fn prepare(&mut self) -> Result<()> {
        let shape = (self.spec.inputs, self.spec.outputs);
        self.grads.insert(&self.weights, Tensor::from_vec(gradient(&self.spec), shape, &Device::Cpu)?);
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        if self.spec.clip > 0.0 {
            clip(std::slice::from_ref(&self.weights), &mut self.grads, self.spec.clip)?;
        }
        Ok(self.optimizer.step(&self.grads)?)
    }

    fn size(&mut self) -> Result<f64> {
        Ok(f64::from(self.weights.abs()?.mean_all()?.to_scalar::<f32>()?))
    }
}

fn main() -> Result<()> {
    serve("0.11.1", Candle::new, Step::new)
}
