//! Losses of a type of one's own, and steps in two halves with no loss at all.

use downhill_core::{Float, Invalid};
use downhill_nn::loss::{CrossEntropy, Elementwise, LossFunction, Mse, NamedLoss, Rows, TargetKind, softmax};
use downhill_nn::{Batch, Hessian, LayerSpec, Loss, Model, Targets, Workspace};
use serde::{Deserialize, Serialize};

const NETWORKS: [&[&str]; 4] = [
    &["dense(3)"],
    &["dense(40)", "relu", "dropout(0.3)", "dense(3)"],
    &["dense(20)", "batch-norm", "gelu", "dense(20)", "add(2)", "layer-norm", "dense(3)", "batch-norm"],
    &["dense(300)", "tanh", "dense(300)", "batch-norm", "relu", "dense(3)"],
];

fn model<F: Float>(specs: &[&str]) -> Model<F> {
    let layers: Vec<LayerSpec> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    Model::build(&layers, 4, 3).unwrap()
}

/// Numbers that are alike on every machine, about as many below 0 as above.
fn numbers<F: Float>(count: usize) -> Vec<F> {
    (0..count).map(|i| F::of((i as f64 * 12.9898).sin() * 1.7)).collect()
}

/// What a step leaves behind: the gradient and the running statistics.
fn step<F: Float>(
    specs: &[&str],
    rows: usize,
    parallel: bool,
    run: impl Fn(&mut Workspace<F>, &mut Model<F>),
) -> [Vec<F>; 2] {
    let mut model = model(specs);
    let mut workspace = Workspace::new(&model, rows, parallel);
    run(&mut workspace, &mut model);
    [workspace.gradient().to_vec(), model.statistics().to_vec()]
}

/// Forward, the gradient of the outputs by hand, backward: as with the loss that is built in, bit for bit.
fn halves<F: Float>(parallel: bool) {
    for specs in NETWORKS {
        for rows in [1, 20, 300] {
            let all = rows + 7;
            let (x, values) = (numbers::<F>(4 * all), numbers::<F>(3 * all));
            let classes: Vec<u32> = (0..all as u32).map(|i| i * 5 % 3).collect();
            let chosen: Vec<u32> = (0..rows as u32).rev().map(|i| i + 3).collect();
            let gathered: Vec<F> =
                chosen.iter().flat_map(|&row| &values[3 * row as usize..][..3]).copied().collect();
            let labels: Vec<u32> = chosen.iter().map(|&row| classes[row as usize]).collect();
            let cross_entropy = CrossEntropy { label_smoothing: 0.1, ..CrossEntropy::default() };
            let cases = [
                (Loss::Mse(Mse {}), Targets::Values(&values[..]), Targets::Values(&gathered[..]), 3 * rows),
                (
                    Loss::from(cross_entropy.clone()),
                    Targets::Classes(&classes),
                    Targets::Classes(&labels),
                    rows,
                ),
            ];
            for (loss, targets, chosen_targets, weight) in cases {
                let batch = Batch { x: &x, targets, rows: &chosen };
                let whole = step(specs, rows, parallel, |workspace, model| {
                    workspace.gradients(model, &batch, &loss, 5, 9).unwrap();
                });
                let halves = step(specs, rows, parallel, |workspace, model| {
                    let (mut y, mut dy) = (numbers::<F>(3 * rows), numbers::<F>(3 * rows));
                    workspace.forward(model, &x, &chosen, 5, 9, &mut y).unwrap();
                    let scale = F::of(1.0 / weight as f64);
                    let compared = Rows { outputs: &y, width: 3, targets: chosen_targets };
                    match &loss {
                        Loss::CrossEntropy(loss) => {
                            loss.gradient(compared, scale, &mut dy);
                        }
                        _ => dy.iter_mut().zip(y.iter().zip(&gathered)).for_each(|(dy, (&y, &t))| {
                            *dy = scale * (F::of(2.0) * (y - t));
                        }),
                    }
                    // Again, after something else: what is kept stays.
                    workspace.backward(model, &numbers(3 * rows)).unwrap();
                    workspace.backward(model, &dy).unwrap();
                });
                assert!(whole[0].iter().any(|g| *g != F::zero()) || rows == 1);
                assert_eq!(halves, whole, "{specs:?}, {loss}, {rows} rows");
            }
        }
    }
}

#[test]
fn the_halves_of_a_step_are_the_step() {
    halves::<f32>(false);
    halves::<f64>(false);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.install(|| halves::<f32>(true));
}

