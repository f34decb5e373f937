//! The comparers reject what is wrong in each of the ways in which results go wrong, and accept the rest.

mod support;

use support::{
    compare::{self, Report},
    oracle::Rows,
    random,
};

const ROWS: usize = 7;
const DIMS: usize = 5;

fn right() -> (Vec<f32>, Rows) {
    let values = random::single(&random::normal(ROWS, DIMS, 1));
    let rows = support::oracle::rows(&values, DIMS);
    (values, rows)
}

/// Every way to spoil a result.
fn wrong() -> Vec<(&'static str, Vec<f32>)> {
    let (right, _) = right();
    let with = |change: &dyn Fn(&mut Vec<f32>)| {
        let mut values = right.clone();
        change(&mut values);
        values
    };
    vec![
        ("one value is off", with(&|v| v[11] *= 1.01)),
        ("one sign is off", with(&|v| v[34] = -v[34])),
        ("a NaN", with(&|v| v[8] = f32::NAN)),
        ("an infinity", with(&|v| v[8] = f32::INFINITY)),
        ("shifted by one value", with(&|v| v.rotate_right(1))),
        ("shifted by one row", with(&|v| v.rotate_right(DIMS))),
        ("transposed", (0..ROWS * DIMS).map(|k| right[k % ROWS * DIMS + k / ROWS]).collect()),
        ("twice too large", with(&|v| v.iter_mut().for_each(|v| *v *= 2.0))),
        ("all zeros", vec![0.0; ROWS * DIMS]),
        ("the last row is left out", with(&|v| v[(ROWS - 1) * DIMS..].fill(0.0))),
        ("a row is missing", with(&|v| v.truncate((ROWS - 1) * DIMS))),
        ("a value is missing", with(&|v| v.truncate(ROWS * DIMS - 1))),
        ("a value too many", with(&|v| v.push(0.0))),
        ("empty", Vec::new()),
    ]
}

#[test]
fn values() {
    assert!(compare::value(1.0 + 9e-7, 1.0, 1e-6).is_ok());
    assert!(compare::value(0.0, 0.0, 0.0).is_ok());
    for (got, want) in [
        (1.0 + 1.1e-6, 1.0),
        (1.0 - 1.1e-6, 1.0),
        (-1.0, 1.0),
        (f64::NAN, 1.0),
        (1.0, f64::NAN),
        (f64::INFINITY, 1.0),
        (f64::NEG_INFINITY, f64::NEG_INFINITY),
    ] {
        assert!(compare::value(got, want, 1e-6).is_err(), "{got} passed for {want}");
    }
    assert!(compare::value(1e-300, 0.0, 0.0).is_err());
}

#[test]
fn matrices() {
    let (values, rows) = right();
    assert_eq!(compare::matrix(&values, &rows, |v| 1e-6 * v.abs()), Ok(()));
    assert_eq!(compare::matrix(&values, &rows, |_| 0.0), Ok(()));
    for (fault, values) in wrong() {
        assert!(compare::matrix(&values, &rows, |v| 1e-6 * v.abs()).is_err(), "{fault}");
    }
}

#[test]
fn gradients() {
    let (values, rows) = right();
    let gradient = |values: &[f32]| compare::gradient(values, &rows, &[1.0; ROWS], 1e-5, 0.0);
    assert_eq!(gradient(&values), Ok(()));
    let close: Vec<f32> = values.iter().map(|v| v * (1.0 + 5e-6)).collect();
    assert_eq!(gradient(&close), Ok(()));
    for (fault, values) in wrong() {
        assert!(gradient(&values).is_err(), "{fault}");
    }
}

#[test]
fn a_gradient_of_zero_is_zero_or_below_its_floor() {
    let zero = vec![vec![0.0; DIMS]; ROWS];
    let gradient = |value, floor| compare::gradient(&[value; ROWS * DIMS], &zero, &[1.0; ROWS], 1e-5, floor);
    assert_eq!(gradient(0.0, 0.0), Ok(()));
    assert_eq!(gradient(1e-9, 1e-7), Ok(()));
    assert!(gradient(1e-9, 0.0).is_err());
    assert!(gradient(1e-6, 1e-7).is_err());
}

#[test]
fn the_weights_of_rows_let_short_rows_count() {
    let (values, rows) = right();
    let mut weights = [1.0; ROWS];
    weights[2] = 1e-9;
    let mut spoiled = values;
    spoiled[2 * DIMS] += 1.0;
    assert!(compare::gradient(&spoiled, &rows, &[1.0; ROWS], 1e-5, 0.0).is_err());
    assert!(compare::gradient(&spoiled, &rows, &weights, 1e-5, 0.0).is_ok());
}

#[test]
fn one_message_tells_all_mismatches() {
    let (mut values, rows) = right();
    for (k, change) in [(0, 1.0), (6, 2.0), (12, 3.0), (20, 9.0), (33, 4.0)] {
        values[k] += change;
    }
    let matrix = compare::matrix(&values, &rows, |_| 0.5).expect_err("it is wrong");
    assert!(matrix.starts_with("5 of 35 elements are off, first [0, 0] "), "{matrix}");
    assert!(matrix.contains("[1, 1]") && matrix.contains("18.0 times its tolerance, [4, 0]"), "{matrix}");
    let gradient = compare::gradient(&values, &rows, &[1.0; ROWS], 1e-5, 0.0).expect_err("it is wrong");
    assert!(gradient.contains("5 of 7 rows are off") && gradient.contains("row 4"), "{gradient}");
}

#[test]
fn a_report_keeps_every_failure() {
    let mut report = Report::default();
    report.check("a", Ok(()));
    report.check("b", Err("is wrong".into()));
    report.check("c", Err("too".into()));
    assert_eq!(report.finish(), Err("b: is wrong\nc: too".into()));
    assert_eq!(Report::default().finish(), Ok(()));
}
