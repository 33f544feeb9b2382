// `modules` of the template context: those parts of Python's library that dbt lends to templates.

import { Dict } from '../../../jinja/index.ts'
import { datetimeModule, pytzModule } from './datetime-module.ts'
import { itertoolsModule } from './itertools.ts'
import { reModule } from './re-module.ts'

/** `now` is the run's start in milliseconds, so that every template of a run sees one time. */
export const pythonModules = (now: () => number): Dict =>
  new Dict([
    ['datetime', datetimeModule(now)],
    ['re', reModule()],
    ['pytz', pytzModule()],
    ['itertools', itertoolsModule()],
  ] as [unknown, unknown][])
