//! The sharpness and the stability limit: against closed forms, and what runs do below and above.

use std::sync::{Arc, Mutex};

use downhill_core::random::{Purpose, stream};
use downhill_data::{Dataset, Examples, Table, Targets, Task};
use downhill_nn::loss::Mse;
use downhill_nn::{Dense, LayerSpec, Loss, Mlp, Model, Tanh, Workspace};
use downhill_optim::{Init, Normal, Optimizer, Regularization, Rule, Step, UpdateRule};
use downhill_train::{Config, EarlyStopping, Event, Guard, Network, Trained, Trainer, stability_limit};

const SEED: u64 = 3;

fn normal(len: usize, index: u64) -> Vec<f32> {
    let mut values = vec![0.0; len];
    Init::Normal(Normal { std: 1.0 }).fill(&mut values, 1, 1, &mut stream(SEED, Purpose::Probe, index));
    values
}

/// Rows with features of different sizes and directions in common.
fn regression(rows: usize, features: usize) -> Dataset {
    let mut x = normal(rows * features, 1);
    for row in x.chunks_exact_mut(features) {
        for j in 1..features {
            row[j] = row[j] * (1.0 + j as f32) / 2.0 + 0.7 * row[j - 1];
        }
    }
    let examples = Examples::new(x, features, Targets::Values(normal(rows, 2))).unwrap();
    Dataset::from_examples(examples.clone(), examples).unwrap()
}

/// The largest eigenvalue of 2/n·XᵀX, X with a column of ones, by squaring it until nothing else is left.
fn largest_curvature(data: &Dataset) -> f64 {
    let (n, width) = (data.train.rows(), data.features() + 1);
    let mut gram = vec![0.0; width * width];
    for row in data.train.x.chunks_exact(width - 1) {
        let row: Vec<f64> = row.iter().map(|&x| f64::from(x)).chain([1.0]).collect();
        for (i, a) in row.iter().enumerate() {
            for (j, b) in row.iter().enumerate() {
                gram[i * width + j] += 2.0 * a * b / n as f64;
            }
        }
    }
    let trace = |a: &[f64]| a.iter().step_by(width + 1).sum::<f64>();
    let times = |a: &[f64], b: &[f64]| -> Vec<f64> {
        let element =
            |at: usize| (0..width).map(|k| a[at / width * width + k] * b[k * width + at % width]).sum();
        (0..width * width).map(element).collect()
    };
    let mut power = gram.clone();
    for _ in 0..40 {
        power = times(&power, &power);
        let scale = trace(&power);
        power.iter_mut().for_each(|x| *x /= scale);
    }
    // What is left is v·vᵀ, of trace 1.
    trace(&times(&gram, &power))
}

fn linear(data: &Dataset) -> Model<f32> {
    Model::build(&[Dense::new(1).into()], data.features(), SEED).unwrap()
}

fn optimizer(rule: &str, regularization: Regularization, model: &Model<f32>) -> Optimizer<f32> {
    Optimizer::new(rule.parse::<Rule>().unwrap(), regularization, model.layout(), false).unwrap()
}

#[test]
fn on_a_quadratic_the_limit_is_exact() {
    let loss = Loss::Mse(Mse {});
    for (rows, features) in [(300, 1), (300, 12), (40, 30), (2000, 50)] {
        let data = regression(rows, features);
        let model = linear(&data);
        let expected = largest_curvature(&data);
        for (rule, bound) in [("sgd", 2.0), ("momentum(0.9)", 3.8), ("nesterov(0.9)", 3.8 / 2.8)] {
            let optimizer = optimizer(rule, Regularization::default(), &model);
            let found = stability_limit(&model, &optimizer, 0, &data, &loss, usize::MAX, SEED).unwrap();
            assert!((found.value / expected - 1.0).abs() < 1e-6, "{found:?} is not {expected}");
            assert!((found.limit().unwrap() * expected / bound - 1.0).abs() < 1e-6, "{rule}: {found:?}");
            assert_eq!(found.rows, rows);
        }
    }
}

