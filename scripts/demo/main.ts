// The demo that scripts/start_with_xds.sh sets up and starts: ENVOY_BIN names the Envoy.
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { ending, pause } from './ending.ts';
import { DemoError } from './error.ts';
import { Play } from './play.ts';
import { ensureFree, toPorts } from './ports.ts';
import { RolloutPlay } from './rollout/play.ts';
import { say } from './say.ts';
import { Stage } from './stage.ts';

const { values: flags } = parseArgs({
  options: {
    step: { type: 'string', default: '30' },
    exit: { type: 'boolean', default: false },
    rollout: { type: 'boolean', default: false },
    'port-offset': { type: 'string', default: '0' },
  },
});

process.exit(await main());

/** Resolves to the exit code once every program has exited. */
async function main(): Promise<number> {
  const signal = firstSignal();
  try {
    const ports = toPorts(Number(flags['port-offset']), flags.rollout ? 3 : 1);
    await ensureFree(ports);
    return await performUntil(signal, await Stage.create(ports));
  } catch (error) {
    const { message, hint } = error as DemoError;
    say.error(message, error instanceof DemoError ? hint : 'this should not happen: please report it');
    return 1;
  }
}

/** Cleans up however the demo ends. */
async function performUntil(signal: Promise<number>, stage: Stage): Promise<number> {
  const performing = perform(stage);
  try {
    const code = await Promise.race([performing, stage.children.failure, signal]);
    if (code === 1) sayTails(stage);
    return code;
  } catch (error) {
    sayTails(stage);
    throw error;
  } finally {
    ending.abort();
    await stage.children.stop();
    await performing.catch(() => undefined);
    await stage.clear();
  }
}

/** What the programs said last, for one who wants to know why it failed. */
function sayTails({ children }: Stage): void {
  for (const [name, lines] of children.tails()) {
    say.line();
    for (const line of lines.slice(-8)) say.quote(name, line);
  }
}

async function perform(stage: Stage): Promise<number> {
  const envoy = process.env['ENVOY_BIN'] ?? 'envoy';
  if (flags.rollout) return await RolloutPlay.perform(stage, envoy);
  const play = new Play(stage, Number(flags.step) * 1000);
  await play.begin(envoy);
  if (!flags.exit) play.tellHow();
  await play.runSteps();
  if (flags.exit) return play.conclude();
  say.title('That was all. It goes on running until Ctrl-C: edit, commit, watch.');
  await pause(2 ** 31 - 1);
  return 0;
}

/** Resolves to 128 + the number of the first signal; a closed stdout (`| head`) counts as SIGPIPE. */
function firstSignal(): Promise<number> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(name, () => {
        if (name !== 'SIGHUP') say.line('stopping all that was started ...');
        resolve(128 + constants.signals[name]);
      });
    for (const stream of [process.stdout, process.stderr])
      stream.on('error', () => resolve(128 + constants.signals.SIGPIPE));
  });
}
