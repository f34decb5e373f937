//! Several devices at once: the bits of one where all are of one class, and a named mixture where they are not.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::{
    fs,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use support::{
    DIMS, Files, PANEL_ROWS, ROWS, bits, gpu::gpu, random, resources, stopping_every, until_done,
    with_journal,
};
use unisphere::{Candidates, Engine, Error as EngineError, wgpu};
use unisphere_io::File;
use unisphere_scale::{Error, Evaluation, JournalFault, Part, Sets};

const TS: [f64; 2] = [2.0, 0.5];

/// Every sum that there is, in strips of several blocks.
fn evaluation() -> Evaluation {
    let evaluation = Evaluation::new().with_ts(&TS).across().with_mmd().with_panel_rows(PANEL_ROWS);
    evaluation.with_contrastive(&[0.5, 0.05], Candidates::Views).with_strip_panels(3)
}

/// The least memory in which these devices can work.
fn least_memory(evaluation: &Evaluation, engines: &[Engine], sets: Sets<'_>) -> u64 {
    let mut too_little = resources();
    too_little.max_memory = Some(1);
    match evaluation.expected_on(engines, sets.shape().unwrap(), &too_little) {
        Err(Error::Memory { needed, .. }) => needed,
        other => panic!("{other:?}"),
    }
}

/// A CPU that waits a moment in every block, so that others overtake it.
fn slow_cpu() -> Engine {
    Engine::cpu().observed_by(|_| {
        thread::sleep(Duration::from_millis(1));
        ControlFlow::Continue(())
    })
}

#[test]
fn devices_of_one_class_give_the_bits_of_one() {
    let files = Files::new();
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let wanted = bits(&evaluation.values(&Engine::cpu(), sets, &resources()).unwrap());
    let cpus = |count| (0..count).map(|_| Engine::cpu()).collect::<Vec<_>>();
    for (engines, more) in [(cpus(2), 0), (cpus(2), 3), (cpus(3), 1), (cpus(5), 1000), (cpus(1), 1000)] {
        let shape = sets.shape().unwrap();
        let least = least_memory(&evaluation, &engines, sets);
        let mut resources = resources();
        resources.max_memory = Some(least + more * support::PANEL_BYTES);
        let expected = evaluation.expected_on(&engines, shape, &resources).unwrap();
        assert!(expected.memory <= least + more * support::PANEL_BYTES);
        let found = evaluation.values_on(&engines, sets, &resources).unwrap();
        assert_eq!(bits(&found), wanted, "{} devices, {more} panels more", engines.len());
        // No block twice, and no read that was not foreseen.
        assert_eq!((found.cost.pairs_computed, found.cost.rows_read), (expected.pairs, expected.rows_read));
        assert!(!found.device.contains('+'), "{}", found.device);
    }
    // Parts by several devices and by one are merged.
    let paths: Vec<_> = (1..=4).map(|number| files.path(&format!("{number}.part"))).collect();
    for (place, path) in paths.iter().enumerate() {
        let part = Part { number: place + 1, of: 4 };
        evaluation.part_on(&cpus(1 + place % 3), sets, part, &with_journal(path)).unwrap();
    }
    let merged =
        evaluation.merge(sets.shape().unwrap(), sets.sample().unwrap(), sets.labels, &paths).unwrap();
    assert_eq!(bits(&merged), wanted);
}

#[test]
fn a_gpu_that_holds_few_panels_has_the_others_from_memory() {
    let (Some(gpu), files) = (gpu(), Files::new()) else { return };
    let (x, y) = files.open();
    let evaluation = Evaluation::new().across().with_panel_rows(PANEL_ROWS);
    let (sets, engines) = (Sets::two(&x, &y), [gpu]);
    let wanted = bits(&evaluation.values(&engines[0], sets, &resources()).unwrap());
    // Rows are filled up to 64, and have 12 bytes beside their values.
    let panel_on_gpu = (PANEL_ROWS.next_multiple_of(64) * (4 * DIMS + 12)) as u64;
    let least = least_memory(&evaluation, &engines, sets);
    let mut reads = Vec::new();
    let mut too_little = resources();
    too_little.max_device_memory = Some(3 * panel_on_gpu);
    let refused = evaluation.expected_on(&engines, sets.shape().unwrap(), &too_little);
    assert!(matches!(refused, Err(Error::Memory { .. })), "{refused:?}");
    for (panels_on_gpu, more) in [(4, 100), (5, 100), (5, 4), (5, 0)] {
        let mut resources = resources();
        resources.max_device_memory = Some(panels_on_gpu * panel_on_gpu);
        resources.max_memory = Some(least + more * support::PANEL_BYTES);
        let expected = evaluation.expected_on(&engines, sets.shape().unwrap(), &resources).unwrap();
        assert!(expected.memory <= least + more * support::PANEL_BYTES);
        assert!((1..=panels_on_gpu * panel_on_gpu).contains(&expected.device_memory), "{expected:?}");
        let found = evaluation.values_on(&engines, sets, &resources).unwrap();
        assert_eq!(bits(&found), wanted, "{panels_on_gpu} panels on the GPU, {more} more in memory");
        assert_eq!(found.cost.rows_read, expected.rows_read);
        reads.push(found.cost.rows_read);
    }
    // Whatever the GPU holds, files are read once where memory has room for all.
    let once = 2 * ROWS as u64;
    assert!(reads[0] == once && reads[1] == once, "{reads:?}");
    assert!(once < reads[2] && reads[2] < reads[3], "{reads:?}");
}

