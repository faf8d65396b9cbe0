#![allow(missing_docs)]

use super::*;
use alloc::{vec, vec::Vec};
use codec::{Decode, Encode};
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get,
};
use frame_system::RawOrigin;
use pallet_session::SessionInterface;
use sp_runtime::{
	traits::{Saturating, TrailingZeroInput},
	Perbill,
};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// An account with session keys of its own and enough money for `bonds` smallest bonds.
fn prepared<T: Config>(index: u32, bonds: u32) -> Result<T::AccountId, BenchmarkError>
where
	T::Currency: Mutate<T::AccountId>,
{
	let who: T::AccountId = account("validator", index, 0);
	let enough = T::MinBond::get().saturating_mul(bonds.into()).saturating_add(T::Currency::minimum_balance());
	T::Currency::mint_into(&who, enough.saturating_mul(2u32.into()))?;
	// Every key of its own, however many there are: keys may not repeat.
	let seed: Vec<u8> = (0..8u32).flat_map(|key| sp_io::hashing::blake2_256(&(index, key).encode())).collect();
	let keys = <T::Session as SessionInterface>::Keys::decode(&mut TrailingZeroInput::new(&seed))
		.map_err(|_| BenchmarkError::Stop("keys decode from any bytes"))?;
	<T::Session as SessionInterface>::set_keys(&who, keys)?;
	Ok(who)
}

/// Fills the candidates, the last one included unless `spare`.
fn fill<T: Config>(spare: u32) -> Result<(), BenchmarkError>
where
	T::Currency: Mutate<T::AccountId>,
{
	let have = Candidates::<T>::decode_len().unwrap_or_default() as u32;
	for index in have..T::MaxValidators::get().saturating_sub(spare) {
		let who = prepared::<T>(index, 1)?;
		Pallet::<T>::admit(&who, T::MinBond::get())?;
	}
	Ok(())
}

#[benchmarks(where T::Currency: Mutate<T::AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register() -> Result<(), BenchmarkError> {
		fill::<T>(0)?;
		let who = prepared::<T>(u32::MAX, 2)?;
		let bond = T::MinBond::get().saturating_mul(2u32.into());
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), bond);
		assert_eq!(Pallet::<T>::bond_of(&who), Some(bond));
		Ok(())
	}

	#[benchmark]
	fn raise_bond() -> Result<(), BenchmarkError> {
		fill::<T>(1)?;
		let who = prepared::<T>(u32::MAX, 2)?;
		Pallet::<T>::admit(&who, T::MinBond::get())?;
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), T::MinBond::get());
		assert_eq!(Pallet::<T>::bond_of(&who), Some(T::MinBond::get().saturating_mul(2u32.into())));
		Ok(())
	}

	#[benchmark]
	fn leave() -> Result<(), BenchmarkError> {
		fill::<T>(1)?;
		let who = prepared::<T>(u32::MAX, 1)?;
		Pallet::<T>::admit(&who, T::MinBond::get())?;
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(Leaving::<T>::contains_key(&who));
		Ok(())
	}

	#[benchmark]
	fn withdraw() -> Result<(), BenchmarkError> {
		let who = prepared::<T>(u32::MAX, 1)?;
		Pallet::<T>::admit(&who, T::MinBond::get())?;
		Pallet::<T>::depart(&who, DepartureCause::Requested);
		Leaving::<T>::mutate(&who, |unbonding| {
			if let Some(unbonding) = unbonding {
				unbonding.until = 0;
			}
		});
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(!Leaving::<T>::contains_key(&who));
		Ok(())
	}

	#[benchmark]
	fn punish() -> Result<(), BenchmarkError> {
		fill::<T>(1)?;
		let who = prepared::<T>(u32::MAX, 1)?;
		Pallet::<T>::admit(&who, T::MinBond::get())?;
		let offence = vec![OffenceDetails { offender: (who.clone(), ()), reporters: vec![] }];
		#[block]
		{
			Pallet::<T>::on_offence(&offence, &[Perbill::from_percent(50)], 0);
		}
		assert!(Slashes::<T>::contains_key(0, &who));
		Ok(())
	}

	impl_benchmark_test_suite! {
		Pallet,
		sp_io::TestExternalities::new(crate::mock::storage()),
		crate::mock::Test
	}
}
