//! Work without Python's lock, that Ctrl-C ends.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// How often it is looked whether somebody pressed Ctrl-C.
const TICK: Duration = Duration::from_millis(50);

/// What work has to say before it is done: a line for the callback.
pub type Lines = Sender<String>;

/// Does work on another thread and waits for it, without Python's lock. What it sends is handed to `tell`, on
/// this thread. Once Ctrl-C is pressed or `tell` raises, `stop` is called, and when the work has ended, that
/// exception is raised.
pub fn wait<T: Send>(
    py: Python<'_>,
    tell: Option<&Bound<'_, PyAny>>,
    stop: impl Fn() + Send + Sync,
    work: impl FnOnce(Lines) -> T + Send,
) -> PyResult<T> {
    let tell = tell.map(|tell| tell.clone().unbind());
    let (lines, inbox) = mpsc::channel::<String>();
    let done = py.detach(move || {
        thread::scope(|scope| {
            let worker = scope.spawn(move || work(lines));
            let mut raised: Option<PyErr> = None;
            loop {
                // The sender is dropped when the work is done.
                let line = match inbox.recv_timeout(TICK) {
                    Ok(line) => Some(line),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                if raised.is_some() {
                    continue;
                }
                let result = Python::attach(|py| {
                    py.check_signals()?;
                    match (&tell, line) {
                        (Some(tell), Some(line)) => tell.call1(py, (line,)).map(drop),
                        _ => Ok(()),
                    }
                });
                if let Err(error) = result {
                    raised = Some(error);
                    stop();
                }
            }
            (worker.join(), raised)
        })
    });
    match done {
        (_, Some(raised)) => Err(raised),
        (Ok(value), None) => Ok(value),
        (Err(_), None) => Err(PyRuntimeError::new_err("this is a fault of Downhill: the work panicked")),
    }
}

/// The same for work that cannot be told to stop: after Ctrl-C nobody waits for it, and what it comes to is
/// thrown away.
pub fn wait_or_leave<T: Send + 'static>(
    py: Python<'_>,
    work: impl FnOnce() -> T + Send + 'static,
) -> PyResult<T> {
    let (done, mut inbox) = mpsc::channel();
    thread::spawn(move || _ = done.send(work()));
    loop {
        let (result, back) = py.detach(move || (inbox.recv_timeout(TICK), inbox));
        inbox = back;
        match result {
            Ok(value) => return Ok(value),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(PyRuntimeError::new_err("this is a fault of Downhill: the work panicked"));
            }
        }
    }
}