#[test]
fn a_slow_device_holds_no_other_up() {
    /// Blocks that the CPU finishes while the GPU is at its first.
    const OVERTAKING: u64 = 200;
    let (Some(gpu), files) = (gpu(), Files::new()) else { return };
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let of_cpu = evaluation.values(&Engine::cpu(), sets, &resources()).unwrap();
    for has_little_memory in [false, true] {
        let done = Arc::new(AtomicU64::new(0));
        let (seen, counted) = (done.clone(), done);
        let slow = gpu.clone().observed_by(move |_| {
            let start = Instant::now();
            while seen.load(Ordering::Relaxed) < OVERTAKING {
                assert!(start.elapsed() < Duration::from_secs(60), "the CPU waits for the GPU");
                thread::sleep(Duration::from_millis(1));
            }
            ControlFlow::Continue(())
        });
        let engines = [slow, Engine::cpu()];
        let mut resources = resources();
        resources.observer = Some(Arc::new(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            ControlFlow::Continue(())
        }));
        if has_little_memory {
            resources.max_memory = Some(least_memory(&evaluation, &engines, sets));
        }
        let found = evaluation.values_on(&engines, sets, &resources).unwrap();
        assert!((found.x[0] - of_cpu.x[0]).abs() < 2e-6, "{:?} and {:?}", found.x, of_cpu.x);
        assert_eq!(found.cost.pairs_computed, of_cpu.cost.pairs_computed);
    }
}

#[test]
fn stopped_runs_on_several_devices_go_on_from_their_journal() {
    let files = Files::new();
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let engines = [Engine::cpu(), slow_cpu()];
    let wanted = bits(&evaluation.values(&Engine::cpu(), sets, &resources()).unwrap());
    let mut resources = with_journal(&files.path("run.journal"));
    resources.observer = stopping_every(60);
    let (stops, found) = until_done(100, || evaluation.values_on(&engines, sets, &resources));
    assert!(stops > 3 && found.cost.blocks_recovered > 0);
    assert_eq!(bits(&found), wanted);
    // What several devices have finished is one's too.
    let again = evaluation.values(&Engine::cpu(), sets, &with_journal(&files.path("run.journal"))).unwrap();
    assert_eq!((bits(&again), again.cost.pairs_computed), (wanted, 0));
}

#[test]
fn a_gpu_and_the_cpu_are_a_mixture_that_its_journal_names() {
    let (Some(gpu), files) = (gpu(), Files::new()) else { return };
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let of_cpu = evaluation.values(&Engine::cpu(), sets, &resources()).unwrap();
    let engines = [gpu, Engine::cpu()];
    let path = files.path("mixed.journal");
    let mut stopped = with_journal(&path);
    stopped.max_memory = Some(least_memory(&evaluation, &engines, sets));
    stopped.observer = stopping_every(101);
    let error = evaluation.values_on(&engines, sets, &stopped).unwrap_err();
    assert!(matches!(error, Error::Engine(EngineError::Stopped)), "{error}");
    // Neither device alone goes on from it; both do, whatever their order.
    for engine in &engines {
        let error = evaluation.values(engine, sets, &with_journal(&path)).unwrap_err();
        let Error::Journal(error) = error else { panic!("{error}") };
        assert!(matches!(&error.fault, JournalFault::OtherDevice { begun_on } if begun_on.contains(" + ")));
    }
    let [gpu, cpu] = engines;
    let found = evaluation.values_on(&[cpu, gpu], sets, &with_journal(&path)).unwrap();
    assert!(found.cost.blocks_recovered > 50, "{:?}", found.cost);
    assert!(found.device.contains("cpu") && found.device.contains(" + gpu"), "{}", found.device);
    for (found, of_cpu) in
        found.x.iter().zip(&of_cpu.x).chain(
            found.across.iter().zip(&of_cpu.across).flat_map(|(found, of_cpu)| found.iter().zip(of_cpu)),
        )
    {
        assert!((found - of_cpu).abs() < 2e-6, "{found} and {of_cpu}");
    }
    let losses = found.contrastive.iter().zip(&of_cpu.contrastive).flat_map(|(a, b)| a.iter().zip(b));
    for (found, of_cpu) in losses {
        assert!((found.loss - of_cpu.loss).abs() < 1e-5, "{found:?} and {of_cpu:?}");
    }
}

