//! A run that is told things while it is under way: the same bits when it is resumed, replayed, or branched
//! off.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use downhill_train::{
    BranchPoint, Cause, Command, Config, EarlyStopping, Error, Event, Network, RunConfig, RunFolder, Source,
    Stop, Trained, Trainer, log,
};

/// Iris has 120 training rows here: 8 steps an epoch.
const STEPS_PER_EPOCH: u64 = 8;

fn config(more: impl FnOnce(&mut Config)) -> Config {
    let mut network = Network::mlp([16]);
    (network.dropout, network.batch_norm) = (0.1, true);
    let mut config = Config {
        lr: Some("cosine(0.01)".parse().unwrap()),
        epochs: 12,
        batch: Some(15),
        network: network.into(),
        ..Config::default()
    };
    more(&mut config);
    config
}

/// Tells a run something before each of some steps, counted as they are made.
fn telling(trainer: Trainer, told: &[(u64, Command)]) -> Trainer {
    let (sender, inbox) = mpsc::channel();
    let mut told: Vec<_> = told.to_vec();
    told.reverse();
    let mut made = 0;
    let mut tell = move |made: u64| {
        while let Some((_, command)) = told.pop_if(|(at, _)| *at <= made) {
            sender.send(command).unwrap();
        }
    };
    trainer.inbox(inbox).view(move |event| match event {
        Event::Start { .. } => tell(0),
        Event::Resume { steps_executed: at, .. } => {
            made = *at;
            tell(made);
        }
        Event::Step { .. } => {
            made += 1;
            tell(made);
        }
        _ => {}
    })
}

fn set_lr(change: &str) -> Command {
    Command::SetLr { lr: change.parse().unwrap() }
}

fn some_commands() -> Vec<(u64, Command)> {
    vec![
        (5, set_lr("0.5x")),
        (11, set_lr("0.003")),
        (11, Command::Pause),
        (11, Command::Continue),
        (20, set_lr("3x")),
        (30, Command::Undo),
        (37, Command::Checkpoint),
        (40, set_lr("one-cycle(0.02)")),
        (60, set_lr("schedule")),
        (75, Command::SetEpochs { epochs: 14 }),
        (90, Command::Undo),
        (100, Command::Undo),
    ]
}

fn train(runs: &Path, config: Config, told: &[(u64, Command)]) -> Trained {
    let trainer = Trainer::from_config(config).threads(1).checkpoint_every(Duration::ZERO);
    telling(trainer, told).fit_in(runs, Some("run"), &Source::new("iris")).unwrap()
}

fn folder(path: &Path) -> RunFolder {
    RunFolder::open(path).unwrap()
}

fn hash(trained: &Trained) -> &str {
    &trained.summary().weights_sha256
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &to) } else { _ = fs::copy(entry.path(), to).unwrap() }
    }
}

fn texts(folder: &RunFolder) -> Vec<String> {
    log::read(&folder.log_path()).unwrap().0.iter().filter_map(|record| record.event.text()).collect()
}

#[test]
fn a_run_that_was_told_things_is_replayed_on_any_number_of_threads() {
    let runs = tempfile::tempdir().unwrap();
    let trained = train(runs.path(), config(|_| ()), &some_commands());
    assert_eq!(trained.summary().epochs, 14);
    let alone = train(runs.path(), config(|_| ()), &[]);
    assert_ne!(hash(&trained), hash(&alone), "not a test");
    let run = folder(&runs.path().join("run"));
    let before = fs::read(run.log_path()).unwrap();
    for threads in [1, 3] {
        let replayed = Trainer::default().threads(threads).replay(&run).unwrap();
        assert!(replayed.matches, "{:?}", replayed.difference);
        assert_eq!(hash(&replayed.trained), hash(&trained));
        assert_eq!(replayed.trained.summary().epochs, 14);
    }
    assert_eq!(fs::read(run.log_path()).unwrap(), before, "a replay leaves the run alone");
}

#[test]
fn a_replay_that_differs_says_from_where_on() {
    let runs = tempfile::tempdir().unwrap();
    train(runs.path(), config(|_| ()), &some_commands());
    let run = folder(&runs.path().join("run"));
    let log = fs::read_to_string(run.log_path()).unwrap();
    // As if the rate had been cut by another factor at step 20, in the third epoch.
    assert!(log.contains("\"3x\""));
    fs::write(run.log_path(), log.replace("\"3x\"", "\"4x\"")).unwrap();
    let replayed = Trainer::default().threads(1).replay(&run).unwrap();
    assert!(!replayed.matches);
    assert_eq!(replayed.difference.unwrap().step, 3 * STEPS_PER_EPOCH);
}

