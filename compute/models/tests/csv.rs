//! Reading labelled rows.

use assay_models::{Classification, CsvOptions, DataError, LabelColumn, Table};

fn read(text: &str, options: CsvOptions) -> Result<Classification, DataError> {
	Classification::from_csv(text.as_bytes(), &options)
}

fn every_second() -> CsvOptions {
	CsvOptions { hold_out_every: 2, ..CsvOptions::default() }
}

#[test]
fn rows_labels_and_split() {
	let text = "a, kind ,b\r\n1,0,2\r\n\r\n3,2,4.5\n-5e-1,1,6\n";
	let options = CsvOptions { label: LabelColumn::Named("kind".into()), scale: 2.0, ..every_second() };
	let data = read(text, options).expect("well formed");
	assert_eq!((data.features, data.classes), (2, 3));
	assert_eq!(data.train.x.to_f32(), [2.0, 4.0, -1.0, 12.0]);
	assert_eq!(*data.train.y.bits(), [0, 1]);
	assert_eq!(data.held_out.x.to_f32(), [6.0, 9.0]);
	assert_eq!(*data.held_out.y.bits(), [2]);
}

#[test]
fn no_header_and_label_by_position() {
	let data = read("1,7\n0,8\n", CsvOptions { label: LabelColumn::Index(0), ..every_second() }).expect("well formed");
	assert_eq!((&*data.train.y.bits(), data.train.x.to_f32()), (&[1][..], vec![7.0]));
	assert_eq!((&*data.held_out.y.bits(), data.held_out.x.to_f32()), (&[0][..], vec![8.0]));
}

#[test]
fn errors_name_the_place() {
	let message = |text: &str| read(text, every_second()).expect_err("refused").to_string();
	assert_eq!(message("a,k\n1,0\n1,2,3\n"), "line 3 has 3 fields, the first has 2");
	assert_eq!(message("a,k\n1,0\nx,0\n"), "line 3, column 1: `x` is not a finite number");
	assert_eq!(message("a,k\n1,0\n1e39,0\n"), "line 3, column 1: `1e39` is not a finite number");
	assert_eq!(message("a,k\n1,0\nNaN,0\n"), "line 3, column 1: `NaN` is not a finite number");
	assert_eq!(message("a,k\n1,0\n1,-1\n"), "line 3, column 2: label `-1` is not an integer from 0 to 65535");
	assert_eq!(message("1,0\n1,1.5\n"), "line 2, column 2: label `1.5` is not an integer from 0 to 65535");
	assert_eq!(message("1,0\n1,65536\n"), "line 2, column 2: label `65536` is not an integer from 0 to 65535");
	assert_eq!(message("1,0\n"), "1 rows are too few to hold out one in 2");
	assert_eq!(message(""), "0 rows are too few to hold out one in 2");
	assert_eq!(message("0\n1\n"), "the first line has 1 column, but a label and at least one feature are needed");
	let named = CsvOptions { label: LabelColumn::Named("z".into()), ..every_second() };
	let text = read("a,k\n1,0\n", named).expect_err("no such column").to_string();
	assert_eq!(text, "no column is named `z`; the first line has 2 columns");
	let beyond = CsvOptions { label: LabelColumn::Index(2), ..every_second() };
	let error = read("a,k\n1,0\n", beyond).expect_err("no such column");
	assert!(matches!(error, DataError::LabelColumn { wanted: LabelColumn::Index(2), columns: 2 }));
	assert_eq!(error.to_string(), "there is no column 2, counted from 0; the first line has 2 columns");
}

