//! Trained networks.

use std::path::PathBuf;

use downhill::train::{Predictions, Predictor};
use downhill_export::{Inputs, Network, onnx};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::IntoPyObjectExt;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::failure::raise;
use crate::patience::wait;
use crate::table::Table;

/// A trained network with all that is needed to use it.
#[pyclass(frozen, module = "downhill._downhill")]
pub struct Model(pub Predictor);

#[pymethods]
impl Model {
    /// Reads a model file.
    #[staticmethod]
    fn load(path: PathBuf) -> PyResult<Self> {
        Predictor::load(path).map(Self).map_err(raise)
    }

    /// Writes a model file, which the program and other readers of safetensors open.
    fn save(&self, path: PathBuf) -> PyResult<()> {
        self.0.save(path).map_err(raise)
    }

    /// The bytes of a model file.
    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("model.safetensors");
        self.0.save(&path).map_err(raise)?;
        Ok(PyBytes::new(py, &std::fs::read(path)?))
    }

    /// A model from the bytes of a model file.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("model.safetensors");
        std::fs::write(&path, bytes)?;
        Predictor::load(path).map(Self).map_err(raise)
    }

    /// The model with its preprocessing as an ONNX file; `inputs` is "table" or "numeric". Returns its bytes.
    fn to_onnx<'py>(&self, py: Python<'py>, inputs: &str) -> PyResult<Bound<'py, PyBytes>> {
        let inputs = match inputs {
            "table" => Inputs::Table,
            "numeric" => Inputs::Numeric,
            _ => {
                return Err(PyValueError::new_err(format!(
                    "inputs={inputs:?}: give \"table\" or \"numeric\""
                )));
            }
        };
        let networks = self.0.members().iter();
        let networks = networks.map(|member| Network { model: member.model(), encoder: member.encoder() });
        let predictor = downhill_export::Predictor { networks: networks.collect(), loss: self.0.loss() };
        Ok(PyBytes::new(py, &onnx(&predictor, inputs).map_err(raise)?.bytes))
    }

    /// Pickles the model as the bytes of its file.
    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py)?,)))
    }

    /// For classes, the probabilities as `rows × classes`; for numbers, one for each row.
    fn predict(&self, py: Python<'_>, table: &Table) -> PyResult<Py<PyAny>> {
        let predictions = wait(py, None, || (), |_lines| self.0.predict(&table.0))?.map_err(raise)?;
        match predictions {
            Predictions::Values(values) => PyArray1::from_vec(py, values).into_py_any(py),
            Predictions::Classes { classes, probabilities, .. } => {
                let rows = probabilities.len() / classes.len().max(1);
                let array = PyArray1::from_vec(py, probabilities);
                let array: Bound<'_, PyArray2<f32>> = array
                    .reshape([rows, classes.len()])
                    .map_err(|error| PyValueError::new_err(error.to_string()))?;
                array.into_py_any(py)
            }
        }
    }

    /// The loss and the metrics over the rows of a table that have the target, as JSON.
    fn evaluate(&self, py: Python<'_>, table: &Table) -> PyResult<String> {
        let evaluation = wait(py, None, || (), |_lines| self.0.evaluate(&table.0))?.map_err(raise)?;
        json(&evaluation)
    }

    /// How far the interval around a predicted number reaches to either side, to hold a share `level` of rows.
    fn margin(&self, level: f64) -> PyResult<f64> {
        self.0.margin(level).map_err(raise)
    }

    /// What is worth telling about using the model on a table.
    fn check(&self, table: &Table) -> PyResult<Vec<String>> {
        self.0.encoder().map_or(Ok(Vec::new()), |encoder| encoder.check(&table.0)).map_err(raise)
    }

    /// "classification" or "regression".
    #[getter]
    fn task(&self) -> String {
        self.0.task().to_string()
    }

    /// The labels of the classes, as text.
    #[getter]
    fn classes(&self) -> Vec<String> {
        self.0.encoder().map(|encoder| encoder.classes().to_vec()).unwrap_or_default()
    }

    /// The name of the column that is predicted.
    #[getter]
    fn target(&self) -> Option<String> {
        self.0.encoder().map(|encoder| encoder.target_name().to_string())
    }

    /// SHA-256 over all weights: equal for equal weights, bit for bit.
    #[getter]
    fn weights_sha256(&self) -> String {
        self.0.weights_sha256()
    }

    /// The number of trained parameters, of all members together.
    #[getter]
    fn parameters(&self) -> usize {
        self.0.members().iter().map(|member| member.model().params().len()).sum()
    }
}

/// A value as JSON.
pub fn json(value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))
}
