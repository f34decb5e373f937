//! Threads, progress and stopping.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::{Error, progress::Progress};

#[test]
fn the_same_bits_for_any_number_of_threads() {
    let cpu = Cpu::new();
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let x = set(&cpu, &random(700 * 33, 19), 33, scaling);
        let y = set(&cpu, &random(500 * 33, 20), 33, scaling);
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| {
                [Pairs::Within(&x.points), Pairs::Across(&x.points, &y.points)].map(|pairs| {
                    let watch = Watch::new(None, 0);
                    let sum = cpu.log_sum(pairs, 2.0, &watch).expect("a sum");
                    let (with, gradients) =
                        cpu.log_sum_with_grad(pairs, 2.0, 1.0, &watch).expect("gradients");
                    let gradients = [Some(gradients.x), gradients.y].map(|g| g.map(|g| g.read()));
                    (sum, with, gradients)
                })
            })
        };
        let one = run(1);
        assert_eq!(run(2), one);
        assert_eq!(run(7), one);
    }
}

#[test]
fn every_pair_is_counted_and_a_stop_is_obeyed() {
    let cpu = Cpu::new();
    for n in [100, 1000] {
        let x = set(&cpu, &random(n * 4, 21), 4, Scaling::Unit);
        let y = set(&cpu, &random(n * 4, 22), 4, Scaling::Unit);
        for pairs in [Pairs::Within(&x.points), Pairs::Across(&x.points, &y.points)] {
            let last = Arc::new(AtomicU64::new(0));
            let seen = last.clone();
            let observe = move |progress: Progress| {
                seen.fetch_max(progress.done, Ordering::Relaxed);
                ControlFlow::Continue(())
            };
            cpu.log_sum(pairs, 2.0, &Watch::new(Some(&observe), pairs.count())).expect("a sum");
            assert_eq!(last.swap(0, Ordering::Relaxed), pairs.count());
            let watch = Watch::new(Some(&observe), pairs.count());
            cpu.log_sum_with_grad(pairs, 2.0, 1.0, &watch).expect("gradients");
            assert_eq!(last.load(Ordering::Relaxed), pairs.count());
            let stop = |_: Progress| ControlFlow::Break(());
            let watch = Watch::new(Some(&stop), pairs.count());
            assert_eq!(cpu.log_sum(pairs, 2.0, &watch), Err(Error::Stopped));
            assert_eq!(cpu.log_sum_with_grad(pairs, 2.0, 1.0, &watch).map(|_| ()), Err(Error::Stopped));
        }
    }
}
