//! Which known word was meant.

/// The candidate nearest to `word`, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
	let lower = word.to_lowercase();
	candidates
		.into_iter()
		.map(|candidate| (distance(&lower, candidate), candidate))
		.filter(|(distance, candidate)| *distance <= (candidate.len().max(lower.len()) / 3).max(1))
		.min_by_key(|(distance, _)| *distance)
		.map(|(_, candidate)| candidate)
}

/// Insertions, deletions and replacements that turn `a` into `b`; a swap of neighbours counts two.
fn distance(a: &str, b: &str) -> usize {
	let b: Vec<char> = b.chars().collect();
	let mut row: Vec<usize> = (0..=b.len()).collect();
	for (i, x) in a.chars().enumerate() {
		let mut diagonal = row[0];
		row[0] = i + 1;
		for (j, y) in b.iter().enumerate() {
			let replaced = diagonal + usize::from(x != *y);
			diagonal = row[j + 1];
			row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
		}
	}
	row[b.len()]
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn slips_are_recognised_and_strangers_are_not() {
		let words = ["layers", "activation", "type"];
		assert_eq!(nearest("layrs", words), Some("layers"));
		assert_eq!(nearest("Layer", words), Some("layers"));
		assert_eq!(nearest("activaton", words), Some("activation"));
		assert_eq!(nearest("learning_rate", words), None);
		assert_eq!(nearest("", words), None);
	}
}
