import type { Fact } from '../state/facts.ts';
import type { State } from '../state/state.ts';
import { nextTick, step } from '../state/step.ts';
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

/** Timers can't be set for longer than 24 days: one that is due later ticks every day. */
const longestMs = 24 * 60 * 60 * 1000;

/** Applies events to the state, carries out their effects and records their facts. Owns the rollout's timer. */
export class Controller {
  readonly #options: ControllerOptions;
  #timer: { readonly due: number; readonly timeout: NodeJS.Timeout } | null = null;

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
    clearTimeout(this.#timer?.timeout);
  }

  /** Keeps a running timer that is not too late, so that 5,000 ACKs don't need 5,000 timers. */
  #arm(): void {
    const { state, now } = this.#options;
    const at = now();
    const due = nextTick(state, at);
    if (due === null || (this.#timer !== null && this.#timer.due <= due)) return;
    clearTimeout(this.#timer?.timeout);
    const tick = (): void => {
      this.#timer = null;
      this.apply({ type: 'tick', at: now() });
    };
    this.#timer = { due, timeout: setTimeout(tick, Math.min(Math.max(0, due - at), longestMs)).unref() };
  }
}
