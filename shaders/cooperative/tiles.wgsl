// Σ exp(κ(s − pivot)) over the pairs of a block of unit rows, one sum per tile, their products by cooperative matrices
// of halves.
//
// The similarity s of two rows is their cosine: x'·y' − excess of x' − excess of y', as halve.wgsl leaves them. A tile
// is 2 × 2 units of R × R matrices of F × F pairs; subgroups take a unit each, or more where they are fewer.
// Stands on: matrices_*.wgsl, one_product.wgsl or three_products.wgsl, log_sum.wgsl or weights.wgsl, and
// shared/{exp,grid,pair_params,pairs,tile_sum,triangle}.wgsl.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Chunk>; // halves of whole tiles of rows: see halve.wgsl
@group(0) @binding(2) var<storage, read> y: array<Chunk>; // halves of whole tiles of columns
@group(0) @binding(3) var<storage, read> x_excess: array<f32>; // (rows), rows of whole tiles
@group(0) @binding(4) var<storage, read> y_excess: array<vec4<f32>>; // (cols), columns of whole tiles
@group(0) @binding(5) var<storage, read_write> sums: array<TileSum>;

const UNITS = 4u;
const TILE = 2u * R * F;
// Rows and columns of a tile, by fours.
const ROW_QUADS = TILE / 4u;
const COL_QUADS = TILE / 4u;
// Chunks of a matrix.
const MATRIX = F * F / CHUNK;
// Each invocation copies four chunks of either side at a time.
const LANES = 2u * R * PARTS * MATRIX / 4u;
// Chunks from row to row of the stage: a few more than F, lest rows meet in one bank.
const STRIDE = (F + 8u) / CHUNK;
const STAGE = 2u * R * F * PARTS * STRIDE;
// Halves are 2^14 times the coordinates.
const UNSCALE = 3.7252902984619140625e-9;

var<workgroup> left: array<Chunk, STAGE>; // [part][row][dimension]
var<workgroup> right: array<Chunk, STAGE>; // [part][column][dimension]
var<workgroup> results: array<f32, UNITS * F * F>; // one matrix of each unit under way

// Where a workgroup is: its tile and whether pairs of it are missing, the first of the units under way and how many
// they are, and which of them is this invocation's.
struct Place {
    tile: vec2<u32>,
    ragged: bool,
    first: u32,
    units: u32,
    own: u32,
    lane: u32,
}

@compute @workgroup_size(LANES)
fn cooperative(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
    @builtin(num_subgroups) subgroups: u32,
    @builtin(subgroup_id) subgroup: u32,
) {
    let tile = tile_of(params.first_tile + group.x);
    let end = (tile + 1u) * TILE;
    let whole = end.x <= params.rows && end.y <= params.cols && whole_tile(params.diagonal, tile * TILE, end);
    // As many as divide the units. All invocations know the number, and the compiler that they do.
    if lane == 0u {
        results[0] = select(select(1.0, 2.0, subgroups >= 2u), 4.0, subgroups >= UNITS);
    }
    let units = u32(workgroupUniformLoad(&results[0]));
    var total = 0.0;
    for (var first = 0u; first < UNITS; first += units) {
        // Subgroups beyond the last unit do what others do, with the same results.
        let at = Place(tile, !whole, first, units, subgroup % units, lane);
        let unit = first + at.own;
        total += sum_over(products(tile, vec2(unit / 2u, unit % 2u), lane), at);
    }
    let sum = reduce_sum(total, lane);
    if lane == 0u {
        sums[params.first_sum + group.x] = TileSum(params.pivot, sum);
    }
}

fn tile_of_grid(number: u32) -> vec2<u32> {
    return grid_tile(number, (params.rows + TILE - 1u) / TILE, (params.cols + TILE - 1u) / TILE);
}

// How many matrices a row of points is long.
fn steps() -> u32 {
    return (params.dims + F - 1u) / F;
}

