// A tile's Σ exp(κs), kept as its largest similarity s and the rest scaled by it: sum · exp(κ·pivot). The host
// makes a LogSumExp of it, in f64.
struct TileSum {
    pivot: f32,
    sum: f32,
}
