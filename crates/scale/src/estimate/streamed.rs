//! Sums over blocks of two panels, of a set that is larger than memory: chunks of it are held and streamed.
//!
//! Rows are in a random order within each chunk, not across chunks. Intervals hold for any panels; they are wider where chunks
//! differ much.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

use rand::{RngExt, SeedableRng, rngs::ChaCha8Rng, seq::SliceRandom};
use unisphere::{Embeddings, Engine, PairBlock, Points, Scaling, Uniformity};
use unisphere_io::Source;

use super::{
    discrepancy::paired,
    sums::{BlockSums, value, within},
};
use crate::{
    error::{Error, Result},
    exact::{Block, Hash, Layout, SetName, hash_of, schedule},
    panels::Panels,
};

/// Stream of random numbers for the order of the first chunk; the others follow.
const FIRST_STREAM: u64 = 16;
/// Blocks that are summed in one pass over the set.
const BLOCKS_AT_ONCE: usize = 1 << 20;
/// Chunks that memory has room for: one that arrives, its values as they are read, and those that are held.
const CHUNKS_IN_MEMORY: u64 = 8;
const CHUNKS_IN_FLIGHT: u64 = 2;

/// A source in chunks, each of them in a random order of its own.
#[derive(Debug)]
pub(crate) struct Streamed<'a> {
    engine: &'a Engine,
    source: &'a dyn Source,
    scaling: Scaling,
    seed: u64,
    panels: Panels,
    chunks: Panels,
    /// Hashes of the chunks that were read.
    hashes: Mutex<HashMap<usize, Hash>>,
}

impl<'a> Streamed<'a> {
    /// Chunks of whole panels, an eighth of the memory each.
    pub(crate) fn new(
        engine: &'a Engine,
        source: &'a dyn Source,
        scaling: Scaling,
        seed: u64,
        panel_rows: usize,
        max_memory: u64,
    ) -> Self {
        let row_bytes = bytes_of_rows(1, source.dims());
        let rows = usize::try_from(max_memory / CHUNKS_IN_MEMORY / row_bytes).unwrap_or(usize::MAX);
        let chunk_rows = (rows / panel_rows).max(1) * panel_rows;
        let panels = Panels { rows: source.rows(), panel_rows };
        let chunks = Panels { rows: source.rows(), panel_rows: chunk_rows };
        Self { engine, source, scaling, seed, panels, chunks, hashes: Mutex::default() }
    }

    pub(crate) fn panels(&self) -> Panels {
        self.panels
    }

    /// Sums over blocks within this set, or across it and another one, at one t.
    pub(crate) fn at<'s>(&'s self, t: f64, other: Option<&'s Self>) -> StreamedAt<'s, 'a> {
        StreamedAt { left: self, right: other, t }
    }

    /// Σ k(x, y) over the pairs i < j within each panel: one pass over the set.
    pub(crate) fn within(&self, t: f64) -> Result<Vec<f64>> {
        let mut sums = Vec::with_capacity(self.panels.count());
        for chunk in 0..self.chunks.count() {
            let panels = Panels { rows: self.chunks.len(chunk), ..self.panels };
            sums.extend(within(self.engine, t, &self.load(chunk)?, panels)?);
        }
        Ok(sums)
    }

    /// Σ k(xᵢ, yᵢ) over the rows of this set and of another one: one pass over both.
    pub(crate) fn paired(&self, other: &Self, t: f64) -> Result<f64> {
        let of_chunk = |chunk| paired(self.engine, &self.load(chunk)?, &other.load(chunk)?, t);
        (0..self.chunks.count()).map(of_chunk).sum()
    }

    /// Some rows, drawn independently.
    pub(crate) fn sample(&self, rows: usize) -> Result<Points> {
        let (dims, mut rng) = (self.source.dims(), self.rng(FIRST_STREAM - 1));
        let mut values = vec![0.0; rows * dims];
        for place in values.chunks_exact_mut(dims) {
            let row = rng.random_range(0..self.source.rows());
            place.copy_from_slice(self.source.embeddings_in(row..row + 1, self.scaling)?.values());
        }
        Ok(self.engine.upload_owned(Embeddings::with_scaling(values, rows, dims, self.scaling)?)?)
    }

    fn rng(&self, stream: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        rng
    }

    /// A chunk on the device, its rows in their random order.
    fn load(&self, chunk: usize) -> Result<Points> {
        let rows = self.chunks.range(chunk);
        let points = self.source.embeddings_in(rows.clone(), self.scaling)?;
        let hash = hash_of(points.values());
        let first = self.hashes.lock().unwrap_or_else(PoisonError::into_inner).insert(chunk, hash);
        if first.is_some_and(|first| first != hash) {
            return Err(Error::changed(self.source, rows));
        }
        let mut order: Vec<_> = (0..points.rows()).collect();
        order.shuffle(&mut self.rng(FIRST_STREAM + chunk as u64));
        Ok(self.engine.upload_owned(points.reordered(&order)?)?)
    }

    /// The chunk of a panel, and the panel's rows in it.
    fn place(&self, panel: usize) -> (usize, std::ops::Range<usize>) {
        let rows = self.panels.range(panel);
        let chunk = self.chunks.of(rows.start);
        let start = self.chunks.range(chunk).start;
        (chunk, rows.start - start..rows.end - start)
    }
}

