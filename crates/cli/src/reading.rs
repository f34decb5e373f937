//! How the files of points are read, where they do not say it themselves.

use std::{fs, path::Path};

use serde_json::{Map, Value, json};
use unisphere_io::{Fault, File, Quant, RawFloat, Reading, STDIN, printable, unused_options};

use crate::{exit::Failure, text::words, values::positive};

/// The heading of options that say so.
pub(crate) const INPUT: &str = "How X and Y are read";
/// Endings of names that tell a format.
const ENDINGS: [&str; 12] =
    ["fvecs", "bvecs", "ivecs", "fbin", "f16bin", "u8bin", "i8bin", "ibin", "csv", "tsv", "jsonl", "txt"];

/// How X and Y are read, where their files do not say it themselves.
#[derive(Clone, Debug, Default, PartialEq, clap::Args)]
pub struct ReadingOptions {
    /// The array of an .npz archive, of both X and Y [default: its only matrix]
    #[arg(long, value_name = "NAME", help_heading = INPUT)]
    member: Option<String>,

    /// The arrays of X and of Y; without a file Y, both are in X, as pairs
    #[arg(long, value_name = "OF_X,OF_Y", value_parser = pair, conflicts_with = "member", help_heading = INPUT)]
    members: Option<Pair>,

    /// The tensor of a safetensors file, of both X and Y [default: its only matrix]
    #[arg(long, value_name = "NAME", help_heading = INPUT)]
    tensor: Option<String>,

    /// The tensors of X and of Y, as --members
    #[arg(long, value_name = "OF_X,OF_Y", value_parser = pair, conflicts_with = "tensor", help_heading = INPUT)]
    tensors: Option<Pair>,

    /// The column of lists in Parquet, Arrow, CSV and TSV, or the key in JSON Lines [default: the only one that can be]; or columns of
    /// numbers, a dimension each, as a,b,c or a pattern: 'dim_*'; '!label' is all but label
    #[arg(long, value_name = "NAME", help_heading = INPUT)]
    column: Option<String>,

    /// The columns of X and of Y, as --members: --columns anchor,positive. Of several each, with a semicolon between both: 'a,b;c,d'
    #[arg(long, value_name = "OF_X,OF_Y", value_parser = columns, conflicts_with = "column", help_heading = INPUT)]
    columns: Option<Pair>,

    /// The floats that raw bytes or integers of a .npy file are, which does not say it: bf16, f8e4m3 or f8e5m2
    #[arg(long, value_name = "DTYPE", help_heading = INPUT)]
    dtype: Option<RawFloat>,

    /// The format of a pipe, or of a file whose name does not tell it
    #[arg(long, value_name = "ENDING", value_parser = ENDINGS, help_heading = INPUT)]
    format: Option<String>,

    /// Values are integer codes: a point is SCALE (code - ZERO)
    #[arg(long, value_name = "SCALE", value_parser = positive, allow_negative_numbers = true, help_heading = INPUT)]
    quant_scale: Option<f64>,

    /// The code of 0 [default: 0]
    #[arg(long, value_name = "CODE", requires = "quant_scale", allow_negative_numbers = true, help_heading = INPUT)]
    quant_zero: Option<f64>,

    /// Values are packed bits, as numpy.packbits writes them: 1 is +1, and 0 is -1, eight dimensions for each byte
    #[arg(long, conflicts_with_all = ["dtype", "quant_scale"], help_heading = INPUT)]
    bits: bool,

    /// Columns of X's own file, and of Y's, that are no dimensions of their points.
    #[arg(skip)]
    pub(crate) without: [Vec<String>; 2],

    /// Options that mean nothing to the pipes of X, and of Y, once these are open.
    #[arg(skip)]
    pub(crate) unused_of_pipes: [Vec<&'static str>; 2],

    /// Columns that the files of X, and of Y, have been read without, once these are open.
    #[arg(skip)]
    pub(crate) left_out: [Option<String>; 2],
}

/// The names of two sets.
#[derive(Clone, Debug, PartialEq)]
struct Pair {
    x: String,
    y: String,
}

fn pair(text: &str) -> Result<Pair, &'static str> {
    parted(text, ',').ok_or("must be two names with a comma between them, such as anchor,positive")
}

