//! An order of things in which neighbours are alike.

/// Rounds of improvement at most; few are needed.
const MAX_ROUNDS: usize = 50;

/// The places of so many things, so that those beside each other are alike: first each beside the most alike that is left, then pieces
/// of the order turned around as long as that helps. `alike` is symmetric, greater for things that are more alike.
pub(super) fn of_alike(count: usize, alike: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut order = beside_nearest(count, alike);
    for _ in 0..MAX_ROUNDS {
        if !turn_pieces(&mut order, alike) {
            break;
        }
    }
    order
}

/// Begins with the two most alike, and goes on at either end.
fn beside_nearest(count: usize, alike: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
    let mut left: Vec<usize> = (1..count).collect();
    let mut order: Vec<usize> = (0..count.min(1)).collect();
    let pairs = (0..count).flat_map(|a| (a + 1..count).map(move |b| (a, b)));
    if let Some((a, b)) = pairs.max_by(|&(a, b), &(c, d)| alike(a, b).total_cmp(&alike(c, d))) {
        order = vec![a, b];
        left = (0..count).filter(|&i| i != a && i != b).collect();
    }
    while let (Some(&first), Some(&last)) = (order.first(), order.last()) {
        let ends = |i: usize| alike(i, first).max(alike(i, last));
        let next = (0..left.len()).max_by(|&a, &b| ends(left[a]).total_cmp(&ends(left[b])));
        let Some(next) = next.map(|place| left.remove(place)) else { break };
        if alike(next, last) >= alike(next, first) { order.push(next) } else { order.insert(0, next) }
    }
    order
}

/// Turns a piece around wherever its ends then have more alike neighbours. Whether any was turned.
fn turn_pieces(order: &mut [usize], alike: &dyn Fn(usize, usize) -> f64) -> bool {
    let mut is_better = false;
    for from in 0..order.len() {
        for to in from + 1..order.len() {
            let outside =
                |inside: usize, other: Option<&usize>| other.map_or(0.0, |&other| alike(inside, other));
            let (before, after) = (from.checked_sub(1).and_then(|i| order.get(i)), order.get(to + 1));
            let now = outside(order[from], before) + outside(order[to], after);
            let turned = outside(order[to], before) + outside(order[from], after);
            if turned > now + 1e-12 {
                order[from..=to].reverse();
                is_better = true;
            }
        }
    }
    is_better
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_a_line_come_in_their_order() {
        let places = [5.0, 1.0, 4.0, 2.0, 3.0, 9.0, 0.0];
        let order = of_alike(7, &|a, b| -f64::abs(places[a] - places[b]));
        let mut found: Vec<_> = order.iter().map(|&i| places[i]).collect();
        if found[0] > found[6] {
            found.reverse();
        }
        assert_eq!(found, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 9.0]);
        assert_eq!((of_alike(0, &|_, _| 0.0), of_alike(1, &|_, _| 0.0)), (vec![], vec![0]));
    }
}
