//! Where a study is: a folder, or a database.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use downhill::search::{Database, DatabaseStudy, Error, Plan, Study, StudyFolder};

/// Where a study is.
#[derive(Clone)]
pub enum Place {
    Folder(StudyFolder),
    /// With the folder that its best run is kept in.
    Database(Box<DatabaseStudy>, PathBuf),
}

impl Place {
    /// Begins a study.
    pub fn create(
        storage: Option<&Database>,
        studies: &Path,
        name: &str,
        plan: &Plan,
    ) -> Result<Self, Error> {
        match storage {
            None => Ok(Self::Folder(StudyFolder::create(studies, name, plan)?)),
            Some(database) => Ok(Self::of_database(database.create(name, plan)?, studies)),
        }
    }

    /// Opens a study: a folder, or one of this name inside `studies` or in a database.
    pub fn open(study: &Path, storage: Option<&Database>, studies: &Path) -> Result<Self, Error> {
        match storage {
            None => {
                let inside = StudyFolder::open(&studies.join(study)).ok();
                StudyFolder::open(study).or_else(|error| inside.ok_or(error)).map(Self::Folder)
            }
            Some(database) => Ok(Self::of_database(database.study(&study.to_string_lossy())?, studies)),
        }
    }

    fn of_database(study: DatabaseStudy, studies: &Path) -> Self {
        let folder = studies.join(study.name());
        Self::Database(Box::new(study), folder)
    }

    /// The same where a job is somebody's for so long who is not heard of; of a database, that is said of it.
    pub fn with_lease(&self, lease: Duration) -> Self {
        match self {
            Self::Folder(folder) => Self::Folder(folder.clone().lease(lease)),
            Self::Database(..) => self.clone(),
        }
    }

    pub fn plan(&self) -> Result<Plan, Error> {
        match self {
            Self::Folder(folder) => folder.plan(),
            Self::Database(study, _) => study.plan(),
        }
    }

    /// The study, which was begun with this plan.
    pub fn study(&self, plan: Plan) -> Study {
        match self {
            Self::Folder(folder) => Study::in_store(plan, folder.store()),
            Self::Database(study, _) => Study::in_store(plan, study.store()),
        }
    }

    /// What it is called.
    pub fn name(&self) -> String {
        match self {
            Self::Folder(folder) => {
                let path = folder.path().canonicalize().unwrap_or_else(|_| folder.path().to_path_buf());
                path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
            }
            Self::Database(study, _) => study.name().to_string(),
        }
    }

    /// Where its best run is kept.
    pub fn folder(&self) -> &Path {
        match self {
            Self::Folder(folder) => folder.path(),
            Self::Database(_, folder) => folder,
        }
    }

    /// Where its events are, in words.
    pub fn log(&self) -> String {
        match self {
            Self::Folder(folder) => folder.log_path().display().to_string(),
            Self::Database(..) => self.to_string(),
        }
    }

    /// The flags with which a search goes on.
    pub fn resumed_by(&self) -> String {
        match self {
            Self::Folder(folder) => format!("--resume {}", folder.path().display()),
            Self::Database(study, _) => format!("--storage {} --resume {}", study.database(), study.name()),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => folder.path().display().fmt(f),
            Self::Database(study, _) => write!(f, "{} in {}", study.name(), study.database()),
        }
    }
}