/// What `--columns` takes: columns of each set, which may have commas of their own beside a semicolon.
fn columns(text: &str) -> Result<Pair, &'static str> {
    let separator = if text.contains(';') { ';' } else { ',' };
    if text.matches(separator).count() > 1 {
        return Err(
            "names more than two sets; put one semicolon between the columns of X and those of Y: 'a,b;c,d'",
        );
    }
    parted(text, separator)
        .ok_or("must be columns of X and of Y, such as anchor,positive, or of several each 'a,b;c,d'")
}

fn parted(text: &str, separator: char) -> Option<Pair> {
    let (x, y) = text.split_once(separator)?;
    let (x, y) = (x.trim(), y.trim());
    (!x.is_empty() && !y.is_empty()).then(|| Pair { x: x.into(), y: y.into() })
}

/// A set that options name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// The first.
    X,
    /// The second.
    Y,
}

impl Of {
    /// The set of a role in a report: `x`, or else the second.
    pub(crate) fn role(role: &str) -> Self {
        if role == "x" { Self::X } else { Self::Y }
    }

    /// The other one.
    fn other(self) -> Self {
        if self == Self::X { Self::Y } else { Self::X }
    }

    /// Its place in what is kept of both.
    fn place(self) -> usize {
        match self {
            Self::X => 0,
            Self::Y => 1,
        }
    }
}

/// What [`File::check_together`] checks, and a warning of files whose columns may stand in different orders.
///
/// # Errors
///
/// Those of [`File::check_together`].
pub fn check_together<'a>(files: impl Iterator<Item = &'a File> + Clone) -> unisphere_io::Result<()> {
    File::check_together(files.clone())?;
    warn_of_order(files);
    Ok(())
}

/// A warning of files whose columns may stand in different orders.
pub(crate) fn warn_of_order<'a>(files: impl IntoIterator<Item = &'a File>) {
    if let Some((path, guess)) = File::guess_of_order(files) {
        log::warn!("{} {guess}", printable(path));
    }
}

/// A warning of what was guessed of the columns of a set, by its first file.
pub fn warn_of_guess<'a>(files: impl IntoIterator<Item = &'a File>) {
    let of_first = files.into_iter().find_map(|file| Some((file.path(), file.guess()?)));
    if let Some((path, guess)) = of_first {
        log::warn!("{} {guess}", printable(path));
    }
}

/// What a report calls a file of one value a row: with the column that was named.
pub(crate) fn told_column(path: &Path, column: Option<&String>) -> String {
    let column = column.map_or(String::new(), |name| format!(", {name}"));
    format!("{}{column}", path.display())
}

/// Whether a path is neither a file nor a folder: a pipe, or what else gives its bytes once.
pub(crate) fn is_stream(path: &Path) -> bool {
    cfg!(windows) && path == Path::new(STDIN)
        || fs::metadata(path).is_ok_and(|there| !there.is_file() && !there.is_dir())
}

impl ReadingOptions {
    /// The options that mean something to some formats alone.
    pub(crate) const OF_SOME_FORMATS: [&str; 4] = ["--member", "--tensor", "--column", "--dtype"];

    /// How a set is read.
    pub fn reading(&self, set: Of) -> Reading {
        let name = |of_both: &Option<String>, pair: &Option<Pair>| match (pair, set) {
            (Some(pair), Of::X) => Some(pair.x.clone()),
            (Some(pair), Of::Y) => Some(pair.y.clone()),
            (None, _) => of_both.clone(),
        };
        let without = &self.without[set.place()];
        let mut reading = Reading::new().without_columns(without.iter().cloned());
        for (name, with) in [
            (name(&self.member, &self.members), Reading::with_member as fn(Reading, String) -> Reading),
            (name(&self.tensor, &self.tensors), Reading::with_tensor),
            (name(&self.column, &self.columns), Reading::with_column),
            (self.format.clone(), Reading::with_format),
        ] {
            if let Some(name) = name {
                reading = with(reading, name);
            }
        }
        if let Some(dtype) = self.dtype {
            reading = reading.with_dtype(dtype);
        }
        if let Some(scale) = self.quant_scale {
            reading = reading.with_quant(Quant { scale, zero: self.quant_zero.unwrap_or(0.0) });
        }
        let reading = if self.bits { reading.with_bits() } else { reading };
        // Two names are of one file each; one is of those files that have such names.
        if self.names_two_sets() { reading } else { reading.for_several() }
    }

    /// Whether two names are given, of one set each.
    pub fn names_two_sets(&self) -> bool {
        [&self.members, &self.tensors, &self.columns].into_iter().any(Option::is_some)
    }

