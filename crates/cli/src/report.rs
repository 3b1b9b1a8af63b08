//! `downhill report`

use std::path::{Path, PathBuf};

use clap::Args;
use downhill::search::{Database, StudyFolder};
use downhill::train::{RunFolder, durable};
use downhill_report::Lang;
use serde_json::json;

use crate::args::{Format, RunsArgs};
use crate::plot::PlotFile;
use crate::search::{self, Place, Searched};
use crate::{Failure, evaluate, output};

/// So many runs are named in the name of a file.
const MOST_NAMES: usize = 3;

#[derive(Args)]
pub struct ReportArgs {
    /// The runs' folders, or their names inside --runs; or the folder of one search, or its name inside
    /// --studies or --storage.
    #[arg(required = true, value_name = "RUN")]
    pub names: Vec<PathBuf>,

    #[command(flatten)]
    pub runs: RunsArgs,

    /// The folder that studies are kept in.
    #[arg(long, value_name = "DIR", default_value = "studies")]
    pub studies: PathBuf,

    /// The PostgreSQL database that the search of this name is in: postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, value_name = "URL")]
    pub storage: Option<Database>,

    /// Where the report is written. [default: report.html in the run's folder; of several runs, or a search in
    /// a database, a file in the current folder that is called after them]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Draw the losses of training and validation, or the charts of the search, into a file too: FILE.svg or
    /// FILE.png.
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PlotFile>,
}

pub fn report(options: &ReportArgs, format: Format, quiet: bool, lang: Lang) -> Result<(), Failure> {
    if let Some(database) = &options.storage {
        let [name] = &options.names[..] else {
            return Err(Failure::Usage(
                "the report of a search is one by itself; name one study of --storage".into(),
            ));
        };
        let place = Place::open(name, Some(database), &options.studies)?;
        let output = format!("report-{}.html", place.name()).into();
        return of_study(&place, output, options, format, quiet, lang);
    }
    let studies: Vec<PathBuf> = options.names.iter().filter_map(|name| study(name, options)).collect();
    match (&studies[..], options.names.len()) {
        ([], _) => {}
        ([study], 1) => {
            let place = Place::Folder(StudyFolder::open(study)?);
            return of_study(&place, study.join("report.html"), options, format, quiet, lang);
        }
        ([study, ..], _) => {
            return Err(Failure::Usage(format!(
                "{} is a study, whose report is one by itself; give it alone",
                study.display()
            )));
        }
    }
    let open = |run: &PathBuf| evaluate::open(run, &options.runs.runs);
    let folders = options.names.iter().map(open).collect::<Result<Vec<RunFolder>, Failure>>()?;
    if let Some(file) = &options.plot {
        file.write(&downhill_report::losses(&folders, lang)?.svg_file(), quiet)?;
    }
    let html = downhill_report::html_in(&folders, lang)?;
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
    written(&path, format)
}

/// The folder of a study, if that is what is named, and no run is.
fn study(name: &Path, options: &ReportArgs) -> Option<PathBuf> {
    let is_run = evaluate::open(name, &options.runs.runs).is_ok();
    let places = [name.to_path_buf(), options.studies.join(name)];
    places.into_iter().find(|place| !is_run && StudyFolder::open(place).is_ok())
}

/// The report of a search, which is written into `output` unless told otherwise.
fn of_study(
    place: &Place,
    output: PathBuf,
    options: &ReportArgs,
    format: Format,
    quiet: bool,
    lang: Lang,
) -> Result<(), Failure> {
    let plan = place.plan()?;
    let searched = Searched::of_plan(&plan)?;
    let history = place.study(plan).history()?;
    let picture = search::picture(&searched, &history, place.name(), lang);
    if let Some(file) = &options.plot {
        file.write(&picture.svg_file(), quiet)?;
    }
    let path = options.output.clone().unwrap_or(output);
    durable::write("write the report", &path, picture.html().as_bytes())?;
    written(&path, format)
}

fn written(path: &Path, format: Format) -> Result<(), Failure> {
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
