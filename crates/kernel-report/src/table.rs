//! A report as Markdown, written and read again: a row for each kernel.

use std::fmt::Write as _;

use crate::{
    driver::Compiled,
    listing::Listing,
    main_loop::{self, MainLoop},
};

const COLUMNS: [&str; 19] = [
    "kernel",
    "VGPRs",
    "SGPRs",
    "spills",
    "subgroups",
    "memory",
    "code",
    "branches",
    "on the way",
    "products",
    "other vector",
    "reads",
    "loads",
    "scalar",
    "branches in it",
    "waits",
    "of vector",
    "of all",
    "ahead",
];

/// A kernel on a family of GPUs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kernel: String,
    /// Registers of an invocation, and of a subgroup.
    pub(crate) vgprs: usize,
    pub(crate) sgprs: usize,
    /// Registers that are kept elsewhere for lack of room.
    pub(crate) spills: usize,
    /// Subgroups that a SIMD unit has room for.
    pub(crate) subgroups: usize,
    /// Bytes of workgroup memory.
    pub(crate) memory: usize,
    /// KiB of machine code, rounded up: the compiler's last bytes differ from run to run.
    pub(crate) code: usize,
    pub(crate) branches: usize,
    /// Branches that a subgroup meets at the least.
    pub(crate) on_the_way: usize,
    pub(crate) main: Option<MainLoop>,
}

impl Row {
    /// # Errors
    ///
    /// The statistic that the driver does not tell, or what cannot be read of its listing.
    pub(crate) fn of(kernel: &str, compiled: &Compiled) -> Result<Self, String> {
        let told = |name: &str| {
            let found = compiled.statistics.iter().find(|(other, _)| other == name);
            found
                .map(|&(_, value)| value as usize)
                .ok_or_else(|| format!("{kernel}: the driver tells no {name}"))
        };
        let listing = Listing::read(&compiled.listing).map_err(|error| format!("{kernel}: {error}"))?;
        Ok(Self {
            kernel: kernel.into(),
            vgprs: told("VGPRs")?,
            sgprs: told("SGPRs")?,
            spills: told("Spilled VGPRs")? + told("Spilled SGPRs")?,
            subgroups: told("Subgroups per SIMD")?,
            memory: told("LDS size")?,
            code: told("Code size")?.div_ceil(1024),
            branches: told("Branches")?,
            on_the_way: main_loop::branches_on_the_way(&listing)
                .ok_or_else(|| format!("{kernel}: no way leads through its listing"))?,
            main: MainLoop::of(&listing),
        })
    }

    fn cells(&self) -> Vec<String> {
        let numbers = [
            self.vgprs,
            self.sgprs,
            self.spills,
            self.subgroups,
            self.memory,
            self.code,
            self.branches,
            self.on_the_way,
        ];
        let mut cells = vec![self.kernel.clone()];
        cells.extend(numbers.map(|number| number.to_string()));
        if let Some(main) = &self.main {
            let counts = [
                main.products,
                main.vector,
                main.workgroup_reads,
                main.loads,
                main.scalar,
                main.branches,
                main.waits,
            ];
            cells.extend(counts.map(|count| count.to_string()));
            cells.extend([main.share_of_vector(), main.share_of_all].map(percent));
            cells.push(main.ahead.map(percent).unwrap_or_default());
        }
        cells.resize(COLUMNS.len(), String::new());
        cells
    }

    fn read(line: &str) -> Option<Self> {
        let cells: Vec<_> = line.strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
        if cells.len() != COLUMNS.len() {
            return None;
        }
        let number = |at: usize| cells[at].parse::<usize>().ok();
        let mut row = Self {
            kernel: cells[0].into(),
            vgprs: number(1)?,
            sgprs: number(2)?,
            spills: number(3)?,
            subgroups: number(4)?,
            memory: number(5)?,
            code: number(6)?,
            branches: number(7)?,
            on_the_way: number(8)?,
            main: None,
        };
        if !cells[9].is_empty() {
            let [products, vector, workgroup_reads, loads, scalar, branches, waits] =
                [9, 10, 11, 12, 13, 14, 15].map(number);
            row.main = Some(MainLoop {
                products: products?,
                vector: vector?,
                workgroup_reads: workgroup_reads?,
                loads: loads?,
                scalar: scalar?,
                branches: branches?,
                waits: waits?,
                share_of_all: per_mille(cells[17])?,
                ahead: if cells[18].is_empty() { None } else { Some(per_mille(cells[18])?) },
            });
        }
        Some(row)
    }
}

fn percent(per_mille: usize) -> String {
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

fn per_mille(percent: &str) -> Option<usize> {
    percent.strip_suffix(" %")?.replacen('.', "", 1).parse().ok()
}

/// What was compiled by a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) driver: String,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "# What the kernels are compiled to\n\nWritten by `scripts/kernel-report`; docs/gpu-kernels.md says what \
             the columns are.\n\n",
        );
        let rule = COLUMNS.iter().skip(1).fold(String::from("|---|"), |rule, _| rule + "--:|");
        _ = write!(text, "Driver: {}\n\n| {} |\n{rule}\n", self.driver, COLUMNS.join(" | "));
        for row in &self.rows {
            _ = writeln!(text, "| {} |", row.cells().join(" | "));
        }
        text
    }

    /// # Errors
    ///
    /// The line that is no row.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let driver = text.lines().find_map(|line| line.strip_prefix("Driver: "));
        let driver = driver.ok_or("no line says `Driver:`")?.to_owned();
        let rows = text.lines().filter(|line| line.starts_with('|')).skip(2);
        let rows = rows.map(|line| Row::read(line).ok_or_else(|| format!("no row of a report: {line}")));
        Ok(Self { driver, rows: rows.collect::<Result<_, _>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let main = MainLoop {
            products: 1024,
            vector: 13,
            workgroup_reads: 64,
            loads: 4,
            scalar: 30,
            branches: 1,
            waits: 29,
            share_of_all: 878,
            ahead: Some(905),
        };
        let row = Row {
            kernel: "log_sum 128x128x16/256 cosine subgroups f32".into(),
            vgprs: 128,
            sgprs: 127,
            spills: 2,
            subgroups: 8,
            memory: 16384,
            code: 16,
            branches: 20,
            on_the_way: 6,
            main: Some(main.clone()),
        };
        let without_loads = Row { main: Some(MainLoop { ahead: None, ..main }), ..row.clone() };
        let without_loop = Row { main: None, ..row.clone() };
        let report = Report { driver: "Mesa 25.0.7".into(), rows: vec![row, without_loads, without_loop] };
        assert_eq!(Report::read(&report.markdown()), Ok(report));
    }

    #[test]
    fn what_is_no_row_is_named() {
        let report = Report { driver: "Mesa".into(), rows: vec![Row::default()] };
        let damaged = report.markdown().replace("| 0 | 0 |", "| 0 | zero |");
        assert!(Report::read(&damaged).unwrap_err().contains("zero"));
        assert!(Report::read("").is_err());
    }

    #[test]
    fn a_statistic_that_lacks_is_named() {
        let compiled = Compiled { statistics: vec![("VGPRs".into(), 8)], listing: String::new() };
        assert_eq!(Row::of("gather", &compiled), Err("gather: the driver tells no SGPRs".into()));
    }
}
