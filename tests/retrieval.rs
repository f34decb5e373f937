//! Ranks of positives and modality gaps, of every backend, against plain loops in f64 and against values known beforehand.

mod support;

use std::{ops::ControlFlow, process::ExitCode};

use libtest_mimic::Failed;
use support::{
    devices::{self, Check},
    losses,
    oracle::{self, Rows},
    random::{Random, normal, on_the_sphere, single},
};
#[cfg(feature = "gpu")]
use unisphere::Storage;
use unisphere::{
    Alignment, DeviceKind, Embeddings, Engine, Error, LabelledPairs, ModalityGap, Ranks, Result, Retrieval,
    Scaling::{self, Raw, Unit},
};

/// How many candidates are above the positive of a row, and how many others tie with it.
type Counts = Vec<(u64, u64)>;

fn main() -> ExitCode {
    let sizes = [1, 2, 63, 65, 257, 1000].into_iter().flat_map(|n| {
        [Unit, Raw].map(|scaling| {
            let name = format!("noisy pairs {scaling:?} {n}");
            Check::new(name, move |engine| against_oracle(engine, scaling, &noisy_pairs(n, 33), 33))
        })
    });
    let more = [
        Check::new("long rows", |engine| against_oracle(engine, Unit, &noisy_pairs(70, 4099), 4099)),
        Check::new("far from the origin", |engine| {
            against_oracle(engine, Raw, &noisy_pairs(300, 20).map(|set| shifted(set, 1e3)), 20)
        }),
        Check::new("of many lengths", of_many_lengths),
        Check::new("narrow cones", narrow_cones),
        Check::new("copies", copies),
        Check::new("captions by label", captions),
        Check::new("labels that do not fit", unfit_labels),
        Check::new("all equal", all_equal),
        Check::new("orthonormal bases", bases),
        Check::new("codes of signs", codes),
        Check::new("refusals", refusals),
        Check::new("modality gaps known beforehand", known_gaps),
        Check::new("modality gaps of noise", gaps_of_noise),
        Check::new("modality gaps of one mean", gaps_of_one_mean),
    ];
    devices::run(&sizes.chain(more).collect::<Vec<_>>())
}

/// Pairs with so much noise that some positives come first and others far behind.
fn noisy_pairs(rows: usize, dims: usize) -> [Vec<f32>; 2] {
    let x = on_the_sphere(normal(rows, dims, 1), dims);
    let step = 0.5 / (dims as f64).sqrt();
    let y: Vec<f64> = x.iter().zip(normal(rows, dims, 2)).map(|(x, noise)| 0.3 * x + step * noise).collect();
    [single(&x), single(&y)]
}

fn shifted(set: Vec<f32>, by: f32) -> Vec<f32> {
    set.into_iter().map(|v| v + by).collect()
}

/// Candidates above the positive of each row of x and beside it, but for the rounding of f64.
fn counts(x: &Rows, y: &Rows) -> Counts {
    let count = |i: usize| {
        let positive = oracle::dot(&x[i], &y[i]);
        let (mut above, mut ties) = (0, 0);
        for j in (0..y.len()).filter(|&j| j != i) {
            let difference = oracle::dot(&x[i], &y[j]) - positive;
            let rounding = 1e-14 * oracle::length(&x[i]) * oracle::length(&y[j]).max(oracle::length(&y[i]));
            if difference.abs() <= rounding {
                ties += 1;
            } else if difference > 0.0 {
                above += 1;
            }
        }
        (above, ties)
    };
    (0..x.len()).map(count).collect()
}

fn found(engine: &Engine, scaling: Scaling, [x, y]: &[Vec<f32>; 2], dims: usize) -> Result<Retrieval> {
    let points = |set: &[f32]| {
        engine.upload(&Embeddings::with_scaling(set.to_vec(), set.len() / dims, dims, scaling)?)
    };
    engine.value(Retrieval::paired(&points(x)?, &points(y)?))
}

