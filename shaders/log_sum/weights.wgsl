// From similarities to weights, for log_sum.wgsl: which pairs count, what they weigh, where weights are stored and what
// they come to.

// Which of the four pairs in row r of a quad count.
fn counted(at: Place, r: u32) -> vec4<bool> {
    let row = at.row + r;
    let cols = at.col + vec4(0u, 1u, 2u, 3u);
    let inside = (cols < vec4(params.cols)) & vec4(row < params.rows);
    return inside & counted_pairs(params.diagonal, row, cols);
}

fn weights_of(s: Similarities, at: Place, pivot: f32) -> Sums {
    var w: Sums;
    w.q00 = quad_weights(s.high.q00, s.low, at, pivot);
    if BROAD { w.q01 = quad_weights(s.high.q01, Quad(), beside(at), pivot); }
    if TALL { w.q10 = quad_weights(s.high.q10, Quad(), below(at), pivot); }
    if TALL && BROAD { w.q11 = quad_weights(s.high.q11, Quad(), below(beside(at)), pivot); }
    return w;
}

// exp(κ(s − pivot)), 0 where pairs do not count.
fn quad_weights(high: Quad, low: Quad, at: Place, pivot: f32) -> Quad {
    let w = Quad(
        weight(high.r0, low.r0, pivot),
        weight(high.r1, low.r1, pivot),
        weight(high.r2, low.r2, pivot),
        weight(high.r3, low.r3, pivot),
    );
    if !at.ragged {
        return w;
    }
    return Quad(
        select(vec4(0.0), w.r0, counted(at, 0u)),
        select(vec4(0.0), w.r1, counted(at, 1u)),
        select(vec4(0.0), w.r2, counted(at, 2u)),
        select(vec4(0.0), w.r3, counted(at, 3u)),
    );
}

// Rounding may lift a similarity above its pivot; to cut it off there would bias the sum.
fn weight(high: vec4<f32>, low: vec4<f32>, pivot: f32) -> vec4<f32> {
    let scale = Scale(params.scale_high, params.scale_low, params.scale_least, params.zero);
    return exp_scaled(scale, opaque(high - pivot, params.zero) + low);
}

fn store(w: Quad, at: Place) {
    let start = at.row * params.stride + at.col / 4u;
    weights[start] = w.r0;
    weights[start + params.stride] = w.r1;
    weights[start + 2u * params.stride] = w.r2;
    weights[start + 3u * params.stride] = w.r3;
}

fn sums_total(w: Sums) -> f32 {
    var total = quad_total(w.q00);
    if BROAD { total += quad_total(w.q01); }
    if TALL { total += quad_total(w.q10); }
    if TALL && BROAD { total += quad_total(w.q11); }
    return total;
}

// The largest similarity of a quad's pairs that count. Which ones do is only asked for where some do not: compilers would keep
// the answers for the weights, in registers that they have not.
fn quad_largest(high: Quad, low: Quad, at: Place) -> f32 {
    var p = quad_add(high, low);
    if at.ragged {
        p = Quad(
            select(vec4(NONE), p.r0, counted(at, 0u)),
            select(vec4(NONE), p.r1, counted(at, 1u)),
            select(vec4(NONE), p.r2, counted(at, 2u)),
            select(vec4(NONE), p.r3, counted(at, 3u)),
        );
    }
    let largest = max(max(p.r0, p.r1), max(p.r2, p.r3));
    return max(max(largest.x, largest.y), max(largest.z, largest.w));
}
