import { SoakNode } from './node.ts';
import type { Random } from './random.ts';

const TICK_MS = 100;
/** The fraction of nodes that change their behaviour in each tick. */
const RESTLESS = 0.02;
/** A NACK rolls the newest release back for all: with more NACKs, none would go live. */
const NACKS_PER_SECOND = 0.25;

/** How often each thing was done. */
export type Deeds = Readonly<Record<'join' | 'leave' | 'stall' | 'resume' | 'mute' | 'refuse', number>>;

/** A fleet whose nodes join, leave, stall, go mute and refuse at random. */
export class Chaos {
  readonly nodes: readonly SoakNode[];
  readonly deeds: { -readonly [K in keyof Deeds]: number } = {
    join: 0,
    leave: 0,
    stall: 0,
    resume: 0,
    mute: 0,
    refuse: 0,
  };
  readonly #random: Random;
  #timer: NodeJS.Timeout | null = null;

  constructor({ nodes, port, random }: { nodes: number; port: number; random: Random }) {
    this.#random = random;
    this.nodes = Array.from({ length: nodes }, (_, at) => new SoakNode(`soak-${at}`, port, random));
  }

  start(): void {
    for (const node of this.nodes) this.#do('join', node);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** Makes all nodes connect, read and accept from now on. */
  calm(): void {
    if (this.#timer) clearInterval(this.#timer);
    for (const node of this.nodes) {
      node.refuseNext = 0;
      if (node.mood === 'mute') node.leave();
      node.resume();
      node.join();
    }
  }

  /** Reconnects nodes whose stream the server closed. */
  rejoin(): void {
    for (const node of this.nodes) node.join();
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer);
    for (const node of this.nodes) node.leave();
  }

  #tick(): void {
    const random = this.#random;
    for (let left = Math.ceil(this.nodes.length * RESTLESS); left > 0; left -= 1)
      this.#disturb(random.pick(this.nodes));
    if (random.chance((NACKS_PER_SECOND * TICK_MS) / 1000)) this.#do('refuse', random.pick(this.nodes));
  }

  #disturb(node: SoakNode): void {
    const random = this.#random;
    switch (node.mood) {
      case 'gone':
        return this.#do('join', node);
      case 'well':
        return this.#do(random.pick(['leave', 'leave', 'stall', 'stall', 'mute']), node);
      case 'stalled':
        return this.#do(random.pick(['resume', 'resume', 'leave']), node);
      case 'mute':
        return this.#do('leave', node);
    }
  }

  #do(deed: keyof Deeds, node: SoakNode): void {
    this.deeds[deed] += 1;
    if (deed === 'refuse') node.refuseNext = this.#random.between(1, 3);
    else node[deed]();
  }
}
