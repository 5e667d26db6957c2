import { fork, type ChildProcess } from 'node:child_process';
import { builtScript } from '../build.ts';
import type { LoadCommand, LoadReport } from './protocol.ts';

type Report<T extends LoadReport['type']> = Extract<LoadReport, { type: T }>;

interface Waiting {
  readonly resolve: (report: LoadReport) => void;
  readonly reject: (error: Error) => void;
}

/** An answer later than this means that something hangs. */
const TIMEOUT_MS = 300_000;

/** A load generator in a process of its own. */
export class Generator implements Disposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<LoadReport['type'], Waiting>();
  #failure: Error | null = null;

  constructor() {
    this.#child = fork(builtScript('load/main.js'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', (report: LoadReport) => this.#onReport(report));
    this.#child.on('exit', (code) => this.#fail(new Error(`the load generator ended with ${code}`)));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Connects nodes; resolves to the milliseconds until each has its first response. */
  async connect(options: Omit<Extract<LoadCommand, { type: 'connect' }>, 'type'>): Promise<number> {
    return (await this.#ask({ type: 'connect', ...options }, 'joined')).ms;
  }

  /** Expects a version (null: the next one); resolves to a promise for the time when the last node has it. */
  async expect(version: string | null): Promise<{ readonly reached: Promise<Report<'reached'>> }> {
    const reached = this.#report('reached');
    reached.catch(() => undefined); // handled by the one who awaits it
    await this.#ask({ type: 'expect', version }, 'expecting');
    return { reached };
  }

  /** Opens streams of load reports. */
  async openReports(options: Omit<Extract<LoadCommand, { type: 'open_reports' }>, 'type'>): Promise<void> {
    await this.#ask({ type: 'open_reports', ...options }, 'reports_open');
  }

  /** From now on each sends a report at this interval; 0: none. Resolves to how many are late. */
  async report(everyMs: number): Promise<Report<'reporting'>> {
    return await this.#ask({ type: 'report', everyMs }, 'reporting');
  }

  async disconnect(): Promise<void> {
    await this.#ask({ type: 'disconnect' }, 'disconnected');
  }

  [Symbol.dispose](): void {
    this.#child.removeAllListeners('exit');
    this.#child.kill('SIGKILL');
  }

  async #ask<T extends LoadReport['type']>(command: LoadCommand, answer: T): Promise<Report<T>> {
    const report = this.#report(answer);
    this.#child.send(command);
    return await report;
  }

  async #report<T extends LoadReport['type']>(type: T): Promise<Report<T>> {
    let timer: NodeJS.Timeout | undefined;
    const report = new Promise<LoadReport>((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.set(type, { resolve, reject });
      timer = setTimeout(
        () => reject(new Error(`no '${type}' from the load generator in ${TIMEOUT_MS} ms`)),
        TIMEOUT_MS,
      );
    });
    return (await report.finally(() => clearTimeout(timer))) as Report<T>;
  }

  #onReport(report: LoadReport): void {
    if (report.type === 'lost') return this.#fail(new Error(`a node lost its stream: ${report.reason}`));
    this.#waiting.get(report.type)?.resolve(report);
    this.#waiting.delete(report.type);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
