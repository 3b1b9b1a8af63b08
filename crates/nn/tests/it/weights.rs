//! Rows that count differently: against the same rows counted several times, and central differences, in `f64`.

use crate::derivatives::LOSSES;
use downhill_core::random::{Purpose, stream};
use downhill_nn::{Batch, Error, Hessian, LayerSpec, Loss, Model, Targets, Workspace};
use rand::RngExt;

const ROWS: usize = 7;
const INPUTS: usize = 3;
const OUTPUTS: usize = 3;
/// Row 2 does not count, row 4 as three.
const TIMES: [u32; ROWS] = [1, 2, 0, 1, 3, 2, 1];

/// Numbers between −1 and 1.
fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut rng = stream(seed, Purpose::Shuffle, 0);
    (0..len).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

struct Case {
    model: Model<f64>,
    loss: Loss,
    x: Vec<f64>,
    values: Vec<f64>,
    classes: Vec<u32>,
}

impl Case {
    fn new(loss: &str) -> Self {
        let layers: Vec<LayerSpec> =
            ["dense(5)", "tanh", "dense(3)"].iter().map(|spec| spec.parse().unwrap()).collect();
        let mut model = Model::build(&layers, INPUTS, 3).unwrap();
        let shaken = noise(1, model.params().len());
        model.params_mut().iter_mut().zip(shaken).for_each(|(p, n)| *p += 0.4 * n);
        Self {
            model,
            loss: loss.parse().unwrap(),
            x: noise(2, ROWS * INPUTS),
            values: noise(3, ROWS * OUTPUTS).iter().map(|v| 0.5 + 0.5 * v).collect(),
            classes: (0..ROWS).map(|i| (i * 5 % OUTPUTS) as u32).collect(),
        }
    }

    fn targets(&self) -> Targets<'_, f64> {
        match self.loss {
            Loss::CrossEntropy(_) => Targets::Classes(&self.classes),
            _ => Targets::Values(&self.values),
        }
    }
}

fn all_losses() -> impl Iterator<Item = &'static str> {
    LOSSES.into_iter().chain(["cross-entropy(class-weights=[1, 2, 0.5])"])
}

#[test]
fn a_row_of_weight_2_is_a_row_that_comes_twice() {
    let weights = TIMES.map(f64::from);
    let once: Vec<u32> = (0..ROWS as u32).collect();
    let repeated: Vec<u32> = once.iter().flat_map(|&row| vec![row; TIMES[row as usize] as usize]).collect();
    for spec in all_losses() {
        let case = Case::new(spec);
        let (loss, mut model) = (&case.loss, case.model.clone());
        let mut workspace = Workspace::new(&model, repeated.len(), false);
        let batch = Batch { x: &case.x, targets: case.targets(), rows: &repeated };
        let wanted = workspace.gradients(&mut model, &batch, loss, 0, 0).unwrap();
        let wanted_gradient = workspace.gradient().to_vec();
        let weighted = Batch { rows: &once, ..batch };
        let mean = workspace.weighted_gradients(&mut model, &weighted, Some(&weights), loss, 0, 0).unwrap();
        assert!((mean - wanted).abs() < 1e-12, "{spec}: {mean} is not {wanted}");
        for (a, b) in workspace.gradient().iter().zip(&wanted_gradient) {
            assert!((a - b).abs() < 1e-12, "{spec}: {a} is not {b}");
        }
        // The same of the loss alone.
        let mut outputs = vec![0.0; ROWS * OUTPUTS];
        workspace.predict(&model, &case.x, &mut outputs).unwrap();
        let alone = loss.weighted_mean(&outputs, case.targets(), &weights).unwrap();
        assert!((alone - wanted).abs() < 1e-12, "{spec}: {alone} is not {wanted}");
        // And of the curvature.
        let v = noise(4, model.params().len());
        let product = |mut hessian: Hessian| {
            let mut out = vec![0.0; v.len()];
            hessian.product(&v, &mut out);
            out
        };
        let wanted = product(Hessian::new(&model, &batch, loss).unwrap());
        let found = product(Hessian::weighted(&model, &weighted, Some(&weights), loss).unwrap());
        for (a, b) in found.iter().zip(&wanted) {
            assert!((a - b).abs() < 1e-9, "{spec}: {a} is not {b}");
        }
    }
}