#[test]
fn the_first_line_is_names_or_numbers() {
	let names = |text: &str| read(text, every_second()).map(|data| (data.names, data.train.x.spec().rows));
	assert_eq!(names("\u{feff}1,0\n2,1\n3,0\n").expect("numbers after a mark"), (None, 2));
	assert_eq!(names("\u{feff}a,k\n2,1\n3,0\n").expect("names after a mark"), (Some(1), 1));
	assert_eq!(names("\na,k\n2,1\n3,0\n").expect("names"), (Some(2), 1));
	let message = |text: &str| names(text).expect_err("refused").to_string();
	assert_eq!(message("1.5,x,0\n2,1,0\n3,0,0\n"), "line 1 has numbers, but its column 2, `x`, is none");
	assert_eq!(message("1.5,,0\n2,1,0\n"), "line 1 has numbers, but its column 2, ``, is none");
	assert_eq!(message(",a,k\n0,1,0\n1,0,1\n"), "line 1 names the columns, but column 1 has no name");
	assert_eq!(message("a,k,\n0,1,\n"), "line 1 names the columns, but column 3 has no name");
	assert!(matches!(read(",0,1\n0,1,0\n", every_second()), Err(DataError::Mixed { line: 1, column: 1, .. })));
}

#[test]
fn other_separators_are_named() {
	let found = |text: &str| match read(text, every_second()) {
		Err(DataError::Separator { line, found }) => (line, found),
		other => panic!("{text:?}: {other:?}"),
	};
	assert_eq!(found("1;0\n"), (1, ';'));
	assert_eq!(found("width;kind\n1;0\n"), (1, ';'));
	assert_eq!(found("0,5;1,25;1,0\n"), (1, ';'));
	assert_eq!(found("1\t2\t0\n"), (1, '\t'));
	assert_eq!(found("a,k\n1;0\n"), (2, ';'));
	let text = read("a;k\n", every_second()).expect_err("refused").to_string();
	assert_eq!(text, "line 1: columns are separated by `;`");
	// A name may have one.
	assert!(read("a;b,c,k\n1,2,0\n1,2,0\n", every_second()).is_ok());
}

#[test]
fn size_is_bounded() {
	let few = CsvOptions { max_cells: 5, ..every_second() };
	assert!(matches!(read("1,0\n1,0\n1,0\n", few), Err(DataError::TooLarge { line: 3, limit: 5 })));
	let long = format!("1,{}\n", "0".repeat(1 << 24));
	assert!(matches!(read(&long, every_second()), Err(DataError::LongLine { line: 1 })));
	let endless = std::io::BufReader::new(std::io::repeat(b'1'));
	assert!(matches!(Classification::from_csv(endless, &every_second()), Err(DataError::LongLine { line: 1 })));
	assert!(matches!(
		Classification::from_csv(&[0xff, b'\n'][..], &every_second()),
		Err(DataError::Read { line: 1, .. })
	));
	let never = CsvOptions { hold_out_every: 1, ..CsvOptions::default() };
	assert!(matches!(read("1,0\n1,0\n", never), Err(DataError::Options(_))));
}

#[test]
fn tables_with_and_without_labels() {
	let read = |text: &str, label: Option<&LabelColumn>| Table::from_csv(text.as_bytes(), label, 2.0, 100);
	let text = "a,k,b\n1,0,2\n\n3,2,4.5\n";
	let all = read(text, None).expect("well formed");
	assert_eq!((all.x.spec().rows, all.x.spec().cols, all.labels), (2, 3, None));
	assert_eq!(all.x.to_f32(), [2.0, 0.0, 4.0, 6.0, 4.0, 9.0]);
	let labelled = read(text, Some(&LabelColumn::Named("k".into()))).expect("well formed");
	assert_eq!((labelled.x.to_f32(), labelled.x.spec().cols), (vec![2.0, 4.0, 6.0, 9.0], 2));
	assert_eq!(*labelled.labels.expect("labels").bits(), [0, 2]);
	// One column is enough where none of them is a label.
	assert_eq!(read("5\n6\n", None).expect("well formed").x.to_f32(), [10.0, 12.0]);
	let message = |text: &str| read(text, None).expect_err("refused").to_string();
	assert_eq!(message(""), "the file has no rows of numbers");
	assert_eq!(message("a,b\n"), "the file has no rows of numbers");
	assert_eq!(message("1,2\n3\n"), "line 2 has 1 fields, the first has 2");
	assert!(message(&"1,2\n".repeat(51)).starts_with("line 51: more than 100 cells"));
	assert!(read("1,2\n", Some(&LabelColumn::Index(2))).is_err());
}