fn same(what: &str, got: &Ranks, want: &[(u64, u64)]) -> Result<(), Failed> {
    let got: Counts = got.rows().iter().map(|rank| (rank.above, rank.ties)).collect();
    match got.iter().zip(want).position(|(got, want)| got != want) {
        None if got.len() == want.len() => Ok(()),
        None => Err(format!("{what}: {} ranks of {}", got.len(), want.len()).into()),
        Some(row) => Err(format!("{what}, row {row}: got {:?}, want {:?}", got[row], want[row]).into()),
    }
}

fn against_oracle(
    engine: &Engine,
    scaling: Scaling,
    sets: &[Vec<f32>; 2],
    dims: usize,
) -> Result<(), Failed> {
    let seen = |set: &[f32]| match scaling {
        Unit => oracle::unit_rows(&oracle::rows(set, dims)),
        Raw => oracle::rows(set, dims),
    };
    let (x, y) = (seen(&sets[0]), seen(&sets[1]));
    let got = found(engine, scaling, sets, dims)?;
    same("x to y", &got.x_to_y, &counts(&x, &y))?;
    same("y to x", &got.y_to_x, &counts(&y, &x))
}

/// One long row makes products of all others more doubtful.
fn of_many_lengths(engine: &Engine) -> Result<(), Failed> {
    let mut sets = noisy_pairs(200, 17);
    for set in &mut sets {
        for (row, values) in set.chunks_mut(17).enumerate() {
            values.iter_mut().for_each(|v| *v *= 10f32.powi(row as i32 % 13 - 6));
        }
    }
    against_oracle(engine, Unit, &sets, 17)?;
    against_oracle(engine, Raw, &sets, 17)
}

/// All cosines lie so close to 1 that single precision tells few of them apart.
fn narrow_cones(engine: &Engine) -> Result<(), Failed> {
    let sets = noisy_pairs(200, 24).map(|set| {
        set.iter().enumerate().map(|(k, v)| if k % 24 == 0 { 1.0 } else { 1e-3 * v }).collect::<Vec<f32>>()
    });
    // A GPU rounds unit rows, which raw ones are not.
    if engine.device().kind == DeviceKind::Cpu {
        against_oracle(engine, Unit, &sets, 24)?;
    }
    against_oracle(engine, Raw, &sets, 24)
}

/// Five captions an image: every row of x five times, with five rows of y.
fn copies(engine: &Engine) -> Result<(), Failed> {
    let (n, dims) = (150, 19);
    let [x, y] = noisy_pairs(n, dims);
    let repeated: Vec<f32> = x.chunks(dims).step_by(5).flat_map(|row| row.repeat(5)).collect();
    for scaling in [Unit, Raw] {
        let got = found(engine, scaling, &[repeated.clone(), y.clone()], dims)?;
        if got.y_to_x.rows().iter().any(|rank| rank.ties != 4) {
            return Err("each row of y has four copies of its positive".into());
        }
        against_oracle(engine, scaling, &[repeated.clone(), y.clone()], dims)?;
        // A power of two changes no direction.
        let doubled = repeated.chunks(dims).enumerate();
        let doubled =
            doubled.flat_map(|(i, row)| row.iter().map(move |v| if i % 2 == 0 { *v } else { 2.0 * v }));
        if scaling == Unit && found(engine, scaling, &[doubled.collect(), y.clone()], dims)? != got {
            return Err("rows of twice the length rank otherwise".into());
        }
    }
    Ok(())
}

