//! The same work for many keys, a few at once.

use futures::{stream::FuturesUnordered, StreamExt};
use std::future::Future;

/// Works that run at once.
const AT_ONCE: usize = 8;

/// Does `work` for each key and returns what came of each, in the order in which they ended. One that takes long holds up only
/// the end.
pub async fn each<Key, Work>(
	keys: impl IntoIterator<Item = Key>,
	work: impl Fn(Key) -> Work,
) -> Vec<(Key, Work::Output)>
where
	Key: Clone,
	Work: Future,
{
	let mut keys = keys.into_iter();
	let (mut running, mut done) = (FuturesUnordered::new(), Vec::new());
	loop {
		for key in keys.by_ref().take(AT_ONCE.saturating_sub(running.len())) {
			running.push(paired(key.clone(), work(key)));
		}
		match running.next().await {
			Some(ended) => done.push(ended),
			None => return done,
		}
	}
}

async fn paired<Key, Work: Future>(key: Key, work: Work) -> (Key, Work::Output) {
	(key, work.await)
}

/// Does `work` for each key until one has a value; the others are dropped then.
pub async fn first<Key, Value, Work>(keys: impl IntoIterator<Item = Key>, work: impl Fn(Key) -> Work) -> Option<Value>
where
	Work: Future<Output = Option<Value>>,
{
	let mut keys = keys.into_iter();
	let mut running = FuturesUnordered::new();
	loop {
		for key in keys.by_ref().take(AT_ONCE.saturating_sub(running.len())) {
			running.push(work(key));
		}
		match running.next().await {
			Some(Some(value)) => return Some(value),
			Some(None) => {}
			None => return None,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		future::pending,
		sync::atomic::{AtomicUsize, Ordering},
	};

	#[tokio::test]
	async fn every_key_is_worked_on_and_few_at_once() {
		let (running, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
		let mut done = each(0..100u32, |key| {
			let (running, most) = (&running, &most);
			async move {
				most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
				tokio::task::yield_now().await;
				running.fetch_sub(1, Ordering::SeqCst);
				key * 2
			}
		})
		.await;
		done.sort_unstable();
		assert_eq!(done, (0..100).map(|key| (key, key * 2)).collect::<Vec<_>>());
		assert_eq!(most.into_inner(), AT_ONCE);
	}

	#[tokio::test]
	async fn the_first_value_ends_the_others() {
		let found = first(0..4u32, |key| async move {
			match key {
				0 => pending().await,
				1 => None,
				_ => Some(key),
			}
		})
		.await;
		assert_eq!(found, Some(2));
		assert_eq!(first(0..4u32, |_| async { None::<()> }).await, None);
	}
}
