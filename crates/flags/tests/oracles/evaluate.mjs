// Evaluates flags with flagd's evaluator for Node: an oracle of the tests.
//
// Reads lines of JSON, each `{ document, cases: [{ flagKey, type, default, context }] }`, and answers each case by a line
// `{ reason, variant, value }` or `{ error, message }`. `type` is boolean, string, integer, float or object.
// SERINUS_FLAGD_JS names the folder into which `npm ci` installed what `package-lock.json` here pins.

import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const require = createRequire(join(process.env.SERINUS_FLAGD_JS, 'package.json'));
const { FlagdCore } = require('@openfeature/flagd-core');

// Interpreted, not compiled: in compiled code a comparison whose second operand is a nested rule checks the type of a
// wrong value, and now and then fails for it.
const options = { disableDynamicCodeGeneration: true };
const silent = { error() {}, warn() {}, info() {}, debug() {} };

for await (const line of createInterface({ input: process.stdin })) {
  const { document, cases } = JSON.parse(line);
  const evaluator = new FlagdCore(undefined, silent, options);
  let unread;
  try {
    evaluator.setConfigurations(JSON.stringify(document));
  } catch (error) {
    unread = error;
  }
  for (const asked of cases) {
    console.log(JSON.stringify(unread ? failure(unread) : answer(evaluator, asked)));
  }
}

function answer(evaluator, { flagKey, type, default: otherwise, context }) {
  // It has one type of number.
  const known = type === 'integer' || type === 'float' ? 'number' : type;
  try {
    const details = evaluator.resolve(known, flagKey, otherwise, context, silent);
    if (details.errorCode) {
      return { error: details.errorCode, message: details.errorMessage };
    }
    return { reason: details.reason, variant: details.variant ?? null, value: details.value };
  } catch (error) {
    return failure(error);
  }
}

// What an SDK makes of an error that an evaluator throws.
function failure(error) {
  return { error: error.code ?? 'GENERAL', message: String(error.message ?? error) };
}