/// A folder as a crash leaves it: copied in front of a step.
fn crashed(runs: &Path, config: Config, told: &[(u64, Command)], at: u64) -> PathBuf {
    let trainer = Trainer::from_config(config).threads(1).checkpoint_every(Duration::ZERO);
    let (from, to) = (runs.join("whole"), runs.join(format!("crashed-{at}")));
    let target = to.clone();
    let mut made = 0;
    let trainer = telling(trainer, told).view(move |event| {
        if let Event::Step { .. } = event {
            made += 1;
            if made == at {
                copy(&from, &target);
            }
        }
    });
    trainer.fit_in(runs, Some("whole"), &Source::new("iris")).unwrap();
    fs::remove_dir_all(runs.join("whole")).unwrap();
    to
}

#[test]
fn what_a_run_was_told_after_its_last_checkpoint_it_does_again() {
    let runs = tempfile::tempdir().unwrap();
    let told = some_commands();
    let whole = train(runs.path(), config(|_| ()), &told);
    for at in [2, 6, 12, 15, 21, 36, 39, 47, 61, 77, 95, 103, 111] {
        let crashed = crashed(runs.path(), config(|_| ()), &told, at);
        // The log has what it was told before the crash; the rest it is told now.
        let logged = log::read(&folder(&crashed).log_path()).unwrap().0;
        let known = logged.iter().filter(|record| matches!(record.event, Event::Command { .. })).count();
        let rest = &told[known..];
        let trainer = Trainer::default().threads(1).checkpoint_every(Duration::ZERO);
        let resumed = telling(trainer, rest).resume(folder(&crashed)).unwrap();
        assert_eq!(hash(&resumed), hash(&whole), "after a crash at step {at}");
        let replayed = Trainer::default().threads(1).replay(&folder(&crashed)).unwrap();
        assert!(replayed.matches, "after a crash at step {at}: {:?}", replayed.difference);
    }
}

#[test]
fn cuts_and_rollbacks_are_replayed_with_the_commands() {
    let runs = tempfile::tempdir().unwrap();
    let wild = config(|config| {
        config.optimizer = "sgd".parse().unwrap();
        config.lr = Some(0.05.into());
        config.epochs = 40;
        config.early_stopping = EarlyStopping::Off;
        config.plateau = "cut(0.5, patience=1, threshold=0.02)".parse().unwrap();
        config.guard = "on(spike=4)".parse().unwrap();
        config.network = Network::mlp([16]).into();
    });
    let mut told = some_commands();
    told.retain(|(_, command)| !matches!(command, Command::SetEpochs { .. }));
    told.push((120, set_lr("3000")));
    told.push((150, set_lr("0.02")));
    let trained = train(runs.path(), wild.clone(), &told);
    let run = folder(&runs.path().join("run"));
    let records = log::read(&run.log_path()).unwrap().0;
    let count = |is: fn(&Event) -> bool| records.iter().filter(|record| is(&record.event)).count();
    assert!(count(|event| matches!(event, Event::Command { .. })) >= 10);
    assert!(count(|event| matches!(event, Event::Cut { .. })) >= 1, "not a test");
    assert!(count(|event| matches!(event, Event::Rollback { .. })) >= 1, "not a test");
    for threads in [1, 2] {
        let replayed = Trainer::default().threads(threads).replay(&run).unwrap();
        assert!(replayed.matches, "{:?}", replayed.difference);
    }
    for at in [100, 121, 130, 155, 300] {
        let crashed = crashed(runs.path(), wild.clone(), &told, at);
        let logged = log::read(&folder(&crashed).log_path()).unwrap().0;
        let known = logged.iter().filter(|record| matches!(record.event, Event::Command { .. })).count();
        let trainer = Trainer::default().threads(1).checkpoint_every(Duration::ZERO);
        let resumed = telling(trainer, &told[known..]).resume(folder(&crashed)).unwrap();
        assert_eq!(hash(&resumed), hash(&trained), "after a crash at step {at}");
    }
    // A branch off in front of the commands that made it blow up, and behind.
    for step in [100, 119, 200] {
        let again = branch(runs.path(), &run, BranchPoint::Step(step), |_| (), &[]);
        assert!(again.summary().epochs >= 12);
    }
}

