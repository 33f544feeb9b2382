import { Check, ChevronDown, Lock } from 'lucide-react'
import { useSession } from '../api/session.ts'
import { MenuItem, MenuLabel, Popover } from '../parts/Popover.tsx'

/** Which environment is looked at. A protected one is loud; where the server allows it, a menu leads to the others. */
export function EnvironmentBadge() {
  const { environment, environments, features } = useSession()
  const kind = environment.protected ? 'environment protected' : 'environment'
  const inside = (
    <>
      {environment.protected && <Lock size={11} strokeWidth={2.5} aria-hidden />}
      {environment.name}
    </>
  )
  const title = `Environment ${environment.name}: catalog ${environment.catalog}${environment.protected ? ', protected' : ''}`
  if (!features.environments || environments.length < 2)
    return (
      <span className={kind} title={title}>
        <span className="unseen">Environment </span>
        {inside}
      </span>
    )
  return (
    <Popover
      label="Environment"
      role="menu"
      trigger={(props) => (
        <button type="button" className={kind} title={title} {...props}>
          <span className="unseen">Environment </span>
          {inside}
          <ChevronDown size={12} aria-hidden />
        </button>
      )}
    >
      {() => (
        <>
          <MenuLabel>Look at the environment</MenuLabel>
          {environments.map((one) => (
            <MenuItem
              key={one.name}
              checked={one.name === environment.name}
              icon={one.name === environment.name ? <Check size={14} /> : one.protected ? <Lock size={13} /> : null}
              hint={one.catalog}
              onSelect={() => {
                // A fresh page: nothing of one environment may stay on the screen of another.
                const search = new URLSearchParams(location.search)
                search.set('env', one.name)
                search.delete('as-of')
                location.search = String(search)
              }}
            >
              {one.name}
            </MenuItem>
          ))}
        </>
      )}
    </Popover>
  )
}
