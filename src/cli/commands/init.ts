import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Failure } from '../../base/failure.ts'
import { programFile } from '../../base/program.ts'
import { snakeCase } from '../../ingest/index.ts'
import type { Command } from '../command.ts'

const example = fileURLToPath(programFile('examples/sales'))
/** State and secrets of somebody's own copy of the example are not part of it. */
const leftOut = new Set(['.boathouse', '.env', 'node_modules', 'target', 'logs', 'dbt_packages', '__pycache__'])

export const init: Command = {
  name: 'init',
  summary: 'Make a project: the sales example, or with --empty a bare one.',
  arguments: '[DIR]',
  options: { empty: { type: 'boolean', about: 'No example, only the settings file and the folders.' } },
  examples: ['boathouse init shop && cd shop && boathouse up', 'boathouse init analytics --empty'],
  async run({ args, flags, out, dir }) {
    if (args.length > 1) throw new Failure('USAGE', `one DIR is expected, found ${args.length}`)
    const target = resolve(dir, args[0] ?? '.')
    await makeFolder(target)
    const there = (await readdir(target).catch(unusable(target))).filter((name) => name !== '.git')
    if (existsSync(join(target, 'boathouse.yml')))
      throw new Failure('ALREADY_EXISTS', `${target} is a project already`, {
        hint: 'Nothing was changed. Choose another folder.',
      })
    if (there.length > 0 && !flags.is('empty'))
      throw new Failure('ALREADY_EXISTS', `${target} is not empty`, {
        hint: 'Choose an empty folder, or add a bare project to this one with --empty.',
      })
    if (flags.is('empty')) await writeEmpty(target)
    else await cp(example, target, { recursive: true, force: false, filter: (path) => !leftOut.has(basename(path)) })
    out.answer({ project: target }, `Made a project in ${target}.\nNext: cd ${args[0] ?? '.'} && boathouse up`)
  },
}

/** Level by level: Node's own `recursive` never ends below a folder that takes none, such as /proc. */
async function makeFolder(folder: string): Promise<void> {
  const missing: string[] = []
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at)
  for (const one of missing)
    await mkdir(one).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') unusable(one)(error)
    })
}

const unusable = (folder: string) => (cause: NodeJS.ErrnoException) => {
  throw new Failure('STORAGE_FAILED', `${folder} cannot be used: ${cause.message}`, {
    cause,
    hint: 'Choose a folder in which you may write.',
  })
}

async function writeEmpty(target: string): Promise<void> {
  const name = snakeCase(basename(target)).replace(/^[^a-z]+/, '') || 'project'
  const files: Record<string, string> = {
    'boathouse.yml': `name: ${name}\n`,
    'dbt_project.yml': `name: ${name}\nversion: '1.0.0'\nprofile: ${name}\nmodel-paths: [models]\nmacro-paths: [macros]\ntest-paths: [tests]\nseed-paths: [seeds]\n`,
    '.env.example':
      '# Secrets of this project; copy to .env, which git ignores.\n# DATABASE_URL=postgres://boathouse:secret@localhost:5432/boathouse\n',
    '.gitignore': '.boathouse/\n.env\ntarget/\ndbt_packages/\nlogs/\n',
  }
  for (const [file, text] of Object.entries(files))
    if (!existsSync(join(target, file))) await writeFile(join(target, file), text)
  for (const folder of ['sources', 'models', 'metrics', 'dashboards'])
    await mkdir(join(target, folder), { recursive: true })
}
