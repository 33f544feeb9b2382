import { Failure, failureTable, type FailureCode } from '../../base/failure.ts'
import { openapi as describeApi } from '../../contract/index.ts'
import { openRecords } from '../../records/index.ts'
import { projectConfig } from '../cli.ts'
import { noArguments, oneArgument, globalOptions, type Command } from '../command.ts'
import { ownVersion } from '../version.ts'

export const version: Command = {
  name: 'version',
  summary: 'The version of Boathouse and of the Node it runs on.',
  examples: ['boathouse version'],
  async run(context) {
    noArguments(context)
    const boathouse = ownVersion()
    context.out.answer(
      { boathouse, node: process.versions.node },
      `boathouse ${boathouse} on Node ${process.versions.node}`,
    )
  },
}

export const migrate: Command = {
  name: 'migrate',
  summary:
    "Bring Boathouse's own records to the newest layout; the old ones are backed up first. Every start does it too.",
  examples: ['boathouse migrate'],
  async run(context) {
    noArguments(context)
    const { config } = projectConfig(context.dir, context.flags.text('env'))
    const records = await openRecords(config)
    const { migrated } = records
    await records.close()
    context.out.answer(
      { migrated },
      migrated.length === 0 ? 'The records are up to date.' : migrated.map((one) => JSON.stringify(one)).join('\n'),
    )
  },
}

export const openapi: Command = {
  name: 'openapi',
  summary: 'Print the description of the HTTP API (OpenAPI 3.1).',
  examples: ['boathouse openapi > openapi.json'],
  async run(context) {
    noArguments(context)
    await context.out.raw(`${JSON.stringify(describeApi(ownVersion()), null, 2)}\n`)
  },
}

export const explain: Command = {
  name: 'explain',
  summary: 'What a failure code means and what to do about it.',
  arguments: 'CODE',
  examples: ['boathouse explain COMMIT_CONFLICT'],
  async run(context) {
    const code = oneArgument(context, 'CODE').toUpperCase()
    const entry = failureTable[code as FailureCode]
    if (!entry)
      throw new Failure('USAGE', `there is no code ${code}`, {
        hint: `The codes are ${Object.keys(failureTable).join(', ')}.`,
      })
    context.out.answer(
      { code, ...entry },
      `${code}\n${entry.hint}\nHTTP status ${entry.status}; ${entry.retry ? 'trying again may help' : 'trying again does not help'}.`,
    )
  },
}

export const completion: Command = {
  name: 'completion',
  summary: 'Print the completion of a shell: bash, zsh or fish.',
  arguments: 'SHELL',
  examples: [
    'source <(boathouse completion bash)',
    'boathouse completion fish > ~/.config/fish/completions/boathouse.fish',
  ],
  async run(context) {
    const shell = oneArgument(context, 'SHELL')
    const print = { bash, zsh, fish }[shell as 'bash' | 'zsh' | 'fish']
    if (!print)
      throw new Failure('USAGE', `there is no completion for "${shell}"`, {
        hint: 'There is one for bash, zsh and fish.',
      })
    const { commands } = await import('./index.ts')
    await context.out.raw(print(commands.filter(({ hidden }) => !hidden)))
  },
}

const flagsOf = (command: Command) =>
  command.completes ?? Object.keys({ ...command.options, ...globalOptions }).map((name) => `--${name}`)

function bash(shown: readonly Command[]): string {
  const cases = shown.map((command) => `    "${command.name}") words="${flagsOf(command).join(' ')}" ;;`)
  const first = [...new Set(shown.map(({ name }) => name.split(' ')[0]))]
  const groups = first.flatMap((word) => {
    const rest = shown.flatMap(({ name }) => (name.startsWith(`${word} `) ? [name.slice(word!.length + 1)] : []))
    return rest.length > 0 ? [`    "${word}") words="${rest.join(' ')}" ;;`] : []
  })
  return `_boathouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words=""
  if [ "$COMP_CWORD" = 1 ]; then words="${first.join(' ')}"; else
  case "\${COMP_WORDS[1]}" in
${groups.join('\n')}
  esac
  case "\${COMP_WORDS[1]} \${COMP_WORDS[2]}" in
${cases.filter((line) => / "\w+ \w+"\)/.test(line) || / "\w+ [\w-]+"\)/.test(line)).join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${cases
  .filter((line) => /^ {4}"[\w-]+"\)/.test(line))
  .map((line) => line.replace('words="', 'words="$words '))
  .join('\n')}
  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _boathouse boathouse
`
}
const zsh = (shown: readonly Command[]) => `autoload -U +X bashcompinit && bashcompinit\n${bash(shown)}`
const fish = (shown: readonly Command[]) =>
  shown
    .map(({ name, summary }) => {
      const [first, second] = name.split(' ')
      return second
        ? `complete -c boathouse -n "__fish_seen_subcommand_from ${first}" -f -a "${second}" -d ${JSON.stringify(summary)}`
        : `complete -c boathouse -n "__fish_use_subcommand" -f -a "${first}" -d ${JSON.stringify(summary)}`
    })
    .join('\n') + '\n'
