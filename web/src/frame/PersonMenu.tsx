import { useState } from 'react'
import { KeyRound, LogOut, Monitor, Moon, Sun } from 'lucide-react'
import { call } from '../api/call.ts'
import { client } from '../api/queries.ts'
import { useSession } from '../api/session.ts'
import { PasswordForm } from '../login/PasswordPage.tsx'
import { Dialog } from '../parts/parts.tsx'
import { MenuItem, MenuLabel, MenuLine, Popover } from '../parts/Popover.tsx'

type Theme = 'system' | 'light' | 'dark'
export const readTheme = (): Theme => {
  const stored = localStorage.getItem('boathouse.theme')
  return stored === 'light' || stored === 'dark' ? stored : 'system'
}
export function chooseTheme(theme: Theme): void {
  if (theme === 'system') {
    localStorage.removeItem('boathouse.theme')
    delete document.documentElement.dataset['theme']
  } else {
    localStorage.setItem('boathouse.theme', theme)
    document.documentElement.dataset['theme'] = theme
  }
}

export function PersonMenu() {
  const { user, version } = useSession()
  const [theme, setTheme] = useState(readTheme)
  const [password, setPassword] = useState(false)
  const choose = (next: Theme) => {
    chooseTheme(next)
    setTheme(next)
  }
  return (
    <>
      <Popover
        label="Your menu"
        role="menu"
        align="end"
        trigger={(props) => (
          <button type="button" className="person" aria-label={`Your menu, ${user.name}`} {...props}>
            {user.name.slice(0, 1).toUpperCase()}
          </button>
        )}
      >
        {(close) => (
          <>
            <div className="person-head">
              <strong className="cut">{user.name}</strong>
              <span className="caption">{user.role === 'admin' ? 'Administrator' : 'Reader'}</span>
            </div>
            <MenuLine />
            <MenuLabel>Appearance</MenuLabel>
            <MenuItem
              icon={<Monitor size={14} />}
              checked={theme === 'system'}
              hint={theme === 'system' ? 'on' : ''}
              onSelect={() => choose('system')}
            >
              As the system
            </MenuItem>
            <MenuItem
              icon={<Sun size={14} />}
              checked={theme === 'light'}
              hint={theme === 'light' ? 'on' : ''}
              onSelect={() => choose('light')}
            >
              Light
            </MenuItem>
            <MenuItem
              icon={<Moon size={14} />}
              checked={theme === 'dark'}
              hint={theme === 'dark' ? 'on' : ''}
              onSelect={() => choose('dark')}
            >
              Dark
            </MenuItem>
            <MenuLine />
            <MenuItem
              icon={<KeyRound size={14} />}
              onSelect={() => {
                close()
                setPassword(true)
              }}
            >
              Change password
            </MenuItem>
            <MenuItem icon={<LogOut size={14} />} onSelect={() => void logOut()}>
              Log out
            </MenuItem>
            <MenuLine />
            <div className="menu-label">Boathouse {version}</div>
          </>
        )}
      </Popover>
      {password && (
        <Dialog title="Change password" onClose={() => setPassword(false)}>
          <PasswordForm askCurrent onDone={() => setPassword(false)} />
        </Dialog>
      )}
    </>
  )
}

async function logOut(): Promise<void> {
  await call('DELETE /api/session', {}).catch(() => undefined)
  client.clear()
  location.assign('/login')
}
