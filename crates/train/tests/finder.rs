//! Finding a learning rate: what it costs, that it is the same on any number of threads, and that a run keeps
//! it.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};

use downhill_data::{Dataset, Examples, Table, Targets};
use downhill_schedule::Schedule;
use downhill_train::{
    Choice, Command, Config, Error, Event, FoundRate, Network, RunConfig, RunFolder, Source, Stop, Trained,
    Trainer,
};

fn iris() -> Dataset {
    Table::bundled("iris").unwrap().default_target().split(0.2, 1).unwrap()
}

fn config(optimizer: &str) -> Config {
    let network = Network::Mlp(Network::mlp([16]));
    Config { optimizer: optimizer.parse().unwrap(), epochs: 30, network, ..Config::default() }
}

fn find(optimizer: &str, threads: usize, data: &Dataset) -> FoundRate {
    let found = Trainer::from_config(config(optimizer)).threads(threads).find_lr(data).unwrap();
    FoundRate { seconds: 0.0, ..found }
}

#[test]
fn it_is_the_same_on_any_number_of_threads_and_costs_a_fifth_at_most() {
    let data = iris();
    for optimizer in ["sgd", "momentum(0.9)", "adamw", "schedule-free-adamw", "muon", "lars"] {
        let found = find(optimizer, 1, &data);
        assert_eq!(found, find(optimizer, 3, &data), "{optimizer}");
        assert!(found.steps > 0 && 5 * found.steps <= found.run_steps, "{optimizer}: {found:?}");
        let [low, high] = found.band;
        assert!(low > 0.0 && low <= found.recommended && found.recommended <= high, "{optimizer}: {found:?}");
        assert!(found.curve.len() >= 8 && found.rehearsals.len() >= 3, "{optimizer}: {found:?}");
    }
}

#[test]
fn a_hundred_rows_and_a_hundred_thousand_have_a_rate() {
    for rows in [100, 100_000] {
        let part = |rows: usize| {
            let x: Vec<f32> = (0..rows * 2).map(|i| ((i * 7919) % 1000) as f32 / 500.0 - 1.0).collect();
            let y = x.chunks(2).map(|row| row[0] - 0.5 * row[1]).collect();
            Examples::new(x, 2, Targets::Values(y)).unwrap()
        };
        let data = Dataset::from_examples(part(rows), part(rows / 5)).unwrap();
        let network = Network::Mlp(Network::mlp([8]));
        let config = Config { epochs: if rows > 100 { 2 } else { 60 }, network, ..Config::default() };
        let found = Trainer::from_config(config.clone()).threads(1).find_lr(&data).unwrap();
        assert!(5 * found.steps <= found.run_steps, "{rows}: {found:?}");
        // Better than a tenth and ten times of it.
        let loss = |times: f64| {
            let config = Config { lr: Some(found.schedule.clone().scaled(times)), ..config.clone() };
            Trainer::from_config(config).threads(1).fit(&data).unwrap().summary().valid_loss
        };
        assert!(loss(1.0) < loss(0.1), "{rows}");
    }
}

#[test]
fn too_short_a_run_has_the_usual_rate() {
    let config = Config { epochs: 1, ..config("adamw") };
    let found = Trainer::from_config(config).find_lr(&iris()).unwrap();
    assert_eq!((found.recommended, found.steps), (3e-3, 0));
    assert!(found.text().contains("too few"), "{}", found.text());
}

#[test]
fn a_schedule_that_is_given_is_the_shape() {
    let data = iris();
    let of = |lr: &str| {
        let config = Config { lr: Some(lr.parse().unwrap()), ..config("adamw") };
        Trainer::from_config(config).threads(1).find_lr(&data).unwrap()
    };
    let found = of("one-cycle(1)");
    let Schedule::OneCycle(schedule) = found.schedule else { panic!("{:?}", found.schedule) };
    assert!((schedule.max / found.recommended - 1.0).abs() < 1e-9);
    // How high it is does not matter.
    assert_eq!(of("one-cycle(0.5)").recommended, found.recommended);
}

#[test]
fn a_rule_that_finds_its_own_rate_is_left_alone() {
    let data = iris();
    let trainer = || Trainer::from_config(config("prodigy")).threads(1);
    assert!(matches!(trainer().find_lr(&data), Err(Error::Mismatch(message)) if message.contains("prodigy")));
    let trained = trainer().fit(&data).unwrap();
    assert!(trained.summary().schedule.contains("cosine(initial=1.0,"), "{}", trained.summary().schedule);
}

#[test]
fn a_rate_is_looked_for_only_if_none_is_given() {
    let text = |training: &str| {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!("[training]\n{training}\n")).unwrap();
        RunConfig::read(file.path()).map(|config| config.training.lr)
    };
    assert_eq!(text("lr = 'auto'").unwrap(), None);
    assert_eq!(text("lr = 0.5").unwrap(), Some(0.5.into()));
    assert!(text("lr = 'automatic'").is_err());
}

/// A run in a folder that is told to stop at a step, its events, and the folder.
fn run(runs: &std::path::Path, name: &str, stop_at: Option<u64>) -> (Trained, Vec<Event>, RunFolder) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let (commands, inbox) = mpsc::channel();
    let seen = events.clone();
    let view = move |event: &Event| {
        if matches!(event, Event::Step { step, .. } if Some(*step) == stop_at) {
            commands.send(Command::Stop).unwrap();
        }
        seen.lock().unwrap().push(event.clone());
    };
    let trainer = Trainer::from_config(config("momentum(0.9)")).threads(2).view(view).inbox(inbox);
    let trained = trainer.fit_in(runs, Some(name), &Source::new("iris")).unwrap();
    let events = events.lock().unwrap().clone();
    (trained, events, RunFolder::open(&runs.join(name)).unwrap())
}

