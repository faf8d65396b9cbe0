//! Control requests between real peers.

mod support;

use std::{sync::Arc, time::Duration};

use assay_p2p::{
	AllowAll, CancellationToken, DataPlane, DialError, Refusal, RequestError, MAX_CONTROL_REPLY, MAX_CONTROL_REQUEST,
};
use support::{config, sample, soon, Peer, QUIC, TCP};

const TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_answered_with_the_authenticated_peer_id() {
	for listen in [TCP, QUIC] {
		let (server, client) = (Peer::open(1, listen).await, Peer::open(2, listen).await);
		server.plane.set_handler(|peer: assay_p2p::PeerId, bytes: Vec<u8>| async move {
			Ok([peer.to_bytes(), bytes].concat())
		});
		let answer = soon(client.plane.request(&server.provider(), b"hello".to_vec(), TIMEOUT)).await.unwrap();
		assert_eq!(answer, [client.plane.peer_id().to_bytes(), b"hello".to_vec()].concat());
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_request_and_answer_pass_and_longer_ones_do_not() {
	let (server, client) = (Peer::open(1, TCP).await, Peer::open(2, TCP).await);
	server.plane.set_handler(|_, bytes: Vec<u8>| async move {
		let len = if bytes.is_empty() { MAX_CONTROL_REPLY + 1 } else { MAX_CONTROL_REPLY };
		Ok(sample(len, bytes.len() as u8))
	});
	let to = server.provider();
	let answer = soon(client.plane.request(&to, vec![5; MAX_CONTROL_REQUEST], TIMEOUT)).await.unwrap();
	assert!(answer == sample(MAX_CONTROL_REPLY, 0));
	let long = soon(client.plane.request(&to, vec![5; MAX_CONTROL_REQUEST + 1], TIMEOUT)).await;
	assert!(matches!(long, Err(RequestError::TooLarge(len)) if len == MAX_CONTROL_REQUEST + 1));
	// An overlong answer is the server's mistake: the client hears a refusal and nobody is banned.
	let refused = soon(client.plane.request(&to, Vec::new(), TIMEOUT)).await;
	assert!(matches!(refused, Err(RequestError::Refused(Refusal { code: 0, .. }))), "{refused:?}");
	soon(client.plane.request(&to, vec![1], TIMEOUT)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_missing_handlers_and_slow_handlers_are_typed() {
	let mut slow = config(1, TCP);
	slow.timeouts.handler = Duration::from_millis(50);
	let server = Peer::start(slow, Arc::new(AllowAll)).await;
	let client = Peer::open(2, TCP).await;
	let to = server.provider();
	let unanswered = soon(client.plane.request(&to, vec![1], TIMEOUT)).await;
	assert!(matches!(unanswered, Err(RequestError::Unsupported)), "{unanswered:?}");

	server.plane.set_handler(|_, _| async { Err(Refusal::new(30_007, "not assigned to this segment")) });
	let refused = soon(client.plane.request(&to, vec![1], TIMEOUT)).await;
	let Err(RequestError::Refused(refusal)) = refused else { panic!("{refused:?}") };
	assert_eq!(refusal, Refusal { code: 30_007, reason: "not assigned to this segment".into() });

	server.plane.set_handler(|_, _| std::future::pending());
	let slow = soon(client.plane.request(&to, vec![1], TIMEOUT)).await;
	assert!(matches!(slow, Err(RequestError::HandlerTimeout)), "{slow:?}");
	let impatient = soon(client.plane.request(&to, vec![1], Duration::ZERO)).await;
	assert!(matches!(impatient, Err(RequestError::Timeout)), "{impatient:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_limit_hear_that_the_peer_is_busy() {
	let mut narrow = config(1, TCP);
	narrow.limits.control_requests = 1;
	let server = Peer::start(narrow, Arc::new(AllowAll)).await;
	let client = Peer::open(2, TCP).await;
	let (started, release) = (Arc::new(tokio::sync::Notify::new()), CancellationToken::new());
	let (entered, gate) = (started.clone(), release.clone());
	server.plane.set_handler(move |_, bytes: Vec<u8>| {
		let (entered, gate) = (entered.clone(), gate.clone());
		async move {
			entered.notify_one();
			gate.cancelled().await;
			Ok(bytes)
		}
	});
	let to = server.provider();
	let (plane, provider) = (client.plane.clone(), to.clone());
	let first = tokio::spawn(async move { plane.request(&provider, vec![1], TIMEOUT).await });
	soon(started.notified()).await;
	let busy = soon(client.plane.request(&to, vec![2], TIMEOUT)).await;
	assert!(matches!(busy, Err(RequestError::Busy)), "{busy:?}");
	release.cancel();
	assert_eq!(soon(first).await.unwrap().unwrap(), [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_ends_requests_and_frees_the_port() {
	let (server, client) = (Peer::open(1, TCP).await, Peer::open(2, TCP).await);
	server.plane.set_handler(|_, _| std::future::pending());
	let to = server.provider();
	let mut events = server.plane.events();
	let (plane, provider) = (client.plane.clone(), to.clone());
	let waiting = tokio::spawn(async move { plane.request(&provider, vec![1], TIMEOUT).await });
	let caller = client.plane.peer_id();
	support::event(&mut events, |event| (event == assay_p2p::Event::Connected(caller)).then_some(())).await;
	soon(server.plane.shutdown()).await;
	let ended = soon(waiting).await.unwrap();
	assert!(matches!(ended, Err(RequestError::Connection(_) | RequestError::Dial(_))), "{ended:?}");
	let refused = soon(client.plane.request(&to, vec![1], TIMEOUT)).await;
	assert!(matches!(refused, Err(RequestError::Dial(DialError::Unreachable(_)))), "{refused:?}");
	let after = soon(server.plane.request(&client.provider(), vec![1], TIMEOUT)).await;
	assert!(matches!(after, Err(RequestError::Shutdown)), "{after:?}");

	let mut same = config(3, TCP);
	same.listen = to.addresses.clone();
	let store = server.plane.store().clone();
	let heir = soon(DataPlane::start(same, store, Arc::new(AllowAll), CancellationToken::new())).await.unwrap();
	assert_eq!(heir.provider().addresses, to.addresses);
}
