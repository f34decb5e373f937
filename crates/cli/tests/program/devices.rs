use serde_json::Value;

use crate::support::{Folder, keys, noise, object, program, stderr, stdout};

#[test]
fn the_cpu_is_always_there_and_one_device_is_taken() {
    let output = program().arg("devices").output().unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), ""));
    let text = stdout(&output);
    assert_eq!(text.lines().filter(|line| line.starts_with("*  ")).count(), 1, "{text}");
    assert_eq!(text.lines().filter(|line| line.split_whitespace().any(|word| word == "cpu")).count(), 1);
}

#[test]
fn as_json() {
    let devices = object(&program().args(["devices", "--json"]).output().unwrap());
    assert_eq!(keys(&devices), ["unisphere", "auto", "adapters", "cpu"]);
    assert_eq!(devices["cpu"]["kind"], "cpu");
    let adapters = devices["adapters"].as_array().unwrap();
    let auto = devices["auto"].as_str().unwrap();
    let taken = auto.parse::<usize>().ok().map(|index| &adapters[index]);
    assert!(taken.map_or(auto == "cpu", |adapter| adapter["kind"] != "software"), "{devices}");
    for (index, adapter) in adapters.iter().enumerate() {
        assert_eq!(adapter["index"], index);
        assert!(adapter["max_binding"].as_u64() >= Some(1 << 16), "{adapter}");
    }
}

/// Over whatever this machine has.
#[test]
fn every_name_that_is_listed_can_be_named() {
    let folder = Folder::new();
    folder.npy("x.npy", &noise(60, 1), 20, 3);
    let devices = object(&program().args(["devices", "--json"]).output().unwrap());
    let takes = |name: &str, expected: &Value| {
        let line = ["eval", "x.npy", "--json", "--device", name];
        let report = object(&program().args(line).current_dir(folder.path()).output().unwrap());
        assert_eq!(report["device"]["name"], *expected, "{name}");
    };
    let cpu = &devices["cpu"]["name"];
    takes("cpu", cpu);
    takes(cpu.as_str().unwrap(), cpu);
    let adapters = devices["adapters"].as_array().unwrap();
    let names: Vec<_> = adapters.iter().map(|adapter| adapter["name"].as_str().unwrap()).collect();
    for part in cpu.as_str().unwrap().split_whitespace() {
        if !names.iter().any(|name| name.to_lowercase().contains(&part.to_lowercase())) {
            takes(part, cpu);
        }
    }
    for (index, name) in names.iter().enumerate() {
        let is_first = names.iter().position(|other| other == name) == Some(index);
        takes(&index.to_string(), &(*name).into());
        takes(&format!("{index} {name}"), &(*name).into());
        if is_first {
            takes(name, &(*name).into());
            takes(&name.to_uppercase(), &(*name).into());
        }
    }
}
