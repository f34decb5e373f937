//! Ranks of positives among all pairs of two sets, exactly: products in f64 on the host, tile by tile, and exact sums of those that
//! rounding leaves in doubt.

use std::{
    cell::LazyCell,
    ops::Range,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use faer::{Accum, MatMut, MatRef, Par, linalg::matmul::matmul};
use rayon::prelude::*;

use crate::{
    error::Result,
    memory::reserved,
    points::{HostRows, RowView, duplicates::equal_rows},
    progress::Watch,
    schedule::panels,
};

/// Rows on either side of a tile, and values of them in f64, at most.
const MAX_ROWS_ON_THE_LEFT: usize = 128;
const MAX_ROWS_ON_THE_RIGHT: usize = 512;
const MAX_VALUES_ON_A_SIDE: usize = 1 << 18;
/// Candidates that are looked at one by one where one of them is in doubt.
const CANDIDATES_TOGETHER: usize = 32;
/// Sums of products that are added up side by side.
const SUMS: usize = 8;

/// The place of a row's positive among all candidates, the rows of the other set, by their similarity to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rank {
    /// The number of candidates that are more similar than the positive.
    pub above: u64,
    /// The number of others that are as similar.
    pub ties: u64,
}

/// The rows of the other set that are positives of a row.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Positives<'a> {
    /// The one with the row's own number.
    SameRow,
    /// All that have the row's class, given that of every row of x and of y: at least one for each.
    SameClass([&'a [u32]; 2]),
}

impl Positives<'_> {
    /// Whether rows i of x and j of y are positives of each other.
    #[inline(always)]
    fn have(self, i: usize, j: usize) -> bool {
        match self {
            Self::SameRow => i == j,
            Self::SameClass([of_x, of_y]) => of_x[i] == of_y[j],
        }
    }

    /// The most similar positive of every row of x, and of every row of y. Of those that tie, the first.
    fn best(self, x: &dyn HostRows, y: &dyn HostRows, watch: &Watch) -> Result<[Vec<usize>; 2]> {
        match self {
            Self::SameRow => Ok([list(x.rows(), |row| row)?, list(y.rows(), |row| row)?]),
            Self::SameClass([of_x, of_y]) => {
                Ok([best_of(x, of_x, y, of_y, watch)?, best_of(y, of_y, x, of_x, watch)?])
            }
        }
    }
}

/// The most similar candidate of its class for every row: exact products of those that plain ones leave in doubt.
fn best_of(
    rows: &dyn HostRows,
    of_rows: &[u32],
    candidates: &dyn HostRows,
    of_candidates: &[u32],
    watch: &Watch,
) -> Result<Vec<usize>> {
    let mut order = list(of_candidates.len(), |candidate| candidate)?;
    order.sort_by_key(|&candidate| of_candidates[candidate]);
    let relative = relative_error(rows.dims());
    let best = |plain: &mut Vec<f64>, row: usize| {
        watch.advance(0)?;
        let (class, of_row) = (of_rows[row], rows.view(row));
        let start = order.partition_point(|&candidate| of_candidates[candidate] < class);
        let end = order.partition_point(|&candidate| of_candidates[candidate] <= class);
        let alike = &order[start..end];
        let longest = alike.iter().map(|&candidate| candidates.view(candidate).length()).fold(0.0, f64::max);
        plain.clear();
        plain.extend(alike.iter().map(|&candidate| plain_product(of_row, candidates.view(candidate))));
        let greatest = plain.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let least = greatest - 2.0 * relative * of_row.length() * longest;
        let in_doubt = alike.iter().zip(&*plain).filter(|(_, plain)| **plain >= least);
        let exact = in_doubt.map(|(&candidate, _)| (product(of_row, candidates.view(candidate)), candidate));
        Ok(exact.reduce(|best, next| if next.0 > best.0 { next } else { best }).map_or(0, |(_, best)| best))
    };
    (0..of_rows.len()).into_par_iter().map_init(Vec::new, best).collect()
}

/// The greatest error of a plain product, as a part of the product of both lengths: each product and addition rounds once, in
/// whatever order, and each factor; twice that much is on the safe side.
fn relative_error(dims: usize) -> f64 {
    (dims + 8) as f64 * f64::EPSILON
}

/// ⟨x, y⟩ in f64, with the rounding of every sum.
fn plain_product(x: RowView<'_>, y: RowView<'_>) -> f64 {
    let ((left, left_rest), (right, right_rest)) =
        (x.values.as_chunks::<SUMS>(), y.values.as_chunks::<SUMS>());
    let term = |(&x, &y): (&f32, &f32)| f64::from(x) * f64::from(y);
    let mut sums = [0.0; SUMS];
    for (left, right) in left.iter().zip(right) {
        sums.iter_mut().zip(left.iter().zip(right)).for_each(|(sum, both)| *sum += term(both));
    }
    let rest: f64 = left_rest.iter().zip(right_rest).map(term).sum();
    (sums.iter().sum::<f64>() + rest) * (x.scale * y.scale)
}