#[test]
fn a_run_keeps_the_rate_that_was_found() {
    let runs = tempfile::tempdir().unwrap();
    let (whole, events, folder) = run(runs.path(), "whole", None);
    let rates: Vec<&FoundRate> = events
        .iter()
        .filter_map(|event| if let Event::Rate(found) = event { Some(found) } else { None })
        .collect();
    let [found] = rates[..] else { panic!("{} rates", rates.len()) };
    assert_eq!(RunConfig::of(&folder).unwrap().training.lr, Some(found.schedule.clone()));
    assert_eq!(whole.summary().schedule, found.schedule.to_string());
    let log = std::fs::read_to_string(folder.log_path()).unwrap();
    assert_eq!(log.matches("\"event\":\"rate\"").count(), 1);

    // Interrupted and resumed, it does not look again, and ends in the same bits.
    let (cut, _, folder) = run(runs.path(), "cut", Some(40));
    assert_eq!(cut.stop(), Stop::Interrupted);
    let resumed = Trainer::default().threads(1).resume(folder.clone()).unwrap();
    assert_eq!(resumed.summary().weights_sha256, whole.summary().weights_sha256);
    let log = std::fs::read_to_string(folder.log_path()).unwrap();
    assert_eq!(log.matches("\"event\":\"rate\"").count(), 1);

    // So does a run of the same configuration, rate and all.
    let again = Trainer::from_config(RunConfig::of(&folder).unwrap().training).threads(1);
    let again = again.fit_in(runs.path(), None, &Source::new("iris")).unwrap();
    assert_eq!(again.summary().weights_sha256, whole.summary().weights_sha256);
}

#[test]
fn a_search_can_be_interrupted() {
    let (commands, inbox) = mpsc::channel();
    commands.send(Command::Stop).unwrap();
    let trainer = Trainer::from_config(config("adamw")).threads(2).inbox(inbox);
    assert!(matches!(trainer.fit(&iris()), Err(Error::Interrupted)));
}

/// y = exp(1.2·(a + b)): a few rows hold most of the loss, so that single batches say nothing.
fn skewed(seed: u64, rows: usize) -> Examples {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut normal =
        || (-2.0 * uniform().max(1e-300).ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
    let x: Vec<f32> = (0..2 * rows).map(|_| normal() as f32).collect();
    let y: Vec<f64> = x.chunks(2).map(|row| (1.2 * f64::from(row[0] + row[1])).exp()).collect();
    let mean = y.iter().sum::<f64>() / rows as f64;
    let std = (y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / rows as f64).sqrt();
    let y = y.iter().map(|y| ((y - mean) / std) as f32).collect();
    Examples::new(x, 2, Targets::Values(y)).unwrap()
}

#[test]
fn lucky_batches_of_skewed_targets_do_not_fool_it() {
    for seed in 1..=6 {
        let data = Dataset::from_examples(skewed(seed, 400), skewed(seed + 100, 100)).unwrap();
        let found = Trainer::default().seed(seed).threads(2).find_lr(&data).unwrap();
        assert!((3e-4..0.1).contains(&found.recommended), "seed {seed}: {}", found.text());
        assert!(found.rehearsals.iter().any(|rehearsal| rehearsal.lr == found.usual), "{found:?}");
    }
}

/// Nothing can be learned from features that are all the same.
#[test]
fn where_nothing_is_learned_the_usual_rate_is_taken_and_said() {
    let part = |rows: usize| {
        let y = (0..rows).map(|row| if row % 2 == 0 { 1.0 } else { -1.0 }).collect();
        Examples::new(vec![0.0; rows], 1, Targets::Values(y)).unwrap()
    };
    let data = Dataset::from_examples(part(200), part(50)).unwrap();
    let found = Trainer::from_config(config("adamw")).threads(1).find_lr(&data).unwrap();
    assert_eq!((found.recommended, &found.choice), (3e-3, &Some(Choice::NothingLearned)));
    assert!(found.text().contains("none of 6 rehearsals learned anything"), "{}", found.text());
}

/// Rates far from the usual one are needed for this: few steps of all rows by a rule whose usual rate is
/// small.
#[test]
fn a_clearly_better_rate_is_taken_and_explained() {
    let data = Table::bundled("digits").unwrap().default_target().split(0.2, 1).unwrap();
    let config = Config {
        optimizer: "lion".parse().unwrap(),
        batch: Some(512),
        epochs: 20,
        network: Network::Mlp(Network::mlp([64])),
        ..Config::default()
    };
    let found = Trainer::from_config(config.clone()).threads(1).find_lr(&data).unwrap();
    let Some(Choice::Better { best, lead, between, length, pull }) = &found.choice else {
        panic!("{}", found.text())
    };
    // The factors in the explanation come to what is recommended, and the best rehearsal is in the band.
    let product = best * between * length * pull;
    assert!((product / found.recommended - 1.0).abs() < 0.05, "{product} and {}", found.recommended);
    let lowest = found.rehearsals.iter().min_by(|a, b| a.loss.unwrap().total_cmp(&b.loss.unwrap())).unwrap();
    assert!((lowest.lr / best - 1.0).abs() < 1e-6);
    assert!(found.band[0] <= best * 1.05 && found.band[1] >= best * 0.95, "{:?}", found.band);
    assert!(lead.is_none_or(|[mean, error]| mean > error));
    let loss = |lr: Schedule| {
        let config = Config { lr: Some(lr), ..config.clone() };
        Trainer::from_config(config).threads(1).fit(&data).unwrap().summary().valid_loss
    };
    let usual = downhill_train::usual_schedule(&config.optimizer, found.usual);
    assert!(loss(found.schedule.clone()) < 0.5 * loss(usual), "{}", found.text());
}
