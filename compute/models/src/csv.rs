//! Reads labelled rows from comma-separated text.
//!
//! One row per line, fields separated by commas, no quoting. A first line without any number names the columns; one of names
//! and numbers is an error. A byte order mark before it and empty lines are skipped. Row `i` (from 0, data rows only) is held out if `i % every == every - 1`, so the split
//! depends on the file alone.

use std::io::BufRead;

use assay_engine::{Tensor, TensorError};
use assay_program::DType;

use crate::{Classification, Split, Table};

mod first;

/// Longest line, bytes: an image of 224 x 224 pixels in three colours, however many digits its numbers are written with.
const MAX_LINE: u64 = 1 << 24;
/// Most classes.
const MAX_CLASSES: u32 = 1 << 16;

/// Which column holds the label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LabelColumn {
	/// The last one.
	Last,
	/// The one at this position, from 0.
	Index(usize),
	/// The one with this name in the first line.
	Named(String),
}

/// How a file is read.
#[derive(Clone, Debug, PartialEq)]
pub struct CsvOptions {
	/// Which column holds the label, an integer from 0.
	pub label: LabelColumn,
	/// Factor for every feature.
	pub scale: f32,
	/// One row in so many is held out, at least 2.
	pub hold_out_every: u32,
	/// Most cells (rows times columns) to accept; each takes 4 bytes, and a few times that while reading.
	pub max_cells: u64,
}

impl Default for CsvOptions {
	/// Label last, no scaling, every fifth row held out, at most 2^28 cells.
	fn default() -> Self {
		Self { label: LabelColumn::Last, scale: 1.0, hold_out_every: 5, max_cells: 1 << 28 }
	}
}

