//! Reports of runs that went in odd ways.

mod page;

use std::fs;
use std::path::Path;

use downhill_train::{Cause, Config, Keep, RunConfig, RunFolder, Source};
use page::{charts, checked, text, titles};
use proptest::prelude::*;

/// A run of this configuration with this log.
fn run(runs: &Path, name: &str, config: Config, log: &[u8]) -> RunFolder {
    let config = RunConfig {
        data: Source::new("/data/some <i>table</i>.csv"),
        training: config,
        ..RunConfig::default()
    };
    let folder = config.create_folder(runs, Some(name)).unwrap();
    fs::write(folder.log_path(), log).unwrap();
    folder
}

fn config() -> Config {
    Config { epochs: 6, lr: Some(0.01.into()), ..Config::default() }
}

/// The page of a golden log.
fn html(log: &str) -> String {
    let runs = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{log}.jsonl"));
    let folder = run(runs.path(), "odd", config(), &fs::read(golden).unwrap());
    let html = downhill_report::html(&folder).unwrap();
    checked(&html);
    html
}

fn says(html: &str, words: &[&str]) {
    let text = text(&checked(html));
    words.iter().for_each(|words| assert!(text.contains(words), "no `{words}` in:\n{text}"));
}

const ALL: [&str; 3] = ["Loss", "Accuracy", "Learning rate"];

#[test]
fn a_run_that_has_just_begun_has_a_page() {
    for log in ["empty", "no-epoch"] {
        let html = html(log);
        says(&html, &["no end", "so there is nothing to draw", "downhill resume"]);
        assert!(titles(&checked(&html)).is_empty());
    }
}

#[test]
fn one_epoch_is_a_dot() {
    let html = html("one-epoch");
    says(&html, &["with the weights of epoch 1", "250 rows held out", "1,000 rows trained on"]);
    assert_eq!(titles(&checked(&html)), ALL);
    assert_eq!(html.matches("h0\"").count(), 3); // validation, training, accuracy
}

#[test]
fn epochs_made_again_count_once() {
    let page = html("interrupted-and-resumed");
    says(&page, &["After 4 epochs of 6", "with the weights of epoch 4", "Step 20, resumed", "is damaged"]);
    assert!(
        !page.contains("0.1234") && !page.contains("highest 99 "),
        "an epoch that was made again is still there"
    );

    let page = html("resumed-before-what-was-made");
    says(&page, &["After 1 epoch of 6", "with the weights of epoch 1", "downhill resume"]);
}

#[test]
fn rates_are_shown_beside_the_stability_limit() {
    let epoch =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/one-epoch.jsonl"))
            .unwrap();
    let sharpness = |step: u64, ratio: Option<f64>| {
        let limit = ratio.map(|ratio| 0.5 / ratio);
        let event = downhill_train::Event::Sharpness { step, sharpness: 4.0, lr: 0.5, limit, ratio };
        serde_json::to_string(&downhill_train::log::Record { time: 1.0, event }).unwrap() + "\n"
    };
    let page = |events: &[String]| {
        let runs = tempfile::tempdir().unwrap();
        let log = epoch.clone() + &events.concat();
        downhill_report::html(&run(runs.path(), "odd", config(), log.as_bytes())).unwrap()
    };
    // Where no limit is known, there is no chart of it.
    assert_eq!(titles(&checked(&page(&[sharpness(0, None)]))), ALL);
    // What a step is measured at again, after a run has gone back to it, is what counts.
    let back = "{\"time\":1.0,\"event\":\"rollback\",\"step\":19,\"to\":10,\"scale\":0.5,\"cause\":\"not-finite\"}\n";
    let page = page(&[
        sharpness(0, None),
        sharpness(4, Some(0.25)),
        sharpness(14, Some(99.0)),
        back.into(),
        sharpness(10, Some(0.125)),
        sharpness(12, Some(1.5)),
    ]);
    assert_eq!(titles(&checked(&page)), [&ALL[..], &["Edge of stability"]].concat());
    assert!(page.contains("rate: 0.25 at 4, 1.5 at 12; lowest 0.125 at 10, highest 1.5 at 12"), "{page}");
}

#[test]
fn a_run_that_diverged_says_so() {
    let html = html("diverged");
    says(
        &html,
        &[
            "diverged",
            "in epoch 3, at a learning rate of 12.5",
            "with the weights of epoch 1",
            "loss, log scale",
        ],
    );
}

#[test]
fn regression_is_shown_by_what_there_is() {
    assert_eq!(titles(&checked(&html("no-r2"))), ["Loss", "RMSE", "Learning rate"]);
    let html = html("low-r2");
    assert_eq!(titles(&checked(&html)), ["Loss", "R²", "Learning rate"]);
    says(&html, &["R² 0.500, RMSE 1.5", "-0.5"]); // the axis begins at −1
}

#[test]
fn numbers_of_any_size_are_drawn_or_left_out() {
    assert_eq!(titles(&checked(&html("extremes"))), ALL);
}

