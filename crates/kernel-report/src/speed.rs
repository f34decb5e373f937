//! The time that GPUs would take, by a roofline of the listings' figures and of data sheets. Nobody has measured it:
//! docs/gpu-speed.md has the formulas, and the tables that this writes.

use std::fmt::Write as _;

use crate::{main_loop::MainLoop, table::Report};

/// The work that is foretold: uniformity within a set of unit rows.
const ROWS: u64 = 100_000;
const DIMS: u64 = 384;

/// Rows of a panel: `MAX_PANEL_ROWS` of the library.
const PANEL: u64 = 4096;
/// Rows of tiles that stand next to each other in `shaders/shared/grid.wgsl`.
const BAND: u64 = 8;
/// Points after which `shaders/weighted_sums.wgsl` adds to memory.
const FOLD: u64 = 256;
/// Bytes of a coordinate, a weight and a sum.
const BYTES: u64 = 4;
/// What a pair's exponential and its sum take beside the products, in multiply-adds.
const EPILOGUE: f64 = 7.0;
/// The part of a data sheet's peak that the best kernels of others reach in single precision.
const REACHED_BY_OTHERS: f64 = 0.72;

/// A GPU by its data sheet.
struct Gpu {
    name: &'static str,
    /// FLOP/s in single precision.
    peak: f64,
    /// The part of the peak that the listing reaches without pairs of instructions, of which it has none.
    unpaired: f64,
    /// Bytes a second.
    bandwidth: f64,
    tiles: Tiles,
    listing: Family,
}

/// What a listing is of. Where a GPU's own compiler cannot be had, RDNA 2 stands in for it.
#[derive(Clone, Copy)]
enum Family {
    Rdna2,
    Rdna3,
}

/// Rows and columns of a tile, and the tiling's whole name.
#[derive(Clone, Copy)]
struct Tiles {
    rows: u64,
    cols: u64,
    name: &'static str,
}

const LARGE: Tiles = Tiles { rows: 128, cols: 128, name: "128x128x16/256" };
const NARROW: Tiles = Tiles { rows: 64, cols: 128, name: "64x128x16/256" };
const SMALL: Tiles = Tiles { rows: 64, cols: 64, name: "64x64x16/256" };

const GPUS: [Gpu; 6] = [
    Gpu {
        name: "AMD Radeon RX 6800 XT",
        peak: 20.7e12,
        unpaired: 1.0,
        bandwidth: 512e9,
        tiles: LARGE,
        listing: Family::Rdna2,
    },
    Gpu {
        name: "AMD Radeon RX 7900 XTX",
        peak: 61.4e12,
        unpaired: 0.5,
        bandwidth: 960e9,
        tiles: LARGE,
        listing: Family::Rdna3,
    },
    Gpu {
        name: "NVIDIA GeForce RTX 4090",
        peak: 82.6e12,
        unpaired: 1.0,
        bandwidth: 1008e9,
        tiles: LARGE,
        listing: Family::Rdna2,
    },
    Gpu {
        name: "NVIDIA H100 SXM",
        peak: 67e12,
        unpaired: 1.0,
        bandwidth: 3350e9,
        tiles: LARGE,
        listing: Family::Rdna2,
    },
    Gpu {
        name: "Apple M1 Max, 32 cores",
        peak: 10.4e12,
        unpaired: 1.0,
        bandwidth: 400e9,
        tiles: NARROW,
        listing: Family::Rdna2,
    },
    Gpu {
        name: "Intel Arc A770, 16 GB",
        peak: 17.2e12,
        unpaired: 1.0,
        bandwidth: 560e9,
        tiles: SMALL,
        listing: Family::Rdna2,
    },
];

/// Multiply-adds, and bytes of the device's memory where caches hold a band of tiles and no more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Work {
    multiply_adds: f64,
    bytes: f64,
}

impl Work {
    fn plus(self, other: Self) -> Self {
        Self { multiply_adds: self.multiply_adds + other.multiply_adds, bytes: self.bytes + other.bytes }
    }
}

/// Of a value: the similarities of all pairs, by tiles on or above the diagonal.
fn value(rows: u64, dims: u64, tiles: Tiles) -> Work {
    blocks(rows).fold(Work::default(), |work, (left, right)| {
        let count = match right {
            Some(right) => left.div_ceil(tiles.rows) * right.div_ceil(tiles.cols),
            None => {
                let columns = left.div_ceil(tiles.cols);
                columns * (columns + 1) / 2 * (tiles.cols / tiles.rows)
            }
        };
        let pairs = (count * tiles.rows * tiles.cols) as f64;
        let bands = left.div_ceil(BAND * tiles.rows);
        work.plus(Work {
            multiply_adds: pairs * (dims as f64 + EPILOGUE),
            bytes: (BYTES * dims * (left + right.unwrap_or(left) * bands)) as f64,
        })
    })
}

