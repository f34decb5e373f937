//! Alignment and uniformity of embeddings (Wang & Isola, ICML 2020, arXiv 2005.10242): values and gradients,
//! in compute shaders on any Vulkan, Metal or DX12 GPU, and in native code on the CPU.
//!
//! | metric | formula | default |
//! |---|---|---|
//! | [`Alignment`] | mean of ‖xᵢ−yᵢ‖^α over the positive pairs (xᵢ, yᵢ) | α = 2 |
//! | [`Uniformity`] | log mean of exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j, or over all pairs of two sets | t = 2 |
//! | [`Loss`] | w · alignment + (uniformity(x) + uniformity(y)) / 2 | w = 1 |
//! | [`Contrastive`] | mean over anchors of −log softmax at the positive, with logits ⟨x, y⟩/τ | τ = 0.5, both ways |
//! | [squared distances](Engine::squared_distances) | ‖xᵢ−yⱼ‖², the matrix itself | |
//!
//! ```
//! use unisphere::{Embeddings, Engine, Uniformity};
//!
//! let (n, d) = (100, 16);
//! let points: Vec<f32> = (0..n * d).map(|i| (i as f32).sin()).collect();
//!
//! let engine = Engine::new()?; // the best GPU here, else the CPU
//! let x = engine.upload(&Embeddings::new(&points, n, d)?)?; // (n, d), on the unit sphere
//! let u = engine.uniformity(&x, Uniformity::default())?; // t = 2
//! let (u, grad) = engine.uniformity_with_grad(&x, Uniformity { t: 2.0 })?; // grad: (n, d)
//! # assert!(u < 0.0 && grad.shape() == (n, d));
//! # Ok::<(), unisphere::Error>(())
//! ```
//!
//! Around them: uniformity for [several t](Engine::uniformities), [weighted](Engine::weighted_uniformity),
//! [of groups](Engine::group_uniformity), [of two sets together](Engine::pooled_uniformities) and their
//! [discrepancy](Engine::squared_mmd); [which rows are crowded](Engine::potentials), and the uncertainty that follows;
//! [close pairs](Engine::close_pairs), [histograms](Engine::cosine_histogram), and [what uniformity cannot
//! see](Engine::spectrum).
//!
//! The way of the data: [`Embeddings`], checked → [`Points`], on the device → blocks of pairs, never an n × n
//! matrix → a [`LogSumExp`] per tile in f32, merged in f64 → the value; backward: weights → weighted sums → a
//! [`Matrix`], on the device until read.

mod accuracy;
mod backend;
mod cpu;
mod device;
mod engine;
mod error;
#[cfg(feature = "gpu")]
mod gpu;
mod kernel;
mod log_sum;
mod metrics;
mod pairs;
mod points;
mod precision;
mod progress;
mod request;
mod schedule;
mod theory;
mod weights;

pub use device::{Adapter, Device, DeviceChoice, DeviceKind};
pub use engine::Engine;
pub use error::{Error, Result};
#[cfg(feature = "gpu")]
pub use gpu::adapters;
pub use log_sum::LogSumExp;
pub use metrics::{
    Across, Alignment, AlignmentOver, Candidates, ClosePairs, ClosePairsOver, Contrastive, ContrastiveOver,
    ContrastiveValue, Contrastives, CosineHistogram, CosineHistogramOver, GroupUniformity,
    GroupUniformityOver, Groups, Loss, LossOver, LossValue, PairDistances, PairSet, Potentials,
    PotentialsOver, Spectrum, SpectrumOver, SquaredMmd, SquaredMmdOver, Uniformities, Uniformity,
    UniformityOfUnion, UniformityOver, Unpaired, Within,
};
pub use points::{Embeddings, Matrix, Points, Scaling};
pub use precision::{Precision, Storage};
pub use progress::{Observer, Progress};
pub use request::{Differentiable, Metric};
pub use schedule::unordered as unordered_pairs;
pub use theory::{Estimate, Significance};
/// The version of wgpu whose handles [`Engine::from_wgpu`] takes.
#[cfg(feature = "gpu")]
pub use wgpu;
