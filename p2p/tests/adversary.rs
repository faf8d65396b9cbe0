//! Peers that break the protocol are found out, disconnected and banned.

mod support;

use std::{sync::Arc, time::Duration};

use assay_p2p::{
	AllowAll, BlobHash, DialError, Event, FetchError, PeerId, ProviderError, RequestError, Violation,
	MAX_CONTROL_REQUEST,
};
use codec::Encode;
use futures::AsyncWriteExt;
use support::{config, event, lie, receive, sample, send, soon, Lie, Peer, RawPeer, BLOB, CONTROL, TCP};

const MANY: u64 = 1 << 40;

fn banned(who: PeerId) -> impl Fn(Event) -> Option<Violation> {
	move |event| match event {
		Event::Banned { peer, violation, .. } if peer == who => Some(violation),
		_ => None,
	}
}

fn disconnected(who: PeerId) -> impl Fn(Event) -> Option<()> {
	move |event| (event == Event::Disconnected(who)).then_some(())
}

/// A reader meets a lying provider, alone and beside an honest one.
async fn liar_is_banned(how: Lie, expected: fn(BlobHash, &Violation) -> bool) {
	let bytes = sample(6_000_000, 1);
	let mut liar = RawPeer::start(None).await;
	lie(&mut liar, bytes.clone(), how);
	let (honest, hash) = Peer::holding(1, TCP, &bytes).await;
	let reader = Peer::open(2, TCP).await;
	let mut events = reader.plane.events();

	let failed = soon(reader.plane.fetch(hash, &[liar.provider()], MANY)).await;
	let Err(FetchError::Exhausted { failures, .. }) = failed else { panic!("{failed:?}") };
	assert!(
		matches!(&failures[..], [(peer, ProviderError::Violation(found))] if *peer == liar.peer && expected(hash, found)),
		"{failures:?}"
	);
	assert!(expected(hash, &event(&mut events, banned(liar.peer)).await));
	event(&mut events, disconnected(liar.peer)).await;
	assert_eq!(soon(reader.plane.dial(&liar.provider())).await, Err(DialError::Banned));

	let fetched = soon(reader.plane.fetch(hash, &[liar.provider(), honest.provider()], MANY)).await.unwrap();
	assert!(fetched.sources.contains(&honest.plane.peer_id()));
	assert!(reader.blob(&hash) == bytes);
}