#[test]
fn what_cannot_be_read_is_left_out_and_told() {
    says(&html("torn"), &["1 line of the log was torn or is no event", "After 1 epoch"]);
    says(&html("unknown-lines"), &["2 lines of the log are no events", "with the weights of epoch 3"]);
}

#[test]
fn the_last_weights_are_the_kept_ones_where_the_best_are_not_restored() {
    let runs = tempfile::tempdir().unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/diverged.jsonl");
    let log = fs::read_to_string(golden).unwrap();
    let log = log.replace("{\"diverged\": {\"lr\": 12.5}}", "\"finished\"");
    let config = Config { keep: Keep::Last, ..config() };
    let folder = run(runs.path(), "odd", config, log.as_bytes());
    says(
        &downhill_report::html(&folder).unwrap(),
        &["with the weights of epoch 2", "It ran to its end: 6 epochs"],
    );
}

/// The golden log of one epoch of ten steps with these events behind it.
fn with_events(events: &[downhill_train::Event]) -> String {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/one-epoch.jsonl");
    let line = |event: &downhill_train::Event| {
        serde_json::to_string(&downhill_train::log::Record { time: 1.0, event: event.clone() }).unwrap()
            + "\n"
    };
    let log = fs::read_to_string(golden).unwrap() + &events.iter().map(line).collect::<String>();
    let runs = tempfile::tempdir().unwrap();
    let html = downhill_report::html(&run(runs.path(), "odd", config(), log.as_bytes())).unwrap();
    checked(&html);
    html
}

#[test]
fn every_event_is_marked_beside_the_rate_and_told() {
    use downhill_train::Event;

    let page = with_events(&[
        Event::Cut { step: 3, steps_executed: 3, scale: 0.5, back_to: None },
        Event::Rollback { step: 15, steps_executed: 15, to: 10, scale: 0.25, cause: Cause::NotFinite },
        Event::Cut { step: 17, steps_executed: 22, scale: 0.125, back_to: Some(0) },
    ]);
    says(&page, &["Step 3, rate cut: Nothing got better", "Step 15, rolled back: ", "Step 17, rate cut: "]);
    assert!(page.contains("rate cut: 3. rolled back: 15. rate cut: 17."), "in the words of the chart");
    // Kinds that are there twice stand in the legend once.
    assert_eq!(page.matches(">rate cut</text>").count(), 1);
}

#[test]
fn layers_and_residuals_are_drawn() {
    use downhill_train::{Bins, Distribution, Event, Norms};

    let spread = |name: &str, counts: Vec<u64>| {
        let edges = (0..=counts.len()).map(|edge| edge as f64).collect();
        Distribution { name: name.into(), mean: 0.25, std: 1.5, bins: Bins { edges, counts, zeros: 0 } }
    };
    let distributions = |step, counts: Vec<u64>| Event::Distributions {
        step,
        weights: vec![spread("0.<w>", counts.clone())],
        activations: vec![spread("0", counts)],
    };
    let norms = |step, update| Event::Norms {
        step,
        tensors: vec![Norms { name: "0.<w>".into(), weights: 2.0, gradient: 0.5, update }],
    };
    let page = with_events(&[
        distributions(0, vec![1, 2]),
        norms(10, 0.5),
        // What a run has gone back from does not count.
        norms(20, 99.0),
        Event::Rollback { step: 20, steps_executed: 20, to: 10, scale: 0.25, cause: Cause::NotFinite },
        norms(20, 0.125),
        distributions(20, vec![4, 1]),
        Event::Residuals {
            step: 20,
            residuals: spread("residuals", vec![1, 1]),
            pairs: vec![[1.0, 2.0], [3.0, 2.5]],
        },
    ]);
    let titles = titles(&checked(&page));
    for title in [
        "Gradients by layer",
        "Updates by layer",
        "Updates against weights",
        "Predictions",
        "Weights, before training and after",
    ] {
        assert!(titles.iter().any(|other| other == title), "no {title} in {titles:?}");
    }
    assert!(
        page.contains("0.&lt;w&gt;: 0.5 at 10, 0.125 at 20; lowest 0.125 at 20, highest 0.5 at 10"),
        "{page}"
    );
    assert!(page.contains("0.&lt;w&gt;: 0.25 at 10, 0.0625 at 20"), "against the weights");
    says(&page, &["before the first step", "after 20 steps", "0.25 ± 1.5"]);
}

