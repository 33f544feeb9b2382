// With whose rights a view reads the tables below it. Kept here and not in the view: whoever may write a view's metadata
// (any client of the REST catalog) could write another's name into it. An owner is of a name and of a content: a view that
// is made anew or changed elsewhere has none, and reads with the rights of whoever asks.

import type { Clock } from '../base/clock.ts'
import type { Records } from '../records/index.ts'
import { asRole, type Principal, systemPrincipal } from './principal.ts'

type Name = { catalog: string; namespace: string; name: string }
/** `digest`: of what the view says. */
export type ViewContent = { uuid: string; digest: string }

export interface ViewOwners {
  /** Also where the view came by a fork, or by promoting one. */
  find(name: Name, content: ViewContent): Promise<Principal | undefined>
  /** Before the view can be seen. Who is not known to the records later has nothing to lend: nobody is noted. */
  note(name: Name, content: ViewContent, owner: Principal): Promise<void>
}

export function openViewOwners({ records, clock }: { records: Records; clock: Clock }): ViewOwners {
  return {
    async find({ catalog, namespace, name }, { uuid, digest }) {
      const rows = await records.catalog
        .selectFrom('view_owners')
        .selectAll()
        .where('namespace', '=', namespace)
        .where('name', '=', name)
        .where('uuid', '=', uuid)
        .where('digest', '=', digest)
        .execute()
      // Clients cannot choose the uuid of a view: the same one elsewhere is of a fork of this environment, or of its origin.
      const found = rows.find((row) => row.catalog === catalog) ?? rows[0]
      return found && ownerOf(found)
    },

    async note({ catalog, namespace, name }, { uuid, digest }, owner) {
      const isKnown =
        owner.role === 'system' ||
        owner.id === localOperator ||
        (await records.catalog.selectFrom('users').select('id').where('id', '=', owner.id).executeTakeFirst()) !==
          undefined
      if (!isKnown) return
      const content = {
        uuid,
        digest,
        owner_id: owner.id,
        owner_name: owner.name,
        owner_role: owner.role,
        since: new Date(clock.now()).toISOString(),
      }
      // It need not outlive the machine before the view's publication does, and that takes it along.
      await records.transaction(
        (transaction) =>
          transaction
            .insertInto('view_owners')
            .values({ catalog, namespace, name, ...content })
            .onConflict((conflict) => conflict.columns(['catalog', 'namespace', 'name']).doUpdateSet(content))
            .execute(),
        { flush: false },
      )
    },
  }
}

/** The id of whoever has the command line on the machine of the server. */
export const localOperator = 'cli'

/** A user's role is looked up in the policy; the name alone gives nothing. */
function ownerOf({
  owner_id,
  owner_name,
  owner_role,
}: {
  owner_id: string
  owner_name: string
  owner_role: string
}): Principal {
  if (owner_role === 'system') return systemPrincipal
  return { id: owner_id, name: owner_name, role: owner_id === localOperator ? asRole(owner_role) : 'member' }
}