/// A GPU whose owner can take it away, software ones included.
fn own_gpu() -> (wgpu::Device, Engine) {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = pollster::block_on(instance.request_adapter(&Default::default())).unwrap();
    let (device, queue) = pollster::block_on(adapter.request_device(&Default::default())).unwrap();
    let engine = Engine::from_wgpu(device.clone(), queue).unwrap();
    (device, engine)
}

#[test]
fn a_device_that_fails_is_named_and_what_is_finished_is_kept() {
    let (Some(gpu), files) = (gpu(), Files::new()) else { return };
    let (device, failing) = own_gpu();
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let path = files.path("run.journal");
    let mut failed = with_journal(&path);
    let calls = AtomicU64::new(0);
    failed.observer = Some(Arc::new(move |_| {
        if calls.fetch_add(1, Ordering::Relaxed) == 100 {
            device.destroy();
        }
        ControlFlow::Continue(())
    }));
    let error = evaluation.values_on(&[Engine::cpu(), failing], sets, &failed).unwrap_err();
    let text = error.to_string();
    assert!(matches!(error, Error::OfDevice { number: 2, devices: 2, .. }), "{text}");
    assert!(text.contains("device 2 of 2, gpu ") && text.contains("journal"), "{text}");
    let found = evaluation.values_on(&[gpu, Engine::cpu()], sets, &with_journal(&path)).unwrap();
    assert!(found.cost.blocks_recovered > 50, "{:?}", found.cost);
}

#[test]
fn what_fails_on_the_way_is_said_and_what_is_finished_is_kept() {
    let files = Files::new();
    let (x, y) = files.open();
    let (sets, evaluation) = (Sets::two(&x, &y), evaluation());
    let engines = [Engine::cpu(), Engine::cpu()];
    let error = evaluation.values_on(&[], sets, &resources()).unwrap_err();
    assert!(matches!(error, Error::Engine(EngineError::Parameter { .. })), "{error}");
    // Rows that change between two reads of one run.
    let value = random::normal(ROWS, DIMS, 1)[(ROWS - 1) * DIMS] + 1e-3;
    let (path, calls) = (files.x.clone(), AtomicU64::new(0));
    let mut changing = with_journal(&files.path("run.journal"));
    changing.max_memory = Some(least_memory(&evaluation, &engines, sets));
    changing.observer = Some(Arc::new(move |_| {
        if calls.fetch_add(1, Ordering::Relaxed) == 40 {
            // In place, as the file stays open: the first value of the last row.
            let mut file = fs::OpenOptions::new().write(true).open(&path).unwrap();
            let row = (DIMS * size_of::<f64>()) as i64;
            std::io::Seek::seek(&mut file, std::io::SeekFrom::End(-row)).unwrap();
            std::io::Write::write_all(&mut file, &value.to_le_bytes()).unwrap();
        }
        ControlFlow::Continue(())
    }));
    let error = evaluation.values_on(&engines, sets, &changing).unwrap_err();
    assert!(matches!(&error, Error::Changed { rows, .. } if rows.contains(&(ROWS - 1))), "{error}");
    let original = files.path("original.npy");
    unisphere_io::write(&original, &random::normal(ROWS, DIMS, 1), DIMS).unwrap();
    let original = File::open(&original).unwrap();
    let found = evaluation
        .values_on(&engines, Sets::two(&original, &y), &with_journal(&files.path("run.journal")))
        .unwrap();
    assert!(found.cost.blocks_recovered > 20, "{:?}", found.cost);
}
