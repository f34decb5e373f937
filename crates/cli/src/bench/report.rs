//! The measurements of `bench`.

use unisphere::{Device, Precision, unordered_pairs};

use super::{
    places::{Place, Skipped},
    size::Size,
    work::Work,
};

#[derive(Debug)]
pub(super) struct Report {
    pub(super) places: Vec<Place>,
    pub(super) skipped: Vec<Skipped>,
    pub(super) rows: Vec<Row>,
}

/// One work on one device.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) work: Work,
    /// The index of its place.
    pub(super) place: usize,
    pub(super) precision: Precision,
    pub(super) size: Size,
    /// The median.
    pub(super) seconds: f64,
    pub(super) runs: usize,
}

impl Row {
    /// Operations per second.
    pub(super) fn rate(&self) -> f64 {
        self.work.operations(self.size) / self.seconds
    }

    pub(super) fn pair_rate(&self) -> f64 {
        unordered_pairs(self.size.n) as f64 / self.seconds
    }
}

impl Report {
    /// The share of the device's highest ceiling that a row reaches.
    pub(super) fn share(&self, row: &Row) -> f64 {
        row.rate() / self.places[row.place].ceilings.rate()
    }
}

impl Place {
    pub(super) fn device(&self) -> &Device {
        self.engines[0].device()
    }
}
