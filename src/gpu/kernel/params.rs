//! What the host tells a kernel: one struct per kernel, field for field the `Params` of its shader.

use crate::gpu::kernel::table::Shader;

/// A kernel's parameters, and what the contract test needs to hold them against the shader.
pub(crate) trait Params: bytemuck::Pod {
    /// Name and byte offset of every field.
    #[cfg(test)]
    const FIELDS: &[(&str, usize)];
    /// The kernel that takes them, in any variant.
    fn belongs_to(shader: Shader) -> bool;
}

macro_rules! params {
    ($(#[$doc:meta])* $kernel:pat => $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
        pub(crate) struct $name {
            $(pub(crate) $field: $type),+
        }

        impl Params for $name {
            #[cfg(test)]
            const FIELDS: &[(&str, usize)] = &[$((stringify!($field), std::mem::offset_of!($name, $field))),+];

            fn belongs_to(shader: Shader) -> bool {
                matches!(shader, $kernel)
            }
        }
    };
}

/// The pairs of a block that count: see `shaders/shared/pairs.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountedPairs {
    All,
    AboveDiagonal,
    OffDiagonal,
}

impl CountedPairs {
    /// The number that stands for them in the parameters.
    pub(crate) fn code(self) -> u32 {
        match self {
            Self::All => 0,
            Self::AboveDiagonal => 1,
            Self::OffDiagonal => 2,
        }
    }
}

params! {
    /// A block of pairs and the tiles of it to work on.
    Shader::LogSum(_) | Shader::Similarities(_) | Shader::Weights(_) | Shader::Cooperative { .. } => PairParams {
        rows: u32,
        cols: u32,
        dims: u32,
        diagonal: u32,
        first_tile: u32,
        first_sum: u32,
        stride: u32,
        pivot: f32,
        scale_high: f32,
        scale_low: f32,
        scale_least: f32,
        zero: u32,
    }
}

params! {
    Shader::WeightedSums(_) => WeightedSumsParams {
        rows: u32,
        depth: u32,
        dims: u32,
        stride: u32,
        transposed: u32,
        first_tile: u32,
    }
}

params! {
    Shader::WeightedDifferences => WeightedDifferencesParams {
        rows: u32,
        depth: u32,
        dims: u32,
        first_row: u32,
        first_point: u32,
        weight_offset: u32,
        weight_row: u32,
        weight_col: u32,
        first_tile: u32,
    }
}

params! {
    Shader::SquaredDistances => DistancesParams {
        rows: u32,
        cols: u32,
        dims: u32,
        first_row: u32,
        offset: u32,
        stride: u32,
        first_tile: u32,
    }
}

params! {
    Shader::Normalize { .. } => NormalizeParams {
        rows: u32,
        dims: u32,
        first_row: u32,
        largest: u32,
        least: u32,
    }
}

params! {
    Shader::Centre => CentreParams {
        rows: u32,
        dims: u32,
    }
}

params! {
    Shader::Halve => HalveParams {
        rows: u32,
        dims: u32,
        first_row: u32,
        inverse_count: f32,
        matrix: u32,
        parts: u32,
        zero: u32,
    }
}

params! {
    Shader::Excess => ExcessParams {
        rows: u32,
        dims: u32,
        zero: u32,
    }
}

params! {
    Shader::FinishGrad { .. } => FinishGradParams {
        dims: u32,
        scale: f32,
    }
}

params! {
    Shader::Fma => FmaParams {
        factor: f32,
        term: f32,
        never: f32,
    }
}

params! {
    Shader::Add
    | Shader::Gather
    | Shader::PairedDistances
    | Shader::PairedDots { .. }
    | Shader::PairedGrad { .. } => RowParams {
        dims: u32,
    }
}

params! {
    Shader::RectangleSums { .. } => RectangleParams {
        stride: u32,
        diagonal: u32,
        across: u32,
        scales: u32,
        first_tile: u32,
        first_sum: u32,
        zero: u32,
    }
}

params! {
    Shader::ColumnSums { .. } => ColumnParams {
        rows: u32,
        cols: u32,
        stride: u32,
        diagonal: u32,
        first_tile: u32,
        first_sum: u32,
        scale_high: f32,
        scale_low: f32,
        scale_least: f32,
        zero: u32,
    }
}

params! {
    Shader::Weigh => WeighParams {
        rows: u32,
        cols: u32,
        stride: u32,
        diagonal: u32,
        sum: u32,
        first_tile: u32,
        first_sum: u32,
        scale_high: f32,
        scale_low: f32,
        scale_least: f32,
        zero: u32,
    }
}

params! {
    Shader::MapPairs(_) => MapParams {
        rows: u32,
        cols: u32,
        stride: u32,
        diagonal: u32,
        first_tile: u32,
        first_sum: u32,
        factor: f32,
        bias: f32,
        half: f32,
        scale_high: f32,
        scale_low: f32,
        scale_least: f32,
        zero: u32,
    }
}

params! {
    Shader::Histogram => HistogramParams {
        rows: u32,
        cols: u32,
        stride: u32,
        diagonal: u32,
        first_bin: u32,
        bins: u32,
        last_bin: u32,
        half: f32,
        first_tile: u32,
    }
}

params! {
    Shader::CloseCounts => CloseCountsParams {
        cols: u32,
        stride: u32,
        diagonal: u32,
        sure: f32,
        perhaps: f32,
        first_tile: u32,
        first_sum: u32,
    }
}

params! {
    Shader::CloseList => CloseListParams {
        first_row: u32,
        cols: u32,
        stride: u32,
        diagonal: u32,
        above: f32,
        perhaps: f32,
        room: u32,
    }
}

params! {
    Shader::Moments => MomentsParams {
        rows: u32,
        dims: u32,
        chunk: u32,
        first_chunk: u32,
        first_tile: u32,
    }
}
