import pc from 'picocolors';

const colors = pc.createColors(process.stdout.isTTY && !process.env['NO_COLOR']);

/** Prints to the user. */
export const say = {
  title: (text: string): void => console.log(`\n${colors.bold(text)}`),
  line: (text = ''): void => console.log(text === '' ? '' : `  ${text}`),
  good: (text: string): void => console.log(`  ${colors.green(text)}`),
  bad: (text: string): void => console.log(`  ${colors.red(text)}`),
  /** The output of a program of the demo. */
  quote: (name: string, text: string): void => console.log(colors.dim(`  ${name} | ${text}`)),
  /** A line of a diff. */
  change: (text: string): void => console.log(`      ${(text.startsWith('+') ? colors.green : colors.red)(text)}`),
  error: (message: string, hint: string): void => console.error(`${colors.red('error:')} ${message}\n  hint: ${hint}`),
};
