//! What `diagnose` says of runs whose trouble is known.

use downhill_data::{Dataset, Table};
use downhill_nn::Mlp;
use std::path::Path;

use downhill_train::{
    Command, Config, Diagnosis, EarlyStopping, Guard, Keep, Network, RateVerdict, RunFolder, Setting, Source,
    Trainer, Trouble, diagnose, diagnose_run,
};

fn data(name: &str) -> Dataset {
    Table::bundled(name).unwrap().default_target().split(0.2, 0).unwrap()
}

fn config(rule: &str, lr: &str, epochs: u64) -> Config {
    Config {
        optimizer: rule.parse().unwrap(),
        lr: Some(lr.parse().unwrap()),
        epochs,
        early_stopping: EarlyStopping::Off,
        keep: Keep::Last,
        ema: Some(0.0),
        ..Config::default()
    }
}

fn mlp(hidden: &[usize], activation: &str, init: &str) -> Network {
    let (activation, init) = (activation.parse().unwrap(), init.parse().unwrap());
    Mlp { activation, init, dropout: 0.0, ..Network::mlp(hidden) }.into()
}

fn finds(diagnosis: &Diagnosis, trouble: Trouble, layer: Option<usize>) -> bool {
    diagnosis.findings.iter().any(|finding| finding.trouble == trouble && finding.layer == layer)
}

#[test]
fn rates_that_are_far_off_are_seen() {
    for (name, rule, low, good, very_high) in [
        ("digits", "sgd", "0.0003", "cosine(1)", "1000"),
        ("wine", "adamw", "1e-6", "cosine(0.01)", "30"),
        ("diabetes", "momentum(0.9)", "1e-5", "cosine(0.01)", "100"),
    ] {
        let verdict = |lr: &str| diagnose(&config(rule, lr, 10), &data(name), None).unwrap().verdict;
        let verdicts = [low, good, very_high].map(verdict);
        assert_eq!(
            verdicts,
            [RateVerdict::Low, RateVerdict::Good, RateVerdict::VeryHigh],
            "{rule} on {name}"
        );
    }
}

#[test]
fn what_a_run_was_told_is_part_of_it() {
    let runs = tempfile::tempdir().unwrap();
    let train = |told: Option<&str>| {
        let trainer = Trainer::from_config(config("adamw", "cosine(0.01)", 10)).threads(1);
        let command = told.map(|change| Command::SetLr { lr: change.parse().unwrap() });
        let trainer = command.into_iter().fold(trainer, Trainer::command);
        let trained = trainer.fit_in(runs.path(), None, &Source::new("wine")).unwrap();
        let folder = RunFolder::open(Path::new(trained.summary().run.as_deref().unwrap())).unwrap();
        diagnose_run(&folder, Some(2)).unwrap()
    };
    assert_eq!(train(None).verdict, RateVerdict::Good);
    let told = train(Some("1e-4x"));
    assert_eq!(told.verdict, RateVerdict::Low);
    assert!((told.peak_rate - 1e-6).abs() < 1e-9, "{}", told.peak_rate);
    assert!(told.notes.is_empty(), "{:?}", told.notes);
}

#[test]
fn it_is_the_same_on_any_threads_and_costs_what_it_says() {
    let (config, data) = (config("momentum(0.9)", "0.001", 10), data("wine"));
    let one = diagnose(&config, &data, Some(1)).unwrap();
    assert_eq!(diagnose(&config, &data, Some(3)).unwrap(), one);
    let cost = one.steps as f64 / one.run_steps as f64;
    // Whole runs with the rates that are suggested come on top.
    let cost = cost - one.tried.len() as f64;
    assert!((6.0..=6.5).contains(&cost) && one.tried.len() <= 3, "{cost}");
    // A branch from the start at the run's own rate is what the run did.
    let fork = &one.forks[0];
    assert_eq!((fork.step, fork.loss), (0, Some(one.baseline)));
    assert_eq!(
        one.forks[1].loss, one.forks[0].held,
        "held for 30% of the steps, it is where the next begins"
    );
}

#[test]
fn a_spoilt_network_has_dead_units_and_a_high_rate() {
    let network = Network::mlp([64, 64]).into();
    let config = Config { guard: Guard::Off, network, ..config("momentum(0.9)", "0.2", 15) };
    let diagnosis = diagnose(&config, &data("digits"), None).unwrap();
    assert_eq!(diagnosis.verdict, RateVerdict::High, "{diagnosis:#?}");
    assert!(finds(&diagnosis, Trouble::DeadUnits, Some(2)), "{diagnosis:#?}");
    // The rate killed them, so another activation is not the advice.
    let dead = diagnosis.findings.iter().filter(|finding| finding.trouble == Trouble::DeadUnits);
    for finding in dead {
        assert_eq!(Some(&finding.suggestion), diagnosis.suggestion.as_ref(), "{diagnosis:#?}");
        assert!(finding.evidence.ends_with("it is the rate's doing"), "{}", finding.evidence);
    }
}

