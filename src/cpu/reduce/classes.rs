//! Sums over the pairs of rows of one class, and their gradients: class by class, in f64.
//!
//! Sums of inner products and of squared distances follow from the mean m of each class, in time n·d:
//! Σ_{i<j} ‖xᵢ−xⱼ‖² = n Σᵢ ‖xᵢ−m‖². Means are relative to a row of the class, so that rows which are equal are 0 apart. Other
//! powers of the distance go through the pairs of each class.

use rayon::prelude::*;

use crate::{
    cpu::{
        block::{formula::Difference, map::Power},
        gradient::mapped::distance_gradient,
        matrix::{into_values, matrix},
        pairs::PairSet,
        points::{Rows, finite},
        reduce::mapped::mapped_sum,
        simd::isa::Isa,
        spare::zeros,
    },
    error::{Error, Result},
    function::{ClassTerm, Classes},
    progress::Watch,
    schedule::unordered,
    weights::Gradients,
};

/// Σ w f(x, y) over the pairs of rows of one class, w being the weight of the class.
pub(crate) fn class_sum(
    isa: Isa,
    pairs: PairSet<'_>,
    term: ClassTerm,
    classes: Classes<'_>,
    watch: &Watch,
) -> Result<f64> {
    let of_class = |class: &Class<'_>| class.sum(isa, term, watch);
    let sums: Vec<_> = Class::all(pairs, classes)?.par_iter().map(of_class).collect::<Result<_>>()?;
    Ok(sums.into_iter().sum())
}

/// The same, and the gradient of `upstream` times the sum, added to `into` where given.
pub(crate) fn class_gradient(
    isa: Isa,
    pairs: PairSet<'_>,
    term: ClassTerm,
    classes: Classes<'_>,
    upstream: f64,
    into: Option<Gradients>,
    watch: &Watch,
) -> Result<(f64, Gradients)> {
    let classes = Class::all(pairs, classes)?;
    let of_class = |class: &Class<'_>| class.gradient(isa, term, upstream, watch);
    let parts: Vec<_> = classes.par_iter().map(of_class).collect::<Result<_>>()?;
    // A function has its derivatives beside it.
    let (into_x, into_y, by_log_scale) = Gradients::parts(into);
    let all = |rows: &Rows, into: Option<_>| into.map_or_else(|| zeros(rows.len(), rows.dims()), into_values);
    let mut x = all(pairs.left(), into_x)?;
    let mut y = pairs.second().map(|rows| all(rows, into_y)).transpose()?;
    let dims = pairs.dims();
    let mut total = 0.0;
    for (class, ClassGradient { sum, on_x, on_y }) in classes.iter().zip(parts) {
        total += sum;
        add_rows(&mut x, &class.x, &on_x, dims);
        if let Some(y) = &mut y {
            add_rows(y, &class.y, &on_y, dims);
        }
    }
    let x = matrix(x, pairs.left().len(), dims);
    let y = y.map(|y| matrix(y, pairs.right().len(), dims));
    Ok((total, Gradients { x, y, by_log_scale }))
}

/// Adds the gradients of some rows to those of all.
fn add_rows(all: &mut [f32], rows: &[usize], part: &[f32], dims: usize) {
    for (&row, part) in rows.iter().zip(part.chunks_exact(dims)) {
        let sums = all[row * dims..][..dims].iter_mut();
        sums.zip(part).for_each(|(sum, part)| *sum = finite(f64::from(*sum) + f64::from(*part)) as f32);
    }
}

/// Rows of one class that has pairs.
struct Class<'a> {
    pairs: PairSet<'a>,
    x: Vec<usize>,
    /// The rows of the second set; empty within one.
    y: Vec<usize>,
    weight: f64,
}

/// Sum over the pairs of a class, and its gradient for the rows of the class.
struct ClassGradient {
    sum: f64,
    on_x: Vec<f32>,
    on_y: Vec<f32>,
}

