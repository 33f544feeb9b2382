// parse: the project is read, and nothing else.

import { writeManifest } from './manifest-file.ts'
import { sayFound } from './found.ts'
import { openPlace, openProject, type Session } from './open.ts'

export async function parse(session: Session): Promise<number> {
  const place = await openPlace(session)
  const project = await openProject(session, place)
  sayFound(session.log, project)
  await writeManifest(session, project)
  return 0
}