/// The run with the rate that a diagnosis suggests in the place of its own.
fn followed(config: &Config, diagnosis: &Diagnosis) -> Config {
    let advice = diagnosis.suggestion.as_ref().unwrap_or_else(|| panic!("no advice: {diagnosis:#?}"));
    assert_eq!(advice.setting, Setting::Lr);
    let lr = advice.value.as_str();
    // To have it found is the configuration's default.
    let lr = (lr != "auto").then(|| lr.parse().unwrap());
    Config { lr, ..config.clone() }
}

fn valid_loss(config: &Config, data: &Dataset) -> f64 {
    Trainer::from_config(config.clone()).fit(data).map_or(f64::INFINITY, |run| run.summary().valid_loss)
}

#[test]
fn advice_that_is_followed_ends_better() {
    for (name, rule, lr, verdict) in [
        ("digits", "sgd", "0.001", RateVerdict::Low),
        ("digits", "momentum(0.9)", "0.15", RateVerdict::High),
        ("digits", "momentum(0.9)", "3", RateVerdict::VeryHigh),
        ("digits", "adamw", "cosine(0.00003)", RateVerdict::Low),
        ("digits", "adamw", "0.1", RateVerdict::High),
        ("diabetes", "sgd", "0.0001", RateVerdict::Low),
        ("diabetes", "momentum(0.9)", "100", RateVerdict::VeryHigh),
        ("wine", "sgd", "0.0003", RateVerdict::Low),
        ("wine", "adamw", "cosine(0.00003)", RateVerdict::Low),
    ] {
        let config = Config { guard: Guard::Off, ..config(rule, lr, 10) };
        let data = data(name);
        let diagnosis = diagnose(&config, &data, None).unwrap();
        assert_eq!(diagnosis.verdict, verdict, "{rule} {lr} on {name}: {diagnosis:#?}");
        let [before, after] = [config.clone(), followed(&config, &diagnosis)].map(|c| valid_loss(&c, &data));
        assert!(
            after < 0.97 * before,
            "{rule} {lr} on {name}: {before}, {after} by {:?}",
            diagnosis.suggestion
        );
    }
}

#[test]
fn advice_on_a_run_that_the_guard_cut_holds_for_the_command() {
    let data = data("digits");
    let config = config("momentum(0.9)", "3", 10);
    let diagnosis = diagnose(&config, &data, None).unwrap();
    assert_eq!(diagnosis.verdict, RateVerdict::VeryHigh);
    // The branches are of the rate that the guard has cut, and the rates to try are theirs.
    assert!(diagnosis.forks[0].peak_rate < 1.0, "{diagnosis:#?}");
    let better = followed(&config, &diagnosis);
    let run = Trainer::from_config(better.clone()).fit(&data).unwrap();
    assert!(run.score() > 0.9, "{} by {:?}", run.score(), diagnosis.suggestion);
    let again = diagnose(&better, &data, None).unwrap();
    assert_ne!(again.verdict, RateVerdict::VeryHigh, "{again:#?}");
}

#[test]
fn saturated_units_and_vanishing_gradients_are_named_by_layer() {
    let network = mlp(&[64], "sigmoid", "normal(5)");
    let diagnosis =
        diagnose(&Config { network, ..config("adamw", "0.01", 10) }, &data("iris"), None).unwrap();
    assert!(finds(&diagnosis, Trouble::SaturatedUnits, Some(1)), "{diagnosis:#?}");

    let network = mlp(&[20; 7], "sigmoid", "normal(0.1)");
    let diagnosis = diagnose(&Config { network, ..config("sgd", "0.01", 5) }, &data("digits"), None).unwrap();
    assert!(finds(&diagnosis, Trouble::VanishingGradients, Some(1)), "{diagnosis:#?}");
    assert!(!finds(&diagnosis, Trouble::VanishingGradients, Some(7)));
    assert!(finds(&diagnosis, Trouble::SmallUpdates, Some(2)), "{diagnosis:#?}");
}

#[test]
fn overfitting_and_noise_are_seen_and_not_everywhere() {
    let network = mlp(&[256, 256], "relu", "auto");
    let long = Config { network, ..config("adamw", "warmup(5%, then=cosine(0.003))", 40) };
    let diagnosis = diagnose(&long, &data("diabetes"), None).unwrap();
    assert!(finds(&diagnosis, Trouble::Overfitting, None), "{diagnosis:#?}");
    assert!(!finds(&diagnosis, Trouble::Noise, None), "{diagnosis:#?}");

    let network = mlp(&[16], "relu", "auto");
    let noisy = Config { network, batch: Some(4), ..config("momentum(0.9)", "0.015", 15) };
    let diagnosis = diagnose(&noisy, &data("diabetes"), None).unwrap();
    assert!(finds(&diagnosis, Trouble::Noise, None), "{diagnosis:#?}");

    let short = config("adamw", "cosine(0.01)", 10);
    let diagnosis = diagnose(&short, &data("breast-cancer"), None).unwrap();
    assert_eq!((diagnosis.verdict, diagnosis.findings.len()), (RateVerdict::Good, 0), "{diagnosis:#?}");
}
