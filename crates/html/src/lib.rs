//! A report on embeddings as a page with figures: a [`Report`](unisphere_eval::Report) in ([`page`]), or several models that are
//! [`Compared`] ([`compared_page`]), or tables alone ([`plain_page`]), and one HTML file out as a string. Nothing is printed and no file is
//! opened here.
//!
//! The page needs nothing else: styles and figures are in it, and there is no script. It is light or dark as its reader's system is,
//! and has a form for paper.
//!
//! - **Markup** comes from [maud]: its templates are Rust, checked when it is compiled, and whatever is put into them is escaped, so
//!   that a file name, a label or a text of the user's cannot become markup.
//! - **Figures** are SVG that [`plot`] writes with the same templates, in about 200 lines. plotters, the crate that serves for
//!   most plots, writes fixed colours and fonts into attributes, and neither classes, titles nor descriptions; so that its figures
//!   could not follow the page from light to dark or to paper, nor be told by a screen reader. What is left to write is ticks and
//!   scales.
//! - **Colours** are those of Okabe & Ito (2008, *Color Universal Design*), which people tell apart whatever their sight, with dashes
//!   beside them. Heat maps have one hue, from faint to full.
//!
//! [`figures::Plane`] is a figure for any number of sets, and stands on its own.

mod compared;
pub mod figures;
mod frame;
mod known;
mod number;
mod page;
mod plain;
pub mod plot;
mod tables;
mod warnings;

pub use compared::{Compared, NamedModel, compared_page};
pub use known::Known;
pub use number::{count, plural};
pub use page::page;
pub use plain::{Plain, PlainTable, plain_page};
