//! A small plot: two axes, and marks between them, as SVG that takes its colours from the style sheet of the page.
//!
//! Sizes are in units of the figure, which is 400 wide: about the pixels of a phone, so that its text of 12 units can be read there.

mod scale;

use std::fmt::Write as _;

use maud::{Markup, html};

pub use scale::Axis;

/// The width of every plot.
const WIDTH: f64 = 400.0;
/// The room of the labels at the left and the bottom, and of what sticks out at the right and the top.
const LEFT: f64 = 68.0;
const BOTTOM: f64 = 44.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 10.0;

/// A plot that is being drawn. Marks have classes of the style sheet: `c1` to `c6` are colours, `ink` and `dim` those of text;
/// `line`, `area` and `dots` say what is drawn.
#[derive(Clone, Debug)]
pub struct Plot {
    x: Axis,
    y: Axis,
    left: f64,
    right: f64,
    height: f64,
    marks: Vec<Markup>,
}

impl Plot {
    /// An empty plot of these axes.
    pub fn new(x: Axis, y: Axis) -> Self {
        Self { x, y, left: LEFT, right: RIGHT, height: 240.0, marks: Vec::new() }
    }

    /// The same with as much room upward as sideways.
    #[must_use]
    pub fn square(self) -> Self {
        let side = 280.0;
        let left = LEFT + (WIDTH - LEFT - RIGHT - side) / 2.0;
        Self { left, right: WIDTH - left - side, height: TOP + side + BOTTOM, ..self }
    }

    /// The same with so much room between its axis at the bottom and its top.
    #[must_use]
    pub fn inner_height(self, height: f64) -> Self {
        Self { height: TOP + height + BOTTOM, ..self }
    }

    /// The place of a point.
    pub fn place(&self, x: f64, y: f64) -> [f64; 2] {
        let (low, high) = (self.bottom(), TOP);
        [self.left + self.x.share(x) * (WIDTH - self.left - self.right), low + self.y.share(y) * (high - low)]
    }

    /// The height of the x axis, counted from the top.
    pub fn bottom(&self) -> f64 {
        self.height - BOTTOM
    }

    /// A line through points.
    pub fn line(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) {
        let path = self.path(points);
        self.marks.push(html! { path class={ "line " (class) } d=(path) {} });
    }

    /// The outline of a histogram: the edges of its parts, one more than there are heights, and their heights.
    pub fn steps(&mut self, class: &str, edges: &[f64], heights: &[f64]) {
        let path = self.path(self.outline(edges, heights));
        self.marks.push(html! { path class={ "line " (class) } d=(path) {} });
    }

    /// The same, filled.
    pub fn filled_steps(&mut self, class: &str, edges: &[f64], heights: &[f64]) {
        self.area(class, self.outline(edges, heights));
        self.steps(class, edges, heights);
    }

    fn outline(&self, edges: &[f64], heights: &[f64]) -> Vec<[f64; 2]> {
        let (Some(&first), Some(&last)) = (edges.first(), edges.last()) else { return Vec::new() };
        let tops = edges.windows(2).zip(heights).flat_map(|(ends, &top)| [[ends[0], top], [ends[1], top]]);
        let base = self.y.low();
        [[first, base]].into_iter().chain(tops).chain([[last, base]]).collect()
    }

    /// A dot at each point.
    pub fn dots(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) {
        let mut path = String::new();
        for [x, y] in points {
            let [x, y] = self.place(x, y);
            // Lines of no length with round ends: the shortest way to write a dot.
            let _ = write!(path, "M{x:.1} {y:.1}h0");
        }
        self.marks.push(html! { path class={ "dots " (class) } d=(path) {} });
    }

    /// A line across the plot at one x.
    pub fn at_x(&mut self, class: &str, x: f64) {
        let ends = [[x, self.y.low()], [x, self.y.high()]];
        self.line(class, ends);
    }

    /// A line across the plot at one y.
    pub fn at_y(&mut self, class: &str, y: f64) {
        let ends = [[self.x.low(), y], [self.x.high(), y]];
        self.line(class, ends);
    }

    /// A closed area between points.
    pub fn area(&mut self, class: &str, points: impl IntoIterator<Item = [f64; 2]>) {
        let path = self.path(points) + "Z";
        self.marks.push(html! { path class={ "area " (class) } d=(path) {} });
    }

    /// A circle about 0, whose radius is of the x axis.
    pub fn circle(&mut self, class: &str, radius: f64) {
        let ([x, y], [edge, _]) = (self.place(0.0, 0.0), self.place(radius, 0.0));
        let radius = format!("{:.1}", edge - x);
        self.marks.push(html! { circle class={ "line " (class) } cx=(units(x)) cy=(units(y)) r=(radius) {} });
    }

    /// Marks that the caller has placed by [`place`](Self::place).
    pub fn mark(&mut self, mark: Markup) {
        self.marks.push(mark);
    }

    /// The figure, with its title and what it shows for those who do not see it. `id` is unique in its page.
    pub fn svg(&self, id: &str, title: &str, description: &str) -> Markup {
        let size = format!("0 0 {WIDTH} {}", self.height);
        html! {
            svg viewBox=(size) role="img" aria-labelledby={ (id) "-title " (id) "-desc" } {
                title id={ (id) "-title" } { (title) }
                desc id={ (id) "-desc" } { (description) }
                (self.grid())
                @for mark in &self.marks { (mark) }
            }
        }
    }

    /// Axes, their ticks and their names.
    fn grid(&self) -> Markup {
        let (bottom, right) = (self.bottom(), WIDTH - self.right);
        let (across, up) = ((self.left + right) / 2.0, (TOP + bottom) / 2.0);
        let of_x = self.x.ticks().iter().map(|(x, text)| (self.place(*x, self.y.low())[0], text));
        let of_y = self.y.ticks().iter().map(|(y, text)| (self.place(self.x.low(), *y)[1], text));
        html! {
            g aria-hidden="true" {
                @for (x, text) in of_x {
                    path.grid d=(format!("M{x:.1} {TOP}V{bottom:.1}")) {}
                    text.tick x=(units(x.min(WIDTH - half_width(text)))) y=(units(bottom + 17.0)) text-anchor="middle" { (text) }
                }
                @for (y, text) in of_y {
                    path.grid d=(format!("M{:.1} {y:.1}H{right:.1}", self.left)) {}
                    text.tick x=(units(self.left - 5.0)) y=(units(y + 4.0)) text-anchor="end" { (text) }
                }
                path.axis d=(format!("M{:.1} {TOP}V{bottom:.1}H{right:.1}", self.left)) {}
                text.name x=(units(across)) y=(units(self.height - 6.0)) text-anchor="middle" { (self.x.name()) }
                text.name transform=(format!("translate({:.1} {up:.1}) rotate(-90)", self.left - 54.0))
                    text-anchor="middle" { (self.y.name()) }
            }
        }
    }

    fn path(&self, points: impl IntoIterator<Item = [f64; 2]>) -> String {
        let mut path = String::new();
        for [x, y] in points {
            let [x, y] = self.place(x, y);
            let command = if path.is_empty() { 'M' } else { 'L' };
            let _ = write!(path, "{command}{x:.1} {y:.1}");
        }
        path
    }
}

/// Half of the width of a text of a tick, about, on the safe side.
fn half_width(text: &str) -> f64 {
    3.9 * text.chars().count() as f64
}

/// A length in units of the figure.
pub(crate) fn units(length: f64) -> String {
    format!("{length:.1}")
}
