import { LoadNode } from '../bench/load/node.ts';
import type { Random } from './random.ts';

/** What a soak's node is doing. */
export type Mood =
  | 'gone'
  /** Answers every response. */
  | 'well'
  /** Is connected but does not read, like a process that hangs. */
  | 'stalled'
  /** Reads, but does not answer. */
  | 'mute';

/** A node of the soak: connects, misbehaves, disconnects, and reconnects under the same id. */
export class SoakNode {
  readonly id: string;
  mood: Mood = 'gone';
  /** The version that it accepted last on this connection, or null. */
  version: string | null = null;
  /** Its last answer was a NACK. */
  refusing = false;
  /** Responses received, over all connections. */
  received = 0;
  /** How many of the next responses it refuses. */
  refuseNext = 0;
  readonly #port: number;
  readonly #random: Random;
  #node: LoadNode | null = null;

  constructor(id: string, port: number, random: Random) {
    this.id = id;
    this.#port = port;
    this.#random = random;
  }

  join(): void {
    if (this.mood !== 'gone') return;
    this.mood = 'well';
    this.version = null;
    this.refusing = false;
    const node = new LoadNode({
      port: this.#port,
      id: this.id,
      dialect: this.#random.pick(['sotw', 'delta']),
      onResponse: ({ version }) => this.#answer(version),
      // The server drops a stream that is silent for too long.
      onClose: () => node === this.#node && this.#forget(),
    });
    this.#node = node;
  }

  leave(): void {
    const node = this.#node;
    this.#forget();
    node?.close();
  }

  stall(): void {
    if (this.mood !== 'well') return;
    this.mood = 'stalled';
    this.#node?.pause();
  }

  /** Reads again after `stall`. */
  resume(): void {
    if (this.mood !== 'stalled') return;
    this.mood = 'well';
    this.#node?.resume();
  }

  mute(): void {
    if (this.mood === 'well') this.mood = 'mute';
  }

  #answer(version: string): 'ack' | 'silence' | { refusal: string } {
    this.received += 1;
    if (this.mood === 'mute') return 'silence';
    this.refusing = this.refuseNext > 0;
    if (this.refusing) {
      this.refuseNext -= 1;
      return { refusal: `refused by chance, of ${this.id}` };
    }
    this.version = version;
    return 'ack';
  }

  #forget(): void {
    this.#node = null;
    this.mood = 'gone';
  }
}