/// A set in chunks, or two, at one t.
#[derive(Debug)]
pub(crate) struct StreamedAt<'s, 'a> {
    left: &'s Streamed<'a>,
    right: Option<&'s Streamed<'a>>,
    t: f64,
}

impl BlockSums for StreamedAt<'_, '_> {
    fn sums(&self, blocks: &[(usize, usize)]) -> Result<Vec<f64>> {
        let (left_set, right_set) = (self.left, self.right.unwrap_or(self.left));
        // Blocks by their chunks, each with its place among all.
        let mut of_chunks: BTreeMap<(usize, usize), Vec<(usize, PairBlock)>> = BTreeMap::new();
        for (place, &(p, q)) in blocks.iter().enumerate() {
            let ((left, rows), (right, cols)) = (left_set.place(p), right_set.place(q));
            of_chunks.entry((left, right)).or_default().push((place, PairBlock { rows, cols }));
        }
        let layout = match self.right {
            None => Layout::within(left_set.chunks),
            Some(right) => Layout::across(left_set.chunks, right.chunks),
        };
        let is_needed = |block: Block| of_chunks.contains_key(&(block.left, block.right));
        let capacity = (CHUNKS_IN_MEMORY - CHUNKS_IN_FLIGHT) as usize;
        let (mut sums, mut held) = (vec![0.0; blocks.len()], HashMap::new());
        for arrival in schedule(&layout, capacity, is_needed) {
            if arrival.releases {
                held.clear();
            }
            let set = if arrival.set == SetName::X { left_set } else { right_set };
            let points = set.load(arrival.panel)?;
            if arrival.held {
                held.insert(arrival.panel, points.clone());
            }
            for Block { left, right, .. } in arrival.blocks {
                let (places, blocks): (Vec<_>, Vec<_>) = of_chunks[&(left, right)].iter().cloned().unzip();
                let metric = Uniformity::new(self.t);
                let of_blocks = match held.get(&left) {
                    Some(left_points) if self.right.is_some() || left != right => {
                        set.engine.value(metric.blocks_across(left_points, &points, &blocks))?
                    }
                    _ => set.engine.value(metric.blocks_within(&points, &blocks))?,
                };
                places.into_iter().zip(of_blocks).for_each(|(place, sum)| sums[place] = value(sum));
            }
        }
        Ok(sums)
    }

    fn blocks_at_once(&self) -> usize {
        BLOCKS_AT_ONCE
    }
}

/// Bytes of memory that rows take on the CPU, with what is kept of each.
pub(crate) fn bytes_of_rows(rows: usize, dims: usize) -> u64 {
    rows as u64 * (4 * dims as u64 + BYTES_BESIDE_ROW)
}

/// The same of rows in half precision.
pub(crate) fn bytes_of_half_rows(rows: usize, dims: usize) -> u64 {
    rows as u64 * (2 * dims as u64 + BYTES_BESIDE_ROW)
}

/// Bytes of a row beside its values: its length, its place in the order, and what the formulas see of it.
const BYTES_BESIDE_ROW: u64 = 64;
