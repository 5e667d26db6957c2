import { now } from '../clock.ts';
import { LoadNode } from './node.ts';
import type { LoadCommand, LoadReport } from './protocol.ts';
import { Reporter } from './reporter.ts';

/** How many connections are opened at a time (unless all are wanted at once), so that no listen queue overflows. */
const OPENING = 200;

/** The load generator's process: a fleet of nodes that ACK everything, controlled by messages from the parent. */
class LoadFleet {
  readonly #nodes: LoadNode[] = [];
  readonly #reporters: Reporter[] = [];
  /** The expected version; null: none, or the next one (`#next`). */
  #waited: string | null = null;
  #next = false;
  /** Nodes that don't have the expected version yet. */
  #missing = 0;
  #expectedAt = 0;

  handle(command: LoadCommand): void {
    switch (command.type) {
      case 'connect':
        return this.#connect(command);
      case 'expect':
        return this.#expect(command.version);
      case 'open_reports':
        return this.#openReports(command);
      case 'report': {
        const late = this.#reporters.reduce((sum, reporter) => sum + reporter.late, 0);
        for (const reporter of this.#reporters) reporter.every(command.everyMs);
        return report({ type: 'reporting', late });
      }
      case 'disconnect':
        for (const reporter of this.#reporters.splice(0)) reporter.close();
        for (const node of this.#nodes.splice(0)) node.close();
        return report({ type: 'disconnected' });
    }
  }

  #connect({ port, nodes, silent, atOnce }: Extract<LoadCommand, { type: 'connect' }>): void {
    const startedAt = now();
    const first = this.#nodes.length;
    let opened = 0;
    let joined = 0;
    const open = (): void => {
      const at = first + opened;
      opened += 1;
      const node: LoadNode = new LoadNode({
        port,
        id: `node-${at}`,
        onResponse: ({ version }) => {
          const isFirst = node.version === null;
          if (isFirst) {
            joined += 1;
            if (opened < nodes) open();
            if (joined === nodes) report({ type: 'joined', ms: now() - startedAt });
          }
          this.#count(version);
          return 'ack';
        },
        onClose: toLost,
      });
      this.#nodes.push(node);
      if (silent) node.pause();
    };
    while (opened < nodes && (atOnce || opened < OPENING)) open();
    if (silent) report({ type: 'joined', ms: 0 });
  }

  #openReports({ port, nodes, nodeBytes }: Extract<LoadCommand, { type: 'open_reports' }>): void {
    let asked = 0;
    const open = (): void => {
      const reporter = new Reporter({
        port,
        id: `node-${this.#reporters.length}`,
        nodeBytes,
        onAsked: () => {
          asked += 1;
          if (this.#reporters.length < nodes) open();
          if (asked === nodes) report({ type: 'reports_open' });
        },
        onClose: toLost,
      });
      this.#reporters.push(reporter);
    };
    for (let at = 0; at < Math.min(nodes, OPENING); at += 1) open();
  }

  #expect(version: string | null): void {
    this.#waited = version;
    this.#next = version === null;
    this.#missing = this.#nodes.filter((node) => node.version !== version).length;
    this.#expectedAt = now();
    report({ type: 'expecting' });
    if (this.#missing === 0 && version !== null) this.#reached(version);
  }

  #count(version: string): void {
    if (this.#next) this.#waited = version;
    this.#next = false;
    if (version !== this.#waited) return;
    this.#missing -= 1;
    if (this.#missing === 0) this.#reached(version);
  }

  /** After the ACK of the last node has been written. */
  #reached(version: string): void {
    this.#waited = null;
    queueMicrotask(() => report({ type: 'reached', version, at: now(), ms: now() - this.#expectedAt }));
  }
}

function toLost(reason: string): void {
  if (reason !== 'destroyed') report({ type: 'lost', reason });
}

function report(message: LoadReport): void {
  process.send?.(message);
}

const fleet = new LoadFleet();
process.on('message', (command: LoadCommand) => fleet.handle(command));
process.on('disconnect', () => process.exit());