/// Of a gradient beside that: the weights are written, and either side takes their product with the other's points.
fn products(rows: u64, dims: u64, tiles: Tiles) -> Work {
    let product = |rows: u64, points: u64| {
        let whole = rows.next_multiple_of(tiles.rows) * dims.next_multiple_of(tiles.cols);
        let weights = rows * points * dims.div_ceil(tiles.cols);
        let of_points = points * dims * rows.div_ceil(BAND * tiles.rows);
        // Read and written.
        let sums = 2 * rows * dims * points.div_ceil(FOLD);
        Work { multiply_adds: (whole * points) as f64, bytes: (BYTES * (weights + of_points + sums)) as f64 }
    };
    blocks(rows).fold(Work::default(), |work, (left, right)| {
        let right = right.unwrap_or(left);
        let written = Work { multiply_adds: 0.0, bytes: (BYTES * left * right) as f64 };
        work.plus(written).plus(product(left, right)).plus(product(right, left))
    })
}

/// Rows of the panels of every block on or above the diagonal, the second of two different ones.
fn blocks(rows: u64) -> impl Iterator<Item = (u64, Option<u64>)> {
    let count = rows.div_ceil(PANEL);
    let of = move |panel: u64| PANEL.min(rows - panel * PANEL);
    (0..count).flat_map(move |i| (i..count).map(move |j| (of(i), (j > i).then(|| of(j)))))
}

/// Seconds of a kernel or of several.
#[derive(Clone, Copy, Default)]
struct Time {
    /// At the peak, scalar instructions and reads beside the products.
    at_best: f64,
    /// One instruction of any kind after another, at the part of the peak that others reach.
    in_turn: f64,
    memory: f64,
}

impl Time {
    fn of(work: Work, gpu: &Gpu, main: &MainLoop) -> Self {
        let flops = 2.0 * work.multiply_adds;
        let share = |per_mille: usize| per_mille as f64 / 1000.0;
        Self {
            at_best: flops / (gpu.peak * share(main.share_of_vector())),
            in_turn: flops / (gpu.peak * gpu.unpaired * REACHED_BY_OTHERS * share(main.share_of_all)),
            memory: work.bytes / gpu.bandwidth,
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            at_best: self.at_best + other.at_best,
            in_turn: self.in_turn + other.in_turn,
            memory: self.memory + other.memory,
        }
    }

    fn cells(self) -> String {
        let slowest = self.in_turn.max(self.memory);
        // Memory may be the limit where it takes longer than arithmetic at its best.
        let bound = match (self.memory > self.at_best, self.memory > self.in_turn) {
            (false, _) => "arithmetic",
            (true, false) => "arithmetic, or memory",
            (true, true) => "memory",
        };
        format!(
            "{} | {} | {} | **{} to {}** | {bound}",
            milliseconds(self.at_best),
            milliseconds(self.in_turn),
            milliseconds(self.memory),
            milliseconds(self.at_best),
            milliseconds(slowest),
        )
    }
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.0}", seconds * 1e3)
}

/// The tables, by the reports of RDNA 2 and 3.
///
/// # Errors
///
/// The kernel that a report lacks.
pub(crate) fn tables(rdna2: &Report, rdna3: &Report) -> Result<String, String> {
    let mut sheets = String::from(
        "| GPU | peak, TFLOP/s | memory, GB/s | tiles | listing | `log_sum`: of vector, of all | `weighted_sums` |\n\
         |---|--:|--:|---|---|---|---|\n",
    );
    let head = "| GPU | at best | in turn | memory | expected | bound by |\n|---|--:|--:|--:|--:|---|\n";
    let (mut values, mut gradients) = (String::from(head), String::from(head));
    for gpu in &GPUS {
        let (report, listing) = match gpu.listing {
            Family::Rdna2 => (rdna2, "RDNA 2"),
            Family::Rdna3 => (rdna3, "RDNA 3"),
        };
        let tiles = gpu.tiles.name;
        let sums = main_loop(report, &format!("log_sum {tiles} cosine subgroups f32"))?;
        let weights = main_loop(report, &format!("weights_of_pairs {tiles} cosine subgroups f32"))?;
        let weighted = main_loop(report, &format!("weighted_sums {tiles} f32"))?;
        let shares = |main: &MainLoop| {
            let percent = |per_mille: usize| per_mille as f64 / 10.0;
            format!("{:.1} %, {:.1} %", percent(main.share_of_vector()), percent(main.share_of_all))
        };
        _ = writeln!(
            sheets,
            "| {} | {:.1} | {:.0} | {tiles} | {listing} | {} | {} |",
            gpu.name,
            gpu.peak / 1e12,
            gpu.bandwidth / 1e9,
            shares(sums),
            shares(weighted),
        );
        let pairs = value(ROWS, DIMS, gpu.tiles);
        let plain = Time::of(pairs, gpu, sums);
        let with_gradient =
            Time::of(pairs, gpu, weights).plus(Time::of(products(ROWS, DIMS, gpu.tiles), gpu, weighted));
        _ = writeln!(values, "| {} | {} |", gpu.name, plain.cells());
        _ = writeln!(gradients, "| {} | {} |", gpu.name, with_gradient.cells());
    }
    Ok(format!(
        "### What goes in\n\n{sheets}\n### The value, in milliseconds\n\n{values}\n### The value and its gradient, in \
         milliseconds\n\n{gradients}"
    ))
}

