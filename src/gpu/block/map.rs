//! A function of each pair of a block that is no exponential, from the block's similarities.

use std::f64::consts::LOG2_E;

use crate::{
    error::{Error, Result},
    function::{ClassTerm, Classes, FunctionSums, PairFunction},
    gpu::{
        block::similarities::{READ_COST, SimilarityTable},
        device::{
            context::TILE,
            stream::{Collector, Stream, Sums, TileSum, Tiles},
        },
        kernel::{
            accuracy::{self, Arithmetic, Reduction},
            exponent::PairExponent,
            params::MapParams,
            rate,
            table::{PairMapping, Shader},
        },
    },
    kernel::Kernel,
    pairs::Pairs,
    schedule::{Block, panels},
};

/// Columns that a workgroup of `shaders/map_pairs.wgsl` works on.
pub(crate) const COLUMNS: usize = 256;
/// Sums that a workgroup leaves.
const SUMS_PER_TILE: u32 = 3;
/// Scales of logits that f32 can hold and multiply.
const MIN_SCALE: f64 = 1e-29;
const MAX_SCALE: f64 = 1e29;
/// Biases beyond which all pairs are alike.
const MAX_BIAS: f64 = 1e30;
/// Powers of a distance that f32 can take.
const MAX_ALPHA: f64 = 1000.0;

/// The sum of a tile from which on the shader may have cut a value off.
const MAX_TILE_SUM: f64 = 5e29;

/// The map of a function: how its arguments follow from similarities, and what its sums are multiplied by.
pub(crate) struct PairMap<'a> {
    table: &'a SimilarityTable<'a>,
    shader: Shader,
    params: MapParams,
    /// The classes of the rows on the left and on the right, panel by panel.
    classes: [Vec<wgpu::Buffer>; 2],
    /// Factors of the sums of values, and of slopes.
    value_factor: f64,
    slope_factor: f64,
}

/// The exponent of a function's similarities.
pub(crate) fn exponent(pairs: Pairs<'_>, function: PairFunction<'_>) -> Result<PairExponent> {
    check(function)?;
    let (kernel, scaling) = (kernel(function), pairs.sides().0.scaling());
    let arithmetic = match function {
        PairFunction::GaussianLoss { .. }
        | PairFunction::InClass { term: ClassTerm::Distance { .. }, .. } => Arithmetic::DIFFERENCES,
        _ => accuracy::first(pairs, kernel, Reduction::Weights),
    };
    PairExponent::of_rows(arithmetic, kernel, scaling)
}

/// Refuses parameters that f32 cannot hold.
fn check(function: PairFunction<'_>) -> Result<()> {
    match function {
        PairFunction::Softplus { scale, .. } if !(MIN_SCALE..=MAX_SCALE).contains(&scale) => {
            let expected = "between 1e-29 and 1e29 on a GPU; choose another, or use the CPU";
            Err(Error::Parameter { name: "scale", value: scale, expected })
        }
        PairFunction::GaussianLoss { t } if !rate::fits(t) => {
            let expected = "a number that 32-bit floats hold on a GPU; choose another, or use the CPU";
            Err(Error::Parameter { name: "t", value: t, expected })
        }
        PairFunction::InClass { term: ClassTerm::Distance { alpha }, .. } if alpha > MAX_ALPHA => {
            let expected = "at most 1000 on a GPU; choose a smaller one, or use the CPU";
            Err(Error::Parameter { name: "alpha", value: alpha, expected })
        }
        _ => Ok(()),
    }
}

fn kernel(function: PairFunction<'_>) -> Kernel {
    match function {
        PairFunction::Softplus { scale, .. } => Kernel::logit(1.0 / scale),
        PairFunction::InClass { term: ClassTerm::Dot, .. } => Kernel::logit(1.0),
        PairFunction::GaussianLoss { .. }
        | PairFunction::InClass { term: ClassTerm::Distance { .. }, .. } => Kernel::gaussian(1.0),
    }
}

