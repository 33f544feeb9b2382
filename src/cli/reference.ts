// The page of commands, printed from the commands themselves.

import { commandHelp } from './cli.ts'
import { commands } from './commands/index.ts'

export function commandsPage(): string {
  const shown = commands.filter(({ hidden }) => !hidden)
  return [
    '# Commands',
    '',
    'Printed from the commands themselves. Exit codes: 0 done, 1 the work failed, 2 used wrongly.',
    '',
    '| command | |',
    '| --- | --- |',
    ...shown.map(({ name, summary }) => `| [${name}](#boathouse-${name.replaceAll(' ', '-')}) | ${summary} |`),
    '',
    ...shown.flatMap((command) => [`## boathouse ${command.name}`, '', '```text', commandHelp(command), '```', '']),
  ].join('\n')
}