fn main_loop<'r>(report: &'r Report, kernel: &str) -> Result<&'r MainLoop, String> {
    let row = report.rows.iter().find(|row| row.kernel == kernel);
    let row = row.ok_or_else(|| format!("the report of {} has no kernel {kernel}", report.driver))?;
    row.main.as_ref().ok_or_else(|| format!("{kernel} has no main loop"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded() -> [Report; 2] {
        [include_str!("../../../benches/kernels/rdna2.md"), include_str!("../../../benches/kernels/rdna3.md")]
            .map(|text| Report::read(text).unwrap())
    }

    #[test]
    fn the_page_has_the_tables_of_the_recorded_listings() {
        let [rdna2, rdna3] = recorded();
        let tables = tables(&rdna2, &rdna3).unwrap();
        let page = include_str!("../../../docs/gpu-speed.md");
        assert!(
            page.contains(&tables),
            "docs/gpu-speed.md lacks what `kernel-report speed` writes:\n{tables}"
        );
    }

    #[test]
    fn a_kernel_that_a_report_lacks_is_named() {
        let [mut rdna2, rdna3] = recorded();
        rdna2.rows.retain(|row| !row.kernel.starts_with("weighted_sums"));
        assert!(tables(&rdna2, &rdna3).unwrap_err().contains("weighted_sums 128x128x16/256 f32"));
    }

    #[test]
    fn a_value_pays_for_the_tiles_that_hold_pairs_one_by_one() {
        for (rows, tiles) in [(1, SMALL), (64, LARGE), (300, NARROW), (4097, LARGE), (9000, SMALL)] {
            let mut count = 0;
            for first in (0..rows).step_by(PANEL as usize) {
                for second in (first..rows).step_by(PANEL as usize) {
                    let (height, width) = ((rows - first).min(PANEL), (rows - second).min(PANEL));
                    for left in (0..width).step_by(tiles.cols as usize) {
                        // On the diagonal, down to the last square that a column of tiles takes part in.
                        let end = if first == second { left + tiles.cols } else { height };
                        count += (0..end).step_by(tiles.rows as usize).count() as u64;
                    }
                }
            }
            let want = (count * tiles.rows * tiles.cols) as f64 * (10.0 + EPILOGUE);
            assert_eq!(value(rows, 10, tiles).multiply_adds, want, "{rows}");
            assert!(want >= (rows * (rows - 1) / 2) as f64 * 10.0);
        }
    }

    #[test]
    fn a_gradient_of_whole_tiles_takes_a_product_for_each_side() {
        let (rows, dims) = (4 * PANEL, 256);
        let (n, d) = (rows as f64, dims as f64);
        let diagonal = 4.0 * (PANEL as f64).powi(2);
        // Blocks above the diagonal hold each pair once, and those on it twice.
        assert_eq!(products(rows, dims, LARGE).multiply_adds, d * (n * n + diagonal));
    }

    #[test]
    fn memory_is_named_where_it_is_slower_than_arithmetic() {
        let bound = |memory| Time { at_best: 1.0, in_turn: 2.0, memory }.cells();
        assert!(bound(0.5).ends_with("**1000 to 2000** | arithmetic"));
        assert!(bound(1.5).ends_with("**1000 to 2000** | arithmetic, or memory"));
        assert!(bound(3.0).ends_with("**1000 to 3000** | memory"));
    }
}