#[test]
fn the_gradient_is_that_of_the_weighted_mean() {
    let weights: Vec<f64> = noise(5, ROWS).iter().map(|w| 1.0 + w).collect();
    let rows = [6, 0, 3, 3, 1];
    for spec in all_losses() {
        let case = Case::new(spec);
        let mut model = case.model.clone();
        let batch = Batch { x: &case.x, targets: case.targets(), rows: &rows };
        let mut workspace = Workspace::new(&model, rows.len(), false);
        let mut at = |model: &mut Model<f64>| {
            let mean = workspace.weighted_gradients(model, &batch, Some(&weights), &case.loss, 0, 0).unwrap();
            (mean, workspace.gradient().to_vec())
        };
        let gradient = at(&mut model).1;
        let h = 1e-5;
        for (i, &g) in gradient.iter().enumerate() {
            let p = model.params()[i];
            model.params_mut()[i] = p + h;
            let above = at(&mut model).0;
            model.params_mut()[i] = p - h;
            let below = at(&mut model).0;
            model.params_mut()[i] = p;
            let difference = (above - below) / (2.0 * h);
            let error = (g - difference).abs() / difference.abs().max(0.01);
            assert!(error < 1e-6, "{spec}, parameter {i}: {g} is not {difference}");
        }
    }
}

/// Σ wᵢ·(yᵢ − tᵢ)² / Σ wᵢ of one weight w: the gradient is 2·Σ wᵢ·(w·xᵢ − tᵢ)·xᵢ / Σ wᵢ.
#[test]
fn a_closed_form_and_any_number_of_threads() {
    let layers: [LayerSpec; 1] = ["dense(1, bias=false)".parse().unwrap()];
    let mut model = Model::<f64>::build(&layers, 1, 0).unwrap();
    model.params_mut()[0] = 0.5;
    let loss: Loss = "mse".parse().unwrap();
    let (x, targets, weights) = ([1.0, 2.0, -3.0], [1.0, 0.0, 1.0], [3.0, 0.5, 1.0]);
    let batch = Batch { x: &x, targets: Targets::Values(&targets), rows: &[0, 1, 2] };
    let mut workspace = Workspace::new(&model, 3, false);
    let mean = workspace.weighted_gradients(&mut model, &batch, Some(&weights), &loss, 0, 0).unwrap();
    assert!((mean - (3.0 * 0.25 + 0.5 * 1.0 + 6.25) / 4.5).abs() < 1e-12, "{mean}");
    let wanted = 2.0 * (3.0 * -0.5 + 0.5 * 2.0 + 7.5) / 4.5;
    assert!((workspace.gradient()[0] - wanted).abs() < 1e-12);

    // Threads change no bit.
    let layers: Vec<LayerSpec> = ["dense(32)", "relu", "dense(3)"].map(|spec| spec.parse().unwrap()).into();
    let (x, rows) = (noise(1, 300 * 8), (0..300).collect::<Vec<u32>>());
    let classes: Vec<u32> = (0..300).map(|row| row % 3).collect();
    let weights: Vec<f64> = (0..300).map(|row| f64::from(row % 4)).collect();
    let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &rows };
    let of = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut model = Model::<f64>::build(&layers, 8, 0).unwrap();
            let mut workspace = Workspace::new(&model, 300, true);
            let loss = "cross-entropy".parse().unwrap();
            let mean = workspace.weighted_gradients(&mut model, &batch, Some(&weights), &loss, 0, 0);
            (mean.unwrap(), workspace.gradient().to_vec())
        })
    };
    assert_eq!(of(1), of(3));
}

#[test]
fn what_is_no_weight_is_refused() {
    let case = Case::new("mse");
    let mut model = case.model.clone();
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    let batch = Batch { x: &case.x, targets: case.targets(), rows: &rows };
    let mut workspace = Workspace::new(&model, ROWS, false);
    let mut with = |weights: &[f64]| -> Result<f64, Error> {
        workspace.weighted_gradients(&mut model, &batch, Some(weights), &case.loss, 0, 0)
    };
    for (weights, says) in [
        (&[1.0; ROWS - 1][..], "7 rows need as many weights, not 6"),
        (&[1.0, 1.0, -2.0, 1.0, 1.0, 1.0, 1.0], "row 2 has the weight -2"),
        (&[1.0, f64::NAN, 1.0, 1.0, 1.0, 1.0, 1.0], "row 1 has the weight NaN"),
    ] {
        let error = with(weights).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    // Where nothing counts there is nothing to change, and no mean.
    assert_eq!(with(&[0.0; ROWS]).unwrap(), 0.0);
    assert!(workspace.gradient().iter().all(|&g| g == 0.0));
    assert!(case.loss.weighted_mean(&[0.0; ROWS * OUTPUTS], case.targets(), &[0.0; ROWS]).is_err());
}
