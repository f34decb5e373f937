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
            held::{accumulate_held, are_held},
            rounds::accumulate_in_rounds,
            softmax::{Softmax, sums_then_weights},
            weighted::CentredSums,
            weights::ExponentialWeights,
        },
        simd::float::Float,
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
    for n in [100, 1000, 1100] {
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

/// Few points have their weights held; the same sums come from rounds of blocks, but for rounding.
#[test]
fn weights_that_are_held_give_the_sums_of_rounds() {
    #[track_caller]
    fn check<F: Formula>(cpu: &Cpu, (n, m, d): (usize, usize, usize), tolerance: f64) {
        let x = set(cpu, &random(n * d, 31), d, Scaling::Unit);
        let y = set(cpu, &random(m * d, 32), d, Scaling::Unit);
        let mut sets = vec![Pairs::Within(&x.points), Pairs::Across(&x.points, &y.points)];
        sets.extend((n == m).then_some(Pairs::Unpaired(&x.points, &y.points)));
        for pairs in sets {
            let shared = SharedPairs::of(pairs).expect("points of this device");
            let (pairs, counted) = (shared.set(), AtomicU64::new(0));
            let weights = ExponentialWeights::<F>::new(F::RATE, F::UPPER_BOUND);
            let centre: Vec<_> = pairs.centre().into_iter().map(F::Real::nearest).collect();
            let count = |pairs| {
                counted.fetch_add(pairs, Ordering::Relaxed);
                Ok(())
            };
            assert!(are_held(pairs));
            let held = accumulate_held(cpu.isa, pairs, &weights, &centre, &count).expect("sums");
            assert_eq!(counted.load(Ordering::Relaxed), pairs.count());
            let rounds = accumulate_in_rounds(cpu.isa, pairs, &weights, &centre, &count).expect("sums");
            let what = format!("{}, {n} × {m} × {d}", cpu.device.name);
            let same = |what: &str, held: &[f64], rounds: &[f64]| {
                assert_eq!(held.len(), rounds.len(), "{what}");
                let greatest = rounds.iter().fold(0.0, |most: f64, v| most.max(v.abs()));
                for (&held, &rounds) in held.iter().zip(rounds) {
                    close(what, held, rounds, tolerance * greatest);
                }
            };
            same(&what, &[held.sum], &[rounds.sum]);
            let sides = [(Some(held.on_x), Some(rounds.on_x)), (held.on_y, rounds.on_y)];
            assert_eq!(sides[1].0.is_some(), pairs.second().is_some());
            for (held, rounds) in sides.into_iter().filter_map(|(held, rounds)| held.zip(rounds)) {
                let [held_sums, sums] = [held.weighted, rounds.weighted]
                    .map(|sums| sums.into_iter().map(Into::into).collect::<Vec<f64>>());
                same(&what, &held_sums, &sums);
                same(&what, &held.total, &rounds.total);
            }
        }
    }
    for cpu in cpus() {
        for shape in [(1, 2, 3), (97, 40, 5), (230, 301, 33), (400, 400, 70)] {
            check::<Cosine>(&cpu, shape, 1e-5);
            check::<Gram<false>>(&cpu, shape, 1e-13);
        }
    }
}

/// An observer computes too, with the threads that it is called from.
#[test]
fn observers_may_compute() {
    let cpu = Cpu::new();
    let x = set(&cpu, &random(3000 * 16, 29), 16, Scaling::Unit);
    let (other, own) = (set(&cpu, &random(1100 * 16, 30), 16, Scaling::Unit), Cpu::new());
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
