import { Argument } from 'commander';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';

/** What each file's schema is called in the package. */
const schemas = { config: 'shard-config', settings: 'settings' } as const;

/** `shardplane schema [config|settings]`: for editors, beside the file that names it. */
export function defineSchema(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of shard-config.yaml, or of the settings, for an editor')
    .addArgument(new Argument('[which]', 'of which file').choices(Object.keys(schemas)).default('config'))
    .action((which: keyof typeof schemas) => {
      const file = new URL(`../../schemas/${schemas[which]}.schema.json`, import.meta.url);
      process.stdout.write(readFileSync(file));
    });
}
