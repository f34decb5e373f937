//! Reports as another program asks for them: arrays in, numbers out.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::ops::ControlFlow;

use unisphere::{Embeddings, Engine};
use unisphere_eval::{
    Axes, Contradiction, Data, Error, MinScore, Options, Parameter, Plan, Protocol, Report, Result, Rounding,
    RoundingCure, Session, Step, measure,
    views::{self, ViewsPlan},
};

/// Six points on a circle, and their partners a little further.
fn circle(shift: f32) -> Vec<f32> {
    (0..6).flat_map(|i| [(i as f32 + shift).cos(), (i as f32 + shift).sin()]).collect()
}

fn plan(change: impl FnOnce(&mut Options)) -> Plan {
    let mut options = Options::default();
    change(&mut options);
    Plan::new(&options).unwrap()
}

/// Measures the circle, and its partners where `paired`.
fn report(plan: Plan, paired: bool, change: impl FnOnce(&mut Data)) -> Result<Report> {
    let engine = Engine::cpu();
    let mut session = Session::new(&engine, |_| ControlFlow::Continue(()));
    let (x, y) = (circle(0.0), circle(0.1));
    let mut data = Data::new(session.upload(Embeddings::new(&x, 6, 2).unwrap(), &plan)?);
    if paired {
        data.y = Some(session.upload(Embeddings::new(&y, 6, 2).unwrap(), &plan)?);
    }
    change(&mut data);
    measure(plan, data, session)
}

#[test]
fn everything_is_there_where_it_is_wanted() {
    let full = report(plan(|o| (o.full, o.paired, o.rows) = (true, true, true)), true, |_| ()).unwrap();
    let alignment = full.summary.alignment.as_ref().unwrap();
    // Chords of 0.1 radians.
    assert!((alignment.measured.value - (2.0 * 0.05f64.sin()).powi(2)).abs() < 1e-6);
    assert_eq!((alignment.pairs, full.summary.pairs, full.rows, full.dims), (6, 15, 6, 2));
    assert_eq!(full.sweep.as_ref().map(|sweep| sweep.rows.len()), Some(4));
    assert_eq!(full.contrastive.as_ref().unwrap().as_ref().unwrap().rows.len(), 2);
    assert_eq!(full.histograms.as_ref().unwrap().cosines[0].histogram.as_ref().unwrap().counts.len(), 50);
    assert!(full.significance.is_some() && full.spectrum.is_some() && full.duplicates.is_some());
    assert_eq!(full.worst_rows.as_ref().unwrap().crowded[1].rows.len(), 6);
    let table = full.row_table.as_ref().unwrap();
    assert_eq!((table.rows(), table.columns.len()), (6, 6));
    assert!(table.columns.iter().all(|column| column.values.len() == 6));
    let ways = &full.retrieval.as_ref().unwrap().as_ref().unwrap().ways;
    assert_eq!(
        ways.each_ref().map(|way| (way.recalls[0].value, way.mean_rank, way.tied)),
        [(1.0, 1.0, 0); 2]
    );
    assert!(full.modality_gap.is_some() && full.groups.is_none() && full.protocol.is_none());

    let plain = report(plan(|_| ()), false, |_| ()).unwrap();
    assert_eq!(plain.summary.sets, full.summary.sets[..1]);
    assert!(plain.summary.alignment.is_none() && plain.sweep.is_none() && plain.row_table.is_none());
    assert!(plain.retrieval.is_none() && plain.modality_gap.is_none());
}

/// What has no bound is told where it may have moved noticeably, whether a value with a bound has or not.
#[test]
fn what_has_no_bound_is_told_alone() {
    let mut full = report(plan(|o| (o.full, o.paired) = (true, true)), true, |_| ()).unwrap();
    let near = Rounding { x: 1e-9, y: 1e-9, of_point: 1e-9, longest: 1.0, cure: RoundingCure::None };
    full.rounding = Some(near);
    assert_eq!((full.moved_by_rounding().len(), full.without_bound().len()), (0, 0));
    // The length of points in memory is not known, nor how far products have moved.
    full.rounding = Some(Rounding { longest: f64::INFINITY, ..near });
    assert!(full.moved_by_rounding().is_empty() && full.without_bound().starts_with(&["losses", "ranks"]));
    full.rounding = Some(Rounding { longest: f64::INFINITY, x: 0.0, y: 0.0, of_point: 0.0, ..near });
    assert!(full.without_bound().is_empty());
    // Distances of points far from the origin, where uniformity of tiny t does not show it.
    let mut alone = report(plan(|o| o.top = Some(2)), false, |_| ()).unwrap();
    alone.summary.sets.clear();
    for (cure, told) in [(RoundingCure::DistancesAlone, &["lists of rows"][..]), (RoundingCure::None, &[])] {
        alone.rounding = Some(Rounding { x: 1.0, y: 0.0, of_point: 0.5, longest: 1e7, cure });
        assert_eq!(alone.without_bound(), told);
    }
}

