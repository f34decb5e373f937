//! Which devices are measured, and which are not.

use unisphere::{Adapter, DeviceChoice, DeviceKind, Engine};

use super::ceiling::Ceilings;
use crate::{args::Bench, exit::Failure, progress::Display};

/// A device, and its engines, one of each precision.
#[derive(Debug)]
pub(super) struct Place {
    /// As the table's rows name it.
    pub(super) label: String,
    pub(super) engines: Vec<Engine>,
    pub(super) ceilings: Ceilings,
}

/// What is not measured, and why.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) device: String,
    pub(super) reason: String,
}

/// The device that was asked for; else all that are worth while, of which some may be skipped.
pub(super) fn open(args: &Bench, display: &Display) -> Result<(Vec<Place>, Vec<Skipped>), Failure> {
    if let Some(choice) = &args.device {
        return Ok((vec![place(choice, args, display)?], Vec::new()));
    }
    let (mut places, mut skipped, mut failure) = (Vec::new(), Vec::new(), None);
    let mut take = |choice: &DeviceChoice, name: String| match place(choice, args, display) {
        Ok(place) => places.push(place),
        Err(error) => {
            skipped.push(Skipped { device: name, reason: error.to_string() });
            failure = failure.take().or(Some(error));
        }
    };
    take(&DeviceChoice::Cpu, "cpu".into());
    let (software, real): (Vec<_>, Vec<_>) = adapters().into_iter().partition(|a| a.kind == "software");
    for adapter in real {
        take(&DeviceChoice::Index(adapter.index), adapter.name);
    }
    skipped.extend(software.into_iter().map(|Adapter { index, name, .. }| Skipped {
        device: name,
        reason: format!("software, far slower than the CPU itself; --device {index} takes it"),
    }));
    match failure {
        Some(error) if places.is_empty() => Err(error.into()),
        _ => Ok((places, skipped)),
    }
}

fn place(choice: &DeviceChoice, args: &Bench, display: &Display) -> unisphere::Result<Place> {
    let engine = Engine::on(choice)?;
    let label = match choice {
        DeviceChoice::Index(index) if engine.device().kind == DeviceKind::Gpu => format!("gpu {index}"),
        _ => engine.device().kind.to_string(),
    };
    let engine = |&precision| Ok(engine.clone().with_precision(precision)?.observed_by(display.observer()));
    let engines = args.precision.iter().map(engine).collect::<unisphere::Result<_>>()?;
    Ok(Place { label, engines, ceilings: Ceilings::default() })
}

#[cfg(feature = "gpu")]
fn adapters() -> Vec<Adapter> {
    unisphere::adapters()
}

#[cfg(not(feature = "gpu"))]
fn adapters() -> Vec<Adapter> {
    Vec::new()
}
