//! More than one number: several t, weights, rows, groups, histograms, and what uniformity cannot see.

use super::Engine;
use crate::{
    error::Result,
    metrics::{self, Alignment, ClosePairs, GroupUniformity, Groups, Potentials, Spectrum, Uniformity},
    pairs::Pairs,
    points::{Matrix, Points},
};

impl Engine {
    /// Uniformity of x (n, d) for every t, at little more than the cost of one on the CPU.
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity).
    pub fn uniformities(&self, x: &Points, ts: &[f64]) -> Result<Vec<f64>> {
        Uniformity::values(&*self.backend, Pairs::Within(x), ts, &self.watch(Pairs::Within(x).count()))
    }

    /// Cross uniformity of x (n, d) with y (m, d) for every t.
    ///
    /// # Errors
    ///
    /// Those of [`cross_uniformity`](Self::cross_uniformity).
    pub fn cross_uniformities(&self, x: &Points, y: &Points, ts: &[f64]) -> Result<Vec<f64>> {
        let pairs = Pairs::Across(x, y);
        Uniformity::values(&*self.backend, pairs, ts, &self.watch(pairs.count()))
    }

    /// Cross uniformity of x (n, d) with y (n, d) for every t, over the pairs i ≠ j: without the positive pairs, row i of
    /// one set with row i of the other.
    ///
    /// # Errors
    ///
    /// Those of [`cross_uniformity`](Self::cross_uniformity); unless there are as many rows in both, and two.
    pub fn unpaired_uniformities(&self, x: &Points, y: &Points, ts: &[f64]) -> Result<Vec<f64>> {
        let pairs = Pairs::Unpaired(x, y);
        Uniformity::values(&*self.backend, pairs, ts, &self.watch(pairs.count()))
    }

    /// Uniformity of the union of x (n, d) and y (m, d), for every t: of both sets together, pairs across them included.
    ///
    /// # Errors
    ///
    /// Those of [`cross_uniformity`](Self::cross_uniformity); two rows of either set are needed.
    pub fn pooled_uniformities(&self, x: &Points, y: &Points, ts: &[f64]) -> Result<Vec<f64>> {
        metrics::pooled(&*self.backend, x, y, ts, &self.watch_union(x, y))
    }

    /// The squared maximum mean discrepancy of x (n, d) and y (m, d) under the kernel exp(−t‖x−y‖²), without bias, so
    /// that it may be negative (Gretton et al. 2012, eq. 3). 0 is expected of two sets of one distribution, drawn
    /// independently: not of positive pairs, for which there is [`paired_squared_mmd`](Self::paired_squared_mmd).
    ///
    /// # Errors
    ///
    /// Those of [`cross_uniformity`](Self::cross_uniformity); two rows of either set are needed.
    pub fn squared_mmd(&self, x: &Points, y: &Points, metric: Uniformity) -> Result<f64> {
        metrics::squared_mmd(&*self.backend, Pairs::Across(x, y), metric, &self.watch_union(x, y))
    }

    /// The same of x (n, d) and y (n, d) whose rows i are positive pairs: these are left out (eq. 4), since a pair is closer
    /// than its sets are.
    ///
    /// # Errors
    ///
    /// Those of [`unpaired_uniformities`](Self::unpaired_uniformities).
    pub fn paired_squared_mmd(&self, x: &Points, y: &Points, metric: Uniformity) -> Result<f64> {
        let sets = [Pairs::Within(x), Pairs::Within(y), Pairs::Unpaired(x, y)];
        let watch = self.watch(sets.iter().map(Pairs::count).sum());
        metrics::squared_mmd(&*self.backend, Pairs::Unpaired(x, y), metric, &watch)
    }

    /// Uniformity of x (n, d) whose row i counts `weights[i]` times: log Σ wᵢwⱼ exp(−t‖xᵢ−xⱼ‖²) / Σ wᵢwⱼ over i < j.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`](crate::Error::Weights) unless there is one per row, none negative, two of them positive and these
    /// within a factor of 1e30; those of
    /// [`uniformity`](Self::uniformity).
    pub fn weighted_uniformity(&self, x: &Points, weights: &[f64], metric: Uniformity) -> Result<f64> {
        metric.weighted_value(&*self.backend, x, weights, &self.watch(Pairs::Within(x).count()))
    }

    /// Weighted uniformity of x (n, d), and its gradient (n, d).
    ///
    /// # Errors
    ///
    /// Those of [`weighted_uniformity`](Self::weighted_uniformity).
    pub fn weighted_uniformity_with_grad(
        &self,
        x: &Points,
        weights: &[f64],
        metric: Uniformity,
    ) -> Result<(f64, Matrix)> {
        metric.weighted_value_with_grad(&*self.backend, x, weights, &self.watch(Pairs::Within(x).count()))
    }

    /// Alignment of x (n, d) and y (n, d) whose pair i counts `weights[i]` times: Σ w‖x−y‖^α / Σ w.
    ///
    /// # Errors
    ///
    /// [`Error::Weights`](crate::Error::Weights) unless there is one per row, none negative, one of them positive and these
    /// within a factor of 1e30; those of
    /// [`alignment`](Self::alignment).
    pub fn weighted_alignment(
        &self,
        x: &Points,
        y: &Points,
        weights: &[f64],
        metric: Alignment,
    ) -> Result<f64> {
        metric.weighted_value(&*self.backend, x, y, weights)
    }

    /// Weighted alignment of x (n, d) and y (n, d), and its gradients, (n, d) each.
    ///
    /// # Errors
    ///
    /// Those of [`weighted_alignment`](Self::weighted_alignment).
    pub fn weighted_alignment_with_grad(
        &self,
        x: &Points,
        y: &Points,
        weights: &[f64],
        metric: Alignment,
    ) -> Result<(f64, Matrix, Matrix)> {
        metric.weighted_value_with_grad(&*self.backend, x, y, weights)
    }

    /// How crowded each point of x (n, d) is; uniformity and its uncertainty follow from that.
    ///
    /// # Errors
    ///
    /// Those of [`uniformity`](Self::uniformity), of the potential of any point.
    pub fn potentials(&self, x: &Points, metric: Uniformity) -> Result<Potentials> {
        Potentials::of(&*self.backend, x, metric, &self.watch(Pairs::Within(x).count()))
    }

    /// ‖xᵢ−yᵢ‖ of every row of x (n, d) and y (n, d), by direct difference.
    ///
    /// # Errors
    ///
    /// Those of [`alignment`](Self::alignment).
    pub fn pair_distances(&self, x: &Points, y: &Points) -> Result<Vec<f64>> {
        metrics::pair_distances(&*self.backend, x, y)
    }

    /// Uniformity within each group of x (n, d) and across each two, in one sweep.
    ///
    /// # Errors
    ///
    /// [`Error::Labels`](crate::Error::Labels) unless there is one label per row; those of [`uniformity`](Self::uniformity).
    pub fn group_uniformity(
        &self,
        x: &Points,
        groups: &Groups,
        metric: Uniformity,
    ) -> Result<GroupUniformity> {
        groups.uniformity(&*self.backend, x, metric, &self.watch(Pairs::Within(x).count()))
    }

    /// How many pairs i < j of unit rows x (n, d) have a cosine in each of `bins` equal parts of [−1, 1]. Every pair counts,
    /// in f32: one whose cosine is within 1e-6 of the end of a part may count as of the next.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for 0 bins or more than 65,536;
    /// [`Error::Raw`](crate::Error::Raw) for raw points.
    pub fn cosine_histogram(&self, x: &Points, bins: usize) -> Result<Vec<u64>> {
        metrics::cosine_histogram(&*self.backend, x, bins, &self.watch(Pairs::Within(x).count()))
    }

    /// The pairs i < j of x (n, d) at most `distance` apart, exactly: all counted, and the first `limit` listed.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for a negative distance.
    pub fn close_pairs(&self, x: &Points, distance: f64, limit: usize) -> Result<ClosePairs> {
        let watch = self.watch(Pairs::Within(x).count());
        ClosePairs::find(&*self.backend, x, distance, limit, &watch)
    }

    /// What uniformity cannot see of x (n, d): mean, spectrum of the covariance, and the ranks and distance made of them.
    ///
    /// # Errors
    ///
    /// [`Error::TooFewRows`](crate::Error::TooFewRows) for none.
    pub fn spectrum(&self, x: &Points) -> Result<Spectrum> {
        Spectrum::of(&*self.backend, x)
    }
}
