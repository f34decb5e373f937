// One product of halves: a unit of 4 × 4 matrices.

const R = 4u;
// Halves a coordinate.
const PARTS = 1u;

struct Sums {
    c00: Sum, c01: Sum, c02: Sum, c03: Sum,
    c10: Sum, c11: Sum, c12: Sum, c13: Sum,
    c20: Sum, c21: Sum, c22: Sum, c23: Sum,
    c30: Sum, c31: Sum, c32: Sum, c33: Sum,
}

fn products(tile: vec2<u32>, unit: vec2<u32>, lane: u32) -> Sums {
    var c00 = Sum();
    var c01 = Sum();
    var c02 = Sum();
    var c03 = Sum();
    var c10 = Sum();
    var c11 = Sum();
    var c12 = Sum();
    var c13 = Sum();
    var c20 = Sum();
    var c21 = Sum();
    var c22 = Sum();
    var c23 = Sum();
    var c30 = Sum();
    var c31 = Sum();
    var c32 = Sum();
    var c33 = Sum();
    var next = fetch(tile, 0u, lane);
    for (var step = 0u; step < steps(); step++) {
        workgroupBarrier();
        put(next, lane);
        workgroupBarrier();
        next = fetch(tile, min(step + 1u, steps() - 1u), lane);
        let a0 = coopLoadT<Left>(&left[matrix_at(unit.x, 0u, 0u)], STRIDE);
        let a1 = coopLoadT<Left>(&left[matrix_at(unit.x, 1u, 0u)], STRIDE);
        let a2 = coopLoadT<Left>(&left[matrix_at(unit.x, 2u, 0u)], STRIDE);
        let a3 = coopLoadT<Left>(&left[matrix_at(unit.x, 3u, 0u)], STRIDE);
        let b0 = coopLoad<Right>(&right[matrix_at(unit.y, 0u, 0u)], STRIDE);
        let b1 = coopLoad<Right>(&right[matrix_at(unit.y, 1u, 0u)], STRIDE);
        let b2 = coopLoad<Right>(&right[matrix_at(unit.y, 2u, 0u)], STRIDE);
        let b3 = coopLoad<Right>(&right[matrix_at(unit.y, 3u, 0u)], STRIDE);
        c00 = coopMultiplyAdd(a0, b0, c00);
        c01 = coopMultiplyAdd(a0, b1, c01);
        c02 = coopMultiplyAdd(a0, b2, c02);
        c03 = coopMultiplyAdd(a0, b3, c03);
        c10 = coopMultiplyAdd(a1, b0, c10);
        c11 = coopMultiplyAdd(a1, b1, c11);
        c12 = coopMultiplyAdd(a1, b2, c12);
        c13 = coopMultiplyAdd(a1, b3, c13);
        c20 = coopMultiplyAdd(a2, b0, c20);
        c21 = coopMultiplyAdd(a2, b1, c21);
        c22 = coopMultiplyAdd(a2, b2, c22);
        c23 = coopMultiplyAdd(a2, b3, c23);
        c30 = coopMultiplyAdd(a3, b0, c30);
        c31 = coopMultiplyAdd(a3, b1, c31);
        c32 = coopMultiplyAdd(a3, b2, c32);
        c33 = coopMultiplyAdd(a3, b3, c33);
    }
    return Sums(c00, c01, c02, c03, c10, c11, c12, c13, c20, c21, c22, c23, c30, c31, c32, c33);
}

// Every matrix of the sums through workgroup memory, as no invocation sees what a matrix holds.
fn sum_over(sums: Sums, at: Place) -> f32 {
    var total = 0.0;
    coopStoreT(sums.c00, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(0u, 0u));
    coopStoreT(sums.c01, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(0u, 1u));
    coopStoreT(sums.c02, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(0u, 2u));
    coopStoreT(sums.c03, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(0u, 3u));
    coopStoreT(sums.c10, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(1u, 0u));
    coopStoreT(sums.c11, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(1u, 1u));
    coopStoreT(sums.c12, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(1u, 2u));
    coopStoreT(sums.c13, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(1u, 3u));
    coopStoreT(sums.c20, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(2u, 0u));
    coopStoreT(sums.c21, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(2u, 1u));
    coopStoreT(sums.c22, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(2u, 2u));
    coopStoreT(sums.c23, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(2u, 3u));
    coopStoreT(sums.c30, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(3u, 0u));
    coopStoreT(sums.c31, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(3u, 1u));
    coopStoreT(sums.c32, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(3u, 2u));
    coopStoreT(sums.c33, &results[at.own * F * F], F);
    total += matrix_sum(at, vec2(3u, 3u));
    return total;
}
