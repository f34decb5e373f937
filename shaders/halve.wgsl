// Unit rows as halves for cooperative matrices, and how far each is from unit length: (‖x'‖² − 1) / 2.
//
// A centre is taken from all points: it leaves distances as they are, and makes the products, and with them what
// rounding does to them, small. Lengths are those of the rows before they are rounded. Of a coordinate there are two
// halves, the nearest and the nearest to what it lacks; or one, rounded up or down so that the product of a row with
// its own errors stays near 0, as rows close by would all have it, and a little by chance, as equal rows have the rest.
// Stands on: shared/points.wgsl, shared/split.wgsl.

struct Params {
    rows: u32,
    dims: u32,
    first_row: u32, // of these rows in the whole set
    inverse_count: f32, // one over the number of rows in the sum
    matrix: u32, // rows and columns of a matrix: 8 or 16
    parts: u32, // halves a coordinate: 1 or 2
    // 0, which compilers must not know.
    zero: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Four>; // (rows, dims): see shared/points.wgsl
@group(0) @binding(2) var<storage, read> lengths: array<vec2<f32>>; // (rows): see excess.wgsl
@group(0) @binding(3) var<storage, read> sum: array<f32>; // (dims): see centre.wgsl
// (rows / matrix, dims / matrix, parts, matrix, matrix), two a number, with zeros beyond the last row and dimension
@group(0) @binding(4) var<storage, read_write> halves: array<u32>;
@group(0) @binding(5) var<storage, read_write> excess: array<vec4<f32>>; // (rows)

// Coordinates are below 2, and halves below 65,504. So large, they are seldom too small to be normal.
const SCALE = 16384.0;
// The bits of an f32 that a half has no room for.
const BEYOND = 0x1fffu;
const NEAREST = vec4(0x1000u);

@compute @workgroup_size(64)
fn halve(@builtin(global_invocation_id) id: vec3<u32>) {
    let quad = id.x;
    let steps = (params.dims + params.matrix - 1u) / params.matrix;
    // Whole matrices of rows.
    if 4u * quad >= arrayLength(&excess) * 4u {
        return;
    }
    let scale = 1.0 - excess_of_rows(4u * quad);
    var error = vec4(0.0);
    var high = vec4(0.0);
    var low = vec4(0.0);
    for (var k = 0u; k < steps * params.matrix; k += 2u) {
        let v0 = centred(quad, k, scale);
        let v1 = centred(quad, k + 1u, scale);
        let high0 = leading(v0);
        let high1 = leading(v1);
        high = fma(high1, high1, fma(high0, high0, high));
        low += (high0 * (v0 - high0) + (v0 - high0) * v0) + (high1 * (v1 - high1) + (v1 - high1) * v1);

        let s0 = SCALE * v0;
        let s1 = SCALE * v1;
        if params.parts == 2u {
            let h0 = rounded(s0, NEAREST);
            let h1 = rounded(s1, NEAREST);
            store(quad, k, 0u, h0, h1);
            store(quad, k, 1u, rounded(s0 - h0, NEAREST), rounded(s1 - h1, NEAREST));
        } else {
            let h0 = rounded(s0 - payment(error, s0), chance(quad, k));
            error += (h0 - s0) * s0;
            let h1 = rounded(s1 - payment(error, s1), chance(quad, k + 1u));
            error += (h1 - s1) * s1;
            store(quad, k, 0u, h0, h1);
        }
    }
    // A compiler that regrouped this sum would lose the low half.
    let rest = bitcast<vec4<f32>>(bitcast<vec4<u32>>(high - 1.0) ^ vec4(params.zero));
    excess[quad] = 0.5 * (rest + low);
}

// How far four rows are from unit length, which points stored in half precision are.
fn excess_of_rows(row: u32) -> vec4<f32> {
    let last = params.rows - 1u;
    return vec4(
        lengths[min(row, last)].y,
        lengths[min(row + 1u, last)].y,
        lengths[min(row + 2u, last)].y,
        lengths[min(row + 3u, last)].y,
    );
}

// A dimension of four rows scaled to unit length, 0 beyond the last.
fn centred(quad: u32, k: u32, scale: vec4<f32>) -> vec4<f32> {
    if 4u * quad >= params.rows || k >= params.dims {
        return vec4(0.0);
    }
    let v = fma(unpacked(x[four_at(quad, k, params.dims)]), scale, vec4(-sum[k] * params.inverse_count));
    return select(vec4(0.0), v, 4u * quad + vec4(0u, 1u, 2u, 3u) < vec4(params.rows));
}

// Two dimensions of four rows.
fn store(quad: u32, k: u32, part: u32, v0: vec4<f32>, v1: vec4<f32>) {
    let size = params.matrix;
    let steps = (params.dims + size - 1u) / size;
    let matrix = (4u * quad / size * steps + k / size) * params.parts + part;
    let start = ((matrix * size + 4u * quad % size) * size + k % size) / 2u;
    halves[start] = pack2x16float(vec2(v0.x, v1.x));
    halves[start + size / 2u] = pack2x16float(vec2(v0.y, v1.y));
    halves[start + size] = pack2x16float(vec2(v0.z, v1.z));
    halves[start + 3u * size / 2u] = pack2x16float(vec2(v0.w, v1.w));
}

// As precise as a half: what is added to the bits beyond decides whether up or down.
fn rounded(v: vec4<f32>, addend: vec4<u32>) -> vec4<f32> {
    return bitcast<vec4<f32>>((bitcast<vec4<u32>>(v) + addend) & vec4(~BEYOND));
}

// What to take from a coordinate so that its rounding makes up for the errors so far, or for as much as it can.
fn payment(error: vec4<f32>, v: vec4<f32>) -> vec4<f32> {
    let most = 3.5e-4 * abs(v);
    let large = abs(v) > vec4(1e-3);
    return select(vec4(0.0), clamp(error / select(vec4(1.0), v, large), -most, most), large);
}

// A number up to BEYOND for each row, as random as it need be, and the same in every run.
fn chance(quad: u32, k: u32) -> vec4<u32> {
    let row = params.first_row + 4u * quad + vec4(0u, 1u, 2u, 3u);
    var h = (row * 0x9e3779b1u) ^ vec4(k * 0x85ebca77u);
    h = (h ^ (h >> vec4(15u))) * 0x2c1b3c6du;
    h = (h ^ (h >> vec4(12u))) * 0x297a2d39u;
    return (h ^ (h >> vec4(15u))) & vec4(BEYOND);
}
