//! Downhill's own side of the comparison, by its library.

#[path = "../../protocol.rs"]
mod protocol;

use downhill_nn::{Batch, Dense, Loss, Mlp, Model, Targets, Workspace};
use downhill_optim::{Adam, AdamW, Layout, Optimizer, Regularization, Rule};
use protocol::{Result, Rival, Spec, Update, Work, gradient, permutation, serve};
use rayon::ThreadPool;
use rayon::prelude::*;

/// One training.
struct Run {
    rate: f64,
    model: Model<f32>,
    optimizer: Optimizer<f32>,
    workspace: Workspace<f32>,
}

struct Downhill {
    work: Work,
    loss: Loss,
    pool: ThreadPool,
    runs: Vec<Run>,
    seed: u64,
}

fn targets(work: &Work, rows: usize) -> Targets<'_, f32> {
    if work.regression() {
        Targets::Values(&work.values[..rows])
    } else {
        Targets::Classes(&work.classes[..rows])
    }
}

/// The optimizer of a workload; `parallel` if it may use all threads of the pool it runs in.
fn optimizer(spec: &Spec, layout: &Layout, parallel: bool) -> Result<Optimizer<f32>> {
    let rule: Rule = if spec.optimizer == "adamw" {
        AdamW { weight_decay: spec.weight_decay, ..AdamW::default() }.into()
    } else {
        Adam::default().into()
    };
    let clip_norm = (spec.clip > 0.0).then_some(spec.clip);
    let regularization = Regularization { clip_norm, ..Regularization::default() };
    Ok(Optimizer::new(rule, regularization, layout, parallel)?)
}

fn pool(work: &Work) -> Result<ThreadPool> {
    Ok(rayon::ThreadPoolBuilder::new().num_threads(work.threads).build()?)
}

impl Run {
    fn new(work: &Work, rate: f64, seed: u64) -> Result<Self> {
        let spec = &work.spec;
        let mlp = Mlp {
            hidden: spec.hidden.clone(),
            batch_norm: spec.batch_norm,
            dropout: spec.dropout,
            ..Mlp::default()
        };
        let mut layers = mlp.layers();
        layers.push(Dense::new(spec.outputs).into());
        let model = Model::build(&layers, spec.inputs, seed)?;
        // The trainings of a sweep share the threads among them; one row is not worth waking one.
        let parallel = work.threads > 1 && spec.rates.is_empty() && spec.rows_a_call != 1;
        let optimizer = optimizer(spec, model.layout(), parallel)?;
        let workspace = Workspace::new(&model, spec.batch, parallel);
        Ok(Self { rate, model, optimizer, workspace })
    }

    fn train(&mut self, work: &Work, loss: &Loss, seed: u64) -> std::result::Result<(), downhill_nn::Error> {
        let mut step = 0;
        for epoch in 0..work.spec.epochs {
            for rows in permutation(work.spec.rows, seed + epoch).chunks_exact(work.spec.batch) {
                let batch = Batch { x: &work.x, targets: targets(work, work.spec.rows), rows };
                self.workspace.gradients(&mut self.model, &batch, loss, seed, step)?;
                self.optimizer.step(step, self.rate, self.model.params_mut(), self.workspace.gradient());
                step += 1;
            }
        }
        Ok(())
    }
}

impl Downhill {
    fn new(work: Work) -> Result<Self> {
        let loss = if work.regression() { "mse" } else { "cross-entropy" }.parse()?;
        let pool = pool(&work)?;
        Ok(Self { work, loss, pool, runs: Vec::new(), seed: 0 })
    }
}

impl Rival for Downhill {
    fn fresh(&mut self, seed: u64) -> Result<()> {
        self.seed = seed;
        let rates = self.work.rates();
        let make = |&rate: &f64| Run::new(&self.work, rate, seed).map_err(|error| error.to_string());
        // In the pool, as a workspace asks it for the number of its threads.
        self.runs = self.pool.install(|| rates.iter().map(make).collect::<std::result::Result<_, _>>())?;
        Ok(())
    }

    fn train(&mut self) -> Result<()> {
        let Self { work, loss, pool, runs, seed } = self;
        Ok(pool.install(|| match &mut runs[..] {
            [run] => run.train(work, loss, *seed),
            runs => runs.par_iter_mut().try_for_each(|run| run.train(work, loss, *seed)),
        })?)
    }

    fn losses(&mut self) -> Result<Vec<f64>> {
        let rows = self.work.measured();
        let mut outputs = vec![0.0; rows * self.work.spec.outputs];
        let mut losses = Vec::new();
        for run in &mut self.runs {
            run.workspace.predict(&run.model, &self.work.x[..rows * self.work.spec.inputs], &mut outputs)?;
            losses.push(self.loss.mean(&outputs, targets(&self.work, rows))?);
        }
        Ok(losses)
    }

    fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>> {
        let mut outputs = vec![0.0; x.len() / self.work.spec.inputs * self.work.spec.outputs];
        let Run { model, workspace, .. } = &mut self.runs[0];
        match self.work.spec.rows_a_call {
            1 => workspace.predict(model, x, &mut outputs)?,
            _ => self.pool.install(|| workspace.predict(model, x, &mut outputs))?,
        }
        Ok(outputs)
    }
}

/// (f).
struct Step {
    rate: f64,
    pool: ThreadPool,
    optimizer: Optimizer<f32>,
    params: Vec<f32>,
    grads: Vec<f32>,
    count: u64,
}

impl Step {
    fn new(work: Work) -> Result<Self> {
        let grads = gradient(&work.spec);
        let optimizer = optimizer(&work.spec, &Layout::flat(grads.len()), work.threads > 1)?;
        let params = vec![0.0; grads.len()];
        Ok(Self { rate: work.spec.lr, pool: pool(&work)?, optimizer, params, grads, count: 0 })
    }
}

impl Update for Step {
    fn prepare(&mut self) -> Result<()> {
        Ok(())
    }

    fn step(&mut self) -> Result<()> {
        let Self { rate, pool, optimizer, params, grads, count } = self;
        pool.install(|| optimizer.step(*count, *rate, params, grads));
        *count += 1;
        Ok(())
    }

    fn size(&mut self) -> Result<f64> {
        Ok(self.params.iter().map(|p| f64::from(p.abs())).sum::<f64>() / self.params.len() as f64)
    }
}

fn main() -> Result<()> {
    serve("this tree", Downhill::new, Step::new)
}
