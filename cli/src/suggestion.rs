//! Which known word was meant.

/// Longest word that is compared, bytes; fields are shorter.
const LONGEST: usize = 64;

/// The candidate nearest to `word`, if it is near enough to be a slip.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
	if word.len() > LONGEST {
		return None;
	}
	let lower = word.to_lowercase();
	candidates
		.into_iter()
		.map(|candidate| (distance(&lower, candidate), candidate))
		.filter(|(distance, candidate)| *distance <= (candidate.len().max(lower.len()) / 3).max(1))
		.min_by_key(|(distance, _)| *distance)
		.map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b` (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
	let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
	let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
	for i in 0..=a.len() {
		for j in 0..=b.len() {
			table[i][j] = match (i, j) {
				(0, edits) | (edits, 0) => edits,
				_ => {
					let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
					let best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
					let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
					if swapped {
						best.min(table[i - 2][j - 2] + 1)
					} else {
						best
					}
				}
			};
		}
	}
	table[a.len()][b.len()]
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
		assert_eq!(nearest("tpye", words), Some("type"));
		assert_eq!(nearest("learning_rate", words), None);
		assert_eq!(nearest("", words), None);
	}
}