#[test]
fn halves_that_do_not_fit_are_refused() {
    let mut model = model::<f64>(&["dense(2)"]);
    let mut workspace = Workspace::new(&model, 4, false);
    let (x, mut y) = (numbers(4 * 5), vec![0.0; 4]);
    let no_way = "there is no way back: `forward` comes first";
    assert_eq!(workspace.backward(&model, &y).unwrap_err().to_string(), no_way);
    for (rows, says) in [
        (&[][..], "a batch has 1 to 4 rows here, not 0"),
        (&[0, 1, 2, 3, 4], "a batch has 1 to 4 rows here, not 5"),
        (&[0, 5], "row 5 does not exist: there are 5"),
        (&[0, 1, 2], "3 rows of 2 outputs are not 4 numbers"),
    ] {
        let error = workspace.forward(&mut model, &x, rows, 0, 0, &mut y).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
    workspace.forward(&mut model, &x, &[4, 4], 0, 0, &mut y).unwrap();
    assert_eq!(y[..2], y[2..]);
    let error = workspace.backward(&model, &[1.0; 6]).unwrap_err().to_string();
    assert_eq!(error, "2 rows of 2 outputs are not 6 numbers");
    workspace.backward(&model, &y).unwrap();
    let batch = Batch { x: &x, targets: Targets::Classes(&[0; 5]), rows: &[0] };
    workspace.gradients(&mut model, &batch, &"cross-entropy".parse().unwrap(), 0, 0).unwrap();
    assert_eq!(workspace.backward(&model, &y).unwrap_err().to_string(), no_way);
}

/// What Huber is, in a type that Downhill does not know.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bend {
    delta: f64,
}

impl Elementwise for Bend {
    #[inline(always)]
    fn value<F: Float>(self, output: F, target: F) -> F {
        let (error, delta, half) = ((output - target).abs(), F::of(self.delta), F::of(0.5));
        if error > delta { delta * (error - half * delta) } else { half * error * error }
    }

    #[inline(always)]
    fn derivative<F: Float>(self, output: F, target: F) -> F {
        (output - target).max(F::of(-self.delta)).min(F::of(self.delta))
    }

    fn second(self, output: f64, target: f64) -> f64 {
        if (output - target).abs() > self.delta { 0.0 } else { 1.0 }
    }
}

impl NamedLoss for Bend {
    const NAME: &'static str = "bend";

    fn check(&self) -> Result<(), Invalid> {
        downhill_core::invalid::positive("bend", "delta", self.delta)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }
}

/// Cross-entropy, row by row, with weights and without a second derivative.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Surprise {
    weights: Vec<f64>,
}

impl LossFunction for Surprise {
    fn sum<F: Float>(&self, Rows { outputs, width, targets }: Rows<'_, F>) -> f64 {
        let Targets::Classes(classes) = targets else { panic!("{targets:?}") };
        let rows = outputs.chunks_exact(width).zip(classes);
        rows.map(|(row, &class)| {
            let sum: f64 = row.iter().map(|z| z.f64().exp()).sum();
            self.weights[class as usize] * (sum.ln() - row[class as usize].f64())
        })
        .sum()
    }

    fn gradient<F: Float>(&self, rows: Rows<'_, F>, scale: F, gradient: &mut [F]) -> f64 {
        let Targets::Classes(classes) = rows.targets else { panic!("{:?}", rows.targets) };
        gradient.copy_from_slice(rows.outputs);
        for (row, &class) in gradient.chunks_exact_mut(rows.width).zip(classes) {
            softmax(row);
            row[class as usize] -= F::one();
            row.iter_mut().for_each(|g| *g *= scale * F::of(self.weights[class as usize]));
        }
        self.sum(rows)
    }
}

impl NamedLoss for Surprise {
    const NAME: &'static str = "surprise";

