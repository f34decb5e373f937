//! Point sets by name: the shapes that real data takes, and those that break naive arithmetic.

use unisphere::{
    Embeddings, Result,
    Scaling::{self, Raw, Unit},
};

use super::random::{normal, on_the_sphere, single};

/// Two sets of the same shape; row i of both is a positive pair.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) scaling: Scaling,
    pub(crate) rows: usize,
    pub(crate) dims: usize,
    pub(crate) x: Vec<f32>,
    pub(crate) y: Vec<f32>,
    /// The parameters of uniformity worth trying.
    pub(crate) ts: &'static [f64],
}

/// To t = 5 and beyond it, where single precision begins to tell.
const TS: &[f64] = &[0.5, 2.0, 5.0, 50.0];
const DEFAULT: &[f64] = &[2.0];

/// Around the edges of every tile size that a kernel might take.
const EDGES: [usize; 15] = [1, 2, 3, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129];

/// The variable that asks for smaller sets where many rows and dimensions would take minutes, as on an emulated CPU.
const SMALL: &str = "UNISPHERE_SMALL";

/// A number of rows or dimensions: of the full set, or of the smaller one where the variable asks for it.
pub(crate) fn size(full: usize, small: usize) -> usize {
    if std::env::var_os(SMALL).is_some_and(|value| value != "0") { small } else { full }
}

impl Case {
    /// `x` with positives at a distance of about `noise` in each row.
    fn new(name: &str, scaling: Scaling, dims: usize, x: Vec<f64>, noise: f64, ts: &'static [f64]) -> Self {
        let rows = x.len() / dims;
        let step = noise / (dims as f64).sqrt();
        let y: Vec<f64> = x.iter().zip(normal(rows, dims, 2)).map(|(x, n)| x + step * n).collect();
        Self { name: format!("{name} {rows}×{dims}"), scaling, rows, dims, x: single(&x), y: single(&y), ts }
    }

    /// Unit rows, the positives as well.
    fn unit(name: &str, dims: usize, x: Vec<f64>, noise: f64, ts: &'static [f64]) -> Self {
        let case = Self::new(name, Unit, dims, on_the_sphere(x, dims), noise, ts);
        let y = on_the_sphere(case.y.iter().map(|&v| v.into()).collect(), dims);
        Self { y: single(&y), ..case }
    }

    pub(crate) fn x(&self) -> Result<Embeddings<'_>> {
        Embeddings::with_scaling(&*self.x, self.rows, self.dims, self.scaling)
    }

    pub(crate) fn y(&self) -> Result<Embeddings<'_>> {
        Embeddings::with_scaling(&*self.y, self.rows, self.dims, self.scaling)
    }
}

/// Every row of `x` times the length that `length` gives it.
fn with_lengths(x: Vec<f64>, dims: usize, length: impl Fn(usize) -> f64) -> Vec<f64> {
    x.iter().enumerate().map(|(k, v)| v * length(k / dims)).collect()
}

