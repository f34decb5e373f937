//! The device.

use pyo3::prelude::*;
use unisphere::DeviceChoice;

use crate::{
    call::{Course, check_process, run},
    fault::Fault,
};

/// An open device.
#[pyclass(frozen, module = "unisphere._native")]
pub struct Engine {
    pub(crate) engine: unisphere::Engine,
}

#[pymethods]
impl Engine {
    #[new]
    fn new(py: Python<'_>, device: &str) -> PyResult<Self> {
        // Every text is a choice.
        let choice: DeviceChoice = device.parse().unwrap_or_default();
        if choice == DeviceChoice::Cpu {
            check_process()?;
            return Ok(Self { engine: unisphere::Engine::cpu() });
        }
        // Drivers take their time.
        let course = Course { work: f64::INFINITY, progress: None };
        let open = move |_: &_, _: &_| {
            unisphere::Engine::on(&choice).map_err(|error| Fault::Engine("device", error))
        };
        Ok(Self { engine: run(py, &unisphere::Engine::cpu(), course, open)? })
    }

    /// `cpu` or `gpu`.
    #[getter]
    fn kind(&self) -> String {
        self.engine.device().kind.to_string()
    }

    /// What the device calls itself.
    #[getter]
    fn name(&self) -> &str {
        &self.engine.device().name
    }

    /// Whether it is a GPU interface that the CPU emulates.
    #[getter]
    fn software(&self) -> bool {
        self.engine.device().software
    }
}
