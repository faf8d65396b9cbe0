//! Length-prefixed frames.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Violation;

/// Memory is taken in steps of this many bytes as a frame arrives, never by what it announces.
const STEP_BYTES: usize = 64 * 1024;

/// Why a frame could not be read.
#[derive(Debug)]
pub(crate) enum FrameError {
	/// The connection failed, or ended inside a frame.
	Io(io::Error),
	/// The peer broke the protocol.
	Violation(Violation),
}

impl From<io::Error> for FrameError {
	fn from(error: io::Error) -> Self {
		Self::Io(error)
	}
}

impl From<Violation> for FrameError {
	fn from(violation: Violation) -> Self {
		Self::Violation(violation)
	}
}

/// Reads the length of the next frame; `None` if the stream ended cleanly before it.
pub(crate) async fn read_len<S: AsyncRead + Unpin>(stream: &mut S, max: usize) -> Result<Option<usize>, FrameError> {
	let mut prefix = [0; 4];
	let mut have = 0;
	while have < prefix.len() {
		match stream.read(&mut prefix[have..]).await? {
			0 if have == 0 => return Ok(None),
			0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
			read => have += read,
		}
	}
	let len = u32::from_le_bytes(prefix);
	if u64::from(len) > max as u64 {
		return Err(Violation::OversizedFrame { len: u64::from(len), max: max as u64 }.into());
	}
	Ok(Some(len as usize))
}

/// Reads the body of a frame whose length was checked.
pub(crate) async fn read_body<S: AsyncRead + Unpin>(stream: &mut S, len: usize) -> io::Result<Vec<u8>> {
	let mut body = Vec::new();
	while body.len() < len {
		let start = body.len();
		body.resize(len.min(start + STEP_BYTES), 0);
		stream.read_exact(&mut body[start..]).await?;
	}
	Ok(body)
}

/// Reads a frame of at most `max` bytes; `None` if the stream ended cleanly before it.
pub(crate) async fn read_frame<S: AsyncRead + Unpin>(
	stream: &mut S,
	max: usize,
) -> Result<Option<Vec<u8>>, FrameError> {
	match read_len(stream, max).await? {
		Some(len) => Ok(Some(read_body(stream, len).await?)),
		None => Ok(None),
	}
}

/// Writes one frame and flushes it.
pub(crate) async fn write_frame<S: AsyncWrite + Unpin>(stream: &mut S, body: &[u8]) -> io::Result<()> {
	let len = u32::try_from(body.len()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
	stream.write_all(&len.to_le_bytes()).await?;
	stream.write_all(body).await?;
	stream.flush().await
}

#[cfg(test)]
mod tests {
	use futures::{executor::block_on, io::Cursor};
	use proptest::prelude::*;

	use super::*;

	proptest! {
		#[test]
		fn frames_round_trip(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..5)) {
			block_on(async {
				let mut wire = Cursor::new(Vec::new());
				for body in &bodies {
					write_frame(&mut wire, body).await.unwrap();
				}
				wire.set_position(0);
				for body in &bodies {
					assert_eq!(read_frame(&mut wire, 300).await.unwrap().as_ref(), Some(body));
				}
				assert!(read_frame(&mut wire, 300).await.unwrap().is_none());
			});
		}

		#[test]
		fn any_bytes_are_read_without_panic_and_within_the_bound(bytes: Vec<u8>, max in 0..100usize) {
			let frame = block_on(read_frame(&mut Cursor::new(bytes), max));
			if let Ok(Some(body)) = frame {
				prop_assert!(body.len() <= max);
			}
		}
	}

	#[test]
	fn an_oversized_announcement_is_refused_before_the_body() {
		let mut wire = Cursor::new(u32::MAX.to_le_bytes().to_vec());
		let read = block_on(read_frame(&mut wire, 10));
		assert!(matches!(read, Err(FrameError::Violation(Violation::OversizedFrame { max: 10, .. }))));
	}

	#[test]
	fn an_end_inside_a_frame_is_not_a_clean_end() {
		for bytes in [vec![1], vec![5, 0, 0, 0, 9]] {
			let read = block_on(read_frame(&mut Cursor::new(bytes), 10));
			assert!(matches!(read, Err(FrameError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
		}
	}
}
