/** Where whatever happens is put in; what takes it is made after those that put it in. */
export class Inbox<T, R = void> {
  #take: (item: T) => R = unwired;

  /** From here on `take` has it all. */
  open(take: (item: T) => R): void {
    this.#take = take;
  }

  /** It is taken at once. */
  readonly put = (item: T): R => this.#take(item);
}

function unwired(): never {
  throw new Error('something happened before all was wired');
}
