// Tiles of eight rows of a grid are next to each other, column by column: what they share stays in the cache.
const BAND = 8u;

// The tile of this number in a grid: (row, column).
fn grid_tile(number: u32, rows: u32, columns: u32) -> vec2<u32> {
    let band = number / (BAND * columns);
    let height = min(BAND, rows - band * BAND);
    let within = number - band * BAND * columns;
    return vec2(band * BAND + within % height, within / height);
}
