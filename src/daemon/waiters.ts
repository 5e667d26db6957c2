/** Lets callers wait for a condition, which is checked again at each change. */
export class Waiters {
  #waiting: { readonly isOver: () => boolean; readonly resolve: () => void }[] = [];
  #isClosed = false;

  /** Resolves when `isSo`, or at shutdown. */
  until(isSo: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ isOver: () => this.#isClosed || isSo(), resolve });
      this.wake();
    });
  }

  readonly wake = (): void => {
    if (this.#waiting.length === 0) return;
    const over = this.#waiting.filter(({ isOver }) => isOver());
    this.#waiting = this.#waiting.filter((waiter) => !over.includes(waiter));
    for (const { resolve } of over) resolve();
  };

  close(): void {
    this.#isClosed = true;
    this.wake();
  }
}
