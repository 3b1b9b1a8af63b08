//! `downhill report`

use std::path::PathBuf;

use clap::Args;
use downhill::train::{RunFolder, durable};
use downhill_report::Lang;
use serde_json::json;

use crate::args::{Format, RunsArgs};
use crate::plot::PlotFile;
use crate::{Failure, evaluate, output};

/// So many runs are named in the name of a file.
const MOST_NAMES: usize = 3;

#[derive(Args)]
pub struct ReportArgs {
    /// The runs' folders, or their names inside --runs.
    #[arg(required = true, value_name = "RUN")]
    pub names: Vec<PathBuf>,

    #[command(flatten)]
    pub runs: RunsArgs,

    /// Where the report is written. [default: report.html in the run's folder; of several runs, a file in the
    /// current folder that is called after them]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Draw the losses of training and validation into a file too: FILE.svg or FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

pub fn report(options: &ReportArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    let open = |run: &PathBuf| evaluate::open(run, &options.runs.runs);
    let folders = options.names.iter().map(open).collect::<Result<Vec<RunFolder>, Failure>>()?;
    if let Some(file) = &options.plot {
        file.write(&downhill_report::losses(&folders, lang)?.svg_file(), quiet)?;
    } else if lang != Lang::En && !quiet {
        output::note("the report is in English: --lang is of the figure that --plot draws");
    }
    let html = downhill_report::html_of(&folders)?;
    let path = match (&options.output, &folders[..]) {
        (None, [folder]) => folder.write_report(&html)?,
        (output, folders) => {
            let path = output.clone().unwrap_or_else(|| file_of(folders));
            if path.is_dir() {
                return Err(Failure::Message(format!(
                    "the report cannot be written to {}, which is a folder; name a file in it, such as {}",
                    path.display(),
                    path.join("report.html").display()
                )));
            }
            durable::write("write the report", &path, html.as_bytes())?;
            path
        }
    };
    let path = path.display().to_string();
    match format {
        Format::Text => output::print(&format!("{path}\n")),
        Format::Json => output::print_json(&json!({ "report": path })),
        Format::Csv => output::print_csv([["report".to_string()], [path]]),
    }
}

/// The file of a report of several runs: in the folder one stands in, called after them.
fn file_of(folders: &[RunFolder]) -> PathBuf {
    let names: Vec<String> = folders.iter().take(MOST_NAMES).map(RunFolder::name).collect();
    let more = match folders.len().saturating_sub(MOST_NAMES) {
        0 => String::new(),
        more => format!("-and-{more}-more"),
    };
    format!("report-{}{more}.html", names.join("-")).into()
}
