use crate as pallet_clock;
use frame_support::{derive_impl, parameter_types, traits::OnInitialize};
use sp_runtime::{traits::BlockNumberProvider, BuildStorage};

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(RuntimeCall, RuntimeEvent, RuntimeError, RuntimeOrigin, RuntimeTask)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Clock = pallet_clock;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
}

parameter_types! {
	pub static IsPaused: bool = false;
}

impl pallet_clock::Config for Test {
	type IsPaused = IsPaused;
}

fn next_block(paused: bool) -> u64 {
	IsPaused::set(paused);
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Clock::on_initialize(block);
	Clock::current_block_number()
}

#[test]
fn paused_blocks_do_not_count_and_time_never_goes_back() {
	let storage = frame_system::GenesisConfig::<Test>::default().build_storage().expect("builds");
	sp_io::TestExternalities::from(storage).execute_with(|| {
		assert_eq!([false, false, true, true, false, true].map(next_block), [1, 2, 2, 2, 3, 3]);
		assert_eq!(Clock::now(), 3);
		assert_eq!(System::block_number(), 6);
	});
}
