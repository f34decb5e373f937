//! The tiles that the kernels over pairs can be compiled for. No one of them is the best on every GPU.

/// How a workgroup shares a tile: see `shaders/shared/tiles.wgsl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Tiling {
    /// Invocations from top to bottom, and from left to right.
    high: u32,
    wide: u32,
    /// Eight rows or columns an invocation, not four.
    tall: bool,
    broad: bool,
    /// Dimensions that are staged at a time.
    depth: u32,
}

impl Tiling {
    /// The least registers: for software devices, and for kernels that hold much else.
    pub(crate) const SMALL: Self = Self { high: 16, wide: 16, tall: false, broad: false, depth: 16 };

    /// All of them, those first that suit most discrete GPUs.
    pub(crate) const ALL: [Self; 6] = [
        Self { high: 16, wide: 16, tall: true, broad: true, depth: 16 },
        Self { high: 16, wide: 16, tall: true, broad: true, depth: 8 },
        Self { high: 16, wide: 16, tall: false, broad: true, depth: 16 },
        Self { high: 8, wide: 16, tall: true, broad: true, depth: 8 },
        Self { high: 8, wide: 8, tall: true, broad: true, depth: 8 },
        Self::SMALL,
    ];

    /// What a kind of device takes until it has been timed.
    pub(crate) fn default_of(kind: wgpu::DeviceType) -> Self {
        match kind {
            wgpu::DeviceType::Cpu => Self::SMALL,
            // Registers are scarcer there.
            wgpu::DeviceType::IntegratedGpu => Self::ALL[2],
            _ => Self::ALL[0],
        }
    }

    /// The tiles of a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tiling| tiling.to_string() == name)
    }

    /// All names.
    pub(crate) fn names() -> String {
        Self::ALL.map(|tiling| tiling.to_string()).join(", ")
    }

    /// Rows of a tile.
    pub(crate) fn rows(self) -> usize {
        (self.high * if self.tall { 8 } else { 4 }) as usize
    }

    /// Columns of a tile.
    pub(crate) fn cols(self) -> usize {
        (self.wide * if self.broad { 8 } else { 4 }) as usize
    }

    /// The same with half as many columns, if that is enough.
    pub(crate) fn for_columns(self, columns: usize) -> Self {
        Self { broad: self.broad && columns > self.cols() / 2, ..self }
    }

    /// Tiles of a grid.
    pub(crate) fn grid(self, rows: usize, cols: usize) -> u32 {
        (rows.div_ceil(self.rows()) * cols.div_ceil(self.cols())) as u32
    }

    /// Tiles of a square on or above its diagonal.
    pub(crate) fn triangle(self, rows: usize) -> u32 {
        let columns = rows.div_ceil(self.cols());
        (columns * (columns + 1) / 2 * (self.cols() / self.rows())) as u32
    }

    /// The values of the shaders' constants.
    pub(crate) fn constants(self) -> Vec<(&'static str, f64)> {
        let flag = |set: bool| u32::from(set);
        let (row_quads, col_quads) = (self.rows() as u32 / 4, self.cols() as u32 / 4);
        let constants = [
            ("HIGH", self.high),
            ("WIDE", self.wide),
            ("LANES", self.high * self.wide),
            ("TALL", flag(self.tall)),
            ("BROAD", flag(self.broad)),
            ("ROW_QUADS", row_quads),
            ("COL_QUADS", col_quads),
            ("DEPTH", self.depth),
            ("LEFT", self.depth * row_quads),
            ("RIGHT", self.depth * col_quads),
            ("SIDES", self.depth * (row_quads + col_quads)),
        ];
        constants.map(|(name, value)| (name, value.into())).into()
    }
}

/// As it is called in caches and messages: rows × columns × depth of the stage, and its invocations.
impl std::fmt::Display for Tiling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}/{}", self.rows(), self.cols(), self.depth, self.high * self.wide)
    }
}

/// How far the choice among them has come on a device: see `tuning.rs`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// Nothing has run yet.
    Open,
    /// Checked, not timed.
    Checked(Tiling),
    /// For good.
    Settled(Tiling),
}
