//! The engines under test, and one runner for all of them.

use std::{process::ExitCode, sync::Arc};

use libtest_mimic::{Arguments, Failed, Trial};
use unisphere::Engine;
#[cfg(feature = "gpu")]
use unisphere::{Precision, wgpu};

/// The variable that turns a missing GPU from ignored tests into failures.
const REQUIRE_GPU: &str = "UNISPHERE_REQUIRE_GPU";

/// The same for cooperative matrices.
#[cfg(feature = "gpu")]
const REQUIRE_COOPERATIVE: &str = "UNISPHERE_REQUIRE_COOPERATIVE";

/// The variable that names an instruction set for the CPU, as the device's name ends with it: `AVX2`.
const ISA: &str = "UNISPHERE_ISA";

const CPU: &str = "cpu";

/// An engine under test, or why there is none.
pub(crate) struct Device {
    pub(crate) name: String,
    pub(crate) engine: Result<Engine, String>,
    pub(crate) ignored: bool,
}

/// The CPU, and every GPU adapter of this machine, software ones included; a GPU that is not there has
/// its place too.
pub(crate) fn devices() -> Vec<Device> {
    let cpu = Device { name: CPU.into(), engine: cpu(), ignored: false };
    let mut gpus = gpus();
    if gpus.is_empty() {
        gpus.push(Device { name: "gpu".into(), engine: Err(no_gpu()), ignored: !required() });
    }
    std::iter::once(cpu).chain(gpus).collect()
}

/// The CPU at its best, or by the instruction set that is asked for.
fn cpu() -> Result<Engine, String> {
    let Some(isa) = std::env::var_os(ISA) else { return Ok(Engine::cpu()) };
    let isa = isa.to_string_lossy();
    let engines = Engine::cpus();
    let names = || engines.iter().map(|engine| engine.device().name.as_str());
    let at = names().position(|name| name.ends_with(&format!(", {isa}")));
    at.map(|at| engines[at].clone())
        .ok_or_else(|| format!("{ISA}={isa}: there are {}", names().collect::<Vec<_>>().join("; ")))
}

#[cfg(feature = "gpu")]
fn gpus() -> Vec<Device> {
    let device = |adapter: unisphere::Adapter| {
        let engine = Engine::on(&unisphere::DeviceChoice::Index(adapter.index));
        let name = format!("gpu::{}::{}", adapter.index, adapter.name);
        Device { name, engine: engine.map_err(|error| error.to_string()), ignored: false }
    };
    unisphere::adapters().into_iter().map(device).collect()
}

#[cfg(not(feature = "gpu"))]
fn gpus() -> Vec<Device> {
    Vec::new()
}

type Run = dyn Fn(&Engine) -> Result<(), Failed> + Send + Sync;

/// A named check of an engine.
pub(crate) struct Check {
    name: String,
    run: Arc<Run>,
    of_gpus: bool,
}

impl Check {
    pub(crate) fn new(
        name: impl Into<String>,
        run: impl Fn(&Engine) -> Result<(), Failed> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), run: Arc::new(run), of_gpus: false }
    }

    /// The same check of GPUs only.
    pub(crate) fn of_gpus(self) -> Self {
        Self { of_gpus: true, ..self }
    }
}

/// Runs every check on every device, as the tests of this program.
pub(crate) fn run(checks: &[Check]) -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for device in devices() {
        for check in checks.iter().filter(|check| !check.of_gpus || device.name != CPU) {
            let (run, engine) = (check.run.clone(), device.engine.clone());
            let trial = Trial::test(format!("{}::{}", device.name, check.name), move || run(&engine?));
            trials.push(trial.with_ignored_flag(device.ignored));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A named check of an adapter, which makes devices of its own.
#[cfg(feature = "gpu")]
pub(crate) type AdapterCheck = (&'static str, fn(&wgpu::Adapter) -> Result<(), Failed>);

/// Runs every check on every adapter, as the tests of this program.
#[cfg(feature = "gpu")]
pub(crate) fn run_on_adapters(checks: &[AdapterCheck]) -> ExitCode {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let mut trials = Vec::new();
    for &(name, check) in checks {
        for adapter in adapters.clone() {
            let name = format!("{}::{name}", adapter.get_info().name);
            trials.push(Trial::test(name, move || check(&adapter)));
        }
        if adapters.is_empty() {
            let missing = Trial::test(format!("gpu::{name}"), || Err(no_gpu().into()));
            trials.push(missing.with_ignored_flag(!required()));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A named check of an engine of a grade.
#[cfg(feature = "gpu")]
pub(crate) type GradeCheck = (&'static str, fn(&Engine) -> Result<(), Failed>);

/// Runs every check on every adapter at every grade that takes cooperative matrices, as the tests of this program.
#[cfg(feature = "gpu")]
pub(crate) fn run_at_grades(checks: &[GradeCheck]) -> ExitCode {
    let adapters = unisphere::adapters();
    let mut trials = Vec::new();
    for precision in [Precision::F16x2, Precision::F16] {
        let offered = adapters.iter().any(|adapter| adapter.precisions.contains(&precision));
        if !offered {
            let missing = Trial::test(format!("{precision}"), move || {
                Err(format!("no adapter here offers {precision}; {REQUIRE_COOPERATIVE} asks for one").into())
            });
            trials.push(missing.with_ignored_flag(!set(REQUIRE_COOPERATIVE)));
        }
        for adapter in adapters.iter().filter(|adapter| adapter.precisions.contains(&precision)) {
            let engine = Engine::on(&unisphere::DeviceChoice::Index(adapter.index));
            for &(name, check) in checks {
                let name = format!("{}::{}::{precision}::{name}", adapter.index, adapter.name);
                let engine = engine.clone();
                trials.push(Trial::test(name, move || check(&engine?.with_precision(precision)?)));
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn no_gpu() -> String {
    format!("there is no GPU adapter here; {REQUIRE_GPU} asks for one")
}

fn required() -> bool {
    set(REQUIRE_GPU)
}

fn set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| value != "0")
}
