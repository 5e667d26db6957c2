import { readFileSync } from 'node:fs';
import { Option } from 'commander';
import type { Command } from 'commander';
import { makeBootstrap } from '../envoy/bootstrap.ts';
import { toAdmin, toEndpoints, toListen, toXds } from './bootstrap-rules.ts';
import { CliError } from './exit.ts';

interface BootstrapFlags {
  readonly xds: string;
  readonly listen: string;
  readonly admin: string;
  readonly endpoints: string;
  readonly node?: string;
  readonly mode: 'hosts' | 'clusters';
  readonly transport: 'sotw' | 'delta';
  readonly ads?: boolean;
  readonly twoFilters?: boolean;
  readonly xdsCa?: string;
  readonly xdsCert?: string;
  readonly xdsKey?: string;
}

/** `shardplane bootstrap`: prints a bootstrap for a stock Envoy. */
export function defineBootstrap(program: Command): void {
  program
    .command('bootstrap')
    .description('print an Envoy bootstrap that takes its shards from here')
    .requiredOption(
      '--xds <host:port,...>',
      'the daemon’s xDS port; of several, each is asked while those before it are away',
    )
    .requiredOption('--listen <ip:port>', 'where Envoy listens')
    .requiredOption('--admin <socket>', 'path of Envoy’s admin socket')
    .requiredOption('--endpoints <ip:port,...>', 'the backends, in the order of their slots')
    .option('--node <id>', 'xDS node.id (default: envoy)')
    .addOption(
      new Option('--mode <mode>', 'hosts: one cluster, override_host; clusters: one cluster for each slot')
        .choices(['hosts', 'clusters'])
        .default('hosts'),
    )
    .addOption(new Option('--transport <transport>', 'xDS dialect').choices(['sotw', 'delta']).default('sotw'))
    .option('--ads', 'one aggregated stream')
    .option('--two-filters', 'Lua as two filters with a seam between them: runtime_bridge and shuffle_shard')
    .option('--xds-ca <file>', 'TLS to the daemon: its CA, a path on Envoy’s machine')
    .option('--xds-cert <file>', 'TLS: Envoy’s client certificate')
    .option('--xds-key <file>', 'TLS: its key')
    .action((flags: BootstrapFlags) => void process.stdout.write(makeBootstrap(toOptions(flags))));
}

function toOptions(flags: BootstrapFlags): Parameters<typeof makeBootstrap>[0] {
  const { xdsCa: ca, xdsCert: cert, xdsKey: key } = flags;
  const tls = ca !== undefined && cert !== undefined && key !== undefined ? { ca, cert, key } : undefined;
  if (tls === undefined && [ca, cert, key].some((path) => path !== undefined))
    throw new CliError('--xds-ca, --xds-cert and --xds-key go together', {
      exitCode: 2,
      hint: 'give all three, or none',
    });
  const [xds, ...standbys] = toXds(flags.xds);
  return {
    xds,
    standbys,
    listen: toListen(flags.listen),
    adminSocket: toAdmin(flags.admin),
    endpoints: toEndpoints(flags.endpoints, flags.mode),
    mode: flags.mode,
    transport: flags.transport,
    ads: flags.ads === true,
    lua:
      flags.twoFilters === true
        ? { bridge: readLua('runtime_bridge'), shard: readLua('shuffle_shard') }
        : { shardplane: readLua('shardplane') },
    ...(flags.node !== undefined && { node: { id: flags.node } }),
    ...(tls && { tls }),
  };
}

function readLua(name: string): string {
  return readFileSync(new URL(`../../envoy/${name}.lua`, import.meta.url), 'utf8');
}