// What an invocation brings from the points to the stage.
struct Ahead {
    x0: Chunk,
    x1: Chunk,
    x2: Chunk,
    x3: Chunk,
    y0: Chunk,
    y1: Chunk,
    y2: Chunk,
    y3: Chunk,
}

fn fetch(tile: vec2<u32>, step: u32, lane: u32) -> Ahead {
    return Ahead(
        x[in_points(tile.x, step, lane)],
        x[in_points(tile.x, step, lane + LANES)],
        x[in_points(tile.x, step, lane + 2u * LANES)],
        x[in_points(tile.x, step, lane + 3u * LANES)],
        y[in_points(tile.y, step, lane)],
        y[in_points(tile.y, step, lane + LANES)],
        y[in_points(tile.y, step, lane + 2u * LANES)],
        y[in_points(tile.y, step, lane + 3u * LANES)],
    );
}

fn put(ahead: Ahead, lane: u32) {
    left[in_stage(lane)] = ahead.x0;
    left[in_stage(lane + LANES)] = ahead.x1;
    left[in_stage(lane + 2u * LANES)] = ahead.x2;
    left[in_stage(lane + 3u * LANES)] = ahead.x3;
    right[in_stage(lane)] = ahead.y0;
    right[in_stage(lane + LANES)] = ahead.y1;
    right[in_stage(lane + 2u * LANES)] = ahead.y2;
    right[in_stage(lane + 3u * LANES)] = ahead.y3;
}

// Where a chunk of a tile lies in the points: neighbours have neighbours.
fn in_points(tile: u32, step: u32, chunk: u32) -> u32 {
    let block = PARTS * MATRIX;
    return ((tile * 2u * R + chunk / block) * steps() + step) * block + chunk % block;
}

// Where the same chunk lies in the stage.
fn in_stage(chunk: u32) -> u32 {
    let part = chunk / MATRIX % PARTS;
    let row = chunk / (PARTS * MATRIX) * F + chunk % MATRIX * CHUNK / F;
    return (part * TILE + row) * STRIDE + chunk % (F / CHUNK);
}

// Where a matrix of the unit at one half of the tile begins in the stage.
fn matrix_at(half: u32, number: u32, part: u32) -> u32 {
    return (part * TILE + (half * R + number) * F) * STRIDE;
}

// The sum of the weights of what all units have stored, their matrices of this row and column.
fn matrix_sum(at: Place, matrix: vec2<u32>) -> f32 {
    workgroupBarrier();
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    var sum = vec4(0.0);
    for (var i = 4u * at.lane; i < at.units * F * F; i += 4u * LANES) {
        let unit = at.first + i / (F * F);
        let row = at.tile.x * TILE + (unit / 2u * R + matrix.x) * F + i / F % F;
        let col = at.tile.y * TILE + (unit % 2u * R + matrix.y) * F + i % F;
        let products = vec4(results[i], results[i + 1u], results[i + 2u], results[i + 3u]);
        let cosines = fma(products, vec4(UNSCALE), -y_excess[col / 4u]) - x_excess[row];
        var w = exp_scaled(scale, cosines - params.pivot);
        if at.ragged {
            w = select(vec4(0.0), w, counted(row, col));
        }
        keep(row, col, w);
        sum += w;
    }
    // The next matrix takes the place of this.
    workgroupBarrier();
    return (sum.x + sum.y) + (sum.z + sum.w);
}

// Which of four pairs of a row count.
fn counted(row: u32, col: u32) -> vec4<bool> {
    let cols = col + vec4(0u, 1u, 2u, 3u);
    let inside = (cols < vec4(params.cols)) & vec4(row < params.rows);
    return inside & counted_pairs(params.diagonal, row, cols);
}

fn reduce_sum(value: f32, lane: u32) -> f32 {
    results[lane] = value;
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            results[lane] += results[lane + half];
        }
    }
    return workgroupUniformLoad(&results[0]);
}
