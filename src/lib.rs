//! Alignment and uniformity of embeddings (Wang & Isola, ICML 2020, arXiv 2005.10242): values and gradients,
//! in compute shaders on any Vulkan, Metal or DX12 GPU, and in native code on the CPU.
//!
//! | metric | formula | default |
//! |---|---|---|
//! | [`Alignment`] | mean of ‖xᵢ−yᵢ‖^α over the positive pairs (xᵢ, yᵢ) | α = 2 |
//! | [`Uniformity`] | log mean of exp(−t‖xᵢ−xⱼ‖²) over the pairs i < j, or over all pairs of two sets | t = 2 |
//! | [`Loss`] | w · alignment + (uniformity(x) + uniformity(y)) / 2 | w = 1 |
//! | [`Contrastive`] | mean over anchors of −log softmax at the positive, with logits ⟨x, y⟩/τ | τ = 0.5, both ways |
//! | [`Sigmoid`] | mean over x of Σ softplus(−z(s⟨x, y⟩ + b)) over all y, z = 1 for the partner and −1 else | s = 10, b = −10 |
//! | [`SupCon`] | mean over anchors of −log softmax at the rows of the same label | τ = 0.1 |
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
//! Everything else is a request: a metric, its points and how they count, measured by [`Engine::value`] or
//! [`Engine::value_and_grad`].
//!
//! ```
//! # use unisphere::{Contrastive, Embeddings, Engine, SquaredMmd, Uniformity};
//! # let engine = Engine::cpu();
//! # let x = engine.upload(&Embeddings::new(&[1.0, 0.0, 0.0, 1.0, -1.0, 0.0], 3, 2)?)?;
//! # let y = engine.upload(&Embeddings::new(&[1.0, 0.1, 0.1, 1.0, -1.0, 0.1], 3, 2)?)?;
//! let across = engine.value(Uniformity::new(2.0).across(&x, &y))?;
//! let curve = engine.value(Uniformity::at(&[0.5, 1.0, 2.0]).within(&x))?; // one value for each t
//! let discrepancy = engine.value(SquaredMmd::new(2.0).unpaired(&x, &y))?;
//! let (loss, (gx, gy)) = engine.value_and_grad(Contrastive::new(0.07).paired(&x, &y).scaled(0.5))?;
//! # assert!(across < 0.0 && curve.len() == 3 && discrepancy.is_finite() && loss.loss.is_finite());
//! # assert!(gx.shape() == (3, 2) && gy.shape() == (3, 2));
//! # Ok::<(), unisphere::Error>(())
//! ```
//!
//! Uniformity runs [within](Uniformity::within) one set, [across](Uniformity::across) two, over their [unpaired
//! rows](Uniformity::unpaired) or over their [union](Uniformity::pooled), for one t or [several](Uniformity::at),
//! [weighted](UniformityOver::weighted), and [of groups](Groups::uniformity). [Potentials](Uniformity::potentials) tell which
//! rows are crowded, and how uncertain the value is. [`SquaredMmd`] compares two sets; [`ClosePairs`], [`CosineHistogram`]
//! and [`Spectrum`] show what uniformity does not.
//!
//! Calls that take time have a second form for tasks that await them, such as [`Engine::value_async`]: a [`Pending`] future that
//! leaves its executor's thread free. In a browser it is the only way to the GPU.
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
mod function;
#[cfg(feature = "gpu")]
mod gpu;
mod kernel;
mod log_sum;
mod memory;
mod metrics;
mod oneshot;
mod pairs;
mod pending;
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
pub use gpu::{adapters, adapters_async};
pub use log_sum::LogSumExp;
pub use metrics::{
    Across, Alignment, AlignmentAcrossLabels, AlignmentByLabel, AlignmentOver, AnchorBlockSumsOver,
    AnchorWeights, Anchors, BlockSumsOver, Candidates, ClosePairs, ClosePairsOver, Contrastive,
    ContrastiveOver, ContrastiveValue, Contrastives, CosineHistogram, CosineHistogramOver, GradientShareOver,
    GroupUniformity, GroupUniformityOver, Groups, LabelledPairs, Loss, LossOver, LossValue, ModalityGap,
    ModalityGapOver, MomentSums, PairBlock, PairCosines, PairDistances, PairProducts, PairSet,
    PositivesShareOver, Potentials, PotentialsOver, Ranks, Retrieval, RetrievalOver, RowLogSumsOver, Sigmoid,
    SigmoidGradients, SigmoidOver, Spectrum, SpectrumOfMoments, SpectrumOver, SquaredMmd, SquaredMmdOver,
    SupCon, SupConOfViews, SupConWithin, Uniformities, Uniformity, UniformityOfUnion, UniformityOver,
    Unpaired, WeightedAlignmentByLabel, Within,
};
pub use pending::Pending;
pub use points::{Embeddings, HalfEmbeddings, Matrix, Points, Rank, Scaling};
pub use precision::{Precision, Storage, UnknownName};
pub use progress::{Observer, Progress};
pub use request::{Differentiable, Metric, Parametric, WithParameter};
pub use schedule::unordered as unordered_pairs;
pub use theory::{Estimate, Significance, spearman};
/// The version of wgpu whose handles [`Engine::from_wgpu`] takes.
#[cfg(feature = "gpu")]
pub use wgpu;