    /// The fault of a file that lacks what `--column` says of both sets, where the other set can be opened so: a cure that names the
    /// columns of each.
    pub(crate) fn fault_beside(
        &self,
        set: Of,
        error: unisphere_io::Error,
        opens_other: impl FnOnce(&Reading) -> bool,
    ) -> Failure {
        let Some(cure) = self.columns_of_both(set, &error.fault, opens_other) else { return error.into() };
        let wrong = error.to_string();
        Failure::Input(format!("{}\n{cure}", wrong.strip_suffix(" with --column").unwrap_or(&wrong)))
    }

    fn columns_of_both(
        &self,
        set: Of,
        fault: &Fault,
        opens_other: impl FnOnce(&Reading) -> bool,
    ) -> Option<String> {
        let (Fault::NoColumn { example, .. }, Some(column)) = (fault, &self.column) else { return None };
        // A column that neither has is mistaken.
        if example.is_empty() || !opens_other(&self.reading(set.other())) {
            return None;
        }
        let [x, y] = if set == Of::X { [&**example, column] } else { [column, &**example] };
        let separator = if [x, y].iter().any(|of| of.contains(',')) { ';' } else { ',' };
        Some(format!(
            "--column is of X and of Y; where each has columns of its own, name both, such as --columns {}",
            words([format!("{x}{separator}{y}")])
        ))
    }

    /// The file of Y: X's own where two names are of sets in one file.
    ///
    /// # Errors
    ///
    /// A pipe gives its bytes once, and cannot be read for both.
    pub fn file_of_y<'a>(&self, x: &'a Path, y: Option<&'a Path>) -> Result<Option<&'a Path>, Failure> {
        let are_two = self.names_two_sets();
        if y.is_none() && are_two && is_stream(x) {
            return Err(Failure::Input(format!(
                "{}: two sets of one file are read twice, and a pipe gives its bytes once\n\
                 write it to a file first",
                printable(x)
            )));
        }
        Ok(y.or(are_two.then_some(x)))
    }

    /// A file and how it is read, as they were given: "pairs.parquet, anchor".
    pub fn told(&self, path: &Path, set: Of) -> String {
        let mut unused = unused_options(path, &self.reading(set));
        unused.extend(&self.unused_of_pipes[set.place()]);
        self.told_without(path, set, &unused, self.left_out[set.place()].as_deref())
    }

    /// The same of an open file, which knows what of it means nothing: a pipe too.
    pub(crate) fn told_of(&self, path: &Path, set: Of, file: &File) -> String {
        self.told_without(path, set, file.unused_options(), file.left_out())
    }

    fn told_without(&self, path: &Path, set: Of, unused: &[&str], left_out: Option<&str>) -> String {
        let pairs = [&self.members, &self.tensors, &self.columns].into_iter().flatten();
        let of_pairs = pairs.map(|pair| if set == Of::X { pair.x.clone() } else { pair.y.clone() });
        let used = |option: &str, name: Option<String>| name.filter(|_| !unused.contains(&option));
        let of_both = [
            used("--member", self.member.clone()),
            used("--tensor", self.tensor.clone()),
            used("--column", self.column.clone()),
            self.format.clone(),
        ];
        let of_both = of_both.into_iter().flatten();
        let dtype = used("--dtype", self.dtype.map(|dtype| dtype.to_string()));
        let codes = self
            .quant_scale
            .map(|scale| format!("codes of scale {scale} and zero {}", self.quant_zero.unwrap_or(0.0)));
        let bits = self.bits.then(|| "packed bits".to_owned());
        let left_out = left_out.map(|columns| format!("without {columns}"));
        let told = of_both.chain(of_pairs).chain(left_out).chain(dtype).chain(codes).chain(bits);
        told.fold(path.display().to_string(), |told, what| format!("{told}, {what}"))
    }

    /// As a plan keeps it: nothing of what is not given.
    pub(crate) fn to_json(&self) -> Value {
        let mut object = Map::new();
        let names = [
            ("member", &self.member),
            ("tensor", &self.tensor),
            ("column", &self.column),
            ("format", &self.format),
        ];
        for (key, name) in names {
            object.extend(name.as_ref().map(|name| (key.into(), name.clone().into())));
        }
        let pairs = [("members", &self.members), ("tensors", &self.tensors), ("columns", &self.columns)];
        for (key, pair) in pairs {
            object.extend(pair.as_ref().map(|Pair { x, y }| (key.into(), json!([x, y]))));
        }
        for (key, number) in [("quant_scale", self.quant_scale), ("quant_zero", self.quant_zero)] {
            object.extend(number.map(|number| (key.into(), number.into())));
        }
        object.extend(self.dtype.map(|dtype| ("dtype".into(), dtype.to_string().into())));
        object.extend(self.bits.then(|| ("bits".into(), true.into())));
        object.into()
    }

