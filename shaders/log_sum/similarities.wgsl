// The similarities of a tile's pairs, for log_sum.wgsl: products of its two sides, staged in workgroup memory, and what
// makes cosines of them.

fn similarities(at: Place, lane: u32) -> Similarities {
    let own = place(lane);
    var total: Sums;
    var part: Sums;
    var low: Quad;
    var ahead = fetch(at.tile, 0u, lane);
    for (var depth = 0u; depth < params.dims; depth += DEPTH) {
        put(ahead, lane);
        workgroupBarrier();
        // Under way while the invocations compute.
        if depth + DEPTH < params.dims {
            ahead = fetch(at.tile, depth + DEPTH, lane);
        }
        for (var i = 0u; i < DEPTH; i += 4u) {
            for (var u = i; u < i + 4u; u++) {
                let a0 = left[u * ROW_QUADS + own.x];
                let b0 = right[u * COL_QUADS + own.y];
                if DIFFERENCE {
                    part.q00 = quad_squares(part.q00, a0, b0);
                } else if SPLIT {
                    let a_high = leading(a0);
                    let b_high = leading(b0);
                    part.q00 = quad_products(part.q00, a_high, b_high);
                    low = quad_products(quad_products(low, a_high, b0 - b_high), a0 - a_high, b0);
                } else {
                    var a1: vec4<f32>;
                    var b1: vec4<f32>;
                    if TALL { a1 = left[u * ROW_QUADS + HIGH + own.x]; }
                    if BROAD { b1 = right[u * COL_QUADS + WIDE + own.y]; }
                    part = sums_products(part, a0, a1, b0, b1);
                }
            }
        }
        if FOLDED && (depth + DEPTH) % FOLD == 0u {
            total = sums_add(total, part);
            part = Sums();
        }
        workgroupBarrier();
    }
    if FOLDED {
        part = sums_add(total, part);
    }
    if DIFFERENCE {
        let q = part.q00;
        part.q00 = Quad(-q.r0, -q.r1, -q.r2, -q.r3);
        return Similarities(part, low);
    }
    return cosines(part, low, at);
}

// The next vectors of both sides that an invocation brings, two each at the most.
struct Ahead {
    x0: Four,
    x1: Four,
    y0: Four,
    y1: Four,
}

fn fetch(tile: vec2<u32>, depth: u32, lane: u32) -> Ahead {
    var next: Ahead;
    next.x0 = four_of_x(tile.x, depth, lane);
    if LEFT > LANES { next.x1 = four_of_x(tile.x, depth, lane + LANES); }
    next.y0 = four_of_y(tile.y, depth, lane);
    if RIGHT > LANES { next.y1 = four_of_y(tile.y, depth, lane + LANES); }
    return next;
}

fn put(next: Ahead, lane: u32) {
    left[lane] = unpacked(next.x0);
    if LEFT > LANES { left[lane + LANES] = unpacked(next.x1); }
    right[lane] = unpacked(next.y0);
    if RIGHT > LANES { right[lane + LANES] = unpacked(next.y1); }
}

// Vector `slot` of the stage. Beyond the last dimension there are zeros, beyond the last row whatever is there.
fn four_of_x(tile_row: u32, depth: u32, slot: u32) -> Four {
    let dim = depth + slot / ROW_QUADS;
    let quad = min(tile_row * ROW_QUADS + slot % ROW_QUADS, (params.rows - 1u) / 4u);
    let four = x[four_at(quad, min(dim, params.dims - 1u), params.dims)];
    if dim < params.dims { return four; }
    return Four();
}

fn four_of_y(tile_col: u32, depth: u32, slot: u32) -> Four {
    let dim = depth + slot / COL_QUADS;
    let quad = min(tile_col * COL_QUADS + slot % COL_QUADS, (params.cols - 1u) / 4u);
    let four = y[four_at(quad, min(dim, params.dims - 1u), params.dims)];
    if dim < params.dims { return four; }
    return Four();
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
