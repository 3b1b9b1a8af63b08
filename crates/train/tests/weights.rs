//! Rows that count differently.

use downhill_data::{Dataset, Examples, ReadOptions, Table, Targets, Task};
use downhill_nn::Mlp;
use downhill_train::{Config, Keep, Network, Source, Trained, Trainer, fingerprint};

/// Descent on all rows at once, with nothing random but the first weights.
fn config() -> Config {
    Config {
        epochs: 30,
        batch: Some(100_000),
        lr: Some("0.1".parse().unwrap()),
        optimizer: "sgd".parse().unwrap(),
        network: Network::Mlp(Mlp { dropout: 0.0, ..Network::mlp([8]) }),
        early_stopping: "off".parse().unwrap(),
        keep: Keep::Last,
        ema: Some(0.0),
        ..Config::default()
    }
}

/// The rows of `iris`, each as often as `times` says of its number, or with that as its weight.
fn iris(times: impl Fn(usize) -> usize, weighted: bool, classes: bool) -> Dataset {
    let data = Table::bundled("iris").unwrap().default_target().split(0.2, 7).unwrap();
    let of = |examples: &Examples| {
        let rows: Vec<usize> =
            (0..examples.rows()).flat_map(|row| vec![row; if weighted { 1 } else { times(row) }]).collect();
        let x: Vec<f32> = rows.iter().flat_map(|&row| examples.row(row)).copied().collect();
        let Targets::Classes { labels, classes: count } = &examples.y else { unreachable!() };
        let y = match classes {
            true => {
                Targets::Classes { labels: rows.iter().map(|&row| labels[row]).collect(), classes: *count }
            }
            false => Targets::Values(rows.iter().map(|&row| labels[row] as f32 - 1.0).collect()),
        };
        let made = Examples::new(x, examples.features, y).unwrap();
        match weighted {
            true => made.weighted((0..examples.rows()).map(|row| times(row) as f32).collect()).unwrap(),
            false => made,
        }
    };
    Dataset::from_examples(of(&data.train), of(&data.valid)).unwrap()
}

fn fit(config: Config, data: &Dataset) -> Trained {
    Trainer::from_config(config).threads(1).fit(data).unwrap()
}

fn params(trained: &Trained) -> Vec<f32> {
    trained.predictor().members()[0].model().params().to_vec()
}

#[test]
fn a_row_of_weight_2_trains_as_a_row_that_is_there_twice() {
    let times = |row: usize| [1, 2, 0, 3][row % 4];
    for classes in [true, false] {
        for class_weights in ["none", "balanced"].into_iter().take(if classes { 2 } else { 1 }) {
            let config = Config { class_weights: class_weights.parse().unwrap(), ..config() };
            let weighted = fit(config.clone(), &iris(times, true, classes));
            let repeated = fit(config.clone(), &iris(times, false, classes));
            let plain = fit(config, &iris(|_| 1, false, classes));
            let largest = |a: &Trained, b: &Trained| {
                let differences = params(a).into_iter().zip(params(b)).map(|(a, b)| (a - b).abs());
                differences.fold(0.0f32, f32::max)
            };
            assert!(largest(&weighted, &repeated) < 1e-4, "{}", largest(&weighted, &repeated));
            assert!(largest(&weighted, &plain) > 1e-2);
            let losses = [&weighted, &repeated].map(|trained| trained.summary().valid_loss);
            assert!((losses[0] - losses[1]).abs() < 1e-5, "{losses:?}");
        }
    }
}

#[test]
fn weights_of_one_change_nothing_and_are_seen_by_the_fingerprint() {
    let (weighted, plain) = (iris(|_| 1, true, true), iris(|_| 1, false, true));
    let [a, b] = [&weighted, &plain].map(|data| fit(config(), data).summary().weights_sha256.clone());
    assert_eq!(a, b);
    assert_ne!(fingerprint(&weighted), fingerprint(&plain));
}

#[test]
fn batches_of_weighted_rows_add_up() {
    let data = iris(|row| 1 + row % 5, true, true);
    let whole = fit(Config { batch: Some(60), ..config() }, &data);
    let parts = fit(Config { batch: Some(20), accumulate: 3, ..config() }, &data);
    let together = params(&whole).into_iter().zip(params(&parts));
    assert!(together.map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max) < 1e-4);
}

/// A column of a file says how much its rows count, in a split, in folds and in a file to validate on.
#[test]
fn a_column_of_weights_is_no_feature() {
    let folder = tempfile::tempdir().unwrap();
    let row = |i: usize| format!("{},{},{},{}\n", i % 10, i % 4, i * 7 % 13, ["no", "yes"][i % 3 / 2]);
    let text = format!("a,often,b,y\n{}", (0..120).map(row).collect::<String>());
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, text).unwrap();
    let source = Source { weights: Some("often".into()), ..Source::new(file.to_str().unwrap()) };
    let data = source.load(0).unwrap();
    assert_eq!(data.encoder.as_ref().unwrap().feature_names(), ["a", "b"]);
    // Rows of weight 0 are left out.
    assert_eq!(data.train.rows() + data.valid.rows(), 90);
    let weights = data.train.weights.as_ref().unwrap();
    assert!(weights.iter().all(|weight| [1.0, 2.0, 3.0].contains(weight)));
    let text = toml_of(&source);
    assert!(text.contains("weights = \"often\""), "{text}");

    let folds = source.load_folds(&downhill_data::Folds::new(3), 0).unwrap();
    assert_eq!(folds.iter().map(|data| data.valid.weights.as_ref().unwrap().len()).sum::<usize>(), 90);
    let valid = Some(downhill_train::Validation::File(file));
    let both = Source { valid, ..source.clone() }.load(0).unwrap();
    assert_eq!(both.train.weights, both.valid.weights);
    assert_eq!(both.valid.rows(), 90);
    let trained = Trainer::from_config(Config { epochs: 3, ..config() }).members(2).fit(&data).unwrap();
    assert!(trained.summary().valid_loss.is_finite());
    assert!(
        Source { weights: Some("oft".into()), ..source }.load(0).unwrap_err().to_string().contains("often")
    );
}

fn toml_of(source: &Source) -> String {
    downhill_train::RunConfig { data: source.clone(), ..Default::default() }.to_toml().unwrap()
}

#[test]
fn what_is_no_weight_is_said_with_its_place() {
    let table = |text: &str| Table::parse("t.csv", text.as_bytes(), &ReadOptions::default()).unwrap();
    for (text, says) in [
        ("a,w,y\n1,1,0\n2,-1,1\n", "t.csv, line 3, column `w`: \"-1\" is not a weight"),
        ("a,w,y\n1,1,0\n2,,1\n", "line 3, column `w`: the weight is missing"),
        ("a,w,y\n1,1,0\n2,many,1\n", "line 3, column `w`: \"many\" is not a weight"),
    ] {
        let error = table(text).take_weights("w").unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let rows = table("a,y\n1,0\n2,1\n3,0\n4,1\n");
    let target = || rows.target("y").task(Task::Classification);
    let error = target().weights(vec![0.0; 4]).split(0.5, 0).unwrap_err().to_string();
    assert!(error.contains("none of the rows of t.csv to train on has a weight above 0"), "{error}");
    let error = target().weights(vec![1.0; 3]).split(0.5, 0).unwrap_err().to_string();
    assert!(error.contains("3 weights do not go with 4 rows"), "{error}");
}
