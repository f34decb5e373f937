//! The index of a data frame, which pandas and pyarrow write as columns beside its own.

use serde_json::Value;

use crate::{Reading, formats::columns::NAMELESS};

/// The key under which a file says what pandas has made of its columns.
pub(crate) const PANDAS: &str = "pandas";

/// Columns that are no dimensions: what the caller says, and the index. `pandas` is what the file has under [`PANDAS`].
pub(crate) fn without_index(names: &[String], pandas: Option<&str>, reading: &Reading) -> Vec<String> {
    let of_file = pandas.map_or_else(Vec::new, index_columns);
    let is_index = |name: &&String| name.starts_with(NAMELESS) || of_file.contains(name);
    reading.without.iter().chain(names.iter().filter(is_index)).cloned().collect()
}

/// The columns of the index that the file has. An index that only counts rows is no column.
fn index_columns(pandas: &str) -> Vec<String> {
    let told: Option<Value> = serde_json::from_str(pandas).ok();
    let columns = told.as_ref().and_then(|told| told.get("index_columns")?.as_array());
    columns.into_iter().flatten().filter_map(|column| column.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_known_by_what_pandas_says_and_by_its_name() {
        let names = ["0", "1", "doc", "__index_level_0__"].map(String::from);
        let reading = Reading::new().without_columns(["label".to_owned()]);
        let told = |pandas| without_index(&names, pandas, &reading).join(" ");
        assert_eq!(told(None), "label __index_level_0__");
        assert_eq!(
            told(Some("{\"index_columns\": [\"doc\"], \"columns\": []}")),
            "label doc __index_level_0__"
        );
        for none in ["", "{}", "[]", "{\"index_columns\": [{\"kind\": \"range\", \"start\": 0}]}"] {
            assert_eq!(told(Some(none)), "label __index_level_0__", "{none}");
        }
    }
}
