import { setFlagsFromString } from 'node:v8';

// Imported before all else, while the heap is small. V8 trades memory for a speed that a daemon which mostly waits has no
// use for: docs/performance.md has what each of these saves. `node` takes them as flags too, but an executable can't say so
// on every system; a V8 that does not know one says so on stderr and goes on.

// The space for new objects would grow to 64 MB with the fleet, and never be given back.
setFlagsFromString('--semi-space-growth-factor=1');
// What is no longer used may be half as much as what is, before it is collected: by itself, it may be several times as much.
setFlagsFromString('--heap-growing-percent=50');
// The compiler between the first and the last one: what it makes is soon made anew by the last.
setFlagsFromString('--no-maglev');
