// SPDX-License-Identifier: Apache-2.0
// Reads a job and sends money with polkadot-js as npm ships it: no types and no extensions of Assay are registered.
//
//   node polkadot-js.mjs [NODE] [JOB]
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';

const [url = 'ws://127.0.0.1:9944', jobNumber] = process.argv.slice(2);
const AMOUNT = 10n ** 12n; // 1 UNIT
const FINALITY_MS = 120_000;

const units = (amount) => `${Number(amount) / 1e12} UNIT`;

/** Prints the job with this number, or the newest. */
async function showJob(api, wanted) {
  const next = (await api.query.market.nextJob()).toNumber();
  if (wanted === undefined && next === 0) return console.log('The chain has no job yet.');
  const number = wanted ?? next - 1;
  const [job, spec] = await Promise.all([api.query.market.jobs(number), api.query.market.specs(number)]);
  if (job.isNone || spec.isNone) throw new Error(`the chain has no job ${number}`);
  const { client, state, milestones, verified, account } = job.unwrap();
  const { program, offer } = spec.unwrap();
  console.log(`Job ${number} of ${client}: ${state.type}`);
  console.log(`  ${program.header.steps} steps of program ${program.opsRoot}`);
  console.log(`  ${verified.milestones} of ${milestones} milestones verified, state ${verified.root}`);
  console.log(`  ${units(account.paid.toBigInt())} of at most ${units(offer.maxPrice.toBigInt())} paid`);
  if (state.isRunning) console.log(`  worker ${state.asRunning.worker}`);
}

/** What a dispatch error is called. */
function named(api, error) {
  if (!error.isModule) return error.toString();
  const { section, name, docs } = api.registry.findMetaError(error.asModule);
  return `${section}.${name}: ${docs.join(' ')}`;
}

/** Sends money and resolves to the hash of the finalised block and the transaction's events. */
function transfer(api, from, to, amount) {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('the transfer was not final in time')), FINALITY_MS).unref();
    api.tx.balances
      .transferKeepAlive(to, amount)
      .signAndSend(from, ({ status, events, dispatchError }) => {
        if (dispatchError) reject(new Error(`refused: ${named(api, dispatchError)}`));
        else if (status.isFinalized) resolve({ block: status.asFinalized, events });
        else if (status.isInvalid || status.isDropped || status.isUsurped || status.isFinalityTimeout)
          reject(new Error(`the transfer is ${status.type}`));
      })
      .catch(reject);
  });
}

async function main() {
  const api = await ApiPromise.create({ provider: new WsProvider(url), throwOnConnect: true });
  console.log(`${await api.rpc.system.chain()}, ${api.runtimeVersion.specName} ${api.runtimeVersion.specVersion}`);
  await showJob(api, jobNumber);
  const keyring = new Keyring({ type: 'sr25519', ss58Format: api.registry.chainSS58 });
  const [alice, charlie] = ['//Alice', '//Charlie'].map((uri) => keyring.addFromUri(uri));
  const { block, events } = await transfer(api, alice, charlie.address, AMOUNT);
  const moved = events.some(
    ({ event }) =>
      api.events.balances.Transfer.is(event) &&
      event.data.from.eq(alice.address) && event.data.to.eq(charlie.address) && event.data.amount.eq(AMOUNT)
  );
  if (!moved) throw new Error(`block ${block} has no event of the transfer`);
  console.log(`${units(AMOUNT)} from //Alice to //Charlie, final in block ${block}`);
  await api.disconnect();
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
