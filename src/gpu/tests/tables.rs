//! Tables of similarities in every tiling, and rows in a new order.

use super::{
    contexts,
    oracle::{Kind, Set, backends, dot, exponent_of, square},
};
use crate::{
    backend::Backend,
    error::Result,
    gpu::{
        block::similarities::SimilarityTable,
        device::stream::Stream,
        gradient::distances,
        kernel::{
            accuracy::{self, Arithmetic, Reduction},
            exponent::PairExponent,
            params::CountedPairs,
            tiling::Tiling,
        },
        points::{gather, panels::GpuPoints},
        reduce::distances::squared_distances,
        tests::{upload, values},
    },
    kernel::{Kernel, Map},
    pairs::Pairs,
    pending::Block as _,
    points::{Points, Scaling},
    precision::Storage,
};

const SIZES: [(usize, usize); 3] = [(70, 3), (530, 67), (130, 1030)];

/// The arithmetic of a kernel over more pairs than few.
fn of_many(kernel: Kernel, scaling: Scaling) -> Arithmetic {
    accuracy::first_of(kernel, scaling, u64::MAX, Reduction::Rows)
}

#[test]
fn every_table_holds_the_similarities() -> Result<()> {
    for context in contexts(false) {
        for size in SIZES {
            for scaling in [Scaling::Unit, Scaling::Raw] {
                let x = Set::random(&context, size, 1, scaling)?;
                let y = Set::random(&context, size, 2, scaling)?;
                let exponents = [Kernel::gaussian(0.1), Kernel::gaussian(9.0), Kernel::logit(0.5)];
                for (kernel, kind) in exponents.into_iter().flat_map(|e| Kind::ALL.map(|k| (e, k))) {
                    let exponent = PairExponent::of_rows(of_many(kernel, scaling), kernel, scaling)?;
                    let line = exponent.line();
                    let wants: Vec<_> = kind
                        .all(x.rows.len(), y.rows.len())
                        .map(|(i, j)| {
                            let (a, b) = (&x.rows[i], &kind.right(&x, &y).rows[j]);
                            let logit = kernel.map == Map::Logit;
                            let size = if logit { (dot(a, a) * dot(b, b)).sqrt() } else { square(a, b) };
                            (i, j, exponent_of(kernel, a, b), size)
                        })
                        .collect();
                    let tilings = Tiling::ALL.into_iter().filter(|&t| exponent.similarity().takes(t));
                    // What is set aside does not depend on the tiles, and takes long.
                    for tiling in tilings.take(if size.1 > 1000 { 1 } else { usize::MAX }) {
                        let pairs = kind.pairs(&x, &y);
                        let table =
                            SimilarityTable::with_tiling(&context, pairs, exponent, line.origin, tiling)?;
                        let what = format!("{size:?}, {scaling:?}, {kernel:?}, {kind:?}, {tiling}");
                        for block in table.pass.blocks() {
                            let mut stream = Stream::new(&context, Storage::F32)?;
                            table.fill(&mut stream, &block, table.pass.counted(&block)).block()?;
                            stream.finish().block()?;
                            let all = (table.buffer.size() / 4) as usize;
                            let got = context.read([(&table.buffer, all)]).block()?;
                            for &(i, j, want, size) in &wants {
                                if !block.rows.contains(&i) || !block.cols.contains(&j) {
                                    continue;
                                }
                                let at = (i - block.rows.start) * table.stride + (j - block.cols.start);
                                let error = (line.at(got[at]) - want).abs() / line.slope;
                                assert!(error < 1e-6 * size.max(1.0), "{what}: {error:e} off at {i}, {j}");
                            }
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// Wherever an index ran out of range, the checks would put another value in its place.
#[test]
fn bounds_checks_change_no_table() -> Result<()> {
    for (checked, unchecked) in contexts(true).iter().zip(&contexts(false)) {
        for (rows, dims) in SIZES {
            for storage in [Storage::F32, Storage::F16] {
                let all = |context| -> Result<Vec<Vec<u32>>> {
                    let x = upload(context, &values(rows, dims, 3), dims, storage)?;
                    let y = upload(context, &values(rows, dims, 4), dims, storage)?;
                    let mut bits = Vec::new();
                    for tiling in Tiling::ALL {
                        let kernel = Kernel::gaussian(0.1);
                        let exponent =
                            PairExponent::of_rows(of_many(kernel, Scaling::Unit), kernel, Scaling::Unit)?;
                        let pairs = Pairs::Unpaired(&x, &y);
                        let table = SimilarityTable::with_tiling(context, pairs, exponent, 1.0, tiling)?;
                        for block in table.pass.blocks() {
                            let mut stream = Stream::new(context, storage)?;
                            table.fill(&mut stream, &block, CountedPairs::OffDiagonal).block()?;
                            stream.finish().block()?;
                            for row in 0..block.rows.len() {
                                let all =
                                    context.read([(&table.buffer, (row + 1) * table.stride)]).block()?;
                                let counted = &all[row * table.stride..][..block.cols.len()];
                                bits.push(counted.iter().map(|v| v.to_bits()).collect());
                                if row > 2 {
                                    break;
                                }
                            }
                        }
                    }
                    Ok(bits)
                };
                assert!(all(checked)? == all(unchecked)?, "{rows} × {dims}, {storage}");
            }
        }
    }
    Ok(())
}

/// The same of squared distances and their gradients, of dimensions and rows that fill stages and that do not.
#[test]
fn bounds_checks_change_no_distance() -> Result<()> {
    for (checked, unchecked) in contexts(true).iter().zip(&contexts(false)) {
        let sizes = [
            (1, 6, 1),
            (67, 72, 16),
            (66, 71, 15),
            (70, 1, 5),
            (131, 136, 33),
            (70, 75, 3),
            (530, 535, 67),
            (130, 135, 1030),
        ];
        for (rows, others, dims) in sizes {
            for storage in [Storage::F32, Storage::F16] {
                let all = |context| -> Result<Vec<f32>> {
                    let x = upload(context, &values(rows, dims, 3), dims, storage)?;
                    let y = upload(context, &values(others, dims, 4), dims, storage)?;
                    let distances = squared_distances(context, &x, &y).block()?;
                    let (of_x, of_y) = distances::grad(context, &x, &y, &distances).block()?;
                    Ok([distances.read()?, of_x.read()?, of_y.read()?].concat())
                };
                let bits = |values: Vec<f32>| values.into_iter().map(f32::to_bits).collect::<Vec<_>>();
                let same = bits(all(checked)?) == bits(all(unchecked)?);
                assert!(same, "{rows} and {others} × {dims}, {storage}");
            }
        }
    }
    Ok(())
}

#[test]
fn gathered_points_are_the_rows_named() -> Result<()> {
    for (gpu, context) in backends() {
        for (scaling, storage) in
            [(Scaling::Unit, Storage::F32), (Scaling::Raw, Storage::F32), (Scaling::Unit, Storage::F16)]
        {
            let (rows, dims) = (1100, 37);
            let given = values(rows, dims, 5);
            let x = match scaling {
                Scaling::Unit => upload(&context, &given, dims, storage)?,
                Scaling::Raw => Set::new(&context, &given, dims, scaling)?.on,
            };
            let named: Vec<_> = (0..1300).map(|i| i * 7 % rows).collect();
            let gathered = gpu.gather(&x, &named).block()?;
            assert_eq!((gathered.rows(), gathered.dims(), gathered.scaling()), (1300, dims, scaling));
            let read = |points: &Points| -> Result<(Vec<u32>, Vec<u32>)> {
                let all: Vec<usize> = (0..points.rows()).collect();
                let values = gather::read(&context, points, &all).block()?;
                let panels = &GpuPoints::of(points, &context)?.panels;
                let panels = panels.iter().map(|panel| (&panel.excess, 2 * panel.rows.len()));
                let excess = context.read(panels).block()?;
                Ok((bits(&values), bits(&excess)))
            };
            let (was, was_excess) = read(&x)?;
            let (is, is_excess) = read(&gathered)?;
            let known: Vec<_> = was.iter().map(|&v| f32::from_bits(v)).collect();
            if scaling == Scaling::Raw {
                assert_eq!(known, given);
            }
            for (to, &from) in named.iter().enumerate() {
                assert_eq!(is[to * dims..(to + 1) * dims], was[from * dims..(from + 1) * dims], "row {to}");
                assert_eq!(is_excess[2 * to..2 * to + 2], was_excess[2 * from..2 * from + 2], "row {to}");
            }
            assert_eq!(gpu.gather(&x, &[]).block()?.rows(), 0);
        }
    }
    Ok(())
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}
