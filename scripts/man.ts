// Writes the manual page into the folder that the build makes: node scripts/man.ts FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toManPage } from '../src/cli/man.ts';
import { createProgram } from '../src/cli/program.ts';
import { readVersion } from '../src/version.ts';

const folder = process.argv[2] ?? 'dist/man';
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, 'shardplane.1'), toManPage(createProgram(), readVersion()));
