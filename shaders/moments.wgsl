// Σ (x − centre)(x − centre)ᵀ over some rows at a time, in tiles of 64 × 64 dimensions on or above the diagonal. One
// dimension more, which is 1 in every row, makes the last column the sum of the rows, and its end their number.
// Stands on: shared/points.wgsl, shared/quads.wgsl, shared/small_tiles.wgsl.

struct Params {
    rows: u32,
    dims: u32,
    chunk: u32, // rows that are summed together: whole groups of points
    first_chunk: u32,
    first_tile: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read> centre: array<f32>; // (dims)
@group(0) @binding(3) var<storage, read_write> products: array<f32>; // (chunks, dims + 1, dims + 1)

// Stages after which partial sums are set aside: short sums err less.
const FOLD = 2u;

var<workgroup> left: array<vec4<f32>, STAGE_BY_FOURS>; // [row / 4][dimension]
var<workgroup> right: array<vec4<f32>, STAGE_BY_FOURS>;

// An invocation has four dimensions on either side, with QUADS from one to the next.
@compute @workgroup_size(256)
fn moments(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let side = params.dims / TILE + 1u;
    let number = params.first_tile + group.x;
    let chunk = number / (side * side);
    let tile = vec2(number / side % side, number % side);
    if tile.x > tile.y {
        return;
    }
    let first = (params.first_chunk + chunk) * params.chunk / 4u;
    let end = min(first + params.chunk / 4u, (params.rows + 3u) / 4u);
    let stages = (end - first + FOURS - 1u) / FOURS;
    let slot = slot_by_fours(lane);
    let of_x = column(tile.x * TILE + lane / FOURS, lane % FOURS);
    let of_y = column(tile.y * TILE + lane / FOURS, lane % FOURS);
    var total: Quad;
    var part: Quad;
    var stage = 0u;
    let start = four_at(first, 0u, params.dims);
    var x_ahead = x[of_x.source + start];
    var y_ahead = x[of_y.source + start];
    // There is a row at least, and so a stage.
    loop {
        let fold = min(stages, stage + FOLD);
        loop {
            // A stage is one block without a branch, so that the next one is under way while the invocations compute. During the
            // last stage, it is brought again.
            left[slot] = inside(first + stage * FOURS + lane % FOURS, about_centre(of_x, x_ahead));
            right[slot] = about_centre(of_y, y_ahead);
            workgroupBarrier();
            stage += 1u;
            let next = four_at(first + min(stage, stages - 1u) * FOURS, 0u, params.dims);
            x_ahead = x[of_x.source + next];
            y_ahead = x[of_y.source + next];
            part = step(part, 0u, lane);
            part = step(part, 1u, lane);
            part = step(part, 2u, lane);
            part = step(part, 3u, lane);
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
    let row = tile.x * TILE + lane / QUADS;
    let col = tile.y * TILE + lane % QUADS;
    store(chunk, row, col, total.r0);
    store(chunk, row + QUADS, col, total.r1);
    store(chunk, row + 2u * QUADS, col, total.r2);
    store(chunk, row + 3u * QUADS, col, total.r3);
}

// Adds the products of four rows.
fn step(sum: Quad, four: u32, lane: u32) -> Quad {
    let a = four * WIDE + lane / QUADS;
    let b = four * WIDE + lane % QUADS;
    let b0 = right[b];
    let b1 = right[b + QUADS];
    let b2 = right[b + 2u * QUADS];
    let b3 = right[b + 3u * QUADS];
    return Quad(
        add_dots(sum.r0, left[a], b0, b1, b2, b3),
        add_dots(sum.r1, left[a + QUADS], b0, b1, b2, b3),
        add_dots(sum.r2, left[a + 2u * QUADS], b0, b1, b2, b3),
        add_dots(sum.r3, left[a + 3u * QUADS], b0, b1, b2, b3),
    );
}

fn add_dots(sum: vec4<f32>, a: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>, b2: vec4<f32>, b3: vec4<f32>) -> vec4<f32> {
    return vec4(add_dot(sum.x, a, b0), add_dot(sum.y, a, b1), add_dot(sum.z, a, b2), add_dot(sum.w, a, b3));
}

fn add_dot(sum: f32, a: vec4<f32>, b: vec4<f32>) -> f32 {
    return fma(a.w, b.w, fma(a.z, b.z, fma(a.y, b.y, fma(a.x, b.x, sum))));
}

// The dimension that an invocation brings to every stage, four rows of it.
struct Column {
    source: u32, // in memory, from the beginning of a stage on
    factor: f32,
    offset: f32, // added to every value times the factor
}

// One dimension more than there are is 1, and those after it are 0.
fn column(dim: u32, four: u32) -> Column {
    let held = min(dim, params.dims - 1u);
    let source = held * GROUP_QUADS + four;
    if dim < params.dims { return Column(source, 1.0, -centre[held]); }
    return Column(source, 0.0, select(0.0, 1.0, dim == params.dims));
}

fn about_centre(column: Column, four: Four) -> vec4<f32> {
    return fma(unpacked(four), vec4(column.factor), vec4(column.offset));
}

// Values of four rows, 0 beyond the last. No product counts of which one side is 0.
fn inside(quad: u32, v: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), v, 4u * quad + vec4(0u, 1u, 2u, 3u) < vec4(params.rows));
}

fn store(chunk: u32, row: u32, col: u32, v: vec4<f32>) {
    let side = params.dims + 1u;
    let start = (chunk * side + row) * side + col;
    if row < side {
        if col < side { products[start] = v.x; }
        if col + QUADS < side { products[start + QUADS] = v.y; }
        if col + 2u * QUADS < side { products[start + 2u * QUADS] = v.z; }
        if col + 3u * QUADS < side { products[start + 3u * QUADS] = v.w; }
    }
}