#[test]
fn rows_have_the_numbers_of_their_source() {
    let numbers = vec![1, 2, 3, 5, 8, 13];
    let found = report(plan(|o| o.top = Some(6)), false, |data| data.row_numbers = Some(numbers.clone()));
    let mut rows: Vec<_> = found.unwrap().worst_rows.unwrap().crowded[0].rows.iter().map(|r| r.row).collect();
    rows.sort_unstable();
    assert_eq!(rows, numbers);
}

#[test]
fn the_matrix_across_groups_is_made_where_it_is_wanted() {
    let labels = |data: &mut Data| data.labels = Some(vec![3, 3, 3, 7, 7, 9]);
    let groups = |across| report(plan(|o| (o.labels, o.across_groups) = (true, across)), false, labels);
    let (without, with) = (groups(false).unwrap().groups.unwrap(), groups(true).unwrap().groups.unwrap());
    assert_eq!((&without.labels, &without.sizes), (&vec![3, 7, 9], &vec![3, 2, 1]));
    assert_eq!(without.sets[0].within, with.sets[0].within);
    assert!(without.sets[0].across.is_none() && without.sets[0].across_from(0).is_empty());
    for a in 0..3 {
        assert_eq!(with.sets[0].across_from(a)[a], with.sets[0].within[a]);
        assert_eq!(with.sets[0].across_from(a)[2 - a], with.sets[0].across_from(2 - a)[a]);
    }
    assert_eq!(with.sets[0].within[2].unwrap_err().reason(), "a group of one row has no pairs");
}

#[test]
fn too_many_groups_are_refused_with_their_size() {
    let engine = Engine::cpu();
    let plan = plan(|o| (o.labels, o.across_groups) = (true, true));
    let mut session = Session::new(&engine, |step| {
        assert_eq!(step, Step::Upload);
        ControlFlow::Continue(())
    });
    let values: Vec<f32> = (1..=5000).map(|i| i as f32).collect();
    let mut data = Data::new(session.upload(Embeddings::new(&values, 5000, 1).unwrap(), &plan).unwrap());
    data.labels = Some((0..5000).collect());
    let error = measure(plan, data, session).unwrap_err();
    assert!(
        matches!(error, Error::TooManyGroups { groups: 5000, limit: 4096, bytes: 200_000_000.. }),
        "{error}"
    );
}

