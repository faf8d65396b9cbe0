use super::*;
use crate::{EpochLength, SlotDuration};

#[test]
fn holds_the_first_bonds_and_the_speed() {
	run(|| {
		for (who, bond) in FIRST_BONDS {
			assert_eq!(held(who), bond);
		}
		assert_eq!(SlotDuration::<Test>::get(), 1_000);
		assert_eq!(EpochLength::<Test>::get(), 20);
		assert_eq!(Session::validators(), vec![1, 2, 3]);
	});
}

#[test]
#[should_panic(expected = "epoch_length")]
fn refuses_an_epoch_without_slots() {
	use sp_runtime::BuildStorage;
	let config = crate::GenesisConfig::<Test> { epoch_length: 0, ..Default::default() };
	let _ = config.build_storage();
}