impl<'a> PairMap<'a> {
    /// The map of similarities that are relative to 0. Distances are taken in the unit that `square` is the square of, so that
    /// f32 holds their powers.
    pub(crate) fn new(
        table: &'a SimilarityTable<'a>,
        function: PairFunction<'_>,
        square: f64,
    ) -> Result<Self> {
        let [scale_high, scale_low, scale_least] = rate::parts(LOG2_E);
        let exp = MapParams { scale_high, scale_low, scale_least, half: 1.0, ..bytemuck::Zeroable::zeroed() };
        let map = |shader, params, classes, value_factor, slope_factor| Self {
            table,
            shader,
            params,
            classes,
            value_factor,
            slope_factor,
        };
        let pass = &table.pass;
        match function {
            PairFunction::Softplus { scale, bias } => {
                // Beyond, f32 has no finite logit.
                let bias = bias.clamp(-MAX_BIAS, MAX_BIAS);
                let params = MapParams { factor: scale as f32, bias: bias as f32, ..exp };
                let shader = Shader::MapPairs(PairMapping::Softplus);
                Ok(map(shader, params, no_classes(table)?, 1.0, pass.exponent.gradient_factor()))
            }
            PairFunction::GaussianLoss { t } => {
                let params = MapParams { factor: -t as f32, ..exp };
                let shader = Shader::MapPairs(PairMapping::GaussianLoss);
                Ok(map(shader, params, no_classes(table)?, 1.0, -2.0 * t))
            }
            PairFunction::InClass { term, classes } => {
                let largest = classes.weights.iter().fold(0.0f64, |most, weight| most.max(weight.abs()));
                let largest = if largest > 0.0 { largest } else { 1.0 };
                let of_x = of_rows(table, classes.of_x, &classes, largest)?;
                let of_y = match pass.one_set() {
                    true => of_x.clone(),
                    false => of_rows(table, classes.of_y, &classes, largest)?,
                };
                let shader = Shader::MapPairs(PairMapping::PowerInClass);
                let (params, of_values, of_slopes) = match term {
                    ClassTerm::Dot => {
                        let params = MapParams { factor: (1.0 / square) as f32, ..exp };
                        (params, square, 1.0)
                    }
                    ClassTerm::Distance { alpha } => {
                        let half = alpha / 2.0;
                        let params = MapParams { factor: (-1.0 / square) as f32, half: half as f32, ..exp };
                        // ∇ₓf(‖x−y‖²) = −2f′ (y − x)
                        (params, square.powf(half), -2.0 * square.powf(half - 1.0))
                    }
                };
                Ok(map(shader, params, [of_x, of_y], largest * of_values, largest * of_slopes))
            }
        }
    }

    /// Puts the slopes of a block in the place of its similarities, and collects their sums.
    pub(crate) async fn apply(
        &self,
        stream: &mut Stream<'_, MapSums>,
        block: &Block,
        pairs: u64,
    ) -> Result<()> {
        let (rows, cols) = (block.rows.len(), block.cols.len());
        let (row, col) = self.table.pass.panel_numbers(block);
        let sums = stream.sums();
        let [of_x, of_y] = &self.classes;
        let tiles = Tiles {
            shader: self.shader,
            buffers: &[&self.table.buffer, &of_x[row], &of_y[col], &sums],
            count: (rows.div_ceil(TILE) * cols.div_ceil(COLUMNS)) as u32,
            sums: Some(Sums { per_tile: SUMS_PER_TILE, to: () }),
            cost: READ_COST * (TILE * COLUMNS) as f64,
            pairs,
        };
        let params = MapParams {
            rows: rows as u32,
            cols: cols as u32,
            stride: self.table.quads(),
            diagonal: self.table.pass.counted(block).code(),
            ..self.params
        };
        stream.tiles(tiles, |first_tile, first_sum| MapParams { first_tile, first_sum, ..params }).await
    }

    /// The sums in the units of the function.
    pub(crate) fn sums(&self, sums: MapSums) -> Result<FunctionSums> {
        if sums.largest >= MAX_TILE_SUM {
            return Err(Error::Overflow { metric: "a function of a pair" });
        }
        let [value, by_bias, by_log_scale] = sums.sums;
        let value = self.value_factor * value;
        // Slopes are derivatives for a bias where there is one.
        Ok(match self.shader {
            Shader::MapPairs(PairMapping::Softplus) => FunctionSums { value, by_bias, by_log_scale },
            _ => FunctionSums { value, ..FunctionSums::default() },
        })
    }

    /// The factor of the products of slopes and points in a gradient.
    pub(crate) fn slope_factor(&self) -> f64 {
        self.slope_factor
    }
}

/// What stands in the place of the classes where a function has none.
fn no_classes(table: &SimilarityTable<'_>) -> Result<[Vec<wgpu::Buffer>; 2]> {
    let pass = &table.pass;
    let none = pass.context.filled("no classes", &[[0u32; 2]])?;
    Ok([pass.left, pass.right].map(|set| vec![none.clone(); set.rows().div_ceil(pass.x.panel_rows)]))
}

/// The class and the weight of every row, panel by panel, weights being parts of the largest.
fn of_rows(
    table: &SimilarityTable<'_>,
    of: &[u32],
    classes: &Classes<'_>,
    largest: f64,
) -> Result<Vec<wgpu::Buffer>> {
    let pass = &table.pass;
    let one = |&class: &u32| [class, ((classes.weights[class as usize] / largest) as f32).to_bits()];
    let all: Vec<[u32; 2]> = of.iter().map(one).collect();
    let parts = panels(all.len(), pass.x.panel_rows);
    parts.map(|rows| pass.context.filled("classes of rows", &all[rows])).collect()
}

/// The sums of a map over tiles, and the largest sum of values in one.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MapSums {
    sums: [f64; 3],
    largest: f64,
}

impl Collector for MapSums {
    type Destination = ();

    fn add(&mut self, (): (), number: usize, tile: TileSum) {
        let place = number % SUMS_PER_TILE as usize;
        self.sums[place] += f64::from(tile.sum);
        if place == 0 {
            self.largest = self.largest.max(f64::from(tile.sum).abs());
        }
    }
}