/// The rank of its best positive for every row of x among all rows of y by ⟨xᵢ, yⱼ⟩, and for every row of y among all rows of x;
/// its other positives are neither above it nor tied. A product is the exact sum over the dimensions of the stored values, rounded
/// to f64, times the factors of both rows.
pub(crate) fn ranks(
    x: &dyn HostRows,
    y: &dyn HostRows,
    positives: Positives<'_>,
    watch: &Watch,
) -> Result<[Vec<Rank>; 2]> {
    let [of_x, of_y] = positives.best(x, y, watch)?;
    let sweep = Sweep { anchors: [Anchors::new(x, y, of_x)?, Anchors::new(y, x, of_y)?], positives, x, y };
    let at_once = |most: usize| most.min((MAX_VALUES_ON_A_SIDE / x.dims()).max(1));
    let cols = at_once(MAX_ROWS_ON_THE_RIGHT);
    let tasks: Vec<_> = panels(x.rows(), at_once(MAX_ROWS_ON_THE_LEFT)).collect();
    tasks.into_par_iter().try_for_each_init(Scratch::default, |scratch, rows| {
        fill(x, rows.clone(), &mut scratch.left);
        panels(y.rows(), cols).try_for_each(|cols| {
            sweep.tile(&rows, &cols, scratch);
            watch.advance((rows.len() * cols.len()) as u64)
        })
    })?;
    let [of_x, of_y] = sweep.anchors.map(Anchors::ranks);
    Ok([of_x?, of_y?])
}

/// Rows of one set, each of which looks for its positive in the other.
struct Anchors {
    /// The best positive of each row.
    best: Vec<usize>,
    /// The product of each row with it.
    products: Vec<f64>,
    /// The same less and plus the greatest error of a product of the row as a tile has it: those between are in doubt.
    least: Vec<f64>,
    most: Vec<f64>,
    /// The first candidate that is equal to each candidate.
    first_equal: Vec<usize>,
    above: Vec<AtomicU64>,
    ties: Vec<AtomicU64>,
}

impl Anchors {
    fn new(rows: &dyn HostRows, candidates: &dyn HostRows, best: Vec<usize>) -> Result<Self> {
        let (n, m) = (rows.rows(), candidates.rows());
        let longest = (0..m).map(|row| candidates.view(row).length()).fold(0.0, f64::max);
        let relative = relative_error(rows.dims());
        let errors = list(n, |row| relative * rows.view(row).length() * longest)?;
        let products = list(n, |row| product(rows.view(row), candidates.view(best[row])))?;
        let mut first_equal = list(m, |row| row)?;
        for group in equal_rows(m, |row| candidates.view(row).values)? {
            group.iter().for_each(|&row| first_equal[row] = group[0]);
        }
        Ok(Self {
            least: list(n, |row| products[row] - errors[row])?,
            most: list(n, |row| products[row] + errors[row])?,
            best,
            products,
            first_equal,
            above: list(n, |_| AtomicU64::new(0))?,
            ties: list(n, |_| AtomicU64::new(0))?,
        })
    }

    fn is_in_doubt(&self, row: usize, product: f64) -> bool {
        self.least[row] <= product && product <= self.most[row]
    }

    /// Counts a candidate that was in doubt.
    #[inline(always)]
    fn decide(&self, row: usize, candidate: usize, product: impl FnOnce() -> f64) {
        let is_copy = self.first_equal[candidate] == self.first_equal[self.best[row]];
        let product = if is_copy { self.products[row] } else { product() };
        if product > self.products[row] {
            self.above[row].fetch_add(1, Relaxed);
        } else if product == self.products[row] {
            self.ties[row].fetch_add(1, Relaxed);
        }
    }

    fn ranks(self) -> Result<Vec<Rank>> {
        let Self { above, ties, .. } = self;
        list(above.len(), |row| Rank { above: above[row].load(Relaxed), ties: ties[row].load(Relaxed) })
    }
}

/// Memory of a tile.
#[derive(Default)]
struct Scratch {
    left: Vec<f64>,
    right: Vec<f64>,
    products: Vec<f64>,
    /// Pairs that either anchor is in doubt of, as places in the tile.
    doubts: Vec<(usize, usize)>,
    /// Candidates above the positive of each row on the right.
    above: Vec<u64>,
}

/// All pairs of two sets.
struct Sweep<'a> {
    positives: Positives<'a>,
    x: &'a dyn HostRows,
    y: &'a dyn HostRows,
    /// Rows of x, and of y.
    anchors: [Anchors; 2],
}

