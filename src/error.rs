//! What can go wrong, with the numbers and the cure.

use crate::precision::{Precision, Storage};

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that this crate refuses or fails at. Rows and dimensions are counted from 0.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of values is not rows × dims.
    #[error("{values} values do not make {rows} rows of {dims} dimensions, which take {rows} × {dims}")]
    Shape {
        /// Values given.
        values: usize,
        /// Rows asked for.
        rows: usize,
        /// Dimensions asked for.
        dims: usize,
    },
    /// Points of zero dimensions.
    #[error("points need at least one dimension, and these have none")]
    NoDims,
    /// A NaN or an infinity.
    #[error(
        "row {row} holds a value that is not finite, in dimension {dim}; remove the row or repair the value"
    )]
    NotFinite {
        /// Its row.
        row: usize,
        /// Its dimension.
        dim: usize,
    },
    /// A row without direction.
    #[error(
        "row {row} is all zeros as f32 and cannot be scaled to unit length; remove it, or measure the points raw"
    )]
    ZeroRow {
        /// The row.
        row: usize,
    },
    /// A row whose length is outside of what single precision can scale to one and differentiate.
    #[error(
        "row {row} has the length {length:e}, and only lengths from {min:e} to {max:e} can be scaled to one; \
         rescale the data"
    )]
    RowLength {
        /// The row.
        row: usize,
        /// Its Euclidean length.
        length: f64,
        /// The least length taken.
        min: f64,
        /// The greatest length taken.
        max: f64,
    },
    /// A raw coordinate so large that squared distances could overflow single precision.
    #[error(
        "row {row} holds {value:e}, and raw coordinates may reach {limit:e} at the most; \
         rescale the data, or let the rows be scaled to unit length"
    )]
    TooLarge {
        /// The row.
        row: usize,
        /// The coordinate.
        value: f64,
        /// The greatest magnitude taken.
        limit: f64,
    },
    /// Fewer points than the metric is defined for.
    #[error("{metric} needs at least {needed} rows, and there are {rows}; add points")]
    TooFewRows {
        /// The metric.
        metric: &'static str,
        /// Rows given.
        rows: usize,
        /// Rows needed.
        needed: usize,
    },
    /// Two sets, or a set and a matrix, whose shapes do not go together.
    #[error("{what}: {left_rows} × {left_dims} does not go with {right_rows} × {right_dims}")]
    Mismatch {
        /// What the two are for.
        what: &'static str,
        /// Rows of the first.
        left_rows: usize,
        /// Dimensions of the first.
        left_dims: usize,
        /// Rows of the second.
        right_rows: usize,
        /// Dimensions of the second.
        right_dims: usize,
    },
    /// One set of unit rows and one of raw points.
    #[error("one set is scaled to unit length and the other is raw; upload both in the same way")]
    MixedScaling,
    /// One set kept in single precision and one in half.
    #[error("one set is stored as f32 and the other as f16; upload both in the same way")]
    MixedStorage,
    /// A parameter out of its range.
    #[error("{name} must be {expected}, and is {value}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        expected: &'static str,
    },
    /// Weights that do not go with the rows.
    #[error("weights {problem}")]
    Weights {
        /// What is wrong with them.
        problem: String,
    },
    /// Labels that do not go with the rows.
    #[error("labels {problem}")]
    Labels {
        /// What is wrong with them.
        problem: String,
    },
    /// A block of pairs that does not go with the rows.
    #[error("block {number} of pairs: its {problem}")]
    Block {
        /// Its place in the list, from 0 on.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A new order of rows that is none.
    #[error("order of rows {problem}")]
    Order {
        /// What is wrong with it.
        problem: String,
    },
    /// Something that only unit rows have, asked of raw points.
    #[error("{metric} is of points scaled to unit length, and these are raw; upload them scaled")]
    Raw {
        /// What was asked for.
        metric: &'static str,
    },
    /// A value beyond what the arithmetic can hold.
    #[error("{metric} of these points overflows; choose a smaller parameter, or rescale points that are raw")]
    Overflow {
        /// The metric.
        metric: &'static str,
    },
    /// Eigenvalues that the solver did not find, or that failed their check.
    #[error(
        "the eigenvalues of a covariance, from a matrix of {side} × {side}, could not be found: {reason}; \
         look for rows or dimensions of extreme scale and rescale them, or leave the spectrum out"
    )]
    Spectrum {
        /// Rows of the matrix.
        side: usize,
        /// What went wrong.
        reason: String,
    },
    /// Points or a matrix of one engine, handed to another.
    #[error("these points live on another device; upload them with this engine")]
    OtherDevice,
    /// No device of that name, number or kind.
    #[error("no device matches '{wanted}'; there {}", found(.available))]
    NoDevice {
        /// What was asked for.
        wanted: String,
        /// The names of those that are here.
        available: Vec<String>,
    },
    /// A precision that the device has not, or that failed its check there.
    #[error("{device} does not offer {precision}: {reason}")]
    Precision {
        /// What was asked for.
        precision: Precision,
        /// The name of the device.
        device: String,
        /// Why not, and which devices do.
        reason: String,
    },
    /// Points asked to be kept as the device does not keep them.
    #[error("the CPU keeps points as f32, and not as {storage}; ask for f32, or for a GPU")]
    Storage {
        /// What was asked for.
        storage: Storage,
    },
    /// Something larger than a limit of the device.
    #[error("{what}: {needed} needed, and this device's limit is {limit}; {cure}")]
    Limit {
        /// What is too large.
        what: &'static str,
        /// How much it takes.
        needed: u64,
        /// How much there may be.
        limit: u64,
        /// What to do about it.
        cure: &'static str,
    },
    /// A caller's buffer that cannot serve.
    #[error("the {what} buffer {problem}")]
    Buffer {
        /// What the buffer is for.
        what: &'static str,
        /// What is wrong with it, and what it must be.
        problem: String,
    },
    /// The device has no memory left.
    #[error("the device is out of memory ({context}); use a smaller set, another device or the CPU")]
    OutOfMemory {
        /// What was being done.
        context: String,
    },
    /// The device is gone: unplugged, reset by the system, or destroyed by its owner. wgpu 30 tells of it by a panic,
    /// which is caught; a panic hook hears it.
    #[error("the device was lost ({reason}); make a new engine")]
    DeviceLost {
        /// What the driver said.
        reason: String,
    },
    /// The driver or the GPU interface refused a command: a handle of another device, or a fault of this crate or
    /// of the driver.
    #[error("the device refused a command: {reason}")]
    Device {
        /// What it said.
        reason: String,
    },
    /// A platform whose threads cannot wait for its GPU, as in a browser, and a call that would.
    #[error("this platform lets no thread wait for its GPU; await the same call, whose name ends in _async")]
    MustAwait,
    /// The observer of the engine asked to stop.
    #[error("stopped on request")]
    Stopped,
}

impl Error {
    /// Something that a backend should have computed and did not.
    pub(crate) fn missing(what: &str) -> Self {
        Self::Device { reason: format!("{what} is missing") }
    }
}

fn found(available: &[String]) -> String {
    match available {
        [] => "is none here".into(),
        names => format!("are: {}", names.join("; ")),
    }
}
