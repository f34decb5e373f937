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
