//! Link arguments of a module that Python loads: its symbols are those of the process, which macOS must be told.

fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
