//! The protocol's clock stands still while users cannot transact, in the real runtime.

mod chain;

use assay_runtime::{Clock, MultiBlockMigrations, Runtime, RuntimeCall, RuntimeOrigin, SafeMode, System, TxPause};
use frame_support::{assert_ok, traits::OnInitialize};
use sp_runtime::traits::{BlockNumberProvider, Dispatchable};

fn next_block() -> u32 {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Clock::on_initialize(block);
	Clock::current_block_number()
}

fn pause(pallet: &[u8], call: &[u8]) {
	let name = (pallet.to_vec().try_into().expect("short"), call.to_vec().try_into().expect("short"));
	assert_ok!(TxPause::pause(RuntimeOrigin::root(), name));
}

#[test]
fn it_counts_blocks_that_users_could_use() {
	chain::of_preset(sp_genesis_builder::DEV_RUNTIME_PRESET).execute_with(|| {
		assert_eq!((next_block(), next_block()), (1, 2));
		assert_ok!(SafeMode::force_enter(RuntimeOrigin::root()));
		assert_eq!((next_block(), next_block()), (2, 2));
		let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
		let dest = sp_keyring::Sr25519Keyring::Bob.to_account_id().into();
		let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_all { dest, keep_alive: true });
		assert!(transfer.dispatch(RuntimeOrigin::signed(alice)).is_err(), "nobody can transact meanwhile");
		assert_ok!(SafeMode::force_exit(RuntimeOrigin::root()));
		assert_eq!(next_block(), 3);
	});
}

#[test]
fn it_stands_still_while_a_call_of_the_protocol_is_paused() {
	chain::of_preset(sp_genesis_builder::DEV_RUNTIME_PRESET).execute_with(|| {
		pause(b"Balances", b"transfer_all");
		assert_eq!(next_block(), 1);
		pause(b"Disputes", b"play");
		assert_eq!((next_block(), next_block()), (1, 1));
	});
}

#[test]
fn it_stands_still_during_a_migration() {
	chain::of_preset(sp_genesis_builder::DEV_RUNTIME_PRESET).execute_with(|| {
		pallet_migrations::Cursor::<Runtime>::put(pallet_migrations::MigrationCursor::Stuck);
		assert!(<MultiBlockMigrations as frame_support::migrations::MultiStepMigrator>::ongoing());
		assert_eq!((next_block(), next_block()), (0, 0));
	});
}
