//! CSV and TSV, and numbers that spaces separate.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod texts;

use unisphere_io::{Column, Fault, File, Reading};

use texts::{Text, named, numbers, refused};

#[test]
fn delimited_text() {
    assert_eq!(numbers("x.csv", "1,2\n3,4"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers("x.csv", "\u{feff}a;b\r\n1;2\r\n3;-4e-1\r\n\r\n"), [1.0, 2.0, 3.0, -0.4]);
    assert_eq!(numbers("x", "a\tb\n1\t2\n"), [1.0, 2.0]);
    assert_eq!(numbers("x.csv", "\"a\nb\",c\n\"1\",2\n"), [1.0, 2.0]);
    assert_eq!(numbers("x.txt", "  1.0   2.0\n 3.0 4.0\n"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers("x.txt", "1\n2\n"), [1.0, 2.0]);
    assert_eq!(numbers("x.csv", "id,v\n7,\"[1, 2]\"\n8,\"[3, 4]\"\n"), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(numbers("x.csv", "id,v\n7,[1 2]\n8,[3.  4.]\n"), [1.0, 2.0, 3.0, 4.0]);
    // As NumPy prints arrays that are long, and lists of lists.
    refused(
        "x.csv",
        "id,v\n7,[1. 2. ... 9.]\n8,[3. 4. ... 9.]\n",
        "'...' in dimension 2, which is no number; values are left out",
    );
    refused(
        "x.csv",
        "id,v\n7,\"[[1, 2], [3, 4]]\"\n8,\"[[5, 6], [7, 8]]\"\n",
        "pool or flatten lists of lists",
    );
    refused(
        "x.jsonl",
        "{\"v\": [[1, 2], [3, 4]]}\n{\"v\": [[5, 6], [7, 8]]}\n",
        "pool or flatten lists of lists",
    );
    let table = "id,x0,x1,name\n7,1,2,a\n8,3,4,\"b, c\nd\"\n";
    let fault = refused("x.csv", table, "no numbers: name; choose the others with --column, such as 'x*'");
    assert!(matches!(fault, Fault::TextColumns { .. }));
    refused("x.csv", "id,u,v,name\n7,1,2,a\n", "with --column, as names a,b or a pattern 'x*' in quotes");
    // A value that is missing in the first row is of a column of numbers all the same.
    refused("x.csv", "name,d0,d1\na,,2\nb,3,4\n", "such as 'd*'");
    for columns in ["x0,x1", "x1, x0", "x*", "x?", "x0,x*"] {
        assert_eq!(named("x.csv", table, columns), [1.0, 2.0, 3.0, 4.0], "{columns}");
    }
    assert_eq!(named("x.csv", table, "id"), [7.0, 8.0]);
    let error = Text::new("x.csv", table).read_with(&Reading::new().with_column("x0,y")).unwrap_err();
    assert!(error.to_string().contains("'y'") && error.to_string().contains("id, x0, x1, name"), "{error}");
    let twice = Text::new("x.csv", "x0,x1,x0\n1,2,3\n");
    for columns in ["x0", "x1,x0"] {
        let fault = twice.read_with(&Reading::new().with_column(columns)).unwrap_err().fault;
        assert!(matches!(fault, Fault::SameColumns { .. }), "{fault}");
    }
    assert!(matches!(twice.read().unwrap_err().fault, Fault::RepeatedColumns { .. }));
    // The second line of names that pandas writes for frames with keys, whatever the caller says.
    let keys = "img,img,img,txt,txt\n0,1,2,0,1\n0.5,1.5,2.5,3.5,4.5\n";
    refused("x.csv", keys, "frame.columns = [f'{a}_{b}' for a, b in frame.columns]");
    let all = Text::new("x.csv", keys).read_with(&Reading::new().with_column("*")).unwrap_err();
    assert!(all.to_string().contains("second line"), "{all}");
    refused("x.csv", ",a,b\n0,1,2\n1,3,4\n", "index=False");
    // The names that pandas gives to columns without any.
    assert_eq!(numbers("x.csv", "0,1,2\n7,8.5,9\n"), [7.0, 8.5, 9.0]);
    assert_eq!(numbers("x.csv", "0,1\n7e1,8\n"), [70.0, 8.0]);
    refused("x.csv", ",0,1\n0,1,2\n", "index=False");
    refused("x.csv", ",0,1\n0,1.5,2\n", "index=False");
    let index = ",dim_0,dim_1,dim_2,label\n0,1.5,2,3,7\n1,4,5.5,6,8\n";
    refused("x.csv", index, "choose columns with --column, such as 'dim_*', which leaves out label");
    assert_eq!(named("x.csv", index, "dim_*"), [1.5, 2.0, 3.0, 4.0, 5.5, 6.0]);
}

/// Numbers of rows and classes beside points are no dimensions of them, and the message's cures are right.
#[test]
fn columns_that_number_the_rows_are_refused() {
    let points = |of_row: &dyn Fn(usize) -> String, header: &str| {
        let line = |row: usize| format!("{},{},{}\n", of_row(row), 0.5 + row as f64, -1.25);
        header.to_owned() + &(0..6).map(line).collect::<String>()
    };
    let wanted: Vec<f32> = (0..6u8).flat_map(|row| [0.5 + f32::from(row), -1.25]).collect();
    let any = |row: usize| (row * row % 5).to_string();
    for name in ["id", "ID", "idx", "label", "Unnamed: 0"] {
        let text = points(&any, &format!("{name},u,v\n"));
        let told = format!(
            "its column '{name}' has a name that programs give to the numbers or classes of rows, and is most likely no dimension of the points"
        );
        assert!(matches!(refused("x.csv", &*text, &told), Fault::NoDimension { .. }));
        refused("x.csv", &*text, "choose the others with --column, such as u,v, or all with --column '*'");
        assert_eq!(named("x.csv", &text, "u,v"), wanted);
        assert_eq!(named("x.csv", &text, "*").len(), 18);
        // Labels that are read apart are none of the points.
        let without = Reading::new().without_columns([name.to_owned()]);
        assert_eq!(Text::new("x.csv", text).read_with(&without).unwrap(), wanted);
    }
    let of_zero = |row: usize| row.to_string();
    let of_one = |row: usize| format!("{}.0", row + 1);
    for (of_row, header, cure) in [
        (&of_zero as &dyn Fn(usize) -> String, "n,x0,x1\n", "x*"),
        (&of_one, "n,x0,x1\n", "x*"),
        (&of_zero, "", "1,2"),
    ] {
        let text = points(of_row, header);
        refused("x.csv", &*text, "counts the rows");
        refused("x.csv", &*text, cure);
        assert_eq!(named("x.csv", &text, cure), wanted);
    }
    let wide = |row: usize| (1..12).map(|_| format!(",{}.5", row * row)).collect::<String>();
    let wide: String = (0..6).map(|row| format!("{row}{}\n", wide(row))).collect();
    refused("x.csv", &*wide, "its column '0' counts the rows");
    refused("x.csv", &*wide, "such as '[1-9]*'");
    assert_eq!(named("x.csv", &wide, "[1-9]*").len(), 6 * 11);
    // Few rows, a gap, and a single column are no count.
    for text in ["0,1\n1,5\n2,5\n", "0,1\n1,5\n2,5\n4,5\n5,5\n", "0\n1\n2\n3\n4\n"] {
        assert!(!numbers("x.csv", text).is_empty());
    }
}

/// Scores, times and what else is known of rows are no dimensions, and neither are the few columns that are not numbered. The cure
/// chooses the others.
#[test]
fn columns_that_say_something_of_the_rows_are_refused() {
    let value = |row: usize, column: usize| (row * row * 7 + column * 3) as f32 % 11.0 + 0.5;
    let text = |names: &[&str]| {
        let line = |row| {
            let values = (0..names.len()).map(|column| value(row, column).to_string());
            values.collect::<Vec<_>>().join(",") + "\n"
        };
        names.join(",") + "\n" + &(0..5).map(line).collect::<String>()
    };
    let points = |columns: &[usize]| {
        (0..5).flat_map(|row| columns.iter().map(move |&column| value(row, column))).collect::<Vec<_>>()
    };
    for name in ["score", "Weight", "timestamp", "date", "y", "text", "created_at", "target", "item_label"] {
        let text = text(&["up", name, "east", "south"]);
        let fault =
            refused("x.csv", &*text, &format!("its column '{name}' has a name that programs give to"));
        assert!(matches!(fault, Fault::NoDimension { .. }));
        refused(
            "x.csv",
            &*text,
            "choose the others with --column, such as up,east,south, or all with --column '*'",
        );
        assert_eq!(named("x.csv", &text, "up,east,south"), points(&[0, 2, 3]));
        assert_eq!(named("x.csv", &text, "*"), points(&[0, 1, 2, 3]));
    }
    let several = text(&["date", "dim_0", "dim_1", "price", "dim_2", "dim_10", "dimension", "score"]);
    refused(
        "x.csv",
        &*several,
        "its column 'date' has a name that programs give to scores, weights and times of rows, and is most likely no dimension of \
         the points, as are price, dimension, score; choose the others with --column, such as 'dim_*', or",
    );
    assert_eq!(named("x.csv", &several, "dim_*"), points(&[1, 2, 4, 5]));
    let odd = text(&["0", "1", "2", "3", "popularity"]);
    refused("x.csv", &*odd, "its column 'popularity' is not numbered as most others are");
    refused("x.csv", &*odd, "such as 0,1,2,3, or");
    assert_eq!(named("x.csv", &odd, "0,1,2,3"), points(&[0, 1, 2, 3]));
    // Columns that are all unlike are coordinates, as y is beside x.
    for names in [
        &["x", "y", "z"][..],
        &["y", "z"],
        &["width", "height"],
        &["height", "weight"],
        &["start_time", "end_time"],
        &["u", "v", "w0", "w1"],
        &["d", "d.1", "d.2", "d.3"],
    ] {
        assert_eq!(numbers("x.csv", &text(names)), points(&(0..names.len()).collect::<Vec<_>>()));
    }
}

/// The name that was meant is told first, however wide a table is.
#[test]
fn the_nearest_names_are_told_first() {
    let header: Vec<String> = (0..400).map(|d| format!("dim_{d}")).chain(["klass".into()]).collect();
    let row = vec!["0.5"; 401].join(",");
    let text = Text::new("x.csv", format!("{}\n{row}\n{row}\n", header.join(",")));
    let error = text.read_with(&Reading::new().with_column("dim_399,dim_39x")).unwrap_err().to_string();
    assert!(error.contains("its columns are dim_39, dim_3"), "{error}");
    let error = Column::open_named(&text.path, Some("class")).unwrap_err().to_string();
    assert!(error.contains("name one of klass, dim_"), "{error}");
}

/// A first line that may be names or a point is a point.
#[test]
fn first_points_are_not_lost() {
    for null in ["null", "NULL", "None", "NA", "n/a", "<NA>", "-", ""] {
        let fault = refused("x.csv", format!("1,{null},3\n4,5,6\n"), "row 0 has no value in dimension 1");
        assert!(matches!(fault, Fault::NullValue { row: 0, dim: 1 }));
    }
    assert!(matches!(refused("x.csv", "1,nan,3\n4,5,6\n", "not finite"), Fault::Content(_)));
    // The columns that the message says, and the first row with them.
    for (text, expected) in [
        ("doc1,0.1,0.2\ndoc2,3,4\n", [0.1, 0.2, 3.0, 4.0]),
        ("doc1;1e-1;2\ndoc2;3;4\n", [0.1, 2.0, 3.0, 4.0]),
    ] {
        refused("x.csv", text, "no numbers: 0; choose the others with --column, such as 1,2");
        assert_eq!(named("x.csv", text, "1,2"), expected);
    }
    assert_eq!(numbers("x.csv", "0,1\n3,4\n"), [0.0, 1.0, 3.0, 4.0]);
    assert_eq!(numbers("x.csv", "0,1\n"), [0.0, 1.0]);
    assert_eq!(numbers("x.txt", "0 1\n3.5 4.5\n"), [0.0, 1.0, 3.5, 4.5]);
    assert_eq!(numbers("x.tsv", "0\t1\n3.5\t4\n"), [0.0, 1.0, 3.5, 4.0]);
}

#[test]
fn what_separates_fields() {
    // Names of several words.
    assert_eq!(numbers("x.csv", "the first of all,the second\n1,2\n"), [1.0, 2.0]);
    assert_eq!(numbers("X.CSV", "a\n1\n2\n"), [1.0, 2.0]);
    assert!(matches!(refused("X.TSV", "a 1 2\nb 3 4\n", "no numbers"), Fault::TextColumns { .. }));
    let fault = refused("x.csv", ",".repeat(1 << 20), "more than 1048576 fields");
    assert!(matches!(fault, Fault::ManyFields { limit: 1_048_576 }));
}

#[test]
fn rows_of_delimited_text_that_are_wrong() {
    assert!(matches!(refused("x.csv", "1,2\n3\n", "row 1 has 1 fields"), Fault::Fields { row: 1, .. }));
    assert!(matches!(
        refused("x.csv", "a,b\n1,2\n3,4,5\n", "row 1"),
        Fault::Fields { row: 1, found: 3, fields: 2 }
    ));
    assert!(matches!(refused("x.csv", "1,2\n3,\n", "row 1"), Fault::NullValue { row: 1, dim: 1 }));
    assert!(matches!(refused("x.csv", "1,2\n3,xé\n", "x\\xc3"), Fault::NotNumber { row: 1, dim: 1, .. }));
    assert!(matches!(refused("x.csv", "a,b\n", "no points"), Fault::Empty { .. }));
    assert!(matches!(refused("x.csv", "1,2\n\"3,4\n", "quote is not closed"), Fault::TextCut { row: 1 }));
    let fault = refused("x.csv", "1,2\nnan,4\n", "not finite");
    assert!(matches!(fault, Fault::Content(unisphere::Error::NotFinite { row: 1, dim: 0 })));
    assert!(matches!(
        refused("x.csv", "1,3\n1e39,4\n", "overflows f32"),
        Fault::Overflow { row: 1, dim: 0, .. }
    ));
}

/// Names of columns that are numbers, as pandas, R and Excel write them, and what looks like them and is a point.
#[test]
fn a_first_line_of_numbers_that_count_is_of_names() {
    let points = "0.5,-1.25,2.75\n3.5,4,5.125\n";
    let want = [0.5, -1.25, 2.75, 3.5, 4.0, 5.125];
    for names in ["0,1,2", "1,2,3", "752,753,754", "2,1,0", "000,001,002", "0.0,1.0,2.0", "1.0,2.0,3.0"] {
        for (name, separator) in [("a.csv", ","), ("a.tsv", "\t"), ("a.txt", " "), ("a.csv", ";")] {
            let text = format!("{names}\n{points}").replace(',', separator);
            assert_eq!(numbers(name, &text), want, "{text:?}");
        }
    }
    assert_eq!(numbers("a.csv", "1,2\n0.5,0.25\n"), [0.5, 0.25]);
    // Some were left out.
    let row = "0.5,1.5,2.5,3.5,4.5,5.5,6.5,7.5";
    assert_eq!(numbers("a.csv", &format!("0,1,2,4,5,8,9,12\n{row}\n")).len(), 8);
    for (first, below) in [
        // Whole numbers above whole numbers may be points, and so may numbers that do not count.
        ("0,1,2", "3,4,5"),
        ("0.0,1.0,2.0", "3.0,4.0,5.0"),
        ("1,2,4", "0.5,1.5,2.5"),
        ("5,6", "0.5,1.5"),
        ("1,0", "0.5,1.5"),
        ("-1,0,1", "0.5,1.5,2.5"),
        ("1,1,1", "0.5,1.5,2.5"),
        ("0,1,2,4,5,8,9,9", row),
    ] {
        let text = format!("{first}\n{below}\n");
        assert_eq!(numbers("a.csv", &text).len(), 2 * first.split(',').count(), "{text:?}");
    }
}

/// Above its rows, numpy.savetxt writes names and comments behind a sign.
#[test]
fn lines_behind_a_sign_are_names_or_comments() {
    let want = [0.5, -1.25, 2.75, 3.5, 4.0, 5.125];
    let points = "0.5,-1.25,2.75\n3.5,4,5.125\n";
    for names in
        ["# dim_0,dim_1,dim_2", "#dim_0,dim_1,dim_2", "# 0,1,2", "# my points", "# a\n# b,c\n# x,y,z"]
    {
        for (name, separator) in [("a.csv", ","), ("a.tsv", "\t"), ("a.txt", " ")] {
            let text = format!("{names}\n{points}").replace(',', separator);
            assert_eq!(numbers(name, &text), want, "{text:?}");
        }
    }
    assert_eq!(named("a.csv", &format!("# dim_0,dim_1,dim_2\n{points}"), "dim_*"), want);
    let labels = Text::new("a.csv", "# label\n3\n5\n");
    let column = Column::open(&labels.path).unwrap();
    assert_eq!((column.rows(), column.labels().unwrap().of_rows), (2, vec![3, 5]));
}

/// Columns of frames side by side: the header is none of the points, and names that come again say nothing of what they are.
#[test]
fn names_that_come_again_are_refused() {
    let long = "0,1,2,3,4,5,6,7,0\n1.5,2,3,4,5,6,7,8,9\n";
    for text in [long, "0,1,2,0,1,2\n1.5,2.5,3.5,1,2,3\n", "a,b,c,a\n1,2,3,4\n"] {
        let fault = refused("x.csv", text, "has several columns '");
        assert!(fault.to_string().ends_with("for one set with --column '*'"), "{fault}");
        let all = text.lines().nth(1).unwrap().split(',').map(|value| value.parse::<f32>().unwrap());
        assert_eq!(named("x.csv", text, "*"), all.collect::<Vec<_>>(), "{text:?}");
    }
    // Points that begin as a header would.
    for text in ["0,1,2,0\n1.5,2,3,1\n", "0,1,2,0,1,2\n1,2,3,1,2,3\n", "0,1,2,0,1\n1.5,2.5,3.5,1,1\n"] {
        assert_eq!(
            numbers("x.csv", text).len(),
            2 * text.lines().next().unwrap().split(',').count(),
            "{text:?}"
        );
    }
}

/// The cures of names that come again leave out what is no dimension.
#[test]
fn names_that_come_again_beside_a_label_and_an_index() {
    let text = Text::new("x.csv", "label,e,e,e\n1,2.5,3.5,4.5\n");
    let reading = Reading::new().without_columns(["label".to_owned()]);
    let fault = text.read_with(&reading).unwrap_err().to_string();
    assert!(fault.ends_with("--column '!label'"), "{fault}");
    assert_eq!(text.read_with(&reading.with_column("!label")).unwrap(), [2.5, 3.5, 4.5]);
    refused("x.csv", ",e,e\n0,1.5,2.5\n", "without its index, in pandas with index=False");
}

/// Series of columns are one set, which is said.
#[test]
fn several_series_are_guessed_to_be_one_set() {
    let guess = |names: &str| {
        let row = (0..names.split(',').count()).map(|i| format!("{i}.5")).collect::<Vec<_>>().join(",");
        let text = Text::new("x.csv", format!("{names}\n{row}\n{row}\n"));
        File::open(&text.path).unwrap().guess().map(str::to_owned)
    };
    let two = "takes the 2 series that begin with a_0, b_0, of 3 columns each, for one set of 6 dimensions; are they two sets, name them with \
               --columns 'a_*,b_*', and are they one, say so with --column '*'";
    assert_eq!(guess("a_0,a_1,a_2,b_0,b_1,b_2").as_deref(), Some(two));
    for (names, cure) in [
        ("a0,a1,a2,b0,b1,b2,c0,c1,c2", "is each a set, choose one with --column 'a*', and are they one"),
        ("0_x,1_x,2_x,0_y,1_y,2_y", "--columns '*_x,*_y'"),
        ("l1_0,l1_1,l1_2,l2_0,l2_1,l2_2", "--columns 'l1_*,l2_*'"),
        ("0,1,2,0_r,1_r,2_r", "--columns '0,1,2;*_r'"),
        ("a(0,a(1,a(2,b(0,b(1,b(2", "save each in a file"),
        // In turn, and of unequal numbers.
        (
            "a0,b0,a1,b1,a2,b2",
            "begin with a0, b0, of 3 columns each, for one set of 6 dimensions; are they two sets, name them with --columns 'a*,b*'",
        ),
        (
            "a0,a1,a2,b0,b1,b2,b3",
            "begin with a0, b0, of 3 to 4 columns, for one set of 7 dimensions; is each a set, choose one with --column 'a*'",
        ),
    ] {
        let guess = guess(names).unwrap();
        assert!(guess.contains(cure), "{guess}");
    }
    // Who only leaves columns out is told too.
    let text = Text::new("x.csv", "id,a0,a1,a2,b0,b1,b2\n7,1.5,2.5,3.5,4.5,5.5,6.5\n");
    let left = File::open_with(&text.path, &Reading::new().with_column("!id")).unwrap();
    let told = left.guess().unwrap();
    assert!(told.ends_with("--columns 'a*,b*', and are they one, say so with --column 'a*,b*'"), "{told}");
    // Coordinates in turn are points of one set.
    for none in [
        "a0,a1,b0,b1",
        "x0,y0,x1,y1,x2,y2",
        "p_x_0,p_y_0,p_x_1,p_y_1,p_x_2,p_y_2",
        "x0,y0,c0,x1,y1,c1,x2,y2,c2",
        "l_x0,l_y0,r_x0,r_y0,l_x1,l_y1,r_x1,r_y1,l_x2,l_y2,r_x2,r_y2",
        "a0,a1,a2,a3,a4,a5",
    ] {
        assert_eq!(guess(none), None, "{none}");
    }
}

/// Cells of numbers as other programs write them.
#[test]
fn cells_of_numbers_without_brackets_and_with_others() {
    let want = [1.0, 2.5, -3.0, 4.0, 5.0, 6.0];
    let more = "1 1 1 1 1";
    let text = format!("id,emb\n7,1.0 2.5 -3 {more}\n8,4 5  6 {more}\n");
    let spaced = [&want[..3], &[1.0; 5], &want[3..], &[1.0; 5]].concat();
    assert_eq!(numbers("x.csv", &text), spaced);
    assert_eq!(named("x.csv", &text, "emb"), spaced);
    // Dates and the like are text beside points, as are numbers that are fewer than the columns.
    let dates = "date,d0,d1,d2\n2020 01 02,0.1,0.2,0.3\n";
    refused("x.csv", dates, "no numbers: date; choose the others with --column, such as 'd[0-9]*'");
    let ten: Vec<_> = (0..10).map(|i| format!("d{i}")).collect();
    let many = format!("times,{}\n1 2 3 4 5 6 7 8,{}\n", ten.join(","), ["0.5"; 10].join(","));
    refused("x.csv", &many, "no numbers: times");
    for [first, second] in [
        ["\"{1.0,2.5,-3}\"", "\"{4,5,6}\""],
        ["\"(np.float32(1.0), np.float32(2.5), np.float32(-3.0))\"", "\"(4, 5, 6)\""],
        ["\"[np.float64(1.0), np.float64(2.5), np.float64(-3.0)]\"", "\"[4, 5, 6]\""],
    ] {
        assert_eq!(numbers("x.csv", &format!("id,emb\n7,{first}\n8,{second}\n")), want, "{first}");
        assert_eq!(named("x.csv", &format!("id,emb\n7,{first}\n8,{second}\n"), "emb"), want, "{first}");
        // The first row is none of names.
        assert_eq!(named("x.csv", &format!("7,{first}\n8,{second}\n"), "1"), want, "{first}");
    }
    for wrong in ["1.0 2.5", "1.0 2.5 x"] {
        let text = format!("id,emb\n7,1.0 2.5 3 {more}\n8,{wrong} {more}\n");
        refused("x.csv", text, "row 1 holds '1.0 2.5");
    }
    let text = format!("id,emb\n7,1.0 2.5 3 {more}\n8,1.0 2.5 3 4 {more}\n");
    refused("x.csv", text, "row 1 has 9 values, and row 0 has 8");
}

/// A first line of 0 to 7 and more has names, whatever is below; a shorter one above whole numbers is a point, which is said.
#[test]
fn first_lines_that_count_above_whole_numbers() {
    let eight = "0,1,2,3,4,5,6,7\n5,1,2,5,5,5,5,5\n";
    assert_eq!(numbers("x.csv", eight), [5.0, 1.0, 2.0, 5.0, 5.0, 5.0, 5.0, 5.0]);
    let three = Text::new("x.csv", "0,1,2\n5,1,2\n");
    assert_eq!(three.read().unwrap(), [0.0, 1.0, 2.0, 5.0, 1.0, 2.0]);
    let guess = File::open(&three.path).unwrap().guess().map(str::to_owned).unwrap();
    assert!(guess.starts_with("takes its first line, 0, 1, 2, for a point; if it has the names"), "{guess}");
    let other = Text::new("x.csv", "0,1,3\n5,1,2\n");
    assert_eq!(File::open(&other.path).unwrap().guess(), None);
    // As pandas calls columns of numbers that come again.
    let again = "0,1,2,0.1,1.1,2.1\n1,2,3,4,5,6\n";
    assert_eq!(numbers("x.csv", again), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
}

/// Names of rows, as R writes them unless it is told not to.
#[test]
fn names_of_rows_are_told_apart() {
    let table = "\"V1\" \"V2\" \"V3\"\n\"1\" 0.5 0.75 1\n\"2\" -0.5 0.25 2\n";
    for (name, separator) in [("x.txt", " "), ("x.tsv", "\t"), ("x.csv", ",")] {
        refused(name, table.replace(' ', separator), "save it without them: row.names=FALSE");
    }
    let without = "\"V1\" \"V2\" \"V3\"\n0.5 0.75 1\n-0.5 0.25 2\n";
    assert_eq!(numbers("x.txt", without), [0.5, 0.75, 1.0, -0.5, 0.25, 2.0]);
}

/// Lists between tabs, as PostgreSQL copies a table out, whatever separates their numbers.
#[test]
fn lists_beside_other_fields_are_whole() {
    for list in ["[0.5,0.75]", "{0.5,0.75}"] {
        let text = format!("7\t{list}\n9\t{list}\n");
        for name in ["x.tsv", "x.csv", "x.txt"] {
            assert_eq!(numbers(name, &text), [0.5, 0.75, 0.5, 0.75], "{name}: {text:?}");
        }
        assert_eq!(numbers("x.csv", &text.replace('\t', ";")), [0.5, 0.75, 0.5, 0.75]);
    }
}

/// Lines of numbers that are written otherwise than CSV has them: read where that is no guess, or told with what helps.
#[test]
fn separators_behind_lines_decimal_commas_and_names_above_spaces() {
    let fault = refused("x.csv", "1.5,2,\n3,4.5,\n", "end with a separator");
    assert!(fault.to_string().ends_with("--column, such as 0,1"), "{fault}");
    assert_eq!(named("x.csv", "1.5,2,\n3,4.5,\n", "0,1"), [1.5, 2.0, 3.0, 4.5]);
    let fault = refused("x.csv", "d0,d1,\n1,2,\n3,4,\n", "end with a separator");
    assert!(fault.to_string().ends_with("--column, such as 'd*'"), "{fault}");
    assert_eq!(named("x.csv", "d0,d1,\n1,2,\n3,4,\n", "d*"), [1.0, 2.0, 3.0, 4.0]);

    for text in ["1,5;-2,25\n3;4\n", "a;b\n1,5;2,0\n", "1,5\t2,5\n", "1,5 2,5\n", "3;4\n1,5e-3;,5\n"] {
        refused("x.csv", text, "decimal commas, such as 1,5");
    }
    // What else writes points: where points part thousands, and where commas separate fields too.
    for (text, cure) in [
        (
            "1.234,5;2\n3;4,5\n",
            "pandas.read_csv('FILE', sep=';', decimal=',', thousands='.', header=None).to_csv('COPY', index=False, header=False)",
        ),
        (
            "a;b\n1.234,5;2\n3;4,5\n",
            "pandas.read_csv('FILE', sep=';', decimal=',', thousands='.').to_csv('COPY', index=False)",
        ),
        (
            "a,b\n\"1,234\",\"5,678\"\n\"2,345\",12\n",
            "to_csv('COPY', index=False), or with thousands=',' in the place of decimal=',' where commas part thousands",
        ),
        (
            "1,250;300\n12;2,100\n",
            "where commas part thousands, sed 's/,//g' FILE > COPY; and where they are decimal, sed 'y",
        ),
        ("name;a;b\nx;0,5;1,5\n", "sed 'y/,/./' FILE > COPY"),
        // Points that part no thousands are of other numbers; thousands may come late.
        ("1,5;2.75\n2,5;0.25\n", "sed 'y/,/./' FILE > COPY"),
        ("1,5;2,5\n1.234;2,5\n", "thousands='.', header=None"),
        ("1;2;3\n1.234,5;2;3\n", "thousands='.', header=None"),
        (
            "a,b\n\"1,5\",\"2,5\"\n",
            "pandas.read_csv('FILE', sep=',', decimal=',').to_csv('COPY', index=False)",
        ),
        (
            "\"1,5\",\"2,5\"\n\"1,5\",\"2,5\"\n",
            "pandas.read_csv('FILE', sep=',', decimal=',', header=None).to_csv('COPY', index=False, header=False)",
        ),
        ("0,126,-0,132\n1,5,2,5\n", r"sed -E 's/([^,]+),([^,]+)(,|$)/\1.\2\3/g' FILE > COPY"),
        ("1,5,2,05\n1,5,2,5\n", r"sed -E 's/([^,]+),([^,]+)(,|$)/\1.\2\3/g' FILE > COPY"),
        ("a,b\n1,5,2,05\n1,5,2,5\n", "sed -E"),
    ] {
        refused("x.csv", text, cure);
    }
    // Whole numbers are none of halves: where some have a sign, or few rows say so; and where the caller chooses the columns.
    for text in [
        "-0,1,-2,1\n1,-1,0,2\n",
        "0,3e-05,0,0\n0,0,1,0\n0,2,1,0\n",
        "0.5,1,2,3\n-0,0,1,0\n",
        "1,2,3,4\n3,007,1,1\n1,2,3,4\n",
    ] {
        assert_eq!(numbers("x.csv", text).len(), 4 * text.lines().count(), "{text:?}");
    }
    assert_eq!(named("x.csv", "0,126,-0,132\n", "*"), [0.0, 126.0, 0.0, 132.0]);
    let pixels = "emotion,pixels,usage\n0,70 80 82 1 2 3 4 5,1\n1,15 21 90 1 2 3 4 5,0\n";
    assert_eq!(named("x.csv", pixels, "pixels")[..3], [70.0, 80.0, 82.0]);
    // Labels may look like anything.
    let labels = Text::new("a.csv", "id,label\n1,007\n2,012\n");
    assert_eq!(Column::open_named(&labels.path, Some("label")).unwrap().rows(), 2);
    assert_eq!(numbers("x.csv", "1;2\n3;4.5\n"), [1.0, 2.0, 3.0, 4.5]);
    assert_eq!(numbers("x.csv", "5, 2\n3, 4.5\n"), [5.0, 2.0, 3.0, 4.5]);

    assert_eq!(numbers("x.txt", "d0 d1 d2\n1 2 3\n4 5 6\n"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(numbers("x.txt", "a b\n 1  2\n"), [1.0, 2.0]);
    refused("x.txt", "two words\n1 2 3\n4 5 6\n", "no rows of numbers");
    refused("x.txt", "some words\nof text\n", "no rows of numbers");
}
