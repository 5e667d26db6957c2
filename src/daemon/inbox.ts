/** Passes events to a handler that is created after their senders. */
export class Inbox<T, R = void> {
  #take: (item: T) => R = unwired;

  /** Sets the handler. */
  open(take: (item: T) => R): void {
    this.#take = take;
  }

  /** Calls the handler, synchronously. */
  readonly put = (item: T): R => this.#take(item);
}

function unwired(): never {
  throw new Error('an event came before the inbox was open');
}