fn branch(
    runs: &Path,
    parent: &RunFolder,
    at: BranchPoint,
    change: impl FnOnce(&mut RunConfig),
    told: &[Command],
) -> Trained {
    let mut config = RunConfig::of(parent).unwrap();
    change(&mut config);
    let trainer = told.iter().cloned().fold(Trainer::default().threads(1), Trainer::command);
    trainer.branch(parent, at, config, runs, None).unwrap()
}

#[test]
fn a_branch_with_nothing_changed_comes_to_the_same() {
    let runs = tempfile::tempdir().unwrap();
    let whole = train(runs.path(), config(|_| ()), &[]);
    let run = folder(&runs.path().join("run"));
    for (at, step) in [
        (BranchPoint::Step(0), 0),
        (BranchPoint::Step(37), 37),
        (BranchPoint::Epochs(3), 24),
        (BranchPoint::EpochsBack(2), 80),
        (BranchPoint::Step(95), 95),
    ] {
        let again = branch(runs.path(), &run, at, |_| (), &[]);
        assert_eq!(hash(&again), hash(&whole), "{at}");
        let branched = folder(Path::new(again.summary().run.as_deref().unwrap()));
        let parent = RunConfig::of(&branched).unwrap().parent.unwrap();
        assert_eq!(parent.step, step);
        assert!(Path::new(&parent.run).ends_with("run"));
        let replayed = Trainer::default().threads(1).replay(&branched).unwrap();
        assert!(replayed.matches, "{at}: {:?}", replayed.difference);
    }
}

#[test]
fn every_so_many_epochs_a_checkpoint_stays() {
    let runs = tempfile::tempdir().unwrap();
    let trainer = Trainer::from_config(config(|_| ())).threads(1).keep_every(5);
    trainer.fit_in(runs.path(), Some("run"), &Source::new("iris")).unwrap();
    let checkpoints = fs::read_dir(runs.path().join("run/checkpoints")).unwrap();
    let mut names: Vec<_> =
        checkpoints.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let stays = [5, 10].map(|epoch| format!("step-{:08}.safetensors", epoch * STEPS_PER_EPOCH));
    assert!(stays.iter().all(|name| names.contains(name)), "{names:?}");
}

#[test]
fn a_branch_at_another_rate_is_the_run_that_was_told_so() {
    let runs = tempfile::tempdir().unwrap();
    let told = train(runs.path(), config(|_| ()), &[(37, set_lr("0.2x"))]);
    train(runs.path(), config(|_| ()), &[]);
    let parent = folder(&runs.path().join("run-2"));
    let branched = branch(runs.path(), &parent, BranchPoint::Step(37), |_| (), &[set_lr("0.2x")]);
    assert_eq!(hash(&branched), hash(&told));
    // A branch of a branch, from a step before a command of its own.
    let branched = folder(Path::new(branched.summary().run.as_deref().unwrap()));
    let twice = branch(runs.path(), &branched, BranchPoint::Step(50), |_| (), &[]);
    assert_eq!(hash(&twice), hash(&told));
    let error = Trainer::default()
        .threads(1)
        .branch(&branched, BranchPoint::Step(20), RunConfig::of(&branched).unwrap(), runs.path(), None)
        .unwrap_err();
    assert!(error.to_string().contains("branch off its parent"), "{error}");
}

