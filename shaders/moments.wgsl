// Σ (x − centre)(x − centre)ᵀ over some rows at a time, in tiles of 64 × 64 dimensions on or above the diagonal. One
// dimension more, which is 1 in every row, makes the last column the sum of the rows, and its end their number.
// Stands on: shared/points.wgsl, shared/quads.wgsl.

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

const TILE = 64u;
const QUADS = 16u;
// Four vectors of four rows at a time, of 64 dimensions a side, each a vector longer than needed for the banks' sake.
const DEPTH = 4u;
const STRIDE = DEPTH + 1u;
const STAGE = TILE * STRIDE;

var<workgroup> left: array<vec4<f32>, STAGE>; // [dimension][row / 4]
var<workgroup> right: array<vec4<f32>, STAGE>;

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
    var total: Quad;
    var part: Quad;
    for (var quad = first; quad < end; quad += DEPTH) {
        let slot = lane / DEPTH * STRIDE + lane % DEPTH;
        left[slot] = four(tile.x * TILE + lane / DEPTH, quad + lane % DEPTH);
        right[slot] = four(tile.y * TILE + lane / DEPTH, quad + lane % DEPTH);
        workgroupBarrier();
        for (var i = 0u; i < DEPTH; i++) {
            let a = lane / QUADS * 4u * STRIDE + i;
            let b = lane % QUADS * 4u * STRIDE + i;
            let b0 = right[b];
            let b1 = right[b + STRIDE];
            let b2 = right[b + 2u * STRIDE];
            let b3 = right[b + 3u * STRIDE];
            part.r0 += dots(left[a], b0, b1, b2, b3);
            part.r1 += dots(left[a + STRIDE], b0, b1, b2, b3);
            part.r2 += dots(left[a + 2u * STRIDE], b0, b1, b2, b3);
            part.r3 += dots(left[a + 3u * STRIDE], b0, b1, b2, b3);
        }
        // Short sums err less.
        if (quad + DEPTH) % QUADS == 0u {
            total = quad_add(total, part);
            part = Quad();
        }
        workgroupBarrier();
    }
    total = quad_add(total, part);
    let row = tile.x * TILE + lane / QUADS * 4u;
    let col = tile.y * TILE + lane % QUADS * 4u;
    store(chunk, row, col, total.r0);
    store(chunk, row + 1u, col, total.r1);
    store(chunk, row + 2u, col, total.r2);
    store(chunk, row + 3u, col, total.r3);
}

fn dots(a: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>, b2: vec4<f32>, b3: vec4<f32>) -> vec4<f32> {
    return vec4(dot(a, b0), dot(a, b1), dot(a, b2), dot(a, b3));
}

// A dimension of four rows less the centre, 0 beyond the last of either.
fn four(dim: u32, quad: u32) -> vec4<f32> {
    let inside = 4u * quad + vec4(0u, 1u, 2u, 3u) < vec4(params.rows);
    var v = vec4(1.0);
    if dim < params.dims && 4u * quad < params.rows {
        v = unpacked(x[four_at(quad, dim, params.dims)]) - centre[dim];
    }
    return select(vec4(0.0), v, inside & vec4(dim <= params.dims));
}

fn store(chunk: u32, row: u32, col: u32, v: vec4<f32>) {
    let side = params.dims + 1u;
    let start = (chunk * side + row) * side + col;
    if row < side {
        if col < side { products[start] = v.x; }
        if col + 1u < side { products[start + 1u] = v.y; }
        if col + 2u < side { products[start + 2u] = v.z; }
        if col + 3u < side { products[start + 3u] = v.w; }
    }
}
