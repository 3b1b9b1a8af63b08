//! What the Python package is made of: tables, training, models, runs and sessions, as thin as can be over the
//! crates. What it says in Python's words is in `python/downhill`.

mod failure;
mod fit;
mod model;
mod patience;
mod runs;
mod session;
mod table;

use std::ffi::OsString;

use pyo3::prelude::*;

/// Runs the program `downhill` with these arguments, and returns its exit code.
#[pyfunction]
fn main(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    py.detach(|| downhill_cli::main(arguments))
}

/// The names of all settings of training.
#[pyfunction]
fn settings() -> Vec<String> {
    downhill_cli::names()
}

#[pymodule]
fn _downhill(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<table::Table>()?;
    module.add_class::<table::Data>()?;
    module.add_class::<model::Model>()?;
    module.add_class::<session::Session>()?;
    module.add_function(wrap_pyfunction!(main, module)?)?;
    module.add_function(wrap_pyfunction!(settings, module)?)?;
    module.add_function(wrap_pyfunction!(fit::fit, module)?)?;
    module.add_function(wrap_pyfunction!(fit::find_lr, module)?)?;
    module.add_function(wrap_pyfunction!(fit::compare, module)?)?;
    module.add_function(wrap_pyfunction!(fit::diagnose, module)?)?;
    module.add_function(wrap_pyfunction!(fit::search, module)?)?;
    module.add_function(wrap_pyfunction!(fit::is_space, module)?)?;
    module.add_function(wrap_pyfunction!(fit::report, module)?)?;
    module.add_function(wrap_pyfunction!(runs::overview, module)?)?;
    module.add_function(wrap_pyfunction!(runs::run_settings, module)?)?;
    module.add_function(wrap_pyfunction!(runs::events, module)?)?;
    module.add_function(wrap_pyfunction!(runs::run_report, module)?)?;
    module.add_function(wrap_pyfunction!(runs::steer, module)?)?;
    module.add_function(wrap_pyfunction!(runs::diagnose_run, module)?)?;
    module.add_function(wrap_pyfunction!(runs::rates, module)?)?;
    module.add_function(wrap_pyfunction!(session::checkpoints, module)?)?;
    module.add_function(wrap_pyfunction!(session::next_rehearsal, module)?)?;
    module.add_function(wrap_pyfunction!(session::conclude_rehearsals, module)?)?;
    module.add_function(wrap_pyfunction!(session::schedule, module)?)?;
    module.add_function(wrap_pyfunction!(session::rate_at, module)?)
}
