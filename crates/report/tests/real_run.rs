//! The report of a run that was made.

mod page;

use std::fs;

use downhill_train::{Network, RunFolder, Source, Trainer};
use page::{checked, text, titles};

#[test]
fn a_run_has_a_report() {
    let runs = tempfile::tempdir().unwrap();
    let source = Source::new("wine");
    let trainer = Trainer::new(Network::mlp([8])).epochs(4).seed(7).threads(1);
    let trained = trainer.fit_in(runs.path(), Some("<b>"), &source).unwrap();

    let folder = RunFolder::open(&runs.path().join("<b>")).unwrap();
    let path = downhill_report::write(&folder).unwrap();
    assert_eq!(path, runs.path().join("<b>/report.html"));
    assert!(!runs.path().join("<b>/report.html.tmp").exists());
    let html = fs::read_to_string(path).unwrap();
    let page = checked(&html);
    let expected = [
        "Loss",
        "Accuracy",
        "Learning rate",
        "Gradients by layer",
        "Updates by layer",
        "Updates against weights",
        "Weights, before training and after",
        "Activations, before training and after",
    ];
    assert_eq!(titles(&page), expected);

    let text = text(&page);
    let summary = trained.summary();
    let words = [
        "<b> trained on wine".to_string(),
        format!("Accuracy {:.1}%", 100.0 * trained.score()),
        format!(
            "{} rows held out, with the weights of epoch {}",
            summary.valid_rows,
            summary.best_epoch.unwrap()
        ),
        "It ran to its end: 4 epochs".into(),
        format!("{} parameters", summary.parameters),
        format!("{} to train on, {} held out", summary.train_rows, summary.valid_rows),
        "Confusion matrix".into(),
        "1 of ".into(),
        format!("kept: epoch {}", summary.best_epoch.unwrap()),
        fs::read_to_string(runs.path().join("<b>/run.toml")).unwrap(),
        format!("downhill train --config '{}'", runs.path().join("<b>/run.toml").display()),
    ];
    words.iter().for_each(|words| assert!(text.contains(words), "no `{words}` in:\n{text}"));
    // The order that a reader wants them in.
    let headings = [
        "trained on",
        "Loss",
        "Accuracy\n",
        "Learning rate",
        "Weights",
        "Configuration",
        "Environment",
        "downhill train",
    ];
    let places: Vec<_> = headings.iter().map(|heading| text.find(heading).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
}