#[test]
fn data_that_contradict_the_plan_are_refused() {
    let short = report(plan(|o| o.labels = true), false, |data| data.labels = Some(vec![1; 5]));
    assert_eq!(short.unwrap_err(), Error::Length { what: "labels", given: 5, rows: 6 });
    let alone = report(plan(|o| (o.paired, o.tau) = (true, vec![0.5])), false, |_| ());
    assert_eq!(alone.unwrap_err(), Contradiction::NoPairs(Parameter::Tau).into());
    let moco = plan(|o| (o.paired, o.queue, o.protocol) = (true, true, Some(Protocol::Moco)));
    assert_eq!(report(moco, true, |_| ()).unwrap_err(), Contradiction::NoQueue(Protocol::Moco).into());
    // Weights that the plan does not know of count for nothing, and no report claims weights that are not there.
    let plain = report(plan(|_| ()), false, |_| ()).unwrap();
    let unasked = report(plan(|_| ()), false, |data| data.weights = Some(vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    assert_eq!(unasked.unwrap().summary, plain.summary);
    let missing = report(plan(|o| o.weights = true), false, |_| ()).unwrap();
    assert_eq!((missing.weighed, &missing.summary), (plain.weighed, &plain.summary));
}

#[test]
fn scores_choose_the_positives() {
    let scored = |min_score| plan(|o| (o.paired, o.scores, o.min_score) = (true, true, min_score));
    let with = |scores: &[f64]| {
        let scores = scores.to_vec();
        move |data: &mut Data| data.scores = Some(scores)
    };
    let scores = [0.0, 5.0, 4.0, 3.0, 4.5, 1.0];
    let found = report(scored(Some(4.0)), true, with(&scores)).unwrap();
    let of_scores = found.scores.unwrap();
    assert_eq!((found.summary.alignment.unwrap().pairs, of_scores.pairs), (3, 6));
    let positives = of_scores.positives.unwrap();
    assert_eq!((positives.min_score, positives.pairs), (MinScore::AtLeast(4.0), 3));
    let all = report(scored(None), true, with(&scores)).unwrap();
    assert_eq!((all.summary.alignment.unwrap().pairs, all.scores.unwrap().positives), (6, None));
    let equal = report(scored(None), true, with(&[2.0; 6])).unwrap().scores.unwrap();
    assert_eq!(equal.spearman.unwrap_err().reason(), "all scores are equal");

    let refusal = |plan, scores: &[f64]| report(plan, true, with(scores)).unwrap_err();
    assert_eq!(refusal(scored(None), &[1.0; 5]), Error::Length { what: "scores", given: 5, rows: 6 });
    let infinite = [1.0, 2.0, f64::INFINITY, 3.0, 4.0, 5.0];
    assert_eq!(refusal(scored(None), &infinite), Error::Score { row: 2, value: f64::INFINITY });
    let none = Error::NoPositives { min_score: MinScore::AtLeast(6.0), highest: 5.0 };
    assert_eq!(refusal(scored(Some(6.0)), &scores), none);
    let missing = report(scored(Some(4.0)), true, |_| ()).unwrap_err();
    assert_eq!(missing, Contradiction::NoScores.into());
    // Scores that the plan does not know of change nothing.
    let unasked = report(plan(|o| o.paired = true), true, with(&[f64::NAN; 6])).unwrap();
    assert!(unasked.scores.is_none() && unasked.summary.alignment.unwrap().pairs == 6);

    let simcse = plan(|o| (o.paired, o.weights, o.protocol) = (true, true, Some(Protocol::Simcse)));
    let weighted = report(simcse, true, |data| data.weights = Some(scores.to_vec())).unwrap_err();
    assert_eq!(weighted, Error::ScoresAsWeights { highest: 5.0 });
}

#[test]
fn a_listener_can_stop_it() {
    let engine = Engine::cpu();
    let x = circle(0.0);
    let plan = plan(|o| o.full = true);
    let mut session = Session::new(&engine, |step| match step {
        Step::Spectrum(_) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let data = Data::new(session.upload(Embeddings::new(&x, 6, 2).unwrap(), &plan).unwrap());
    assert_eq!(measure(plan, data, session).unwrap_err(), unisphere::Error::Stopped.into());
}

#[test]
fn several_views_are_two_or_more() {
    let engine = Engine::cpu();
    let points = |shift| engine.upload(&Embeddings::new(circle(shift), 6, 2).unwrap()).unwrap();
    let all = [points(0.0), points(0.1), points(0.3)];
    let session = || Session::new(&engine, |_| ControlFlow::Continue(()));
    let plan = ViewsPlan::default();
    for given in [0, 1] {
        assert_eq!(views::measure(&plan, &all[..given], session()), Err(Error::FewViews { given }));
    }
    let report = views::measure(&plan, &all, session()).unwrap();
    // Chords of 0.1, 0.3 and 0.2.
    let squares = [0.1f64, 0.3, 0.2].map(|angle| (2.0 * (angle / 2.0).sin()).powi(2));
    for (pair, square) in report.alignment.pairs.iter().zip(squares) {
        assert!((pair.measured.value - square).abs() < 1e-6, "{pair:?} for {square}");
    }
    assert_eq!(
        report.alignment.pairs.iter().map(|pair| pair.views).collect::<Vec<_>>(),
        [[0, 1], [0, 2], [1, 2]]
    );
    let mean = squares.iter().sum::<f64>() / 3.0;
    assert!((report.alignment.mean.value - mean).abs() < 1e-6, "{report:?}");
    assert!((report.uniformity[0].loss - mean - report.uniformity[0].mean).abs() < 1e-6, "{report:?}");
    let mut steps = Vec::new();
    let hear = |step: Step| {
        steps.push(step.to_string());
        if steps.len() < 4 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let stopped = views::measure(&plan, &all, Session::new(&engine, hear));
    assert_eq!(stopped, Err(Error::Engine(unisphere::Error::Stopped)));
    assert_eq!(steps[3], "uniformity of view 0");
}

#[test]
fn figures_are_of_all_rows_and_pairs() {
    let labels = |data: &mut Data| data.labels = Some(vec![1, 2, 1, 2, 1, 3]);
    let plan = plan(|o| (o.figures, o.labels, o.paired, o.t) = (true, true, true, vec![2.5]));
    assert!(plan.full && plan.figures);
    let report = report(plan, true, labels).unwrap();
    let figures = report.figures.as_ref().unwrap();
    // The curve has the summary's t among its own, and the summary's very number there.
    let own = figures.curve.iter().find(|point| point.t == 2.5).unwrap();
    let of_sets: Vec<_> = report.summary.sets.iter().map(|set| set.measured.value).collect();
    assert_eq!((&own.sets, figures.curve.len()), (&of_sets, 13));
    assert!(figures.curve.is_sorted_by_key(|point| point.t));
    // Chords of 0.1 radians.
    assert!((figures.mean_distance.unwrap() - 2.0 * 0.05f64.sin()).abs() < 1e-6);
    for set in &figures.sets {
        assert_eq!((set.axes, set.lengths.unwrap().far_from_unit), (Ok(Axes::Coordinates), 0));
        assert_eq!(set.shown.as_ref().unwrap().len(), 6);
        let angles = set.angles.as_ref().unwrap();
        assert_eq!(angles.counts.iter().sum::<u64>(), 6);
        let of_groups: Vec<(usize, u64)> =
            set.angles_of_groups.iter().map(|of| (of.group, of.counts.iter().sum())).collect();
        assert_eq!(of_groups, [(0, 3), (1, 2), (2, 1)]);
        assert_eq!(set.cosines.as_ref().unwrap().counts.iter().sum::<u64>(), 15);
        assert_eq!(set.potentials.as_ref().unwrap().counts.iter().sum::<u64>(), 6);
        assert!((set.uniform_cosines.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    }
    assert!(report.groups.unwrap().sets[0].across.is_some());
}
