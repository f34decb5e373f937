// The similarities of a tile's pairs, for log_sum.wgsl: products of its two sides, staged in workgroup memory, and what
// makes cosines of them.

fn similarities(at: Place, lane: u32) -> Similarities {
    let own = place(lane);
    let source = sources(at.tile, lane);
    let stages = params.dims / DEPTH;
    var total: Sums;
    var s: Similarities;
    var stage = 0u;
    var ahead = fetch(source, 0u);
    while stage < stages {
        let end = select(stages, min(stages, stage + FOLD / DEPTH), FOLDED);
        // A stage is one block without a branch, so that the next one is under way while the invocations compute. Compilers
        // move loads to their first use where a branch parts them from it, and wait where values are selected at once.
        loop {
            put(ahead, lane);
            workgroupBarrier();
            stage += 1u;
            ahead = fetch(source, first_dim(stage));
            s = step(s, 0u, own);
            s = step(s, 1u, own);
            s = step(s, 2u, own);
            s = step(s, 3u, own);
            s = step(s, 4u, own);
            s = step(s, 5u, own);
            s = step(s, 6u, own);
            s = step(s, 7u, own);
            if DEPTH == 16u {
                s = step(s, 8u, own);
                s = step(s, 9u, own);
                s = step(s, 10u, own);
                s = step(s, 11u, own);
                s = step(s, 12u, own);
                s = step(s, 13u, own);
                s = step(s, 14u, own);
                s = step(s, 15u, own);
            }
            workgroupBarrier();
            continuing {
                break if stage >= end;
            }
        }
        if FOLDED && stage % (FOLD / DEPTH) == 0u {
            total = sums_add(total, s.high);
            s.high = Sums();
        }
    }
    // Dimensions that fill no stage.
    if stage * DEPTH < params.dims {
        put(ahead, lane);
        workgroupBarrier();
        let first = first_dim(stage);
        for (var u = stage * DEPTH - first; u < min(DEPTH, params.dims - first); u++) {
            s = step(s, u, own);
        }
        workgroupBarrier();
    }
    if FOLDED {
        s.high = sums_add(total, s.high);
    }
    if DIFFERENCE {
        let q = s.high.q00;
        s.high.q00 = Quad(-q.r0, -q.r1, -q.r2, -q.r3);
        return s;
    }
    return cosines(s.high, s.low, at);
}

// Adds dimension u of the stage.
fn step(sum: Similarities, u: u32, own: vec2<u32>) -> Similarities {
    var next = sum;
    let a0 = left[u * ROW_QUADS + own.x];
    let b0 = right[u * COL_QUADS + own.y];
    if DIFFERENCE {
        next.high.q00 = quad_squares(sum.high.q00, a0, b0);
    } else if SPLIT {
        let a_high = leading(a0);
        let b_high = leading(b0);
        next.high.q00 = quad_products(sum.high.q00, a_high, b_high);
        next.low = quad_products(quad_products(sum.low, a_high, b0 - b_high), a0 - a_high, b0);
    } else {
        var a1: vec4<f32>;
        var b1: vec4<f32>;
        if TALL { a1 = left[u * ROW_QUADS + HIGH + own.x]; }
        if BROAD { b1 = right[u * COL_QUADS + WIDE + own.y]; }
        next.high = sums_products(sum.high, a0, a1, b0, b1);
    }
    return next;
}

// Where the vectors lie that an invocation brings to the first stage, two a side at the most.
struct Sources {
    x0: u32,
    x1: u32,
    y0: u32,
    y1: u32,
}

fn sources(tile: vec2<u32>, lane: u32) -> Sources {
    return Sources(
        source_of_x(tile.x, lane),
        source_of_x(tile.x, lane + LANES),
        source_of_y(tile.y, lane),
        source_of_y(tile.y, lane + LANES),
    );
}

