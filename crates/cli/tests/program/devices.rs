use crate::support::{keys, object, program, stderr, stdout};

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
