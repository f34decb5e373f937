//! The devices that are measured, and those that are skipped.

use unisphere::{Adapter, DeviceChoice, DeviceKind, Engine};

use super::{ceiling::Ceilings, options::Bench};
use crate::{devices, exit::Failure, progress::Display};

/// A device, and its engines, one of each precision.
#[derive(Debug)]
pub(super) struct Place {
    /// Its name in the table's rows.
    pub(super) label: String,
    pub(super) engines: Vec<Engine>,
    pub(super) ceilings: Ceilings,
}

/// A device that is not measured, and why.
#[derive(Debug)]
pub(super) struct Skipped {
    pub(super) device: String,
    pub(super) reason: String,
}

/// The device that was asked for; else all that are worth while, of which some may be skipped.
pub(super) fn open(args: &Bench, display: &Display) -> Result<(Vec<Place>, Vec<Skipped>), Failure> {
    if let Some(choice) = &args.device {
        let (place, refused) = place(choice, args, display)?;
        return refused.into_iter().next().map_or(Ok((vec![place], Vec::new())), |error| Err(error.into()));
    }
    let (mut places, mut skipped, mut failure) = (Vec::new(), Vec::new(), None);
    let mut take = |choice: &DeviceChoice, name: String| {
        let errors = match place(choice, args, display) {
            Ok((place, refused)) => {
                places.extend(Some(place).filter(|place| !place.engines.is_empty()));
                refused
            }
            Err(error) => vec![error],
        };
        for error in errors {
            skipped.push(Skipped { device: name.clone(), reason: error.to_string() });
            failure.get_or_insert(error);
        }
    };
    take(&DeviceChoice::Cpu, "cpu".into());
    let (software, real): (Vec<_>, Vec<_>) =
        devices::adapters().into_iter().partition(|a| a.kind == "software");
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

/// A device with those of the precisions that it offers, and what it says of the others.
fn place(
    choice: &DeviceChoice,
    args: &Bench,
    display: &Display,
) -> unisphere::Result<(Place, Vec<unisphere::Error>)> {
    let engine = devices::open(choice)?;
    let label = match choice {
        DeviceChoice::Index(index) if engine.device().kind == DeviceKind::Gpu => format!("gpu {index}"),
        _ => engine.device().kind.to_string(),
    };
    let (mut engines, mut refused) = (Vec::new(), Vec::new());
    for &precision in &args.precision {
        match engine.clone().with_precision(precision) {
            Ok(engine) => engines.push(engine.observed_by(display.observer())),
            Err(error) => refused.push(error),
        }
    }
    Ok((Place { label, engines, ceilings: Ceilings::default() }, refused))
}