#[test]
fn a_loss_that_is_no_number_is_gone_back_on_and_replayed() {
    let runs = tempfile::tempdir().unwrap();
    let config = config(|config| {
        config.optimizer = "sgd".parse().unwrap();
        config.lr = Some(0.1.into());
        config.network = Network::mlp([16]).into();
    });
    let (sender, inbox) = mpsc::channel();
    let mut steps = 0;
    let trainer = Trainer::from_config(config).threads(1).inbox(inbox).view(move |event| match event {
        // Far too high, where an epoch begins; and a good one where that is gone back to.
        Event::Step { step, .. } => {
            steps += 1;
            if steps == 5 * STEPS_PER_EPOCH && *step == steps - 1 {
                sender.send(set_lr("1e38")).unwrap();
            }
        }
        Event::Rollback { .. } => sender.send(set_lr("0.05")).unwrap(),
        _ => {}
    });
    let trained = trainer.fit_in(runs.path(), Some("run"), &Source::new("iris")).unwrap();
    let run = folder(&runs.path().join("run"));
    let records = log::read(&run.log_path()).unwrap().0;
    let back: Vec<_> = records
        .iter()
        .filter_map(|record| match record.event {
            Event::Rollback { step, steps_executed, to, cause: Cause::NotFinite, .. } => {
                Some((step, steps_executed, to))
            }
            _ => None,
        })
        .collect();
    let &[(step, made, to)] = &back[..] else { panic!("{back:?} is not a test") };
    assert_eq!((to, made), (5 * STEPS_PER_EPOCH, step + 1));
    let replayed = Trainer::default().threads(1).replay(&run).unwrap();
    assert!(replayed.matches, "{:?}", replayed.difference);
    // Where it went back to, the run was last before it was told the good rate.
    let branched = branch(runs.path(), &run, BranchPoint::Step(to), |_| (), &[set_lr("0.05")]);
    assert_eq!(hash(&branched), hash(&trained));
    let branched = folder(Path::new(branched.summary().run.as_deref().unwrap()));
    assert_eq!(RunConfig::of(&branched).unwrap().parent.unwrap().step, to);
}

#[test]
fn a_run_that_stopped_early_is_branched_off_to_go_on() {
    let runs = tempfile::tempdir().unwrap();
    let impatient = config(|config| {
        config.lr = Some(0.3.into());
        config.epochs = 200;
        config.early_stopping = "after(2)".parse().unwrap();
    });
    let parent = train(runs.path(), impatient, &[]);
    assert_eq!(parent.stop(), Stop::EarlyStopping);
    let run = folder(&runs.path().join("run"));
    let went_on = branch(runs.path(), &run, BranchPoint::Last, |_| (), &[set_lr("0.1x")]);
    assert!(went_on.summary().epochs > parent.summary().epochs);
}

#[test]
fn what_is_refused_leaves_the_log_alone() {
    let runs = tempfile::tempdir().unwrap();
    train(runs.path(), config(|_| ()), &[]);
    let run = folder(&runs.path().join("run"));
    let before = fs::read(run.log_path()).unwrap();
    for command in [set_lr("0.5x"), Command::SetEpochs { epochs: 3 }, Command::Undo] {
        Trainer::default().threads(1).command(command).resume(run.clone()).unwrap_err();
    }
    assert_eq!(fs::read(run.log_path()).unwrap(), before);
    let trainer = Trainer::default().threads(1).command(Command::Undo);
    trainer
        .branch(&run, BranchPoint::Epochs(2), RunConfig::of(&run).unwrap(), runs.path(), None)
        .unwrap_err();
    assert_eq!(fs::read_dir(runs.path()).unwrap().count(), 1, "no folder of a branch that cannot begin");
}

#[test]
fn a_branch_with_another_optimizer_goes_back_to_states_of_its_own() {
    let runs = tempfile::tempdir().unwrap();
    let backtracking = config(|config| {
        config.optimizer = "sgd".parse().unwrap();
        config.plateau = "cut(0.5, patience=0, backtrack=true)".parse().unwrap();
    });
    train(runs.path(), backtracking, &[]);
    let run = folder(&runs.path().join("run"));
    let change = |config: &mut RunConfig| config.training.optimizer = "adamw".parse().unwrap();
    let trained = branch(runs.path(), &run, BranchPoint::Epochs(6), change, &[set_lr("0.01")]);
    let branched = folder(Path::new(trained.summary().run.as_deref().unwrap()));
    assert!(Trainer::default().threads(1).replay(&branched).unwrap().matches);
}

