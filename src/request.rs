//! Requests: a metric over certain points, ready to be measured.

use crate::{backend::Backend, pending::Pending, progress::Watch};

/// A metric over certain points, and all that its value depends on: made by the methods of the metrics, such as
/// [`Uniformity::within`](crate::Uniformity::within), and measured by [`Engine::value`](crate::Engine::value).
///
/// This trait is sealed: requests are made by this crate alone.
pub trait Metric: Sealed + Send + Sync {
    /// The value: a number, one for each parameter, or a struct of numbers.
    type Value;

    /// The number of pairs of points that a value goes through: the total of its [`Progress`](crate::Progress).
    fn pairs(&self) -> u64;

    #[doc(hidden)]
    fn measure<'a>(&'a self, on: &'a Run<'a>) -> Pending<'a, Self::Value>;
}

/// A request that has a gradient with respect to its points: see
/// [`Engine::value_and_grad`](crate::Engine::value_and_grad).
pub trait Differentiable: Metric {
    /// One [`Matrix`](crate::Matrix) of the shape of the points, or a pair of them for two sets.
    type Gradients;

    #[doc(hidden)]
    fn differentiate<'a>(&'a self, on: &'a Run<'a>) -> Pending<'a, (Self::Value, Self::Gradients)>;
}

/// The device that a request is measured on, and the watch over its progress.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    pub(crate) backend: &'a dyn Backend,
    pub(crate) watch: &'a Watch,
}

/// A mark that only this crate can set.
pub trait Sealed {}

/// The value of a request, and its gradients with the derivative for its parameter.
pub(crate) type WithDerivative<R> = (<R as Metric>::Value, (<R as Differentiable>::Gradients, f64));

/// A request with one parameter, whose derivative it has beside the gradients for its points.
///
/// This trait is sealed.
pub trait Parametric: Differentiable {
    #[doc(hidden)]
    fn differentiate_with_parameter<'a>(&'a self, on: &'a Run<'a>) -> Pending<'a, WithDerivative<Self>>;
}

/// A request whose gradients come with the derivative for its parameter: t of a uniformity, τ of a contrastive loss. Its
/// gradients are a pair, those for the points and a number.
#[derive(Clone, Copy, Debug)]
pub struct WithParameter<R>(pub(crate) R);

impl<R> Sealed for WithParameter<R> {}

impl<R: Parametric> Metric for WithParameter<R> {
    type Value = R::Value;

    fn pairs(&self) -> u64 {
        self.0.pairs()
    }

    fn measure<'a>(&'a self, on: &'a Run<'a>) -> Pending<'a, Self::Value> {
        self.0.measure(on)
    }
}

impl<R: Parametric> Differentiable for WithParameter<R> {
    type Gradients = (R::Gradients, f64);

    fn differentiate<'a>(&'a self, on: &'a Run<'a>) -> Pending<'a, (Self::Value, Self::Gradients)> {
        self.0.differentiate_with_parameter(on)
    }
}

/// Implements [`Differentiable`] for a [`Parametric`] request: the same without the parameter.
macro_rules! without_parameter {
    ($gradients:ty) => {
        type Gradients = $gradients;

        fn differentiate<'r>(&'r self, on: &'r Run<'r>) -> Pending<'r, (Self::Value, Self::Gradients)> {
            Box::pin(async move {
                let (value, (gradients, _)) = self.differentiate_with_parameter(on).await?;
                Ok((value, gradients))
            })
        }
    };
}
pub(crate) use without_parameter;
