//! A list of bounded length, safe to decode and to store.

use alloc::vec::Vec;
use codec::{Compact, Decode, DecodeWithMemTracking, Encode, Error, Input, MaxEncodedLen};
use core::ops::Deref;
use scale_info::TypeInfo;

/// At most `N` items; encoded as a plain list. Decoding a longer one fails before it allocates.
#[derive(Clone, Debug, PartialEq, Eq, Encode, TypeInfo)]
pub struct Bounded<T, const N: u32>(Vec<T>);

impl<T, const N: u32> Bounded<T, N> {
	/// `None` if the list is longer than `N`.
	pub fn new(items: Vec<T>) -> Option<Self> {
		(items.len() <= N as usize).then_some(Self(items))
	}

	/// The list.
	pub fn into_inner(self) -> Vec<T> {
		self.0
	}
}

impl<T: Clone, const N: u32> Bounded<T, N> {
	/// The list with `item` at its end; `None` if it is full.
	pub fn with(&self, item: T) -> Option<Self> {
		let mut items = self.0.clone();
		items.push(item);
		Self::new(items)
	}
}

impl<T, const N: u32> Default for Bounded<T, N> {
	fn default() -> Self {
		Self(Vec::new())
	}
}

impl<T, const N: u32> Deref for Bounded<T, N> {
	type Target = [T];

	fn deref(&self) -> &[T] {
		&self.0
	}
}

impl<T: Decode, const N: u32> Decode for Bounded<T, N> {
	fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
		let Compact(len) = Compact::<u32>::decode(input)?;
		if len > N {
			return Err("longer list than allowed".into());
		}
		(0..len).map(|_| T::decode(input)).collect::<Result<_, _>>().map(Self)
	}
}

impl<T: DecodeWithMemTracking, const N: u32> DecodeWithMemTracking for Bounded<T, N> {}

impl<T: MaxEncodedLen, const N: u32> MaxEncodedLen for Bounded<T, N> {
	fn max_encoded_len() -> usize {
		Compact(N).encoded_size().saturating_add((N as usize).saturating_mul(T::max_encoded_len()))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn longer_lists_do_not_decode() {
		let two = alloc::vec![[1u8; 32], [2; 32]];
		assert!(Bounded::<[u8; 32], 1>::new(two.clone()).is_none());
		assert!(Bounded::<[u8; 32], 1>::decode(&mut &two.encode()[..]).is_err());
		assert_eq!(Bounded::<[u8; 32], 2>::decode(&mut &two.encode()[..]).map(Bounded::into_inner), Ok(two.clone()));
		assert_eq!(Bounded::<[u8; 32], 2>::max_encoded_len(), two.encode().len());
	}

	#[test]
	fn a_length_bomb_does_not_allocate() {
		assert!(Bounded::<[u8; 32], 16>::decode(&mut &[0xff, 0xff, 0xff, 0xff, 0xff][..]).is_err());
	}
}
