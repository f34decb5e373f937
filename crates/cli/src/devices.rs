//! `unisphere devices`: what `--device` and `--devices` can name.

use serde_json::{Value, json};
use unisphere::{Adapter, Device, DeviceChoice, DeviceKind, Engine, Precision};

use crate::{exit::Failure, interrupt, json, output, text};

/// The options of `unisphere devices`.
#[derive(Debug, clap::Args)]
pub(crate) struct Devices {
    /// Print one JSON object; sizes are in bytes
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Devices) -> Result<(), Failure> {
    let adapters = adapters();
    let auto = Engine::new()?.device().clone();
    interrupt::check()?;
    let cpu = Engine::cpu().device().clone();
    output::print(&if args.json {
        format!("{}\n", object(&adapters, &cpu, &auto))
    } else {
        table(&adapters, &cpu, &auto)
    })
}

/// The engine of a choice. A name is any that is listed, or a part of one: of a GPU, or else of the CPU.
pub(crate) fn open(choice: &DeviceChoice) -> unisphere::Result<Engine> {
    let named = match choice {
        DeviceChoice::Name(name) => named(name, &adapters(), Engine::cpu().device()),
        _ => None,
    };
    Engine::on(named.as_ref().unwrap_or(choice))
}

/// The device with this whole name, or the CPU where no GPU has it as a part of its name; none where the engine knows better.
fn named(name: &str, adapters: &[Adapter], cpu: &Device) -> Option<DeviceChoice> {
    let lower = |text: &str| text.trim().to_lowercase();
    let is_whole = |of: &str| lower(of) == lower(name);
    let is_part = |of: &str| lower(of).contains(&lower(name));
    // Messages list them with their index.
    let whole = |a: &&Adapter| is_whole(&a.name) || is_whole(&format!("{} {}", a.index, a.name));
    match adapters.iter().find(whole) {
        Some(adapter) => Some(DeviceChoice::Index(adapter.index)),
        None if is_whole(&cpu.name) => Some(DeviceChoice::Cpu),
        None if adapters.iter().any(|adapter| is_part(&adapter.name)) => None,
        None => is_part(&cpu.name).then_some(DeviceChoice::Cpu),
    }
}

#[cfg(feature = "gpu")]
pub(crate) fn adapters() -> Vec<Adapter> {
    unisphere::adapters()
}

#[cfg(not(feature = "gpu"))]
pub(crate) fn adapters() -> Vec<Adapter> {
    Vec::new()
}

/// The adapter that `auto` takes; none where it takes the CPU.
fn taken<'a>(adapters: &'a [Adapter], auto: &Device) -> Option<&'a Adapter> {
    let gpu = auto.kind == DeviceKind::Gpu;
    adapters.iter().find(|adapter| gpu && adapter.name == auto.name)
}