/// Images with one to five captions each, in no order: the rank is that of the best caption, and the others do not count.
fn captions(engine: &Engine) -> Result<(), Failed> {
    let (images, dims) = (90, 19);
    let [x, noisy] = noisy_pairs(images, dims);
    // Labels of the images, and of the captions: of image i as many as 1 + i % 5.
    let of_x: Vec<i64> = (0..images as i64).map(|i| 7 * i - 100).collect();
    let mut captions: Vec<(i64, Vec<f32>)> = Vec::new();
    for (i, row) in noisy.chunks(dims).enumerate() {
        for copy in 0..=i % 5 {
            let noise = single(&normal(1, dims, (10 * i + copy) as u64));
            captions.push((of_x[i], row.iter().zip(&noise).map(|(v, noise)| v + 0.05 * noise).collect()));
        }
    }
    // Two captions of one image that are equal, and one of another image that is equal to them.
    captions[2].1 = captions[1].1.clone();
    captions[9].1 = captions[1].1.clone();
    captions.sort_by_key(|(label, row)| (row[0].to_bits() % 97, *label));
    let of_y: Vec<i64> = captions.iter().map(|(label, _)| *label).collect();
    let y: Vec<f32> = captions.into_iter().flat_map(|(_, row)| row).collect();
    let pairs = LabelledPairs::new(&of_x, &of_y)?;
    for scaling in [Unit, Raw] {
        let upload = |set: &[f32]| {
            engine.upload(&Embeddings::with_scaling(set.to_vec(), set.len() / dims, dims, scaling)?)
        };
        let got = engine.value(Retrieval::labelled(&upload(&x)?, &upload(&y)?, &pairs))?;
        let seen = |set: &[f32]| match scaling {
            Unit => oracle::unit_rows(&oracle::rows(set, dims)),
            Raw => oracle::rows(set, dims),
        };
        let alignment =
            engine.value(Alignment::new(2.0).across_labels(&upload(&x)?, &upload(&y)?, &pairs))?;
        let (x, y) = (seen(&x), seen(&y));
        let want = losses::alignment_across_labels([&x, &y], [&of_x, &of_y], 2.0).value;
        if (alignment - want).abs() > 1e-5 * want {
            return Err(format!("alignment is {alignment}, not {want}").into());
        }
        same("images to captions", &got.x_to_y, &counts_by_label(&x, &of_x, &y, &of_y))?;
        same("captions to images", &got.y_to_x, &counts_by_label(&y, &of_y, &x, &of_x))?;
    }
    Ok(())
}

/// Candidates of another label that are above the best one of the row's own label, and beside it, but for the rounding of f64.
fn counts_by_label(x: &Rows, of_x: &[i64], y: &Rows, of_y: &[i64]) -> Counts {
    let count = |i: usize| {
        let own = (0..y.len()).filter(|&j| of_y[j] == of_x[i]);
        let best = own.map(|j| oracle::dot(&x[i], &y[j])).fold(f64::NEG_INFINITY, f64::max);
        let (mut above, mut ties) = (0, 0);
        for j in (0..y.len()).filter(|&j| of_y[j] != of_x[i]) {
            let difference = oracle::dot(&x[i], &y[j]) - best;
            if difference.abs() <= 1e-13 {
                ties += 1;
            } else if difference > 0.0 {
                above += 1;
            }
        }
        (above, ties)
    };
    (0..x.len()).map(count).collect()
}

fn unfit_labels(engine: &Engine) -> Result<(), Failed> {
    let points = |rows| {
        engine.upload(&Embeddings::new(
            normal(rows, 3, 4).iter().map(|&v| v as f32).collect::<Vec<_>>(),
            rows,
            3,
        )?)
    };
    let (x, y) = (points(2)?, points(3)?);
    for (of_x, of_y, words) in [
        (&[1, 2][..], &[1, 2][..], "of y are 2, and there are 3 rows"),
        (&[1], &[1, 2, 2], "of x are 1, and there are 2 rows"),
        (&[1, 5], &[1, 1, 1], "no row of y has that of row 1"),
        (&[1, 1], &[1, 1, 4], "no row of x has that of row 2"),
    ] {
        let refused = engine.value(Retrieval::labelled(&x, &y, &LabelledPairs::new(of_x, of_y)?));
        match refused {
            Err(Error::Labels { problem }) if problem.contains(words) => {}
            other => return Err(format!("{of_x:?} and {of_y:?}: {other:?}").into()),
        }
    }
    Ok(())
}

fn all_equal(engine: &Engine) -> Result<(), Failed> {
    let (n, dims) = (600, 19);
    let sets = [3, 4].map(|seed| single(&normal(1, dims, seed)).repeat(n));
    for scaling in [Unit, Raw] {
        let got = found(engine, scaling, &sets, dims)?;
        for ranks in [&got.x_to_y, &got.y_to_x] {
            same("all equal", ranks, &vec![(0, n as u64 - 1); n])?;
            let numbers = [ranks.recall(1), ranks.least_recall(599), ranks.greatest_recall(1), ranks.mean()];
            let want = [1.0 / 600.0, 0.0, 1.0, 300.5];
            if numbers.iter().zip(want).any(|(got, want)| (got - want).abs() > 1e-12) {
                return Err(format!("got {numbers:?}, want {want:?}").into());
            }
        }
    }
    Ok(())
}

