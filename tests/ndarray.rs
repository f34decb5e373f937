//! ndarray views of any stride are the points that they show.

use ndarray::{Array2, ArrayView2, Axis, s};
use unisphere::{Embeddings, Engine, Error, Result, Scaling, Uniformity};

fn matrix(rows: usize, dims: usize) -> Array2<f32> {
    Array2::from_shape_fn((rows, dims), |(i, k)| ((i * 31 + k * 7 + 1) as f32).sin())
}

/// The view gives the values of an element-by-element copy, and the uniformity of a contiguous one.
fn same(view: ArrayView2<'_, f32>) -> Result<()> {
    let (rows, dims) = view.dim();
    let copy: Vec<f32> = (0..rows).flat_map(|i| (0..dims).map(move |k| view[[i, k]])).collect();
    let engine = Engine::cpu();
    for scaling in [Scaling::Unit, Scaling::Raw] {
        let from_view = Embeddings::from_array(view, scaling)?;
        let from_copy = Embeddings::with_scaling(&copy, rows, dims, scaling)?;
        assert_eq!((from_view.rows(), from_view.dims(), from_view.scaling()), (rows, dims, scaling));
        assert_eq!(from_view.values(), copy);
        let u = |x| engine.uniformity(&engine.upload(x)?, Uniformity::default());
        assert_eq!(u(&from_view)?.to_bits(), u(&from_copy)?.to_bits());
    }
    Ok(())
}

#[test]
fn contiguous() -> Result<()> {
    same(matrix(7, 5).view())
}

#[test]
fn a_contiguous_view_is_not_copied() -> Result<()> {
    let x = matrix(7, 5);
    let points = Embeddings::from_array(x.view(), Scaling::Unit)?;
    assert_eq!(points.values().as_ptr(), x.as_ptr());
    Ok(())
}

#[test]
fn transposed() -> Result<()> {
    same(matrix(7, 5).t())
}

#[test]
fn reversed() -> Result<()> {
    let mut rows = matrix(7, 5);
    rows.invert_axis(Axis(0));
    same(rows.view())?;
    let mut dims = matrix(7, 5);
    dims.invert_axis(Axis(1));
    same(dims.view())
}

#[test]
fn sliced() -> Result<()> {
    let x = matrix(20, 12);
    same(x.slice(s![3..17, ..]))?;
    same(x.slice(s![.., 2..9]))?;
    same(x.slice(s![..;3, 1..;2]))?;
    same(x.slice(s![..;-2, ..;-5]))
}

#[test]
fn one_row_repeated() -> Result<()> {
    let x = matrix(1, 5);
    let stretched = x.broadcast((6, 5)).expect("one row stretches to any number");
    same(stretched)
}

#[test]
fn of_one_row_or_one_dimension() -> Result<()> {
    same(matrix(9, 1).view())?;
    same(matrix(2, 9).slice(s![.., 3..4]))
}

#[test]
fn faults_are_found_where_the_view_shows_them() {
    let mut x = matrix(4, 3);
    x[[1, 2]] = f32::NAN;
    let error = |view| Embeddings::from_array(view, Scaling::Unit).err();
    assert_eq!(error(x.view()), Some(Error::NotFinite { row: 1, dim: 2 }));
    assert_eq!(error(x.t()), Some(Error::NotFinite { row: 2, dim: 1 }));
    assert_eq!(error(x.slice(s![..;-1, 1..])), Some(Error::NotFinite { row: 2, dim: 1 }));
    assert_eq!(error(x.slice(s![.., 0..0])), Some(Error::NoDims));
}