impl Sweep<'_> {
    /// Counts the pairs of a tile whose left side is in place.
    fn tile(&self, rows: &Range<usize>, cols: &Range<usize>, scratch: &mut Scratch) {
        let Scratch { left, right, products, doubts, above } = scratch;
        let (n, m, dims) = (rows.len(), cols.len(), self.x.dims());
        fill(self.y, cols.clone(), right);
        products.resize(n * m, 0.0);
        let (left, right) =
            (MatRef::from_row_major_slice(left, n, dims), MatRef::from_row_major_slice(right, m, dims));
        let out = MatMut::from_row_major_slice_mut(products, n, m);
        matmul(out, Accum::Replace, left, right.transpose(), 1.0, Par::Seq);
        doubts.clear();
        above.clear();
        above.resize(m, 0);
        pulp::Arch::new().dispatch(|| {
            self.count(rows, cols, products, above, doubts);
            for &(i, j) in &*doubts {
                self.decide(rows.start + i, cols.start + j, products[i * m + j]);
            }
        });
        for (above, row) in above.iter().zip(cols.clone()) {
            self.anchors[1].above[row].fetch_add(*above, Relaxed);
        }
    }

    /// Counts the candidates that are surely above, and lists the pairs in doubt.
    #[inline(always)]
    fn count(
        &self,
        rows: &Range<usize>,
        cols: &Range<usize>,
        products: &[f64],
        above: &mut [u64],
        doubts: &mut Vec<(usize, usize)>,
    ) {
        let [of_x, of_y] = &self.anchors;
        let (least, most) = (&of_y.least[cols.clone()], &of_y.most[cols.clone()]);
        for (i, products) in products.chunks_exact(cols.len()).enumerate() {
            let (least_of_row, most_of_row) = (of_x.least[rows.start + i], of_x.most[rows.start + i]);
            let mut above_row = 0;
            let together = products.chunks(CANDIDATES_TOGETHER).zip(above.chunks_mut(CANDIDATES_TOGETHER));
            let together =
                together.zip(least.chunks(CANDIDATES_TOGETHER).zip(most.chunks(CANDIDATES_TOGETHER)));
            for (chunk, ((products, above), (least, most))) in together.enumerate() {
                let mut in_doubt = 0;
                for (((&product, above), &least), &most) in products.iter().zip(above).zip(least).zip(most) {
                    above_row += u64::from(product > most_of_row);
                    *above += u64::from(product > most);
                    let by_row = (product >= least_of_row) & (product <= most_of_row);
                    in_doubt += u64::from(by_row | (product >= least) & (product <= most));
                }
                if in_doubt > 0 {
                    let first = chunk * CANDIDATES_TOGETHER;
                    doubts.extend((first..first + products.len()).map(|j| (i, j)));
                }
            }
            of_x.above[rows.start + i].fetch_add(above_row, Relaxed);
        }
    }

    /// Decides a pair for those of its anchors that are in doubt of it, unless they are each other's positives.
    #[inline(always)]
    fn decide(&self, i: usize, j: usize, product_of_tile: f64) {
        if self.positives.have(i, j) {
            return;
        }
        let exact = LazyCell::new(|| product(self.x.view(i), self.y.view(j)));
        for (anchors, (row, candidate)) in self.anchors.iter().zip([(i, j), (j, i)]) {
            if anchors.is_in_doubt(row, product_of_tile) {
                anchors.decide(row, candidate, || *exact);
            }
        }
    }
}

/// Values of some rows as metrics see them.
fn fill(points: &dyn HostRows, rows: Range<usize>, out: &mut Vec<f64>) {
    out.clear();
    rows.for_each(|row| out.extend(points.view(row).seen()));
}

/// ⟨x, y⟩: the exact sum of the products of the stored values, rounded once, times both factors, which are rounded themselves.
#[inline(always)]
fn product(x: RowView<'_>, y: RowView<'_>) -> f64 {
    let mut sums = [Sum::default(); SUMS];
    let ((left, left_rest), (right, right_rest)) =
        (x.values.as_chunks::<SUMS>(), y.values.as_chunks::<SUMS>());
    // Two factors of 24 bits have a product of 48, which is exact.
    let add = |(sum, (&x, &y)): (&mut Sum, (&f32, &f32))| sum.add(f64::from(x) * f64::from(y));
    for (left, right) in left.iter().zip(right) {
        sums.iter_mut().zip(left.iter().zip(right)).for_each(add);
    }
    sums.iter_mut().zip(left_rest.iter().zip(right_rest)).for_each(add);
    let mut total = Sum::default();
    for sum in sums {
        total.add(sum.rounded);
        total.lost += sum.lost;
    }
    (total.rounded + total.lost) * (x.scale * y.scale)
}

/// Sum, and what rounding took from it (Knuth's two-sum).
#[derive(Clone, Copy, Default)]
struct Sum {
    rounded: f64,
    lost: f64,
}

impl Sum {
    #[inline(always)]
    fn add(&mut self, term: f64) {
        let sum = self.rounded + term;
        let part = sum - self.rounded;
        self.lost += (self.rounded - (sum - part)) + (term - part);
        self.rounded = sum;
    }
}

/// A value for every row, or the error that says how much memory is missing.
fn list<T>(rows: usize, value: impl Fn(usize) -> T) -> Result<Vec<T>> {
    let mut list = reserved(rows, 1, || format!("the ranks of {rows} rows"))?;
    list.extend((0..rows).map(value));
    Ok(list)
}