    fn check(&self) -> Result<(), Invalid> {
        Ok(())
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

    fn probabilities<F: Float>(&self, outputs: &mut [F], width: usize) {
        outputs.chunks_exact_mut(width).for_each(softmax);
    }
}

fn with<F: Float>(loss: &Loss, targets: Targets<'_, F>) -> (f64, Vec<F>) {
    let mut model = model::<F>(NETWORKS[2]);
    let rows: Vec<u32> = (0..90).collect();
    let x = numbers(4 * 90);
    let mut workspace = Workspace::new(&model, 90, false);
    let batch = Batch { x: &x, targets, rows: &rows };
    let mean = workspace.gradients(&mut model, &batch, loss, 0, 0).unwrap();
    (mean, workspace.gradient().to_vec())
}

#[test]
fn one_of_ones_own_is_as_good_as_one_that_is_built_in() {
    let (own, built_in) = (Loss::own(Bend { delta: 0.6 }), "huber(0.6)".parse::<Loss>().unwrap());
    let (values, doubles) = (numbers::<f32>(3 * 90), numbers::<f64>(3 * 90));
    assert_eq!(with(&own, Targets::Values(&values)), with(&built_in, Targets::Values(&values)));
    assert_eq!(with(&own, Targets::Values(&doubles)), with(&built_in, Targets::Values(&doubles)));
    let mean = |loss: &Loss| loss.mean(&values[3..], Targets::Values(&values[..3 * 89])).unwrap();
    assert_eq!(mean(&own), mean(&built_in));

    let weights = vec![0.5, 2.0, 1.0];
    let own = Loss::own(Surprise { weights: weights.clone() });
    let built_in = Loss::from(CrossEntropy { class_weights: weights, ..CrossEntropy::default() });
    let classes: Vec<u32> = (0..90).map(|i| i * i % 3).collect();
    let targets = Targets::<f64>::Classes(&classes);
    let ((a, gradient_a), (b, gradient_b)) = (with(&own, targets), with(&built_in, targets));
    assert!((a - b).abs() < 1e-12, "{a} is not {b}");
    assert!(gradient_a.iter().zip(&gradient_b).all(|(a, b)| (a - b).abs() < 1e-12));
    let [mut said, mut expected] = [numbers::<f32>(6), numbers::<f32>(6)];
    own.probabilities(&mut said, 3);
    built_in.probabilities(&mut expected, 3);
    assert_eq!(said, expected);
}

/// Without a second derivative, there is that of differences.
#[test]
fn curvature_needs_no_second_derivative() {
    let weights = vec![0.5, 2.0, 1.0];
    let built_in = Loss::from(CrossEntropy { class_weights: weights.clone(), ..CrossEntropy::default() });
    let model = model::<f64>(NETWORKS[2]);
    let (x, rows) = (numbers(4 * 90), (0..90).collect::<Vec<u32>>());
    let classes: Vec<u32> = (0..90).map(|i| i * i % 3).collect();
    let v = numbers::<f64>(model.params().len());
    let product = |loss: &Loss| {
        let batch = Batch { x: &x, targets: Targets::Classes(&classes), rows: &rows };
        let mut product = vec![0.0; v.len()];
        Hessian::new(&model, &batch, loss).unwrap().product(&v, &mut product);
        product
    };
    let (own, exact) = (product(&Loss::own(Surprise { weights })), product(&built_in));
    let largest = exact.iter().fold(0.0f64, |largest, x| largest.max(x.abs()));
    assert!(largest > 0.0 && own.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-7 * largest));
}

#[test]
fn what_does_not_go_with_it_is_refused() {
    let own = Loss::own(Bend { delta: 1.0 });
    let error = own.mean(&[1.0f32, 2.0], Targets::Classes(&[0, 1])).unwrap_err();
    assert_eq!(error.to_string(), "bend needs values as targets, not classes");
    let own = Loss::own(Surprise { weights: vec![1.0; 2] });
    let error = own.mean(&[1.0f32, 2.0], Targets::Values(&[0.0, 1.0])).unwrap_err();
    assert_eq!(error.to_string(), "surprise needs classes as targets, not values");
    let error = own.mean(&[1.0f32; 3], Targets::Classes(&[0])).unwrap_err();
    assert_eq!(error.to_string(), "2 class-weights do not fit 3 outputs");
    assert_eq!(Loss::own(Bend { delta: 0.0 }).check().unwrap_err().message, "must be above 0, not 0");
}

/// Of a class, every output has the target whether it is its own.
#[test]
fn a_sum_over_outputs_can_be_for_classes() {
    #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
    struct Brier {}

    impl Elementwise for Brier {
        fn value<F: Float>(self, output: F, target: F) -> F {
            (output - target) * (output - target)
        }

        fn derivative<F: Float>(self, output: F, target: F) -> F {
            F::of(2.0) * (output - target)
        }

        fn second(self, _: f64, _: f64) -> f64 {
            2.0
        }
    }

    impl NamedLoss for Brier {
        const NAME: &'static str = "brier";

        fn check(&self) -> Result<(), Invalid> {
            Ok(())
        }

        fn targets(&self) -> TargetKind {
            TargetKind::Classes
        }
    }

    let loss = Loss::own(Brier {});
    let outputs = [0.5, 0.25, 0.25, 1.0, 0.0, 0.0];
    assert_eq!(loss.mean(&outputs, Targets::Classes(&[0, 2])), Ok((0.375 + 2.0) / 2.0));
    assert_eq!(loss.mean(&[0.75, 0.5], Targets::Classes(&[1, 0])), Ok((0.0625 + 0.25) / 2.0));
    let rows = Rows { outputs: &outputs, width: 3, targets: Targets::Classes(&[0, 2]) };
    let mut gradient = [0.0; 6];
    assert_eq!(Brier {}.gradient(rows, 0.5, &mut gradient), 2.375);
    assert_eq!(gradient, [-0.5, 0.25, 0.25, 1.0, 0.0, -1.0]);
    let mut tangent = [1.0; 6];
    Brier {}.gradient_tangent(rows, 0.5, &mut tangent);
    assert_eq!(tangent, [1.0; 6]);
}
