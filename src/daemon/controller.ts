import { nextDeadline } from '../rollout/state.ts';
import type { Fact } from '../state/facts.ts';
import type { State } from '../state/state.ts';
import { step } from '../state/step.ts';
import type { Effect, Event } from '../state/step.ts';

export interface ControllerOptions {
  readonly state: State;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly carryOut: (effect: Effect) => void;
  readonly record: (facts: readonly Fact[], event: Event) => void;
  /** After each event. */
  readonly onStepped: () => void;
}

/** Applies events to the state, carries out their effects and records their facts. Owns the rollout's timer. */
export class Controller {
  readonly #options: ControllerOptions;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** Effects first: pushing never waits for logging or recording. */
  apply(event: Event): void {
    const { state, now, carryOut, record, onStepped } = this.#options;
    const { facts, effects } = step(state, event, now());
    for (const effect of effects) carryOut(effect);
    record(facts, event);
    this.#arm();
    onStepped();
  }

  /** Sets the timer for a state that was loaded, and may have deadlines. */
  resume(): void {
    this.#arm();
    this.#options.onStepped();
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
  }

  /** Keeps a running timer: deadlines only move later, so it can't fire too late, and 5,000 ACKs don't need 5,000 timers. */
  #arm(): void {
    if (this.#timer) return;
    const { state, now } = this.#options;
    const due = nextDeadline(state.rollout);
    if (due === null) return;
    const tick = (): void => {
      this.#timer = null;
      this.apply({ type: 'tick', at: now() });
    };
    this.#timer = setTimeout(tick, Math.max(0, due - now())).unref();
  }
}
