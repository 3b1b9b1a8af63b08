//! Why a network predicts what it does, as it was found out.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Error, Metrics, RunFolder, durable, file};

/// The file of it in a run's folder.
const FILE: &str = "explanation.json";
/// An explanation of any table is far smaller.
const MOST_BYTES: u64 = 64 << 20;

/// Why a network predicts what it does of the rows of a table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// The name of the table.
    pub data: String,
    /// How many rows it has that have the target.
    pub rows: usize,
    /// How good the network is on them.
    pub metrics: Metrics,
    /// The mean loss over the rows that columns were permuted over, every class counting the same.
    pub loss: f64,
    /// The columns, the most important one first.
    pub importance: Vec<Importance>,
    /// How predictions depend on the most important ones.
    pub dependence: Vec<Dependence>,
    /// The rows with the greatest loss, the worst first.
    pub worst: Vec<WorstRow>,
}

/// How much a column counts: by how much the loss grows where it tells nothing.
///
/// Its values are permuted among the rows, so that each is a value that there is and none is that of its row.
/// A column that others say the same as counts little.
///
/// Breiman, [Random forests][paper], 2001.
///
/// [paper]: https://doi.org/10.1023/A:1010933404324
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Importance {
    /// The column.
    pub column: String,
    /// By how much the mean loss grows. Below 0 it does better without, by chance or because it was learnt
    /// wrongly.
    pub increase: f64,
    /// The standard error of that, over the rows: what other rows of the same kind would make of it.
    pub standard_error: f64,
}

/// How the mean prediction depends on a column: its partial dependence, with all rows given the same value.
///
/// Friedman, [Greedy function approximation: a gradient boosting machine][paper], 2001.
///
/// [paper]: https://doi.org/10.1214/aos/1013203451
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dependence {
    /// The column.
    pub column: String,
    /// What the predictions are of: classes, for each the mean probability (of two, that of the second); or
    /// the target, for which it is the mean in its own unit.
    pub of: Vec<String>,
    /// The values of the column, ascending; of categories, the most frequent one first.
    pub points: Vec<DependencePoint>,
}

/// A value of a column, and what is predicted there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DependencePoint {
    /// The value as a number, if the column is of numbers.
    pub number: Option<f64>,
    /// The value as it is written; none where it is missing.
    pub text: Option<String>,
    /// The mean of each prediction.
    pub means: Vec<f64>,
}

/// A row that is predicted badly.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorstRow {
    /// Its number in the table, from 0.
    pub row: u32,
    /// Where that is: `line 17`.
    pub place: String,
    /// What it is.
    pub truth: String,
    /// What is predicted.
    pub prediction: String,
    /// The probability that its class was given; none for numbers.
    pub probability: Option<f64>,
    /// Its loss.
    pub loss: f64,
}

impl Explanation {
    /// Writes it into the folder of the run whose network it is of, for the report.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn save(&self, folder: &RunFolder) -> Result<(), Error> {
        let path = folder.path().join(FILE);
        let damaged =
            |error: serde_json::Error| Error::Damaged { path: path.clone(), why: error.to_string() };
        let text = serde_json::to_vec(self).map_err(damaged)?;
        durable::write("write the explanation", &path, &text)
    }

    /// The one in the folder of a run, if there is one that can be read.
    pub fn of(folder: &RunFolder) -> Option<Self> {
        Self::read(&folder.path().join(FILE))
    }

    fn read(path: &Path) -> Option<Self> {
        let bytes = file::read_at_most("read the explanation", path, MOST_BYTES).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}