#[test]
fn gradient_descent_on_a_quadratic_turns_at_the_limit() {
    let data = regression(200, 6);
    let loss = Loss::Mse(Mse {});
    let rows: Vec<u32> = (0..200).collect();
    let Targets::Values(values) = &data.train.y else { panic!() };
    let start = linear(&data);
    let optimizer = optimizer("sgd", Regularization::default(), &start);
    let limit =
        stability_limit(&start, &optimizer, 0, &data, &loss, usize::MAX, SEED).unwrap().limit().unwrap();
    let loss_after = |lr: f64, steps: u64| {
        let mut model = start.clone();
        let mut workspace = Workspace::new(&model, 200, false);
        let batch = downhill_nn::Batch {
            x: &data.train.x,
            targets: downhill_nn::Targets::Values(values),
            rows: &rows,
        };
        let rule = downhill_optim::Sgd {};
        let mut last = 0.0;
        for step in 0..steps {
            last = workspace.gradients(&mut model, &batch, &loss, 0, step).unwrap();
            rule.step(Step::new(step, lr), model.params_mut(), workspace.gradient(), &mut rule.state(7));
        }
        last
    };
    let start = loss_after(limit, 1);
    assert!(loss_after(0.999 * limit, 5000) < start);
    assert!(loss_after(1.001 * limit, 20_000) > 1e6 * start);
}

#[test]
fn penalties_count_on_weights_alone_and_only_the_rows_asked_for_do() {
    let data = regression(300, 5);
    let model = linear(&data);
    let loss = Loss::Mse(Mse {});
    let of = |l2: f64, most: usize| {
        let optimizer = optimizer("sgd", Regularization { l2, ..Regularization::default() }, &model);
        stability_limit(&model, &optimizer, 0, &data, &loss, most, SEED).unwrap()
    };
    let plain = of(0.0, 300).value;
    let penalised = of(1000.0, 300).value;
    // The sharpest direction, which is hardly one of the bias, gets the whole of it or nearly.
    assert!(penalised > plain + 990.0 && penalised < plain + 1000.0 + 1e-3, "{plain}, {penalised}");
    let part = of(0.0, 50);
    assert_eq!(part.rows, 50);
    assert_eq!(part, of(0.0, 50));
    assert!((part.value / plain - 1.0).abs() > 1e-3);
}

#[test]
fn averages_precondition() {
    // All squares are 4, so P is 0.1·(2/√… + ε) everywhere, and the Hessian is merely scaled.
    let data = regression(300, 5);
    let model = linear(&data);
    let loss = Loss::Mse(Mse {});
    let mut adam = optimizer("adam(eps=0.5)", Regularization::default(), &model);
    let before = stability_limit(&model, &adam, 0, &data, &loss, 300, SEED).unwrap();
    assert_eq!((before.bound, before.limit()), (None, None));
    adam.state_mut().slots_mut().nth(1).unwrap().fill(4.0);
    let late = 1_000_000;
    let found = stability_limit(&model, &adam, late, &data, &loss, 300, SEED).unwrap();
    assert!((found.value * 2.5 / before.value - 1.0).abs() < 1e-6);
    assert!((found.limit().unwrap() * before.value / (38.0 * 2.5) - 1.0).abs() < 1e-6);
}

fn digits(task: Task) -> Dataset {
    Table::bundled("digits").unwrap().default_target().task(task).split(0.2, 1).unwrap()
}

/// Training on the bundled digits with nothing that would stop it.
fn config(rule: &str, lr: f64, epochs: u64, track: &str) -> Config {
    Config {
        seed: SEED,
        epochs,
        optimizer: rule.parse().unwrap(),
        lr: Some(lr.into()),
        guard: Guard::Off,
        early_stopping: EarlyStopping::Off,
        track: track.parse().unwrap(),
        ..Config::default()
    }
}

fn run(config: Config, threads: usize, task: Task) -> (Trained, Vec<Event>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let events = seen.clone();
    let view = move |event: &Event| events.lock().unwrap().push(event.clone());
    let trained = Trainer::from_config(config).threads(threads).view(view).fit(&digits(task)).unwrap();
    let events = seen.lock().unwrap().clone();
    (trained, events)
}

/// Step, sharpness, and the rate as a multiple of the limit.
fn tracked(events: &[Event]) -> Vec<(u64, f64, Option<f64>)> {
    let of = |event: &Event| match event {
        Event::Sharpness { step, sharpness, ratio, .. } => Some((*step, *sharpness, *ratio)),
        _ => None,
    };
    events.iter().filter_map(of).collect()
}

