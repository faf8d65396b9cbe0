//! A crowd of strangers takes every public place, and a reserved peer still gets in and is served.

mod support;

use std::{collections::HashSet, sync::Arc, time::Duration};

use assay_p2p::{AllowAll, Event, FetchError, PeerId, Provider, RequestError};
use support::{config, event, soon, Peer, RawPeer, BLOB, TCP};

const TIMEOUT: Duration = Duration::from_secs(60);
const MANY: u64 = 1 << 40;

fn connected(who: PeerId) -> impl Fn(Event) -> Option<()> {
	move |event| (event == Event::Connected(who)).then_some(())
}

/// Asks until there is an answer. Who was just refused may not have noticed yet that its connection is closed, and asks on it.
async fn answered(peer: &Peer, to: &Provider) -> Vec<u8> {
	soon(async {
		loop {
			match peer.plane.request(to, b"segment 7".to_vec(), TIMEOUT).await {
				Ok(answer) => return answer,
				Err(RequestError::Connection(_)) => tokio::task::yield_now().await,
				Err(error) => panic!("{error:?}"),
			}
		}
	})
	.await
}

/// A peer with few places that echoes control requests.
async fn crowded(change: impl FnOnce(&mut assay_p2p::Limits)) -> Peer {
	let mut config = config(1, TCP);
	config.limits.connections = 3;
	config.limits.reserved_connections = 1;
	change(&mut config.limits);
	let peer = Peer::start(config, Arc::new(AllowAll)).await;
	peer.plane.set_handler(|_, bytes: Vec<u8>| async move { Ok(bytes) });
	peer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_peer_gets_in_when_strangers_hold_every_public_place() {
	let server = crowded(|_| {}).await;
	let mut events = server.plane.events();
	let hash = server.plane.store().put(b"state before the segment").unwrap();
	let mut strangers = Vec::new();
	for _ in 0..3 {
		let stranger = RawPeer::start(Some(server.provider())).await;
		event(&mut events, connected(stranger.peer)).await;
		strangers.push(stranger);
	}
	let (verifier, other) = (Peer::open(2, TCP).await, Peer::open(3, TCP).await);
	let (to, question) = (server.provider(), b"segment 7".to_vec());
	let refused = soon(verifier.plane.request(&to, question.clone(), TIMEOUT)).await;
	assert!(matches!(refused, Err(RequestError::Connection(_) | RequestError::Dial(_))), "{refused:?}");

	server.plane.reserve_for(HashSet::from([verifier.plane.peer_id()]));
	assert_eq!(answered(&verifier, &to).await, question);
	assert_eq!(soon(verifier.plane.fetch(hash, std::slice::from_ref(&to), MANY)).await.unwrap().len, 24);
	let refused = soon(other.plane.request(&to, question.clone(), TIMEOUT)).await;
	assert!(matches!(refused, Err(RequestError::Connection(_) | RequestError::Dial(_))), "{refused:?}");
	let refused = soon(other.plane.fetch(hash, std::slice::from_ref(&to), MANY)).await;
	assert!(matches!(refused, Err(FetchError::Exhausted { .. })), "{refused:?}");

	// A place that a stranger leaves is public again.
	let gone = strangers.remove(0);
	let left = gone.peer;
	drop(gone);
	event(&mut events, |event| (event == Event::Disconnected(left)).then_some(())).await;
	assert_eq!(answered(&other, &to).await, question);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_cannot_take_every_public_place() {
	let server = crowded(|limits| limits.connections_per_address = 2).await;
	let mut events = server.plane.events();
	let mut strangers = Vec::new();
	for _ in 0..2 {
		let stranger = RawPeer::start(Some(server.provider())).await;
		event(&mut events, connected(stranger.peer)).await;
		strangers.push(stranger);
	}
	let (third, friend) = (Peer::open(2, TCP).await, Peer::open(3, TCP).await);
	let refused = soon(third.plane.request(&server.provider(), vec![1], TIMEOUT)).await;
	assert!(matches!(refused, Err(RequestError::Connection(_) | RequestError::Dial(_))), "{refused:?}");
	server.plane.reserve_for(HashSet::from([friend.plane.peer_id()]));
	assert_eq!(soon(friend.plane.request(&server.provider(), vec![1], TIMEOUT)).await.unwrap(), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_peer_is_served_when_strangers_hold_every_stream() {
	let server = crowded(|limits| {
		limits.served_streams = 1;
		limits.reserved_streams = 1;
	})
	.await;
	let hash = server.plane.store().put(b"state").unwrap();
	let stranger = RawPeer::start(Some(server.provider())).await;
	let mut held = stranger.stream(server.plane.peer_id(), BLOB).await;
	support::send(&mut held, &codec::Encode::encode(&(0u8, *hash.as_bytes()))).await;
	assert_eq!(support::receive(&mut held).await.unwrap(), codec::Encode::encode(&(0u8, 5u64)));
	let verifier = Peer::open(2, TCP).await;
	let refused = soon(verifier.plane.fetch(hash, &[server.provider()], MANY)).await;
	assert!(matches!(refused, Err(FetchError::Exhausted { .. })), "{refused:?}");
	server.plane.reserve_for(HashSet::from([verifier.plane.peer_id()]));
	assert_eq!(soon(verifier.plane.fetch(hash, &[server.provider()], MANY)).await.unwrap().len, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn loopback_is_not_the_first_address_to_publish() {
	let mut config = config(1, TCP);
	config.announce = vec!["/ip4/198.51.100.7/udp/4001/quic-v1".parse().unwrap()];
	let peer = Peer::start(config, Arc::new(AllowAll)).await;
	let published = peer.plane.listen_addresses();
	assert_eq!(published, [format!("/ip4/198.51.100.7/udp/4001/quic-v1/p2p/{}", peer.plane.peer_id())]);
	let wildcard = Peer::open(2, "/ip4/0.0.0.0/tcp/0").await;
	let published = wildcard.plane.listen_addresses();
	let outside = published.iter().position(|address| !address.starts_with("/ip4/127."));
	assert!(matches!(outside, None | Some(0)), "{published:?}");
}
