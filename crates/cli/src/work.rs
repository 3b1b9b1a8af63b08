//! `downhill work`

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, value_parser};
use downhill::search::{Database, Error, StudyFolder};

use crate::args::path_as_text;
use crate::search::{Place, Prepared, cores_or};
use crate::{Failure, output};

/// How often a database is asked for something to do.
const LOOKS: Duration = Duration::from_secs(1);

#[derive(Args)]
pub struct WorkArgs {
    /// The folder of a study, or the database that studies are in:
    /// postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(value_name = "STUDY", value_parser = path_as_text())]
    from: String,

    /// Work on this study of the database only. [default: on any, the oldest first]
    #[arg(long, value_name = "NAME")]
    study: Option<String>,

    /// The number of trials at once, each on one thread. [default: one a core]
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=1024))]
    workers: Option<u64>,

    /// Where the study's data is on this machine. [default: where it was when the study began]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,

    /// End once there is nothing to do, rather than wait for the next study of the database.
    #[arg(long)]
    until_idle: bool,

    /// Take a job over if whoever has it was stopped for this number of seconds or, in a database, has not been
    /// heard of, and say three times as often that this one is alive.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = value_parser!(u64).range(1..=86400))]
    lease: u64,
}

pub fn work(options: &WorkArgs, quiet: bool) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let on_signal = stop.clone();
    ctrlc::set_handler(move || on_signal.store(true, Ordering::Relaxed))?;
    if !Database::is_meant(&options.from) {
        if options.study.is_some() {
            return Err(Failure::Usage(
                "--study is for a database; of a folder, give that of the study".into(),
            ));
        }
        let folder = StudyFolder::open(&PathBuf::from(&options.from))?;
        let place = Place::Folder(folder.lease(Duration::from_secs(options.lease)));
        return work_on(&place, options, &stop, quiet);
    }
    let database: Database = options.from.parse::<Database>()?.lease(Duration::from_secs(options.lease));
    // What each study had come to when there was nothing to do any more.
    let mut idle: BTreeMap<String, u64> = BTreeMap::new();
    let mut was_reached = false;
    loop {
        let studies = match &options.study {
            Some(name) => database.study(name).map(|study| vec![study]),
            None => database.studies(),
        };
        let mut has_worked = false;
        match studies {
            Ok(studies) => {
                was_reached = true;
                for study in studies {
                    let name = study.name().to_string();
                    // What goes wrong here does so again when all studies are asked for.
                    let Ok(events) = study.events() else { break };
                    if idle.get(&name) == Some(&events) || stop.load(Ordering::Relaxed) {
                        continue;
                    }
                    let place = Place::Database(Box::new(study.clone()), PathBuf::new());
                    match work_on(&place, options, &stop, quiet) {
                        Ok(()) => has_worked = true,
                        Err(Failure::Message(why)) if options.study.is_none() => {
                            output::tell(&format!("the study {name} is left to others: {why}"));
                        }
                        Err(failure) => return Err(failure),
                    }
                    if let Ok(events) = study.events() {
                        idle.insert(name, events);
                    }
                }
            }
            Err(error @ Error::Unreachable(_)) if was_reached => {
                output::tell(&format!("{error}; it is asked again"));
            }
            Err(error) => return Err(error.into()),
        }
        if stop.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
        if !has_worked {
            if options.until_idle || options.study.is_some() {
                return Ok(());
            }
            std::thread::sleep(LOOKS);
        }
    }
}

/// Makes trials of a study as long as there are some to make.
fn work_on(place: &Place, options: &WorkArgs, stop: &Arc<AtomicBool>, quiet: bool) -> Result<(), Failure> {
    let plan = place.plan()?;
    let Prepared { searched, data } = Prepared::of(&plan, place, options.data.as_deref())?;
    let workers = cores_or(options.workers);
    if !quiet {
        output::tell(&format!(
            "working on the study {place}, {} at once",
            output::count(workers as u64, "trial")
        ));
    }
    let networks = searched.mean(&data)?;
    let study = place.study(plan).follow().workers(workers).stop_when(stop.clone());
    let history = study.run(&networks)?;
    if stop.load(Ordering::Relaxed) {
        return Err(Failure::Interrupted);
    }
    if !quiet {
        output::tell(&format!(
            "the study {place} has {} and nothing more to do",
            output::count(history.trials().len() as u64, "trial")
        ));
    }
    Ok(())
}
