//! Threads, progress and stopping.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use super::*;
use crate::{
    cpu::{
        accuracy::PairExponent,
        block::{
            cache::SimilarityCache,
            formula::{Cosine, Formula, Gram},
            table::bytes,
        },
        gradient::{
            softmax::{Softmax, sums_then_weights},
            weighted::CentredSums,
        },
    },
    error::Error,
    progress::{Observer, Progress},
    weights::ExtraTerms,
};

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
                    let sum = cpu.sum(pairs, 2.0, &watch).expect("a sum");
                    let (with, gradients) = cpu.sum_with_grad(pairs, 2.0, 1.0, &watch).expect("gradients");
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
            let observe: Arc<Observer> = Arc::new(move |progress: Progress| {
                seen.fetch_max(progress.done, Ordering::Relaxed);
                ControlFlow::Continue(())
            });
            cpu.sum(pairs, 2.0, &Watch::new(Some(observe.clone()), pairs.count())).expect("a sum");
            assert_eq!(last.swap(0, Ordering::Relaxed), pairs.count());
            let watch = Watch::new(Some(observe), pairs.count());
            cpu.sum_with_grad(pairs, 2.0, 1.0, &watch).expect("gradients");
            assert_eq!(last.load(Ordering::Relaxed), pairs.count());
            let stop = |_: Progress| ControlFlow::Break(());
            let watch = Watch::new(Some(Arc::new(stop)), pairs.count());
            assert_eq!(cpu.sum(pairs, 2.0, &watch), Err(Error::Stopped));
            assert_eq!(cpu.sum_with_grad(pairs, 2.0, 1.0, &watch).map(|_| ()), Err(Error::Stopped));
        }
    }
}

/// The number of tables that are stored for the second pass shows in no bit.
#[test]
fn the_same_bits_whatever_is_cached() {
    fn check<F: Formula>(tau: f64, cpu: &Cpu) {
        let (n, d) = (700, 20);
        let x = set(cpu, &random(n * d, 27), d, Scaling::Unit);
        let y = set(cpu, &random(n * d, 28), d, Scaling::Unit);
        let shared = SharedPairs::of(Pairs::Unpaired(&x.points, &y.points)).expect("points of this device");
        let pairs = shared.set();
        let exponent = PairExponent::of(Kernel::logit(tau), pairs);
        let rest = vec![1.0; n];
        let extra = ExtraTerms { x: &rest, y: Some(&rest) };
        let softmax = Softmax { pairs, exponent, extra, scale: 1.0 };
        let run = |budget: usize| {
            let (cache, watch) = (SimilarityCache::with_budget(pairs, budget), Watch::new(None, 0));
            let (sums, weights) = sums_then_weights::<F>(cpu.isa, softmax, &cache, &watch).expect("sums");
            let centre = vec![F::Real::default(); d];
            let weights = weights.expect("weights");
            let sides = CentredSums::new(cpu.isa, pairs, &weights, centre, &watch).expect("sums");
            let bits = |values: Vec<F::Real>| -> Vec<u64> {
                values.into_iter().map(|v| Into::<f64>::into(v).to_bits()).collect()
            };
            let on_y = sides.on_y.expect("sums on y");
            (cache.count(), sums.x, sums.y, bits(sides.on_x.weighted), bits(on_y.weighted))
        };
        let (none, all) = (run(0), run(usize::MAX));
        let some = run(all.0 / 2 * bytes::<F::Real>(pairs.panel(), pairs.panel()));
        assert!(none.0 == 0 && 0 < some.0 && some.0 < all.0, "{} {} {}", none.0, some.0, all.0);
        for other in [all, some] {
            assert!(other.1 == none.1 && other.2 == none.2 && other.3 == none.3 && other.4 == none.4);
        }
    }
    let cpu = Cpu::new();
    check::<Cosine>(0.1, &cpu);
    check::<Gram<false>>(0.01, &cpu);
}

/// An observer computes too, with the threads that it is called from.
#[test]
fn observers_may_compute() {
    let cpu = Cpu::new();
    let x = set(&cpu, &random(3000 * 16, 29), 16, Scaling::Unit);
    let (other, own) = (set(&cpu, &random(700 * 16, 30), 16, Scaling::Unit), Cpu::new());
    let observer = move |_: Progress| {
        let watch = Watch::new(None, 0);
        own.sum_with_grad(Pairs::Within(&other.points), 2.0, 1.0, &watch).expect("gradients");
        ControlFlow::Continue(())
    };
    let pool = rayon::ThreadPoolBuilder::new().num_threads(8).build().expect("threads");
    pool.install(|| {
        let watch = Watch::new(Some(Arc::new(observer)), 0);
        cpu.sum_with_grad(Pairs::Within(&x.points), 2.0, 1.0, &watch).expect("gradients");
    });
}
