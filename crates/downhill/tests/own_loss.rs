//! A loss of a user's own, in the user's crate: in `Trainer`, with early stopping, checkpoints, the finder of
//! the rate, and models that are saved.

mod common;

use downhill::nn::loss::{Elementwise, LossFunction, NamedLoss, Rows, TargetKind};
use downhill::nn::{self, Batch, Hessian, Model, Workspace};
use downhill::optim::{Float, Invalid, invalid};
use downhill::prelude::*;
use downhill::train::{RunConfig, RunFolder, Source};
use serde::{Deserialize, Serialize};

use common::{bits, killed_and_resumed, runs};

/// The quantile loss, rounded off: `q`·s(e) + (1 − `q`)·s(−e), where e = target − output and s is a softplus
/// of width `width`. The output becomes about the `q`-quantile.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Quantile {
    q: f64,
    width: f64,
}

impl Default for Quantile {
    fn default() -> Self {
        Self { q: 0.5, width: 0.1 }
    }
}

impl Elementwise for Quantile {
    #[inline(always)]
    fn value<F: Float>(self, output: F, target: F) -> F {
        let (q, width, one) = (F::of(self.q), F::of(self.width), F::one());
        let error = target - output;
        let softplus = |x: F| x.max(F::zero()) + width * (one + (-x.abs() / width).exp()).ln();
        q * softplus(error) + (one - q) * softplus(-error)
    }

    #[inline(always)]
    fn derivative<F: Float>(self, output: F, target: F) -> F {
        nn::loss::sigmoid((output - target) / F::of(self.width)) - F::of(self.q)
    }

    fn second(self, output: f64, target: f64) -> f64 {
        let s = nn::loss::sigmoid((output - target) / self.width);
        s * (1.0 - s) / self.width
    }
}

impl NamedLoss for Quantile {
    const NAME: &'static str = "quantile";

    fn check(&self) -> Result<(), Invalid> {
        invalid::fraction("quantile", "q", self.q)?;
        invalid::positive("quantile", "width", self.width)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }
}

fn quantile() -> Loss {
    Loss::own(Quantile { q: 0.8, ..Quantile::default() })
}

/// The whole run: the rate is found, early stopping watches the loss.
fn trainer() -> Trainer {
    Trainer::new(Network::mlp([16]))
        .loss(quantile())
        .early_stopping("after(4)".parse::<EarlyStopping>().unwrap())
        .epochs(12)
        .seed(3)
        .threads(2)
}

#[test]
fn it_trains_and_is_spelt() {
    let runs = runs("whole");
    let trained = trainer().fit_in(&runs, Some("run"), &Source::new("diabetes")).unwrap();
    let config = RunConfig::of(&RunFolder::open(&runs.join("run")).unwrap()).unwrap();
    assert_eq!(config.training.loss, Some(quantile()));
    assert_eq!(quantile().to_string(), "quantile(q=0.8, width=0.1)");
    // The same on one thread.
    let data = Source::new("diabetes").load(3).unwrap();
    assert_eq!(bits(&trainer().threads(1).fit(&data).unwrap()), bits(&trained));

    // Four of five targets are below the prediction, and so they are after it was saved and loaded.
    let predictor = trained.predictor();
    let Predictions::Values(predicted) = predictor.predict_rows(&data.train.x).unwrap() else { panic!() };
    let (mean, std) = predictor.encoder().unwrap().target_scale();
    let Targets::Values(targets) = &data.train.y else { panic!() };
    let below = predicted.iter().zip(targets).filter(|(p, t)| mean + std * f64::from(**t) < **p).count();
    let share = below as f64 / targets.len() as f64;
    assert!((0.7..0.9).contains(&share), "{share}");
    let path = runs.join("own.safetensors");
    predictor.save(&path).unwrap();
    let loaded = Predictor::load(&path).unwrap();
    assert_eq!((loaded.loss(), loaded.task()), (&quantile(), Task::Regression));
    assert_eq!(loaded.predict_rows(&data.train.x).unwrap(), Predictions::Values(predicted));
    assert_eq!(loaded.evaluate_rows(&data.valid).unwrap(), predictor.evaluate_rows(&data.valid).unwrap());
    std::fs::remove_dir_all(&runs).unwrap();
}

#[test]
fn a_run_that_was_killed_is_resumed_to_the_same_bits() {
    let test = "a_run_that_was_killed_is_resumed_to_the_same_bits";
    let resumed = killed_and_resumed(test, trainer, "diabetes", || Loss::register::<Quantile>().unwrap());
    assert!(resumed.is_none_or(|resumed| resumed.predictor().loss() == &quantile()));
}

/// Where nothing gets better, early stopping sees it in the loss.
#[test]
fn early_stopping_watches_it() {
    let data = Source::new("diabetes").load(3).unwrap();
    let stopped = trainer().lr("0.3".parse::<Schedule>().unwrap()).epochs(200).fit(&data).unwrap();
    assert!(stopped.summary().stopped_early);
}