// Where vector `slot` of the first stage lies. Beyond the last row there is whatever is there, and dimensions beyond the last,
// of which there are some where none fill a stage, are not added.
fn source_of_x(tile_row: u32, slot: u32) -> u32 {
    let dim = min(slot / ROW_QUADS, params.dims - 1u);
    let quad = min(tile_row * ROW_QUADS + slot % ROW_QUADS, (params.rows - 1u) / 4u);
    return four_at(quad, dim, params.dims);
}

fn source_of_y(tile_col: u32, slot: u32) -> u32 {
    let dim = min(slot / COL_QUADS, params.dims - 1u);
    let quad = min(tile_col * COL_QUADS + slot % COL_QUADS, (params.cols - 1u) / 4u);
    return four_at(quad, dim, params.dims);
}

// The vectors of a stage that an invocation brings.
struct Ahead {
    x0: Four,
    x1: Four,
    y0: Four,
    y1: Four,
}

fn fetch(source: Sources, dim: u32) -> Ahead {
    let by = dim * GROUP_QUADS;
    var next: Ahead;
    next.x0 = x[source.x0 + by];
    if LEFT > LANES { next.x1 = x[source.x1 + by]; }
    next.y0 = y[source.y0 + by];
    if RIGHT > LANES { next.y1 = y[source.y1 + by]; }
    return next;
}

fn put(ahead: Ahead, lane: u32) {
    left[lane] = unpacked(ahead.x0);
    if LEFT > LANES { left[lane + LANES] = unpacked(ahead.x1); }
    right[lane] = unpacked(ahead.y0);
    if RIGHT > LANES { right[lane + LANES] = unpacked(ahead.y1); }
}

// Dot products of rows whose lengths are one but for rounding, divided by those lengths.
fn cosines(dot: Sums, low: Quad, at: Place) -> Similarities {
    var s = Similarities(dot, low);
    if SPLIT {
        let x = excess_of_rows(at);
        let y = excess_of_cols(at);
        s.low.r0 = low_cosines(dot.q00.r0, low.r0, x.x + y);
        s.low.r1 = low_cosines(dot.q00.r1, low.r1, x.y + y);
        s.low.r2 = low_cosines(dot.q00.r2, low.r2, x.z + y);
        s.low.r3 = low_cosines(dot.q00.r3, low.r3, x.w + y);
        return s;
    }
    s.high.q00 = quad_cosines(dot.q00, at);
    if BROAD { s.high.q01 = quad_cosines(dot.q01, beside(at)); }
    if TALL { s.high.q10 = quad_cosines(dot.q10, below(at)); }
    if TALL && BROAD { s.high.q11 = quad_cosines(dot.q11, below(beside(at))); }
    return s;
}

fn low_cosines(high: vec4<f32>, low: vec4<f32>, both: vec4<f32>) -> vec4<f32> {
    return low - (high + low) * both;
}

fn quad_cosines(dot: Quad, at: Place) -> Quad {
    let x = excess_of_rows(at);
    let y = excess_of_cols(at);
    return Quad(
        dot.r0 - dot.r0 * (x.x + y),
        dot.r1 - dot.r1 * (x.y + y),
        dot.r2 - dot.r2 * (x.z + y),
        dot.r3 - dot.r3 * (x.w + y),
    );
}

fn excess_of_rows(at: Place) -> vec4<f32> {
    let last = params.rows - 1u;
    let e0 = x_excess[min(at.row, last)];
    let e1 = x_excess[min(at.row + 1u, last)];
    let e2 = x_excess[min(at.row + 2u, last)];
    let e3 = x_excess[min(at.row + 3u, last)];
    return select(vec4(e0.x, e1.x, e2.x, e3.x), vec4(e0.y, e1.y, e2.y, e3.y), EXACT);
}

fn excess_of_cols(at: Place) -> vec4<f32> {
    let last = params.cols - 1u;
    let e0 = y_excess[min(at.col, last)];
    let e1 = y_excess[min(at.col + 1u, last)];
    let e2 = y_excess[min(at.col + 2u, last)];
    let e3 = y_excess[min(at.col + 3u, last)];
    return select(vec4(e0.x, e1.x, e2.x, e3.x), vec4(e0.y, e1.y, e2.y, e3.y), EXACT);
}