impl<'a> Class<'a> {
    fn all(pairs: PairSet<'a>, classes: Classes<'_>) -> Result<Vec<Self>> {
        if pairs.is_unpaired() {
            return Err(Error::missing("the sum over unpaired rows of one class"));
        }
        let one = |([x, y], &weight): ([Vec<usize>; 2], &f64)| {
            let y = if pairs.second().is_some() { y } else { Vec::new() };
            Self { pairs, x, y, weight }
        };
        let all = classes.rows()?.into_iter().zip(classes.weights).map(one);
        Ok(all.filter(|class| class.weight != 0.0 && class.count() > 0).collect())
    }

    /// Number of pairs.
    fn count(&self) -> u64 {
        match self.pairs.second() {
            None => unordered(self.x.len()),
            Some(_) => self.x.len() as u64 * self.y.len() as u64,
        }
    }

    /// The points on the right and those of them in this class.
    fn right(&self) -> (&'a Rows, &[usize]) {
        (self.pairs.right(), if self.pairs.second().is_some() { &self.y } else { &self.x })
    }

    fn sum(&self, isa: Isa, term: ClassTerm, watch: &Watch) -> Result<f64> {
        match term {
            ClassTerm::Distance { alpha } if alpha != 2.0 => self
                .with_members(|members| mapped_sum::<Difference, _>(isa, members, power(alpha), watch))
                .map(|sum| self.weight * sum),
            _ => {
                let (of_x, of_y) = self.means();
                let sum = self.sum_by_means(term, &of_x, of_y.as_ref().unwrap_or(&of_x));
                watch.advance(self.count())?;
                Ok(self.weight * sum)
            }
        }
    }

    fn gradient(&self, isa: Isa, term: ClassTerm, upstream: f64, watch: &Watch) -> Result<ClassGradient> {
        let scale = self.weight * upstream;
        if let ClassTerm::Distance { alpha } = term
            && alpha != 2.0
        {
            return self.with_members(|members| {
                let (sums, on) = distance_gradient(isa, members, power(alpha), scale, None, watch)?;
                let on_y = on.y.map(into_values).transpose()?.unwrap_or_default();
                Ok(ClassGradient { sum: self.weight * sums.value, on_x: into_values(on.x)?, on_y })
            });
        }
        let ((right, of_right), left) = (self.right(), self.pairs.left());
        let (of_x, of_y) = self.means();
        let of_y = of_y.as_ref().unwrap_or(&of_x);
        let sum = self.weight * self.sum_by_means(term, &of_x, of_y);
        let one_set = self.pairs.second().is_none();
        // The gradient for a row x, m being the mean of the rows on the other side: 2n(x − m), or nm − x within one set.
        let own = if one_set { 1.0 } else { 0.0 };
        let gradient = |rows: &Rows, members: &[usize], mean: &Mean<'_>, others: usize| -> Result<_> {
            let others = others as f64;
            let mut out = zeros(members.len(), rows.dims())?;
            out.par_chunks_exact_mut(rows.dims()).zip(members).for_each_init(
                || vec![0.0; rows.dims()],
                |gradient, (out, &row)| {
                    match term {
                        ClassTerm::Distance { .. } => {
                            let differences = gradient.iter_mut().zip(mean.to(rows, row));
                            differences.for_each(|(g, difference)| *g = scale * 2.0 * others * difference);
                        }
                        ClassTerm::Dot => {
                            let both = gradient.iter_mut().zip(mean.values()).zip(rows.seen(row));
                            both.for_each(|((g, m), x)| *g = scale * (others * m - own * x));
                        }
                    }
                    rows.through_scaling(row, gradient);
                    out.iter_mut().zip(&*gradient).for_each(|(out, &g)| *out = finite(g) as f32);
                },
            );
            Ok(out)
        };
        let on_x = gradient(left, &self.x, of_y, of_right.len())?;
        let on_y = if one_set { Vec::new() } else { gradient(right, of_right, &of_x, self.x.len())? };
        watch.advance(self.count())?;
        Ok(ClassGradient { sum, on_x, on_y })
    }

    /// The mean of the rows on the left, and of those on the right where they are others.
    fn means(&self) -> (Mean<'a>, Option<Mean<'a>>) {
        let of_y = self.pairs.second().map(|rows| Mean::of(rows, &self.y));
        (Mean::of(self.pairs.left(), &self.x), of_y)
    }

    /// Unweighted sum of a term that follows from the means of the rows on either side.
    fn sum_by_means(&self, term: ClassTerm, of_x: &Mean<'_>, of_y: &Mean<'_>) -> f64 {
        let ((right, of_right), left) = (self.right(), self.pairs.left());
        let (n, m) = (self.x.len() as f64, of_right.len() as f64);
        let one_set = self.pairs.second().is_none();
        match term {
            ClassTerm::Distance { .. } if one_set => n * spread(left, &self.x, of_x),
            ClassTerm::Distance { .. } => m * spread(left, &self.x, of_y) + n * spread(right, of_right, of_y),
            ClassTerm::Dot => {
                let of_sums = n * m * of_x.values().zip(of_y.values()).map(|(x, y)| x * y).sum::<f64>();
                let own = |row: &usize| left.seen(*row).map(|v| v * v).sum::<f64>();
                if one_set { 0.5 * (of_sums - self.x.iter().map(own).sum::<f64>()) } else { of_sums }
            }
        }
    }

    /// Runs over the pairs of the rows of this class alone.
    fn with_members<T>(&self, run: impl FnOnce(PairSet<'_>) -> Result<T>) -> Result<T> {
        let x = self.pairs.left().gather(&self.x)?;
        match self.pairs.second() {
            None => run(PairSet::Within(&*Rows::of(&x)?)),
            Some(rows) => {
                let y = rows.gather(&self.y)?;
                run(PairSet::Across(&*Rows::of(&x)?, &*Rows::of(&y)?))
            }
        }
    }
}

