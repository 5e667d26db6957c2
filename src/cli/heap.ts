import { setFlagsFromString } from 'node:v8';

// Imported first, while the heap is small. V8 spends memory on speed that a mostly idle daemon has no
// use for: docs/performance.md has what each of these saves. `node` takes them as flags too, but an executable can't say so
// on every system; a V8 that doesn't know one warns on stderr and goes on.

// The young generation would grow to 64 MB with the fleet, and never shrink.
setFlagsFromString('--semi-space-growth-factor=1');
// Collect when garbage is a third of what is in use: by default V8 waits for several times as much.
setFlagsFromString('--heap-growing-percent=30');
// The mid-tier compiler: TurboFan soon replaces what it produces.
setFlagsFromString('--no-maglev');
