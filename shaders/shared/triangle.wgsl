// The tile of this number on or above the diagonal, column by column: (row, column). Tiles are as wide as they are
// high, or a multiple of it: then each column holds as many more. Some may lie below the last row.
// Stands on: tiles.wgsl.
fn triangle_tile(number: u32) -> vec2<u32> {
    let ratio = COL_QUADS / ROW_QUADS;
    let square = number / ratio;
    var column = u32((sqrt(8.0 * f32(square) + 1.0) - 1.0) * 0.5);
    // The square root may be rounded across a whole number.
    if column * (column + 1u) / 2u > square {
        column -= 1u;
    }
    if (column + 1u) * (column + 2u) / 2u <= square {
        column += 1u;
    }
    return vec2((square - column * (column + 1u) / 2u) * ratio + number % ratio, column);
}
