// Tiles of a block: HIGH × WIDE invocations of 4 or 8 rows by 4 or 8 columns each. Both sides are staged in
// workgroup memory, DEPTH deep, [depth][rows / 4] and [depth][columns / 4].
// Stands on: quads.wgsl.

override HIGH: u32;
override WIDE: u32;
// HIGH · WIDE.
override LANES: u32;
// Eight rows an invocation, the second four half a tile below the first.
override TALL: bool;
// Eight columns an invocation, the second four half a tile to the right of the first.
override BROAD: bool;
// Rows and columns of a tile, by fours.
override ROW_QUADS: u32;
override COL_QUADS: u32;
override DEPTH: u32;
// DEPTH · ROW_QUADS and DEPTH · COL_QUADS, at least LANES the one, and twice LANES at the most both.
override LEFT: u32;
override RIGHT: u32;
// LEFT + RIGHT.
override SIDES: u32;

// Row and column quads of a tile that are an invocation's first.
fn place(lane: u32) -> vec2<u32> {
    return vec2(lane / WIDE, lane % WIDE);
}

// What an invocation sums: first and second four rows by first and second four columns.
struct Sums {
    q00: Quad,
    q01: Quad,
    q10: Quad,
    q11: Quad,
}

fn sums_add(a: Sums, b: Sums) -> Sums {
    var sum = a;
    sum.q00 = quad_add(a.q00, b.q00);
    if BROAD { sum.q01 = quad_add(a.q01, b.q01); }
    if TALL { sum.q10 = quad_add(a.q10, b.q10); }
    if TALL && BROAD { sum.q11 = quad_add(a.q11, b.q11); }
    return sum;
}

// sum + abᵀ.
fn sums_products(sum: Sums, a0: vec4<f32>, a1: vec4<f32>, b0: vec4<f32>, b1: vec4<f32>) -> Sums {
    var next = sum;
    next.q00 = quad_products(sum.q00, a0, b0);
    if BROAD { next.q01 = quad_products(sum.q01, a0, b1); }
    if TALL { next.q10 = quad_products(sum.q10, a1, b0); }
    if TALL && BROAD { next.q11 = quad_products(sum.q11, a1, b1); }
    return next;
}
