import type { Fault, Path } from '../config/fault.ts';
import { checkFaults } from './check-faults.ts';
import { isInterval, toMilliseconds } from './duration.ts';
import { fault } from './fault.ts';
import { freezeFaults } from './freeze-faults.ts';
import { isLoopback } from './loopback.ts';
import type { SettingsOverrides } from './settings.ts';
import { strategyFaults } from './strategy-faults.ts';
import { toShare } from './to-rollout.ts';
import { isMeantForAll } from './to-settings.ts';
import type { SettingsFile } from './to-settings.ts';

/** Checks that a JSON Schema can't express. */
export function settingsFaults(file: SettingsFile, overrides: SettingsOverrides): Fault[] {
  return [
    ...repositoryFaults(file, overrides),
    ...xdsFaults(file),
    ...intervalFaults(file),
    ...limitFaults(file),
    ...strategyFaults(file.rollout),
    ...checkFaults(file.rollout.checks.prometheus),
    ...freezeFaults(file.rollout.freeze),
  ];
}

function* repositoryFaults({ repository }: SettingsFile, overrides: SettingsOverrides): Generator<Fault> {
  const { notes, remote, verify } = repository;
  if (notes === 'push' && (remote === null || overrides.repository))
    yield fault(
      ['repository', 'notes'],
      'repository.notes: push needs repository.remote',
      'local writes them to the repository itself',
    );
  if (verify.mode !== 'none' && verify.gpg_keyring === null && verify.ssh_allowed_signers === null)
    yield fault(
      ['repository', 'verify', 'mode'],
      `repository.verify.mode: ${verify.mode} needs keys, or no commit would ever be live`,
      'set repository.verify.gpg_keyring, ssh_allowed_signers, or both',
    );
}

function* xdsFaults({ xds }: SettingsFile): Generator<Fault> {
  const { address, resource, max_connection_age: age } = xds;
  if (resource === '*')
    yield fault(
      ['xds', 'resource'],
      'xds.resource: * stands for all resources, and is no name',
      'runtime is the usual one',
    );
  if (address !== null && !isMeantForAll(xds) && !isLoopback(address))
    yield fault(
      ['xds', 'address'],
      `xds.address ${address} is open to whoever reaches it: any of them could read the config and refuse each commit`,
      'set xds.tls with client_ca (docs/xds.md), or xds.insecure: true if that is meant',
    );
  // grpc-js adds up to a tenth at random, and a timer takes 31 bits of milliseconds
  if (isInterval(age) && toMilliseconds(age) > 20 * 86_400_000)
    yield fault(['xds', 'max_connection_age'], `xds.max_connection_age: ${age} is too long`, 'up to 20d');
}

function* limitFaults({ plan: { limits } }: SettingsFile): Generator<Fault> {
  if (limits.moved !== null && toShare(limits.moved) >= 1)
    yield fault(
      ['plan', 'limits', 'moved'],
      `plan.limits.moved: more than ${limits.moved} can't change hosts`,
      'from 0% to below 100%; null for no limit',
    );
}

function* intervalFaults({ repository, xds }: SettingsFile): Generator<Fault> {
  const intervals: [Path, string | undefined][] = [
    [['repository', 'poll'], repository.poll],
    [['repository', 'remote', 'poll'], repository.remote?.poll],
    [['repository', 'remote', 'timeout'], repository.remote?.timeout],
    [['xds', 'ack_timeout'], xds.ack_timeout],
    [['xds', 'keepalive'], xds.keepalive],
    [['xds', 'max_connection_age'], xds.max_connection_age],
  ];
  for (const [path, duration] of intervals)
    if (duration !== undefined && !isInterval(duration))
      yield fault(path, `${path.join('.')}: ${duration} is too short or too long for an interval`, 'from 100ms to 24d');
}
