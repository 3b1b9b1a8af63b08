//! Tables in memory, and what is trained on.

use std::sync::Arc;

use downhill::data::{self, Column, Encoder, Folds, Target, Targets, Task};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::failure::raise;

/// A table: named columns of numbers, categories and dates.
#[pyclass(frozen, module = "downhill._downhill")]
pub struct Table(pub data::Table);

/// The numbers of an array of one of these types, whatever its strides are.
fn numbers(array: &Bound<'_, PyAny>, name: &str) -> PyResult<Vec<f64>> {
    if let Ok(array) = array.cast::<PyArray1<f64>>() {
        return Ok(array.readonly().as_array().iter().copied().collect());
    }
    if let Ok(array) = array.cast::<PyArray1<f32>>() {
        return Ok(array.readonly().as_array().iter().map(|&x| x.into()).collect());
    }
    Err(PyTypeError::new_err(format!("column `{name}` must be an array of float64 or float32")))
}

/// A column from its name, what it holds, and its values: `(name, "number", array)`, or `(name, "category" or
/// "text", codes, texts)`, whose code −1 is a missing value; text may turn out to be dates.
fn column(parts: &Bound<'_, PyTuple>, notes: &mut Vec<String>) -> PyResult<Column> {
    let (name, kind): (String, String) = (parts.get_item(0)?.extract()?, parts.get_item(1)?.extract()?);
    if kind == "number" {
        return Ok(Column::of_numbers(&name, numbers(&parts.get_item(2)?, &name)?));
    }
    let codes: PyReadonlyArray1<'_, i64> = parts.get_item(2)?.extract()?;
    let texts: Vec<String> = parts.get_item(3)?.extract()?;
    let codes = codes.as_array();
    let codes = codes.iter().map(|&code| u32::try_from(code).ok());
    let column = Column::of_categories(&name, codes, &texts).map_err(raise)?;
    if kind == "category" {
        return Ok(column);
    }
    let (column, note) = column.with_dates(None);
    notes.extend(note);
    Ok(column)
}

#[pymethods]
impl Table {
    #[new]
    fn new(columns: &Bound<'_, PyList>, named: bool) -> PyResult<Self> {
        let mut notes = Vec::new();
        let mut all = Vec::with_capacity(columns.len());
        for parts in columns {
            all.push(column(parts.cast::<PyTuple>()?, &mut notes)?);
        }
        let table = data::Table::of_columns("the data", all, named).map_err(raise)?;
        Ok(Self(notes.into_iter().fold(table, data::Table::with_note)))
    }

    /// The task that a column suggests as the target: "classification" or "regression".
    fn task(&self, target: &str) -> PyResult<String> {
        let column = self.0.column_index(target).map_err(raise)?;
        Ok(Task::of(&self.0, column).map_err(raise)?.to_string())
    }

    /// Splits the rows at random, by `seed`, and encodes them; each counts as much as its weight.
    #[pyo3(signature = (target, task, share, seed, weights=None))]
    fn split(
        &self,
        py: Python<'_>,
        target: &str,
        task: &str,
        share: f64,
        seed: u64,
        weights: Option<Vec<f32>>,
    ) -> PyResult<Data> {
        let task = of(task)?;
        let data = py.detach(|| weighted(self.0.target(target).task(task), weights).split(share, seed));
        Ok(Data(Arc::new(data.map_err(raise)?)))
    }

    /// Trains on all rows and validates on those of another table.
    #[pyo3(signature = (target, task, other, weights=None, other_weights=None))]
    fn validate_on(
        &self,
        py: Python<'_>,
        target: &str,
        task: &str,
        other: &Table,
        weights: Option<Vec<f32>>,
        other_weights: Option<Vec<f32>>,
    ) -> PyResult<Data> {
        let task = of(task)?;
        let data = py.detach(|| {
            let target = weighted(self.0.target(target).task(task), weights);
            match other_weights {
                Some(weights) => target.valid_weights(weights),
                None => target,
            }
            .validate_on(&other.0)
        });
        Ok(Data(Arc::new(data.map_err(raise)?)))
    }

    /// Divides the rows for cross-validation, a data set for each fold.
    #[pyo3(signature = (target, task, count, seed, weights=None))]
    fn folds(
        &self,
        py: Python<'_>,
        target: &str,
        task: &str,
        count: usize,
        seed: u64,
        weights: Option<Vec<f32>>,
    ) -> PyResult<Vec<Data>> {
        let task = of(task)?;
        let target = weighted(self.0.target(target).task(task), weights);
        let folds = py.detach(|| target.folds(&Folds::new(count), seed)).map_err(raise)?;
        Ok(folds.into_iter().map(|data| Data(Arc::new(data))).collect())
    }
}

fn weighted(target: Target<'_>, weights: Option<Vec<f32>>) -> Target<'_> {
    match weights {
        Some(weights) => target.weights(weights),
        None => target,
    }
}

fn of(task: &str) -> PyResult<Task> {
    task.parse().map_err(|error: data::Error| PyValueError::new_err(error.to_string()))
}

/// Rows to train on and rows to validate on, encoded.
#[pyclass(frozen, module = "downhill._downhill")]
pub struct Data(pub Arc<data::Dataset>);

#[pymethods]
impl Data {
    /// The labels of the classes, as text, in the order of the model's outputs.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.0.encoder.as_ref().map(|encoder| encoder.classes().to_vec()).unwrap_or_default()
    }

    /// The names of the features.
    #[getter]
    fn features(&self) -> Vec<String> {
        self.0.encoder.as_ref().map(Encoder::feature_names).unwrap_or_default()
    }

    /// The number of rows to train on and to validate on.
    #[getter]
    fn rows(&self) -> (usize, usize) {
        (self.0.train.rows(), self.0.valid.rows())
    }

    /// How many rows to train on are of each class.
    #[getter]
    fn counts(&self) -> Vec<usize> {
        let Targets::Classes { labels, classes } = &self.0.train.y else { return Vec::new() };
        let mut counts = vec![0; *classes];
        labels.iter().for_each(|&label| counts[label as usize] += 1);
        counts
    }
}