/// Gradients and products with the Hessian, against central differences.
#[test]
fn its_derivatives_are_right() {
    let layers = ["dense(5)", "tanh", "dense(1)"].map(|spec| spec.parse::<LayerSpec>().unwrap());
    let mut model = Model::<f64>::build(&layers, 3, 1).unwrap();
    let noise = |count: usize| -> Vec<f64> { (0..count).map(|i| (i as f64 * 12.9898).sin()).collect() };
    let params: Vec<f64> = noise(model.params().len());
    let (x, t, rows) = (noise(60), noise(20), (0..20).collect::<Vec<u32>>());
    let batch = Batch { x: &x, targets: nn::Targets::Values(&t), rows: &rows };
    let mut workspace = Workspace::new(&model, 20, false);
    let mut at = |moved: &[f64], h: f64| {
        model.params_mut().iter_mut().zip(&params).zip(moved).for_each(|((p, at), v)| *p = at + h * v);
        let mean = workspace.gradients(&mut model, &batch, &quantile(), 0, 0).unwrap();
        (mean, workspace.gradient().to_vec(), model.clone())
    };
    let (h, v) = (1e-5, noise(params.len() + 1)[1..].to_vec());
    let (mean, gradient, here) = at(&v, 0.0);
    assert!(mean > 0.01);
    let mut hessian = Hessian::new(&here, &batch, &quantile()).unwrap();
    let mut product = vec![0.0; v.len()];
    hessian.product(&v, &mut product);
    let ((above, gradient_above, _), (below, gradient_below, _)) = (at(&v, h), at(&v, -h));
    let slope: f64 = gradient.iter().zip(&v).map(|(g, v)| g * v).sum();
    let difference = (above - below) / (2.0 * h);
    assert!((slope - difference).abs() < 1e-7 * slope.abs(), "{slope} is not {difference}");
    for (i, &product) in product.iter().enumerate() {
        let difference = (gradient_above[i] - gradient_below[i]) / (2.0 * h);
        assert!((product - difference).abs() < 1e-6, "{i}: {product} is not {difference}");
    }
}

/// The Brier score of raw outputs, row by row, with weights of the classes and no second derivative.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Brier {
    weights: Vec<f64>,
}

impl Brier {
    fn weight(&self, class: u32) -> f64 {
        self.weights.get(class as usize).copied().unwrap_or(1.0)
    }
}

impl LossFunction for Brier {
    fn sum<F: Float>(&self, Rows { outputs, width, targets }: Rows<'_, F>) -> f64 {
        let nn::Targets::Classes(classes) = targets else { return f64::NAN };
        let rows = outputs.chunks_exact(width).zip(classes);
        let of_row = |(row, &class): (&[F], &u32)| {
            let right = |output: usize| f64::from(u8::from(output == class as usize));
            let squares = row.iter().enumerate().map(|(i, y)| (y.f64() - right(i)).powi(2));
            self.weight(class) * squares.sum::<f64>()
        };
        rows.map(of_row).sum()
    }

    fn gradient<F: Float>(&self, rows: Rows<'_, F>, scale: F, gradient: &mut [F]) -> f64 {
        let nn::Targets::Classes(classes) = rows.targets else { return f64::NAN };
        gradient.copy_from_slice(rows.outputs);
        for (row, &class) in gradient.chunks_exact_mut(rows.width).zip(classes) {
            row[class as usize] -= F::one();
            let scale = scale * F::of(2.0 * self.weight(class));
            row.iter_mut().for_each(|g| *g *= scale);
        }
        self.sum(rows)
    }
}

impl NamedLoss for Brier {
    const NAME: &'static str = "brier";

    fn check(&self) -> Result<(), Invalid> {
        self.weights.iter().try_for_each(|&weight| invalid::not_negative("brier", "weights", weight))
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn class_weights(&self) -> &[f64] {
        &self.weights
    }

    fn class_weights_mut(&mut self) -> Option<&mut Vec<f64>> {
        Some(&mut self.weights)
    }
}

#[test]
fn one_for_classes_tells_them_apart() {
    let data = Source::new("wine").load(3).unwrap();
    let trainer = Trainer::new(Network::mlp([24])).loss(Loss::own(Brier::default())).epochs(15).seed(3);
    let trained = trainer.class_weights(downhill::train::ClassWeights::Balanced).fit(&data).unwrap();
    assert!(trained.score() > 0.9, "{}", trained.score());
    let Loss::Own(_) = trained.predictor().loss() else { panic!() };
    assert_eq!(trained.predictor().loss().class_weights().len(), 3);
    // Values are not classes.
    let numbers = Source::new("diabetes").load(3).unwrap();
    let trainer = Trainer::new(Network::mlp([4])).epochs(1);
    let error = trainer.loss(Loss::own(Brier::default())).fit(&numbers).unwrap_err().to_string();
    assert!(error.contains("the loss brier is for classes, and the target is a number"), "{error}");
    let trainer = Trainer::new(Network::mlp([4])).epochs(1);
    let error = trainer.loss(quantile()).fit(&data).unwrap_err().to_string();
    assert!(error.contains("the loss quantile is for regression, and the target is classes"), "{error}");
}

#[test]
fn names_are_taken_once() {
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct NotMse {}

    impl Elementwise for NotMse {
        fn value<F: Float>(self, _: F, _: F) -> F {
            F::zero()
        }

        fn derivative<F: Float>(self, _: F, _: F) -> F {
            F::zero()
        }

        fn second(self, _: f64, _: f64) -> f64 {
            0.0
        }
    }

    impl NamedLoss for NotMse {
        const NAME: &'static str = "mse";

        fn check(&self) -> Result<(), Invalid> {
            Ok(())
        }

        fn targets(&self) -> TargetKind {
            TargetKind::Values
        }
    }

    assert_eq!(Loss::own(NotMse {}).check().unwrap_err().message, "is that of a loss of Downhill's");
    Loss::register::<Quantile>().unwrap();
    assert_eq!("quantile(0.8)".parse(), Ok(quantile()));
    for (text, message) in [
        ("quantile(1.5)", "`q` of `quantile` must be"),
        ("quantile(p=1)", "unknown key `p`"),
        ("quantiles", "`quantiles` is not a loss"),
    ] {
        let error = text.parse::<Loss>().unwrap_err();
        assert!(error.message().starts_with(message), "{error}");
    }
}