#[test]
fn settings_change_in_a_branch() {
    let runs = tempfile::tempdir().unwrap();
    train(runs.path(), config(|_| ()), &[]);
    let run = folder(&runs.path().join("run"));
    let cases: [fn(&mut RunConfig); 5] = [
        |config| config.training.optimizer = "momentum(0.9)".parse().unwrap(),
        |config| config.training.regularization.l2 = 1e-3,
        |config| config.training.epochs = 20,
        |config| config.training.batch = Some(30),
        |config| config.training.ema = Some(0.0),
    ];
    for (number, change) in cases.into_iter().enumerate() {
        let trained = branch(runs.path(), &run, BranchPoint::Epochs(4), change, &[]);
        let branched = folder(Path::new(trained.summary().run.as_deref().unwrap()));
        let replayed = Trainer::default().threads(2).replay(&branched).unwrap();
        assert!(replayed.matches, "case {number}: {:?}", replayed.difference);
        let begins_anew = texts(&branched).iter().any(|text| text.contains("begins anew"));
        assert_eq!(begins_anew, [true, false, false, false, true][number], "case {number}");
    }
    let refuse = |change: fn(&mut RunConfig), at: BranchPoint, words: &str| {
        let mut config = RunConfig::of(&run).unwrap();
        change(&mut config);
        let error = Trainer::default().threads(1).branch(&run, at, config, runs.path(), None).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    };
    refuse(
        |config| config.training.network = Network::mlp([8]).into(),
        BranchPoint::Epochs(4),
        "leave the layers as they are",
    );
    refuse(|config| config.training.batch = Some(30), BranchPoint::Step(37), "@4ep");
    refuse(|config| config.training.epochs = 4, BranchPoint::Epochs(4), "after 4 epochs: give it more");
    refuse(|_| (), BranchPoint::Epochs(13), "12 epochs");
    refuse(|_| (), BranchPoint::Last, "after 12 epochs: give it more");
}

#[test]
fn a_run_that_is_over_goes_on_if_it_is_made_longer() {
    let runs = tempfile::tempdir().unwrap();
    let constant = |epochs| {
        config(|config| {
            config.epochs = epochs;
            config.lr = Some(0.004.into());
        })
    };
    let long = train(runs.path(), constant(15), &[]);
    train(runs.path(), constant(12), &[]);
    let run = folder(&runs.path().join("run-2"));
    let error = Trainer::default().threads(1).command(set_lr("0.5x")).resume(run.clone()).unwrap_err();
    assert!(matches!(error, Error::Record(downhill_run::Error::IsOver { epochs: 12 })), "{error}");
    let error = Trainer::default()
        .threads(1)
        .command(Command::SetEpochs { epochs: 11 })
        .resume(run.clone())
        .unwrap_err();
    assert!(matches!(error, Error::Record(downhill_run::Error::Mismatch(_))), "{error}");
    let longer = Trainer::default().threads(1).command(Command::SetEpochs { epochs: 15 });
    let longer = longer.resume(run.clone()).unwrap();
    assert_eq!(hash(&longer), hash(&long));
    assert!(Trainer::default().threads(1).replay(&run).unwrap().matches);
}

#[test]
fn a_run_is_ended_and_its_best_weights_are_kept() {
    let runs = tempfile::tempdir().unwrap();
    let ended = train(runs.path(), config(|_| ()), &[(43, Command::End)]);
    assert_eq!(ended.stop(), Stop::Ended);
    assert_eq!(ended.summary().epochs, 5);
    let run = folder(&runs.path().join("run"));
    let again = Trainer::default().threads(1).resume(run.clone()).unwrap();
    assert_eq!(again.stop(), Stop::Ended);
    assert_eq!(hash(&again), hash(&ended));
    assert!(Trainer::default().threads(1).replay(&run).unwrap().matches);
    // It is branched off where it was ended, and goes on.
    let whole = train(runs.path(), config(|_| ()), &[]);
    let branched = branch(runs.path(), &run, BranchPoint::Last, |_| (), &[]);
    assert_eq!(hash(&branched), hash(&whole));
}

#[test]
fn what_cannot_be_done_is_said_and_changes_nothing() {
    let runs = tempfile::tempdir().unwrap();
    let whole = train(runs.path(), config(|_| ()), &[]);
    let nonsense = [(3, Command::Undo), (40, Command::SetEpochs { epochs: 2 }), (41, set_lr("1e308"))];
    let told = train(runs.path(), config(|_| ()), &[&nonsense[..], &[(42, set_lr("1e308x"))]].concat());
    let said = texts(&folder(&runs.path().join("run-2")));
    let refused = said.iter().filter(|text| text.starts_with("Not done at step ")).count();
    assert_eq!(refused, 4, "{said:?}");
    assert_eq!(hash(&told), hash(&whole));
}
