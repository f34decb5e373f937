// sums[i] += Σⱼ wᵢⱼ (yⱼ − xᵢ): a matrix product in tiles of 64 rows by 64 dimensions, of differences, so that close
// points do not cancel.
// Stands on: shared/grid.wgsl, shared/points.wgsl, shared/quads.wgsl, shared/small_tiles.wgsl.

struct Params {
    rows: u32, // of the sums
    depth: u32, // points summed over
    dims: u32,
    first_row: u32, // of the sums, in x and sums: a multiple of 4
    first_point: u32, // of the points summed over, in y: a multiple of 4
    weight_offset: u32,
    weight_row: u32, // from wᵢⱼ to the next i
    weight_col: u32, // from wᵢⱼ to the next j
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weights: array<f32>; // (rows, depth), by the strides above
@group(0) @binding(2) var<storage, read> x: array<Four>; // (…, dims): see shared/points.wgsl
@group(0) @binding(3) var<storage, read> y: array<Four>; // (…, dims)
@group(0) @binding(4) var<storage, read_write> sums: array<f32>; // (…, dims)

// Stages after which partial sums are set aside: short sums err less.
const FOLD = 16u;

var<workgroup> left: array<vec4<f32>, STAGE>; // [point][row / 4]
var<workgroup> right: array<vec4<f32>, STAGE_BY_FOURS>; // [point / 4][dimension]

// An invocation has four rows side by side, and four dimensions with QUADS from one to the next.
@compute @workgroup_size(256)
fn weighted_differences(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let tile = grid_tile(params.first_tile + group.x, (params.rows + TILE - 1u) / TILE, (params.dims + TILE - 1u) / TILE);
    let row = tile.x * TILE + lane / QUADS * 4u;
    let dim = tile.y * TILE + lane % QUADS;
    let own = points_of_x((params.first_row + min(row, params.rows - 1u)) / 4u, dim);

    let stages = (params.depth + DEPTH - 1u) / DEPTH;
    let weights_brought = weights_source(tile.x * TILE, lane);
    let points_brought = points_source(tile.y * TILE, lane);
    var total: Quad;
    var part: Quad;
    var stage = 0u;
    var weights_ahead = fetch_weights(weights_brought, 0u);
    var points_ahead = fetch_points(points_brought, 0u);
    // There is a point at least, and so a stage.
    loop {
        let fold = min(stages, stage + FOLD);
        loop {
            // A stage is one block without a branch, so that the next one is under way while the invocations compute. After the
            // last stage, its last points are brought again.
            let exists = stage * DEPTH + weights_brought.point < params.depth;
            left[weights_brought.goal] = select(vec4(0.0), weights_ahead, exists);
            right[points_brought.goal] = unpacked(points_ahead);
            workgroupBarrier();
            stage += 1u;
            weights_ahead = fetch_weights(weights_brought, stage);
            points_ahead = fetch_points(points_brought, stage);
            part = step(part, own, 0u, lane);
            part = step(part, own, 1u, lane);
            part = step(part, own, 2u, lane);
            part = step(part, own, 3u, lane);
            workgroupBarrier();
            continuing {
                break if stage >= fold;
            }
        }
        total = quad_add(total, part);
        part = Quad();
        continuing {
            break if stage >= stages;
        }
    }
    add(row, dim, total.r0);
    add(row + 1u, dim, total.r1);
    add(row + 2u, dim, total.r2);
    add(row + 3u, dim, total.r3);
}

fn add(row: u32, dim: u32, v: vec4<f32>) {
    let start = (params.first_row + row) * params.dims + dim;
    if row < params.rows {
        if dim < params.dims { sums[start] += v.x; }
        if dim + QUADS < params.dims { sums[start + QUADS] += v.y; }
        if dim + 2u * QUADS < params.dims { sums[start + 2u * QUADS] += v.z; }
        if dim + 3u * QUADS < params.dims { sums[start + 3u * QUADS] += v.w; }
    }
}

// Adds the weighted differences of four points of the stage from an invocation's own.
fn step(sum: Quad, own: Quad, four: u32, lane: u32) -> Quad {
    let at = four * WIDE + lane % QUADS;
    let points = quad_transposed(Quad(right[at], right[at + QUADS], right[at + 2u * QUADS], right[at + 3u * QUADS]));
    let w = four * 4u * STRIDE + lane / QUADS;
    var next = add_differences(sum, own, left[w], points.r0);
    next = add_differences(next, own, left[w + STRIDE], points.r1);
    next = add_differences(next, own, left[w + 2u * STRIDE], points.r2);
    return add_differences(next, own, left[w + 3u * STRIDE], points.r3);
}

fn add_differences(sum: Quad, own: Quad, w: vec4<f32>, point: vec4<f32>) -> Quad {
    return Quad(
        fma(vec4(w.x), point - own.r0, sum.r0),
        fma(vec4(w.y), point - own.r1, sum.r1),
        fma(vec4(w.z), point - own.r2, sum.r2),
        fma(vec4(w.w), point - own.r3, sum.r3),
    );
}

// The weights that an invocation brings to every stage: those of four rows with one point.
struct WeightsSource {
    rows: vec4<u32>, // where they begin in memory
    point: u32, // of the first stage
    goal: u32, // in workgroup memory
}

// Beyond the last row there are the weights of the last, and no sums.
fn weights_source(first_row: u32, lane: u32) -> WeightsSource {
    // Neighbours read neighbours, whichever way the matrix lies.
    let along_rows = params.weight_row == 1u;
    let point = select(lane % DEPTH, lane / QUADS, along_rows);
    let four = select(lane / DEPTH, lane % QUADS, along_rows);
    let rows = min(first_row + 4u * four + vec4(0u, 1u, 2u, 3u), vec4(params.rows - 1u));
    return WeightsSource(params.weight_offset + rows * params.weight_row, point, point * STRIDE + four);
}

fn fetch_weights(source: WeightsSource, stage: u32) -> vec4<f32> {
    let at = source.rows + min(stage * DEPTH + source.point, params.depth - 1u) * params.weight_col;
    return vec4(weights[at.x], weights[at.y], weights[at.z], weights[at.w]);
}

// The points that an invocation brings to every stage: a dimension of four.
struct PointsSource {
    dim: u32,
    four: u32,
    goal: u32, // in workgroup memory
}

// Beyond the last dimension there is the last, and no sums.
fn points_source(first_dim: u32, lane: u32) -> PointsSource {
    return PointsSource(min(first_dim + lane / FOURS, params.dims - 1u), lane % FOURS, slot_by_fours(lane));
}

// Beyond the last point there is whatever is there, with weights of 0.
fn fetch_points(source: PointsSource, stage: u32) -> Four {
    let last = (params.first_point + params.depth - 1u) / 4u;
    let quad = min(params.first_point / 4u + stage * FOURS + source.four, last);
    return y[four_at(quad, source.dim, params.dims)];
}

// Four rows, each with the dimensions of an invocation.
fn points_of_x(quad: u32, dim: u32) -> Quad {
    let of_dims = Quad(
        x_at(quad, dim),
        x_at(quad, dim + QUADS),
        x_at(quad, dim + 2u * QUADS),
        x_at(quad, dim + 3u * QUADS),
    );
    return quad_transposed(of_dims);
}

fn x_at(quad: u32, dim: u32) -> vec4<f32> {
    return unpacked(x[four_at(quad, min(dim, params.dims - 1u), params.dims)]);
}
