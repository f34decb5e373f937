// Tiles of a block: 64 × 64 pairs, by 16 × 16 invocations of 4 × 4 each.

const TILE = 64u;
const QUADS = 16u;

// The tile of this number in a grid of so many columns: (row, column).
fn grid_tile(number: u32, columns: u32) -> vec2<u32> {
    return vec2(number / columns, number % columns);
}

// The tile of this number on or above the diagonal, column by column: (row, column).
fn triangle_tile(number: u32) -> vec2<u32> {
    var column = u32((sqrt(8.0 * f32(number) + 1.0) - 1.0) * 0.5);
    // The square root may be rounded across a whole number.
    if column * (column + 1u) / 2u > number {
        column -= 1u;
    }
    if (column + 1u) * (column + 2u) / 2u <= number {
        column += 1u;
    }
    return vec2(number - column * (column + 1u) / 2u, column);
}

// Workgroup memory of a panel: 16 dimensions deep, [depth][four rows], each depth a vector longer than needed, lest
// all invocations store to the same banks.
const DEPTH = 16u;
const STRIDE = QUADS + 1u;
const PANEL = DEPTH * STRIDE;
// Multiples of DEPTH after which partial sums are set aside: short sums err less.
const STEPS = 16u;

// Four rows by four columns of one invocation, a vector per row. Rows have names, as some compilers keep what is
// indexed out of registers, and others refuse to store to it.
struct Quad {
    r0: vec4<f32>,
    r1: vec4<f32>,
    r2: vec4<f32>,
    r3: vec4<f32>,
}

fn quad_add(a: Quad, b: Quad) -> Quad {
    return Quad(a.r0 + b.r0, a.r1 + b.r1, a.r2 + b.r2, a.r3 + b.r3);
}

// sum + abᵀ.
fn quad_products(sum: Quad, a: vec4<f32>, b: vec4<f32>) -> Quad {
    return Quad(
        fma(vec4(a.x), b, sum.r0),
        fma(vec4(a.y), b, sum.r1),
        fma(vec4(a.z), b, sum.r2),
        fma(vec4(a.w), b, sum.r3),
    );
}

// sum + (aᵣ − b)² in row r.
fn quad_squares(sum: Quad, a: vec4<f32>, b: vec4<f32>) -> Quad {
    let d0 = a.x - b;
    let d1 = a.y - b;
    let d2 = a.z - b;
    let d3 = a.w - b;
    return Quad(fma(d0, d0, sum.r0), fma(d1, d1, sum.r1), fma(d2, d2, sum.r2), fma(d3, d3, sum.r3));
}