    /// From the text of such an object; None where a key is unknown or wrong.
    pub fn parsed(text: &str) -> Option<Self> {
        Self::from_json(&serde_json::from_str(text).ok()?)
    }

    /// From what a plan keeps; None where a key is unknown or wrong.
    pub(crate) fn from_json(value: &Value) -> Option<Self> {
        let mut options = Self::default();
        for (key, value) in value.as_object()? {
            let name = || value.as_str().map(str::to_owned);
            let pair = || match value.as_array()?.as_slice() {
                [x, y] => Some(Pair { x: x.as_str()?.into(), y: y.as_str()?.into() }),
                _ => None,
            };
            match key.as_str() {
                "member" => options.member = Some(name()?),
                "members" => options.members = Some(pair()?),
                "tensor" => options.tensor = Some(name()?),
                "tensors" => options.tensors = Some(pair()?),
                "column" => options.column = Some(name()?),
                "columns" => options.columns = Some(pair()?),
                "format" => options.format = Some(name()?),
                "dtype" => options.dtype = Some(value.as_str()?.parse().ok()?),
                "quant_scale" => options.quant_scale = Some(value.as_f64()?),
                "quant_zero" => options.quant_zero = Some(value.as_f64()?),
                "bits" => options.bits = value.as_bool()?,
                _ => return None,
            }
        }
        Some(options)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Command {
        #[command(flatten)]
        options: ReadingOptions,
    }

    fn parsed(arguments: &str) -> ReadingOptions {
        Command::try_parse_from(std::iter::once("eval").chain(arguments.split_whitespace()))
            .expect("options")
            .options
    }

    #[test]
    fn one_name_is_of_both_files_and_two_are_of_one_each() -> Result<(), Failure> {
        let (x, y) = (Path::new("x.npz"), Path::new("y.npz"));
        let one = parsed("--column a,b");
        assert_eq!((one.reading(Of::X), one.file_of_y(x, None)?), (one.reading(Of::Y), None));
        let two = parsed("--columns a,b");
        assert_eq!(two.reading(Of::X), Reading::new().with_column("a"));
        assert_eq!(one.reading(Of::X), Reading::new().with_column("a,b").for_several());
        assert_eq!(two.reading(Of::Y), Reading::new().with_column("b"));
        assert_eq!((two.file_of_y(x, None)?, two.file_of_y(x, Some(y))?), (Some(x), Some(y)));
        assert_eq!(two.told(x, Of::Y), "x.npz, b");
        assert!(Command::try_parse_from(["eval", "--members", "a"]).is_err());
        for three in ["a,b,c", "a;b;c"] {
            assert!(Command::try_parse_from(["eval", "--columns", three]).is_err(), "{three}");
        }
        let several = parsed("--columns a,b;c,d");
        assert_eq!(several.reading(Of::X), Reading::new().with_column("a,b"));
        assert_eq!(several.reading(Of::Y), Reading::new().with_column("c,d"));
        assert!(Command::try_parse_from(["eval", "--columns", "a,b;"]).is_err());
        Ok(())
    }

    /// Of a pattern, the first file tells what means nothing.
    #[test]
    fn what_is_unused_is_not_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["x_1.npy", "x_2.npy"] {
            fs::write(path(name), b"\x93NUMPY").expect("written");
        }
        fs::write(path("y_1.csv"), "a,b\n1,2\n").expect("written");
        let options = parsed("--column a");
        for (name, told) in [("x_*.npy", ""), ("x_1.npy", ""), ("y_*.csv", ", a")] {
            let path = path(name);
            assert_eq!(options.told(&path, Of::X), format!("{}{told}", path.display()));
        }
    }

    #[test]
    fn a_plan_keeps_what_is_given() {
        for arguments in [
            "",
            "--members a,b --format fvecs",
            "--column e --quant-scale 0.1 --quant-zero 128",
            "--tensor t --bits",
            "--dtype bf16",
        ] {
            let options = parsed(arguments);
            assert_eq!(ReadingOptions::from_json(&options.to_json()), Some(options), "{arguments}");
        }
        assert_eq!(ReadingOptions::from_json(&json!({"members": ["a"]})), None);
    }
}
