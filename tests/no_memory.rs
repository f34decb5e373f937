//! Lists and matrices that grow with the rows where there is no memory for them: an error that says what for, and no abort.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    ptr,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use unisphere::{
    Alignment, Candidates, ClosePairs, Contrastive, Embeddings, Engine, Error, Groups, LabelledPairs, Result,
    Uniformity,
};

/// Refuses what is larger than the limit.
struct Limited;

#[global_allocator]
static ALLOCATOR: Limited = Limited;

/// The largest allocation, in bytes.
static LIMIT: AtomicUsize = AtomicUsize::new(usize::MAX);

/// The largest allocation that was asked for, in bytes.
static LARGEST: AtomicUsize = AtomicUsize::new(0);

/// Whether an allocation is refused.
fn is_refused(bytes: usize) -> bool {
    LARGEST.fetch_max(bytes, SeqCst);
    bytes > LIMIT.load(SeqCst)
}

// SAFETY: every call goes to the system's allocator as it came, or returns null, which the contract allows where there is no memory.
unsafe impl GlobalAlloc for Limited {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_refused(layout.size()) {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if is_refused(size) {
            return ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// What `work` returns where no allocation may be larger.
fn within<T>(limit: usize, work: impl FnOnce() -> T) -> T {
    LIMIT.store(limit, SeqCst);
    let result = work();
    LIMIT.store(usize::MAX, SeqCst);
    result
}

const ROWS: usize = 1 << 18;
/// Less than 8 bytes a row.
const LIMIT_OF_LISTS: usize = 1 << 20;

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T>, what: &str) {
    let error = result.expect_err("there is no memory");
    assert!(matches!(error, Error::OutOfMemory { .. }) && error.to_string().contains(what), "{error}");
}

/// One test, as the limit is that of the process.
#[test]
fn lists_and_matrices_are_asked_for() -> Result<()> {
    let labels: Vec<i64> = (0..ROWS as i64).map(|row| row % 7).collect();
    refused(within(LIMIT_OF_LISTS, || Groups::new(&labels)), "the groups of 262144 rows");
    refused(
        within(LIMIT_OF_LISTS, || LabelledPairs::new(&labels, &labels[..9])),
        "the classes of 262153 rows",
    );

    let values: Vec<f32> = (0..ROWS).map(|row| (row / 2) as f32 + 1.0).collect();
    let points = Embeddings::raw(&values[..], ROWS, 1)?;
    refused(within(LIMIT_OF_LISTS, || points.duplicates()), "the hashes of 262144 rows");
    assert_eq!(points.duplicates()?.len(), ROWS / 2);

    let (engine, groups) = (Engine::cpu(), Groups::new(&labels)?);
    let x = engine.upload(&points)?;
    let weights = vec![2.0; ROWS];
    let of_label = Alignment::default().by_label(&x, &groups);
    refused(within(LIMIT_OF_LISTS / 2, || engine.value(of_label)), "the groups of 262144 rows");
    refused(
        within(LIMIT_OF_LISTS, || engine.value(of_label.weighted(&weights))),
        "the weights of 262144 rows",
    );
    let within_groups = groups.uniformity(Uniformity::new(1e-9), &x).weighted(&weights);
    refused(within(LIMIT_OF_LISTS, || engine.value(within_groups)), "the weights of 262144 rows");

    // Of the same shape, once with all pairs close and once with none: the lists are what is larger.
    let set = |apart: f32| {
        Embeddings::raw((0..6000).map(|row| 1.0 + row as f32 * apart).collect::<Vec<_>>(), 6000, 1)
    };
    let (equal, apart) = (engine.upload(&set(0.0)?)?, engine.upload(&set(10.0)?)?);
    let close = ClosePairs::within(&equal, 0.5).limit(3);
    LARGEST.store(0, SeqCst);
    assert_eq!(engine.value(ClosePairs::within(&apart, 0.5).limit(3))?.count, 0);
    let without = LARGEST.swap(0, SeqCst);
    let found = engine.value(close)?;
    assert_eq!((found.count, found.pairs.len()), (6000 * 5999 / 2, 3));
    assert!(LARGEST.load(SeqCst) > without, "lists of at most {without} bytes");
    refused(within(without, || engine.value(close)), "the close pairs of a block");
    matrices_are_asked_for(&engine)
}

/// Points, gradients and matrices, of 4 MB each, where a megabyte is what can be had.
fn matrices_are_asked_for(engine: &Engine) -> Result<()> {
    const LIMIT: usize = 1 << 20;
    let (n, d) = (4000, 250);
    let values = |offset: usize| (0..n * d).map(|i| ((i + offset) as f32).sin() + 1e-3).collect::<Vec<_>>();
    let (of_x, of_y) = (values(0), values(7));
    let embeddings = Embeddings::new(&of_x[..], n, d)?;
    refused(within(LIMIT, || engine.upload(&embeddings)), "4000 × 250 points");
    refused(within(LIMIT, || engine.upload_matrix(&of_x, n, d)), "a matrix of 4000 × 250");

    let (x, y) = (engine.upload(&embeddings)?, engine.upload(&Embeddings::new(&of_y[..], n, d)?)?);
    let uniformity = Uniformity::default();
    let within_limit = within(LIMIT, || engine.value(uniformity.within(&x)))?;
    assert_eq!(within_limit, engine.value(uniformity.within(&x))?);
    let matrix = "a matrix of 4000 × 250";
    refused(within(LIMIT, || engine.value_and_grad(uniformity.within(&x))), matrix);
    refused(within(LIMIT, || engine.value_and_grad(uniformity.across(&x, &y))), matrix);
    refused(within(LIMIT, || engine.alignment_with_grad(&x, &y, Alignment::default())), matrix);
    for candidates in [Candidates::OneWay, Candidates::BothWays, Candidates::Views] {
        let contrastive = Contrastive { tau: 0.5, candidates };
        refused(within(LIMIT, || engine.contrastive_with_grad(&x, &y, contrastive)), matrix);
    }
    let (_, gradient) = engine.uniformity_with_grad(&x, uniformity)?;
    refused(within(LIMIT, || gradient.read()), matrix);
    Ok(())
}
