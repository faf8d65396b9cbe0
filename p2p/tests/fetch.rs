//! Blobs between real peers on loopback sockets.

mod support;

use std::{
	io::BufRead,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
};

use assay_p2p::{
	BlobHash, BlobRefusal, BlobStore, CancellationToken, DataPlane, DenyAll, FetchError, FetchOptions, Grants,
	Provider, ProviderError,
};
use support::{config, sample, soon, Peer, QUIC, TCP};

const MANY: u64 = 1 << 40;
const BIG: usize = 20 * 1024 * 1024 + 4321;

async fn big_blob_arrives(listen: &str) {
	let bytes = sample(BIG, 1);
	let (provider, hash) = Peer::holding(1, listen, &bytes).await;
	let reader = Peer::open(2, listen).await;
	let seen = Arc::new(AtomicU64::new(0));
	let last = seen.clone();
	let options = FetchOptions::new(BIG as u64).on_progress(move |progress| {
		assert_eq!(progress.total, BIG as u64);
		assert!(last.swap(progress.verified, Ordering::Relaxed) < progress.verified);
	});
	let fetched = soon(reader.plane.fetch_with(hash, &[provider.provider()], options)).await.unwrap();
	assert_eq!((fetched.len, fetched.transferred), (BIG as u64, BIG as u64));
	assert_eq!(fetched.sources, [provider.plane.peer_id()]);
	assert_eq!(seen.load(Ordering::Relaxed), BIG as u64);
	assert!(reader.blob(&hash) == bytes);
	let again = soon(reader.plane.fetch(hash, &[], MANY)).await.unwrap();
	assert_eq!(again.transferred, 0);
	soon(async { tokio::join!(provider.plane.shutdown(), reader.plane.shutdown()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_20_megabyte_blob_arrives_over_quic() {
	big_blob_arrives(QUIC).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_20_megabyte_blob_arrives_over_tcp() {
	big_blob_arrives(TCP).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blobs_of_every_small_shape_arrive() {
	let (provider, reader) = (Peer::open(1, TCP).await, Peer::open(2, TCP).await);
	for len in [0, 1, 1023, 1024, 16 * 1024, 16 * 1024 + 1, 1024 * 1024, 1024 * 1024 + 1] {
		let bytes = sample(len, 7);
		let hash = provider.plane.store().put(&bytes).unwrap();
		soon(reader.plane.fetch(hash, &[provider.provider()], MANY)).await.unwrap();
		assert!(reader.blob(&hash) == bytes, "length {len}");
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn published_address_text_is_enough_to_fetch() {
	let (provider, hash) = Peer::holding(1, QUIC, b"by address").await;
	let reader = Peer::open(2, QUIC).await;
	let text = provider.plane.listen_addresses();
	assert!(text[0].ends_with(&format!("/p2p/{}", provider.plane.peer_id())));
	let published: Provider = text[0].parse().unwrap();
	soon(reader.plane.fetch(hash, &[published], MANY)).await.unwrap();
	assert_eq!(reader.blob(&hash), b"by address");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_providers_share_the_work_and_no_byte_is_sent_twice() {
	let bytes = sample(BIG, 2);
	let (one, hash) = Peer::holding(1, TCP, &bytes).await;
	let (two, _) = Peer::holding(2, QUIC, &bytes).await;
	let reader = Peer::open(3, TCP).await;
	let providers = [one.provider(), two.provider()];
	let fetched = soon(reader.plane.fetch(hash, &providers, MANY)).await.unwrap();
	assert_eq!(fetched.transferred, BIG as u64);
	assert!(reader.blob(&hash) == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_callers_of_one_blob_transfer_it_once() {
	let bytes = sample(3_000_000, 3);
	let (provider, hash) = Peer::holding(1, TCP, &bytes).await;
	let reader = Peer::open(2, TCP).await;
	let providers = [provider.provider()];
	let (one, two) = soon(async {
		tokio::join!(reader.plane.fetch(hash, &providers, MANY), reader.plane.fetch(hash, &providers, MANY))
	})
	.await;
	assert_eq!(one.unwrap().transferred + two.unwrap().transferred, 3_000_000);
}

/// A fetch that stops `provider` when 5 MB have arrived.
fn stop_midway(provider: &Peer) -> FetchOptions {
	let stop = provider.stop.clone();
	FetchOptions::new(MANY).on_progress(move |progress| {
		if progress.verified > 5_000_000 {
			stop.cancel();
		}
	})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_continues_with_a_second_provider_after_the_first_died() {
	let bytes = sample(BIG, 4);
	let (first, hash) = Peer::holding(1, TCP, &bytes).await;
	let (second, _) = Peer::holding(2, TCP, &bytes).await;
	let reader = Peer::open(3, TCP).await;

	let options = stop_midway(&first);
	// The second provider is reached only when the first one is given up.
	let mut config = config(4, TCP);
	config.fetch.parallel_providers = 1;
	let serial = Peer::start(config, Arc::new(DenyAll)).await;
	let fetched = soon(serial.plane.fetch_with(hash, &[first.provider(), second.provider()], options)).await.unwrap();
	assert_eq!(fetched.sources, [first.plane.peer_id(), second.plane.peer_id()]);
	assert_eq!(fetched.transferred, BIG as u64);
	assert!(serial.blob(&hash) == bytes);

	// And alone, the dead provider is a typed failure.
	let failed = soon(reader.plane.fetch(hash, &[first.provider()], MANY)).await;
	let Err(FetchError::Exhausted { failures, .. }) = failed else { panic!("{failed:?}") };
	assert!(matches!(failures[..], [(peer, ProviderError::Dial(_))] if peer == first.plane.peer_id()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_failed_midway_resumes_after_a_restart() {
	let bytes = sample(BIG, 5);
	let (first, hash) = Peer::holding(1, TCP, &bytes).await;
	let (second, _) = Peer::holding(2, QUIC, &bytes).await;
	let Peer { plane, dir, .. } = Peer::open(3, TCP).await;
	let options = stop_midway(&first);
	let failed = soon(plane.fetch_with(hash, &[first.provider()], options)).await;
	assert!(matches!(failed, Err(FetchError::Exhausted { .. })), "{failed:?}");
	soon(plane.shutdown()).await;
	drop(plane);

	let store = reopen(dir.path()).await;
	assert!(!store.has(&hash));
	let plane = DataPlane::start(config(3, TCP), store, Arc::new(DenyAll), CancellationToken::new()).await.unwrap();
	let fetched = soon(plane.fetch(hash, &[second.provider()], MANY)).await.unwrap();
	assert!(fetched.transferred < BIG as u64 - 4_000_000, "{fetched:?}");
	assert!(plane.store().get(&hash, MANY).unwrap() == bytes);
}

/// Opens a store whose last owner is about to let go of it.
async fn reopen(root: &std::path::Path) -> BlobStore {
	soon(async {
		loop {
			match BlobStore::open(root) {
				Ok(store) => return store,
				Err(assay_p2p::StoreError::Locked(_)) => tokio::task::yield_now().await,
				Err(error) => panic!("{error}"),
			}
		}
	})
	.await
}

/// Not a test of its own: the process that [`a_killed_reader_resumes`] kills.
#[tokio::test(flavor = "multi_thread")]
async fn reader_for_the_kill_test() {
	let Ok(arguments) = std::env::var("ASSAY_P2P_KILL_TEST") else { return };
	let [root, hash, provider]: [&str; 3] = arguments.split(' ').collect::<Vec<_>>().try_into().unwrap();
	let store = BlobStore::open(root).unwrap();
	let plane = DataPlane::start(config(9, TCP), store, Arc::new(DenyAll), CancellationToken::new()).await.unwrap();
	let options = FetchOptions::new(MANY).on_progress(|progress| {
		if progress.verified > 8_000_000 {
			println!("\nmidway");
			loop {
				std::thread::park();
			}
		}
	});
	let _ = plane.fetch_with(hash.parse().unwrap(), &[provider.parse().unwrap()], options).await;
	unreachable!("the fetch must not get past the middle");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_reader_resumes() {
	let bytes = sample(BIG, 6);
	let (provider, hash) = Peer::holding(1, TCP, &bytes).await;
	let dir = tempfile::tempdir().unwrap();
	let arguments = format!("{} {hash} {}", dir.path().display(), provider.plane.listen_addresses()[0]);
	let mut child = std::process::Command::new(std::env::current_exe().unwrap())
		.args(["--exact", "reader_for_the_kill_test", "--nocapture"])
		.env("ASSAY_P2P_KILL_TEST", arguments)
		.stdout(std::process::Stdio::piped())
		.spawn()
		.unwrap();
	let out = std::io::BufReader::new(child.stdout.take().unwrap());
	let midway = tokio::task::spawn_blocking(move || out.lines().any(|line| line.unwrap() == "midway"));
	assert!(soon(midway).await.unwrap());
	child.kill().unwrap();
	child.wait().unwrap();

	let store = BlobStore::open(dir.path()).unwrap();
	let plane = DataPlane::start(config(9, TCP), store, Arc::new(DenyAll), CancellationToken::new()).await.unwrap();
	let fetched = soon(plane.fetch(hash, &[provider.provider()], MANY)).await.unwrap();
	assert!(fetched.transferred < BIG as u64 - 7_000_000, "{fetched:?}");
	assert!(plane.store().get(&hash, MANY).unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_granted_peers_may_read() {
	let grants = Arc::new(Grants::new());
	let provider = Peer::start(config(1, TCP), grants.clone()).await;
	let reader = Peer::open(2, TCP).await;
	let hash = provider.plane.store().put(b"pre-state").unwrap();
	// What is not there is refused in the same words, so a stranger learns nothing about the store.
	for wanted in [hash, BlobHash::of(b"absent")] {
		let refused = soon(reader.plane.fetch(wanted, &[provider.provider()], MANY)).await;
		let Err(FetchError::Exhausted { failures, .. }) = refused else { panic!("{refused:?}") };
		assert!(matches!(failures[..], [(_, ProviderError::Refused(BlobRefusal::NotAllowed))]));
	}
	grants.grant(reader.plane.peer_id(), hash);
	soon(reader.plane.fetch(hash, &[provider.provider()], MANY)).await.unwrap();
	assert_eq!(reader.blob(&hash), b"pre-state");
}

#[tokio::test(flavor = "multi_thread")]
async fn absent_rotten_and_overlong_blobs_are_typed_failures() {
	let bytes = sample(100_000, 8);
	let (provider, hash) = Peer::holding(1, TCP, &bytes).await;
	let reader = Peer::open(2, TCP).await;
	let providers = [provider.provider()];

	let absent = soon(reader.plane.fetch(BlobHash::of(b"absent"), &providers, MANY)).await;
	let Err(FetchError::Exhausted { failures, .. }) = absent else { panic!("{absent:?}") };
	assert!(matches!(failures[..], [(_, ProviderError::Refused(BlobRefusal::NotFound))]));

	let overlong = soon(reader.plane.fetch(hash, &providers, 99_999)).await;
	assert!(matches!(overlong, Err(FetchError::TooLarge { len: 100_000, max: 99_999, .. })), "{overlong:?}");
	let nobody = soon(reader.plane.fetch(hash, &[reader.provider()], MANY)).await;
	assert!(matches!(nobody, Err(FetchError::NoProviders(_))));

	let name = hash.to_string();
	let path = provider.dir.path().join("blobs").join(&name[..2]).join(format!("{name}.data"));
	std::fs::write(path, sample(100_000, 9)).unwrap();
	let mut events = provider.plane.events();
	let rotten = soon(reader.plane.fetch(hash, &providers, MANY)).await;
	let Err(FetchError::Exhausted { failures, .. }) = rotten else { panic!("{rotten:?}") };
	assert!(matches!(failures[..], [(_, ProviderError::Refused(BlobRefusal::Unavailable))]));
	let corrupt = |event| matches!(event, assay_p2p::Event::BlobCorrupt(found) if found == hash).then_some(());
	support::event(&mut events, corrupt).await;
	// An honest provider with a bad disk is not banned.
	provider.plane.store().put(&bytes).unwrap();
	soon(reader.plane.fetch(hash, &providers, MANY)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_a_fetch() {
	let bytes = sample(BIG, 10);
	let (provider, hash) = Peer::holding(1, TCP, &bytes).await;
	let reader = Peer::open(2, TCP).await;
	let fetched = soon(reader.plane.fetch_with(hash, &[provider.provider()], stop_midway(&reader))).await;
	assert!(matches!(fetched, Err(FetchError::Shutdown)), "{fetched:?}");
	soon(reader.plane.shutdown()).await;
	assert!(!reader.plane.store().has(&hash));
	let after = soon(reader.plane.fetch(BlobHash::of(b"other"), &[provider.provider()], MANY)).await;
	assert!(matches!(after, Err(FetchError::Shutdown)));
}