fn object(adapters: &[Adapter], cpu: &Device, auto: &Device) -> Value {
    let adapter = |a: &Adapter| {
        json!({
            "index": a.index,
            "name": a.name,
            "api": a.api,
            "kind": a.kind,
            "driver": a.driver,
            "max_buffer": a.max_buffer,
            "max_binding": a.max_binding,
            "workgroup_memory": a.workgroup_memory,
            "workgroup_size": a.workgroup_size,
            "subgroups": a.subgroups,
            "f16": a.f16,
            "precisions": a.precisions.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    };
    json!({
        "unisphere": json::VERSION,
        // As --device takes it.
        "auto": taken(adapters, auto).map_or("cpu".into(), |adapter| adapter.index.to_string()),
        "adapters": adapters.iter().map(adapter).collect::<Vec<_>>(),
        "cpu": json::device(cpu),
    })
}

fn table(adapters: &[Adapter], cpu: &Device, auto: &Device) -> String {
    let taken = taken(adapters, auto);
    let mark = |chosen: bool| if chosen { "*" } else { "" }.into();
    let has = |offered: bool| if offered { "yes" } else { "no" }.into();
    let mut rows: Vec<_> = adapters
        .iter()
        .map(|a| {
            [
                mark(taken == Some(a)),
                a.index.to_string(),
                a.name.clone(),
                a.kind.into(),
                a.api.clone(),
                a.driver.clone(),
                text::bytes(a.max_buffer),
                text::bytes(a.max_binding),
                text::bytes(a.workgroup_memory.into()),
                has(a.subgroups),
                has(a.f16),
                precisions(&a.precisions),
            ]
        })
        .collect();
    let blank = String::new;
    let mut row = std::array::from_fn(|_| blank());
    row[0] = mark(taken.is_none());
    row[1] = "cpu".into();
    row[2] = cpu.name.clone();
    row[3] = "native".into();
    row[11] = precisions(&[Precision::F32]);
    rows.push(row);
    let head = [
        "",
        "device",
        "name",
        "kind",
        "api",
        "driver",
        "max buffer",
        "max binding",
        "workgroup memory",
        "subgroups",
        "f16",
        "precisions",
    ];
    let several = if adapters.is_empty() {
        ""
    } else {
        "--devices takes several at once, such as 0,cpu, for all pairs of sets of any size\n"
    };
    format!("{}\n{several}{}\n", text::table(head, 6, &rows), verdict(adapters, taken))
}

fn precisions(of: &[Precision]) -> String {
    of.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn verdict(adapters: &[Adapter], taken: Option<&Adapter>) -> &'static str {
    match (adapters, taken) {
        (_, Some(_)) => "* what --device auto takes",
        ([], None) => "* what --device auto takes: there is no GPU here",
        (some, None) if some.iter().all(|adapter| adapter.kind == "software") => {
            "* what --device auto takes: there is no GPU here but software ones, slower than the CPU itself"
        }
        (_, None) => "* what --device auto takes: no GPU here could be opened",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(kind: DeviceKind, name: &str) -> Device {
        Device::new(kind, name)
    }

    fn adapter(index: usize, name: &str, kind: &'static str) -> Adapter {
        let mut adapter = Adapter::default();
        (adapter.index, adapter.name, adapter.kind) = (index, name.into(), kind);
        (adapter.api, adapter.precisions) = ("Vulkan".into(), vec![Precision::F32]);
        (adapter.max_buffer, adapter.max_binding) = (1 << 28, 1 << 27);
        (adapter.workgroup_memory, adapter.workgroup_size, adapter.subgroups) = (1 << 14, 256, true);
        adapter
    }

    #[test]
    fn a_whole_name_comes_before_a_part_and_a_gpu_before_the_cpu() {
        let cpu = device(DeviceKind::Cpu, "Intel(R) Xeon(R) CPU, AVX-512");
        let adapters = [
            adapter(0, "RTX 4090 D", "discrete"),
            adapter(1, "RTX 4090", "discrete"),
            adapter(2, "Intel(R) Arc", "other"),
        ];
        for (name, choice) in [
            ("RTX 4090", Some(DeviceChoice::Index(1))),
            ("rtx 4090 d ", Some(DeviceChoice::Index(0))),
            ("2 Intel(R) Arc", Some(DeviceChoice::Index(2))),
            ("4090", None),
            ("intel", None),
            ("Intel(R) Xeon(R) CPU, AVX-512", Some(DeviceChoice::Cpu)),
            ("xeon", Some(DeviceChoice::Cpu)),
            ("Voodoo", None),
        ] {
            assert_eq!(named(name, &adapters, &cpu), choice, "{name}");
        }
    }

    #[test]
    fn the_device_that_auto_takes_is_marked() {
        let cpu = device(DeviceKind::Cpu, "A CPU");
        let adapters = [adapter(0, "A GPU", "discrete"), adapter(1, "llvmpipe", "software")];
        let marked = |text: String| {
            let marked = text.lines().filter(|line| line.starts_with("*  ")).map(str::to_owned);
            (marked.collect::<Vec<_>>(), text.lines().last().unwrap_or_default().to_owned())
        };

        let (lines, _) = marked(table(&adapters, &cpu, &device(DeviceKind::Gpu, "A GPU")));
        let cells = ["*", "0", "A", "GPU", "discrete", "Vulkan", "256", "MiB", "128", "MiB", "16", "KiB"];
        assert_eq!(lines.len(), 1);
        assert_eq!(
            lines[0].split_whitespace().collect::<Vec<_>>(),
            [&cells[..], &["yes", "no", "f32"]].concat()
        );
        assert_eq!(object(&adapters, &cpu, &device(DeviceKind::Gpu, "A GPU"))["auto"], "0");

        for (adapters, reason) in
            [(&adapters[..0], "no GPU"), (&adapters[1..], "software"), (&adapters[..], "could be opened")]
        {
            let (lines, verdict) = marked(table(adapters, &cpu, &cpu));
            assert!(lines.len() == 1 && lines[0].contains("A CPU") && verdict.contains(reason), "{verdict}");
            assert_eq!(object(adapters, &cpu, &cpu)["auto"], "cpu");
        }
    }
}
