// Which pairs of a block count: all (0); where both sides are panels of one number, those above the diagonal alone (1), or
// all but the diagonal (2).

fn counted_pairs(diagonal: u32, row: u32, cols: vec4<u32>) -> vec4<bool> {
    let beside = (cols != vec4(row)) | vec4(diagonal == 0u);
    return (cols > vec4(row)) | (beside & vec4(diagonal != 1u));
}

// Whether all pairs of a tile do.
fn whole_tile(diagonal: u32, first: vec2<u32>, end: vec2<u32>) -> bool {
    return diagonal == 0u || end.x <= first.y || (diagonal == 2u && end.y <= first.x);
}
