//! The test whether two sets have one distribution, by permutations (Gretton et al. 2012, section 5): the squared discrepancy
//! of the sets beside those of random splits of their union.
//!
//! Rows are drawn into groups of one size, at random within each set. One pass over the sample gives the sum of the kernel
//! over each two groups, exactly; a split of the groups then costs k² additions, whatever the number of rows. Under the
//! hypothesis all splits of the groups are as likely as the given one, so that the p-value holds for any size of the groups.

use std::time::Instant;

use rand::{rngs::ChaCha8Rng, seq::SliceRandom};
use unisphere::{Embeddings, GroupUniformity, Groups, Uniformity};

use crate::{
    error::Result,
    session::{Session, Step},
};

/// Groups of one set at most.
const MAX_GROUPS: usize = 256;
/// Groups of the smaller set, if it has rows for so many.
const MIN_GROUPS: usize = 128;
/// Rows of a group at most: 16,384 of a set.
const MAX_ROWS_OF_GROUP: usize = 64;

/// Permutations between two looks at whether the measuring is to end: some milliseconds.
const PERMUTATIONS_PER_CHECK: usize = 32;

/// The squared discrepancy of two sets, and how often random splits of their union have as much.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PermutationTest {
    /// The t of the kernel.
    pub t: f64,
    /// Rows of x and of y that the test is of, drawn at random.
    pub rows: [usize; 2],
    /// The rows that change sides together.
    pub group: usize,
    /// The squared discrepancy of these rows.
    pub squared_mmd: f64,
    /// The number of random splits.
    pub permutations: usize,
    /// (b + 1) / (m + 1), where b of m splits have at least this discrepancy.
    pub p_value: f64,
}

/// Rows of both sets, group by group, those of x before those of y.
pub(super) struct Sample<'a> {
    points: Embeddings<'a>,
    /// Groups of x and of y.
    groups: [usize; 2],
    group: usize,
}

impl Sample<'static> {
    /// Draws the rows.
    pub(super) fn draw(x: &Embeddings<'_>, y: &Embeddings<'_>, rng: &mut ChaCha8Rng) -> Result<Self> {
        let smaller = x.rows().min(y.rows());
        let group = (smaller / MIN_GROUPS).clamp(1, MAX_ROWS_OF_GROUP);
        let mut values = Vec::new();
        let groups = [x, y].map(|set| {
            let groups = (set.rows() / group).min(MAX_GROUPS);
            let mut order: Vec<_> = (0..set.rows()).collect();
            let (drawn, _) = order.partial_shuffle(rng, groups * group);
            let dims = set.dims();
            for &mut row in drawn {
                values.extend_from_slice(&set.values()[row * dims..(row + 1) * dims]);
            }
            groups
        });
        let rows = (groups[0] + groups[1]) * group;
        Ok(Self { points: Embeddings::with_scaling(values, rows, x.dims(), x.scaling())?, groups, group })
    }

    /// The test at one t.
    pub(super) fn test(
        self,
        t: f64,
        permutations: usize,
        rng: &mut ChaCha8Rng,
        session: &mut Session<'_>,
    ) -> Result<PermutationTest> {
        let Self { points, groups, group } = self;
        let labels: Vec<_> = (0..points.rows()).map(|row| (row / group) as i64).collect();
        let points = session.upload_points(points)?;
        let found = session.sums_of_groups(&points, &Groups::new(&labels)?, Uniformity { t })?;
        let sums = Sums::new(&found, groups.iter().sum(), group);
        let mut side: Vec<bool> = (0..groups.iter().sum()).map(|number| number < groups[0]).collect();
        let squared_mmd = sums.squared_mmd(&side);
        // A split that is the given one is as great, whatever the order of its sums.
        let least = squared_mmd - 1e-9 * squared_mmd.abs();
        let mut as_great = 0;
        let start = Instant::now();
        for number in 0..permutations {
            if number.is_multiple_of(PERMUTATIONS_PER_CHECK) {
                session.check(Step::PermutationTest)?;
            }
            side.shuffle(rng);
            as_great += usize::from(sums.squared_mmd(&side) >= least);
        }
        session.add(start.elapsed());
        let p_value = (as_great + 1) as f64 / (permutations + 1) as f64;
        let rows = groups.map(|groups| groups * group);
        Ok(PermutationTest { t, rows, group, squared_mmd, permutations, p_value })
    }
}

/// Σ (k(a, b) − 1) over the ordered pairs of rows of each two groups: a constant that is taken from the kernel cancels in the
/// discrepancy, and the digits of narrow sets stay.
struct Sums {
    /// Row-major and symmetric.
    of_pairs: Vec<f64>,
    groups: usize,
    /// Rows of a group.
    group: usize,
}

impl Sums {
    fn new(found: &GroupUniformity, groups: usize, group: usize) -> Self {
        let size = group as f64;
        let of_pair = |a: usize, b: usize| {
            let pairs = if a == b { size * (size - 1.0) } else { size * size };
            // A group of one row has no pairs.
            found.between(a, b).map_or(0.0, |value| pairs * value.exp_m1())
        };
        let of_pairs = (0..groups * groups).map(|at| of_pair(at / groups, at % groups)).collect();
        Self { of_pairs, groups, group }
    }

    /// The discrepancy, without bias, of the groups on either side.
    fn squared_mmd(&self, is_of_x: &[bool]) -> f64 {
        // Of x, of y, and across in both orders.
        let [mut x, mut y, mut across] = [0.0; 3];
        for (row, &a) in self.of_pairs.chunks_exact(self.groups).zip(is_of_x) {
            let [mut same, mut other] = [0.0; 2];
            for (&sum, &b) in row.iter().zip(is_of_x) {
                let of_same = if a == b { sum } else { 0.0 };
                same += of_same;
                other += sum - of_same;
            }
            *(if a { &mut x } else { &mut y }) += same;
            across += other;
        }
        let groups_of_x = is_of_x.iter().filter(|&&of_x| of_x).count();
        let [n, m] = [groups_of_x, self.groups - groups_of_x].map(|groups| (groups * self.group) as f64);
        x / (n * (n - 1.0)) + y / (m * (m - 1.0)) - across / (n * m)
    }
}