fn power(alpha: f64) -> Power {
    Power { half: alpha / 2.0 }
}

/// Rows of a class that a thread takes at a time.
const ROWS_PER_TASK: usize = 1024;

/// Mean of some rows as metrics see them, relative to the first of them.
struct Mean<'a> {
    rows: &'a Rows,
    first: usize,
    offset: Vec<f64>,
}

impl<'a> Mean<'a> {
    fn of(rows: &'a Rows, members: &[usize]) -> Self {
        let first = members.first().copied().unwrap_or_default();
        let mut mean = Self { rows, first, offset: vec![0.0; rows.dims()] };
        let part = |members: &[usize]| {
            let mut sum = vec![0.0; rows.dims()];
            for &row in members {
                sum.iter_mut().zip(mean.to(rows, row)).for_each(|(sum, v)| *sum += v);
            }
            sum
        };
        let parts: Vec<_> = members.par_chunks(ROWS_PER_TASK).map(part).collect();
        let mut offset = vec![0.0; rows.dims()];
        for part in parts {
            offset.iter_mut().zip(part).for_each(|(sum, v)| *sum += v);
        }
        offset.iter_mut().for_each(|sum| *sum /= members.len() as f64);
        mean.offset = offset;
        mean
    }

    /// Difference of a row from the mean.
    fn to(&self, rows: &Rows, row: usize) -> impl Iterator<Item = f64> {
        let relative = rows.seen(row).zip(self.rows.seen(self.first)).map(|(x, first)| x - first);
        relative.zip(&self.offset).map(|(x, offset)| x - offset)
    }

    fn values(&self) -> impl Iterator<Item = f64> {
        self.rows.seen(self.first).zip(&self.offset).map(|(first, offset)| first + offset)
    }
}

/// Σ‖x−m‖² over some rows.
fn spread(rows: &Rows, members: &[usize], mean: &Mean<'_>) -> f64 {
    let square = |&row: &usize| mean.to(rows, row).map(|v| v * v).sum::<f64>();
    let part = |members: &[usize]| members.iter().map(square).sum::<f64>();
    members.par_chunks(ROWS_PER_TASK).map(part).collect::<Vec<_>>().into_iter().sum()
}