/// eᵢ.
fn basis(n: usize) -> Vec<f64> {
    (0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect()
}

/// n points on the unit sphere, all equally far from each other, and their sum 0.
pub(crate) fn simplex(n: usize) -> Vec<f64> {
    on_the_sphere(basis(n).iter().map(|v| v - 1.0 / n as f64).collect(), n)
}

/// Around an axis, whose coordinate dwarfs all others.
fn cluster(rows: usize, dims: usize, radius: f64) -> Vec<f64> {
    let step = radius / (dims as f64).sqrt();
    shifted(
        normal(rows, dims, 4).iter().map(|v| v * step).collect(),
        |k| if k % dims == 7 { 1.0 } else { 0.0 },
    )
}

/// Around four directions.
fn clusters(rows: usize, dims: usize, radius: f64) -> Vec<f64> {
    let (centres, step) = (on_the_sphere(normal(4, dims, 24), dims), radius / (dims as f64).sqrt());
    let noise = normal(rows, dims, 25);
    (0..rows * dims).map(|k| centres[k / dims % 4 * dims + k % dims] + step * noise[k]).collect()
}

fn antipodes(n: usize, dims: usize) -> Vec<f64> {
    let half = on_the_sphere(normal(n / 2, dims, 3), dims);
    half.iter().copied().chain(half.iter().map(|v| -v)).collect()
}

fn shifted(x: Vec<f64>, shift: impl Fn(usize) -> f64) -> Vec<f64> {
    x.iter().enumerate().map(|(k, v)| v + shift(k)).collect()
}

/// What real data looks like, and what breaks naive arithmetic.
pub(crate) fn shapes() -> Vec<Case> {
    let tripled: Vec<f64> = (0..3).flat_map(|_| normal(43, 17, 5)).collect();
    let equal: Vec<f64> = (0..70).flat_map(|_| normal(1, 19, 6)).collect();
    let lengths = |length: fn(usize) -> f64| with_lengths(on_the_sphere(normal(100, 33, 7), 33), 33, length);
    vec![
        Case::unit("on the sphere", 65, normal(257, 65, 1), 0.3, TS),
        Case::unit("on the circle", 2, normal(200, 2, 1), 0.3, TS),
        Case::unit("on the line", 1, normal(40, 1, 1), 0.0, TS),
        Case::unit("close pairs", 64, normal(129, 64, 8), 1e-4, DEFAULT),
        Case::unit("identical pairs", 64, normal(129, 64, 8), 0.0, DEFAULT),
        Case::unit("tight cluster", 33, cluster(130, 33, 1e-2), 1e-2, TS),
        Case::unit("tighter cluster", 33, cluster(130, 33, 1e-4), 1e-4, TS),
        Case::unit("duplicates", 17, tripled.clone(), 0.1, TS),
        Case::unit("antipodes", 24, antipodes(66, 24), 0.5, TS),
        Case::unit("simplex", 66, simplex(66), 0.0, TS),
        Case::unit("orthonormal basis", 65, basis(65), 0.0, TS),
        Case::unit("all equal", 19, equal.clone(), 0.0, TS),
        Case::new("lengths of normal rows", Unit, 40, normal(150, 40, 9), 1.0, &[0.5, 2.0, 5.0]),
        Case::new("lengths 1e18", Unit, 33, lengths(|_| 1e18), 1e17, DEFAULT),
        Case::new("lengths 1e-18", Unit, 33, lengths(|_| 1e-18), 1e-19, DEFAULT),
        Case::new("lengths 1e-9 to 1e9", Unit, 33, lengths(|i| 10f64.powi(i as i32 % 19 - 9)), 0.0, DEFAULT),
        Case::new("all equal, of length 5", Unit, 19, equal.clone(), 0.0, TS),
        Case::new("normal", Raw, 17, normal(131, 17, 10), 0.5, &[0.01, 0.5, 2.0]),
        Case::new("normal in high dimensions", Raw, 300, normal(90, 300, 11), 0.5, &[1e-3, 2.0]),
        Case::new("1,000 from the origin", Raw, 20, shifted(normal(131, 20, 12), |_| 1e3), 0.5, &[0.05, 2.0]),
        Case::new(
            "two far clusters",
            Raw,
            20,
            shifted(normal(131, 20, 13), |k| if k / 20 % 2 == 0 { 1e3 } else { -1e3 }),
            0.5,
            &[1e-7, 0.05, 2.0],
        ),
        Case::new("duplicates", Raw, 17, tripled, 0.1, &[0.5]),
        Case::new("all equal", Raw, 19, equal, 0.0, TS),
        Case::new("small", Raw, 33, lengths(|_| 1e-15), 1e-15, DEFAULT),
    ]
}

/// All pairs of sizes around tile edges, and longer rows and sets of a few more.
pub(crate) fn ragged() -> Vec<Case> {
    let grid = EDGES.into_iter().flat_map(|n| EDGES.map(|d| (n, d)));
    let long =
        [(255, 5), (256, 4), (257, 3), (33, 255), (33, 256), (33, 257), (17, 511), (18, 1025), (513, 9)];
    let case = |(n, d)| Case::unit("ragged", d, normal(n, d, (n * 1000 + d) as u64), 0.3, DEFAULT);
    // So many rows that single precision has something to average over, and takes its own kernels.
    let many = EDGES.map(|d| (577, d));
    grid.chain(long).chain(many).map(case).collect()
}

/// As large as a test of seconds can be.
pub(crate) fn big() -> Vec<Case> {
    let (long, longest) = (size(300, 100), size(769, 65));
    vec![
        Case::unit("big", 33, normal(size(5000, 1291), 33, 20), 0.3, DEFAULT),
        Case::unit("tight clusters", 64, clusters(600, 64, 1e-2), 1e-2, &[2.0, 5.0]),
        Case::unit("tighter clusters", 64, clusters(600, 64, 1e-3), 1e-3, &[5.0]),
        Case::unit("narrow cone", long, cluster(600, long, 2e-3), 2e-3, &[2.0, 5.0]),
        Case::unit("cone", long, cluster(600, long, 0.05), 0.05, &[2.0, 5.0]),
        Case::unit("big", size(4097, 1025), normal(129, size(4097, 1025), 21), 0.3, &[2.0, 50.0]),
        Case::unit("big", longest, normal(1025, longest, 22), 0.3, &[5.0]),
        Case::new(
            "big, 1,000 from the origin",
            Raw,
            65,
            shifted(normal(1025, 65, 23), |_| 1e3),
            0.5,
            &[0.05],
        ),
    ]
}