#[test]
fn layers_that_cannot_be_are_no_panic() {
    use downhill_train::{Bins, Distribution, Event, Norms};

    let odd = |edges: Vec<f64>, counts: Vec<u64>, zeros| Distribution {
        name: String::new(),
        mean: f64::MAX,
        std: -1.0,
        bins: Bins { edges, counts, zeros },
    };
    let many = || {
        vec![
            odd(vec![], vec![], 1),
            odd(vec![0.0], vec![1, 2, 3], 9),
            odd(vec![1.0, 1.0, 1.0], vec![u64::MAX, u64::MAX], 3),
            odd(vec![5.0, -5.0], vec![2], u64::MAX),
            odd(vec![-1e308, 1e308], vec![2], 1),
        ]
    };
    let distributions = |step| Event::Distributions { step, weights: many(), activations: vec![] };
    let norms = |step, count| Event::Norms {
        step,
        tensors: vec![Norms { name: "a".into(), weights: 0.0, gradient: -1.0, update: 1e308 }; count],
    };
    let residuals = |found| Event::Residuals { step: 20, residuals: found, pairs: vec![] };
    for found in many() {
        with_events(&[distributions(0), norms(10, 3), norms(11, 1), distributions(20), residuals(found)]);
    }
    for counts in [vec![], vec![vec![]], vec![vec![u64::MAX, u64::MAX], vec![1]], vec![vec![1]; 30]] {
        let classes = vec!["a".into(); 25];
        for classes in [classes[..2].to_vec(), classes, vec![]] {
            with_events(&[Event::Confusion { step: 20, classes, counts: counts.clone() }]);
        }
    }
}

#[test]
fn several_runs_share_charts() {
    let runs = tempfile::tempdir().unwrap();
    let folder = |name: &str, log: &str| {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/{log}.jsonl"));
        run(runs.path(), name, config(), &fs::read(golden).unwrap())
    };
    let folders = [
        folder("<a>", "interrupted-and-resumed"),
        folder("b", "one-epoch"),
        folder("c", "no-r2"),
        folder("d", "empty"),
    ];
    let html = downhill_report::html_of(&folders).unwrap();
    let page = checked(&html);
    let shared = ["Validation loss", "Training loss", "Accuracy", "RMSE", "Learning rate"];
    assert_eq!(titles(&page)[..5], shared);
    says(&html, &["<a>, b, c, d side by side", "d: After 0 epochs of 6", "<a> trained on", "d trained on"]);
    let loss = charts(&page)[0];
    let legend: String = loss.descendants().filter_map(|node| node.text()).collect();
    assert!(legend.contains("<a>") && legend.contains('b') && legend.contains('c'), "{legend}");
}

#[test]
fn names_stay_text() {
    let runs = tempfile::tempdir().unwrap();
    let log = "{\"time\":1.0,\"event\":\"note\",\"text\":\"<script>alert('x')</script>\\u0000 & \\u001b[1m ]]>\"}\n";
    let folder = run(runs.path(), "<b>'\"&", config(), log.as_bytes());
    let html = downhill_report::html(&folder).unwrap();
    let words =
        ["<b>'\"& trained on", "<script>alert('x')</script>\\u{0} & \\u{1b}[1m ]]>", "</i>.csv", "'\\''\"&"];
    says(&html, &words);
}

#[test]
fn a_folder_that_cannot_be_read_is_an_error() {
    let runs = tempfile::tempdir().unwrap();
    let folder = run(runs.path(), "run", config(), b"");
    fs::remove_file(folder.log_path()).unwrap();
    assert!(downhill_report::write(&folder).unwrap_err().to_string().contains("events.jsonl"));
    fs::write(folder.path().join("run.toml"), "[training]\nepochs = 0").unwrap();
    assert!(downhill_report::html(&folder).unwrap_err().to_string().contains("epochs"));
    fs::write(folder.path().join("run.toml"), "rubbish").unwrap();
    assert!(downhill_report::html(&folder).unwrap_err().to_string().contains("run.toml"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_log_has_a_page(
        epochs in prop::collection::vec((any::<u64>(), any::<u64>(), prop::array::uniform4(any::<f64>())), 0..6),
        lengths in prop::option::of((any::<u64>(), any::<u64>())),
        rubbish in prop::collection::vec(any::<u8>(), 0..40),
        cut in 0usize..40,
    ) {
        let mut log = String::new();
        if let Some((step, total)) = lengths {
            log += &format!(
                "{{\"time\":1.0,\"event\":\"resume\",\"step\":{step},\"total_steps\":{total},\"steps_per_epoch\":{step}}}\n"
            );
        }
        for (epoch, step, [lr, train, valid, rmse]) in epochs {
            log += &format!(
                "{{\"time\":1.0,\"event\":\"epoch\",\"epoch\":{epoch},\"step\":{step},\"lr\":{lr:e},\
                 \"train_loss\":{train:e},\"valid_loss\":{valid:e},\"metrics\":{{\"rmse\":{rmse:e},\"mae\":0.0}},\
                 \"best\":true,\"seconds\":1.0,\"rows_per_second\":1.0}}\n"
            );
        }
        let mut log = log.into_bytes();
        log.truncate(log.len().saturating_sub(cut));
        log.extend(rubbish);
        let runs = tempfile::tempdir().unwrap();
        let config = Config { lr: Some("warmup(5%, then=cosine(0.1))".parse().unwrap()), ..config() };
        checked(&downhill_report::html(&run(runs.path(), "any", config, &log)).unwrap());
    }
}