fn unverifiable(hash: BlobHash, found: &Violation) -> bool {
	*found == Violation::Unverifiable(hash)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_in_the_first_range_is_found() {
	liar_is_banned(Lie::FlipBit(0), unverifiable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_midway_is_found() {
	liar_is_banned(Lie::FlipBit(3), unverifiable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_length_is_found() {
	liar_is_banned(Lie::Longer, unverifiable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_blob_is_found() {
	liar_is_banned(Lie::OtherBlob, unverifiable).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_absurd_length_is_found() {
	liar_is_banned(Lie::Absurd, |_, found| matches!(found, Violation::Malformed(_))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_found() {
	liar_is_banned(Lie::Noise, |_, found| matches!(found, Violation::Malformed(_))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_huge_frame_is_found() {
	liar_is_banned(Lie::HugeFrame, |_, found| matches!(found, Violation::OversizedFrame { .. })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_that_meets_the_liar_midway_still_completes() {
	let bytes = sample(8_000_000, 2);
	let mut liar = RawPeer::start(None).await;
	lie(&mut liar, bytes.clone(), Lie::FlipBit(2));
	let (honest, hash) = Peer::holding(1, TCP, &bytes).await;
	let mut config = config(2, TCP);
	// One after the other, the liar first: it delivers good ranges before the bad one.
	config.fetch.parallel_providers = 1;
	let reader = Peer::start(config, Arc::new(AllowAll)).await;
	let mut events = reader.plane.events();
	let fetched = soon(reader.plane.fetch(hash, &[liar.provider(), honest.provider()], MANY)).await.unwrap();
	assert_eq!(fetched.sources, [liar.peer, honest.plane.peer_id()]);
	assert_eq!(event(&mut events, banned(liar.peer)).await, Violation::Unverifiable(hash));
	assert!(reader.blob(&hash) == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_stalls_does_not_hold_up_the_others() {
	let bytes = sample(8_000_000, 4);
	let hash = BlobHash::of(&bytes);
	let (mut staller, mut honest) = (RawPeer::start(None).await, RawPeer::start(None).await);
	honest.gate = staller.gate.clone();
	lie(&mut staller, bytes.clone(), Lie::Stall);
	lie(&mut honest, bytes.clone(), Lie::Late);
	let mut config = config(2, TCP);
	config.fetch.patience = Duration::from_millis(100);
	// Far beyond the patience of the test: only the second copy can end the fetch.
	config.timeouts.transfer = Duration::from_secs(3600);
	let reader = Peer::start(config, Arc::new(AllowAll)).await;
	let fetched = soon(reader.plane.fetch(hash, &[staller.provider(), honest.provider()], MANY)).await.unwrap();
	assert_eq!((fetched.transferred, fetched.sources), (8_000_000, vec![staller.peer, honest.peer]));
	assert!(reader.blob(&hash) == bytes);
}

/// A raw reader opens `hash` at a provider and then sends what `attack` says.
async fn reader_is_banned(frames: &[Vec<u8>], raw: &[u8]) -> Violation {
	let (provider, _) = Peer::holding(1, TCP, &sample(100_000, 3)).await;
	let mut events = provider.plane.events();
	let reader = RawPeer::start(Some(provider.provider())).await;
	let mut stream = reader.stream(provider.plane.peer_id(), BLOB).await;
	for frame in frames {
		send(&mut stream, frame).await;
	}
	stream.write_all(raw).await.unwrap();
	stream.flush().await.unwrap();
	let violation = event(&mut events, banned(reader.peer)).await;
	event(&mut events, disconnected(reader.peer)).await;
	// The answers of earlier requests may still arrive; then the stream is dead.
	while receive(&mut stream).await.is_some() {}
	violation
}

fn open() -> Vec<u8> {
	(0u8, *BlobHash::of(&sample(100_000, 3)).as_bytes()).encode()
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_readers_are_banned() {
	let read = |first: u64, count: u32| (1u8, first, count).encode();
	let malformed = |violation| matches!(violation, Violation::Malformed(_));
	assert!(malformed(reader_is_banned(&[vec![7; 33]], &[]).await));
	assert!(malformed(reader_is_banned(&[vec![]], &[]).await));
	assert!(malformed(reader_is_banned(&[read(0, 1)], &[]).await));
	assert!(malformed(reader_is_banned(&[open(), open()], &[]).await));
	assert!(malformed(reader_is_banned(&[[open(), vec![0]].concat()], &[]).await));
	for (first, count) in [(0, 0), (0, 65), (7, 1), (u64::MAX, 1), (6, 2), (u64::MAX, u32::MAX)] {
		assert_eq!(reader_is_banned(&[open(), read(first, count)], &[]).await, Violation::RangeOutOfBounds);
	}
	assert!(matches!(reader_is_banned(&[], &[0xff; 8]).await, Violation::OversizedFrame { .. }));
	assert!(matches!(reader_is_banned(&[open()], &[65, 0, 0, 0]).await, Violation::OversizedFrame { len: 65, .. }));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_control_request_is_refused_by_size_and_banned() {
	let peer = Peer::open(1, TCP).await;
	peer.plane.set_handler(|_, bytes| async move { Ok(bytes) });
	let mut events = peer.plane.events();
	let raw = RawPeer::start(Some(peer.provider())).await;
	let mut stream = raw.stream(peer.plane.peer_id(), CONTROL).await;
	stream.write_all(&(MAX_CONTROL_REQUEST as u32 + 1).to_le_bytes()).await.unwrap();
	stream.flush().await.unwrap();
	let violation = event(&mut events, banned(raw.peer)).await;
	let max = MAX_CONTROL_REQUEST as u64;
	assert_eq!(violation, Violation::OversizedFrame { len: max + 1, max });
	assert_eq!(receive(&mut stream).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_or_garbled_control_answer_is_banned() {
	for answer in [&[0xff; 4][..], &[3, 0, 0, 0, 9, 9, 9], &[0, 0, 0, 0]] {
		let mut raw = RawPeer::start(None).await;
		let mut incoming = raw.streams.accept(CONTROL).unwrap();
		tokio::spawn(async move {
			while let Some((_, mut stream)) = futures::StreamExt::next(&mut incoming).await {
				receive(&mut stream).await.unwrap();
				stream.write_all(answer).await.unwrap();
				stream.close().await.unwrap();
			}
		});
		let peer = Peer::open(1, TCP).await;
		let mut events = peer.plane.events();
		let answered = soon(peer.plane.request(&raw.provider(), vec![1], Duration::from_secs(30))).await;
		assert!(matches!(answered, Err(RequestError::Violation(_))), "{answered:?}");
		event(&mut events, banned(raw.peer)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_refuses_new_connections_and_ends() {
	let mut config = config(1, TCP);
	config.timeouts.ban = Duration::from_millis(1500);
	let peer = Peer::start(config, Arc::new(AllowAll)).await;
	let mut events = peer.plane.events();
	let raw = RawPeer::start(Some(peer.provider())).await;
	let mut stream = raw.stream(peer.plane.peer_id(), BLOB).await;
	stream.write_all(&[0xff; 4]).await.unwrap();
	stream.flush().await.unwrap();
	event(&mut events, banned(raw.peer)).await;
	assert_eq!(soon(peer.plane.dial(&raw.provider())).await, Err(DialError::Banned));
	event(&mut events, |event| (event == Event::Unbanned(raw.peer)).then_some(())).await;
	soon(peer.plane.dial(&raw.provider())).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_at_the_address_of_a_peer_is_not_that_peer() {
	let (stranger, caller) = (Peer::open(1, TCP).await, Peer::open(2, TCP).await);
	let mut wanted = stranger.provider();
	wanted.peer = assay_p2p::Identity::from_seed([77; 32]).peer_id();
	let dialed = soon(caller.plane.dial(&wanted)).await;
	assert!(matches!(dialed, Err(DialError::Unreachable(_))), "{dialed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_beyond_the_limit_hear_that_the_provider_is_busy() {
	let mut config = config(1, TCP);
	config.limits.served_streams_per_peer = 2;
	let peer = Peer::start(config, Arc::new(AllowAll)).await;
	let hash = peer.plane.store().put(b"popular").unwrap();
	let raw = RawPeer::start(Some(peer.provider())).await;
	let mut held = Vec::new();
	for _ in 0..2 {
		let mut stream = raw.stream(peer.plane.peer_id(), BLOB).await;
		send(&mut stream, &(0u8, *hash.as_bytes()).encode()).await;
		assert_eq!(receive(&mut stream).await.unwrap(), (0u8, 7u64).encode());
		held.push(stream);
	}
	let mut third = raw.stream(peer.plane.peer_id(), BLOB).await;
	send(&mut third, &(0u8, *hash.as_bytes()).encode()).await;
	assert_eq!(receive(&mut third).await.unwrap(), [2, 2]);
	// Another peer is still served.
	let other = Peer::open(2, TCP).await;
	soon(other.plane.fetch(hash, &[peer.provider()], MANY)).await.unwrap();
}
