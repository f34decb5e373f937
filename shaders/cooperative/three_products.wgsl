// Coordinates as two halves each, high + low: three products of four, the last being too small to count. A unit of
// 2 × 2 matrices.

const R = 2u;
// Halves a coordinate.
const PARTS = 2u;
// Steps after which a sum is added to the others: some devices cut off, and do not round, what a long one cannot hold.
const SHORT = 4u;

struct Sums {
    c00: Sum, c01: Sum,
    c10: Sum, c11: Sum,
}

fn products(tile: vec2<u32>, unit: vec2<u32>, lane: u32) -> Sums {
    var c00 = Sum();
    var c01 = Sum();
    var c10 = Sum();
    var c11 = Sum();
    var next = fetch(tile, 0u, lane);
    for (var first = 0u; first < steps(); first += SHORT) {
        var p00 = Sum();
        var p01 = Sum();
        var p10 = Sum();
        var p11 = Sum();
        for (var step = first; step < min(first + SHORT, steps()); step++) {
            workgroupBarrier();
            put(next, lane);
            workgroupBarrier();
            next = fetch(tile, min(step + 1u, steps() - 1u), lane);
            let ah0 = coopLoadT<Left>(&left[matrix_at(unit.x, 0u, 0u)], STRIDE);
            let ah1 = coopLoadT<Left>(&left[matrix_at(unit.x, 1u, 0u)], STRIDE);
            let al0 = coopLoadT<Left>(&left[matrix_at(unit.x, 0u, 1u)], STRIDE);
            let al1 = coopLoadT<Left>(&left[matrix_at(unit.x, 1u, 1u)], STRIDE);
            let bh0 = coopLoad<Right>(&right[matrix_at(unit.y, 0u, 0u)], STRIDE);
            let bh1 = coopLoad<Right>(&right[matrix_at(unit.y, 1u, 0u)], STRIDE);
            let bl0 = coopLoad<Right>(&right[matrix_at(unit.y, 0u, 1u)], STRIDE);
            let bl1 = coopLoad<Right>(&right[matrix_at(unit.y, 1u, 1u)], STRIDE);
            p00 = coopMultiplyAdd(ah0, bh0, p00);
            p01 = coopMultiplyAdd(ah0, bh1, p01);
            p10 = coopMultiplyAdd(ah1, bh0, p10);
            p11 = coopMultiplyAdd(ah1, bh1, p11);
            p00 = coopMultiplyAdd(ah0, bl0, p00);
            p01 = coopMultiplyAdd(ah0, bl1, p01);
            p10 = coopMultiplyAdd(ah1, bl0, p10);
            p11 = coopMultiplyAdd(ah1, bl1, p11);
            p00 = coopMultiplyAdd(al0, bh0, p00);
            p01 = coopMultiplyAdd(al0, bh1, p01);
            p10 = coopMultiplyAdd(al1, bh0, p10);
            p11 = coopMultiplyAdd(al1, bh1, p11);
        }
        c00 = c00 + p00;
        c01 = c01 + p01;
        c10 = c10 + p10;
        c11 = c11 + p11;
    }
    return Sums(c00, c01, c10, c11);
}

// Every matrix of the sums through workgroup memory, as no invocation sees what a matrix holds.
fn sum_over(sums: Sums, at: Place) -> f32 {
    var total = 0.0;
    coopStoreT(sums.c00, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(0u, 0u));
    coopStoreT(sums.c01, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(0u, 1u));
    coopStoreT(sums.c10, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(1u, 0u));
    coopStoreT(sums.c11, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(1u, 1u));
    return total;
}