#[test]
fn tracking_changes_no_bit_and_is_the_same_on_any_threads() {
    for rule in ["sgd", "adamw"] {
        let run = |track, threads| {
            let config = Config {
                batch: Some(64),
                network: Network::Mlp(Mlp { batch_norm: true, dropout: 0.2, ..Network::mlp([16]) }),
                ..config(rule, 0.01, 3, track)
            };
            run(config, threads, Task::Classification)
        };
        let (plain, _) = run("off", 1);
        let (one, events) = run("sharpness(10, rows=100)", 1);
        let (two, same) = run("sharpness(10, rows=100)", 2);
        assert_eq!(plain.summary().weights_sha256, one.summary().weights_sha256);
        assert_eq!(plain.summary().weights_sha256, two.summary().weights_sha256);
        let found = tracked(&events);
        assert_eq!(found, tracked(&same));
        assert_eq!(found.iter().map(|of| of.0).collect::<Vec<_>>(), [0, 10, 20, 30, 40, 50, 60]);
        assert!(found.iter().all(|(step, sharpness, ratio)| {
            *sharpness > 0.0 && ratio.is_some() == (rule == "sgd" || *step > 0)
        }));
    }
}

#[test]
fn the_sharpness_rises_to_the_edge_of_stability_and_stays_there() {
    let config = Config {
        batch: Some(usize::MAX),
        network: Network::Mlp(Mlp { hidden: vec![64, 64], activation: Tanh {}.into(), ..Mlp::default() }),
        ..config("sgd", 0.1, 500, "sharpness(25)")
    };
    let (_, events) = run(config, 2, Task::Regression);
    let ratios: Vec<f64> = tracked(&events).iter().map(|of| of.2.unwrap()).collect();
    assert_eq!(ratios.len(), 20);
    assert!(ratios[0] < 0.5, "{ratios:?}");
    // It goes beyond, jumps back when the oscillation has grown, and begins again.
    let late = &ratios[8..];
    assert!(late.iter().all(|ratio| (0.8..1.3).contains(ratio)), "{ratios:?}");
    let mean = late.iter().sum::<f64>() / late.len() as f64;
    assert!((0.95..1.1).contains(&mean), "{ratios:?}");
}

fn layers() -> Vec<LayerSpec> {
    vec![Dense::new(32).into(), Tanh {}.into(), Dense { init: Init::Zeros, ..Dense::new(10) }.into()]
}

/// The losses of full-batch gradient descent at so many times the limit, which is measured again before every
/// step.
fn losses_at(times: f64, steps: u64) -> Vec<f64> {
    let data = digits(Task::Classification);
    let Targets::Classes { labels, .. } = &data.train.y else { panic!() };
    let rows: Vec<u32> = (0..data.train.rows() as u32).collect();
    let loss: Loss = "cross-entropy".parse().unwrap();
    let mut model = Model::<f32>::build(&layers(), data.features(), SEED).unwrap();
    let mut optimizer = optimizer("sgd", Regularization::default(), &model);
    let mut workspace = Workspace::new(&model, rows.len(), false);
    let batch =
        downhill_nn::Batch { x: &data.train.x, targets: downhill_nn::Targets::Classes(labels), rows: &rows };
    let step = |step: u64| {
        let found = stability_limit(&model, &optimizer, step, &data, &loss, rows.len(), SEED).unwrap();
        let lr = times * found.limit().unwrap();
        let mean = workspace.gradients(&mut model, &batch, &loss, 0, step).unwrap();
        optimizer.step(step, lr, model.params_mut(), workspace.gradient());
        mean
    };
    (0..steps).map(step).collect()
}

#[test]
fn below_the_limit_training_descends_and_above_it_does_not() {
    let ups = |losses: &[f64]| losses.windows(2).filter(|pair| pair[1] > pair[0]).count();
    let below = losses_at(0.9, 60);
    assert!(below[59] < 0.05 * below[0], "{below:?}");
    assert_eq!(ups(&below), 0, "{below:?}");
    let above = losses_at(1.5, 60);
    assert!(ups(&above) >= 5, "{above:?}");
}
