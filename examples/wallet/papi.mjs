// SPDX-License-Identifier: Apache-2.0
// Reads a job and sends money with polkadot-api (PAPI), whose unsafe API takes every type from the chain's metadata.
//
//   node papi.mjs [NODE] [JOB]
import { DEV_MINI_SECRET, ss58Address } from '@polkadot-labs/hdkd-helpers';
import { sr25519CreateDerive } from '@polkadot-labs/hdkd';
import { createClient } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { getWsProvider } from 'polkadot-api/ws';
import WebSocket from 'ws';

const [url = 'ws://127.0.0.1:9944', jobNumber] = process.argv.slice(2);
const AMOUNT = 10n ** 12n; // 1 UNIT
const CONNECT_MS = 20_000;
const FINALITY_MS = 120_000;

const units = (amount) => `${Number(amount) / 1e12} UNIT`;

/** The promise, or an error after a time. */
function within(ms, what, promise) {
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error(what)), ms).unref());
  return Promise.race([promise, late]);
}

/** Prints the job with this number, or the newest. */
async function showJob(api, wanted) {
  const next = await api.query.Market.NextJob.getValue();
  if (wanted === undefined && next === 0n) return console.log('The chain has no job yet.');
  const number = wanted ?? next - 1n;
  const [job, spec] = await Promise.all([
    api.query.Market.Jobs.getValue(number),
    api.query.Market.Specs.getValue(number),
  ]);
  if (!job || !spec) throw new Error(`the chain has no job ${number}`);
  const { client, state, milestones, verified, account } = job;
  console.log(`Job ${number} of ${client}: ${state.type}`);
  console.log(`  ${spec.program.header.steps} steps of program ${spec.program.ops_root}`);
  console.log(`  ${verified.milestones} of ${milestones} milestones verified, state ${verified.root}`);
  console.log(`  ${units(account.paid)} of at most ${units(spec.offer.max_price)} paid`);
  if (state.type === 'Running') console.log(`  worker ${state.value.worker}`);
}

async function main() {
  const client = createClient(getWsProvider(url, { websocketClass: globalThis.WebSocket ?? WebSocket }));
  const api = client.getUnsafeApi();
  const { name } = await within(CONNECT_MS, `no node answers at ${url}`, client.getChainSpecData());
  const { spec_name, spec_version } = await api.constants.System.Version();
  console.log(`${name}, ${spec_name} ${spec_version}`);
  await showJob(api, jobNumber === undefined ? undefined : BigInt(jobNumber));

  const derive = sr25519CreateDerive(DEV_MINI_SECRET);
  const [alice, charlie] = ['//Alice', '//Charlie'].map(derive);
  const signer = getPolkadotSigner(alice.publicKey, 'Sr25519', alice.sign);
  const [from, to] = [alice, charlie].map((pair) => ss58Address(pair.publicKey));
  const call = api.tx.Balances.transfer_keep_alive({ dest: { type: 'Id', value: to }, value: AMOUNT });
  const sent = await within(FINALITY_MS, 'the transfer was not final in time', call.signAndSubmit(signer));
  if (!sent.ok) throw new Error(`refused: ${JSON.stringify(sent.dispatchError)}`);
  const moved = api.event.Balances.Transfer.filter(sent.events).some(
    ({ payload }) => payload.from === from && payload.to === to && payload.amount === AMOUNT
  );
  if (!moved) throw new Error(`block ${sent.block.number} has no event of the transfer`);
  console.log(`${units(AMOUNT)} from //Alice to //Charlie, final in block ${sent.block.hash}`);
  client.destroy();
}

// Also where Node.js runs out of things to wait for before main has ended.
process.exitCode = 1;
main().then(
  () => process.exit(0),
  (error) => {
    console.error(`error: ${error.message ?? error}`);
    process.exit(1);
  }
);
