//! `downhill replay`

use downhill::prelude::Trainer;
use downhill::train::{Difference, Replayed, Summary};
use serde::Serialize;

use crate::args::{AgainArgs, Format};
use crate::{Failure, evaluate, output, progress};

/// What a run came to when it was made again.
#[derive(Serialize)]
struct Again<'a> {
    matches: bool,
    logged_sha256: &'a str,
    /// The step at whose end the two are first known to differ.
    differs_at_step: Option<u64>,
    #[serde(flatten)]
    summary: &'a Summary,
}

pub fn replay(options: &AgainArgs, format: Format, quiet: bool) -> Result<(), Failure> {
    let folder = evaluate::open(&options.run, &options.runs.runs)?;
    let mut trainer = Trainer::default();
    if let Some(threads) = options.threads.threads {
        trainer = trainer.threads(threads);
    }
    if !quiet {
        trainer = trainer.view(progress::view());
    }
    let Replayed { trained, matches, logged_sha256, difference } = trainer.replay(&folder)?;
    let summary = trained.summary();
    let again = Again {
        matches,
        logged_sha256: &logged_sha256,
        differs_at_step: difference.as_ref().map(|difference| difference.step),
        summary,
    };
    match format {
        Format::Json => output::print_json(&again)?,
        Format::Csv => output::print_flat_csv(&again)?,
        Format::Text if matches => output::print(&format!(
            "the same: {} made again, and its weights are those of the log, bit for bit\n{logged_sha256}\n",
            output::count(summary.epochs, "epoch")
        ))?,
        Format::Text => {}
    }
    if matches {
        return Ok(());
    }
    let Difference { step, what } = difference.expect("what does not match differs somewhere");
    Err(Failure::Message(format!(
        "made again, the run {} does not come to the weights of its log; the first difference known is at step {step}: {what}; \
         the same bits need the same data, version and vector instructions\nlogged   {logged_sha256}\nreplayed {}",
        folder.path().display(),
        summary.weights_sha256
    )))
}