/// eᵢ looks for eᵢ₊₁: one candidate has the product 1, and all others 0.
fn bases(engine: &Engine) -> Result<(), Failed> {
    let n = 130;
    let basis = |shift: usize| -> Vec<f32> {
        (0..n * n).map(|k| if (k / n + shift) % n == k % n { 1.0 } else { 0.0 }).collect()
    };
    for scaling in [Unit, Raw] {
        let same_place = found(engine, scaling, &[basis(0), basis(0)], n)?;
        same("the same basis", &same_place.x_to_y, &vec![(0, 0); n])?;
        let next = found(engine, scaling, &[basis(0), basis(1)], n)?;
        same("the next one", &next.x_to_y, &vec![(1, n as u64 - 2); n])?;
        same("the next one", &next.y_to_x, &vec![(1, n as u64 - 2); n])?;
    }
    Ok(())
}

/// Rows of ±1, whose products are whole numbers and tie often: of 100 dimensions, so that no length is a power of two.
fn codes(engine: &Engine) -> Result<(), Failed> {
    let (n, dims) = (300, 100);
    let mut random = Random::new(5);
    let mut code = || if random.uniform() < 0.5 { 1i32 } else { -1 };
    let x: Vec<Vec<i32>> = (0..n).map(|_| (0..dims).map(|_| code()).collect()).collect();
    let y: Vec<Vec<i32>> = x
        .iter()
        .map(|row| row.iter().map(|v| if code() + code() > 0 { *v } else { code() }).collect())
        .collect();
    let dot = |a: &[i32], b: &[i32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<i32>();
    let counts = |x: &[Vec<i32>], y: &[Vec<i32>]| -> Counts {
        let of = |i: usize| {
            let products: Vec<i32> = y.iter().map(|y| dot(&x[i], y)).collect();
            let count =
                |test: &dyn Fn(i32) -> bool| products.iter().filter(|&&product| test(product)).count() as u64;
            (count(&|product| product > products[i]), count(&|product| product == products[i]) - 1)
        };
        (0..n).map(of).collect()
    };
    let sets = [&x, &y].map(|set| set.iter().flatten().map(|&v| v as f32).collect::<Vec<f32>>());
    let want = [counts(&x, &y), counts(&y, &x)];
    if want.iter().flatten().filter(|(_, ties)| *ties > 0).count() < n / 2 {
        return Err("these codes hardly tie".into());
    }
    let mut engines = vec![engine.clone()];
    #[cfg(feature = "gpu")]
    if engine.device().kind != DeviceKind::Cpu {
        engines.push(engine.clone().with_storage(Storage::F16)?);
    }
    for engine in engines.drain(..) {
        for scaling in [Unit, Raw] {
            let got = found(&engine, scaling, &sets, dims)?;
            same("x to y", &got.x_to_y, &want[0])?;
            same("y to x", &got.y_to_x, &want[1])?;
        }
    }
    Ok(())
}

fn refusals(engine: &Engine) -> Result<(), Failed> {
    let [x, y] = noisy_pairs(9, 4);
    let points = |set: &[f32], rows| engine.upload(&Embeddings::new(set[..rows * 4].to_vec(), rows, 4)?);
    let (x, shorter, none) = (points(&x, 9)?, points(&y, 8)?, points(&y, 0)?);
    let refused = engine.value(Retrieval::paired(&x, &shorter));
    if !matches!(refused, Err(Error::Mismatch { left_rows: 9, right_rows: 8, .. })) {
        return Err(format!("9 rows with 8: {refused:?}").into());
    }
    let refused = engine.value(Retrieval::paired(&none, &none));
    if !matches!(refused, Err(Error::TooFewRows { rows: 0, needed: 1, .. })) {
        return Err(format!("no rows: {refused:?}").into());
    }
    let stopped = engine.clone().observed_by(|_| ControlFlow::Break(()));
    match stopped.value(Retrieval::paired(&x, &x)) {
        Err(Error::Stopped) => Ok(()),
        other => Err(format!("stopped: {other:?}").into()),
    }
}

fn gap(engine: &Engine, [x, y]: [&[f32]; 2], dims: usize) -> Result<ModalityGap> {
    let points = |set: &[f32]| engine.upload(&Embeddings::new(set.to_vec(), set.len() / dims, dims)?);
    engine.value(ModalityGap::between(&points(x)?, &points(y)?))
}

/// Sets of so few different rows that both numbers are known, of different sizes too.
fn known_gaps(engine: &Engine) -> Result<(), Failed> {
    let (a, b, c) = ([1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]);
    let set = |rows: &[[f32; 2]]| rows.concat();
    let cases = [
        ("the same sets", set(&[a, b, c, a, a]), set(&[a, b, c, a, a]), 0.0, 0.5),
        ("two points", set(&[a; 5]), set(&[b; 4]), 2f64.sqrt(), 1.0),
        ("opposite points", set(&[a; 2]), set(&[c; 3]), 2.0, 1.0),
        // Half of x is y.
        ("half of one set", set(&[a, a, b, b]), set(&[b; 4]), 0.5f64.sqrt(), 0.75),
        // Each half of either set is the other's, turned round.
        ("halves that contradict each other", set(&[a, b]), set(&[b, a]), 0.0, 0.5),
    ];
    for (what, x, y, distance, separation) in cases {
        let gap = gap(engine, [&x, &y], 2)?;
        if (gap.distance - distance).abs() > 1e-7 || gap.separation != separation {
            return Err(format!("{what}: {gap:?}, want {distance} and {separation}").into());
        }
    }
    let points = |rows: usize| engine.upload(&Embeddings::new(vec![1.0; rows], rows, 1)?);
    match engine.value(ModalityGap::between(&points(2)?, &points(1)?)) {
        Err(Error::TooFewRows { rows: 1, needed: 2, .. }) => Ok(()),
        other => Err(format!("one row: {other:?}").into()),
    }
}

/// Sets with one mean have no gap, though their halves have: the same rows in another order, and sets that were centred.
fn gaps_of_one_mean(engine: &Engine) -> Result<(), Failed> {
    let (n, dims) = (400, 64);
    let centred = |seed: u64| {
        let mut set = normal(n, dims, seed);
        for dim in 0..dims {
            let mean = (0..n).map(|row| set[row * dims + dim]).sum::<f64>() / n as f64;
            (0..n).for_each(|row| set[row * dims + dim] -= mean);
        }
        single(&set)
    };
    let x = centred(3);
    let turned: Vec<f32> = x.chunks(dims).rev().flatten().copied().collect();
    for (what, y) in [("turned round", turned), ("centred", centred(4))] {
        let points = |set: &[f32]| engine.upload(&Embeddings::raw(set.to_vec(), n, dims)?);
        let got = engine.value(ModalityGap::between(&points(&x)?, &points(&y)?))?;
        if got.distance > 1e-6 || got.separation != 0.5 {
            return Err(format!("{what}: {got:?}").into());
        }
    }
    Ok(())
}

/// Two samples of one distribution are not told apart, however many dimensions they have; the distance is that of plain sums.
fn gaps_of_noise(engine: &Engine) -> Result<(), Failed> {
    let (n, dims) = (2100, 128);
    let sets = [7, 8].map(|seed| single(&on_the_sphere(normal(n, dims, seed), dims)));
    let got = gap(engine, [&sets[0], &sets[1]], dims)?;
    if (got.separation - 0.5).abs() > 0.03 {
        return Err(format!("two samples of one distribution: {got:?}").into());
    }
    let [x, y] = sets.map(|set| oracle::unit_rows(&oracle::rows(&set, dims)));
    let mean =
        |rows: &Rows| (0..dims).map(|k| rows.iter().map(|row| row[k]).sum::<f64>() / n as f64).collect();
    let (x, y): (Vec<f64>, Vec<f64>) = (mean(&x), mean(&y));
    let want = oracle::squared_distance(&x, &y).sqrt();
    match (got.distance / want - 1.0).abs() < 1e-5 {
        true => Ok(()),
        false => Err(format!("distance {} for {want}", got.distance).into()),
    }
}