/// Why a file is not a data set. Lines and columns count from 1.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
	/// The file cannot be read.
	#[error("line {line}: {source}")]
	Read {
		/// Line being read.
		line: u64,
		/// What the system said.
		source: std::io::Error,
	},
	/// A line is too long.
	#[error("line {line} is longer than {MAX_LINE} bytes")]
	LongLine {
		/// The line.
		line: u64,
	},
	/// Fields are not separated by commas.
	#[error("line {line}: columns are separated by {}", first::name(*.found))]
	Separator {
		/// The line.
		line: u64,
		/// What separates them: a semicolon or a tab.
		found: char,
	},
	/// The first line has numbers, and a field that is none.
	#[error("line {line} has numbers, but its column {column}, `{text}`, is none")]
	Mixed {
		/// The line.
		line: u64,
		/// The column.
		column: usize,
		/// The field, shortened.
		text: String,
	},
	/// The first line does not name all columns.
	#[error("line {line} names the columns, but column {column} has no name")]
	Unnamed {
		/// The line.
		line: u64,
		/// The column.
		column: usize,
	},
	/// A line has another number of fields than the first.
	#[error("line {line} has {found} fields, the first has {expected}")]
	Ragged {
		/// The line.
		line: u64,
		/// Fields of the first line.
		expected: usize,
		/// Fields of this line.
		found: usize,
	},
	/// A field is not a finite number.
	#[error("line {line}, column {column}: `{text}` is not a finite number")]
	Number {
		/// The line.
		line: u64,
		/// The column.
		column: usize,
		/// The field, shortened.
		text: String,
	},
	/// A label is not an integer from 0 up.
	#[error("line {line}, column {column}: label `{text}` is not an integer from 0 to 65535")]
	Label {
		/// The line.
		line: u64,
		/// The column.
		column: usize,
		/// The field, shortened.
		text: String,
	},
	/// There is no such label column, or nothing beside it.
	#[error("{}", missing(.wanted, *.columns))]
	LabelColumn {
		/// The one that was asked for.
		wanted: LabelColumn,
		/// Columns of the first line.
		columns: usize,
	},
	/// Too much data.
	#[error("line {line}: more than {limit} cells; raise max_cells or cut the file")]
	TooLarge {
		/// The line.
		line: u64,
		/// The limit.
		limit: u64,
	},
	/// Too few rows to train on some and hold out others.
	#[error("{rows} rows are too few to hold out one in {every}")]
	TooFewRows {
		/// Rows of the file.
		rows: u64,
		/// Rows of which one is held out.
		every: u32,
	},
	/// There are no rows.
	#[error("the file has no rows of numbers")]
	NoRows,
	/// `hold_out_every` is below 2 or the scale is not finite.
	#[error("{0}")]
	Options(&'static str),
	/// The rows have no tensor form.
	#[error(transparent)]
	Tensor(#[from] TensorError),
}

/// Says why there is no label column among so many.
fn missing(wanted: &LabelColumn, columns: usize) -> String {
	let has = format!("the first line has {columns} column{}", if columns == 1 { "" } else { "s" });
	match wanted {
		_ if columns < 2 => format!("{has}, but a label and at least one feature are needed"),
		LabelColumn::Named(name) => format!("no column is named `{name}`; {has}"),
		LabelColumn::Index(index) => format!("there is no column {index}, counted from 0; {has}"),
		LabelColumn::Last => format!("there are too many columns; {has}"),
	}
}

/// Rows under construction.
#[derive(Default)]
struct Rows {
	x: Vec<u32>,
	y: Vec<u32>,
}

impl Rows {
	fn split(self, features: u32) -> Result<Split, TensorError> {
		let rows = self.y.len() as u32;
		Ok(Split { x: Tensor::new(DType::F32, rows, features, self.x)?, y: Tensor::new(DType::I32, rows, 1, self.y)? })
	}
}

impl Classification {
	/// Reads a data set.
	pub fn from_csv(mut reader: impl BufRead, options: &CsvOptions) -> Result<Self, DataError> {
		if options.hold_out_every < 2 {
			return Err(DataError::Options("hold_out_every must be at least 2"));
		}
		if !options.scale.is_finite() {
			return Err(DataError::Options("scale must be finite"));
		}
		let (mut train, mut held_out) = (Rows::default(), Rows::default());
		let every = u64::from(options.hold_out_every);
		let (mut count, mut classes) = (0u64, 0u32);
		let header = read(&mut reader, Some(&options.label), options.max_cells, &mut |columns, content, line| {
			let target = if count % every == every - 1 { &mut held_out } else { &mut train };
			let label = columns.parse(content, line, options.scale, target)?;
			classes = classes.max(label.unwrap_or(0) + 1);
			count += 1;
			Ok(())
		})?;
		match header {
			Some(Header { features, names }) if !held_out.y.is_empty() => {
				let (train, held_out) = (train.split(features)?, held_out.split(features)?);
				Ok(Self { features, classes, names, train, held_out })
			}
			_ => Err(DataError::TooFewRows { rows: count, every: options.hold_out_every }),
		}
	}
}

impl Table {
	/// Reads rows of numbers, all of them features but those of the column `label`. `scale` is a factor for every feature,
	/// `max_cells` as of [`CsvOptions`].
	pub fn from_csv(
		mut reader: impl BufRead,
		label: Option<&LabelColumn>,
		scale: f32,
		max_cells: u64,
	) -> Result<Self, DataError> {
		if !scale.is_finite() {
			return Err(DataError::Options("scale must be finite"));
		}
		let (mut rows, mut count) = (Rows::default(), 0u32);
		let header = read(&mut reader, label, max_cells, &mut |columns, content, line| {
			count = count.saturating_add(1);
			columns.parse(content, line, scale, &mut rows).map(|_| ())
		})?;
		let Header { features, names } = header.filter(|_| count > 0).ok_or(DataError::NoRows)?;
		let labels = label.map(|_| Tensor::new(DType::I32, count, 1, rows.y)).transpose()?;
		Ok(Self { x: Tensor::new(DType::F32, count, features, rows.x)?, labels, names })
	}
}

/// What is known once all lines are read.
struct Header {
	features: u32,
	/// The line that names the columns.
	names: Option<u64>,
}

/// Reads line after line, and calls `each` with the columns, the text and the number of every line that holds a row. Returns
/// what the first told; none if no line tells.
fn read(
	reader: &mut impl BufRead,
	label: Option<&LabelColumn>,
	max_cells: u64,
	each: &mut dyn FnMut(&Columns, &str, u64) -> Result<(), DataError>,
) -> Result<Option<Header>, DataError> {
	let (mut columns, mut rows): (Option<Columns>, u64) = (None, 0);
	let mut names = None;
	let mut text = String::new();
	for line in 1u64.. {
		if !read_line(reader, &mut text, line)? {
			break;
		}
		// A mark that some editors put first is no number.
		let content = if line == 1 { text.trim_start_matches('\u{feff}').trim() } else { text.trim() };
		if content.is_empty() {
			continue;
		}
		let columns = match &columns {
			Some(columns) => columns,
			None => {
				let first = Columns::new(content, line, label)?;
				let named = first.named;
				let first = columns.insert(first);
				if named {
					names = Some(line);
					continue;
				}
				first
			}
		};
		rows += 1;
		if rows.saturating_mul(columns.count as u64) > max_cells {
			return Err(DataError::TooLarge { line, limit: max_cells });
		}
		each(columns, content, line)?;
	}
	Ok(columns.map(|columns| Header { features: columns.count as u32 - u32::from(columns.label.is_some()), names }))
}

/// What the first line told.
struct Columns {
	count: usize,
	label: Option<usize>,
	named: bool,
}

impl Columns {
	fn new(first: &str, line: u64, label: Option<&LabelColumn>) -> Result<Self, DataError> {
		if let Some(found) = first::separator(first) {
			return Err(DataError::Separator { line, found });
		}
		let fields: Vec<&str> = first.split(',').map(str::trim).collect();
		let count = fields.len();
		let named = first::names(&fields, line)?;
		let Some(wanted) = label else { return Ok(Self { count, label: None, named }) };
		let position = match wanted {
			LabelColumn::Last => count.checked_sub(1),
			LabelColumn::Index(index) => Some(*index).filter(|index| *index < count),
			LabelColumn::Named(name) => fields.iter().position(|field| named && field == name),
		};
		match position {
			Some(_) if (2..=u32::MAX as usize).contains(&count) => Ok(Self { count, label: position, named }),
			_ => Err(DataError::LabelColumn { wanted: wanted.clone(), columns: count }),
		}
	}

	/// Appends a row and returns its label, if it has one.
	fn parse(&self, content: &str, line: u64, scale: f32, rows: &mut Rows) -> Result<Option<u32>, DataError> {
		let found = content.split(',').count();
		if found != self.count {
			if let Some(found) = first::separator(content) {
				return Err(DataError::Separator { line, found });
			}
			return Err(DataError::Ragged { line, expected: self.count, found });
		}
		let mut label = None;
		for (index, field) in content.split(',').map(str::trim).enumerate() {
			let text = || field.chars().take(32).collect::<String>();
			if Some(index) == self.label {
				let parsed = field.parse::<u32>().ok().filter(|label| *label < MAX_CLASSES);
				let parsed = parsed.ok_or_else(|| DataError::Label { line, column: index + 1, text: text() })?;
				rows.y.push(parsed);
				label = Some(parsed);
			} else {
				let value = field.parse::<f32>().ok().map(|value| value * scale).filter(|value| value.is_finite());
				let value = value.ok_or_else(|| DataError::Number { line, column: index + 1, text: text() })?;
				rows.x.push(value.to_bits());
			}
		}
		Ok(label)
	}
}

/// Reads a line of at most [`MAX_LINE`] bytes into `text`; false at the end.
fn read_line(reader: &mut impl BufRead, text: &mut String, line: u64) -> Result<bool, DataError> {
	text.clear();
	let mut limited = std::io::Read::take(reader, MAX_LINE + 1);
	let bytes = limited.read_line(text).map_err(|source| DataError::Read { line, source })?;
	if bytes as u64 > MAX_LINE {
		return Err(DataError::LongLine { line });
	}
	Ok(bytes > 0)
}
