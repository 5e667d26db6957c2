import { readFileSync } from 'node:fs';
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Address } from '../envoy/address.ts';
import { parseAddress } from '../envoy/address.ts';
import { makeBootstrap } from '../envoy/bootstrap.ts';

interface BootstrapFlags {
  readonly xds: Address;
  readonly listen: Address;
  readonly admin: string;
  readonly endpoints: readonly Address[];
  readonly node?: string;
  readonly mode: 'hosts' | 'clusters';
  readonly transport: 'sotw' | 'delta';
  readonly ads?: boolean;
  readonly xdsCa?: string;
  readonly xdsCert?: string;
  readonly xdsKey?: string;
}

/** `shardplane bootstrap`: prints a bootstrap for a stock Envoy. */
export function defineBootstrap(program: Command): void {
  program
    .command('bootstrap')
    .description('print an Envoy bootstrap that takes its shards from here')
    .addOption(new Option('--xds <host:port>', 'the daemon’s xDS port').argParser(toAddress).makeOptionMandatory())
    .addOption(new Option('--listen <host:port>', 'where Envoy listens').argParser(toAddress).makeOptionMandatory())
    .addOption(new Option('--admin <socket>', 'path of Envoy’s admin socket').makeOptionMandatory())
    .addOption(
      new Option('--endpoints <host:port,...>', 'the backends, in the order of their slots')
        .argParser(toAddresses)
        .makeOptionMandatory(),
    )
    .option('--node <id>', 'xDS node.id (default: envoy)')
    .addOption(
      new Option('--mode <mode>', 'hosts: one cluster, override_host; clusters: one cluster for each slot')
        .choices(['hosts', 'clusters'])
        .default('hosts'),
    )
    .addOption(new Option('--transport <transport>', 'xDS dialect').choices(['sotw', 'delta']).default('sotw'))
    .option('--ads', 'one aggregated stream')
    .option('--xds-ca <file>', 'TLS to the daemon: its CA, a path on Envoy’s machine')
    .option('--xds-cert <file>', 'TLS: Envoy’s client certificate')
    .option('--xds-key <file>', 'TLS: its key')
    .action((flags: BootstrapFlags) => void process.stdout.write(makeBootstrap(toOptions(flags))));
}

function toOptions(flags: BootstrapFlags): Parameters<typeof makeBootstrap>[0] {
  const { xdsCa: ca, xdsCert: cert, xdsKey: key } = flags;
  const tls = ca !== undefined && cert !== undefined && key !== undefined ? { ca, cert, key } : undefined;
  if (tls === undefined && [ca, cert, key].some((path) => path !== undefined))
    throw new InvalidArgumentError('--xds-ca, --xds-cert and --xds-key go together.');
  return {
    xds: flags.xds,
    listen: flags.listen,
    adminSocket: flags.admin,
    endpoints: flags.endpoints,
    mode: flags.mode,
    transport: flags.transport,
    ads: flags.ads === true,
    lua: { bridge: readLua('runtime_bridge'), shard: readLua('shuffle_shard') },
    ...(flags.node !== undefined && { node: { id: flags.node } }),
    ...(tls && { tls }),
  };
}

function readLua(name: string): string {
  return readFileSync(new URL(`../../envoy/${name}.lua`, import.meta.url), 'utf8');
}

function toAddress(text: string): Address {
  const address = parseAddress(text);
  if (address) return address;
  throw new InvalidArgumentError(`${text} is not HOST:PORT.`);
}

function toAddresses(text: string): Address[] {
  return text.split(',').map(toAddress);
}
