import { Argument } from 'commander';
import type { Command } from 'commander';
import { readFileSync } from 'node:fs';

/** What each file's schema is called in the package. */
const schemas = { config: 'shard-config', settings: 'settings', plan: 'plan' } as const;

/** `shardplane schema [config|settings|plan]`: for editors, beside the file that names it; for what reads `plan --json`. */
export function defineSchema(program: Command): void {
  program
    .command('schema')
    .description(
      'print the JSON Schema of shard-config.yaml or the settings, for an editor, or of what plan --json prints',
    )
    .addArgument(new Argument('[which]', 'of which file').choices(Object.keys(schemas)).default('config'))
    .action((which: keyof typeof schemas) => {
      const file = new URL(`../../schemas/${schemas[which]}.schema.json`, import.meta.url);
      process.stdout.write(readFileSync(file));
    });
}
